/**
 * Imports TensorFlow.js layers models (model.json and shards, from TensorFlow.js or converted from Keras) as float graphs.
 * It walks the topology and wires layers; what each layer class becomes is in `import-tfjs-layers.ts`. The TensorFlow.js
 * package itself is not needed.
 *
 * Graph models are imported by `importers/tfjs-graph`. Not imported: nested models, shared layers, several inputs.
 */
import { UserError } from "../diagnostics/user-error.js";
import { GraphBuilder, LayerContext, type Value } from "./import-tfjs-context.js";
import { layerImporters, supportedLayers } from "./import-tfjs-layers.js";
import { layersModel, readTfjsFiles, type TfjsLayer, type TfjsModel } from "./import-tfjs-files.js";
import type { Importer } from "./importers/importer.js";
import { checkNodeCount } from "./importers/limits.js";
import { ModelSource } from "./importers/model-source.js";
import { importGraphModel } from "./importers/tfjs-graph/import-graph.js";
import type { FloatGraph } from "./quantize/float-graph.js";

function structureError(model: TfjsModel, problem: string, fix: string): UserError {
  return new UserError("TMC3206", `model "${model.name}": ${problem}`, fix);
}

/** The layer's name: on the entry (functional models) or in its configuration. */
function layerName(layer: TfjsLayer): string {
  const { name } = layer.config;
  return layer.name ?? (typeof name === "string" ? name : layer.class_name);
}

/**
 * Appends the names of the layers that tensors in `value` come from: Keras 3 writes the arguments of a call as
 * { args: [{ class_name: "__keras_tensor__", config: { keras_history: [name, 0, 0] } }], kwargs }, lists in lists.
 */
function collectKeras3Inputs(value: unknown, names: string[], depth: number): void {
  if (typeof value !== "object" || value === null || depth > 8) {
    return;
  }
  if ("class_name" in value && value.class_name === "__keras_tensor__" && "config" in value) {
    const { config } = value;
    const history: unknown =
      typeof config === "object" && config !== null && "keras_history" in config
        ? config.keras_history
        : undefined;
    const name: unknown = Array.isArray(history) ? history[0] : undefined;
    names.push(typeof name === "string" ? name : "");
    return;
  }
  Object.values(value).forEach((part) => collectKeras3Inputs(part, names, depth + 1));
}

/**
 * Names of the layers whose outputs `layer` reads. TensorFlow.js and Keras 2 write one node per call:
 * [[name, nodeIndex, tensorIndex, {}], ...].
 */
function inboundNames(model: TfjsModel, layer: TfjsLayer): string[] {
  const nodes = layer.inbound_nodes ?? [];
  if (nodes.length > 1) {
    throw structureError(
      model,
      `layer "${layerName(layer)}" is used ${nodes.length} times`,
      "Layers that share weights are not supported: give each place its own layer.",
    );
  }
  const [node] = nodes;
  if (node === undefined) {
    return [];
  }
  if (!Array.isArray(node)) {
    const names: string[] = [];
    collectKeras3Inputs(node, names, 0);
    return names;
  }
  return node.map((entry: unknown) => {
    const name: unknown = Array.isArray(entry) ? entry[0] : undefined;
    if (typeof name !== "string") {
      throw structureError(
        model,
        `the connections of layer "${layerName(layer)}" have an unknown form`,
        "Save the model again with TensorFlow.js 4, Keras 2 or Keras 3.",
      );
    }
    return name;
  });
}

/** [name, node, tensor] or [[name, node, tensor], ...] → names. */
function endNames(ends: readonly unknown[] | undefined): string[] {
  const list = ends !== undefined && typeof ends[0] === "string" ? [ends] : (ends ?? []);
  return list.map((end) => (Array.isArray(end) ? String(end[0]) : String(end)));
}

interface Wiring {
  readonly layer: TfjsLayer;
  readonly name: string;
  readonly inputs: readonly string[];
}

