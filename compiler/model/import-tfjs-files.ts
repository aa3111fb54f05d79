/**
 * Reads the files of a TensorFlow.js model: `model.json` and the binary shards it names. The result is plain data;
 * nothing here knows a layer (see `import-tfjs.ts`) or an operation of a graph model (`importers/tfjs-graph`).
 */
import { z } from "zod";
import { UserError } from "../diagnostics/user-error.js";
import { elementCount } from "./graph.js";
import { float16 } from "./importers/float16.js";
import { checkWeightCount, tooLarge } from "./importers/limits.js";
import { MAX_MODEL_BYTES, type ModelSource } from "./importers/model-source.js";

/** Most bytes of a model.json; the weights are in other files. */
const MAX_JSON_BYTES = 16 * 1024 * 1024;

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
  signature: z.unknown().optional(),
  weightsManifest: z
    .array(z.object({ paths: z.array(z.string()), weights: z.array(weightSchema) }))
    .optional(),
});

/** One entry of `layers` in the topology. */
export type TfjsLayer = z.infer<typeof layerSchema>;

export interface TfjsWeight {
  readonly shape: readonly number[];
  /** Int32Array: shapes, axes and other integers of graph models. */
  readonly values: Float32Array | Int32Array;
}

/** A layers model as read: its network and its weights by full name ("conv1/kernel"). */
export interface TfjsModel {
  readonly className: string;
  readonly name: string;
  readonly layers: readonly TfjsLayer[];
  readonly inputLayers: readonly unknown[] | undefined;
  readonly outputLayers: readonly unknown[] | undefined;
  readonly weights: ReadonlyMap<string, TfjsWeight>;
}

/** model.json and the weights it names; what the topology means is not yet looked at. */
export interface TfjsFiles {
  readonly graphModel: boolean;
  readonly topology: Readonly<Record<string, unknown>>;
  /** Inputs and outputs of a graph model, where the converter recorded them. */
  readonly signature: unknown;
  readonly weights: ReadonlyMap<string, TfjsWeight>;
}

/** Bytes of one stored element, and how it becomes a number; undefined for types that weights never have. */
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
    case "bool":
      return { bytes: 1, read: (data, offset) => data.getUint8(offset) * scale + min };
    case "int32":
      return { bytes: 4, read: (data, offset) => data.getInt32(offset, true) };
    default:
      return undefined;
  }
}

type Manifest = NonNullable<z.infer<typeof fileSchema>["weightsManifest"]>;

function readWeights(source: ModelSource, manifest: Manifest): Map<string, TfjsWeight> {
  const { fileName } = source;
  const weights = new Map<string, TfjsWeight>();
  let total = 0;
  for (const group of manifest) {
    const shards = group.paths.map((path) => source.sibling(path, "the weights"));
    if (shards.reduce((sum, shard) => sum + shard.length, 0) > MAX_MODEL_BYTES) {
      throw tooLarge(`the shards of a group in ${fileName} have more than ${MAX_MODEL_BYTES} bytes`);
    }
    const bytes = Buffer.concat(shards);
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let offset = 0;
    for (const weight of group.weights) {
      const how = decoder(weight);
      if (how === undefined) {
        throw new UserError(
          "TMC3202",
          `weight "${weight.name}" is stored as ${weight.quantization?.dtype ?? weight.dtype}, which is not supported`,
          "Save the model with float32, float16, uint8 or uint16 weights; other constants are int32 or bool.",
        );
      }
      const count = elementCount(weight.shape);
      if (offset + count * how.bytes > bytes.length) {
        throw new UserError(
          "TMC3202",
          `the weights end inside "${weight.name}": ${group.paths.join(", ")} have ${bytes.length} bytes, at least ${offset + count * how.bytes} are named in ${fileName}`,
          "Save the model again and copy model.json together with all its shards.",
        );
      }
      total = checkWeightCount(total + count);
      const values = weight.dtype === "int32" ? new Int32Array(count) : new Float32Array(count);
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
        `${group.paths.join(", ")} have ${bytes.length} bytes, but ${fileName} names ${offset}`,
        "Save the model again and copy model.json together with all its shards.",
      );
    }
  }
  return weights;
}

/** Reads `source` and its shards. Errors TMC3200 (unreadable), TMC3201 (no TensorFlow.js model), TMC3202 (weights do not fit), TMC3210, TMC3211. */
export function readTfjsFiles(source: ModelSource): TfjsFiles {
  const { fileName, bytes } = source;
  const fix = "Give the model.json that TensorFlow.js or its converter wrote.";
  if (bytes.length > MAX_JSON_BYTES) {
    throw tooLarge(`${fileName} has ${bytes.length} bytes of JSON; at most ${MAX_JSON_BYTES} are read`);
  }
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw new UserError("TMC3201", `"${fileName}" is not JSON`, fix);
  }
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    const problem = z.prettifyError(parsed.error).split("\n")[0] ?? "";
    throw new UserError("TMC3201", `"${fileName}" is not a TensorFlow.js model: ${problem}`, fix);
  }
  const { format, modelTopology, weightsManifest, signature } = parsed.data;
  return {
    graphModel: format === "graph-model" || "node" in modelTopology,
    topology: modelTopology,
    signature,
    weights: readWeights(source, weightsManifest ?? []),
  };
}

/** The network of a layers model. @throws UserError TMC3201 */
export function layersModel(source: ModelSource, files: TfjsFiles): TfjsModel {
  // Keras' converter puts the network under "model_config", TensorFlow.js itself does not.
  return {
    ...parseNetwork(source, files.topology["model_config"] ?? files.topology, "TensorFlow.js"),
    weights: files.weights,
  };
}

/** A network as Keras describes it, in `writer`'s dialect. @throws UserError TMC3201 */
export function parseNetwork(
  source: ModelSource,
  topology: unknown,
  writer: string,
): Omit<TfjsModel, "weights"> {
  const network = networkSchema.safeParse(topology);
  if (!network.success) {
    const problem = z.prettifyError(network.error).split("\n")[0] ?? "";
    throw new UserError(
      "TMC3201",
      `the topology in "${source.fileName}" is not one of a layers model: ${problem}`,
      `Save the model again with model.save() of ${writer}.`,
    );
  }
  const { class_name: className, config } = network.data;
  const body = Array.isArray(config) ? { layers: config } : config;
  return {
    className,
    name: "name" in body && body.name !== undefined ? body.name : source.fileName,
    layers: body.layers,
    inputLayers: "input_layers" in body ? body.input_layers : undefined,
    outputLayers: "output_layers" in body ? body.output_layers : undefined,
  };
}
