/** The distance between output and input is exactly the least at which no step overwrites what a later one reads. */
import { describe, expect, it } from "vitest";
import { GraphBuilder, Random } from "../../../test/models/random-graphs.js";
import { lower } from "../lower.js";
import type { WindowGeometry } from "../layers.js";
import { convStep, depthwiseStep, overlapDistance, tileStep, type Steps } from "./overlap.js";

/** Whether steps in order see every input byte unchanged when the output starts `distance` bytes before the input. */
function safe(steps: Steps, distance: number): boolean {
  for (let t = 0; t < steps.count; t++) {
    for (let later = t + 1; later < steps.count; later++) {
      if (steps.written(t) > steps.reads(later) + distance) {
        return false;
      }
    }
  }
  return true;
}

function geometries(): WindowGeometry[] {
  return Array.from({ length: 100 }, (_, seed) => {
    const b = new GraphBuilder(new Random(seed), true);
    const shape = [1, b.random.int(1, 12), b.random.int(1, 12), 4 * b.random.int(1, 3)];
    b.outputs.push(b.depthwiseConv2D(b.input(shape), { multiplier: 1 }));
    b.outputs.push(b.conv2D(b.input(shape)));
    return lower(b.graph("windows")).flatMap((layer) => ("geometry" in layer ? [layer.geometry] : []));
  }).flat();
}

function isTiled(g: WindowGeometry): boolean {
  return g.filterHeight === 3 && g.filterWidth === 3 && g.strideHeight === 1 && g.strideWidth === 1;
}

describe("the overlap of output and input", () => {
  it("is safe, and one byte less is not", () => {
    const steps = geometries().flatMap((g) => [
      convStep(g, 3),
      convStep(g, 12),
      ...(isTiled(g) ? [tileStep(g, 3), tileStep(g, 12)] : []),
      ...(g.inputChannels === g.outputChannels ? [depthwiseStep(g)] : []),
    ]);
    for (const one of steps) {
      const distance = overlapDistance(one);
      if (Number.isFinite(distance)) {
        expect([safe(one, distance), safe(one, distance - 1)]).toEqual([true, false]);
      }
    }
    expect(steps.filter((one) => Number.isFinite(overlapDistance(one))).length).toBeGreaterThan(200);
  });
  it("lets a depthwise convolution with stride 1 work in place", () => {
    const window = { filterHeight: 3, filterWidth: 3, strideHeight: 1, strideWidth: 1, dilationHeight: 1 };
    const sizes = { inputHeight: 9, inputWidth: 7, inputChannels: 4, outputHeight: 9, outputWidth: 7 };
    const geometry = { ...window, ...sizes, dilationWidth: 1, outputChannels: 4, padTop: 1, padLeft: 1 };
    expect(overlapDistance(depthwiseStep(geometry))).toBeLessThanOrEqual(0);
  });
  it("is anything for a single step", () => {
    expect(overlapDistance({ count: 1, written: () => 100, reads: () => 0 })).toBe(-Infinity);
  });
});