/** Layers in an order in which inputs come first. */
function wire(model: TfjsModel): { order: Wiring[]; outputs: string[] } {
  const sequential = model.className === "Sequential";
  if (!sequential && model.className !== "Model" && model.className !== "Functional") {
    throw structureError(
      model,
      `the topology is of class "${model.className}"`,
      'Only "Sequential", "Model" and "Functional" are supported.',
    );
  }
  let previous: string | undefined;
  const waiting = model.layers.map((layer): Wiring => {
    const name = layerName(layer);
    const inputs = sequential ? (previous === undefined ? [] : [previous]) : inboundNames(model, layer);
    previous = name;
    return { layer, name, inputs };
  });
  if (sequential) {
    return { order: waiting, outputs: previous === undefined ? [] : [previous] };
  }
  const order: Wiring[] = [];
  const done = new Set<string>();
  let rest = waiting;
  while (rest.length > 0) {
    const ready = rest.filter((entry) => entry.inputs.every((input) => done.has(input)));
    const [stuck] = rest;
    if (ready.length === 0) {
      throw structureError(
        model,
        `layer "${stuck?.name ?? ""}" reads "${stuck?.inputs.find((input) => !done.has(input)) ?? ""}", which is not computed before it`,
        "Save the model again with model.save().",
      );
    }
    ready.forEach((entry) => done.add(entry.name));
    order.push(...ready);
    rest = rest.filter((entry) => !done.has(entry.name));
  }
  return { order, outputs: endNames(model.outputLayers) };
}

/** [null, ...shape] of the model's input, from the first layer. */
function inputShape(model: TfjsModel, first: Wiring): number[] {
  const shape = first.layer.config["batch_input_shape"] ?? first.layer.config["batch_shape"];
  const dimensions: unknown[] = Array.isArray(shape) ? shape.slice(1) : [];
  const known = dimensions.filter(
    (value): value is number => typeof value === "number" && Number.isInteger(value) && value > 0,
  );
  if (known.length === 0 || known.length !== dimensions.length) {
    throw structureError(
      model,
      `the input of layer "${first.name}" has no complete shape (${JSON.stringify(shape ?? null)})`,
      "Give inputShape with every dimension when the model is built: memory on a microcontroller is planned at build time.",
    );
  }
  return known;
}

/** Reads the TensorFlow.js model whose model.json is `file`. Errors TMC3034, TMC3200 to TMC3211. */
export function importTfjs(file: string): FloatGraph {
  return loadTfjs(ModelSource.open(file));
}

function loadTfjs(source: ModelSource): FloatGraph {
  const files = readTfjsFiles(source);
  if (files.graphModel) {
    return importGraphModel(source.name, files);
  }
  return buildNetwork(layersModel(source, files));
}

/** The float graph of a network of Keras' layers. Errors name the layer where there is one. */
export function buildNetwork(model: TfjsModel): FloatGraph {
  checkNodeCount(model.layers.length, "layers");
  const { order, outputs } = wire(model);
  const [first] = order;
  if (first === undefined) {
    throw structureError(model, "there are no layers", "Save a model that has at least one layer.");
  }
  const starts = order.filter((entry) => entry.inputs.length === 0);
  if (starts.length !== 1 || outputs.length !== 1) {
    throw structureError(
      model,
      `it has ${starts.length} inputs and ${outputs.length} outputs`,
      "One input and one output are supported.",
    );
  }
  const builder = new GraphBuilder();
  const values = new Map<string, Value>();
  const source = builder.value(inputShape(model, first), "input");
  for (const { layer, name, inputs } of order) {
    const context = new LayerContext(
      builder,
      model.weights,
      name,
      layer.class_name,
      layer.config,
      inputs.length === 0 ? [source] : inputs.map((input) => builder.known(values, input)),
    );
    const importer = layerImporters[layer.class_name];
    if (importer === undefined) {
      throw new UserError(
        "TMC3204",
        `layer "${name}" is of class ${layer.class_name}, which is not supported`,
        `Supported layers: ${supportedLayers().join(", ")}.`,
      );
    }
    values.set(name, importer(context));
  }
  const result = builder.known(values, outputs[0] ?? "");
  return builder.graph(model.name, source, result);
}

/** The importer of TensorFlow.js models. */
export const tfjsImporter: Importer = {
  format: "TensorFlow.js",
  files: "model.json",
  recognises: ({ bytes, path }) =>
    /^\s*\{/.test(Buffer.from(bytes.subarray(0, 64)).toString("latin1")) || path.endsWith(".json"),
  load: (source) => ({ form: "float", graph: loadTfjs(source) }),
};
