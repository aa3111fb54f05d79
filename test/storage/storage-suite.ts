/** What every storage must do, as tests: each implementation runs them against the real thing. */
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BlobStore, RecordStore, Storage } from "../../host/node/storage/storage.js";

export interface StorageUnderTest {
  readonly storage: Storage;
  /** Closes it and opens it again with the same content. */
  reopen(): Promise<Storage>;
  /** Closes it and removes everything. */
  remove(): Promise<void>;
  /** Damages the bytes of a blob behind the storage's back. */
  damage?(digest: string): Promise<void>;
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export async function collect(source: AsyncIterable<Uint8Array> | undefined): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source ?? []) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}

/** Tests of the whole; `open` makes a fresh, empty storage. */
export function describeStorage(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(name, () => {
    let under: StorageUnderTest;
    let storage: Storage;
    beforeAll(async () => {
      under = await open();
      storage = under.storage;
    });
    afterAll(async () => {
      await under.remove();
    });
    const reopen = async (): Promise<void> => {
      storage = await under.reopen();
    };
    describeRecords(() => storage.records, reopen);
    describeBlobs(
      () => storage.blobs,
      reopen,
      (digest) => under.damage?.(digest),
    );
    it("tells people where it is, without secrets", () => {
      expect(storage.description).toMatch(/\w/);
      expect(storage.description).not.toContain("secret");
    });
  });
}

