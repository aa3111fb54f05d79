/**
 * From the trained weights to what a node needs: the int8 model, golden inputs and outputs, and the descriptor with the
 * accuracy that was measured. Everything follows from model.json and the data; nothing is trained here.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { importTfjs } from "../../compiler/model/import-tfjs.js";
import { parametersOf, quantizeInput, type Accuracy } from "../../compiler/model/quantize/accuracy.js";
import { quantizeAfterTraining } from "../../compiler/model/quantize/post-training.js";
import { formatLoss } from "../../compiler/model/quantize/report.js";
import { readSamples, type Samples } from "../../compiler/model/quantize/samples.js";
import { ModelRuntime } from "../../compiler/model/runtime.js";
import { writeTflite } from "../../compiler/model/tflite/write.js";
import { tensorAt, type Graph } from "../../compiler/model/graph.js";
import { labels, sampleRate } from "./generator.js";

/** -4 g to 4 g less one step: scale exactly 1/32 g, zero point 0. */
const inputRange = { low: -4, high: 4 - 1 / 32 };
/** Golden pairs: the first windows of the calibration data, so two or three of every class. */
const goldenCount = 8;

const rounded = (fraction: number): number => Number(fraction.toFixed(4));

function metrics(accuracy: Accuracy, side: "float" | "int8"): Record<string, unknown> {
  return {
    accuracy: rounded(accuracy[side]),
    per_class: Object.fromEntries(accuracy.classes.map((c) => [c.label, rounded(c[side])])),
    confusion: accuracy.confusion[side],
  };
}

function describeTensor(graph: Graph, index: number): Record<string, unknown> {
  const { shape, type } = tensorAt(graph, index);
  const { scale, zeroPoint } = parametersOf(graph, index);
  return { shape, type, scale, zero_point: zeroPoint };
}

function writeGolden(directory: string, graph: Graph, calibration: Samples): void {
  const runtime = new ModelRuntime(graph);
  calibration.inputs.slice(0, goldenCount).forEach((window, k) => {
    const input = quantizeInput(graph, window);
    runtime.input(0).set(input);
    runtime.invoke();
    writeFileSync(join(directory, "golden", `input_${k}.bin`), input);
    writeFileSync(join(directory, "golden", `output_${k}.bin`), runtime.output(0));
  });
}

/** Writes vibration.tflite, golden/ and model.yaml into `directory`; `test` (`data` says what it is) measures the accuracy. */
export function packModel(directory: string, test: Samples, data: string): void {
  const calibration = readSamples(join(directory, "calibration.samples"));
  const { quantized, loss } = quantizeAfterTraining(importTfjs(join(directory, "model.json")), calibration, {
    method: "minmax",
    percentile: 100,
    inputRange,
    test,
  });
  if (loss?.accuracy === undefined) {
    throw new Error("the test data has no classes");
  }
  console.log(formatLoss(loss, data));
  const model = writeTflite(quantized);
  writeFileSync(join(directory, "vibration.tflite"), model);
  writeGolden(directory, quantized, calibration);
  const descriptor = {
    name: "vibration",
    version: "1.0.0",
    description:
      "Tells from 80 ms of acceleration whether a rotating machine is healthy, unbalanced or has a damaged bearing.",
    task: "classification",
    model: {
      file: "vibration.tflite",
      bytes: model.length,
      sha256: createHash("sha256").update(model).digest("hex"),
    },
    input: {
      ...describeTensor(quantized, quantized.inputs[0] ?? -1),
      unit: "g",
      rate_hz: sampleRate,
      order: "x, y, z of the first sample, then of the next",
      range: [inputRange.low, inputRange.high],
    },
    preprocessing: {
      steps: [],
      quantize: "q = min(127, max(-128, floor(value / scale + 0.5) + zero_point)); gravity stays in",
    },
    output: { ...describeTensor(quantized, quantized.outputs[0] ?? -1), labels: [...labels] },
    metrics: {
      data,
      float: metrics(loss.accuracy, "float"),
      int8: metrics(loss.accuracy, "int8"),
      agreement: rounded(loss.agreement),
    },
    training: { script: "models/vibration/train.ts", data: "models/vibration/generator.ts (synthetic)" },
    license: "Apache-2.0",
  };
  const header =
    "# Written by train.ts; not by hand. Scale and zero point are what a node quantises its windows with.\n";
  writeFileSync(join(directory, "model.yaml"), header + stringify(descriptor, { lineWidth: 110 }));
}
