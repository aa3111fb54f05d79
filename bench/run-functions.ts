/**
 * `npm run bench:functions`: cold start, warm call and throughput of the Function Runtime for one function, beside the
 * same function as JavaScript in QuickJS (compiled to WebAssembly), in a worker thread of Node.js, and in isolated-vm
 * where that is installed. All in one run; `--json` for programs, `--calls N` for more or fewer (2000), `--colds N` (200),
 * `--only NAME` for some.
 *
 * cold: from the bytes of the code (a bundle, a text) to the first answer, one every 20 ms. warm: from call to answer, one
 * after the other. throughput: 16 calls under way.
 */
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { getQuickJS } from "quickjs-emscripten";
import { packagePath } from "../compiler/board/package-root.js";
import { buildFunction, packBundle } from "../compiler/function/build-function.js";
import { decodeBundle, sha256 } from "../compiler/function/bundle.js";
import { createFunctionRuntime } from "../host/node/functions/runtime.js";
import { descriptorMatch } from "../host/node/core/match.js";
import { inlineFuel as defaultFuel } from "../host/node/functions/inline-calls.js";
import { MemoryStorage } from "../host/node/operations/testing.js";
import { openLocalStorage } from "../host/node/storage/local-storage.js";
import type { Storage } from "../host/node/storage/storage.js";

/** Root mean square by axis without the mean, of [128, 3] values: examples/functions/vibration-rms.ts in JavaScript. */
const javascript = `function rms(input) {
  const f = Math.fround, out = new Float32Array(3), rows = Math.trunc(input.length / 3);
  for (let axis = 0; axis < 3; axis++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum = f(sum + input[row * 3 + axis]);
    const mean = f(sum / rows);
    let squares = 0;
    for (let row = 0; row < rows; row++) {
      const d = f(input[row * 3 + axis] - mean);
      squares = f(squares + f(d * d));
    }
    out[axis] = f(Math.sqrt(f(squares / rows)));
  }
  return out;
}`;

interface Contender {
  readonly name: string;
  /** From code to the first answer. */
  cold(): Promise<Uint8Array>;
  call(): Promise<Uint8Array>;
  close(): Promise<void>;
}

interface Figures {
  readonly name: string;
  /** Of the first cold start. */
  readonly firstMs: number;
  readonly coldMs: number;
  readonly coldP99Ms: number;
  readonly warmP50Us: number;
  readonly warmP99Us: number;
  readonly callsPerS: number;
}

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    calls: { type: "string", default: "2000" },
    colds: { type: "string", default: "200" },
    only: { type: "string", multiple: true },
  },
});
const calls = Number(values.calls);
const colds = Number(values.colds);
/** What a start leaves to be done has ended by then, ms. */
const pauseMs = 20;
const window = Float32Array.from({ length: 384 }, (_, i) => Math.sin(i * 0.37) + (i % 3));
const input = new Uint8Array(window.buffer);

type Keys = ReturnType<typeof generateKeyPairSync>;

/** Bundles of the same function under other versions, each with code of its own bytes: engines remember what they compiled. */
async function differentBundles(key: Keys, count: number): Promise<Uint8Array[]> {
  const { build } = await buildFunction({
    file: packagePath("examples", "functions", "vibration-rms.ts"),
    root: packagePath(),
    checked: false,
    key,
  });
  if (build === undefined) throw new Error("the example does not compile");
  const { code } = decodeBundle(build.bundle);
  return Array.from({ length: count }, (_, i) => {
    // A custom section without a meaning.
    const own = Buffer.concat([code, Uint8Array.of(0, 4, 1, 0x76, i & 0xff, i >> 8)]);
    return packBundle({ ...build.manifest, version: `1.0.${i}`, digest: sha256(own) }, own, key);
  });
}

async function ours(
  name: string,
  storage: Storage,
  inlineFuel: number,
  bundles: readonly Uint8Array[],
  key: Keys,
): Promise<Contender> {
  const runtime = await createFunctionRuntime({
    storage,
    match: descriptorMatch,
    log: pino({ level: "silent" }),
    workers: 2,
    trustedKeys: [{ name: "bench", key: key.publicKey }],
    memoryBytes: 16 * 1024 * 1024,
    trustedWorkers: false,
    inlineFuel,
    functions: colds,
  });
  // The pool starts in the background, as in a node that has just been started.
  await sleep(500);
  const inputDescriptor = { elementType: 6, shape: [128, 3], unit: "g" };
  let current = "";
  const call = async (): Promise<Uint8Array> =>
    (
      await runtime.invoke(current, {
        input,
        inputDescriptor,
        signal: new AbortController().signal,
        deadlineAt: performance.now() + 5000,
      })
    ).output;
  let next = 0;
  return {
    name,
    async cold() {
      const { name: made, version } = await runtime.deploy(
        bundles[next++ % bundles.length] ?? new Uint8Array(),
      );
      current = `${made}@${version}`;
      return call();
    },
    call,
    async close() {
      await runtime.close();
      await storage.close();
    },
  };
}

