/**
 * Reads the files of a TensorFlow.js layers model: `model.json` and the binary shards it names. The result is plain data;
 * nothing here knows a layer (see `import-tfjs.ts`).
 */
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import { elementCount } from "./graph.js";

const weightSchema = z.object({
  name: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  dtype: z.string(),
  quantization: z
    .object({ dtype: z.string(), scale: z.number().optional(), min: z.number().optional() })
    .optional(),
});

const layerSchema = z.object({
  class_name: z.string(),
  name: z.string().optional(),
  config: z.record(z.string(), z.unknown()),
  inbound_nodes: z.array(z.unknown()).optional(),
});

const networkConfigSchema = z.object({
  name: z.string().optional(),
  layers: z.array(layerSchema),
  input_layers: z.array(z.unknown()).optional(),
  output_layers: z.array(z.unknown()).optional(),
});

const networkSchema = z.object({
  class_name: z.string(),
  // Early versions write a Sequential's layers without an object around them.
  config: z.union([z.array(layerSchema), networkConfigSchema]),
});

const fileSchema = z.object({
  format: z.string().optional(),
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z
    .array(z.object({ paths: z.array(z.string()), weights: z.array(weightSchema) }))
    .optional(),
});

/** One entry of `layers` in the topology. */
export type TfjsLayer = z.infer<typeof layerSchema>;

export interface TfjsWeight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A layers model as read: its network and its weights by full name ("conv1/kernel"). */
export interface TfjsModel {
  readonly file: string;
  readonly className: string;
  readonly name: string;
  readonly layers: readonly TfjsLayer[];
  readonly inputLayers: readonly unknown[] | undefined;
  readonly outputLayers: readonly unknown[] | undefined;
  readonly weights: ReadonlyMap<string, TfjsWeight>;
}

function readBytes(path: string, what: string, fix: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new UserError("TMC3200", `cannot read ${what} "${path}" (${reason})`, fix, ExitCode.usage);
  }
}

function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) {
    return fraction === 0 ? sign * Infinity : NaN;
  }
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Bytes of one stored element, and how it becomes a float; undefined for types that weights of a float model never have. */
function decoder(
  weight: z.infer<typeof weightSchema>,
): { bytes: number; read: (data: DataView, offset: number) => number } | undefined {
  const stored = weight.quantization?.dtype ?? weight.dtype;
  const scale = weight.quantization?.scale ?? 1;
  const min = weight.quantization?.min ?? 0;
  switch (stored) {
    case "float32":
      return { bytes: 4, read: (data, offset) => data.getFloat32(offset, true) };
    case "float16":
      return { bytes: 2, read: (data, offset) => float16(data.getUint16(offset, true)) };
    case "uint16":
      return { bytes: 2, read: (data, offset) => data.getUint16(offset, true) * scale + min };
    case "uint8":
      return { bytes: 1, read: (data, offset) => data.getUint8(offset) * scale + min };
    default:
      return undefined;
  }
}

type Manifest = NonNullable<z.infer<typeof fileSchema>["weightsManifest"]>;

function readWeights(file: string, manifest: Manifest): Map<string, TfjsWeight> {
  const weights = new Map<string, TfjsWeight>();
  for (const group of manifest) {
    const shards = group.paths.map((path) =>
      readBytes(
        join(dirname(file), path),
        "the weights",
        `Put every file that "weightsManifest" names beside ${basename(file)}; save the model again if one is lost.`,
      ),
    );
    const bytes = Buffer.concat(shards);
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let offset = 0;
    for (const weight of group.weights) {
      const how = decoder(weight);
      if (how === undefined) {
        throw new UserError(
          "TMC3202",
          `weight "${weight.name}" is stored as ${weight.quantization?.dtype ?? weight.dtype}, which is not supported`,
          "Save the model with float32, float16, uint8 or uint16 weights.",
        );
      }
      const count = elementCount(weight.shape);
      if (offset + count * how.bytes > bytes.length) {
        throw new UserError(
          "TMC3202",
          `the weights end inside "${weight.name}": ${group.paths.join(", ")} have ${bytes.length} bytes, at least ${offset + count * how.bytes} are named in ${basename(file)}`,
          "Save the model again and copy model.json together with all its shards.",
        );
      }
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        values[i] = how.read(data, offset + i * how.bytes);
      }
      if (!values.every(Number.isFinite)) {
        throw new UserError(
          "TMC3202",
          `weight "${weight.name}" has values that are not finite`,
          "Training diverged or the shard is damaged: train again (with a smaller learning rate) or copy the file again.",
        );
      }
      offset += count * how.bytes;
      weights.set(weight.name, { shape: weight.shape, values });
    }
    if (offset !== bytes.length) {
      throw new UserError(
        "TMC3202",
        `${group.paths.join(", ")} have ${bytes.length} bytes, but ${basename(file)} names ${offset}`,
        "Save the model again and copy model.json together with all its shards.",
      );
    }
  }
  return weights;
}

/** Reads `file` and its shards. Errors TMC3200 (unreadable), TMC3201 (not a layers model), TMC3202 (weights do not fit). */
export function readTfjsFiles(file: string): TfjsModel {
  const text = readBytes(file, "the model", "Check the path; it should end in model.json.").toString("utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UserError(
      "TMC3201",
      `"${file}" is not JSON`,
      "Give the model.json that model.save() of TensorFlow.js wrote.",
    );
  }
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    throw new UserError(
      "TMC3201",
      `"${file}" is not a TensorFlow.js model: ${z.prettifyError(parsed.error).split("\n")[0] ?? ""}`,
      "Give the model.json that model.save() of TensorFlow.js wrote.",
    );
  }
  const { format, modelTopology, weightsManifest } = parsed.data;
  if (format === "graph-model" || "node" in modelTopology) {
    throw new UserError(
      "TMC3203",
      `"${file}" is a TensorFlow.js graph model; only layers models are read`,
      "Save the Keras or TensorFlow.js model as a layers model, or convert it to an int8 .tflite with TensorFlow's converter.",
    );
  }
  // Keras' converter puts the network under "model_config", TensorFlow.js itself does not.
  const network = networkSchema.safeParse(modelTopology["model_config"] ?? modelTopology);
  if (!network.success) {
    throw new UserError(
      "TMC3201",
      `the topology in "${file}" is not one of a layers model: ${z.prettifyError(network.error).split("\n")[0] ?? ""}`,
      "Save the model again with model.save() of TensorFlow.js.",
    );
  }
  const { class_name: className, config } = network.data;
  const body = Array.isArray(config) ? { layers: config } : config;
  return {
    file,
    className,
    name: "name" in body && body.name !== undefined ? body.name : basename(file),
    layers: body.layers,
    inputLayers: "input_layers" in body ? body.input_layers : undefined,
    outputLayers: "output_layers" in body ? body.output_layers : undefined,
    weights: readWeights(file, weightsManifest ?? []),
  };
}
