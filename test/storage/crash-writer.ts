/**
 * Writes into a storage as fast as it can until it is killed, and tells on stdout what was acknowledged, a line each:
 * `start` when the storage is open, `KIND NUMBER`, or `error CODE KIND NUMBER`.
 * Arguments: a storage section of node.yaml as JSON, the round.
 */
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import type { NodeConfig } from "../../host/node/config.js";
import { openStorage } from "../../host/node/storage/open-storage.js";
import { StorageError, type RecordStore, type Storage } from "../../host/node/storage/storage.js";
import { contentOf, lifetime, mostBlob, mostRecord } from "./crash-content.js";

const say = (line: string): void => {
  // To the pipe at once: it outlives this process.
  writeSync(1, `${line}\n`);
};

async function tell(kind: string, n: number, work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    say(`${kind} ${n}`);
    return true;
  } catch (error) {
    say(`error ${error instanceof StorageError ? error.code : String(error)} ${kind} ${n}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return false;
  }
}

async function writeRecords({ records }: Storage, round: string): Promise<void> {
  for (let n = 0; ; n++) {
    const key = `${round}/${n}`;
    const set = records.write([{ collection: "single", key, value: contentOf(`single ${key}`, mostRecord) }]);
    const old = `${round}/${n - lifetime}`;
    const remove = records.write([{ collection: "single", key: old, value: undefined }]);
    await Promise.all([tell("single", n, set), tell("removed", n - lifetime, remove)]);
  }
}

async function writeBatches({ records }: Storage, round: string): Promise<void> {
  for (let n = 0; ;) {
    const value = contentOf(`batch ${round}/${n}`, mostRecord);
    const changes = ["a", "b", "c"].map((part) => ({
      collection: "batch",
      key: `${round}/${n}/${part}`,
      value,
    }));
    // The counter is replaced in the same batch.
    const counter = { collection: "counter", key: round, value: Buffer.from(String(n)) };
    const expect = n === 0 ? null : Buffer.from(String(n - 1));
    const work = records.write([...changes, { ...counter, expect }]).then((written) => {
      if (!written) throw new Error("condition");
    });
    if (await tell("batch", n, work)) n++;
    else n = await next(records, round, n);
  }
}

/** The batch behind the last that is there: whether one that failed was written is not known otherwise. */
async function next(records: RecordStore, round: string, n: number): Promise<number> {
  for (;;) {
    let value: Uint8Array | undefined;
    if (
      await tell(
        "counter",
        n,
        records.get("counter", round).then((found) => (value = found)),
      )
    ) {
      return value === undefined ? 0 : Number(Buffer.from(value).toString()) + 1;
    }
  }
}

async function writeBlobs({ blobs }: Storage, round: string, stream: string): Promise<void> {
  const content = (n: number): Buffer => contentOf(`blob ${round}/${stream}/${n}`, mostBlob);
  for (let n = 0; ; n++) {
    await tell(`blob-${stream}`, n, blobs.put(content(n)));
    const old = createHash("sha256")
      .update(content(n - lifetime))
      .digest("hex");
    if (n >= lifetime) await tell(`unlinked-${stream}`, n - lifetime, blobs.delete(old));
  }
}

const [config = "", round = ""] = process.argv.slice(2);
const storage = await openStorage(JSON.parse(config) as NodeConfig["storage"], "/");
say("start");
await Promise.all([
  writeRecords(storage, round),
  writeBatches(storage, round),
  writeBlobs(storage, round, "a"),
  writeBlobs(storage, round, "b"),
]);
