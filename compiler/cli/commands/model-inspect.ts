/** `tmc model inspect`: what a model consists of and what it costs: layers, shapes, quantisation, MACs, bytes, memory. */
import type { Command } from "commander";
import { operatorInputs, tensorAt, tensorBytes, type Graph, type Tensor } from "../../model/graph.js";
import { layerConstantBytes, layerMacs, type Layer } from "../../model/layers.js";
import { loadGraph } from "../../model/importers/load-model.js";
import { readModelFile } from "../../model/load.js";
import { lower } from "../../model/lower.js";
import type { MemoryGoal } from "../../model/compile.js";
import { findDescriptor, requireFitting } from "../../model/descriptor.js";
import { emitModels, type EmittedModel } from "../../model/emit-c/emit.js";
import { planReport, type BandsReport } from "../../model/plan-report.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { modelGroup } from "./model.js";
import { PACKAGE_SUFFIX, printPackage } from "./model-package.js";
import { readPackage } from "../../model/package/read.js";

export function registerModelInspect(program: Command): void {
  const command = modelGroup(program)
    .command("inspect")
    .description("print a model's layers, shapes, quantisation, MACs, bytes and memory plan")
    .argument(
      "<model>",
      "a model file of any format (a float model is shown without costs), or a package (.tmcm)",
    )
    .option("--json", "print for programs")
    .action((path: string, options: { json?: true }) => {
      if (path.endsWith(PACKAGE_SUFFIX)) {
        printPackage(readPackage(readModelFile(path, "package"), path), options.json === true);
        return;
      }
      const graph = loadGraph(path);
      const descriptor = findDescriptor(path);
      if (descriptor !== undefined) {
        requireFitting(descriptor, graph, path, readModelFile(path, "model"));
      }
      const inspection = {
        ...inspectModel(graph, descriptor?.descriptor.memory),
        descriptor: descriptor?.path ?? null,
      };
      if (options.json === true) {
        printJson(inspection);
      } else {
        const fits = descriptor === undefined ? "" : `descriptor  ${descriptor.path} fits\n`;
        process.stdout.write(formatInspection(inspection) + fits);
      }
    });
  describeCommand(command, {
    examples: [
      ["tmc model inspect model.tflite", "a table of layers, totals, the memory plan"],
      ["tmc model inspect model.tflite --json", "the same for programs"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

export interface TensorSummary {
  readonly tensor: number;
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  /** Part of the model: weights, or an operand that does not depend on the input. */
  readonly constant: boolean;
  /** First scale and zero point, and how many there are; null without quantisation. */
  readonly quantization: {
    readonly scale: number;
    readonly zeroPoint: number;
    readonly channels: number;
  } | null;
}

export interface LayerSummary {
  readonly operator: number;
  readonly kind: string;
  readonly name: string;
  readonly inputs: readonly TensorSummary[];
  readonly output: TensorSummary;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Null for a float model. */
  readonly macs: number | null;
  readonly weightBytes: number;
  readonly biasBytes: number;
  /** Constants as compiled: packed weights, biases, tables. Null for a float model and for a layer that is not executed. */
  readonly flashBytes: number | null;
  /** Bytes of the arena in use while the layer runs, scratch memory included; null likewise. */
  readonly ramBytes: number | null;
}

export interface ModelInspection {
  readonly model: string;
  readonly int8: boolean;
  readonly inputs: readonly TensorSummary[];
  readonly outputs: readonly TensorSummary[];
  readonly layers: readonly LayerSummary[];
  readonly totals: {
    readonly macs: number | null;
    readonly weightBytes: number;
    readonly biasBytes: number;
    /** Of all layers, without kernels and code (`tmc model bench` measures those); null for a float model. */
    readonly flashBytes: number | null;
  };
  /** The chain of operators that is computed in bands of rows; null when there is none. */
  readonly bands: BandsReport | null;
  /** What the passes left out when the model was compiled; null for a float model. */
  readonly passes:
    | readonly {
        readonly pass: string;
        readonly operator: number;
        /** The operator that does its work; null when nothing has to be done. */
        readonly into: number | null;
        /** For constant channels: how many were removed from the operator's output. */
        readonly channels?: number;
      }[]
    | null;
  /** Null for a float model. Operators by their number in the model. */
  readonly memory: {
    readonly arenaBytes: number;
    /** Most bytes alive at once. */
    readonly lowerBound: number;
    /** Proved that no plan for these kernels is smaller. */
    readonly optimal: boolean;
    readonly peakOperator: number;
    readonly tensors: readonly {
      readonly tensor: number;
      readonly offset: number;
      readonly bytes: number;
      readonly first: number;
      readonly last: number;
    }[];
  } | null;
}

/** Everything that `tmc model inspect` prints. @throws UserError TMC30xx for an int8 model that cannot be executed. */
export function inspectModel(graph: Graph, memory?: MemoryGoal): ModelInspection {
  const int8 = graph.inputs.every((tensor) => tensorAt(graph, tensor).type !== "float32");
  const layers = int8 ? lower(graph) : [];
  const compiled = int8 ? emitModels([{ name: graph.name, graph, memory }]).models[0] : undefined;
  const costs = new Map<number, LayerCosts>();
  if (compiled !== undefined) {
    planReport({ graph, ...compiled }).steps.forEach(({ operator, aliveBytes }, at) => {
      costs.set(operator, { flashBytes: compiled.layerConstants[at] ?? 0, ramBytes: aliveBytes });
    });
  }
  const summaries = graph.operators.map((_, index) =>
    summarizeLayer(graph, index, layers[index], costs.get(index)),
  );
  const sum = (pick: (layer: LayerSummary) => number): number =>
    summaries.reduce((total, layer) => total + pick(layer), 0);
  return {
    model: graph.name,
    int8,
    inputs: graph.inputs.map((tensor) => summarizeTensor(graph, tensor)),
    outputs: graph.outputs.map((tensor) => summarizeTensor(graph, tensor)),
    layers: summaries,
    totals: {
      macs: int8 ? sum((layer) => layer.macs ?? 0) : null,
      weightBytes: sum((layer) => layer.weightBytes),
      biasBytes: sum((layer) => layer.biasBytes),
      flashBytes: compiled?.constantBytes ?? null,
    },
    bands: compiled === undefined ? null : planReport({ graph, ...compiled }).bands,
    passes: compiled === undefined ? null : summarizePasses(graph, compiled),
    memory: compiled === undefined ? null : summarizePlan(graph, compiled),
  };
}

function summarizeTensor(graph: Graph, tensor: number): TensorSummary {
  const { name, type, shape, quantization, data } = tensorAt(graph, tensor);
  return {
    tensor,
    name,
    type,
    shape,
    constant: data !== undefined,
    quantization:
      quantization === undefined
        ? null
        : {
            scale: quantization.scales[0] ?? 0,
            zeroPoint: quantization.zeroPoints[0] ?? 0,
            channels: quantization.scales.length,
          },
  };
}

interface LayerCosts {
  readonly flashBytes: number;
  readonly ramBytes: number;
}

function summarizeLayer(
  graph: Graph,
  index: number,
  layer: Layer | undefined,
  costs: LayerCosts | undefined,
): LayerSummary {
  const operator = graph.operators[index];
  if (operator === undefined) {
    throw new Error(`no operator ${index}`);
  }
  const structural = new Set(["kind", "input", "left", "right", "inputs", "filter", "bias", "output"]);
  const attributes = Object.fromEntries(Object.entries(operator).filter(([key]) => !structural.has(key)));
  const constants = layer === undefined ? undefined : layerConstantBytes(layer);
  const constant = (tensor: number | undefined): Tensor | undefined =>
    tensor === undefined ? undefined : graph.tensors[tensor];
  const filter = "filter" in operator ? constant(operator.filter) : undefined;
  const bias = "bias" in operator ? constant(operator.bias) : undefined;
  return {
    operator: index,
    kind: operator.kind,
    name: tensorAt(graph, operator.output).name,
    inputs: operatorInputs(operator).map((tensor) => summarizeTensor(graph, tensor)),
    output: summarizeTensor(graph, operator.output),
    attributes,
    macs: layer === undefined ? null : layerMacs(layer),
    weightBytes: constants?.weights ?? (filter === undefined ? 0 : tensorBytes(filter)),
    biasBytes: constants?.bias ?? (bias === undefined ? 0 : tensorBytes(bias)),
    flashBytes: costs?.flashBytes ?? null,
    ramBytes: costs?.ramBytes ?? null,
  };
}

function summarizePasses(graph: Graph, { changes, narrow }: EmittedModel): ModelInspection["passes"] {
  const channels = [...narrow].map(([tensor, { channels: whole, kept }]) => ({
    pass: "constant channels removed",
    operator: graph.operators.findIndex(({ output }) => output === tensor),
    into: null,
    channels: whole - kept.length,
  }));
  return [...changes.map((change) => ({ ...change, into: change.into ?? null })), ...channels];
}

function summarizePlan(graph: Graph, model: EmittedModel): ModelInspection["memory"] {
  const { plan, layers } = model;
  const { steps } = planReport({ graph, ...model });
  // Positions of layers become numbers of operators: a chain in bands is one layer.
  const end = graph.operators.length;
  const start = (at: number): number => (at < 0 ? at : (steps[at]?.operators[0] ?? end));
  const stop = (at: number): number => (at < 0 ? at : (steps[at]?.operators.at(-1) ?? end));
  return {
    arenaBytes: plan.arenaBytes,
    lowerBound: plan.lowerBound,
    optimal: plan.optimal,
    peakOperator: layers[plan.peakOperator]?.operator ?? -1,
    tensors: [...plan.placements].map(([tensor, { offset, bytes, first, last }]) => ({
      tensor,
      offset,
      bytes,
      first: start(first),
      last: stop(last),
    })),
  };
}

/* ---- text ------------------------------------------------------------------------------------------------ */

function formatInspection(inspection: ModelInspection): string {
  const { layers, totals, memory } = inspection;
  const rows = layers.map((layer) => [
    String(layer.operator),
    layer.kind,
    shapes(layer.inputs.filter(({ constant }) => !constant)),
    shapes([layer.output]),
    window(layer),
    quantization(layer.output),
    layer.macs === null ? "" : thousands(layer.macs),
    thousands(layer.weightBytes + layer.biasBytes),
    layer.flashBytes === null ? "" : thousands(layer.flashBytes),
    layer.ramBytes === null ? "" : thousands(layer.ramBytes),
  ]);
  const header = [
    "op",
    "layer",
    "input",
    "output",
    "window",
    "scale, zero point",
    "MACs",
    "bytes",
    "flash",
    "RAM",
  ];
  const lines = [
    `${inspection.model}: ${inspection.int8 ? (inspection.inputs[0]?.type ?? "int8") : "float"} model, ${layers.length} layers`,
    ...inspection.inputs.map(
      (tensor, i) => `input ${i}   ${tensor.type} ${shapes([tensor])}  ${quantization(tensor)}`,
    ),
    ...inspection.outputs.map(
      (tensor, i) => `output ${i}  ${tensor.type} ${shapes([tensor])}  ${quantization(tensor)}`,
    ),
    "",
    ...table([header, ...rows], new Set([0, 6, 7, 8, 9])),
    "",
    ...(totals.macs === null ? [] : [`MACs        ${thousands(totals.macs)}`]),
    `constants   ${thousands(totals.weightBytes + totals.biasBytes)} bytes (weights ${thousands(totals.weightBytes)}, biases ${thousands(totals.biasBytes)})`,
  ];
  if (totals.flashBytes !== null) {
    lines.push(
      `flash       ${thousands(totals.flashBytes)} bytes of constants as compiled; code and kernels: tmc model bench`,
    );
  }
  if (memory === null) {
    lines.push("costs       only of int8 models: quantise it first (tmc model quantize)");
  } else {
    const optimum = memory.optimal ? ", the least possible" : `, at least ${thousands(memory.lowerBound)}`;
    const peak = layers[memory.peakOperator];
    const cause = peak === undefined ? "" : ` (peak at op ${peak.operator}, ${peak.kind})`;
    lines.push(
      `arena       ${thousands(memory.arenaBytes)} bytes of RAM${optimum}${cause}`,
      ...passLines(inspection),
      "",
      ...(inspection.bands === null
        ? []
        : [
            `bands       operators ${inspection.bands.operators[0]} to ${inspection.bands.operators.at(-1)} in ${inspection.bands.count} bands of rows, ${thousands(inspection.bands.extraMacs)} multiplications twice`,
            "",
          ]),
      ...picture(inspection),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** One line a pass: what it did to which operators. */
function passLines({ passes, layers }: ModelInspection): string[] {
  const lines = new Map<string, string[]>();
  for (const { pass, operator, into, channels } of passes ?? []) {
    const kind = layers[operator]?.kind ?? "";
    const own = channels === undefined ? `${operator} (${kind})` : `${operator} (${kind}, ${channels})`;
    const all = lines.get(pass) ?? [];
    all.push(into === null ? own : `${own} → ${into}`);
    lines.set(pass, all);
  }
  return [...lines].map(([pass, all]) => `passes      ${pass}: op ${all.join(", ")}`);
}

function shapes(tensors: readonly TensorSummary[]): string {
  return tensors.map((tensor) => tensor.shape.join("x") || "scalar").join(" + ");
}

function quantization({ quantization: q }: TensorSummary): string {
  return q === null ? "" : `${Number(q.scale.toPrecision(5))}, ${q.zeroPoint}`;
}

function window({ attributes, inputs, kind }: LayerSummary): string {
  const filter = inputs[1]?.shape;
  const size =
    kind === "Conv2D" || kind === "DepthwiseConv2D"
      ? `${filter?.[1]}x${filter?.[2]}`
      : "filterHeight" in attributes
        ? `${attributes["filterHeight"]}x${attributes["filterWidth"]}`
        : "";
  const stride =
    size === "" ? "" : `/${attributes["strideHeight"]}x${attributes["strideWidth"]} ${attributes["padding"]}`;
  const dilated = attributes["dilationHeight"] ?? 1;
  const activation = attributes["activation"];
  return [
    size + stride,
    dilated === 1 && (attributes["dilationWidth"] ?? 1) === 1
      ? ""
      : `dilation ${dilated}x${attributes["dilationWidth"]}`,
    activation === undefined || activation === "none" ? "" : String(activation),
  ]
    .filter((part) => part !== "")
    .join(" ");
}

const PICTURE_WIDTH = 64;

/** The memory plan over time: one line an operator, each character a share of the arena. */
function picture({ layers, memory }: ModelInspection): string[] {
  if (memory === null || memory.arenaBytes === 0) {
    return [];
  }
  const perCharacter = memory.arenaBytes / PICTURE_WIDTH;
  const lines = layers.map(({ operator, kind }) => {
    const cells = new Array<string>(PICTURE_WIDTH).fill(".");
    for (const { offset, bytes, first, last } of memory.tensors) {
      if (first <= operator && operator <= last) {
        const mark = first === operator ? "#" : "=";
        const end = Math.max(
          Math.floor(offset / perCharacter) + 1,
          Math.round((offset + bytes) / perCharacter),
        );
        cells.fill(mark, Math.floor(offset / perCharacter), Math.min(end, PICTURE_WIDTH));
      }
    }
    return `${String(operator).padStart(4)} ${cells.join("")} ${kind}`;
  });
  return [
    `memory plan: ${PICTURE_WIDTH} characters = ${thousands(memory.arenaBytes)} bytes; # written by the operator, = alive, . free`,
    ...lines,
  ];
}

/** 1234567 → "1,234,567" */
export function thousands(value: number): string {
  return value.toLocaleString("en-US");
}

/** Columns of equal width; those in `right` are aligned to the right. */
export function table(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string[] {
  const widths: number[] = [];
  rows.forEach((row) =>
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
