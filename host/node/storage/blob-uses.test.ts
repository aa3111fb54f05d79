/** Blobs live as long as somebody needs them: random changes at once, crashes and restarts, against a model. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf } from "../../../test/storage/storage-suite.js";
import { MemoryStorage } from "../operations/testing.js";
import { BlobUses, digestOf } from "./blob-uses.js";
import { openLocalStorage } from "./local-storage.js";
import type { Storage } from "./storage.js";

type Step =
  | { readonly kind: "keep"; readonly owner: number; readonly content: number }
  | { readonly kind: "drop"; readonly owner: number }
  /** The process dies between blob and record, or between record and removal of the blob. */
  | { readonly kind: "half-keep"; readonly content: number }
  | { readonly kind: "half-drop"; readonly owner: number }
  | { readonly kind: "collect" };

const owners = fc.nat({ max: 5 });
const contents = fc.nat({ max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("keep" as const), owner: owners, content: contents }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("drop" as const), owner: owners }) },
  fc.record({ kind: fc.constant("half-keep" as const), content: contents }),
  fc.record({ kind: fc.constant("half-drop" as const), owner: owners }),
  fc.record({ kind: fc.constant("collect" as const) }),
);

const contentOf = (content: number): Uint8Array => bytesOf(`content ${content}`);

class Model {
  /** Owner → content. */
  readonly owned = new Map<number, number>();
  private processes: readonly BlobUses[];

  constructor(
    private storage: Storage,
    /** Turns of the event loop before a step begins. */
    private readonly turns: () => number = () => 0,
    private readonly count = 1,
  ) {
    this.processes = this.start();
  }

  private start(): BlobUses[] {
    const shared = this.count > 1;
    return Array.from({ length: this.count }, () => new BlobUses(this.storage, { shared }));
  }

  restart(storage: Storage): void {
    this.storage = storage;
    this.processes = this.start();
  }

  async run(step: Step): Promise<void> {
    const { records, blobs } = this.storage;
    const uses = this.processes[this.turns() % this.count] as BlobUses;
    switch (step.kind) {
      case "keep": {
        const { owner, content } = step;
        const before = this.owned.get(owner);
        await uses.hold([contentOf(content)], async ([digest = ""]) => {
          const value = bytesOf(String(content));
          const changes = [
            { collection: "owners", key: String(owner), value },
            uses.add(digest, `o/${owner}`),
          ];
          if (before !== undefined && before !== content) {
            changes.push(uses.drop(digestOf(contentOf(before)), `o/${owner}`));
          }
          expect(await records.write(changes)).toBe(true);
        });
        this.owned.set(owner, content);
        if (before !== undefined) await uses.release([digestOf(contentOf(before))]);
        return;
      }
      case "drop":
      case "half-drop": {
        const before = this.owned.get(step.owner);
        if (before === undefined) return;
        const digest = digestOf(contentOf(before));
        const key = String(step.owner);
        const own = { collection: "owners", key, value: undefined };
        await records.write([own, uses.drop(digest, `o/${step.owner}`)]);
        this.owned.delete(step.owner);
        if (step.kind === "drop") await uses.release([digest]);
        return;
      }
      case "half-keep":
        // Nobody holds it: it may vanish at once.
        await blobs.put(contentOf(step.content));
        return;
      case "collect":
        await uses.collectOrphans(0, 0);
    }
  }

  /** Steps of different owners happen at once. */
  async runTogether(steps: readonly Step[]): Promise<void> {
    const seen = new Set<number>();
    const chosen = steps.filter((one) => {
      if (!("owner" in one)) return true;
      if (seen.has(one.owner)) return false;
      seen.add(one.owner);
      return true;
    });
    await Promise.all(
      chosen.map(async (one) => {
        await wait(4 * this.turns());
        await this.run(one);
      }),
    );
  }

  async check(): Promise<void> {
    for (const [owner, content] of this.owned) {
      const found = await this.storage.blobs.get(digestOf(contentOf(content)));
      expect(found && Buffer.from(found), `content of owner ${owner}`).toEqual(
        Buffer.from(contentOf(content)),
      );
    }
    await this.processes[0]?.collectOrphans(0, 0);
    const needed = new Set([...this.owned.values()].map((content) => digestOf(contentOf(content))));
    expect((await this.storage.blobs.list()).map((info) => info.digest)).toEqual([...needed].sort());
  }
}

async function wait(turns: number): Promise<void> {
  for (let i = turns; i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
}

/** The same storage, whose every answer takes as many turns of the event loop as `turns` says next. */
function slow(storage: Storage, turns: () => number): Storage {
  const slowed = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const member: unknown = Reflect.get(object, name);
        if (typeof member !== "function") return member;
        return async (...args: unknown[]) => {
          await wait(turns());
          const result: unknown = await Reflect.apply(member, object, args);
          await wait(turns());
          return result;
        };
      },
    });
  return {
    ...storage,
    records: slowed(storage.records),
    blobs: slowed(storage.blobs),
    close: () => storage.close(),
  };
}

