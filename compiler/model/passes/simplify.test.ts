/**
 * Every pass keeps every bit of every tensor that remains or that another one stands for, on random networks; each pass
 * acts where it should and not where it must not. TMC_PASS_CASES sets the number of networks.
 */
import { describe, expect, it } from "vitest";
import { GraphBuilder, Random, randomInputs } from "../../../test/models/random-graphs.js";
import { rewritable } from "../../../test/models/random-rewritable.js";
import { compileModel } from "../compile.js";
import { runOnNode } from "../execute/inference.js";
import { elementCount, tensorAt, type Graph } from "../graph.js";
import { lower } from "../lower.js";
import { executeLayer } from "../runtime.js";
import { simplify, type SimplifiedModel } from "./simplify.js";

/** By tensor: what the simplified layers compute, stand-ins included. */
function run({ graph, layers, standIns }: SimplifiedModel, inputs: readonly Int8Array[]) {
  const values = new Map<number, Int8Array>();
  graph.tensors.forEach(({ data }, tensor) => data instanceof Int8Array && values.set(tensor, data));
  graph.inputs.forEach((tensor, i) => values.set(tensor, inputs[i] ?? new Int8Array()));
  for (const layer of layers) {
    values.set(layer.output, new Int8Array(elementCount(tensorAt(graph, layer.output).shape)));
    executeLayer(layer, (tensor) => values.get(tensor) ?? new Int8Array());
  }
  standIns.forEach((holder, tensor) => values.set(tensor, values.get(holder) ?? new Int8Array()));
  return values;
}

function check(graph: Graph, name: string | number): SimplifiedModel {
  const simplified = simplify(graph, lower(graph));
  const inputs = randomInputs(graph, 2, 1);
  runOnNode(graph, inputs).forEach(({ layers, outputs }, i) => {
    const values = run(simplified, inputs[i] ?? []);
    for (const { operator, tensor, data } of layers) {
      const own = values.get(tensor);
      if (own !== undefined) {
        expect({ name, operator, data: [...own] }).toEqual({ name, operator, data: [...data] });
      }
    }
    simplified.graph.outputs.forEach((tensor, o) => {
      expect({ name, output: o, data: [...(values.get(tensor) ?? [])] }).toEqual({
        name,
        output: o,
        data: [...(outputs[o] ?? [])],
      });
    });
  });
  return simplified;
}

const cases = Number(process.env["TMC_PASS_CASES"] ?? 60);

describe("the passes", () => {
  it("keep every bit, and all find work, on random networks", () => {
    const done = new Map<string, number>();
    for (let seed = 0; seed < cases; seed++) {
      const graph = rewritable(seed);
      for (const { pass } of check(graph, seed).changes) {
        done.set(pass, (done.get(pass) ?? 0) + 1);
      }
      compileModel(graph);
    }
    for (const pass of [
      "copies removed",
      "constants folded",
      "equal layers computed once",
      "transpositions cancelled",
      "transpositions moved into weights",
      "padding merged",
      "activations fused",
      "tables joined",
    ]) {
      expect(done.get(pass) ?? 0, pass).toBeGreaterThan(cases / 50);
    }
  });

  /** Pad by one on every side, then a 3x3 window without padding of its own. */
  function padded(value: number | undefined, kind: "conv2D" | "max", outputs: "all" | "last"): Graph {
    const b = new GraphBuilder(new Random(3), true);
    const input = b.input([1, 5, 5, 4]);
    const quantization = { scales: [0.5], zeroPoints: [-7], axis: 0 };
    b.tensors[input] = { ...tensorAt(b.graph(""), input), quantization };
    const output = b.tensor([1, 7, 7, 4], quantization);
    const amounts = [0, 1, 1, 0];
    b.operators.push({ kind: "Pad", input, output, before: amounts, after: amounts, value });
    const three = {
      padding: "valid",
      filterHeight: 3,
      filterWidth: 3,
      strideHeight: 1,
      strideWidth: 1,
    } as const;
    let last: number;
    if (kind === "conv2D") {
      last = b.conv2D(output, { ...three, dilationHeight: 1, dilationWidth: 1 });
    } else {
      last = b.tensor([1, 5, 5, 4], quantization);
      b.operators.push({ kind: "MaxPool2D", input: output, output: last, ...three, activation: "none" });
    }
    b.outputs.push(...(outputs === "all" ? [output, last] : [last]));
    return b.graph("padded");
  }

  it("merge padding with the zero point into convolutions, and with the least value into maxima", () => {
    const passes = (graph: Graph): string[] => check(graph, "padded").changes.map(({ pass }) => pass);
    expect(passes(padded(undefined, "conv2D", "last"))).toEqual(["padding merged"]);
    expect(passes(padded(-7, "conv2D", "last"))).toEqual(["padding merged"]);
    expect(passes(padded(-6, "conv2D", "last"))).toEqual([]);
    expect(passes(padded(undefined, "conv2D", "all"))).toEqual([]);
    expect(passes(padded(-128, "max", "last"))).toEqual(["padding merged"]);
    expect(passes(padded(-127, "max", "last"))).toEqual([]);
  });

  it("leave outputs memory that the model writes", () => {
    const b = new GraphBuilder(new Random(1));
    const input = b.input([1, 2, 3, 4]);
    b.outputs.push(b.reshape(input, [1, 24]));
    const constant = b.tensor([1, 4], { scales: [1], zeroPoints: [0], axis: 0 }, Int8Array.of(1, 2, 3, 4));
    b.outputs.push(b.reshape(constant, [4]));
    const { layers, graph } = check(b.graph("copies"), "copies");
    expect(layers.map(({ kind }) => kind)).toEqual(["Reshape", "Reshape"]);
    expect(graph.outputs).toEqual(b.outputs);
  });
});
