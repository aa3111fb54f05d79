/**
 * Imports Keras models: .keras files (a zip with config.json and model.weights.h5) of Keras 3, and HDF5 files (.h5) of Keras 2
 * and 3. The network is that of TensorFlow.js layers models, and `import-tfjs.ts` builds it; here are the containers and
 * how weights find their layers.
 */
import { unzipSync } from "fflate";
import { UserError } from "../../../diagnostics/user-error.js";
import { buildNetwork } from "../../import-tfjs.js";
import { parseNetwork, type TfjsLayer, type TfjsModel, type TfjsWeight } from "../../import-tfjs-files.js";
import type { FloatGraph } from "../../quantize/float-graph.js";
import type { Importer } from "../importer.js";
import { tooLarge } from "../limits.js";
import { MAX_MODEL_BYTES, type ModelSource } from "../model-source.js";
import { readH5, type H5File } from "./h5-file.js";

/** Most bytes of config.json. */
const MAX_CONFIG_BYTES = 16 * 1024 * 1024;

function damaged(source: ModelSource, reason: string): UserError {
  return new UserError(
    "TMC3209",
    `${source.fileName} is damaged, or not a Keras model: ${reason}`,
    "Save the model again with model.save() of Keras.",
  );
}

function parseJson(source: ModelSource, text: string, what: string): unknown {
  if (text.length > MAX_CONFIG_BYTES) {
    throw tooLarge(`${what} has more than ${MAX_CONFIG_BYTES} bytes`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(source, `${what} is not JSON`);
  }
}

function checkFinite(source: ModelSource, file: H5File): void {
  const bad = file.tensors.find(({ values }) => !values.every(Number.isFinite));
  if (bad !== undefined) {
    throw new UserError(
      "TMC3202",
      `${source.fileName}: weight "${bad.path}" has values that are not finite`,
      "Training diverged or the file is damaged: train again (with a smaller learning rate) or copy the file again.",
    );
  }
}

/** Weights below /model_weights/LAYER/, by the rest of their path: "LAYER/kernel". */
function h5Weights(network: Omit<TfjsModel, "weights">, file: H5File): Map<string, TfjsWeight> {
  const weights = new Map<string, TfjsWeight>();
  for (const { path, shape, values } of file.tensors) {
    const [top, , ...rest] = path.split("/");
    if (top === "model_weights" && rest.length > 0) {
      weights.set(rest.join("/"), { shape, values });
    }
  }
  for (const { class_name: className, config } of network.layers) {
    // Keras 3 calls it "kernel", Keras 2 "depthwise_kernel".
    const kernel = weights.get(`${String(config["name"])}/kernel`);
    if (className === "DepthwiseConv2D" && kernel !== undefined) {
      weights.set(`${String(config["name"])}/depthwise_kernel`, kernel);
    }
  }
  return weights;
}

function loadH5(source: ModelSource): FloatGraph {
  const file = readH5(source.bytes, source.fileName);
  checkFinite(source, file);
  if (file.config === undefined) {
    throw new UserError(
      "TMC3201",
      `${source.fileName} has weights, but no model (the attribute model_config is missing)`,
      "Save the whole model with model.save(), not save_weights().",
    );
  }
  const topology = parseJson(source, file.config, "model_config");
  const network = parseNetwork(source, topology, "Keras");
  return buildNetwork({ ...network, weights: h5Weights(network, file) });
}

/** "DepthwiseConv2D" → "depthwise_conv2d", as Keras names the groups of its layers. */
function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/** Names of a layer's variables in the order in which Keras 3 numbers them. */
function variableNames({ class_name: className, config }: TfjsLayer): string[] {
  const bias = config["use_bias"] === false ? [] : ["bias"];
  switch (className) {
    case "BatchNormalization":
      return [
        ...(config["scale"] === false ? [] : ["gamma"]),
        ...(config["center"] === false ? [] : ["beta"]),
        "moving_mean",
        "moving_variance",
      ];
    case "DepthwiseConv2D":
      return ["depthwise_kernel", ...bias];
    case "SeparableConv1D":
    case "SeparableConv2D":
      return ["depthwise_kernel", "pointwise_kernel", ...bias];
    case "PReLU":
      return ["alpha"];
    default:
      return ["kernel", ...bias];
  }
}

/** Weights by layer name: the groups are called after classes, counted in the order of layers. */
function keras3Weights(network: Omit<TfjsModel, "weights">, file: H5File): Map<string, TfjsWeight> {
  const tensors = new Map(file.tensors.map((tensor) => [tensor.path, tensor]));
  const weights = new Map<string, TfjsWeight>();
  const counts = new Map<string, number>();
  for (const layer of network.layers) {
    const group = snakeCase(layer.class_name);
    const count = counts.get(group) ?? 0;
    counts.set(group, count + 1);
    const name = String(layer.config["name"] ?? layer.name ?? "");
    variableNames(layer).forEach((variable, i) => {
      const tensor = tensors.get(`layers/${count === 0 ? group : `${group}_${count}`}/vars/${i}`);
      if (tensor !== undefined) {
        weights.set(`${name}/${variable}`, tensor);
      }
    });
  }
  return weights;
}

function loadKeras(source: ModelSource): FloatGraph {
  const wanted = ["config.json", "model.weights.h5"];
  let parts: Record<string, Uint8Array>;
  try {
    parts = unzipSync(source.bytes, {
      filter: ({ name, originalSize }) => {
        if (wanted.includes(name) && originalSize > MAX_MODEL_BYTES) {
          throw tooLarge(`"${name}" in ${source.fileName} has ${originalSize} bytes`);
        }
        return wanted.includes(name);
      },
    });
  } catch (error) {
    throw error instanceof UserError
      ? error
      : damaged(source, error instanceof Error ? error.message : String(error));
  }
  const [config, h5] = wanted.map((name) => parts[name]);
  if (config === undefined || h5 === undefined) {
    throw damaged(source, `there is no ${config === undefined ? "config.json" : "model.weights.h5"} in it`);
  }
  if (config.length > MAX_CONFIG_BYTES) {
    throw tooLarge(`config.json has ${config.length} bytes, at most ${MAX_CONFIG_BYTES} are read`);
  }
  const topology = parseJson(source, Buffer.from(config).toString("utf8"), "config.json");
  const network = parseNetwork(source, topology, "Keras");
  const file = readH5(h5, `model.weights.h5 in ${source.fileName}`);
  checkFinite(source, file);
  return buildNetwork({ ...network, weights: keras3Weights(network, file) });
}

const startsWith = (bytes: Uint8Array, offset: number, text: string): boolean =>
  Buffer.from(bytes.subarray(offset, offset + text.length)).toString("latin1") === text;

/** HDF5 lets a block of other content stand before its signature. */
const isH5 = ({ bytes }: ModelSource): boolean =>
  [0, 512, 1024, 2048].some((offset) => startsWith(bytes, offset, "\x89HDF\r\n\x1a\n"));

const isZip = ({ bytes }: ModelSource): boolean => startsWith(bytes, 0, "PK\x03\x04");

/** The importer of Keras models. */
export const kerasImporter: Importer = {
  format: "Keras",
  files: "*.keras, *.h5",
  recognises: (source) => isH5(source) || isZip(source) || /\.(keras|h5|hdf5)$/.test(source.path),
  load: (source) => {
    const zip = isZip(source) || (!isH5(source) && source.path.endsWith(".keras"));
    return { form: "float", graph: zip ? loadKeras(source) : loadH5(source) };
  },
};