describe("uses of blobs", () => {
  it("neither lose a blob that is needed nor keep one that is not, whatever happens at once", async () => {
    const groups = fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 8 });
    const delays = fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(groups, delays, async (groups, delays) => {
        let asked = 0;
        const turns = (): number => delays[asked++ % delays.length] ?? 0;
        const model = new Model(slow(new MemoryStorage(), turns), turns);
        for (const steps of groups) await model.runTogether(steps);
        await model.check();
      }),
      { numRuns: 300 },
    );
  });

  it("are right when several processes share the storage", async () => {
    const groups = fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 8 });
    const delays = fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(groups, delays, async (groups, delays) => {
        let asked = 0;
        const turns = (): number => delays[asked++ % delays.length] ?? 0;
        const storage = new MemoryStorage();
        const model = new Model(slow(storage, turns), turns, 3);
        for (const steps of groups) await model.runTogether(steps);
        await model.check();
        // Nothing stays of pins and claims.
        const keys = [...(storage.data.get("blob-uses")?.keys() ?? [])];
        expect(keys.filter((key) => key.includes("~pin"))).toEqual([]);
        expect(storage.data.get("blob-claims")?.size ?? 0).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("keep a blob that another process is just about to remove", async () => {
    const storage = new MemoryStorage();
    const digest = digestOf(bytesOf("one"));
    await storage.blobs.put(bytesOf("one"));
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let looked = (): void => undefined;
    const atDelete = new Promise<void>((resolve) => (looked = resolve));
    const late: Storage = {
      ...storage,
      records: storage.records,
      blobs: {
        ...storage.blobs,
        delete: async (each) => {
          looked();
          await gate;
          return storage.blobs.delete(each);
        },
      },
      close: () => storage.close(),
    };
    const removal = new BlobUses(late, { shared: true }).release([digest]);
    await atDelete;
    const uses = new BlobUses(storage, { shared: true });
    const kept = uses.hold([bytesOf("one")], () => storage.records.write([uses.add(digest, "o/1")]));
    await wait(20);
    open();
    await Promise.all([removal, kept]);
    expect(await storage.blobs.stat(digest)).toBeDefined();
  });

  it("are right after a process died with a pin and a claim", async () => {
    const storage = new MemoryStorage();
    const digest = digestOf(bytesOf("one"));
    await storage.blobs.put(bytesOf("one"));
    const left = { value: Buffer.from("1000") };
    await storage.records.write([
      { collection: "blob-uses", key: `${digest}/~pin/dead/0`, ...left },
      { collection: "blob-claims", key: digest, ...left },
    ]);
    const uses = new BlobUses(storage, { shared: true, claimMs: 30 });
    expect(await uses.collectOrphans(1_400, 500)).toBe(0);
    expect(await storage.blobs.stat(digest)).toBeDefined();
    // The claim is taken from the dead one by who puts the blob.
    await uses.hold([bytesOf("one")], () => Promise.resolve());
    expect(storage.data.get("blob-claims")?.size).toBe(0);
    expect(await uses.collectOrphans(1_500, 500)).toBe(0);
    expect(await uses.collectOrphans(2_000, 500)).toBe(1);
    expect(await storage.blobs.stat(digest)).toBeUndefined();
  });

  it("are right after restarts too, on LMDB and files", async () => {
    const runs = fc.array(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 4 }), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(runs, async (runs) => {
        const path = mkdtempSync(join(tmpdir(), "tmc-uses-"));
        try {
          let storage = await openLocalStorage(path);
          const model = new Model(storage);
          for (const groups of runs) {
            for (const steps of groups) await model.runTogether(steps);
            await storage.close();
            storage = await openLocalStorage(path);
            model.restart(storage);
            await model.check();
          }
          await storage.close();
        } finally {
          rmSync(path, { recursive: true, force: true });
        }
      }),
      { numRuns: 8 },
    );
  });

  it("leave blobs alone that were seen without a use too short a time ago, or that others speak for", async () => {
    const storage = new MemoryStorage();
    const uses = new BlobUses(storage);
    await storage.blobs.put(bytesOf("one"));
    await storage.blobs.put(bytesOf("two"));
    const keeps = (digest: string): boolean => digest === digestOf(bytesOf("two"));
    expect(await uses.collectOrphans(1000, 500, keeps)).toBe(0);
    expect(await uses.collectOrphans(1400, 500, keeps)).toBe(0);
    expect(await uses.collectOrphans(1500, 500, keeps)).toBe(1);
    expect((await storage.blobs.list()).map((info) => info.digest)).toEqual([digestOf(bytesOf("two"))]);
  });
});