/** `records` gives the present one: it changes when the storage is opened again. */
export function describeRecords(records: () => RecordStore, reopen: () => Promise<void>): void {
  const put = (collection: string, key: string, text: string): Promise<boolean> =>
    records().write([{ collection, key, value: bytesOf(text) }]);
  const text = async (collection: string, key: string): Promise<string | undefined> => {
    const value = await records().get(collection, key);
    return value && Buffer.from(value).toString();
  };

  it("keeps, replaces and removes records", async () => {
    expect(await records().get("plain", "a")).toBeUndefined();
    expect(await put("plain", "a", "1")).toBe(true);
    expect(await text("plain", "a")).toBe("1");
    expect(await put("plain", "a", "2")).toBe(true);
    expect(await text("plain", "a")).toBe("2");
    expect(await records().write([{ collection: "plain", key: "a", value: undefined }])).toBe(true);
    expect(await records().get("plain", "a")).toBeUndefined();
    expect(await records().write([{ collection: "plain", key: "a", value: undefined }])).toBe(true);
    expect(await records().write([])).toBe(true);
  });

  it("keeps bytes as they are, and none", async () => {
    const value = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await records().write([
      { collection: "bytes", key: "all", value },
      { collection: "bytes", key: "none", value: new Uint8Array(0) },
    ]);
    expect(Buffer.from((await records().get("bytes", "all"))!).equals(value)).toBe(true);
    expect(await records().get("bytes", "none")).toHaveLength(0);
    // A condition on an empty value is not one on absence.
    expect(await records().write([{ collection: "bytes", key: "none", value, expect: null }])).toBe(false);
    expect(await records().write([{ collection: "bytes", key: "x", value, expect: bytesOf("") }])).toBe(
      false,
    );
    expect(await records().write([{ collection: "bytes", key: "none", value, expect: bytesOf("") }])).toBe(
      true,
    );
  });

  it("does not mix collections", async () => {
    await put("one", "k", "1");
    await put("one-two", "k", "12");
    expect(await text("one", "k")).toBe("1");
    expect((await records().list("one")).map((e) => e.key)).toEqual(["k"]);
    expect(await records().list("on")).toEqual([]);
  });

  it("lists in byte order, by prefix, in pages, both ways", async () => {
    const keys = ["a", "a b", "a/1", "a/10", "a/2", "a~", "B", "b", "~", " ", "0".repeat(512)];
    await records().write(keys.map((key) => ({ collection: "list", key, value: bytesOf(`v${key}`) })));
    const sorted = [...keys].sort((x, y) => (x < y ? -1 : 1));
    const listed = await records().list("list");
    expect(listed.map((e) => e.key)).toEqual(sorted);
    expect(listed.map((e) => Buffer.from(e.value).toString())).toEqual(sorted.map((key) => `v${key}`));
    const names = async (options: object): Promise<string[]> =>
      (await records().list("list", options)).map((e) => e.key);
    expect(await names({ reverse: true })).toEqual([...sorted].reverse());
    expect(await names({ prefix: "a/" })).toEqual(["a/1", "a/10", "a/2"]);
    expect(await names({ prefix: "a/", reverse: true })).toEqual(["a/2", "a/10", "a/1"]);
    expect(await names({ prefix: "~" })).toEqual(["~"]);
    expect(await names({ prefix: "c" })).toEqual([]);
    expect(await names({ prefix: "a/", after: "a/1", limit: 1 })).toEqual(["a/10"]);
    expect(await names({ prefix: "a/", after: "a/15" })).toEqual(["a/2"]);
    expect(await names({ prefix: "a/", after: "a/2", reverse: true, limit: 1 })).toEqual(["a/10"]);
    expect(await names({ prefix: "a/", after: "A" })).toEqual(["a/1", "a/10", "a/2"]);
    expect(await names({ prefix: "a/", after: "z" })).toEqual([]);
    expect(await names({ prefix: "a/", after: "A", reverse: true })).toEqual([]);
    expect(await names({ prefix: "a/", after: "z", reverse: true })).toEqual(["a/2", "a/10", "a/1"]);
    expect(await names({ limit: 0 })).toEqual([]);
    for (const reverse of [false, true]) {
      const paged: string[] = [];
      for (;;) {
        const after = paged.at(-1);
        const page = await names({ limit: 3, reverse, ...(after === undefined ? {} : { after }) });
        if (page.length === 0) break;
        paged.push(...page);
      }
      expect(paged).toEqual(reverse ? [...sorted].reverse() : sorted);
    }
  });

  it("has pages of 1000 unless asked", async () => {
    const key = (i: number): string => `k${String(i).padStart(5, "0")}`;
    const changes = Array.from({ length: 1500 }, (_, i) => ({
      collection: "many",
      key: key(i),
      value: bytesOf(`${i}`),
    }));
    await records().write(changes);
    const first = await records().list("many");
    expect(first).toHaveLength(1000);
    const second = await records().list("many", { after: first.at(-1)!.key });
    expect(second.map((e) => e.key)).toEqual(changes.slice(1000).map((c) => c.key));
  });

  it("writes a batch as a whole or not at all", async () => {
    await put("batch", "a", "old");
    const value = bytesOf("new");
    const batch = (expect: Uint8Array | null): Promise<boolean> =>
      records().write([
        { collection: "batch", key: "b", value, expect: null },
        { collection: "batch", key: "a", value, expect },
        { collection: "other-batch", key: "c", value },
      ]);
    expect(await batch(null)).toBe(false);
    expect(await batch(bytesOf("other"))).toBe(false);
    expect(await text("batch", "b")).toBeUndefined();
    expect(await text("other-batch", "c")).toBeUndefined();
    expect(await batch(bytesOf("old"))).toBe(true);
    expect(await text("batch", "a")).toBe("new");
    expect(await text("other-batch", "c")).toBe("new");
  });

  it("judges conditions by what was there before the batch", async () => {
    const value = bytesOf("v");
    const same = { collection: "before", key: "k" };
    expect(
      await records().write([
        { ...same, value: bytesOf("first") },
        { ...same, value, expect: null },
      ]),
    ).toBe(true);
    expect(await text("before", "k")).toBe("v");
    expect(await records().write([{ ...same, value: undefined, expect: value }])).toBe(true);
    expect(await text("before", "k")).toBeUndefined();
  });

  it("lets one of many win a condition", async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        records().write([{ collection: "race", key: "k", value: bytesOf(`${i}`), expect: null }]),
      ),
    );
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(await text("race", "k")).toBe(String(results.indexOf(true)));
  });

  it("counts without losing one, by conditions", async () => {
    const increment = async (): Promise<void> => {
      for (;;) {
        const before = await records().get("count", "k");
        const next = bytesOf(String(Number(Buffer.from(before ?? []).toString()) + 1));
        if (await records().write([{ collection: "count", key: "k", value: next, expect: before ?? null }]))
          return;
      }
    };
    await Promise.all(Array.from({ length: 10 }, increment));
    expect(await text("count", "k")).toBe("10");
  });

  it("refuses names and sizes that are none", async () => {
    for (const [collection, key] of [
      ["A", "k"],
      ["", "k"],
      ["a/b", "k"],
      ["a\0b", "k"],
      ["x".repeat(65), "k"],
      ["a", ""],
      ["a", "x".repeat(513)],
      ["a", "ä"],
      ["a", "\n"],
      ["a", "\0"],
    ] as const) {
      await expect(put(collection, key, "v"), `${collection} ${key}`).rejects.toThrow(RangeError);
      await expect(records().get(collection, key)).rejects.toThrow(RangeError);
    }
    await expect(records().list("A")).rejects.toThrow(RangeError);
    await expect(records().list("a", { limit: -1 })).rejects.toThrow(RangeError);
    await expect(records().list("a", { limit: 1e9 })).rejects.toThrow(RangeError);
    const value = new Uint8Array(4 * 1024 * 1024 + 1);
    await expect(records().write([{ collection: "a", key: "k", value }])).rejects.toMatchObject({
      code: "too-large",
    });
    expect(await records().get("a", "k")).toBeUndefined();
  });

  it("keeps records over a restart", async () => {
    const value = randomBytes(300_000);
    await records().write([
      { collection: "restart", key: "big", value },
      { collection: "restart", key: "k", value: bytesOf("v") },
    ]);
    await reopen();
    expect(await text("restart", "k")).toBe("v");
    expect(Buffer.from((await records().get("restart", "big"))!).equals(value)).toBe(true);
  });
}

