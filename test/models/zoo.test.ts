/**
 * The models of models/zoo, as trained and kept in the repository: quantised, they lose at most 1 % and compute the same
 * on every layer on Node.js, host C and Cortex-M4. TMC_ZOO_SAMPLES raises the number of samples (`npm run zoo` takes 500).
 */
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runOnNode } from "../../compiler/model/execute/inference.js";
import { differencesOn, maxLoss, quantizeModel, type CheckedModel } from "../../models/zoo/check.js";
import { zoo } from "../../models/zoo/networks.js";
import { modelFile } from "../../models/zoo/train.js";
import { runTflite, tfliteKernels, tflitePython } from "./tflite-interpreter.js";

const samples = Number(process.env["TMC_ZOO_SAMPLES"] ?? "120");
let checked: CheckedModel[];

beforeAll(() => {
  checked = zoo.map((model) => quantizeModel(model, undefined, samples));
}, 120_000);

describe("the zoo", () => {
  it("has at least 12 models, each below 100 KB", () => {
    expect(zoo.length).toBeGreaterThanOrEqual(12);
    const sizes = zoo.map((model) => {
      const file = modelFile(model);
      const weights = model.asGraph === true ? 0 : statSync(join(dirname(file), "weights.bin")).size;
      return statSync(file).size + weights;
    });
    expect(Math.max(...sizes)).toBeLessThan(100_000);
    expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(1_000_000);
  });

  it("learned something", () => {
    for (const { model, loss } of checked) {
      if (loss.accuracy === undefined) {
        expect(loss.error?.float, model.name).toBeLessThan(0.15);
      } else {
        expect(loss.accuracy.float, model.name).toBeGreaterThan(0.75);
      }
    }
  });

  it("loses at most 1 % in int8", () => {
    const lost = checked.map(({ model, measured }) => ({ model: model.name, lost: measured.lost }));
    expect(lost.filter((one) => !(one.lost <= maxLoss))).toEqual([]);
  });

  it("equals Node.js in host C", async () => {
    expect([...(await differencesOn("host", checked))]).toEqual([]);
  });

  it("equals Node.js on Cortex-M4 in QEMU", async () => {
    expect([...(await differencesOn("qemu_cortex_m4", checked))]).toEqual([]);
  });

  /**
   * Its reference kernels for fully connected layers round once where those of TensorFlow Lite for Microcontrollers (and of
   * this project) round twice; its fast ones for depthwise convolutions differ from its reference with depth multiplier 3.
   * So one of the two has to agree with all outputs of a model.
   */
  it.skipIf(tflitePython === undefined)("equals TensorFlow Lite (TMC_TFLITE_PYTHON)", () => {
    const cases = checked.map(({ file, inputs }) => ({
      file,
      inputs: inputs.map((input) => new Uint8Array(input.buffer, input.byteOffset, input.length)),
    }));
    const results = tfliteKernels.map((kernels) => runTflite(tflitePython ?? "", cases, kernels));
    const different = checked.flatMap(({ model, graph, inputs }, m) => {
      const ours = runOnNode(
        graph,
        inputs.map((input) => [input]),
      ).map(({ outputs: [output] }) => Buffer.from(output ?? []));
      const agrees = results.some((all) => ours.every((output, i) => all[m]?.[i]?.equals(output) === true));
      return agrees ? [] : [model.name];
    });
    expect(different).toEqual([]);
  });
});
