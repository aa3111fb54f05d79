/** Data sets on storage in memory: counters, quotas, time to live, and a kill at every write. */
import { describe, expect, it } from "vitest";
import { MemoryStorage, matchForTests } from "../operations/testing.js";
import { BlobUses } from "../storage/blob-uses.js";
import { bytesOfFloats } from "./data-descriptor.js";
import type { DataQuotas } from "./data-set-ledger.js";
import { DataSets } from "./data-sets.js";

const window = { elementType: 6, shape: [4, 2], rate: 100, unit: "g" };
const item = (value: number) => bytesOfFloats(new Float32Array(8).fill(value));
const large = (value: number) => bytesOfFloats(new Float32Array(2048).fill(value));
const largeWindow = { elementType: 6, shape: [1024, 2] };

function make(quotas: Partial<DataQuotas> = {}, storage = new MemoryStorage()) {
  const clock = { now: 1_000_000 };
  const uses = new BlobUses(storage);
  const sets = new DataSets({
    storage,
    uses,
    quotas: { dataBytes: 1e9, dataSetBytes: 1e9, ...quotas },
    match: matchForTests,
    clock: () => clock.now,
  });
  return { storage, sets, clock, uses };
}

async function valuesOf(sets: DataSets, name: string): Promise<number[]> {
  const values: number[] = [];
  for await (const stored of sets.items(await sets.get(name))) {
    const bytes = await sets.bytesOf(stored);
    values.push(new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true));
  }
  return values;
}

/** Counters and totals as the items say. */
async function expectConsistent({ sets }: ReturnType<typeof make>): Promise<void> {
  let total = 0;
  for (const set of await sets.list()) {
    const items = [];
    for await (const stored of sets.items(set)) {
      await sets.bytesOf(stored);
      items.push(stored.item);
    }
    expect(set.items).toBe(items.length);
    expect(set.bytes).toBe(items.reduce((sum, one) => sum + one.bytes, 0));
    for (const [label, count] of Object.entries(set.labels)) {
      expect(items.filter((one) => (one.label ?? "") === label)).toHaveLength(count);
    }
    total += set.bytes;
  }
  expect(await sets.totalBytes()).toBe(total);
}

describe("appending", () => {
  it("keeps items in order with counters", async () => {
    const made = make();
    await made.sets.append("a", [{ bytes: item(1), label: "x" }], window);
    const appended = await made.sets.append(
      "a",
      [{ bytes: item(2), label: "y", usage: "test" }, { bytes: item(3) }],
      window,
      { ttlS: 5 },
    );
    expect(appended).toMatchObject({ items: 3, bytes: 96 });
    expect(appended.digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(await valuesOf(made.sets, "a")).toEqual([1, 2, 3]);
    expect(await made.sets.get("a")).toMatchObject({
      descriptor: window,
      labels: { x: 1, y: 1, "": 1 },
      usages: { test: 1, "": 2 },
      ttlS: 5,
      expiresAt: 1_005_000,
    });
    await expectConsistent(made);
  });

  it("refuses what does not fit, with the field", async () => {
    const { sets } = make();
    await sets.append("a", [{ bytes: item(1) }], window);
    const refused = (bytes: Uint8Array, descriptor: object) =>
      expect(sets.append("a", [{ bytes }], descriptor)).rejects;
    await refused(item(1), { ...window, elementType: 2 }).toMatchObject({ field: "input.shape" });
    await refused(item(1), { ...window, unit: "Cel" }).toMatchObject({
      code: "descriptor-mismatch",
      field: "input.unit",
    });
    await refused(item(1), { ...window, shape: [8] }).toMatchObject({ field: "input.shape" });
    await refused(item(1).subarray(1), window).toMatchObject({ field: "input.shape" });
    await refused(item(1), {}).toMatchObject({ field: "input.element" });
    await refused(new Uint8Array(0), { ...window, shape: [0, 2] }).toMatchObject({ field: "input.shape" });
    await refused(item(1), { ...window, shape: [2 ** 52, 2 ** 52] }).toMatchObject({ field: "input.shape" });
    expect((await sets.get("a")).items).toBe(1);
  });

  it("keeps the quotas of a data set and of all, also for many at once", async () => {
    const made = make({ dataSetBytes: 64, dataBytes: 96 });
    const results = await Promise.allSettled(
      ["a", "a", "a", "b", "b", "c"].map((name) => made.sets.append(name, [{ bytes: item(1) }], window)),
    );
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(3);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "no-space" });
    }
    await expectConsistent(made);
    await made.sets.remove("a");
    await made.sets.append("d", [{ bytes: item(1) }], window);
  });

  it("stores a repeated request once, also over a restart", async () => {
    const made = make();
    const first = await made.sets.append("a", [{ bytes: item(1) }], window, { request: "n/1/7" });
    const restarted = make({}, made.storage);
    const again = await restarted.sets.append("a", [{ bytes: item(1) }], window, { request: "n/1/7" });
    expect(again).toEqual(first);
    restarted.clock.now += 2 * 3_600_000;
    await restarted.sets.sweep();
    expect(made.storage.data.get("data-requests")?.size).toBe(0);
  });

  it("forgets old requests also behind more than a page of young ones", async () => {
    const made = make();
    await made.sets.append("a", [{ bytes: item(1) }], window, { request: "z/1/1" });
    made.clock.now += 2 * 3_600_000;
    for (let i = 0; i < 1200; i++) {
      await made.sets.append("a", [{ bytes: item(1) }], window, { request: `b/1/${i}` });
    }
    await made.sets.sweep();
    expect([...(made.storage.data.get("data-requests")?.keys() ?? [])].some((key) => key === "z/1/1")).toBe(
      false,
    );
    expect(made.storage.data.get("data-requests")?.size).toBe(1200);
  });
});

