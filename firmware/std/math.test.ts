/** The f32 functions against the host's f64 ones: sampled here, over every 7th single when they were written. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cosF32, expF32, logF32, sigmoidF32, sinF32, tanhF32 } from "./math.js";

/** One unit in the last place of a single at `x`. */
function ulp(x: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(Math.fround(x)))), -126);
  return 2 ** (exponent - 23);
}

function close(value: number, exact: number, ulps: number): boolean {
  return Math.abs(value - exact) <= ulps * ulp(exact);
}

const single = (min: number, max: number): fc.Arbitrary<number> =>
  fc.float({ min: Math.fround(min), max: Math.fround(max), noNaN: true });

const runs = { numRuns: 20000 };

describe("f32 functions", () => {
  it("every result is a single", () => {
    fc.assert(
      fc.property(fc.float(), (x) => {
        for (const f of [expF32, logF32, sinF32, cosF32, tanhF32, sigmoidF32]) {
          const y = f(x);
          expect(Object.is(y, Math.fround(y))).toBe(true);
        }
      }),
    );
  });

  it("expF32 is within 1 ulp", () => {
    fc.assert(
      fc.property(single(-87, 88.7), (x) => close(expF32(x), Math.exp(x), 1)),
      runs,
    );
  });

  it("logF32 is within 1 ulp", () => {
    fc.assert(
      fc.property(single(2 ** -149, 3.4e38), (x) => close(logF32(x), Math.log(x), 1)),
      runs,
    );
    fc.assert(
      fc.property(single(0.5, 2), (x) => x === 1 || close(logF32(x), Math.log(x), 1)),
      runs,
    );
  });

  it("sinF32 and cosF32 are within 2^-23, and 1 ulp near 0", () => {
    const near = 2 ** -23;
    fc.assert(
      fc.property(single(-8192, 8192), (x) => Math.abs(sinF32(x) - Math.sin(x)) < near),
      runs,
    );
    fc.assert(
      fc.property(single(-8192, 8192), (x) => Math.abs(cosF32(x) - Math.cos(x)) < near),
      runs,
    );
    fc.assert(
      fc.property(single(-0.78, 0.78), (x) => close(sinF32(x), Math.sin(x), 1)),
      runs,
    );
    fc.assert(
      fc.property(single(-0.78, 0.78), (x) => close(cosF32(x), Math.cos(x), 1)),
      runs,
    );
  });

  it("tanhF32 is within 2 ulp", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (x) => close(tanhF32(x), Math.tanh(x), 2)),
      runs,
    );
  });

  it("has the limits of ECMAScript", () => {
    expect(expF32(Infinity)).toBe(Infinity);
    expect(expF32(-Infinity)).toBe(0);
    expect(expF32(NaN)).toBeNaN();
    expect(expF32(0)).toBe(1);
    expect(logF32(0)).toBe(-Infinity);
    expect(logF32(-1)).toBeNaN();
    expect(logF32(Infinity)).toBe(Infinity);
    expect(logF32(1)).toBe(0);
    expect(sinF32(0)).toBe(0);
    expect(cosF32(0)).toBe(1);
    expect(sinF32(Infinity)).toBeNaN();
    expect(cosF32(NaN)).toBeNaN();
    expect(tanhF32(Infinity)).toBe(1);
    expect(tanhF32(-Infinity)).toBe(-1);
    expect(sigmoidF32(0)).toBe(0.5);
  });

  it("stays between -1 and 1 beyond the domain", () => {
    fc.assert(
      fc.property(single(8192, 3.4e38), (x) => Math.abs(sinF32(x)) <= 1.000001),
      { numRuns: 200 },
    );
  });
});
