import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as zlib from "node:zlib";
import { crc32 } from "./crc32.js";

/** Bit by bit, from the definition. */
function slow(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let i = 0; i < 8; i++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return ~c >>> 0;
}

describe("crc32", () => {
  it("gives the check value of the standard", () => {
    expect(crc32(new TextEncoder().encode("123456789"), 0)).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0), 0)).toBe(0);
  });

  it("equals the definition, and zlib where Node.js has it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(crc32(bytes, 0)).toBe(slow(bytes));
        if (typeof zlib.crc32 === "function") expect(crc32(bytes, 0)).toBe(zlib.crc32(bytes));
      }),
    );
  });

  it("continues from a seed", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(crc32(b, crc32(a, 0))).toBe(crc32(Uint8Array.from([...a, ...b]), 0));
      }),
    );
  });
});
