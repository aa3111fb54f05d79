/** Statistics of windows against the textbook formulas in double precision. */
import { describe, expect, it } from "vitest";
import { randomNumbers } from "../../test/support/singles.js";
import { Moments, maximum, mean, minimum, peak, rms, zeroCrossingRate } from "./statistics.js";

const random = randomNumbers(7);
const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

function window(length: number, f: (n: number) => number): Float32Array {
  return Float32Array.from({ length }, (_, n) => f(n));
}

/** Noise, an offset much larger than the signal, one outlier, skewed, tiny and large values, a sine, few samples. */
const windows: Record<string, Float32Array> = {
  gaussian: window(1000, gaussian),
  offset: window(4096, () => 9.81 + 0.001 * gaussian()),
  "large offset": window(512, () => -4096 + 0.01 * gaussian()),
  outlier: window(300, (n) => (n === 17 ? 1000 : gaussian())),
  skewed: window(2000, () => Math.exp(gaussian())),
  tiny: window(256, () => 1e-7 * gaussian()),
  huge: window(256, () => 1e8 * gaussian()),
  sine: window(640, (n) => Math.sin(n * 0.1)),
  two: Float32Array.of(1, 2),
  three: Float32Array.of(-1, -1, 5),
};

interface Exact {
  mean: number;
  variance: number;
  skewness: number;
  kurtosis: number;
  rms: number;
}

function exactOf(data: Float32Array): Exact {
  const average = (f: (x: number) => number): number => data.reduce((sum, x) => sum + f(x), 0) / data.length;
  const center = average((x) => x);
  const m2 = average((x) => (x - center) ** 2);
  return {
    mean: center,
    variance: m2,
    skewness: average((x) => (x - center) ** 3) / m2 ** 1.5,
    kurtosis: average((x) => (x - center) ** 4) / m2 ** 2,
    rms: Math.sqrt(average((x) => x * x)),
  };
}

describe.each(Object.entries(windows))("%s", (_, data) => {
  const exact = exactOf(data);
  const moments = new Moments();
  moments.run(data);

  it("has its mean and root mean square", () => {
    const absolute = data.reduce((sum, x) => sum + Math.abs(x), 0) / data.length;
    expect(Math.abs(mean(data) - exact.mean)).toBeLessThan(2 ** -22 * absolute);
    expect(Math.abs(moments.mean - exact.mean)).toBeLessThan(2 ** -22 * absolute);
    expect(Math.abs(rms(data) - exact.rms) / exact.rms).toBeLessThan(2 ** -23);
  });

  it("has its moments", () => {
    expect(Math.abs(moments.variance - exact.variance) / exact.variance).toBeLessThan(2 ** -21);
    expect(Math.abs(moments.skewness - exact.skewness)).toBeLessThan(
      2 ** -20 * Math.max(1, Math.abs(exact.skewness)),
    );
    expect(Math.abs(moments.kurtosis - exact.kurtosis) / exact.kurtosis).toBeLessThan(2 ** -20);
  });

  it("has its extremes", () => {
    expect(minimum(data)).toBe(Math.min(...data));
    expect(maximum(data)).toBe(Math.max(...data));
    expect(peak(data)).toBe(Math.max(...data.map(Math.abs)));
  });

  it("has its zero crossings", () => {
    const signs = [...data].map((x) => x >= 0);
    const crossings = signs.filter((s, i) => i > 0 && s !== signs[i - 1]).length;
    expect(zeroCrossingRate(data)).toBe(Math.fround(crossings / (data.length - 1)));
  });
});

describe("known values", () => {
  it("of 1, 2, 3, 4", () => {
    const data = Float32Array.of(1, 2, 3, 4);
    const moments = new Moments();
    moments.run(data);
    expect([moments.mean, moments.variance, moments.skewness]).toEqual([2.5, 1.25, 0]);
    expect(moments.kurtosis).toBeCloseTo(1.64, 6);
    expect(rms(data)).toBeCloseTo(Math.sqrt(7.5), 6);
  });

  it("of equal samples", () => {
    const moments = new Moments();
    moments.run(window(100, () => 0.1));
    expect([moments.mean, moments.variance, moments.skewness, moments.kurtosis]).toEqual([
      Math.fround(0.1),
      0,
      0,
      0,
    ]);
  });

  it("of one sample, and of none", () => {
    const one = Float32Array.of(-3);
    expect([mean(one), rms(one), peak(one), minimum(one), maximum(one), zeroCrossingRate(one)]).toEqual([
      -3, 3, 3, -3, -3, 0,
    ]);
    const none = new Float32Array(0);
    expect([mean(none), rms(none), peak(none), zeroCrossingRate(none)]).toEqual([NaN, NaN, 0, 0]);
    expect(() => minimum(none)).toThrow();
  });

  it("of alternating signs, where 0 counts as positive", () => {
    expect(zeroCrossingRate(Float32Array.of(1, -1, 1, -1, 1))).toBe(1);
    expect(zeroCrossingRate(Float32Array.of(-1, 0, 1, -0, 1))).toBe(0.25);
  });
});
