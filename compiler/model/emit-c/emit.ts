/**
 * Emits C for a list of models: one file pair per model, and `models.c`, which offers them by number to the port API
 * (`tmc_model_count/input/output/invoke` of tmc/port.h) and is emitted for an empty list too.
 *
 * The same models give the same text. Compiling and linking is the board's business; the kernels are in
 * `runtime-c/kernels`.
 */
import { createHash } from "node:crypto";
import { elementCount, tensorAt, tensorBytes, type Graph } from "../graph.js";
import { chooseKernel } from "../kernels/choose.js";
import type { Layer } from "../layers.js";
import { compileModel, type CompiledModel, type MemoryGoal } from "../compile.js";
import type { NarrowTensor } from "../passes/remove-constant-channels.js";
import type { MemoryPlan } from "../plan.js";
import type { RowBands } from "../passes/row-bands.js";
import { bandsCode } from "./bands-code.js";
import { layerCode } from "./layer-code.js";
import type { TensorExpression } from "./layer-fields.js";
import { constantArray, constantBytes as bytesOf, type ConstantData } from "./constants.js";
import { chooseForRam, type WeightArray } from "./weights-in-ram.js";
import { renderGlue, renderModelHeader, renderModelSource } from "./templates.js";

export interface ModelToEmit {
  /** Shown to users and made into the C names. */
  readonly name: string;
  readonly graph: Graph;
  /** Default balanced. */
  readonly memory?: MemoryGoal | undefined;
}

export interface EmittedModel {
  readonly name: string;
  /** `model_<id>`: every symbol of the model starts with it, the arena is `<prefix>_arena`. */
  readonly prefix: string;
  readonly arenaBytes: number;
  /** Weights, biases and requantisation constants, without the structs of the layers. */
  readonly constantBytes: number;
  /** Of them, by position in `layers`; constants that layers share count for the first. */
  readonly layerConstants: readonly number[];
  /** Every C symbol of the model, for reports that attribute memory: functions, constants, the arena. */
  readonly symbols: readonly string[];
  readonly layers: readonly Layer[];
  readonly plan: MemoryPlan;
  /** As in `CompiledModel`. */
  readonly bands: RowBands | undefined;
  /** Weights that start-up code copies to RAM. */
  readonly weightsInRam: { readonly bytes: number; readonly symbols: readonly string[] };
  /** What the passes did, and the tensors that are stored without constant channels. */
  readonly changes: CompiledModel["changes"];
  readonly narrow: CompiledModel["narrow"];
}

export interface EmittedModels {
  /** Paths are file names: all files go into one folder, which is on the include path. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** The C files among them. */
  readonly sources: readonly string[];
  /** All arenas together: the RAM of the models, but for weights in RAM. */
  readonly arenaBytes: number;
  readonly models: readonly EmittedModel[];
}

/**
 * C for `models`; their order is the model number of the port API. `ramForWeights`: bytes of RAM that weights of all
 * models together may take. Throws UserError TMC30xx for a graph that cannot be executed exactly.
 */
export function emitModels(models: readonly ModelToEmit[], ramForWeights = 0): EmittedModels {
  const prefixes = uniquePrefixes(models.map((model) => model.name));
  const files: { path: string; text: string }[] = [];
  const made = models.map((model, index) => emittedOnce(model, prefixes[index] ?? "model", index));
  const inRam = chooseForRam(
    made.flatMap(({ weights }) => weights),
    ramForWeights,
  );
  const emitted = made.map(({ summary, header, source, weights }): EmittedModel => {
    const { prefix } = summary;
    files.push({ path: `${prefix}.h`, text: header }, { path: `${prefix}.c`, text: source(inRam) });
    const own = weights.filter(({ symbol }) => inRam.has(symbol));
    const bytes = own.reduce((sum, array) => sum + array.bytes, 0);
    return { ...summary, weightsInRam: { bytes, symbols: own.map(({ symbol }) => symbol) } };
  });
  files.push({ path: "models.c", text: renderGlue(prefixes) });
  return {
    files,
    sources: files.map((file) => file.path).filter((path) => path.endsWith(".c")),
    arenaBytes: emitted.reduce((sum, model) => sum + model.arenaBytes, 0),
    models: emitted,
  };
}

