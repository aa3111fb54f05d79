/**
 * kill -9 of a complete node while it stores: every acknowledged item is there after the restart, once, whole and
 * counted; requests without an answer are sent again and are stored once too.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { DataSets } from "../../host/node/data/data-sets.js";
import { BlobUses, digestOf } from "../../host/node/storage/blob-uses.js";
import { openLocalStorage } from "../../host/node/storage/local-storage.js";
import { Child } from "../support/child.js";
import { freePort } from "../support/free-port.js";
import { contentOfItem, LoadClient } from "./load-client.js";

const rounds = Number(process.env["TMC_CRASH_ROUNDS"] ?? 1);
let folder = "";
let node: Child | undefined;
afterEach(async () => {
  await node?.stop("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

async function startNode(file: string): Promise<Child> {
  const program = packagePath("test", "support", "tmc-from-source.ts");
  const child = await Child.start(
    process.execPath,
    ["--import", "tsx", program, "node", "start", "--config", file],
    {
      cwd: packagePath(),
      name: "node",
    },
  );
  await child.waitForLine(/is running/, 60_000);
  return child;
}

/** What is in the storage of a node that does not run, as numbers of items; and everything that is wrong with it. */
async function lookInside(data: string): Promise<{ found: Map<number, number>; wrong: string[] }> {
  const storage = await openLocalStorage(data);
  const quotas = { dataBytes: 1e9, dataSetBytes: 1e9 };
  const sets = new DataSets({ storage, uses: new BlobUses(storage), quotas, match: () => "" });
  const found = new Map<number, number>();
  const wrong: string[] = [];
  let total = 0;
  for (const set of await sets.list()) {
    let [items, bytes] = [0, 0];
    for await (const stored of sets.items(set)) {
      // Verifies the digest.
      const content = await sets.bytesOf(stored);
      const n = new DataView(content.buffer, content.byteOffset).getFloat32(0, true);
      const { name, values } = contentOfItem(n);
      if (name !== set.name || digestOf(new Uint8Array(values.buffer)) !== stored.item.digest) {
        wrong.push(`item ${n} is not what was sent`);
      }
      found.set(n, (found.get(n) ?? 0) + 1);
      items++;
      bytes += content.length;
    }
    if (set.items !== items || set.bytes !== bytes)
      wrong.push(`${set.name}: ${items} items, counted ${set.items}`);
    total += bytes;
  }
  if ((await sets.totalBytes()) !== total) wrong.push(`${total} bytes, counted ${await sets.totalBytes()}`);
  await storage.close();
  return { found, wrong };
}

describe("a complete node that is killed while it stores", () => {
  it("has every acknowledged item once, and stores what is sent again once", async () => {
    folder = mkdtempSync(join(tmpdir(), "tmc-kill-"));
    const port = await freePort();
    const file = join(folder, "node.yaml");
    const config = {
      state: join(folder, "state"),
      bus: { broker: { port, anonymous: true } },
      management: { enabled: false },
      functions: { enabled: false },
      log: { level: "warn" },
    };
    writeFileSync(file, JSON.stringify(config));
    const data = join(folder, "state", "data");
    const url = `mqtt://127.0.0.1:${port}`;
    const errors: string[] = [];

    let client: LoadClient | undefined;
    for (let round = 0; round <= rounds; round++) {
      node = await startNode(file);
      client = client === undefined ? await LoadClient.connect(url, 16) : await client.again(url);
      // What had no answer, and some of what had one.
      const repeated = [...client.pending, ...[...client.acknowledged].slice(-5)];
      for (const n of repeated) client.repeat(n);
      const last = round === rounds;
      if (!last) {
        client.start();
        await sleep(200 + Math.random() * 600);
      } else {
        await client.settled(20_000);
      }
      client.stop();
      await node.stop(last ? "SIGTERM" : "SIGKILL", 20_000);
      errors.push(...client.errors);
      const { found, wrong } = await lookInside(data);
      expect(wrong).toEqual([]);
      expect([...found].filter(([, times]) => times > 1)).toEqual([]);
      expect([...client.acknowledged].filter((n) => !found.has(n))).toEqual([]);
      const unknown = [...found.keys()].filter(
        (n) => !client?.acknowledged.has(n) && !client?.pending.has(n),
      );
      expect(unknown).toEqual([]);
      if (last) expect(found.size).toBe(client.acknowledged.size);
    }
    await client?.close();
    expect(errors).toEqual([]);
    console.log(`${rounds} kills of a node, ${client?.acknowledged.size ?? 0} acknowledged items`);
    expect(client?.acknowledged.size).toBeGreaterThan(20);
  });
});
