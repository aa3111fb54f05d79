/** For tests of jobs: a storage in memory whose process can die between any two of its steps. */
import { StorageError, type RecordEntry, type Storage } from "../storage/storage.js";

export interface MemoryStorage extends Storage {
  /** From now on nothing is answered, as of a process that was killed. Gives a storage with what was kept. */
  crash(): MemoryStorage;
  /** Dies at the write of this number, counted from now: before it is kept, or after. */
  crashAt(write: number, when: "before" | "after"): void;
  readonly crashed: boolean;
  /** Writes wait from now on, until they are released. */
  hold(): { waiting(): Promise<void>; release(): void };
  /** Writes fail with `no-space` while it is set. */
  full: boolean;
  /** Writes so far. */
  writes: number;
}

const empty = new Uint8Array();
const never = new Promise<never>(() => undefined);

export function memoryStorage(content: ReadonlyMap<string, Uint8Array> = new Map()): MemoryStorage {
  const records = new Map(content);
  let dead = false;
  let held: Promise<void> | undefined;
  let waits: () => void = () => undefined;
  let point: { write: number; when: "before" | "after" } | undefined;
  const name = (collection: string, key: string) => `${collection}\0${key}`;
  const alive = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (dead) await never;
  };
  const storage: MemoryStorage = {
    full: false,
    writes: 0,
    get crashed() {
      return dead;
    },
    crash() {
      dead = true;
      return memoryStorage(records);
    },
    crashAt(write, when) {
      point = { write: storage.writes + write, when };
    },
    hold() {
      const waiting = new Promise<void>((resolve) => (waits = resolve));
      let release = (): void => undefined;
      const mine = new Promise<void>((resolve) => (release = resolve));
      held = mine;
      return {
        waiting: () => waiting,
        release() {
          if (held === mine) held = undefined;
          release();
        },
      };
    },
    description: "memory",
    close: () => Promise.resolve(),
    records: {
      async get(collection, key) {
        await alive();
        return records.get(name(collection, key));
      },
      async list(collection, options = {}) {
        await alive();
        const { prefix = "", after, limit = 1000, reverse = false } = options;
        const entries: RecordEntry[] = [...records]
          .map(([full, value]) => ({ full, key: full.slice(full.indexOf("\0") + 1), value }))
          .filter(({ full, key }) => full === name(collection, key) && key.startsWith(prefix))
          .filter(({ key }) => after === undefined || (reverse ? key < after : key > after))
          .sort((a, b) => (a.key < b.key === reverse ? 1 : -1))
          .slice(0, limit)
          .map(({ key, value }) => ({ key, value }));
        return entries;
      },
      async write(changes) {
        await alive();
        if (held !== undefined) waits();
        await held;
        storage.writes += 1;
        const now = point !== undefined && storage.writes >= point.write;
        if (now && point?.when === "before") {
          dead = true;
          await never;
        }
        if (storage.full) throw new StorageError("no-space", "the disk is full");
        const holds = changes.every(({ collection, key, expect }) => {
          const now = records.get(name(collection, key));
          return (
            expect === undefined ||
            (expect === null ? now === undefined : Buffer.compare(now ?? empty, expect) === 0)
          );
        });
        if (!holds) return false;
        for (const { collection, key, value } of changes) {
          if (value === undefined) records.delete(name(collection, key));
          else records.set(name(collection, key), value);
        }
        if (now) {
          dead = true;
          await never;
        }
        return true;
      },
    },
    blobs: {
      put: () => Promise.reject(new StorageError("unavailable", "no blobs")),
      get: () => Promise.resolve(undefined),
      read: () => Promise.resolve(undefined),
      stat: () => Promise.resolve(undefined),
      delete: () => Promise.resolve(false),
      list: () => Promise.resolve([]),
    },
  };
  return storage;
}

/** Waits until the condition holds; fails after `ms`. */
export async function until(condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error("it did not become true");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
