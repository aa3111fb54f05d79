/** The memory plan: tensors that are alive together never overlap, in-place operators cost nothing. */
import { describe, expect, it } from "vitest";
import { GraphBuilder, network, Random, sideBySide } from "../../test/models/random-graphs.js";
import { compileModel } from "./compile.js";
import type { Graph } from "./graph.js";
import { layerInputs } from "./layers.js";
import { lower } from "./lower.js";
import { ALIGNMENT } from "./place.js";
import { planMemory } from "./plan.js";

function planOf(graph: Graph) {
  return planMemory(graph, lower(graph));
}

/** Pairs of tensors that share bytes while both are needed, the allowed in-place ones left out. */
function conflicts(graph: Graph): string[] {
  const layers = lower(graph);
  const { placements } = planMemory(graph, layers);
  const inPlace = new Set(
    layers
      .filter((layer) => ["Add", "Lookup", "Reshape"].includes(layer.kind))
      .flatMap((layer) => layerInputs(layer).map((input) => `${input} ${layer.output}`)),
  );
  const all = [...placements];
  return all.flatMap(([a, p], i) =>
    all.slice(i + 1).flatMap(([b, q]) => {
      const together = p.first <= q.last && q.first <= p.last;
      const shared = p.offset < q.offset + q.bytes && q.offset < p.offset + p.bytes;
      const handover = p.offset === q.offset && (p.last === q.first || q.last === p.first);
      const allowed = handover && (inPlace.has(`${a} ${b}`) || inPlace.has(`${b} ${a}`));
      return together && shared && !allowed ? [`${a} and ${b}`] : [];
    }),
  );
}

/** Scratch memory that meets a tensor alive at its operator, and outputs nearer to their input than the kernel allows. */
function kernelConflicts(graph: Graph): string[] {
  const { layers, kernels, plan } = compileModel(graph);
  return layers.flatMap((layer, at) => {
    const scratch = plan.scratch.get(layer.operator);
    const alive = [...plan.placements].filter(([, p]) => p.first <= at && at <= p.last);
    const met = alive.filter(
      ([, p]) =>
        scratch !== undefined &&
        p.offset < scratch.offset + scratch.bytes &&
        scratch.offset < p.offset + p.bytes,
    );
    const input = plan.placements.get(layerInputs(layer)[0] ?? -1);
    const output = plan.placements.get(layer.output);
    const distance = kernels[at]?.overlap;
    const near =
      "filter" in layer &&
      input !== undefined &&
      output !== undefined &&
      input.offset < output.offset + output.bytes &&
      output.offset < input.offset + input.bytes &&
      (distance === undefined || input.last > at || input.offset - output.offset < distance);
    return [
      ...met.map(([tensor]) => `scratch of ${layer.operator} and ${tensor}`),
      ...(near ? [`output of ${layer.operator}`] : []),
    ];
  });
}

describe("the memory plan", () => {
  it("keeps scratch memory apart, and outputs as far from inputs as their kernel needs", () => {
    let scratch = 0;
    for (let seed = 0; seed < 200; seed++) {
      expect(kernelConflicts(network(seed, true)), `network ${seed}`).toEqual([]);
      scratch += compileModel(network(seed, true)).plan.scratch.size;
    }
    expect(scratch).toBeGreaterThan(200);
  });
  it("keeps tensors apart that are alive together", () => {
    for (let seed = 0; seed < 200; seed++) {
      expect(conflicts(network(seed)), `network ${seed}`).toEqual([]);
    }
    expect(conflicts(sideBySide("add", 30, 7))).toEqual([]);
  });
  it("uses at most a little more than what is alive at once", () => {
    let above = 0;
    for (let seed = 0; seed < 200; seed++) {
      const plan = planOf(network(seed));
      expect(plan.arenaBytes).toBeGreaterThanOrEqual(plan.lowerBound);
      expect(plan.arenaBytes % ALIGNMENT).toBe(0);
      above += plan.arenaBytes > plan.lowerBound ? 1 : 0;
      for (const { offset, bytes } of plan.placements.values()) {
        expect(offset + bytes).toBeLessThanOrEqual(plan.arenaBytes);
        expect(offset % ALIGNMENT).toBe(0);
      }
    }
    expect(above).toBeLessThan(20);
  });
  it("puts a reshape and a last addition in the place of their input", () => {
    const b = new GraphBuilder(new Random(1));
    const x = b.input([1, 4, 4, 4]);
    const sum = b.add(x, b.input([1, 4, 4, 4]));
    const flat = b.reshape(sum, [1, 64]);
    b.outputs.push(flat);
    const plan = planOf(b.graph("in place"));
    expect(plan.placements.get(sum)?.offset).toBe(plan.placements.get(x)?.offset);
    expect(plan.placements.get(flat)?.offset).toBe(plan.placements.get(x)?.offset);
    expect(plan.arenaBytes).toBe(128);
  });
  it("does not overwrite an input that is needed later", () => {
    const b = new GraphBuilder(new Random(1));
    const x = b.input([1, 4, 4, 4]);
    const flat = b.reshape(x, [1, 64]);
    b.outputs.push(flat, b.add(x, x));
    const graph = b.graph("needed later");
    const plan = planOf(graph);
    expect(plan.placements.get(flat)?.offset).not.toBe(plan.placements.get(x)?.offset);
    expect(conflicts(graph)).toEqual([]);
  });
  it("holds models whose input is their output", () => {
    const b = new GraphBuilder(new Random(1));
    const x = b.input([1, 10]);
    b.outputs.push(x);
    expect(planOf(b.graph("identity")).arenaBytes).toBe(12);
  });
  it("is the same every time", () => {
    expect(planOf(network(3))).toEqual(planOf(network(3)));
  });
});
