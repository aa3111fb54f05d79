/** Calibration on a graph whose tensors are its input: the three methods on data with a rare extreme. */
import { describe, expect, it } from "vitest";
import type { Graph } from "../graph.js";
import { calibrate, leastErrorRange, percentileRange } from "./calibrate.js";
import { divergenceOfCut, entropyRange } from "./entropy.js";
import { randomNumbers } from "./fixtures/tfjs-models.js";

const graph: Graph = {
  name: "copy",
  tensors: [
    { name: "in", type: "float32", shape: [1, 1000] },
    { name: "out", type: "float32", shape: [1, 1, 1000] },
  ],
  operators: [{ kind: "Reshape", input: 0, output: 1 }],
  inputs: [0],
  outputs: [1],
};

/** Values in -1..1, one of them 10. */
function inputs(): Float32Array[] {
  const random = randomNumbers(1);
  const list = Array.from({ length: 10 }, () => Float32Array.from({ length: 1000 }, () => random(-1, 1)));
  const [first] = list;
  if (first !== undefined) {
    first[7] = 10;
  }
  return list;
}

describe("calibration", () => {
  it("keeps everything with minmax", () => {
    const [range] = calibrate(graph, inputs(), { method: "minmax", percentile: 100 });
    expect(range?.high).toBe(10);
    expect(range?.low).toBeCloseTo(-1, 2);
  });

  it("cuts the rare extreme with percentile, the same for every tensor of the data", () => {
    const ranges = calibrate(graph, inputs(), { method: "percentile", percentile: 99.9 });
    expect(ranges[0]?.high).toBeCloseTo(1, 1);
    expect(ranges[0]?.low).toBeCloseTo(-1, 1);
    expect(ranges[1]).toEqual(ranges[0]);
  });

  it("cuts with mse only what gains", () => {
    // One value of 10 000 costs 81 when cut to 1; all others gain less: nothing may be cut that far.
    const [rare] = calibrate(graph, inputs(), { method: "mse", percentile: 100 });
    expect(rare?.high).toBeGreaterThan(5);
    // A hundred thousand values in the first bin, one in the last.
    const histogram = new Float64Array(2048).map((_, i) => (i < 200 ? 1e5 : i === 2047 ? 1 : 0));
    expect(leastErrorRange({ low: 0, high: 10 }, histogram).high).toBeLessThan(5);
    const uniform = new Float64Array(2048).fill(10);
    expect(leastErrorRange({ low: -2, high: 2 }, uniform)).toEqual({ low: -2, high: 2 });
  });

  it("cuts with entropy where the shape of the distribution gains", () => {
    const [rare] = calibrate(graph, inputs(), { method: "entropy", percentile: 100 });
    expect(rare?.high).toBeLessThan(2);
    expect(rare?.low).toBeLessThan(-0.9);
    const uniform = new Float64Array(2048).fill(10);
    expect(entropyRange({ low: -2, high: 2 }, uniform)).toEqual({ low: -2, high: 2 });
    // Nothing but zeros, and nothing at all.
    expect(entropyRange({ low: 0, high: 3 }, new Float64Array(2048))).toEqual({ low: 0, high: 3 });
    const copies = [new Float32Array(1000)];
    expect(calibrate(graph, copies, { method: "entropy", percentile: 100 })[1]).toEqual({ low: 0, high: 0 });
  });

  it("measures the divergence of a cut", () => {
    const histogram = new Float64Array(512);
    histogram.set([3, 1], 0);
    histogram[511] = 4;
    // 256 steps of two bins: the first averages 3 and 1, of 8 values.
    const whole = (3 / 8) * Math.log(3 / 2) + (1 / 8) * Math.log(1 / 2);
    expect(divergenceOfCut(histogram, 0, 512)).toBeCloseTo(whole, 12);
    // Cut in the middle: a bin for each step, the last one gets the four values outside and has none of its own.
    const cut = (3 / 8) * Math.log(3 / 8 / (3 / 4)) + (1 / 8) * Math.log(1 / 2) + 0.5 * Math.log(0.5 / 1e-9);
    expect(divergenceOfCut(histogram, 0, 256)).toBeCloseTo(cut, 9);
    expect(divergenceOfCut(histogram, 100, 200)).toBe(Infinity);
  });

  it("takes percentiles at both ends of a histogram", () => {
    const histogram = new Float64Array(2048);
    histogram[0] = 1;
    histogram[1000] = 998;
    histogram[2047] = 1;
    const { low, high } = percentileRange({ low: 0, high: 2048 }, histogram, 99);
    expect([low, high]).toEqual([1000, 1001]);
    expect(percentileRange({ low: 0, high: 2048 }, histogram, 100)).toEqual({ low: 0, high: 2048 });
    // 99 % of 1000 leaves 5 at each end: 7 are too many to cut.
    histogram[0] = 7;
    histogram[1000] = 986;
    histogram[2047] = 7;
    expect(percentileRange({ low: 0, high: 2048 }, histogram, 99)).toEqual({ low: 0, high: 2048 });
  });
});
