/**
 * Every kernel on random layers with extreme shapes, scales, biases and data: Node.js ≡ a second implementation ≡ host C
 * (gcc, clang with sanitizers) ≡ Cortex-M4, on every layer. Many layers share one graph and one executable.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { describeDifference, firstDifference } from "../../compiler/model/execute/compare.js";
import { runOnNode, type Inference } from "../../compiler/model/execute/inference.js";
import { runOnBoard, type BoardRunOptions } from "../../compiler/model/execute/on-board.js";
import { compileModel } from "../../compiler/model/compile.js";
import { layerInputs } from "../../compiler/model/layers.js";
import { lower } from "../../compiler/model/lower.js";
import type { Graph } from "../../compiler/model/graph.js";
import { runOracle } from "./oracle.js";
import { movementKinds } from "./random-movement.js";
import { rewritable } from "./random-rewritable.js";
import { GraphBuilder, Random, layerKinds, network, randomInputs, sideBySide } from "./random-graphs.js";

const threes = {
  ...{ filterHeight: 3, filterWidth: 3, strideHeight: 1, strideWidth: 1 },
  ...{ dilationHeight: 1, dilationWidth: 1 },
};

/** Layers with many weights: other kernels, sums that leave 23 bits. */
function deep(): Graph {
  const b = new GraphBuilder(new Random(7), true);
  for (let channels = 12; channels < 19; channels++) {
    b.outputs.push(b.fullyConnected(b.input([channels % 2 === 0 ? 1 : 2, 701]), channels));
  }
  b.outputs.push(b.fullyConnected(b.input([1, 3000]), 5));
  b.outputs.push(b.conv2D(b.input([1, 3, 3, 256]), { channels: 6, filterHeight: 3, filterWidth: 3 }));
  for (const [height, width, depth, channels] of [
    [9, 7, 16, 6],
    [8, 8, 24, 8],
    [5, 6, 16, 4],
    [12, 11, 16, 16],
    [2, 1, 24, 2],
    [6, 7, 64, 4],
  ]) {
    for (const padding of ["same", "valid"] as const) {
      const options = { channels: channels ?? 0, padding, ...threes };
      if (padding === "same" || (height ?? 0) > 2) {
        b.outputs.push(b.conv2D(b.input([1, height ?? 0, width ?? 0, depth ?? 0]), options));
      }
    }
  }
  b.outputs.push(b.pool(b.input([1, 30, 30, 16]))); // memory in use: room for scratch
  return b.graph("deep");
}

const perKind = 60;
const kernelNames = [
  ...(["conv", "conv1x1", "conv-dilated", "conv-general", "depthwise", "depthwise-general"] as const),
  ...(["dense", "dense-general", "add", "pool"] as const),
];

/** What moves data takes few data to show a wrong step. */
function ofKind(kind: (typeof layerKinds)[number]): number {
  const moves: readonly string[] = movementKinds;
  return kind === "reshape" ? 5 : moves.includes(kind) ? 20 : perKind;
}

const graphs = [
  ...layerKinds.map((kind, i) => sideBySide(kind, ofKind(kind), 1000 + i)),
  ...Array.from({ length: 25 }, (_, i) => network(i)),
  ...layerKinds.slice(0, 5).map((kind, i) => sideBySide(kind, perKind, 2000 + i, true)),
  ...Array.from({ length: 25 }, (_, i) => network(100 + i, true)),
  deep(),
  ...Array.from({ length: 30 }, (_, i) => rewritable(100 + i)),
];
const runs = graphs.map((graph, i) => ({
  model: { name: graph.name, graph },
  inputs: randomInputs(graph, /^(network|rewritable)/.test(graph.name) ? 2 : 5, i),
}));
let node: Inference[][];

beforeAll(() => {
  node = runs.map(({ model, inputs }) => runOnNode(model.graph, inputs));
});

async function expectEqual(board: string, options: BoardRunOptions): Promise<void> {
  const results = await runOnBoard(findBoard(board), runs, { warningsAreErrors: true, ...options });
  const differences = runs.flatMap(({ model, inputs }, m) =>
    inputs.map((_, i) => {
      const difference = firstDifference(model.graph, node[m]![i]!, results[m]![i]!);
      return difference === undefined
        ? ""
        : `${model.name}: ${describeDifference(difference, "on node", `on ${board}`)}`;
    }),
  );
  expect(differences.filter((text) => text !== "")).toEqual([]);
}

describe("random layers", () => {
  it("cover left shifts, wrapping sums and every clamp", () => {
    const layers = graphs.flatMap((graph) => lower(graph));
    const shifts = layers.flatMap((layer) =>
      "shift" in layer && typeof layer.shift !== "number" ? [...layer.shift] : [],
    );
    expect(Math.max(...shifts)).toBeGreaterThan(20);
    expect(Math.min(...shifts)).toBeLessThan(-15);
    expect(shifts.filter((shift) => shift > 0).length).toBeGreaterThan(50);
    const outputs = new Set(
      node.flatMap((results) => results.flatMap((one) => one.layers.flatMap((layer) => [...layer.data]))),
    );
    expect(outputs.size).toBe(256);
  });
  it("reach every fast kernel often, in place too", () => {
    const models = graphs.map((graph) => compileModel(graph));
    const names = models.flatMap(({ kernels }) => kernels.map((kernel) => kernel.name));
    for (const name of kernelNames) {
      expect(names.filter((one) => one === name).length, name).toBeGreaterThan(20);
    }
    for (const name of ["dense-wide", "winograd"] as const) {
      expect(names.filter((one) => one === name).length, name).toBeGreaterThan(5);
    }
    const sharing = models.flatMap(({ layers, plan }) =>
      layers.filter((layer) => {
        const [input, output] = [
          plan.placements.get(layerInputs(layer)[0] ?? -1),
          plan.placements.get(layer.output),
        ];
        return (
          "filter" in layer &&
          input !== undefined &&
          output !== undefined &&
          input.offset < output.offset + output.bytes &&
          output.offset < input.offset + input.bytes
        );
      }),
    );
    expect(sharing.length).toBeGreaterThan(20);
  });
  it("equal a second implementation on Node.js", () => {
    runs.forEach(({ model, inputs }, m) => {
      // The second implementation is slow: random data and one extreme are enough of it.
      inputs.slice(0, 2).forEach((input, i) => {
        const expected = runOracle(model.graph, input);
        for (const { operator, tensor, data } of node[m]![i]!.layers) {
          expect({ model: model.name, operator, data: [...data] }).toEqual({
            model: model.name,
            operator,
            data: [...(expected.get(tensor) ?? [])],
          });
        }
      });
    });
  });
  it("equal host C, gcc", () => expectEqual("host", {}));
  it("equal host C, clang with address and undefined-behaviour sanitizers", () =>
    expectEqual("host", { cc: "clang", sanitize: true }));
  it("equal Cortex-M4 in QEMU", () => expectEqual("qemu_cortex_m4", {}));
});
