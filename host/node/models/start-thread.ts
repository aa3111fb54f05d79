/** Starts a module of this package as a thread: as JavaScript from dist, and from sources with a loader of TypeScript. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker, type WorkerOptions } from "node:worker_threads";

/**
 * @param near `import.meta.url` of a module beside it
 * @param name of the module, without its ending
 */
export function startThread(near: string, name: string, options: WorkerOptions): Worker {
  const quiet: WorkerOptions = {
    ...options,
    // What a library prints is no part of this process's output.
    stdout: true,
    stderr: true,
    execArgv: [],
  };
  if (!near.endsWith(".ts")) return new Worker(new URL(`./${name}.js`, near), quiet);
  const tsx = createRequire(import.meta.url).resolve("tsx/package.json");
  const loader = new URL("./dist/esm/api/index.mjs", pathToFileURL(tsx)).href;
  const code = new URL(`./${name}.ts`, near).href;
  const start = `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(code)}); })`;
  return new Worker(start, { ...quiet, eval: true });
}
