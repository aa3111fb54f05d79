/**
 * One inference of one model, bytes in and bytes out: integer models exactly, with the bits of the microcontroller, float
 * models by the float executor. It runs where it is called: in the node's thread or in another (infer-thread.ts).
 */
import { elementCount, tensorAt, type Graph } from "../../../compiler/model/graph.js";
import { decide, parametersOf, quantizeInput } from "../../../compiler/model/quantize/accuracy.js";
import { FloatExecutor } from "../../../compiler/model/quantize/float-executor.js";
import { elements, ModelRuntime } from "../../../compiler/model/runtime.js";
import { elementTypes } from "../../bus/protocol-keys.js";
import { bytesOfFloats, numbersOf } from "../data/data-descriptor.js";

export interface Inferred {
  readonly index: number;
  /** Of the best class, dequantised. */
  readonly score: number;
  /** The output tensor as the model computes it, and as f32. */
  readonly raw: Uint8Array;
  readonly floats: Uint8Array;
}

/** The input has the model's elements, f32 in its unit or in the model's own type. */
export type InferModel = (input: Uint8Array, elementType: number) => Inferred;

/** @throws UserError TMC30xx for an integer model that cannot be executed exactly */
export function inferModel(graph: Graph): InferModel {
  const floatsOf = (bytes: Uint8Array) => Float32Array.from(numbersOf(bytes, elementTypes.f32));
  if (tensorAt(graph, graph.inputs[0] ?? -1).type === "float32") {
    const executor = new FloatExecutor(graph);
    return (input) => {
      const output = executor.run(floatsOf(input));
      const index = decide(output);
      const floats = bytesOfFloats(output);
      return { index, score: output[index] ?? 0, raw: floats, floats };
    };
  }
  const runtime = new ModelRuntime(graph);
  const output = graph.outputs[0] ?? -1;
  const { scale, zeroPoint } = parametersOf(graph, output);
  const wide = tensorAt(graph, output).type === "int16";
  return (input, elementType) => {
    runtime
      .input(0)
      .set(elementType === elementTypes.f32 ? quantizeInput(graph, floatsOf(input)) : new Int8Array(input));
    runtime.invoke();
    const bytes = runtime.output(0).slice();
    const integers = wide ? elements(bytes) : bytes;
    const index = decide(integers);
    const reals = Float32Array.from(integers, (q) => scale * (q - zeroPoint));
    const raw = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { index, score: reals[index] ?? 0, raw, floats: bytesOfFloats(reals) };
  };
}

/** Multiplications of one inference, of float models too: what each output element takes, one where there are no weights. */
export function multiplicationsOf(graph: Graph): number {
  let sum = 0;
  for (const operator of graph.operators) {
    const written = elementCount(tensorAt(graph, operator.output).shape);
    if (!("filter" in operator)) {
      sum += written;
      continue;
    }
    const weights = elementCount(tensorAt(graph, operator.filter).shape);
    const channels = tensorAt(graph, operator.output).shape.at(-1) ?? 1;
    sum += written * Math.max(1, weights / Math.max(1, channels));
  }
  return sum;
}
