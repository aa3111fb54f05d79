/**
 * `--activations int16` from trained float models: less is lost than with int8, every layer equals on Node.js, host C and
 * Cortex-M4, and what has no int16 arithmetic is refused.
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { Graph, Operator } from "../../compiler/model/graph.js";
import { FloatExecutor } from "../../compiler/model/quantize/float-executor.js";
import { integersOf, parametersOf, quantizeInput } from "../../compiler/model/quantize/accuracy.js";
import { quantizeFolded } from "../../compiler/model/quantize/post-training.js";
import { formatLoss } from "../../compiler/model/quantize/report.js";
import { ModelRuntime } from "../../compiler/model/runtime.js";
import { differencesOn, quantizeModel, type CheckedModel } from "../../models/zoo/check.js";
import { zoo } from "../../models/zoo/networks.js";

const names = ["machine-autoencoder", "tone-regression", "wave-conv1d"];
let pairs: { readonly int8: CheckedModel; readonly int16: CheckedModel }[];

beforeAll(() => {
  pairs = zoo
    .filter(({ name }) => names.includes(name))
    .map((model) => ({
      int8: quantizeModel(model, undefined, 40),
      int16: quantizeModel(model, undefined, 40, "int16"),
    }));
}, 60_000);

describe("quantisation with int16 activations", () => {
  it("loses less than with int8", () => {
    expect(pairs).toHaveLength(names.length);
    for (const { int8, int16 } of pairs) {
      expect(int16.graph.tensors[int16.graph.inputs[0] ?? -1]?.type).toBe("int16");
      expect(int16.loss.deviation, int16.graph.name).toBeLessThan(int8.loss.deviation);
      if (int16.measured.measure === "error") {
        // Of classes a rounding error can also be lucky.
        expect(int16.measured.lost, int16.graph.name).toBeLessThan(int8.measured.lost);
      }
      expect(int16.loss.agreement, int16.graph.name).toBeGreaterThanOrEqual(int8.loss.agreement);
    }
    const { loss } = pairs[0]!.int16;
    expect(formatLoss(loss, "data")).not.toContain("int8");
  });

  it.each(["host", "qemu_cortex_m4"])("equals Node.js on %s", async (board) => {
    expect([
      ...(await differencesOn(
        board,
        pairs.map(({ int16 }) => int16),
      )),
    ]).toEqual([]);
  });
});

/** input [1, 8] in tensor 0, then the operators, one tensor each. */
function chain(...operators: Operator[]): Graph {
  const tensors = Array.from({ length: operators.length + 1 }, (_, i) => ({
    name: `t${i}`,
    type: "float32" as const,
    shape: [1, 8],
  }));
  return { name: "chain", tensors, operators, inputs: [0], outputs: [operators.length] };
}

const inputs = Array.from({ length: 20 }, (_, i) =>
  Float32Array.from({ length: 8 }, (_, j) => 9 * Math.sin(i * 8 + j)),
);
const samples = { shape: [8], inputs, unit: "", labels: [], classes: new Uint8Array(), targets: [] };
const settings = { method: "minmax", percentile: 100, activations: "int16" } as const;

describe("operators with int16 activations", () => {
  it.each([
    ["Relu", chain({ kind: "Relu", input: 0, output: 1 })],
    ["Relu6", chain({ kind: "Relu6", input: 0, output: 1 })],
    ["ReluN1To1", chain({ kind: "ReluN1To1", input: 0, output: 1 })],
    [
      "Maximum of an input and its tanh, which has another scale",
      chain({ kind: "Tanh", input: 0, output: 1 }, { kind: "Maximum", left: 0, right: 1, output: 2 }),
    ],
  ])("compute %s", (_, graph) => {
    const { float, quantized, loss } = quantizeFolded(graph, samples, {
      ...settings,
      biasCorrection: true,
      test: samples,
    });
    expect(loss?.deviation).toBeLessThan(1e-3);
    const runtime = new ModelRuntime(quantized);
    const executor = new FloatExecutor(float);
    const output = quantized.outputs[0] ?? -1;
    for (const input of inputs) {
      runtime.input(0).set(quantizeInput(quantized, input));
      runtime.invoke();
      const real = new FloatExecutor(graph).run(input);
      expect(executor.run(input)).toEqual(real);
      const found = integersOf(quantized, output, runtime.output(0));
      real.forEach((value, i) =>
        expect((found[i] ?? NaN) * parametersOf(quantized, output).scale).toBeCloseTo(value, 2),
      );
    }
  });

  it.each(["LeakyRelu", "HardSwish"] as const)("refuse %s, by name", (kind) => {
    const operator: Operator =
      kind === "LeakyRelu"
        ? { kind, input: 0, output: 1, alpha: Math.fround(0.1) }
        : { kind, input: 0, output: 1 };
    expect(() => quantizeFolded(chain(operator), samples, settings)).toThrow(
      expect.objectContaining({ code: "TMC3020", message: expect.stringContaining(kind) as string }),
    );
  });
});
