/**
 * What the zoo is for: trained float model → int8 → C, with the loss measured and every layer equal on Node.js, host C and
 * Cortex-M4. Used by `npm run zoo` and by the tests; it trains and prints nothing.
 */
import { findBoard } from "../../compiler/board/board.js";
import { describeDifference, firstDifference } from "../../compiler/model/execute/compare.js";
import { runOnNode } from "../../compiler/model/execute/inference.js";
import { runOnBoard, type BoardRunOptions } from "../../compiler/model/execute/on-board.js";
import type { Graph } from "../../compiler/model/graph.js";
import {
  lossMeasure,
  quantizeInput,
  type LossMeasure,
  type QuantizationLoss,
} from "../../compiler/model/quantize/accuracy.js";
import type { ActivationType } from "../../compiler/model/quantize/parameters.js";
import { quantizeAfterTraining } from "../../compiler/model/quantize/post-training.js";
import { readTflite } from "../../compiler/model/tflite/read.js";
import { writeTflite } from "../../compiler/model/tflite/write.js";
import type { ZooModel } from "./networks.js";
import { generate, loadTrained, seeds } from "./train.js";

/** Samples that ranges come from, that the loss is measured on, and that are compared on all targets. */
const counts = { calibration: 60, test: 500, compared: 6 } as const;

/** Most that a model of the zoo may lose: see `LossMeasure`. */
export const maxLoss = 1;

export interface CheckedModel {
  readonly model: ZooModel;
  /** As read back from the file. */
  readonly graph: Graph;
  /** The .tflite. */
  readonly file: Uint8Array;
  readonly loss: QuantizationLoss;
  readonly measured: LossMeasure;
  /** Inputs that are compared on all targets. */
  readonly inputs: readonly Int8Array[];
}

/** Quantises the trained model below `directory` (default: the repository's). `testCount` bounds the samples of the test. */
export function quantizeModel(
  model: ZooModel,
  directory?: string,
  testCount: number = counts.test,
  activations: ActivationType = "int8",
): CheckedModel {
  // Errors are means over all samples and cheap; classes are counted.
  const test = generate(model, seeds.test, model.labels.length === 0 ? counts.test : testCount);
  const { quantized, loss } = quantizeAfterTraining(
    loadTrained(model, directory),
    generate(model, seeds.calibration, counts.calibration),
    { method: "minmax", percentile: 100, biasCorrection: true, activations, test },
  );
  if (loss === undefined) {
    throw new Error("nothing was measured");
  }
  const file = writeTflite(quantized);
  const graph = readTflite(file, model.name);
  const inputs = test.inputs.slice(0, counts.compared).map((input) => quantizeInput(graph, input));
  return { model, graph, file, loss, measured: lossMeasure(loss), inputs };
}

/** Runs all models in one program on the board. Gives what differs from Node.js, by name of the model; empty: nothing. */
export async function differencesOn(
  boardName: string,
  checked: readonly CheckedModel[],
  options: BoardRunOptions = {},
): Promise<ReadonlyMap<string, string>> {
  const runs = checked.map(({ graph, inputs }) => ({
    model: { name: graph.name, graph },
    inputs: inputs.map((input) => [input]),
  }));
  const results = await runOnBoard(findBoard(boardName), runs, { warningsAreErrors: true, ...options });
  const differences = new Map<string, string>();
  runs.forEach(({ model, inputs }, m) => {
    const expected = runOnNode(model.graph, inputs);
    expected.forEach((one, i) => {
      const other = results[m]?.[i];
      const difference = other === undefined ? undefined : firstDifference(model.graph, one, other);
      if (other === undefined) {
        differences.set(model.name, `no result on ${boardName}`);
      } else if (difference !== undefined) {
        differences.set(model.name, describeDifference(difference, "on node", `on ${boardName}`));
      }
    });
  });
  return differences;
}