describe("removing", () => {
  it("removes bytes that no item needs any more, and no others", async () => {
    const made = make();
    const { sets, storage } = made;
    await sets.append("a", [{ bytes: large(1) }, { bytes: large(2) }], largeWindow);
    await sets.append("b", [{ bytes: large(1) }], largeWindow);
    expect(storage.content.size).toBe(2);
    await sets.removeItems("a", {}, () => true);
    expect(storage.content.size).toBe(1);
    expect(await valuesOf(sets, "b")).toEqual([1]);
    await sets.remove("b");
    await sets.idle();
    expect(storage.content.size).toBe(0);
    await expectConsistent(made);
    await expect(sets.remove("b")).rejects.toMatchObject({ code: "not-found" });
  });

  it("removes what is older than its time to live, and only that", async () => {
    const made = make();
    const { sets, clock } = made;
    await sets.append("a", [{ bytes: item(1) }], window, { ttlS: 10 });
    await sets.append("a", [{ bytes: item(2) }], window, { ttlS: 30 });
    await sets.append("b", [{ bytes: item(3) }], window);
    clock.now += 20_000;
    expect(await sets.sweep()).toEqual({ items: 1, bytes: 32 });
    expect(await valuesOf(sets, "a")).toEqual([2]);
    expect((await sets.get("a")).expiresAt).toBe(1_030_000);
    clock.now += 20_000;
    expect(await sets.sweep()).toEqual({ items: 1, bytes: 32 });
    expect(await sets.sweep()).toEqual({ items: 0, bytes: 0 });
    expect(await valuesOf(sets, "b")).toEqual([3]);
    await expectConsistent(made);
  });
});

describe("replacing", () => {
  const source = async function* (values: readonly number[], fails = false) {
    for (const value of values) {
      await Promise.resolve();
      yield { bytes: large(value), descriptor: largeWindow };
    }
    if (fails) throw new Error("trap");
  };

  it("shows the new items when all are there", async () => {
    const made = make();
    await made.sets.append("a", [{ bytes: item(1) }], window);
    await made.sets.replace("a", source([5, 6]));
    await made.sets.idle();
    expect(await valuesOf(made.sets, "a")).toEqual([5, 6]);
    await expectConsistent(made);
    expect(made.storage.data.get("data-items")?.size).toBe(2);
  });

  it("leaves the old ones and nothing else when the source fails", async () => {
    const made = make();
    await made.sets.append("a", [{ bytes: item(1) }], window);
    await expect(made.sets.replace("a", source([5, 6], true))).rejects.toThrow("trap");
    expect(await valuesOf(made.sets, "a")).toEqual([1]);
    expect(made.storage.content.size).toBe(0);
    expect(made.storage.data.get("data-garbage")?.size).toBe(0);
  });
});

describe("a kill", () => {
  it("at any write leaves whole items, right counters, and nothing behind after the sweeps", async () => {
    const work = async (sets: DataSets) => {
      await sets.append("a", [{ bytes: item(1) }, { bytes: large(2) }], { elementType: 6, shape: [-1, 2] });
      await sets.append("a", [{ bytes: large(3) }], { elementType: 6, shape: [-1, 2] });
      await sets.removeItems("a", {}, ({ bytes }) => bytes > 100);
      await sets.append("b", [{ bytes: large(4) }], largeWindow);
      await sets.replace(
        "b",
        (async function* () {
          await Promise.resolve();
          yield { bytes: large(5), descriptor: largeWindow };
        })(),
      );
      await sets.idle();
      await sets.remove("b");
      await sets.idle();
    };
    for (let kill = 0; ; kill++) {
      const before = make();
      before.storage.writesLeft = kill;
      const outcome = await work(before.sets).then(
        () => "done",
        () => "killed",
      );
      before.storage.writesLeft = Infinity;
      const after = make({}, before.storage);
      after.clock.now += 2 * 3_600_000;
      await expectConsistent(after);
      await after.sets.sweep();
      await after.uses.collectOrphans(0, 1000);
      await after.uses.collectOrphans(2000, 1000);
      await expectConsistent(after);
      const left = (await after.sets.list()).flatMap(({ name }) => name);
      for (const name of left) await after.sets.remove(name);
      await after.sets.idle();
      expect(before.storage.content.size, `blobs after a kill at write ${kill}`).toBe(0);
      expect(before.storage.data.get("data-items")?.size ?? 0).toBe(0);
      expect(before.storage.data.get("data-bytes")?.size ?? 0).toBe(0);
      expect(before.storage.data.get("blob-uses")?.size ?? 0).toBe(0);
      if (outcome === "done" && kill > 15) break;
    }
  });
});