/** What earlier runs of this process emitted for a graph (watch mode). */
const known = new WeakMap<Graph, { readonly key: string; readonly made: ReturnType<typeof emitModel> }>();

function emittedOnce(model: ModelToEmit, prefix: string, index: number): ReturnType<typeof emitModel> {
  const key = `${index} ${prefix} ${model.memory ?? ""} ${model.name}`;
  const before = known.get(model.graph);
  if (before?.key === key) return before.made;
  const made = emitModel(model, prefix, index);
  known.set(model.graph, { key, made });
  return made;
}

function emitModel(model: ModelToEmit, prefix: string, index: number) {
  const compiled = compileModel(model.graph, model.memory);
  const { graph, layers, kernels, plan, bands } = compiled;
  // Tensors inside a chain in bands are never whole.
  const written = new Set(layers.map((layer) => layer.output));
  const narrow = new Map([...compiled.narrow].filter(([tensor]) => written.has(tensor)));
  const arena = `${prefix}_arena`;
  const constants: { readonly symbol: string; readonly type: string; readonly data: ConstantData }[] = [];
  const weights = new Map<string, WeightArray>();
  const shared = new Map<string, string>();
  let constantBytes = 0;
  /** Declares an array once, however many layers use equal data; returns its name. */
  const constant = (name: string, type: string, data: ConstantData, reads = 0): string => {
    const bytes = bytesOf(data);
    const key = `${type} ${createHash("sha256").update(bytes).digest("hex")}`;
    const symbol = shared.get(key) ?? `${prefix}_${name}`;
    if (!shared.has(key)) {
      shared.set(key, symbol);
      constantBytes += bytes.byteLength;
      constants.push({ symbol, type, data });
    }
    if (reads > 0) {
      const before = weights.get(symbol)?.reads ?? 0;
      weights.set(symbol, { symbol, bytes: bytes.byteLength, reads: before + reads });
    }
    return symbol;
  };
  const expression: TensorExpression = (tensor) => {
    const placement = plan.placements.get(tensor);
    if (placement !== undefined) {
      return `${arena} + ${placement.offset}`;
    }
    const { data } = tensorAt(graph, tensor);
    if (data instanceof Int16Array) {
      const bytes = new Int8Array(data.buffer, data.byteOffset, data.byteLength);
      return constant(`tensor${tensor}`, "int8_t", bytes);
    }
    if (!(data instanceof Int8Array)) {
      throw new Error(`tensor ${tensor} of model "${model.name}" has no memory`);
    }
    return constant(`tensor${tensor}`, "int8_t", data);
  };
  const scratch = (operator: number): string =>
    `(uint32_t *)(void *)(${arena} + ${plan.scratch.get(operator)?.offset ?? 0})`;
  const context = { prefix, expression, scratch, constant };
  const layerConstants: number[] = [];
  const code = layers.map((layer, i) => {
    const before = constantBytes;
    const made =
      i === bands?.first
        ? bandsCode(bands, layer, context)
        : layerCode(layer, kernels[i] ?? chooseKernel(layer), context);
    layerConstants.push(constantBytes - before);
    return made;
  });
  const ends = (tensors: readonly number[]) =>
    tensors.map((tensor) => ({
      pointer: expression(tensor),
      size: plan.placements.get(tensor)?.bytes ?? 0,
    }));
  const shown = shownTensors(model.graph, compiled);
  const frame = {
    name: comment(model.name),
    prefix,
    index,
    arena,
    arenaBytes: plan.arenaBytes,
    functions: code.map((layer) => layer.definition).filter((definition) => definition !== ""),
    steps: layers.map((_, i) => ({
      call: code[i]?.call ?? "",
      hooks: (shown.get(i) ?? []).map(({ operator, tensor, holder }) =>
        layerHook(operator, tensor, {
          data: expression(holder),
          bytes: plan.placements.get(holder)?.bytes ?? tensorBytes(tensorAt(graph, holder)),
          narrow: narrow.get(holder),
          constants: `${prefix}_tensor${holder}`,
        }),
      ),
    })),
    narrow: narrowTensors(model.graph, narrow, prefix),
    inputs: ends(model.graph.inputs),
    outputs: ends(graph.outputs),
  };
  const source = (inRam: ReadonlySet<string>): string =>
    renderModelSource({
      ...frame,
      constants: constants.map(({ symbol, type, data }) =>
        constantArray(symbol, type, data, inRam.has(symbol)),
      ),
    });
  const header = renderModelHeader({ name: comment(model.name), prefix, guard: `${prefix.toUpperCase()}_H` });
  const summary: Omit<EmittedModel, "weightsInRam"> = {
    name: model.name,
    prefix,
    arenaBytes: plan.arenaBytes,
    constantBytes,
    layerConstants,
    symbols: [
      ...["invoke", "input", "output", "arena"].map((part) => `${prefix}_${part}`),
      ...shared.values(),
      ...code.flatMap((layer) => layer.symbols),
    ],
    layers,
    plan,
    bands,
    changes: compiled.changes,
    narrow,
  };
  return { summary, header, source, weights: [...weights.values()] };
}

