/**
 * The models a program loads in setup: read once, described to the program, run on the host, handed to the emitter.
 * A model is a file in any format that tmc reads, with its descriptor beside it (optional; `model/descriptor.ts`).
 */
import { createHash } from "node:crypto";
import path from "node:path";
import { bind } from "../backend-js/support.js";
import type { MemoryGoal } from "../model/compile.js";
import { UserError } from "../diagnostics/user-error.js";
import { findDescriptor, requireFitting } from "../model/descriptor.js";
import { elementCount, tensorAt, type Graph } from "../model/graph.js";
import { graphOf, loadModel } from "../model/importers/load-model.js";
import { ModelSource } from "../model/importers/model-source.js";
import { packageCalls } from "../model/package/calls.js";
import { ModelRuntime } from "../model/runtime.js";

export interface RegisteredModel {
  readonly name: string;
  readonly file: string;
  readonly graph: Graph;
  readonly memory: MemoryGoal | undefined;
}

/** Graphs of earlier runs of this process (watch mode, editors), the newest last. Nobody changes a graph. */
const graphs = new Map<string, Graph>();
const keptGraphs = 8;

function cachedGraph(source: ModelSource, name: string): Graph {
  // Files that the model names are not known before it is read; only .tflite files surely name none.
  const key = `${createHash("sha256").update(source.bytes).digest("hex")} ${name}`;
  const graph = graphs.get(key) ?? { ...graphOf(loadModel(source)), name };
  if (!source.path.endsWith(".tflite")) return graph;
  graphs.delete(key);
  graphs.set(key, graph);
  const [oldest] = graphs.keys();
  if (graphs.size > keptGraphs && oldest !== undefined) graphs.delete(oldest);
  return graph;
}

export class ModelRegistry {
  readonly models: RegisteredModel[] = [];
  private readonly runtimes: ModelRuntime[] = [];
  private readonly described = new Map<string, object>();

  /** `base`: paths are relative to it (the folder of the program's main module). */
  constructor(private readonly base: string) {}

  /** Makes `loadModelDescriptor` and the calls of models work on this host. */
  bind(): void {
    bind({
      ...packageCalls,
      "setup:loadModel": (file: string) => this.load(file),
      tmc_model_count: () => this.models.length,
      tmc_model_input: (model: number, tensor: number) => this.runtime(model).input(tensor),
      tmc_model_output: (model: number, tensor: number) => this.runtime(model).output(tensor),
      tmc_model_invoke: (model: number) => {
        this.runtime(model).invoke();
      },
    });
  }

  private runtime(model: number): ModelRuntime {
    const found = this.runtimes[model];
    if (found === undefined) throw new Error(`there is no model ${model}`);
    return found;
  }

  private load(relative: string): object {
    const file = path.resolve(this.base, relative);
    const known = this.described.get(file);
    if (known !== undefined) return known;
    const source = ModelSource.open(file);
    const found = findDescriptor(file);
    const yaml = found?.descriptor ?? {};
    const name = yaml.name ?? path.basename(file, path.extname(file));
    const graph = cachedGraph(source, name);
    if (found !== undefined) requireFitting(found, graph, file, source.bytes);
    const index = this.models.length;
    const descriptor = {
      index,
      name,
      version: yaml.version ?? "0.0.0",
      task: yaml.task ?? "",
      digest: source.digest(),
      input: tensor(graph, graph.inputs, file, yaml.input?.unit ?? "", yaml.input?.rate_hz ?? 0),
      output: tensor(graph, graph.outputs, file, yaml.output?.unit ?? "", 0),
      labels: yaml.output?.labels ?? [],
    };
    this.models.push({ name, file, graph, memory: yaml.memory });
    this.runtimes.push(new ModelRuntime(graph));
    this.described.set(file, descriptor);
    return descriptor;
  }
}

function tensor(graph: Graph, ends: readonly number[], file: string, unit: string, rate: number): object {
  const first = ends[0];
  if (first === undefined || ends.length !== 1) {
    throw new UserError(
      "TMC2005",
      `${file} has ${ends.length} tensors where one is expected`,
      "a model of a node has one input and one output",
    );
  }
  const t = tensorAt(graph, first);
  if (t.type === "int16") {
    throw new UserError(
      "TMC2005",
      `${file} has ${t.type} inputs or outputs where int8 is expected`,
      "quantise the model with int8 activations",
    );
  }
  return {
    type: t.type === "int8" ? "i8" : t.type,
    shape: [...t.shape],
    elements: elementCount(t.shape),
    scale: Math.fround(t.quantization?.scales[0] ?? 1),
    zeroPoint: t.quantization?.zeroPoints[0] ?? 0,
    unit,
    rate: Math.fround(rate),
  };
}
