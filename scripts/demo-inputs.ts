/** The inputs of the demonstration: windows of the vibration model's generator, as model input and as a sensor's CSV. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { axes, generateWindow, inUnits, labels } from "../models/vibration/generator.js";

/** Scale and zero point of the model's input (models/vibration/model.yaml). */
const scale = 0.03125;

/** A generator seed that neither training nor test data use. */
const seed = 77;

export interface Window {
  /** What the generator made: healthy, imbalance, bearing. */
  readonly label: string;
  /** The model's input: 128 samples of x, y, z. */
  readonly bytes: Uint8Array;
  /** The same bytes in a file, for `tmc model run --input`. */
  readonly file: string;
}

/** One window of each class, written into `folder`. */
export function writeWindows(folder: string): Window[] {
  mkdirSync(folder, { recursive: true });
  return labels.map((label, index) => {
    const values = inUnits(generateWindow(seed, index, index));
    const bytes = new Uint8Array(Int8Array.from(values, quantize).buffer);
    const file = join(folder, `${label}.bin`);
    writeFileSync(file, bytes);
    return { label, bytes, file };
  });
}

function quantize(value: number): number {
  return Math.min(127, Math.max(-128, Math.floor(value / scale + 0.5)));
}

/** A recording of a machine with a damaged bearing, in g, for the node's simulated accelerometer. */
export function writeRecording(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const rows = ["x,y,z"];
  const bearing = labels.indexOf("bearing");
  for (let index = 0; index < 8; index++) {
    const values = inUnits(generateWindow(seed, index, bearing));
    for (let i = 0; i < values.length; i += axes) {
      rows.push([...values.subarray(i, i + axes)].map((v) => v.toFixed(5)).join(","));
    }
  }
  const file = join(folder, "accelerometer.csv");
  writeFileSync(file, `${rows.join("\n")}\n`);
  return file;
}
