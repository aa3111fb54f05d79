/** What one inference gave, on whatever target, and running it on Node.js. Targets with a compiler are `on-board.ts`'s. */
import { UserError, ExitCode } from "../../diagnostics/user-error.js";
import { tensorAt, tensorBytes, type Graph } from "../graph.js";
import { ModelRuntime } from "../runtime.js";

/** The input tensors of one inference, in the model's order. */
export type InferenceInput = readonly Int8Array[];

export interface LayerOutput {
  readonly operator: number;
  readonly tensor: number;
  readonly data: Int8Array;
}

export interface Inference {
  readonly outputs: readonly Int8Array[];
  /** One per operator, in execution order. */
  readonly layers: readonly LayerOutput[];
}

/** Runs each input through the model on Node.js. */
export function runOnNode(graph: Graph, inputs: readonly InferenceInput[]): Inference[] {
  const runtime = new ModelRuntime(graph);
  return inputs.map((input) => {
    const layers: LayerOutput[] = [];
    runtime.onLayer = (operator, tensor, data) => layers.push({ operator, tensor, data: data.slice() });
    input.forEach((data, i) => runtime.input(i).set(data));
    runtime.invoke();
    return { outputs: graph.outputs.map((_, i) => runtime.output(i).slice()), layers };
  });
}

/**
 * The tensors `tensors` of the model from the bytes of a file that holds them one after the other.
 * @throws UserError TMC3030 when the size is another; `what` names the file.
 */
export function splitTensors(
  graph: Graph,
  tensors: readonly number[],
  bytes: Uint8Array,
  what: string,
): Int8Array[] {
  const parts = tensors.map((tensor) => tensorAt(graph, tensor));
  const expected = parts.reduce((sum, part) => sum + tensorBytes(part), 0);
  if (bytes.length !== expected) {
    throw new UserError(
      "TMC3030",
      `${what} has ${bytes.length} bytes; ${graph.name} needs ${expected}: ${parts.map(({ type, shape }) => `${type} of shape [${shape.join(", ")}]`).join(" and ")}`,
      "Pass raw values without header: one byte per element of int8, two of int16, the low one first.",
      ExitCode.usage,
    );
  }
  let offset = 0;
  return parts.map((part) => {
    const start = offset;
    offset += tensorBytes(part);
    return Int8Array.from(bytes.subarray(start, offset), (byte) => (byte << 24) >> 24);
  });
}

/** All outputs one after the other: the form of an output file. */
export function joinTensors(tensors: readonly Int8Array[]): Uint8Array {
  return Buffer.concat(tensors.map((data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
}
