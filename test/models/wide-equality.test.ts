/**
 * Layers and networks of int16 activations: Node.js ≡ host C (clang with sanitizers) ≡ Cortex-M4, on every layer, also
 * after a round trip through a file; and close to float. TMC_WIDE_LAYERS=N takes N layers of each kind instead of 6.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { describeDifference, firstDifference } from "../../compiler/model/execute/compare.js";
import { runOnNode, type Inference } from "../../compiler/model/execute/inference.js";
import { runOnBoard, type BoardRunOptions } from "../../compiler/model/execute/on-board.js";
import { tensorAt, type Graph, type Tensor } from "../../compiler/model/graph.js";
import { FloatExecutor } from "../../compiler/model/quantize/float-executor.js";
import { elements } from "../../compiler/model/runtime.js";
import { readTflite } from "../../compiler/model/tflite/read.js";
import { writeTflite } from "../../compiler/model/tflite/write.js";
import { wideInputs, wideLayerKinds, wideNetwork, wideSideBySide } from "./random-wide.js";

const perKind = Number(process.env["TMC_WIDE_LAYERS"] ?? 6);
const graphs = [
  ...wideLayerKinds.map((kind, i) => wideSideBySide(kind, perKind, 3000 + i)),
  ...Array.from({ length: 3 }, (_, i) => wideNetwork(i)),
];
const runs = graphs.map((graph, i) => ({
  model: { name: graph.name, graph: readTflite(writeTflite(graph), graph.name) },
  inputs: wideInputs(graph, 4, i),
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

/** The same graph in float32. */
function floatGraph(graph: Graph): Graph {
  const real = (tensor: Tensor): Tensor => {
    const { data, quantization, name, shape } = tensor;
    const { scales, axis } = quantization ?? { scales: [1], axis: 0 };
    const inner = shape.slice(axis + 1).reduce((p, d) => p * d, 1);
    const scaleAt = (i: number): number =>
      scales.length === 1 ? (scales[0] ?? 1) : (scales[Math.floor(i / inner) % scales.length] ?? 1);
    return data === undefined
      ? { name, shape, type: "float32" }
      : { name, shape, type: "float32", data: Float32Array.from(data, Number).map((q, i) => q * scaleAt(i)) };
  };
  return { ...graph, tensors: graph.tensors.map(real) };
}

describe("int16 activations", () => {
  it("are read as they were written", () => {
    runs.forEach(({ model }, i) => expect(model.graph).toEqual(graphs[i]));
  });
  it("are close to float, layer by layer", () => {
    runs.slice(0, wideLayerKinds.length).forEach(({ model: { graph }, inputs }, m) => {
      const executor = new FloatExecutor(floatGraph(graph));
      inputs[0]?.forEach((bytes, i) => {
        const tensor = graph.inputs[i] ?? -1;
        const scale = tensorAt(graph, tensor).quantization?.scales[0] ?? 1;
        executor.tensor(tensor).set(Float32Array.from(elements(bytes), (q) => q * scale));
      });
      executor.execute();
      for (const { tensor, operator, data } of node[m]![0]!.layers) {
        const scale = tensorAt(graph, tensor).quantization?.scales[0] ?? 1;
        const operatorKind = graph.operators[operator]?.kind;
        const output = elements(data);
        executor.tensor(tensor).forEach((real, i) => {
          const wanted = Math.max(-32768, Math.min(32767, real / scale));
          const error = Math.abs((output[i] ?? 0) - wanted);
          // Multipliers of 15 bits, tables: up to 2^-12 of the value and some steps; exp(-10) stands for less in softmax.
          const depth = operatorKind === "Softmax" ? (tensorAt(graph, tensor).shape.at(-1) ?? 1) : 0;
          const what = `${graph.name} ${operatorKind} ${operator}: ${output[i]} for ${wanted}`;
          expect(error, what).toBeLessThan(40 + 2 * depth + Math.abs(wanted) / 4096);
        });
      }
    });
  });
  it("equal host C, clang with address and undefined-behaviour sanitizers", () =>
    expectEqual("host", { cc: "clang", sanitize: true }));
  it("equal Cortex-M4 in QEMU", () => expectEqual("qemu_cortex_m4", {}));
});
