/** The registry of models: versions, stages, quotas, and a kill at every write; also on the real storage. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeTflite } from "../../../compiler/model/tflite/write.js";
import { bytesOfFloats } from "../data/data-descriptor.js";
import { DataSets } from "../data/data-sets.js";
import { MemoryStorage, matchForTests } from "../operations/testing.js";
import { BlobUses } from "../storage/blob-uses.js";
import { openStorage } from "../storage/open-storage.js";
import type { Storage } from "../storage/storage.js";
import { Models } from "./models.js";
import { buildNetwork } from "./training/network.js";

function network(seed: number): Uint8Array {
  const shape = {
    name: "m",
    shape: [4],
    architecture: "mlp",
    units: [3],
    outputs: 2,
    classifies: true,
  } as const;
  return writeTflite(buildNetwork({ ...shape, seed }));
}

const [first, second] = [network(1), network(2)];

function make(storage: Storage = new MemoryStorage(), modelBytes = 1e6) {
  const uses = new BlobUses(storage);
  return { storage, uses, models: new Models({ storage, uses, modelBytes }) };
}

describe("the registry of models", () => {
  it("gives the version that is meant", async () => {
    const { models } = make();
    expect(await models.find("m")).toBeUndefined();
    expect(await models.freeVersion("m")).toBe("1");
    await models.store("m", "1", first);
    await models.store("m", "2", second);
    await models.store("m", "2-int8", second);
    expect((await models.find("m"))?.version).toBe("2-int8");
    expect((await models.find("m@1"))?.version).toBe("1");
    await models.measured("m@1", "d:test", { accuracy: 1 }, true);
    await models.promote("m@1", "production");
    expect((await models.find("m"))?.version).toBe("1");
    await models.promote("m@1", "retired");
    expect((await models.find("m"))?.version).toBe("2-int8");
    // The number of a training, not of what was made of it; and never one that was given before.
    expect(await models.freeVersion("m")).toBe("3");
    await models.store("m", "3", first);
    await models.delete("m@3");
    expect(await models.freeVersion("m")).toBe("4");
    await models.store("m", "7-int8", first);
    await models.store("m", "v9", first);
    await models.store("m", "20261123093000", first);
    expect(await models.freeVersion("m")).toBe("8");
    for (const version of ["7-int8", "v9", "20261123093000"]) await models.delete(`m@${version}`);
    expect(await models.freeVersion("m", "2-int8")).toBe("2-int8.2");
    expect((await models.list({ stage: "retired" })).map(({ version }) => version)).toEqual(["1"]);
    await expect(models.get("m@9")).rejects.toMatchObject({ code: "not-found" });
  });

  it("keeps bytes as long as a version needs them, and its quota", async () => {
    const storage = new MemoryStorage();
    const { models } = make(storage, first.length + second.length);
    await models.store("a", "1", first);
    await models.store("b", "1", first);
    await expect(models.store("c", "1", second)).rejects.toMatchObject({ code: "no-space" });
    expect(storage.content.size).toBe(1);
    await models.delete("a@1");
    expect(Buffer.from(await models.bytesOf(await models.get("b"))).equals(first)).toBe(true);
    await models.delete("b@1");
    expect(storage.content.size).toBe(0);
    expect(await models.totalBytes()).toBe(0);
  });

  it("decides by the last validation", async () => {
    const { models } = make();
    await models.store("m", "1", first);
    await models.measured("m", "d:test", { accuracy: 1 }, true);
    await models.measured("m", "d:test", { accuracy: 0.5 }, false);
    await expect(models.promote("m", "production")).rejects.toMatchObject({
      text: "its last validation failed",
    });
  });

  it("is whole after a kill at any write", async () => {
    const work = async (models: Models) => {
      await models.store("m", "1", first);
      await models.store("m", "2", second);
      for (const version of ["m@1", "m@2"]) await models.measured(version, "d:test", { accuracy: 1 }, true);
      await models.promote("m@1", "production");
      await models.promote("m@2", "production");
      await models.delete("m@1");
    };
    for (let kill = 0; ; kill++) {
      const storage = new MemoryStorage();
      storage.writesLeft = kill;
      const outcome = await work(make(storage).models).then(
        () => "done",
        () => "killed",
      );
      storage.writesLeft = Infinity;
      const { models, uses } = make(storage);
      const all = await models.list();
      for (const record of all) expect((await models.bytesOf(record)).length).toBe(record.bytes);
      expect(all.filter(({ stage }) => stage === "production").length).toBeLessThanOrEqual(1);
      expect(await models.totalBytes()).toBe(all.reduce((sum, { bytes }) => sum + bytes, 0));
      await uses.collectOrphans(0, 1);
      await uses.collectOrphans(10, 1);
      expect(storage.content.size).toBe(all.length);
      if (outcome === "done") break;
      expect(kill).toBeLessThan(20);
    }
  });
});

describe("on the real storage", () => {
  it("data sets and models are there after the storage was closed and opened again", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tmc-models-"));
    const window = { elementType: 6, shape: [2000] };
    const item = bytesOfFloats(new Float32Array(2000).fill(1.5));
    const quotas = { dataBytes: 1e6, dataSetBytes: 1e6 };
    try {
      for (const round of [1, 2]) {
        const storage = await openStorage({ kind: "local", path: join(folder, "data") }, folder);
        const { models, uses } = make(storage);
        const sets = new DataSets({ storage, uses, quotas, match: matchForTests });
        if (round === 1) {
          await models.store("m", "1", first);
          const small = { bytes: bytesOfFloats([1]), label: "äé" };
          await Promise.all([
            sets.append("large", [{ bytes: item }, { bytes: item }], window),
            sets.append("small", [small], { elementType: 6, shape: [1] }),
          ]);
        } else {
          expect((await models.get("m")).bytes).toBe(first.length);
          expect(await sets.get("large")).toMatchObject({ items: 2, bytes: 16_000 });
          expect((await sets.get("small")).labels).toEqual({ äé: 1 });
          for await (const stored of sets.items(await sets.get("large"))) {
            expect(Buffer.from(await sets.bytesOf(stored)).equals(item)).toBe(true);
          }
          await sets.remove("large");
          await sets.idle();
          await models.delete("m@1");
          expect(await storage.blobs.list()).toEqual([]);
        }
        await storage.close();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
