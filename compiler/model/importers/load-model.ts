/** Every format of model files that tmc reads, and the one way from a path to a model. The commands, `tmc build` and the quantiser use it. */
import { UserError } from "../../diagnostics/user-error.js";
import type { Graph, Operator } from "../graph.js";
import { tfjsImporter } from "../import-tfjs.js";
import { tfliteImporter } from "../import-tflite.js";
import type { FloatGraph, FloatOperator } from "../quantize/float-graph.js";
import { foldGraph } from "../quantize/fold.js";
import type { Importer, LoadedModel } from "./importer.js";
import { kerasImporter } from "./keras/import-keras.js";
import { onnxImporter } from "./onnx/import-onnx.js";
import { ModelSource } from "./model-source.js";

/** In the order in which they are asked. */
export const importers: readonly Importer[] = [tfliteImporter, tfjsImporter, kerasImporter, onnxImporter];

/** "TensorFlow Lite (*.tflite), …": for messages and help. */
export function supportedFormats(): string {
  return importers.map(({ format, files }) => `${format} (${files})`).join(", ");
}

/** @throws UserError TMC3208 when no importer recognises the file, and what the importer throws. */
export function loadModel(source: ModelSource): LoadedModel {
  const importer = importers.find((candidate) => candidate.recognises(source));
  if (importer === undefined) {
    throw new UserError(
      "TMC3208",
      `${source.path} is not a model in a format that tmc reads`,
      `Give one of: ${supportedFormats()}.`,
    );
  }
  return importer.load(source);
}

const isFolded = (operator: FloatOperator): operator is Operator =>
  operator.kind !== "BatchNormalization" && operator.kind !== "Activation";

/** The graph to look at or to execute: a float model is folded, as the quantiser would, but stays float. */
export function graphOf(model: LoadedModel): Graph {
  if (model.form === "quantised") {
    return model.graph;
  }
  const { operators, ...rest } = model.graph;
  return operators.every(isFolded) ? { ...rest, operators } : foldGraph(model.graph);
}

/** The graph of the model file at `path`, of any format. @throws UserError TMC3034, TMC3208, and what importers throw. */
export function loadGraph(path: string): Graph {
  return graphOf(loadModel(ModelSource.open(path)));
}

/**
 * The float model at `path`, for quantisation. @throws UserError TMC3227 when it is quantised already, TMC3206 when it has
 * several inputs or outputs, and as `loadGraph`.
 */
export function loadFloatModel(path: string): FloatGraph {
  const source = ModelSource.open(path);
  const model = loadModel(source);
  if (model.form === "quantised") {
    throw new UserError(
      "TMC3227",
      `${source.fileName} is quantised; only float32 models can be quantised`,
      "Give the float model; a model that is int8 already needs no quantisation.",
    );
  }
  const { inputs, outputs } = model.graph;
  if (inputs.length !== 1 || outputs.length !== 1) {
    throw new UserError(
      "TMC3206",
      `${source.fileName} has ${inputs.length} inputs and ${outputs.length} outputs`,
      "One input and one output are supported.",
    );
  }
  return model.graph;
}
