/** Models of every format that are whole, and ways to damage them: their bytes, or the descriptions that files are made from. */
import { readFileSync } from "node:fs";
import { unzipSync, zipSync } from "fflate";
import { packagePath } from "../../compiler/board/package-root.js";
import { graphModels } from "../../compiler/model/importers/fixtures/graph-models.js";
import { h5File } from "../../compiler/model/importers/fixtures/keras-files.js";
import { onnxFile, type OnnxFile } from "../../compiler/model/importers/fixtures/onnx-file.js";
import { onnxNetworks } from "../../compiler/model/importers/fixtures/onnx-networks.js";
import { ModelSource } from "../../compiler/model/importers/model-source.js";
import { buildFile, smallFile, type FileDescription } from "../models/tflite-file.js";
import { mutateBytes, mutateTree, type Random } from "./mutate.js";

export interface Seed {
  readonly format: string;
  readonly name: string;
  /** The model as it is; given `random`, a damaged one. Undefined: the damage cannot be written as a file. */
  make(random?: Random): ModelSource | undefined;
}

const noFiles = (): Uint8Array => {
  throw new Error("no such file");
};

const source = (path: string, bytes: Uint8Array): ModelSource => new ModelSource(path, bytes, noFiles);

/** Files that are one piece of bytes; `other` is where parts come from that are put into others. */
function bytesSeed(format: string, name: string, path: string, bytes: Uint8Array, other = bytes): Seed {
  return {
    format,
    name: `${name}, bytes`,
    make: (random) => source(path, random === undefined ? bytes : mutateBytes(bytes, other, random)),
  };
}

/** Files written from a description. What the writer cannot write (a text where it needs a number) is no file. */
function treeSeed<T extends object>(
  format: string,
  name: string,
  path: string,
  tree: T,
  write: (tree: T) => Uint8Array,
): Seed {
  return {
    format,
    name: `${name}, contents`,
    make: (random) => {
      const copy = structuredClone(tree);
      if (random !== undefined) {
        mutateTree(copy as Record<string, unknown>, random);
      }
      try {
        return source(path, write(copy));
      } catch (error) {
        if (random === undefined) {
          throw error;
        }
        return undefined;
      }
    },
  };
}

/** model.json with one file of weights, both damaged. */
function jsonSeed(name: string, json: object, weights: Uint8Array): Seed {
  return {
    format: "TensorFlow.js",
    name,
    make: (random) => {
      const copy = structuredClone(json);
      let shard = weights;
      let text = JSON.stringify(copy);
      if (random !== undefined && random(8) === 0) {
        text = Buffer.from(mutateBytes(Buffer.from(text), Buffer.from(text), random)).toString("utf8");
      } else if (random !== undefined) {
        mutateTree(copy as Record<string, unknown>, random);
        text = JSON.stringify(copy);
        shard = random(4) === 0 ? mutateBytes(weights, weights, random) : weights;
      }
      return new ModelSource("model.json", Buffer.from(text), (path) =>
        path === "w.bin" ? shard : noFiles(),
      );
    },
  };
}

function kerasNetwork(keras3: boolean): object {
  const layer = (className: string, config: object, from?: string): object => {
    const { name } = config as { name: string };
    const history = { class_name: "__keras_tensor__", config: { keras_history: [from, 0, 0] } };
    const nodes = from === undefined ? [] : keras3 ? [{ args: [history], kwargs: {} }] : [[[from, 0, 0, {}]]];
    return { class_name: className, config, name, inbound_nodes: nodes };
  };
  const layers = [
    layer("InputLayer", { name: "in", batch_input_shape: [null, 6, 6, 2] }),
    layer(
      "Conv2D",
      { name: "conv", filters: 3, kernel_size: [3, 3], strides: [1, 1], padding: "same", activation: "relu" },
      "in",
    ),
    layer("BatchNormalization", { name: "norm", epsilon: 0.001, axis: [3] }, "conv"),
    layer("MaxPooling2D", { name: "pool", pool_size: [2, 2], strides: [2, 2], padding: "valid" }, "norm"),
    layer("Flatten", { name: "flat" }, "pool"),
    layer("Dense", { name: "out", units: 2, activation: "softmax" }, "flat"),
  ];
  const config = { name: "net", layers, input_layers: [["in", 0, 0]], output_layers: [["out", 0, 0]] };
  return { class_name: "Functional", config };
}