async function quickjs(): Promise<Contender> {
  const engine = await getQuickJS();
  let context = engine.newContext();
  const create = (): void => {
    context = engine.newContext();
    const made = context.evalCode(`${javascript};globalThis.call=(b)=>rms(new Float32Array(b)).buffer;`);
    context.unwrapResult(made).dispose();
  };
  const call = (): Promise<Uint8Array> => {
    const fn = context.getProp(context.global, "call");
    const argument = context.newArrayBuffer(input.slice().buffer);
    const result = context.unwrapResult(context.callFunction(fn, context.undefined, argument));
    const buffer = context.getArrayBuffer(result);
    const bytes = Uint8Array.from(buffer.value);
    for (const handle of [fn, argument, result, buffer]) handle.dispose();
    return Promise.resolve(bytes);
  };
  context.dispose();
  create();
  return {
    name: "QuickJS (WebAssembly)",
    cold() {
      context.dispose();
      create();
      return call();
    },
    call,
    close() {
      context.dispose();
      return Promise.resolve();
    },
  };
}

function workerThread(): Contender {
  const source = `${javascript}
require("node:worker_threads").parentPort.on("message", (m) => {
  const out = rms(new Float32Array(m.buffer, m.byteOffset, m.length / 4));
  require("node:worker_threads").parentPort.postMessage(new Uint8Array(out.buffer));
});`;
  let worker = new Worker(source, { eval: true });
  const call = (): Promise<Uint8Array> =>
    new Promise((resolve) => {
      worker.once("message", resolve);
      worker.postMessage(input);
    });
  return {
    name: "worker_threads",
    async cold() {
      await worker.terminate();
      const start = performance.now();
      worker = new Worker(source, { eval: true });
      const answer = await call();
      spawned = performance.now() - start;
      return answer;
    },
    call,
    async close() {
      await worker.terminate();
    },
  };
}
/** Without the time that the worker before took to end. */
let spawned: number | undefined;

interface IsolatedVm {
  readonly Isolate: new (options: { memoryLimit: number }) => {
    createContext(): Promise<{
      eval(code: string): Promise<void>;
      readonly global: {
        get(
          name: string,
          options: object,
        ): Promise<{
          apply(receiver: undefined, args: unknown[], options: object): Promise<ArrayBuffer>;
        }>;
      };
    }>;
    dispose(): void;
  };
}

const isolatedName = "isolated-vm";
/** It is compiled when it is installed, so it is nobody's dependency here. Version 5 is for Node.js 18 to 22. */
const installIsolated = "npm install --no-save isolated-vm@5.0.4";

/** Undefined where the package is not installed. It needs the switch --no-node-snapshot. */
async function isolatedVm(): Promise<Contender | undefined> {
  let ivm: IsolatedVm;
  try {
    // Not `import`: this looks in NODE_PATH too.
    ivm = createRequire(import.meta.url)(isolatedName) as IsolatedVm;
  } catch {
    return undefined;
  }
  const create = async () => {
    const isolate = new ivm.Isolate({ memoryLimit: 16 });
    const context = await isolate.createContext();
    await context.eval(`${javascript};globalThis.call=(b)=>rms(new Float32Array(b)).buffer;`);
    return { isolate, rms: await context.global.get("call", { reference: true }) };
  };
  let made = await create();
  const call = async (): Promise<Uint8Array> =>
    new Uint8Array(
      await made.rms.apply(undefined, [input.slice().buffer], {
        arguments: { copy: true },
        result: { copy: true },
      }),
    );
  return {
    name: isolatedName,
    async cold() {
      made.isolate.dispose();
      made = await create();
      return call();
    },
    call,
    close() {
      made.isolate.dispose();
      return Promise.resolve();
    },
  };
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(Math.floor(sorted.length * q), sorted.length - 1)] ?? 0;
const ascending = (list: number[]): number[] => list.sort((a, b) => a - b);

