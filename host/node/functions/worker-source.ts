/**
 * What runs inside the workers of the pool, as text: a worker made of text starts the same from sources and from
 * dist/. It takes one order after the other and answers each.
 */
import type * as threads from "node:worker_threads";
import { createInstance, type CallEnd, type FunctionInstance, type InstanceLimits } from "./instance.js";

/** Node → worker. */
export type WorkerOrder =
  | {
      readonly order: "load";
      readonly key: number;
      readonly module: WebAssembly.Module;
      readonly limits: InstanceLimits;
    }
  | { readonly order: "unload"; readonly key: number }
  | { readonly order: "call"; readonly key: number; readonly input: Uint8Array };

/** Worker → node; `load` and `unload` are not answered. */
export interface WorkerAnswer {
  readonly result: CallEnd;
  readonly us: number;
  readonly log: string;
}

/** Refers to nothing but its parameters. */
function workerMain(port: threads.MessagePort | null, create: typeof createInstance): void {
  const loaded = new Map<number, { module: WebAssembly.Module; limits: InstanceLimits }>();
  const instances = new Map<number, FunctionInstance>();
  let log = "";
  port?.on("message", (order: WorkerOrder) => {
    if (order.order === "load") loaded.set(order.key, { module: order.module, limits: order.limits });
    else if (order.order === "unload") {
      loaded.delete(order.key);
      instances.delete(order.key);
    } else {
      const start = performance.now();
      let result: CallEnd;
      log = "";
      try {
        let instance = instances.get(order.key);
        const known = loaded.get(order.key);
        if (instance === undefined && known !== undefined) {
          instance = create(known.module, known.limits, (text) => {
            log += text;
          });
          instances.set(order.key, instance);
        }
        if (instance === undefined) throw new Error("not loaded");
        result = instance.call(order.input);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        result = { end: "trap", kind: 0, site: 0, text: text.slice(0, 200) };
      }
      const answer: WorkerAnswer = { result, us: (performance.now() - start) * 1000, log };
      port?.postMessage(answer, result.end === "done" ? [result.output.buffer as ArrayBuffer] : []);
    }
  });
}

/** For `new Worker(text, { eval: true })`. esbuild marks functions with __name. */
export function workerSource(): string {
  return [
    "const __name = (f) => f;",
    `const createInstance = ${createInstance.toString()};`,
    `(${workerMain.toString()})(require("node:worker_threads").parentPort, createInstance);`,
  ].join("\n");
}
