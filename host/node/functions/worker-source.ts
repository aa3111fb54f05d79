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
      /** Text: a trusted ES module, `run(input: Uint8Array): Uint8Array` or a promise of it. */
      readonly module: WebAssembly.Module | string;
      readonly limits: InstanceLimits;
    }
  | { readonly order: "unload"; readonly key: number }
  | { readonly order: "call"; readonly key: number; readonly input: Uint8Array };

/** Worker → node; `load` and `unload` are not answered. */
export interface WorkerAnswer {
  readonly key: number;
  readonly result: CallEnd;
  readonly us: number;
  readonly log: string;
}

/** Refers to nothing but its parameters. */
function workerMain(
  port: threads.MessagePort | null,
  create: typeof createInstance,
  load: (url: string) => Promise<{ run: (input: Uint8Array) => Uint8Array | Promise<Uint8Array> }>,
): void {
  const loaded = new Map<number, { module: WebAssembly.Module | string; limits: InstanceLimits }>();
  const instances = new Map<number, FunctionInstance>();
  const trusted = async (source: string, limits: InstanceLimits, input: Uint8Array): Promise<CallEnd> => {
    // The engine keeps the module: the second import of a text gives the first one.
    const { run } = await load(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`);
    const output = await run(input);
    if (!(output instanceof Uint8Array) || output.length > limits.outputBytes) {
      throw new Error("it gave no bytes, or too many");
    }
    return { end: "done", output: output.slice() };
  };
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
      const send = (end: CallEnd): void => {
        const answer: WorkerAnswer = {
          key: order.key,
          result: end,
          us: (performance.now() - start) * 1000,
          log,
        };
        port?.postMessage(answer, end.end === "done" ? [end.output.buffer as ArrayBuffer] : []);
      };
      const failed = (error: unknown): CallEnd => {
        const text = error instanceof Error ? error.message : String(error);
        return { end: "trap", kind: 0, site: 0, text: text.slice(0, 200) };
      };
      try {
        let instance = instances.get(order.key);
        const known = loaded.get(order.key);
        if (typeof known?.module === "string") {
          trusted(known.module, known.limits, order.input).then(send, (error: unknown) =>
            send(failed(error)),
          );
          return;
        }
        if (instance === undefined && known !== undefined) {
          instance = create(known.module, known.limits, (text) => {
            log += text;
          });
          instances.set(order.key, instance);
        }
        if (instance === undefined) throw new Error("not loaded");
        result = instance.call(order.input);
      } catch (error) {
        result = failed(error);
      }
      send(result);
    }
  });
}

/** For `new Worker(text, { eval: true })`. esbuild marks functions with __name. */
export function workerSource(): string {
  return [
    "const __name = (f) => f;",
    `const createInstance = ${createInstance.toString()};`,
    "const load = (url) => import(url);",
    `(${workerMain.toString()})(require("node:worker_threads").parentPort, createInstance, load);`,
  ].join("\n");
}