export function describeBlobs(
  blobs: () => BlobStore,
  reopen: () => Promise<void>,
  damage: (digest: string) => Promise<void> | undefined,
): void {
  const absent = "0".repeat(64);

  it("keeps blobs by digest, from bytes and from a stream", async () => {
    for (const bytes of [new Uint8Array(0), bytesOf("hello"), randomBytes(700_001)]) {
      const digest = digestOf(bytes);
      expect(await blobs().put(bytes)).toEqual({ digest, bytes: bytes.length });
      expect(Buffer.from((await blobs().get(digest))!).equals(bytes)).toBe(true);
      expect(await blobs().stat(digest)).toEqual({ digest, bytes: bytes.length });
      expect(await blobs().delete(digest)).toBe(true);
      expect(await blobs().get(digest)).toBeUndefined();
      expect(await blobs().put(inPieces(bytes, 100_000), { digest })).toEqual({
        digest,
        bytes: bytes.length,
      });
      expect(Buffer.from((await blobs().get(digest))!).equals(bytes)).toBe(true);
    }
  });

  it("takes the same bytes twice, also at once", async () => {
    const bytes = randomBytes(10_000);
    const infos = await Promise.all([1, 2, 3, 4].map(() => blobs().put(bytes)));
    expect(new Set(infos.map((info) => info.digest)).size).toBe(1);
    expect(await blobs().delete(digestOf(bytes))).toBe(true);
    expect(await blobs().delete(digestOf(bytes))).toBe(false);
    expect(await blobs().stat(digestOf(bytes))).toBeUndefined();
  });

  it("reads ranges", async () => {
    const bytes = randomBytes(600_000);
    const { digest } = await blobs().put(bytes);
    for (const [start, end] of [
      [undefined, undefined],
      [0, 1],
      [599_999, undefined],
      [100_000, 400_003],
      [10, 10],
      [500, 400],
      [600_000, 700_000],
      [599_000, 700_000],
    ] as const) {
      const found = await collect(await blobs().read(digest, start, end));
      expect(Buffer.from(found).equals(bytes.subarray(start ?? 0, end)), `${start}-${end}`).toBe(true);
    }
    expect(await blobs().read(absent)).toBeUndefined();
  });

  it("lets a reader stop early", async () => {
    const bytes = randomBytes(900_000);
    const { digest } = await blobs().put(bytes);
    for await (const piece of (await blobs().read(digest))!) {
      expect(Buffer.from(piece).equals(bytes.subarray(0, piece.length))).toBe(true);
      break;
    }
    expect(await blobs().delete(digest)).toBe(true);
  });

  it("knows nothing of what is not there, and of names that are none", async () => {
    for (const digest of [absent, "", "../../etc/passwd", "A".repeat(64), `${absent}\0`, "abc"]) {
      expect(await blobs().get(digest)).toBeUndefined();
      expect(await blobs().read(digest)).toBeUndefined();
      expect(await blobs().stat(digest)).toBeUndefined();
      expect(await blobs().delete(digest)).toBe(false);
    }
  });

  it("keeps nothing of a wrong digest, too many bytes, or a source that breaks", async () => {
    const before = await blobs().list();
    const bytes = randomBytes(300_000);
    await expect(blobs().put(bytes, { digest: absent })).rejects.toMatchObject({ code: "corrupt" });
    await expect(blobs().put(bytes, { digest: "../x" })).rejects.toMatchObject({ code: "corrupt" });
    await expect(blobs().put(bytes, { limit: 299_999 })).rejects.toMatchObject({ code: "too-large" });
    await expect(blobs().put(inPieces(bytes, 1000), { limit: 299_999 })).rejects.toMatchObject({
      code: "too-large",
    });
    await expect(blobs().put(inPieces(bytes, 1000), { digest: absent })).rejects.toMatchObject({
      code: "corrupt",
    });
    const broken = async function* (): AsyncIterable<Uint8Array> {
      yield* inPieces(bytes, 100_000);
      throw new Error("cable pulled");
    };
    await expect(blobs().put(broken())).rejects.toThrow("cable pulled");
    expect(await blobs().list()).toEqual(before);
    expect(await blobs().stat(digestOf(bytes))).toBeUndefined();
    expect(await blobs().put(bytes, { limit: 300_000 })).toMatchObject({ bytes: 300_000 });
  });

  it("lists in order of digests, in pages", async () => {
    for (const info of await blobs().list()) await blobs().delete(info.digest);
    const all = await Promise.all(Array.from({ length: 25 }, (_, i) => blobs().put(bytesOf(`blob ${i}`))));
    all.sort((a, b) => (a.digest < b.digest ? -1 : 1));
    expect(await blobs().list()).toEqual(all);
    const paged = [];
    for (;;) {
      const page = await blobs().list(paged.at(-1)?.digest, 4);
      if (page.length === 0) break;
      expect(page.length).toBeLessThanOrEqual(4);
      paged.push(...page);
    }
    expect(paged).toEqual(all);
    expect(await blobs().list("f".repeat(64))).toEqual([]);
  });

  it("keeps blobs over a restart", async () => {
    const bytes = randomBytes(50_000);
    const { digest } = await blobs().put(bytes);
    await reopen();
    expect(Buffer.from((await blobs().get(digest))!).equals(bytes)).toBe(true);
  });

  it("notices damaged bytes, and mends them when they come again", async ({ skip }) => {
    const bytes = randomBytes(5000);
    const { digest } = await blobs().put(bytes);
    const work = damage(digest);
    if (work === undefined) skip("the bytes of this storage cannot be damaged from here");
    await work;
    await expect(blobs().get(digest)).rejects.toMatchObject({ code: "corrupt" });
    await blobs().put(bytes);
    expect(Buffer.from((await blobs().get(digest))!).equals(bytes)).toBe(true);
  });
}
