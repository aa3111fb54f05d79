/** Payloads that no honest server sends, made from a seeded generator so that a failure can be repeated. */
import type { Random } from "../../models/vibration/random.js";

/** A copy with one to three places damaged: a flipped bit where `index` is even, another byte where it is odd. */
export function damage(payload: Uint8Array, index: number, random: Random): Uint8Array {
  const bytes = Uint8Array.from(payload);
  for (let i = 0; i <= index % 3; i++) {
    const at = random.uint32() % bytes.length;
    // Most damage where the structure is, not in the input bytes.
    const place = i % 2 === 0 ? at % 90 : at;
    bytes[place] = index % 2 === 0 ? (bytes[place] ?? 0) ^ (1 << (random.uint32() % 8)) : random.uint32();
  }
  return bytes;
}

/** Any value that CBOR can hold, nested at most six deep. */
export function anything(random: Random, depth = 0): unknown {
  switch (random.uint32() % (depth > 4 ? 7 : 9)) {
    case 0:
      return random.uint32();
    case 1:
      return -(random.uint32() % 70000);
    case 2:
      return random.normal() * 1e6;
    case 3:
      return random.uint32() % 2 === 0;
    case 4:
      return null;
    case 5:
      return "text".repeat(random.uint32() % 20);
    case 6:
      return new Uint8Array(random.uint32() % 60);
    case 7:
      return Array.from({ length: random.uint32() % 6 }, () => anything(random, depth + 1));
    default:
      return new Map(
        Array.from({ length: random.uint32() % 6 }, (_, i): [number, unknown] => [
          i,
          anything(random, depth + 1),
        ]),
      );
  }
}

/** 15 payloads: lengths that promise more than there is, nesting without end, what the protocol's CBOR excludes. */
export function emptyPromises(): Uint8Array[] {
  // {0: 1, 1: id, 2: 1, 3: "a", 4: and two pairs more to come
  const head = [0xa6, 0, 1, 1, 0, 2, 1, 3, 0x61, 0x61, 4];
  const many = (byte: number, count: number): number[] => new Array<number>(count).fill(byte);
  const payloads = [
    [0xbb, ...many(0xff, 8)],
    [0x9b, 0x7f, ...many(0xff, 7)],
    [0xba, 0xff, 0xff, 0xff, 0xff, 0, 1],
    [...head, 0x7a, 0xff, 0xff, 0xff, 0xff],
    [...head, 0x7b, 0, 0, 0, 1, 0, 0, 0, 0],
    [...head, 0x5a, 0x80, 0, 0, 0, 1],
    [...head, 0x61, 0x78, 6, ...many(0x81, 900), 0],
    [...head, 0x61, 0x78, 6, ...many(0xa1, 900)],
    [...head, 0x61, 0x78, 30, ...many(0xc1, 900), 0],
    [...head, 0x61, 0x78, 30, 0x9f, 1, 2, 0xff],
    [...head, 0x61, 0x78, 8, 0xa1, 1, 0x9a, 0x40, 0, 0, 0],
    many(0x81, 1024),
    many(0xbf, 1024),
    [0xff],
    [],
  ];
  return payloads.map((payload, index) => {
    const bytes = Uint8Array.from(payload);
    if (bytes[0] === head[0]) {
      bytes[4] = index; // an id of its own, so that none is a repetition
    }
    return bytes;
  });
}
