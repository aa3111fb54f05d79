import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { freeBytes, FreeSpace } from "./free-space.js";
import { LmdbRecords } from "./lmdb-records.js";
import { openLocalStorage } from "./local-storage.js";
import { bytesOf, describeStorage, digestOf } from "../../../test/storage/storage-suite.js";

const folders: string[] = [];
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "tmc-storage-"));
  folders.push(path);
  return path;
}

const blobPath = (path: string, digest: string): string =>
  join(path, "blobs", digest.slice(0, 2), digest.slice(2, 4), digest);

describeStorage("LMDB and files", async () => {
  const path = mkdtempSync(join(tmpdir(), "tmc-storage-"));
  let storage = await openLocalStorage(path);
  return {
    storage,
    async reopen() {
      await storage.close();
      storage = await openLocalStorage(path);
      return storage;
    },
    async remove() {
      await storage.close();
      rmSync(path, { recursive: true, force: true });
    },
    damage(digest) {
      const bytes = readFileSync(blobPath(path, digest));
      bytes[100] = bytes[100]! ^ 1;
      writeFileSync(blobPath(path, digest), bytes);
      return Promise.resolve();
    },
  };
});

describe("a local storage", () => {
  afterEach(() => {
    for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
  });

  it("is opened by one at a time", async () => {
    const path = folder();
    const first = await openLocalStorage(path);
    await expect(openLocalStorage(path, { patienceMs: 0 })).rejects.toMatchObject({ code: "TMC6201" });
    await first.records.write([{ collection: "a", key: "k", value: bytesOf("v") }]);
    await first.close();
    const second = await openLocalStorage(path);
    expect(await second.records.get("a", "k")).toHaveLength(1);
    await second.close();
    expect(readdirSync(path).filter((name) => name.startsWith("lock"))).toEqual([]);
  });

  it("takes over from a process that died, from a recycled process id, and from an empty lock", async () => {
    const path = folder();
    const place = `${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()}`;
    for (const lock of [
      "",
      "{}",
      JSON.stringify({ token: "t", pid: 1, started: "1", place: "another machine" }).replace("}", " }"),
      JSON.stringify({ token: "t", pid: 999_999_999, started: "1", place }),
    ]) {
      writeFileSync(join(path, "lock"), lock);
      utimesSync(join(path, "lock"), 0, 0);
      const storage = await openLocalStorage(path);
      await storage.close();
    }
  });

  it("waits for nobody: one of many that open at once wins", async () => {
    const path = folder();
    const all = await Promise.allSettled(
      Array.from({ length: 5 }, () => openLocalStorage(path, { patienceMs: 0 })),
    );
    const won = all.filter((result) => result.status === "fulfilled");
    expect(won).toHaveLength(1);
    await won[0]!.value.close();
  });

  it("says what is wrong with the folder", async () => {
    const path = folder();
    writeFileSync(join(path, "file"), "");
    await expect(openLocalStorage(join(path, "file", "data"))).rejects.toMatchObject({ code: "TMC6202" });
    mkdirSync(join(path, "newer"));
    writeFileSync(join(path, "newer", "format"), "tmc storage 2\n");
    await expect(openLocalStorage(join(path, "newer"))).rejects.toMatchObject({ code: "TMC6203" });
  });

  it("removes what an interrupted write left", async () => {
    const path = folder();
    await (await openLocalStorage(path)).close();
    writeFileSync(join(path, "blobs", "incoming", "half"), "ha");
    const storage = await openLocalStorage(path);
    expect(readdirSync(join(path, "blobs", "incoming"))).toEqual([]);
    expect(await storage.blobs.list()).toEqual([]);
    await storage.close();
  });

  it("refuses to fill the disk, and still deletes", async () => {
    const path = folder();
    let free = 1_000_000;
    const storage = await openLocalStorage(path, {
      reserveBytes: 500_000,
      freeBytes: () => Promise.resolve(free),
    });
    const { digest } = await storage.blobs.put(new Uint8Array(100_000));
    await storage.records.write([{ collection: "a", key: "k", value: new Uint8Array(10) }]);
    free = 500_100;
    const value = new Uint8Array(400_000);
    await expect(storage.blobs.put(value)).rejects.toMatchObject({ code: "no-space" });
    await expect(storage.records.write([{ collection: "a", key: "l", value }])).rejects.toMatchObject({
      code: "no-space",
    });
    expect(await storage.blobs.stat(digestOf(value))).toBeUndefined();
    expect(readdirSync(join(path, "blobs", "incoming"))).toEqual([]);
    expect(await storage.records.write([{ collection: "a", key: "k", value: undefined }])).toBe(true);
    expect(await storage.blobs.delete(digest)).toBe(true);
    await storage.close();
  });

  it("grows the map of the records when it must", async () => {
    const path = folder();
    const records = new LmdbRecords(join(path, "r.mdb"), new FreeSpace(path, 0, freeBytes), 1024 * 1024);
    const put = (key: string, bytes: number): Promise<boolean> =>
      records.write([{ collection: "a", key, value: new Uint8Array(bytes) }]);
    await Promise.all(Array.from({ length: 20 }, (_, i) => put(`k${i}`, 300_000)));
    expect((await records.list("a")).map((entry) => entry.value.length)).toEqual(Array(20).fill(300_000));
    await records.close();
    await expect(put("k", 1)).rejects.toMatchObject({ code: "unavailable" });
  });
});
