/** Seeded damage to files and to the descriptions they are made of. Knows no format. */

/** Uniform integers from 0 to `limit` - 1; the same sequence for the same seed. */
export type Random = (limit: number) => number;

/** xorshift32 over a mixed seed. */
export function seededRandom(seed: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return Math.floor((state / 4294967296) * limit);
  };
}

function pick<T>(random: Random, list: readonly T[]): T {
  const item = list[random(list.length)];
  if (item === undefined) {
    throw new Error("nothing to pick from");
  }
  return item;
}

const words = [0, 1, 2, 127, 128, 255, 256, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

/** `bytes` with one to eight changes: bits, bytes, 32-bit words, cuts, repeats, parts of `other`. */
export function mutateBytes(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let out = bytes.slice();
  for (let changes = 1 + random(1 + random(8)); changes > 0 && out.length > 0; changes--) {
    // Headers and counts are at the beginning and the end more often than elsewhere.
    const near = Math.min(out.length, 256);
    const place = [random(out.length), random(near), out.length - 1 - random(near)];
    const at = pick(random, place);
    switch (random(8)) {
      case 0:
        out[at] = (out[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        out[at] = random(256);
        break;
      case 2:
        out[at] = pick(random, [0, 1, 0x7f, 0x80, 0xff]);
        break;
      case 3:
        if (at + 4 <= out.length) {
          new DataView(out.buffer).setUint32(at, pick(random, words), true);
        }
        break;
      case 4:
        out = out.slice(0, at);
        break;
      case 5: {
        const length = 1 + random(16);
        out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + length)]);
        break;
      }
      case 6: {
        const part = out.subarray(at, at + 1 + random(64));
        out = Uint8Array.from([...out.subarray(0, at), ...part, ...out.subarray(at)]);
        break;
      }
      default: {
        const from = random(Math.max(1, other.length));
        out.set(other.subarray(from, from + Math.min(64, out.length - at)).subarray(0, out.length - at), at);
      }
    }
  }
  return out;
}

type Container = Record<string, unknown> | unknown[];

const isContainer = (value: unknown): value is Container =>
  typeof value === "object" && value !== null && !ArrayBuffer.isView(value);

/** Every place in `value`: its container and key. */
function places(value: unknown, found: { container: Container; key: string }[] = []): typeof found {
  if (isContainer(value)) {
    for (const key of Object.keys(value)) {
      found.push({ container: value, key });
      places((value as Record<string, unknown>)[key], found);
    }
  }
  return found;
}

const odd: readonly unknown[] = [
  0,
  -1,
  1,
  2,
  3,
  0.5,
  255,
  65536,
  1e9,
  2 ** 31,
  2 ** 53,
  1e300,
  "",
  "x",
  "-1",
  "../x",
  [],
  [0],
  [-1, 1e9],
  {},
  null,
  true,
  false,
];

/** Changes one to four places of a tree of objects and lists: other values, removed, repeated or exchanged parts. In place. */
export function mutateTree(tree: Container, random: Random): void {
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const all = places(tree);
    if (all.length === 0) {
      return;
    }
    const { container, key } = pick(random, all);
    const holder = container as Record<string, unknown>;
    switch (random(6)) {
      case 0:
        holder[key] = structuredClone(pick(random, odd));
        break;
      case 1:
        if (Array.isArray(container)) {
          container.splice(Number(key), 1);
        } else {
          holder[key] = undefined;
        }
        break;
      case 2:
        if (Array.isArray(container)) {
          container.splice(Number(key), 0, structuredClone(container[Number(key)]));
        }
        break;
      case 3: {
        const other = pick(random, all);
        holder[key] = structuredClone((other.container as Record<string, unknown>)[other.key]);
        break;
      }
      default: {
        // Small changes reach furthest.
        const value = holder[key];
        holder[key] = typeof value === "number" ? value + pick(random, [-1, 1, 2, -2]) : value;
        if (typeof value === "string") {
          const strings = all.flatMap((place) => {
            const text = (place.container as Record<string, unknown>)[place.key];
            return typeof text === "string" ? [text] : [];
          });
          holder[key] = pick(random, strings);
        }
      }
    }
  }
}