interface ShownTensor {
  readonly operator: number;
  readonly tensor: number;
  /** The tensor that holds its bytes. */
  readonly holder: number;
}

/**
 * By position of a layer: the tensors of the model to show after it, each with the operator of the model that writes it:
 * the layer's own, then those that other tensors stand for and the model writes before the next layer.
 */
function shownTensors(original: Graph, { layers, standIns }: CompiledModel): Map<number, ShownTensor[]> {
  const positions = new Map(layers.map(({ output }, at) => [output, at]));
  const shown = new Map<number, ShownTensor[]>();
  original.operators.forEach(({ output: tensor }, operator) => {
    const holder = standIns.get(tensor) ?? tensor;
    const written = positions.get(holder);
    if (written !== undefined) {
      // A layer of a later operator may have overwritten what only earlier ones need.
      const before = layers.findIndex((layer) => layer.operator > operator);
      const at = Math.max(written, before < 0 ? layers.length - 1 : before - 1);
      shown.set(at, [...(shown.get(at) ?? []), { operator, tensor, holder }]);
    }
  });
  return shown;
}

/** The statement that shows a tensor to `tmc_model_layer`; narrow ones are made whole for it. */
function layerHook(
  operator: number,
  tensor: number,
  {
    data,
    bytes,
    narrow,
    constants,
  }: {
    readonly data: string;
    readonly bytes: number;
    readonly narrow: NarrowTensor | undefined;
    readonly constants: string;
  },
): string {
  const what = `${operator}, ${tensor}, ${data}`;
  return narrow === undefined
    ? `MODEL_LAYER(${what}, ${bytes});`
    : `MODEL_NARROW_LAYER(${what}, ${bytes / narrow.kept.length}, ${narrow.channels}, ${constants}_kept, ${narrow.kept.length}, ${constants}_constants);`;
}

/** What builds with layers need to show whole tensors; undefined when every tensor is whole. */
function narrowTensors(graph: Graph, narrow: ReadonlyMap<number, NarrowTensor>, prefix: string) {
  return narrow.size === 0
    ? undefined
    : {
        bytes: Math.max(...[...narrow.keys()].map((tensor) => elementCount(tensorAt(graph, tensor).shape))),
        constants: [...narrow].flatMap(([tensor, { kept, constants }]) => [
          constantArray(`${prefix}_tensor${tensor}_kept`, "int32_t", Int32Array.from(kept)),
          constantArray(`${prefix}_tensor${tensor}_constants`, "int8_t", constants),
        ]),
      };
}

/** Text that can stand in a C comment on one line. */
function comment(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, "?")
    .replaceAll("*/", "* /")
    .slice(0, 80);
}

/** `model_<id>` with the letters and digits of each name; a number is added where two would be equal. */
function uniquePrefixes(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name) => {
    const id = name
      .toLowerCase()
      .replace(/\.tflite$/, "")
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^_+|_+$/g, "")
      .slice(0, 40);
    const base = `model_${id === "" ? "unnamed" : id}`;
    let prefix = base;
    for (let n = 2; used.has(prefix); n++) {
      prefix = `${base}_${n}`;
    }
    used.add(prefix);
    return prefix;
  });
}
