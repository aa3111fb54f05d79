/** The broker's file: what is settled is there after any end; damage costs what it hit and nothing else. */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../../test/support/test-broker.js";
import { Journal } from "./journal.js";

let folder = "";
let file = "";
const open: Journal[] = [];
const { log } = silentLog();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-journal-"));
  file = join(folder, "bus", "journal");
});
afterEach(async () => {
  for (const journal of open.splice(0)) await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

/** As the broker does it: the living state is a map, and every change is told. */
class Kept {
  readonly state: Map<string, unknown>;
  private constructor(
    readonly journal: Journal,
    entries: Map<string, unknown>,
  ) {
    this.state = new Map(entries);
    journal.entriesNow = () => this.state;
    open.push(journal);
  }
  static open(where = join(folder, "bus"), rewriteBytes?: number): Kept {
    const { journal, entries } = Journal.open(where, {
      log,
      ...(rewriteBytes === undefined ? {} : { rewriteBytes }),
    });
    return new Kept(journal, entries);
  }
  set(key: string, value: unknown): void {
    if (value === undefined) this.state.delete(key);
    else this.state.set(key, value);
    this.journal.set(key, value);
  }
}

/** What a process that starts now would find. */
function found(): Map<string, unknown> {
  const copy = mkdtempSync(join(folder, "copy-"));
  copyFileSync(file, join(copy, "journal"));
  const { state } = Kept.open(copy);
  return state;
}

describe("the broker's journal", () => {
  it("begins empty, and has what was settled, the last value of each key", async () => {
    const kept = Kept.open();
    expect([...kept.state]).toEqual([]);
    kept.set("a", 1);
    kept.set("b", [new Uint8Array([1, 2]), "x", true]);
    kept.set("a", 2);
    kept.set("c", 3);
    await kept.journal.settled();
    kept.set("c", undefined);
    await kept.journal.settled();
    expect(found()).toEqual(
      new Map<string, unknown>([
        ["a", 2],
        ["b", [new Uint8Array([1, 2]), "x", true]],
      ]),
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("writes what is left when it is closed, and nothing afterwards", async () => {
    const kept = Kept.open();
    kept.set("a", 1);
    await kept.journal.close();
    kept.journal.set("b", 1);
    await kept.journal.settled();
    expect([...found().keys()]).toEqual(["a"]);
  });

  it("is the state of some moment behind the last settled change, wherever a write was cut off", async () => {
    const kept = Kept.open();
    const settledAt: number[] = [];
    for (let i = 1; i <= 6; i++) {
      kept.set("count", i);
      kept.set(`value ${i}`, "x".repeat(i));
      kept.set(`value ${i - 3}`, undefined);
      await kept.journal.settled();
      settledAt.push(statSync(file).size);
    }
    await kept.journal.close();
    const whole = readFileSync(file);
    for (let length = 10; length <= whole.length; length += length % 3 === 0 ? 1 : 4) {
      writeFileSync(file, whole.subarray(0, length));
      const { state, journal } = Kept.open();
      const count = settledAt.filter((size) => size <= length).length;
      expect(state.get("count") ?? 0, `${length} bytes`).toBe(count);
      expect(state.size).toBe(count === 0 ? 0 : 1 + Math.min(3, count));
      await journal.close();
    }
  });

  it("goes on behind an end that was cut off, and behind zeros that a power cut left", async () => {
    for (const end of [Buffer.from("TmcR\u0040\u0000"), Buffer.alloc(5000)]) {
      const before = Kept.open();
      before.set("a", end.length);
      await before.journal.close();
      appendFileSync(file, end);
      const kept = Kept.open();
      expect(kept.state.get("a")).toBe(end.length);
      kept.set("b", 2);
      await kept.journal.close();
      expect(found()).toEqual(
        new Map([
          ["a", end.length],
          ["b", 2],
        ]),
      );
      expect(existsSync(`${file}.damaged`)).toBe(false);
    }
  });

  it("leaves out what is damaged, keeps the damaged file aside, and is whole afterwards", async () => {
    const kept = Kept.open();
    const starts: number[] = [];
    for (let i = 0; i < 20; i++) {
      starts.push(statSync(file).size);
      kept.set(`k${i}`, "y".repeat(50));
      await kept.journal.settled();
    }
    await kept.journal.close();
    const bytes = readFileSync(file);
    // A body, a checksum, a length that points beyond the end, a mark.
    for (const [record, at, value] of [
      [3, 30, 0xff],
      [7, 9, 0x55],
      [11, 7, 0x7f],
      [15, 0, 0],
    ] as const) {
      bytes[(starts[record] ?? 0) + at] = value;
    }
    writeFileSync(file, bytes);
    const after = Kept.open();
    const expected = Array.from({ length: 20 }, (_, i) => `k${i}`).filter(
      (_, i) => ![3, 7, 11, 15].includes(i),
    );
    expect([...after.state.keys()]).toEqual(expected);
    expect(readFileSync(`${file}.damaged`).equals(bytes)).toBe(true);
    after.set("new", 1);
    await after.journal.close();
    rmSync(`${file}.damaged`);
    expect([...found().keys()]).toEqual([...expected, "new"]);
    expect(existsSync(`${file}.damaged`)).toBe(false);
  });

  it.each([
    ["another file", () => writeFileSync(file, "SQLite format 3\0 and so on")],
    ["of another version", () => writeFileSync(file, "tmc bus 2\nwhatever")],
    ["random bytes", () => writeFileSync(file, Buffer.alloc(100, 0xa5))],
    ["a folder", () => mkdirSync(file)],
  ])("is never replaced by itself: %s", (_, make) => {
    mkdirSync(join(folder, "bus"));
    make();
    expect(() => Kept.open()).toThrow(
      expect.objectContaining({ code: "TMC6110", fix: expect.stringContaining("move it away") as string }),
    );
    expect(existsSync(file)).toBe(true);
  });

  it("does not grow with what is outdated, and is complete while it is written anew", async () => {
    const kept = Kept.open(join(folder, "bus"), 1024);
    kept.set("first", "kept");
    for (let i = 0; i < 60; i++) {
      kept.set(`slot ${i % 5}`, `${i} ${"z".repeat(100)}`);
      await kept.journal.settled();
      expect(statSync(file).size).toBeLessThan(1024 + 2 * 700);
      if (i % 10 === 0) expect(found()).toEqual(kept.state);
    }
    expect(found()).toEqual(kept.state);
  });

  it("says when it cannot write, and writes everything as soon as it can", async () => {
    // The first write makes a new file in the folder.
    const kept = Kept.open(join(folder, "bus"), 1);
    renameSync(join(folder, "bus"), join(folder, "gone"));
    kept.set("a", 2);
    await expect(kept.journal.settled()).rejects.toThrow("ENOENT");
    kept.set("b", 3);
    await expect(kept.journal.settled()).rejects.toThrow("ENOENT");
    renameSync(join(folder, "gone"), join(folder, "bus"));
    kept.set("c", 4);
    await kept.journal.settled();
    expect(found()).toEqual(
      new Map([
        ["a", 2],
        ["b", 3],
        ["c", 4],
      ]),
    );
  });

  it("has every settled change in every copy that a crash could leave", async () => {
    const kept = Kept.open(join(folder, "bus"), 2000);
    const settled = new Map<string, number>();
    const copies: { bytes: Buffer; settled: Map<string, number> }[] = [];
    const writer = async (name: string): Promise<void> => {
      for (let i = 1; i <= 28; i++) {
        kept.set(name, i);
        kept.set(`${name} bulk ${i % 4}`, "b".repeat(i * 5));
        await kept.journal.settled();
        settled.set(name, i);
        if (i % 7 === 0) copies.push({ bytes: readFileSync(file), settled: new Map(settled) });
      }
    };
    await Promise.all(["w1", "w2", "w3", "w4"].map(writer));
    expect(copies.length).toBe(16);
    for (const [at, copy] of copies.entries()) {
      const place = join(folder, `crash-${at}`);
      mkdirSync(place);
      writeFileSync(join(place, "journal"), copy.bytes);
      const { state } = Kept.open(place);
      for (const [name, i] of copy.settled) expect(state.get(name)).toBeGreaterThanOrEqual(i);
    }
  });
});
