/**
 * The one-argument f32 functions (math.ts, trigonometry.ts) against the host's f64 ones: every 10007th single here, others with
 * TMC_SINGLES=STRIDE in the environment; the bounds held for every 7th when they were written.
 */
import { describe, expect, it } from "vitest";
import { errorInUlp, everySingle, specialSingles, Worst } from "../../test/support/singles.js";
import { expF32, log10F32, log2F32, logF32, sigmoidF32, tanhF32 } from "./math.js";
import { atanF32, cosF32, sinF32, tanF32 } from "./trigonometry.js";

interface Tested {
  readonly name: string;
  readonly f32: (x: number) => number;
  readonly f64: (x: number) => number;
  /** The error that the docstring states. */
  readonly ulps: number;
}

const stride = Number(process.env["TMC_SINGLES"] ?? 10007);

const sigmoid = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));

const functions: readonly Tested[] = [
  { name: "expF32", f32: expF32, f64: Math.exp, ulps: 0.9 },
  { name: "logF32", f32: logF32, f64: Math.log, ulps: 0.9 },
  { name: "log2F32", f32: log2F32, f64: Math.log2, ulps: 0.9 },
  { name: "log10F32", f32: log10F32, f64: Math.log10, ulps: 0.9 },
  { name: "tanhF32", f32: tanhF32, f64: Math.tanh, ulps: 1.4 },
  { name: "sigmoidF32", f32: sigmoidF32, f64: sigmoid, ulps: 2.5 },
  { name: "sinF32", f32: sinF32, f64: Math.sin, ulps: 0.9 },
  { name: "cosF32", f32: cosF32, f64: Math.cos, ulps: 0.9 },
  { name: "tanF32", f32: tanF32, f64: Math.tan, ulps: 1.3 },
  { name: "atanF32", f32: atanF32, f64: Math.atan, ulps: 1.2 },
];

describe.each(functions)("$name", ({ f32, f64, ulps }) => {
  it(`is within ${ulps} ulp`, () => {
    const worst = new Worst();
    for (const x of everySingle(stride)) worst.take(f32(x), f64(x), x);
    expect(worst.above(ulps)).toBe("");
    // A bound that is never approached says nothing.
    expect(worst.error).toBeGreaterThan(0.5);
  });

  it("has ECMAScript's special values", () => {
    const wrong = specialSingles
      .filter((x) => !(errorInUlp(f32(x), f64(x)) < ulps))
      .map((x) => `${x}: ${f32(x)}, not ${f64(x)}`);
    expect(wrong).toEqual([]);
  });
});

describe("exact values", () => {
  it("of logarithms", () => {
    for (let n = -149; n <= 127; n++) expect(log2F32(2 ** n)).toBe(n);
    for (let n = 0; n <= 10; n++) expect(log10F32(10 ** n)).toBe(n);
    expect(logF32(1)).toBe(0);
  });

  it("at the ends of the range of expF32", () => {
    expect(expF32(Math.fround(88.72283))).toBeLessThan(Infinity);
    expect(expF32(Math.fround(88.72284))).toBe(Infinity);
    expect(expF32(Math.fround(-103.97207))).toBe(2 ** -149);
    expect(expF32(Math.fround(-103.9721))).toBe(0);
  });

  it("that stay between bounds", () => {
    const outside = [...everySingle(100003)].filter(
      (x) =>
        [sinF32, cosF32, tanhF32].some((f) => Math.abs(f(x)) > 1) ||
        sigmoidF32(x) < 0 ||
        sigmoidF32(x) > 1 ||
        Math.abs(atanF32(x)) > Math.fround(Math.PI / 2),
    );
    expect(outside).toEqual([]);
  });
});

describe("angles near multiples of pi / 2", () => {
  it("keep the precision of their small results", () => {
    const sine = new Worst();
    const cosine = new Worst();
    const tangent = new Worst();
    for (let n = 1; n < 10000; n++) {
      const x = Math.fround((n * Math.PI) / 2);
      sine.take(sinF32(x), Math.sin(x), x);
      cosine.take(cosF32(x), Math.cos(x), x);
      tangent.take(tanF32(x), Math.tan(x), x);
    }
    expect([sine.above(0.9), cosine.above(0.9), tangent.above(1.3)]).toEqual(["", "", ""]);
  });

  it("are reduced by pi / 2 for the worst case of single precision", () => {
    // 16367173 * 2^72 is nearer to a multiple of pi / 2 than any other single: its cosine is 1.6e-9.
    const x = 16367173 * 2 ** 72;
    expect(Math.abs(Math.cos(x))).toBeLessThan(1e-8);
    expect(errorInUlp(cosF32(x), Math.cos(x))).toBeLessThan(0.9);
    expect(errorInUlp(tanF32(x), Math.tan(x))).toBeLessThan(1.3);
  });
});
