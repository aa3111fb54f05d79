import { describe, expect, it } from "vitest";
import { DataSets } from "./data/data-sets.js";
import { matchForTests, MemoryStorage } from "./operations/testing.js";
import { createSweep } from "./retention.js";
import { BlobUses } from "./storage/blob-uses.js";

const hour = 3_600_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("the sweep", () => {
  it("removes blobs that nobody used for a day, but none that a job or schedule refers to", async () => {
    const storage = new MemoryStorage();
    const uses = new BlobUses(storage);
    const quotas = { dataBytes: 1e6, dataSetBytes: 1e6 };
    let now = 0;
    const dataSets = new DataSets({ storage, uses, quotas, match: matchForTests, clock: () => now });
    const sweep = createSweep({ dataSets, uses, storage }, () => now);

    const forgotten = await storage.blobs.put(bytes("forgotten"));
    const planned = await storage.blobs.put(bytes("input of a schedule"));
    const value = bytes(`order: blob:${planned.digest}, sensor:x`);
    await storage.records.write([{ collection: "schedules", key: "s", value }]);
    const item = new Uint8Array(8192);
    await dataSets.append("set", [{ bytes: item }], { elementType: 1, shape: [8192] });

    await sweep();
    now = 23 * hour;
    expect((await sweep()).items).toBe(0);
    now = 25 * hour;
    expect((await sweep()).items).toBe(1);
    expect(await storage.blobs.stat(forgotten.digest)).toBeUndefined();
    expect(await storage.blobs.stat(planned.digest)).toBeDefined();
    expect(await storage.blobs.list()).toHaveLength(2);

    await storage.records.write([{ collection: "schedules", key: "s", value: undefined }]);
    for (now = 26 * hour; now <= 52 * hour; now += hour) await sweep();
    expect(await storage.blobs.stat(planned.digest)).toBeUndefined();
    expect(await storage.blobs.list()).toHaveLength(1);
  });
});