async function measure(
  contender: Contender,
  expected: Uint8Array | undefined,
): Promise<[Figures, Uint8Array]> {
  const cold: number[] = [];
  let answer = new Uint8Array();
  for (let i = 0; i < colds; i++) {
    await sleep(pauseMs);
    spawned = undefined;
    const start = performance.now();
    answer = new Uint8Array(await contender.cold());
    cold.push(spawned ?? performance.now() - start);
  }
  if (expected !== undefined && !Buffer.from(answer).equals(expected)) {
    throw new Error(`${contender.name} gives another result`);
  }
  for (let i = 0; i < calls / 4; i++) await contender.call();
  const warm: number[] = [];
  for (let i = 0; i < calls; i++) {
    const start = performance.now();
    await contender.call();
    warm.push((performance.now() - start) * 1000);
  }
  const start = performance.now();
  let left = calls;
  // A worker thread by itself has no queue: its calls go one after the other.
  const lanes = contender.name === "worker_threads" ? 1 : 16;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await contender.call();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const seconds = (performance.now() - start) / 1000;
  await contender.close();
  const [firstMs = 0] = cold;
  ascending(cold);
  ascending(warm);
  const figures = {
    name: contender.name,
    firstMs,
    coldMs: quantile(cold, 0.5),
    coldP99Ms: quantile(cold, 0.99),
    warmP50Us: quantile(warm, 0.5),
    warmP99Us: quantile(warm, 0.99),
    callsPerS: Math.round(calls / seconds),
  };
  return [figures, answer];
}

/** In a process of its own, with the switch that it needs. Undefined where it is not installed. */
function isolatedVmApart(): Figures | undefined {
  const switches = ["--no-node-snapshot", "--import", "tsx", fileURLToPath(import.meta.url)];
  const options = ["--json", "--only", isolatedName, "--calls", values.calls, "--colds", values.colds];
  const { stdout, stderr } = spawnSync(process.execPath, [...switches, ...options], { encoding: "utf8" });
  try {
    return (JSON.parse(stdout) as { functions: Figures[] }).functions[0];
  } catch {
    throw new Error(`${isolatedName}: ${stderr}`);
  }
}

const key = generateKeyPairSync("ed25519");
const bundles = await differentBundles(key, colds);
const folder = mkdtempSync(join(tmpdir(), "tmc-bench-functions-"));
const found: Figures[] = [];
const skipped: string[] = [];
let expected: Uint8Array | undefined;
const contenders: Readonly<Record<string, () => Promise<Contender | undefined>>> = {
  tmc: () => ours("tmc", new MemoryStorage(), defaultFuel, bundles, key),
  "tmc, workers only": () => ours("tmc, workers only", new MemoryStorage(), 0, bundles, key),
  "tmc, with deploy to disk": async () =>
    ours("tmc, with deploy to disk", await openLocalStorage(folder), defaultFuel, bundles, key),
  "QuickJS (WebAssembly)": () => quickjs(),
  worker_threads: () => Promise.resolve(workerThread()),
  [isolatedName]: () => isolatedVm(),
};
for (const [name, make] of Object.entries(contenders)) {
  if (values.only !== undefined && !values.only.includes(name)) continue;
  if (name === isolatedName && values.only === undefined) {
    const figures = isolatedVmApart();
    if (figures === undefined) skipped.push(isolatedName);
    else found.push(figures);
    continue;
  }
  const contender = await make();
  if (contender === undefined) continue;
  const [figures, answer] = await measure(contender, expected);
  expected ??= answer;
  found.push(figures);
}
rmSync(folder, { recursive: true, force: true });
const main = found.find(({ name }) => name === "tmc");
const targets = { coldP99Ms: 5, warmP50Us: 50 };
const met =
  main === undefined || (main.coldP99Ms <= targets.coldP99Ms && main.warmP50Us <= targets.warmP50Us);
if (values.json) {
  process.stdout.write(`${JSON.stringify({ functions: found, skipped, targets, met })}\n`);
} else {
  process.stdout.write("vibration-rms on 384 values; cold: code to first answer\n\n");
  process.stdout.write(`${"".padEnd(26)}cold p50   cold p99   warm p50   warm p99    calls/s\n`);
  for (const f of found) {
    const cells = [
      `${f.coldMs.toFixed(2)} ms`,
      `${f.coldP99Ms.toFixed(2)} ms`,
      `${f.warmP50Us.toFixed(1)} us`,
      `${f.warmP99Us.toFixed(1)} us`,
      f.callsPerS.toLocaleString("en-US"),
    ];
    process.stdout.write(`${f.name.padEnd(24)}${cells.map((c) => c.padStart(10)).join(" ")}\n`);
  }
  if (skipped.length > 0)
    process.stdout.write(`\nskipped, not installed: ${skipped.join(", ")} (${installIsolated})\n`);
  if (main !== undefined)
    process.stdout.write(`\nthe first function of the process: ${main.firstMs.toFixed(2)} ms\n`);
  process.stdout.write(
    `\ntargets: cold p99 ${targets.coldP99Ms} ms, warm p50 ${targets.warmP50Us} us: ${met ? "met" : "missed"}\n`,
  );
}
process.exitCode = met ? 0 : 1;
