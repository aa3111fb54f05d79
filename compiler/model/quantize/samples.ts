/**
 * The data file of `tmc model quantize`: model inputs with or without labels, for calibration and tests.
 *
 * Layout: one line of JSON (UTF-8, ended by "\n"), then, only when the header has "labels", one byte per sample (its class,
 * an index into "labels"), then count * product(shape) numbers, little-endian, sample after sample, row-major:
 *
 *   {"format":"tmc-samples","version":1,"count":96,"shape":[128,1,3],"type":"int16","scale":0.0001220703125,
 *    "unit":"g","labels":["healthy","imbalance","bearing"]}
 *
 * For regression the header has "targets" instead of "labels": {"shape":[2],"type":"float32","scale":1} for values that
 * follow the inputs in the same way, or "inputs" when the model is to reproduce its input (an autoencoder).
 *
 * "type" is float32, int16, int8 or uint8; a stored number times "scale" (1 if absent) is the model's input in "unit".
 * "shape" is without the batch dimension. Python writes such a file with json.dumps, "\n" and array.tobytes().
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { elementCount } from "../graph.js";

const storedType = z.enum(["float32", "int16", "int8", "uint8"]);

const headerSchema = z.strictObject({
  format: z.literal("tmc-samples"),
  version: z.literal(1),
  count: z.number().int().nonnegative(),
  shape: z.array(z.number().int().positive()).min(1),
  type: storedType,
  scale: z.number().positive().optional(),
  unit: z.string().optional(),
  labels: z.array(z.string()).min(2).max(256).optional(),
  targets: z
    .union([
      z.literal("inputs"),
      z.strictObject({
        shape: z.array(z.number().int().positive()).min(1),
        type: storedType,
        scale: z.number().positive().optional(),
      }),
    ])
    .optional(),
});

type StoredType = z.infer<typeof headerSchema>["type"];

const storedTypes: Record<
  StoredType,
  {
    bytes: number;
    read: (v: DataView, at: number) => number;
    write: (v: DataView, at: number, x: number) => void;
  }
> = {
  float32: {
    bytes: 4,
    read: (view, at) => view.getFloat32(at, true),
    write: (view, at, value) => view.setFloat32(at, value, true),
  },
  int16: {
    bytes: 2,
    read: (view, at) => view.getInt16(at, true),
    write: (view, at, value) => view.setInt16(at, value, true),
  },
  int8: {
    bytes: 1,
    read: (view, at) => view.getInt8(at),
    write: (view, at, value) => view.setInt8(at, value),
  },
  uint8: {
    bytes: 1,
    read: (view, at) => view.getUint8(at),
    write: (view, at, value) => view.setUint8(at, value),
  },
};

/** Inputs of a model in their unit, with classes when the file has them. */
export interface Samples {
  /** Without the batch dimension. */
  readonly shape: readonly number[];
  /** Each of product(shape) values. */
  readonly inputs: readonly Float32Array[];
  /** What the values mean, e.g. "g"; empty when unknown. */
  readonly unit: string;
  /** Class names; empty when the samples have no classes. */
  readonly labels: readonly string[];
  /** One index into `labels` per sample; empty when the samples have no classes. */
  readonly classes: Uint8Array;
  /** What the model should put out, one array per sample; empty when the samples have none. */
  readonly targets: readonly Float32Array[];
}

/** What `encodeSamples` stores. `values` are stored numbers (before `scale`), sample after sample. */
export interface StoredSamples {
  readonly shape: readonly number[];
  readonly type: StoredType;
  readonly scale: number;
  readonly unit: string;
  readonly labels: readonly string[];
  readonly classes: Uint8Array;
  readonly values: ArrayLike<number>;
}

function damaged(file: string, problem: string): UserError {
  return new UserError(
    "TMC3221",
    `"${file}" is not a tmc-samples file: ${problem}`,
    "The format is one line of JSON and raw numbers; `tmc explain TMC3221` shows it.",
  );
}

/** Reads a data file. Errors TMC3220 (unreadable), TMC3221 (not the format, or damaged). */
export function readSamples(file: string): Samples {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new UserError("TMC3220", `cannot read "${file}" (${reason})`, "Check the path.", ExitCode.usage);
  }
  return decodeSamples(bytes, file);
}

/** Reads the contents of a data file; `file` is for messages. */
export function decodeSamples(bytes: Uint8Array, file: string): Samples {
  const end = bytes.indexOf(10);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, Math.max(0, end))));
  } catch {
    throw damaged(file, "its first line is not JSON");
  }
  const parsed = headerSchema.safeParse(json);
  if (!parsed.success) {
    throw damaged(file, z.prettifyError(parsed.error).split("\n").join(" "));
  }
  const { count, shape, type, scale = 1, unit = "", labels = [], targets } = parsed.data;
  if (targets !== undefined && labels.length > 0) {
    throw damaged(file, 'its header has "labels" and "targets"');
  }
  const labelBytes = labels.length > 0 ? count : 0;
  const inputBytes = count * elementCount(shape) * storedTypes[type].bytes;
  const stored = typeof targets === "object" ? targets : undefined;
  const targetBytes =
    stored === undefined ? 0 : count * elementCount(stored.shape) * storedTypes[stored.type].bytes;
  const expected = labelBytes + inputBytes + targetBytes;
  const body = bytes.subarray(end + 1);
  if (body.length !== expected) {
    throw damaged(file, `the header promises ${expected} bytes of data, there are ${body.length}`);
  }
  const classes = body.slice(0, labelBytes);
  const wrong = classes.findIndex((label) => label >= labels.length);
  if (wrong >= 0) {
    throw damaged(
      file,
      `sample ${wrong} is of class ${classes[wrong] ?? 0}, there are ${labels.length} labels`,
    );
  }
  const inputs = decodeValues(body.subarray(labelBytes), count, shape, type, scale);
  const aims =
    targets === "inputs"
      ? inputs
      : stored === undefined
        ? []
        : decodeValues(
            body.subarray(labelBytes + inputBytes),
            count,
            stored.shape,
            stored.type,
            stored.scale ?? 1,
          );
  const broken = [...inputs, ...aims].findIndex((values) => !values.every(Number.isFinite));
  if (broken >= 0) {
    throw damaged(file, `sample ${broken % count} has values that are not finite`);
  }
  return { shape, inputs, unit, labels, classes, targets: aims };
}

function decodeValues(
  bytes: Uint8Array,
  count: number,
  shape: readonly number[],
  type: StoredType,
  scale: number,
): Float32Array[] {
  const { bytes: width, read } = storedTypes[type];
  const size = elementCount(shape);
  const view = new DataView(bytes.buffer, bytes.byteOffset, count * size * width);
  return Array.from({ length: count }, (_, sample) =>
    Float32Array.from({ length: size }, (_, i) => read(view, (sample * size + i) * width) * scale),
  );
}

/** The bytes of a data file. */
export function encodeSamples(samples: StoredSamples): Uint8Array {
  const { shape, type, scale, unit, labels, classes, values } = samples;
  const count = values.length / elementCount(shape);
  const header = {
    format: "tmc-samples",
    version: 1,
    count,
    shape,
    type,
    scale,
    unit,
    ...(labels.length > 0 ? { labels } : {}),
  };
  const line = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
  const stored = storedTypes[type];
  const out = new Uint8Array(line.length + classes.length + values.length * stored.bytes);
  out.set(line);
  out.set(classes, line.length);
  const view = new DataView(out.buffer, line.length + classes.length);
  for (let i = 0; i < values.length; i++) {
    stored.write(view, i * stored.bytes, values[i] ?? 0);
  }
  return out;
}
