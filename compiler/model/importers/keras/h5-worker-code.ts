/**
 * The program that reads HDF5 in a thread of its own: libhdf5, compiled to WebAssembly, on a file system in memory. It is text,
 * since a thread must start from it wherever tmc itself comes from (compiled files, a loader of TypeScript, a test runner).
 *
 * Bytes in, { config, tensors } or { error } or { limit } out. Links to other files are not followed.
 */

/** What the thread gets as workerData. */
export interface H5WorkerData {
  /** Of the package h5wasm. */
  readonly url: string;
  readonly maxElements: number;
  readonly maxObjects: number;
  readonly maxDepth: number;
}

export interface H5Tensor {
  /** "layers/dense/vars/0" */
  readonly path: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export type H5Answer =
  | { readonly config: string | undefined; readonly tensors: readonly H5Tensor[] }
  | { readonly error: string }
  | { readonly limit: string };

export const h5WorkerCode = `
"use strict";
const { workerData } = require("node:worker_threads");
const { url, port, flag, maxElements, maxObjects, maxDepth } = workerData;
class Limit extends Error {}
function read(h5, module, bytes) {
  module.FS.writeFile("/model.h5", bytes);
  const file = new h5.File("/model.h5", "r");
  try {
    const tensors = [];
    let objects = 0;
    let elements = 0;
    const visit = (group, path, depth) => {
      if (depth > maxDepth) throw new Limit("groups are nested deeper than " + maxDepth);
      for (const name of group.keys()) {
        if (++objects > maxObjects) throw new Limit("it has more than " + maxObjects + " objects");
        const entity = group.get(name);
        const at = path === "" ? name : path + "/" + name;
        if (entity instanceof h5.Group) {
          if (at !== "optimizer_weights") visit(entity, at, depth + 1);
        } else if (entity instanceof h5.Dataset) {
          const { type, size, total_size: count, shape } = entity.metadata;
          if (type !== 1 || (size !== 4 && size !== 8)) continue; // not floats: no weights
          elements += count;
          if (!(elements <= maxElements)) throw new Limit("its tensors have more than " + maxElements + " elements");
          const value = entity.value;
          if (value === null || value.length !== count) throw new Error("cannot read " + at);
          tensors.push({ path: at, shape: [...(shape ?? [])], values: Float32Array.from(value) });
        }
      }
    };
    let config;
    if (Object.hasOwn(file.attrs, "model_config")) {
      const { value } = file.attrs.model_config;
      config = typeof value === "string" ? value : undefined;
    }
    visit(file, "", 0);
    return { config, tensors };
  } finally {
    file.close();
  }
}
(async () => {
  const { h5wasm: h5 } = await import(url);
  const module = await h5.ready;
  port.on("message", (bytes) => {
    let answer;
    try {
      answer = read(h5, module, bytes);
    } catch (error) {
      const text = String(error && error.message).split("\\n")[0].slice(0, 200);
      answer = error instanceof Limit ? { limit: text } : { error: text };
    }
    port.postMessage(answer);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  });
})();
`;
