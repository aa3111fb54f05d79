/**
 * Fills the small disk it is given with records and blobs, frees some of it, and writes again; tells on stdout what
 * was wrong, as a JSON list. Arguments: the folder; whether the storage may look at the free space before it writes.
 */
import { freeBytes } from "../../host/node/storage/free-space.js";
import { openLocalStorage } from "../../host/node/storage/local-storage.js";
import { StorageError, type Storage } from "../../host/node/storage/storage.js";
import { contentOf } from "./crash-content.js";

const wrong: string[] = [];
const [folder = "", look = ""] = process.argv.slice(2);
const options =
  look === "look"
    ? { reserveBytes: 1024 * 1024 }
    : // Sees room where there is none, as when somebody else fills the disk meanwhile.
      { reserveBytes: 0, freeBytes: async (path: string) => (await freeBytes(path)) + 600_000 };
const open = (): Promise<Storage> => openLocalStorage(folder, options);

const value = (n: number): Uint8Array => contentOf(`full ${n}`, 400_000);
let storage = await open();
const acknowledged = new Set<number>();
const blobs: string[] = [];

async function attempt(name: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== "no-space")
      wrong.push(`${name}: ${String(error)}`);
    return false;
  }
}

async function check(when: string): Promise<void> {
  const entries = await storage.records.list("full");
  const keys = new Set(entries.map((entry) => Number(entry.key)));
  for (const n of acknowledged) if (!keys.has(n)) wrong.push(`${when}: record ${n} is lost`);
  for (const { key, value: found } of entries) {
    if (Buffer.compare(found, value(Number(key))) !== 0) wrong.push(`${when}: record ${key} is damaged`);
    if (!acknowledged.has(Number(key))) wrong.push(`${when}: record ${key} was never acknowledged`);
  }
  const listed = (await storage.blobs.list()).map((info) => info.digest);
  if (listed.sort().join() !== [...blobs].sort().join()) wrong.push(`${when}: other blobs than acknowledged`);
  for (const digest of listed) await storage.blobs.get(digest);
}

/** Until the disk refuses a few times. */
async function fill(from: number): Promise<void> {
  for (let n = from, refused = 0; refused < 8 && n < from + 500; n++) {
    const done =
      n % 3 === 0
        ? await attempt(`blob ${n}`, async () => {
            blobs.push((await storage.blobs.put(value(n))).digest);
          })
        : await attempt(`record ${n}`, async () => {
            await storage.records.write([{ collection: "full", key: String(n), value: value(n) }]);
            acknowledged.add(n);
          });
    if (!done) refused++;
  }
}

await fill(0);
if (acknowledged.size === 0 || blobs.length === 0) wrong.push("nothing was written");
await check("full");
await storage.close();
storage = await open();
await check("opened again");
for (const n of [...acknowledged].slice(0, 5)) {
  const freed = await attempt(`removal ${n}`, async () => {
    await storage.records.write([{ collection: "full", key: String(n), value: undefined }]);
  });
  if (freed) acknowledged.delete(n);
  else wrong.push(`record ${n} could not be removed`);
}
for (const digest of blobs.splice(0, 3)) await storage.blobs.delete(digest);
await check("freed");
const before = acknowledged.size + blobs.length;
await fill(1000);
if (acknowledged.size + blobs.length === before) wrong.push("what was freed cannot be used");
await check("full again");
await storage.close();
console.log(JSON.stringify({ wrong, records: acknowledged.size, blobs: blobs.length }));
