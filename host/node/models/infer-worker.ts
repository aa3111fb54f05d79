/** The thread that infers with large models: loads, forgets and runs them as it is told, one order after the other. */
import { parentPort } from "node:worker_threads";
import { inferModel, type Inferred, type InferModel } from "./infer-model.js";
import { readGraph } from "./inspect-model.js";

/** Node → thread. */
export type InferOrder =
  | { readonly order: "load"; readonly key: string; readonly name: string; readonly bytes: Uint8Array }
  | { readonly order: "forget"; readonly key: string }
  | {
      readonly order: "infer";
      readonly key: string;
      readonly input: Uint8Array;
      readonly elementType: number;
    };

/** Thread → node: the answer to `load` and to `infer`. */
export type InferAnswer =
  { readonly inferred: Inferred | undefined; readonly error?: undefined } | { readonly error: string };

const loaded = new Map<string, InferModel>();

function obey(order: Exclude<InferOrder, { order: "forget" }>): Inferred | undefined {
  if (order.order === "load") {
    loaded.set(order.key, inferModel(readGraph(order.bytes, order.name)));
    return undefined;
  }
  const run = loaded.get(order.key);
  if (run === undefined) throw new Error("the model is not loaded");
  return run(order.input, order.elementType);
}

parentPort?.on("message", (order: InferOrder) => {
  if (order.order === "forget") {
    loaded.delete(order.key);
    return;
  }
  let answer: InferAnswer;
  try {
    answer = { inferred: obey(order) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(answer);
});
