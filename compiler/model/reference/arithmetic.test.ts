/** The integer arithmetic against exact arithmetic of another kind: BigInt for integers, Math.exp for exponentials. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  expOnNegativeValues,
  multiplyByQuantizedMultiplier,
  oneOverOnePlus,
  quantizeMultiplier,
  reciprocalOf,
  roundHalfAway,
  roundingDivideByPowerOfTwo,
  saturatingRoundingDoublingHighMul,
  saturatingShiftLeft,
} from "./arithmetic.js";

const edges = [0, 1, -1, 2, -2, 1 << 30, -(1 << 30), (1 << 30) - 1, 2147483647, -2147483647, -2147483648];
const int32 = fc.oneof(fc.integer({ min: -2147483648, max: 2147483647 }), fc.constantFrom(...edges));

/** As gemmlowp writes it: a nudge by sign, then a division that truncates. */
function highMulExact(a: number, b: number): number {
  if (a === -2147483648 && b === -2147483648) {
    return 2147483647;
  }
  const product = BigInt(a) * BigInt(b);
  const nudge = product >= 0n ? 1n << 30n : 1n - (1n << 30n);
  return Number((product + nudge) / (1n << 31n));
}

function divideExact(x: number, exponent: number): number {
  const divisor = 1n << BigInt(exponent);
  const magnitude = (2n * BigInt(Math.abs(x)) + divisor) / (2n * divisor);
  return Number(x < 0 ? -magnitude : magnitude);
}

describe("integer arithmetic is exact", () => {
  it("multiplies like gemmlowp, extremes included", () => {
    for (const a of edges) {
      for (const b of edges) {
        expect([a, b, saturatingRoundingDoublingHighMul(a, b)]).toEqual([a, b, highMulExact(a, b)]);
      }
    }
    fc.assert(
      fc.property(int32, int32, (a, b) => saturatingRoundingDoublingHighMul(a, b) === highMulExact(a, b)),
      { numRuns: 20000 },
    );
  });
  it("rounds right shifts to nearest, halves away from zero", () => {
    fc.assert(
      fc.property(
        int32,
        fc.integer({ min: 0, max: 31 }),
        (x, exponent) => roundingDivideByPowerOfTwo(x, exponent) === divideExact(x, exponent),
      ),
      { numRuns: 20000 },
    );
  });
  it("rounds twice, and shifts left before the multiplication", () => {
    fc.assert(
      fc.property(
        int32,
        fc.integer({ min: 1 << 30, max: 2147483647 }),
        fc.integer({ min: -31, max: 30 }),
        (x, multiplier, shift) => {
          const shifted = shift > 0 ? Number(BigInt.asIntN(32, BigInt(x) << BigInt(shift))) : x;
          const high = highMulExact(shifted, multiplier);
          return (
            multiplyByQuantizedMultiplier(x, multiplier, shift) === divideExact(high, Math.max(0, -shift))
          );
        },
      ),
      { numRuns: 20000 },
    );
  });
  it("saturates left shifts", () => {
    expect(saturatingShiftLeft(-(2 ** 29), 2)).toBe(-2147483648);
    expect(saturatingShiftLeft(2 ** 29, 2)).toBe(2147483647);
    expect(saturatingShiftLeft(2 ** 29 - 1, 2)).toBe(2147483644);
  });
  it("rounds like C's round()", () => {
    expect([0.5, -0.5, 1.5, 2.5, -2.5, 0.49999999999999994].map(roundHalfAway)).toEqual([1, -1, 2, 3, -3, 0]);
  });
});

describe("multipliers of real numbers", () => {
  it("have known values", () => {
    expect(quantizeMultiplier(0)).toEqual({ multiplier: 0, shift: 0 });
    expect(quantizeMultiplier(1)).toEqual({ multiplier: 1 << 30, shift: 1 });
    expect(quantizeMultiplier(0.5)).toEqual({ multiplier: 1 << 30, shift: 0 });
    expect(quantizeMultiplier(0.75)).toEqual({ multiplier: 1610612736, shift: 0 });
    expect(quantizeMultiplier(1 - 2 ** -40)).toEqual({ multiplier: 1 << 30, shift: 1 }); // rounds up to 1
    expect(quantizeMultiplier(2 ** -32)).toEqual({ multiplier: 1 << 30, shift: -31 });
    expect(quantizeMultiplier(2 ** -33)).toEqual({ multiplier: 0, shift: 0 });
    expect(quantizeMultiplier(5e-324)).toEqual({ multiplier: 0, shift: 0 });
  });
  it("are within half a unit of the real number", () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -31, max: 2 ** 30, noNaN: true }), (real) => {
        const { multiplier, shift } = quantizeMultiplier(real);
        expect(multiplier).toBeGreaterThanOrEqual(1 << 30);
        expect(multiplier).toBeLessThan(2 ** 31);
        expect(Math.abs(multiplier * 2 ** (shift - 31) - real)).toBeLessThanOrEqual(2 ** (shift - 32));
      }),
    );
  });
});

describe("fixed-point functions are close to the real ones", () => {
  it("exp of negative values, Q5.26", () => {
    expect(expOnNegativeValues(0)).toBe(2147483647);
    fc.assert(
      fc.property(fc.integer({ min: -2147483648, max: -1 }), (a) => {
        const error = expOnNegativeValues(a) / 2 ** 31 - Math.exp(a / 2 ** 26);
        expect(Math.abs(error)).toBeLessThan(1e-6);
      }),
      { numRuns: 5000 },
    );
  });
  it("1 / (1 + x), Q0.31", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2147483647 }), (a) => {
        expect(Math.abs(oneOverOnePlus(a) / 2 ** 31 - 1 / (1 + a / 2 ** 31))).toBeLessThan(1e-8);
      }),
    );
  });
  it("reciprocal with integer bits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 << 19, max: 511 << 19 }), (x) => {
        const { reciprocal, bitsOverUnit } = reciprocalOf(x, 12);
        const value = (reciprocal / 2 ** 31) * 2 ** -bitsOverUnit;
        expect(Math.abs(value * (x / 2 ** 19) - 1)).toBeLessThan(1e-7);
      }),
    );
  });
});
