/** The cache of answers against a plain list. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnswerCache } from "./answer-cache.js";
import { Counter, Counters } from "./counters.js";

/** An answer whose identity is `id` and which has `size` bytes. */
function answer(id: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size).fill(id & 0xff);
  bytes[0] = 0xa6;
  bytes[1] = id >> 8;
  bytes[2] = id & 0xff;
  return bytes;
}

const identity = (id: number): Uint8Array => answer(id, 3).subarray(1);

describe("AnswerCache", () => {
  it("finds what it keeps, byte for byte, and always the latest", () => {
    const size = fc.oneof(fc.integer({ min: 4, max: 300 }), fc.integer({ min: 200, max: 300 }));
    const sizes = fc.array(fc.tuple(size, fc.boolean()), { maxLength: 120 });
    fc.assert(
      fc.property(sizes, (stored) => {
        const counters = new Counters();
        const cache = new AnswerCache(1000, counters);
        stored.forEach(([size, sent], id) => {
          cache.store(answer(id, size), sent);
          let found = 0;
          let bytes = 0;
          for (let i = id; i >= 0; i--) {
            const entry = cache.find(identity(i));
            if (entry < 0) break;
            expect([...cache.answer(entry)]).toEqual([...answer(i, stored[i]?.[0] ?? 0)]);
            found++;
            bytes += stored[i]?.[0] ?? 0;
          }
          // The newest are kept without gaps, as many as surely fit.
          expect(found).toBeGreaterThan(0);
          if (found <= id && found < 32) expect(bytes).toBeGreaterThan(1000 - 2 * 300);
          for (let i = id - found; i >= 0; i--) expect(cache.find(identity(i))).toBe(-1);
        });
        const unsent = stored.filter(([, sent], id) => !sent && cache.find(identity(id)) < 0).length;
        expect(counters.get(Counter.Unsent)).toBe(unsent);
      }),
      { numRuns: 300 },
    );
  });

  it("gives unsent answers oldest first until they are marked", () => {
    const cache = new AnswerCache(1000, new Counters());
    cache.store(answer(1, 10), true);
    cache.store(answer(2, 10), false);
    cache.store(answer(3, 10), false);
    for (const id of [2, 3]) {
      const entry = cache.firstUnsent();
      expect(cache.answer(entry)[2]).toBe(id);
      cache.markSent(entry);
    }
    expect(cache.firstUnsent()).toBe(-1);
  });
});
