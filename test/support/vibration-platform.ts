/** A simulated platform with what `firmware/app.ts` expects: an accelerometer and a model of the vibration model's shape. */
import {
  createSimulatedPlatform,
  type SimulatedModel,
  type SimulatedPlatform,
  type SimulatedPlatformOptions,
} from "../../host/runtime/simulated-platform.js";

/** Frames count up: frame i is [i, -i, 0.5] in g. */
export const countingFrames = (i: number): readonly number[] => [i, -i, 0.5];

/**
 * A stand-in of 4 frames of 3 channels, scale 0.5, zero point 1: class 0, 1 or 2 by whether the sum of the quantised
 * inputs is negative, zero or positive. Without output, whoever reads it traps (`index`).
 */
export function simulatedModel(overrides: { readonly withoutOutput?: boolean } = {}): SimulatedModel {
  const input = new Int8Array(12);
  const output = new Int8Array(overrides.withoutOutput === true ? 0 : 3);
  return {
    input,
    output,
    descriptor: {
      index: 0,
      name: "vibration",
      version: "1.0.0",
      task: "classification",
      digest: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
      input: {
        type: "i8",
        shape: [1, 4, 1, 3],
        elements: 12,
        scale: 0.5,
        zeroPoint: 1,
        unit: "g",
        rate: 1600,
      },
      output: { type: "i8", shape: [1, 3], elements: 3, scale: 1 / 256, zeroPoint: -128, unit: "", rate: 0 },
      labels: ["healthy", "imbalance", "bearing"],
    },
    invoke() {
      const sum = input.reduce((a, b) => a + b, 0);
      output.fill(-128);
      output[sum < 0 ? 0 : sum === 0 ? 1 : 2] = 127;
    },
  };
}

export function vibrationPlatform(options: SimulatedPlatformOptions = {}): SimulatedPlatform {
  return createSimulatedPlatform({
    sensors: { accelerometer: { channels: 3, frame: countingFrames, maxRateMilliHz: 6_664_000 } },
    models: { "vibration.tflite": simulatedModel() },
    ...options,
  });
}
