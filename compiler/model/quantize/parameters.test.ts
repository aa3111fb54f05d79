/** Quantisation parameters: the rules of TFLite's int8 specification, and the corner cases of weights. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  activationParameters,
  chooseParameters,
  quantizeOperand,
  quantizeValue,
  quantizeWeights,
} from "./parameters.js";

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });

describe("activations", () => {
  it("always represent 0 exactly and the range within half a step", () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const parameters = activationParameters({ low: Math.min(a, b), high: Math.max(a, b) });
        const { scale, zeroPoint } = parameters;
        expect(Math.fround(scale)).toBe(scale);
        expect(scale).toBeGreaterThan(0);
        expect(Number.isInteger(zeroPoint) && zeroPoint >= -128 && zeroPoint <= 127).toBe(true);
        expect(quantizeValue(0, parameters)).toBe(zeroPoint);
        for (const value of [a, b]) {
          const back = scale * (quantizeValue(value, parameters) - zeroPoint);
          // The zero point is rounded, which may cut up to half a step more at one end.
          expect(Math.abs(back - value)).toBeLessThanOrEqual(scale * 1.01);
        }
      }),
      { seed: 1 },
    );
  });

  it("give a sensor's range a scale that is a power of two", () => {
    expect(activationParameters({ low: -4, high: 4 - 1 / 32 })).toEqual({ scale: 1 / 32, zeroPoint: 0 });
  });

  it("survive a tensor that is always zero", () => {
    expect(activationParameters({ low: 0, high: 0 })).toEqual({ scale: 1, zeroPoint: 0 });
  });

  it("round halves up and saturate", () => {
    const parameters = { scale: 0.5, zeroPoint: -3 };
    expect([0.25, -0.25, 1000, -1000].map((v) => quantizeValue(v, parameters))).toEqual([-2, -3, 127, -128]);
  });
});

describe("weights", () => {
  const weights = (values: number[], bias: number[] | undefined, perTensor = false) => ({
    values: Float32Array.from(values),
    bias: bias === undefined ? undefined : Float32Array.from(bias),
    channels: 2,
    channelOf: (i: number) => Math.floor(i / 2),
    perTensor,
    axis: 0,
  });

  it("use -127 to 127 in each channel, with biases in steps of input times weight", () => {
    const { filter, bias } = quantizeWeights(weights([1, -0.4, 0.011, 0.02], [0.3, -0.1]), 0.5);
    expect(Array.from(filter.data)).toEqual([127, -51, 70, 127]);
    expect(filter.quantization.scales).toEqual([Math.fround(1 / 127), Math.fround(Math.fround(0.02) / 127)]);
    expect(Array.from(bias?.data ?? [], Number)).toEqual([
      Math.round((0.3 * 127) / 0.5),
      Math.round((-0.1 * 127) / 0.02 / 0.5),
    ]);
    expect(bias?.quantization.scales).toEqual(filter.quantization.scales.map((s) => Math.fround(s * 0.5)));
  });

  it("use one scale for all channels where the specification wants it", () => {
    const { filter, bias } = quantizeWeights(weights([1, -0.4, 0.011, 0.02], [0.3, -0.1], true), 0.5);
    expect(Array.from(filter.data)).toEqual([127, -51, 1, 3]);
    expect(filter.quantization).toEqual({ scales: [Math.fround(1 / 127)], zeroPoints: [0], axis: 0 });
    expect(bias?.quantization.scales).toHaveLength(1);
  });

  it.each([false, true])("keep the bias of filters that are all zero (per tensor: %s)", (perTensor) => {
    const { filter, bias } = quantizeWeights(weights([0, 0, 0, 0], [5, -0.001], perTensor), 0.05);
    expect(Array.from(filter.data)).toEqual([0, 0, 0, 0]);
    [5, -0.001].forEach((value, c) => {
      const scale = (filter.quantization.scales[perTensor ? 0 : c] ?? NaN) * 0.05;
      expect(Math.abs(Number(bias?.data[c]))).toBeLessThan(2 ** 25);
      expect(Number(bias?.data[c]) * scale).toBeCloseTo(value, 5);
    });
  });

  it("never let a bias overflow, and take filters that are nothing at all", () => {
    const tiny = quantizeWeights(weights([1e-12, 0, 0, 0], [100, 0]), 0.01);
    expect(Math.abs(Number(tiny.bias?.data[0]))).toBeLessThanOrEqual(2 ** 24 + 1);
    expect(tiny.filter.quantization.scales.every((scale) => scale > 0)).toBe(true);
    expect(quantizeWeights(weights([0, 0, 0, 0], undefined), 1).bias).toBeUndefined();
  });
});

describe("int16 activations", () => {
  it("are symmetric, and a sensor's range has a scale that is a power of two", () => {
    expect(activationParameters({ low: -4, high: 4 - 2 ** -13 }, "int16")).toEqual({
      scale: 2 ** -13,
      zeroPoint: 0,
    });
    const { scale, zeroPoint } = activationParameters({ low: 1, high: 3 }, "int16");
    expect({ scale, zeroPoint }).toEqual({ scale: Math.fround(3 / 32767), zeroPoint: 0 });
    expect(activationParameters({ low: 0, high: 0 }, "int16")).toEqual({ scale: 1, zeroPoint: 0 });
    const half = { scale: 0.5, zeroPoint: 0 };
    expect([0.25, 1e6, -1e6].map((v) => quantizeValue(v, half, "int16"))).toEqual([1, 32767, -32768]);
    expect(quantizeOperand(Float32Array.of(1), undefined, "int16").data).toEqual(Int16Array.of(32767));
  });

  it("have scale 1/32768 after softmax, logistic and tanh, which pools keep", () => {
    const tensor = { name: "", type: "float32", shape: [1, 4, 4, 2] } as const;
    const pool = {
      padding: "valid",
      strideHeight: 1,
      strideWidth: 1,
      filterHeight: 1,
      filterWidth: 1,
    } as const;
    const chosen = chooseParameters(
      {
        name: "",
        tensors: Array.from({ length: 5 }, () => tensor),
        inputs: [0],
        outputs: [3, 4],
        operators: [
          { kind: "Tanh", input: 0, output: 1 },
          { kind: "MaxPool2D", ...pool, activation: "none", input: 1, output: 2 },
          { kind: "Softmax", beta: 1, input: 2, output: 3 },
          { kind: "Logistic", input: 2, output: 4 },
        ],
      },
      Array.from({ length: 5 }, () => ({ low: -0.5, high: 0.5 })),
      undefined,
      "int16",
    );
    const unit = { scale: 1 / 32768, zeroPoint: 0 };
    expect(chosen).toEqual([{ scale: Math.fround(0.5 / 32767), zeroPoint: 0 }, unit, unit, unit, unit]);
  });

  it("have int64 biases, in channels of zeros too", () => {
    const weights = {
      values: Float32Array.of(1, -0.4, 0, 0),
      bias: Float32Array.of(0.3, -2),
      channels: 2,
      channelOf: (i: number) => Math.floor(i / 2),
      perTensor: false,
      axis: 0,
    };
    const { filter, bias } = quantizeWeights(weights, 2 ** -13, "int16");
    expect(filter.data).toEqual(Int8Array.of(127, -51, 0, 0));
    expect(bias?.data).toBeInstanceOf(BigInt64Array);
    weights.bias.forEach((value, c) => {
      const scale = bias?.quantization.scales[c] ?? NaN;
      expect(Number(bias?.data[c]) * scale).toBeCloseTo(value, 5);
      expect(Math.abs(Number(bias?.data[c]))).toBeLessThanOrEqual(2 ** 31 + 256);
    });
    const nothing = quantizeWeights({ ...weights, bias: undefined }, 1, "int16");
    expect(nothing.filter.quantization.scales).toEqual([Math.fround(1 / 127), Math.fround(1 / 127)]);
  });
});