const tensor = (...shape: number[]): { shape: number[]; data: Float32Array } => {
  const count = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float32Array.from({ length: count }, (_, i) => Math.sin(i + 1) / 4 + 0.5) };
};

async function kerasSeeds(): Promise<Seed[]> {
  const parts = {
    conv: [tensor(3, 3, 2, 3), tensor(3)],
    norm: [3, 3, 3, 3].map((n) => tensor(n)),
    out: [tensor(27, 2), tensor(2)],
  };
  const names = {
    conv: ["kernel", "bias"],
    norm: ["gamma", "beta", "moving_mean", "moving_variance"],
    out: ["kernel", "bias"],
  };
  const groups = { conv: "conv2d", norm: "batch_normalization", out: "dense" };
  const tensors = (
    of: (layer: keyof typeof parts, i: number) => string,
  ): Record<string, ReturnType<typeof tensor>> =>
    Object.fromEntries(
      (["conv", "norm", "out"] as const).flatMap((layer) =>
        parts[layer].map((part, i) => [of(layer, i), part]),
      ),
    );
  const old = tensors((layer, i) => `model_weights/${layer}/${layer}/${names[layer][i]}:0`);
  const h5 = await h5File({ config: JSON.stringify(kerasNetwork(false)), tensors: old });
  const weights = await h5File({ tensors: tensors((layer, i) => `layers/${groups[layer]}/vars/${i}`) });
  const zip = (config: string, inner: Uint8Array): Uint8Array =>
    zipSync({ "config.json": Buffer.from(config), "model.weights.h5": inner });
  const whole = zip(JSON.stringify(kerasNetwork(true)), weights);
  const inside: Seed = {
    format: "Keras",
    name: ".keras, weights",
    make: (random) => {
      const files = unzipSync(whole);
      const inner = files["model.weights.h5"] ?? weights;
      const changed = random === undefined ? inner : mutateBytes(inner, inner, random);
      return source("net.keras", zip(JSON.stringify(kerasNetwork(true)), changed));
    },
  };
  return [
    bytesSeed("Keras", ".h5", "net.h5", h5),
    bytesSeed("Keras", ".keras", "net.keras", whole),
    treeSeed("Keras", ".keras", "net.keras", kerasNetwork(true), (tree) =>
      zip(JSON.stringify(tree), weights),
    ),
    inside,
  ];
}

/** Every format has several seeds. */
export async function seeds(): Promise<Seed[]> {
  const file = (name: string): Uint8Array =>
    new Uint8Array(readFileSync(packagePath("models", "vibration", name)));
  const small = buildFile(smallFile());
  const vibration = file("vibration.tflite");
  const layers = JSON.parse(Buffer.from(file("model.json")).toString("utf8")) as {
    weightsManifest: { paths: string[] }[];
  };
  layers.weightsManifest.forEach((group) => (group.paths = ["w.bin"]));
  return [
    bytesSeed("TensorFlow Lite", "small", "net.tflite", small, vibration),
    bytesSeed("TensorFlow Lite", "vibration", "net.tflite", vibration, small),
    treeSeed<FileDescription>("TensorFlow Lite", "small", "net.tflite", smallFile(), buildFile),
    jsonSeed("vibration", layers, file("weights.bin")),
    ...Object.entries(graphModels).map(([name, make]) => {
      const { json, weights, bytes } = make();
      return jsonSeed(name, { ...json, weightsManifest: [{ paths: ["w.bin"], weights }] }, bytes);
    }),
    ...Object.entries(onnxNetworks).flatMap(([name, network]) => [
      bytesSeed("ONNX", name, "net.onnx", onnxFile(network), vibration),
      treeSeed<OnnxFile>("ONNX", name, "net.onnx", network, onnxFile),
    ]),
    ...(await kerasSeeds()),
  ];
}
