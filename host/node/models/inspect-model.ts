/**
 * What the bytes of a model say: whether the compiler reads them, inputs and outputs as descriptors, and for integer
 * models the cost. The bytes are not trusted; nothing is executed.
 */
import type { DataDescriptor } from "../data/data-descriptor.js";
import { elementName, elementNumber } from "../data/data-descriptor.js";
import { emitModels } from "../../../compiler/model/emit-c/emit.js";
import { elementCount, tensorAt, type ElementType, type Graph } from "../../../compiler/model/graph.js";
import { graphOf, loadModel } from "../../../compiler/model/importers/load-model.js";
import { ModelSource } from "../../../compiler/model/importers/model-source.js";
import { layerMacs } from "../../../compiler/model/layers.js";
import { lower } from "../../../compiler/model/lower.js";
import { UserError } from "../../../compiler/diagnostics/user-error.js";
import { OperationFailure } from "../operations/operation.js";

export type ModelForm = "float" | "int8" | "int16";

/** flash and ram in bytes: constants and arena, without the code of the kernels; multiplications of one inference. */
export interface ModelCost {
  readonly flash: number;
  readonly ram: number;
  readonly macs: number;
}

export interface InspectedModel {
  readonly graph: Graph;
  readonly form: ModelForm;
  readonly inputs: readonly DataDescriptor[];
  readonly outputs: readonly DataDescriptor[];
  /** Undefined for float models. */
  readonly cost: ModelCost | undefined;
}

const elementOf: Partial<Record<ElementType, string>> = {
  float32: "f32",
  int8: "i8",
  uint8: "u8",
  int16: "i16",
  int32: "i32",
};

function endOf(graph: Graph, index: number): DataDescriptor {
  const { type, shape, quantization } = tensorAt(graph, index);
  const elementType = elementNumber(elementOf[type] ?? "");
  const scale = quantization?.scales[0];
  return {
    ...(elementType === undefined ? {} : { elementType }),
    shape: [...shape],
    ...(scale === undefined || type === "float32"
      ? {}
      : { scale, zeroPoint: quantization?.zeroPoints[0] ?? 0 }),
  };
}

/**
 * @param name for messages
 * @throws OperationFailure corrupt when the bytes are no model that the compiler can use
 */
export function inspectModelBytes(bytes: Uint8Array, name: string): InspectedModel {
  try {
    return inspectGraph(readGraph(bytes, name));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new OperationFailure("corrupt", `${error.code}: ${error.message}`, "input");
  }
}

/** The graph of a .tflite file. @throws UserError TMC30xx, TMC32xx */
export function readGraph(bytes: Uint8Array, name: string): Graph {
  // The file has no neighbours: a model that names some is refused.
  const source = new ModelSource(`${name}.tflite`, bytes, () => {
    throw new Error("there are no other files");
  });
  return graphOf(loadModel(source));
}

/** @throws UserError TMC30xx for an integer model that cannot be executed exactly */
export function inspectGraph(graph: Graph): InspectedModel {
  const types = new Set([...graph.inputs, ...graph.outputs].map((index) => tensorAt(graph, index).type));
  const form = types.has("float32") ? "float" : types.has("int16") ? "int16" : "int8";
  if (graph.inputs.length !== 1 || graph.outputs.length !== 1) {
    throw new UserError(
      "TMC3206",
      `the model has ${graph.inputs.length} inputs and ${graph.outputs.length} outputs`,
      "One input and one output are supported.",
    );
  }
  return {
    graph,
    form,
    inputs: graph.inputs.map((index) => endOf(graph, index)),
    outputs: graph.outputs.map((index) => endOf(graph, index)),
    cost: form === "float" ? undefined : costOf(graph),
  };
}

/** As `tmc model inspect` tells it. */
export function costOf(graph: Graph): ModelCost {
  const [emitted] = emitModels([{ name: graph.name, graph }]).models;
  return {
    flash: emitted?.constantBytes ?? 0,
    ram: emitted?.arenaBytes ?? 0,
    macs: lower(graph).reduce((sum, layer) => sum + layerMacs(layer), 0),
  };
}

/** "i8 [1, 128, 3]" */
export function describeEnd({ elementType, shape = [] }: DataDescriptor): string {
  return `${elementName(elementType) ?? "?"} [${shape.join(", ")}]`;
}

/** Values of the model's input or output. */
export function endSize({ shape = [] }: DataDescriptor): number {
  return elementCount(shape);
}
