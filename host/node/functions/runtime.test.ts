import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { pino } from "pino";
import type { Storage } from "../storage/storage.js";
import { OperationFailure } from "../operations/operation.js";
import type { FunctionCall, FunctionRuntime } from "./function-runtime.js";
import { createFunctionRuntime, type FunctionRuntimeOptions } from "./runtime.js";
import { matchForTests, MemoryStorage } from "../operations/testing.js";
import { bundleOf, handmadeBundle, newKeys } from "./testing.js";
import { constant, echo, forever, op, wasmModule } from "./testing-wasm.js";

const key = newKeys();
const open: FunctionRuntime[] = [];
afterEach(async () => {
  for (const runtime of open.splice(0)) await runtime.close();
});

let logged: string[] = [];
const start = (options: Partial<FunctionRuntimeOptions> = {}): Promise<FunctionRuntime> => startWith(options);
async function startWith(options: Partial<FunctionRuntimeOptions> = {}): Promise<FunctionRuntime> {
  logged = [];
  const runtime = await createFunctionRuntime({
    storage: new MemoryStorage(),
    log: pino({ base: null }, { write: (line: string) => void logged.push(line) }),
    match: matchForTests,
    workers: 1,
    trustedKeys: [{ name: "owner", key: key.publicKey }],
    memoryBytes: 1024 * 1024,
    trustedWorkers: false,
    ...options,
  });
  open.push(runtime);
  return runtime;
}

/** Warnings of the log: "name@version: code: reason". */
const warned = (): string[] =>
  logged
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ level, module }) => level === 40 && module === "functions")
    .map(({ function: name, code, reason }) => `${String(name)}: ${String(code)}: ${String(reason)}`);

/** Bytes of u8 [-1], within 2 s. */
const bytesCall = (
  input: readonly number[] | Uint8Array,
  changes: Partial<FunctionCall> = {},
): FunctionCall => ({
  input: Uint8Array.from(input),
  inputDescriptor: { elementType: 1, shape: [input.length] },
  signal: new AbortController().signal,
  deadlineAt: performance.now() + 2000,
  ...changes,
});

async function failure(promise: Promise<unknown>): Promise<OperationFailure> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof OperationFailure) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

const handmade = (body: readonly number[], name = "handmade", version = "1"): Uint8Array =>
  handmadeBundle(wasmModule({ body }), key, { name, version });

describe("a function built from TypeScript", () => {
  let bundle = new Uint8Array();
  beforeAll(async () => {
    bundle = new Uint8Array(await bundleOf("examples/functions/vibration-rms.ts", key));
  });
  const window = new Float32Array([0, 1, 2, 4, 1, 2, 0, 1, 2, 4, 1, 2]);
  const call = (changes: Partial<FunctionCall> = {}): FunctionCall => ({
    input: new Uint8Array(window.buffer),
    inputDescriptor: { elementType: 6, shape: [4, 3], unit: "g" },
    signal: new AbortController().signal,
    deadlineAt: performance.now() + 2000,
    ...changes,
  });

  it("is deployed, found, listed, called and removed", async () => {
    const runtime = await start();
    const summary = await runtime.deploy(bundle);
    expect(summary).toMatchObject({
      name: "vibration-rms",
      version: "1.0.0",
      kind: "wasm",
      input: "f32 [-1, 3]",
      output: "f32 [3]",
      signedBy: "owner",
      bytes: bundle.length,
    });
    expect(runtime.find("vibration-rms")?.input).toEqual({ elementType: 6, shape: [-1, 3], unit: "g" });
    const outcome = await runtime.invoke("vibration-rms", call());
    expect([...new Float32Array(outcome.output.slice().buffer)]).toEqual([2, 0, 0]);
    expect(outcome).toMatchObject({
      function: "vibration-rms@1.0.0",
      outputDescriptor: { elementType: 6, shape: [3], unit: "g" },
    });
    expect(runtime.list("vib")[0]).toMatchObject({ calls: 1, failures: 0 });
    expect(runtime.list("x")).toEqual([]);
    expect(new Uint8Array((await runtime.bundle("vibration-rms")) ?? [])).toEqual(bundle);
    await runtime.remove("vibration-rms@1.0.0");
    expect((await failure(runtime.invoke("vibration-rms", call()))).code).toBe("not-found");
    expect((await failure(runtime.remove("vibration-rms"))).code).toBe("not-found");
  });
  it.each([
    [{ inputDescriptor: { elementType: 0, shape: [4, 3] } }, "descriptor-mismatch", "input.element"],
    [{ inputDescriptor: { elementType: 6, shape: [4, 2] } }, "descriptor-mismatch", "input.shape"],
    [{ inputDescriptor: undefined }, "descriptor-mismatch", "input.element"],
    [
      { inputDescriptor: { elementType: 6, shape: [4, 3], unit: "m/s2" } },
      "descriptor-mismatch",
      "input.unit",
    ],
    [
      { inputDescriptor: { elementType: 6, shape: [4, 3], format: 1 } },
      "descriptor-mismatch",
      "input.format",
    ],
    [{ input: new Uint8Array(47) }, "descriptor-mismatch", "input.bytes"],
    [{ input: new Uint8Array(12 * 513) }, "too-large", "input"],
    [{ input: undefined }, "bad-request", "input"],
  ] as const)("refuses %j", async (changes, code, field) => {
    const runtime = await start();
    await runtime.deploy(bundle);
    expect(
      await failure(runtime.invoke("vibration-rms", call(changes as Partial<FunctionCall>))),
    ).toMatchObject({
      code,
      field,
    });
  });
});

describe("versions", () => {
  it("without a version it is the newest, by number", async () => {
    const runtime = await start();
    for (const version of ["1.9.0", "1.10.0", "1.10.0-beta", "0.1"]) {
      await runtime.deploy(handmade(echo, "f", version));
    }
    expect((await runtime.invoke("f", bytesCall([1]))).function).toBe("f@1.10.0");
    expect((await runtime.invoke("f@0.1", bytesCall([1]))).function).toBe("f@0.1");
    expect(runtime.list().map((f) => f.version)).toEqual(["1.10.0", "1.10.0-beta", "1.9.0", "0.1"]);
  });
  it("the same one again changes nothing; other code under it is refused", async () => {
    const runtime = await start();
    const summary = await runtime.deploy(handmade(echo));
    await runtime.invoke("handmade", bytesCall([1]));
    expect(await runtime.deploy(handmade(echo))).toMatchObject({ digest: summary.digest, calls: 1 });
    expect((await failure(runtime.deploy(handmade(forever)))).code).toBe("forbidden");
    expect((await runtime.invoke("handmade", bytesCall([1]))).output).toEqual(Uint8Array.of(1));
  });
});

describe.each([
  ["in workers only", 0],
  ["first on the node's thread", 10_000],
])("a function that misbehaves, %s", (_, inlineFuel) => {
  const start = (): Promise<FunctionRuntime> => startWith({ inlineFuel, inlineAfter: 0 });
  it("never ends: stopped at its deadline; calls of others in the queue are not lost", async () => {
    const runtime = await start();
    await runtime.deploy(handmade(forever, "loop"));
    await runtime.deploy(handmade(echo, "echo"));
    const begun = performance.now();
    const loop = failure(runtime.invoke("loop", bytesCall([], { deadlineAt: begun + 80 })));
    const others = [1, 2, 3].map((n) => runtime.invoke("echo", bytesCall([n])));
    expect((await loop).code).toBe("deadline");
    expect(performance.now() - begun).toBeLessThan(1000);
    expect((await Promise.all(others)).map((o) => o.output[0])).toEqual([1, 2, 3]);
    expect(warned()).toEqual(["loop@1: deadline: the time is over"]);
  });
  it("never ends, and its manifest bounds its time", async () => {
    const runtime = await start();
    await runtime.deploy(
      handmadeBundle(wasmModule({ body: forever }), key, {
        bounds: { flash: 1, ram: 65_536, stack: 0, timeUs: 20_000 },
      }),
    );
    expect(await failure(runtime.invoke("handmade", bytesCall([])))).toMatchObject({
      code: "function-failed",
      text: "took longer than its bound",
    });
    expect(warned()).toEqual(["handmade@1: function-failed: took longer than its bound"]);
  });
  it("never ends while it is instantiated", async () => {
    const runtime = await start();
    await runtime.deploy(handmadeBundle(wasmModule({ body: forever, start: true }), key));
    const call = bytesCall([], { deadlineAt: performance.now() + 80 });
    expect((await failure(runtime.invoke("handmade", call))).code).toBe("deadline");
    expect(warned()).toEqual(["handmade@1: deadline: the time is over"]);
  });
  it("wants more memory than it has: growing fails, it goes on", async () => {
    // memory.grow(1000) gives -1; minus -1 bytes of output are 1.
    const body = [op.i32, 0, ...constant(1000), op.grow, 0, op.sub];
    const runtime = await start();
    await runtime.deploy(handmade(body));
    expect((await runtime.invoke("handmade", bytesCall([7]))).output).toEqual(Uint8Array.of(7));
  });
  it("writes outside of its memory, divides by zero, calls itself without end", async () => {
    const runtime = await start();
    await runtime.deploy(handmade([...constant(-1), op.i32, 1, op.store8, 0, 0, op.i32, 0], "write"));
    await runtime.deploy(handmade([op.i32, 1, op.i32, 0, op.divS], "divide"));
    await runtime.deploy(handmade([op.get, 0, op.call, 1], "recurse"));
    await runtime.deploy(handmade(echo, "echo"));
    expect((await failure(runtime.invoke("write", bytesCall([])))).text).toMatch(/out of bounds/);
    expect((await failure(runtime.invoke("divide", bytesCall([])))).text).toMatch(/divide by zero/);
    expect(await failure(runtime.invoke("recurse", bytesCall([])))).toMatchObject({ details: { trap: 7 } });
    expect((await runtime.invoke("echo", bytesCall([9]))).output).toEqual(Uint8Array.of(9));
    expect(warned()).toEqual([
      expect.stringMatching(/^write@1: function-failed: engine memory access out of bounds/),
      expect.stringMatching(/^divide@1: function-failed: engine divide by zero/),
      expect.stringMatching(/^recurse@1: function-failed: stack/),
    ]);
  });
  it("says that it made more output than it has", async () => {
    const runtime = await start();
    await runtime.deploy(handmade([op.i32, ...[0xff, 0x7f].slice(1)], "negative"));
    await runtime.deploy(handmade(constant(65), "large"));
    expect((await failure(runtime.invoke("negative", bytesCall([])))).code).toBe("function-failed");
    expect((await failure(runtime.invoke("large", bytesCall([])))).code).toBe("function-failed");
    expect(warned()).toEqual([
      "negative@1: function-failed: engine the output is larger than declared",
      "large@1: function-failed: engine the output is larger than declared",
    ]);
  });
  it("reports a trap with kind, site and text", async () => {
    const body = [...constant(6), ...constant(1), ...constant(1024), op.get, 0, op.call, 0, op.i32, 0];
    const runtime = await start();
    const code = wasmModule({ body });
    await runtime.deploy(handmadeBundle(code, key, { sites: ["pump.ts:3:7"] }));
    expect(await failure(runtime.invoke("handmade", bytesCall(Buffer.from("too hot"))))).toMatchObject({
      code: "function-failed",
      text: "throw too hot at pump.ts:3:7",
      details: { trap: 6, site: 1 },
    });
    expect(runtime.list()[0]).toMatchObject({ calls: 1, failures: 1 });
    // The same again does not fill the log.
    expect((await failure(runtime.invoke("handmade", bytesCall([1])))).code).toBe("function-failed");
    expect(warned()).toEqual(["handmade@1: function-failed: throw too hot at pump.ts:3:7"]);
  });
  it("leaves nothing behind for the next call", async () => {
    // Adds the byte at 1500 to itself plus one, gives it as output: 1, not 2, the second time.
    const at = constant(1500);
    const increment = [...at, ...at, op.load8, 0, 0, op.i32, 1, op.add, op.store8, 0, 0];
    const give = [...constant(1024), ...at, op.load8, 0, 0, op.store8, 0, 0, op.i32, 1];
    const runtime = await start();
    await runtime.deploy(handmade([...increment, ...give]));
    expect((await runtime.invoke("handmade", bytesCall([]))).output).toEqual(Uint8Array.of(1));
    expect((await runtime.invoke("handmade", bytesCall([]))).output).toEqual(Uint8Array.of(1));
  });
});

describe("a trusted module", () => {
  const deployed = async (code: string): Promise<FunctionRuntime> => {
    const runtime = await start({ trustedWorkers: true });
    await runtime.deploy(handmadeBundle(Buffer.from(code), key, { kind: "worker", imports: [] }));
    return runtime;
  };
  it("runs where it is allowed, and may wait", async () => {
    const runtime = await deployed(
      'import { setTimeout } from "node:timers/promises"; export async function run(b) { await setTimeout(1); return b.map((x) => x + 1); }',
    );
    expect((await runtime.invoke("handmade", bytesCall([1, 2]))).output).toEqual(Uint8Array.of(2, 3));
    expect(runtime.list()[0]?.kind).toBe("worker");
  });
  it("that throws, gives no bytes, is no module or never ends, fails alone", async () => {
    for (const [code, text] of [
      ["export function run() { throw new Error('broken'); }", /broken/],
      ["export function run() { return 'text'; }", /no bytes/],
      ["export {", /Unexpected/],
    ] as const) {
      const runtime = await deployed(code);
      expect((await failure(runtime.invoke("handmade", bytesCall([1])))).text).toMatch(text);
    }
    const endless = await deployed("export function run() { for (;;); }");
    const call = bytesCall([1], { deadlineAt: performance.now() + 200 });
    expect((await failure(endless.invoke("handmade", call))).code).toBe("deadline");
    expect(warned()).toEqual(["handmade@1: deadline: the time is over"]);
  });
  it("that fills its memory takes only its worker with it", async () => {
    const runtime = await deployed(
      "export function run(b) { if (b[0]) return b; const all = []; for (;;) all.push(new Array(1e5).fill(all.length)); }",
    );
    const call = bytesCall([0], { deadlineAt: performance.now() + 30_000 });
    expect(await failure(runtime.invoke("handmade", call))).toMatchObject({ code: "function-failed" });
    expect(warned()).toEqual([expect.stringMatching(/^handmade@1: function-failed: the worker died/)]);
    expect((await runtime.invoke("handmade", bytesCall([1]))).output).toEqual(Uint8Array.of(1));
  });
});

describe("many calls", () => {
  it("share the workers, each gets its own answer", async () => {
    const runtime = await start({ workers: 2 });
    await runtime.deploy(handmade(echo));
    const all = Array.from({ length: 200 }, (_, i) =>
      runtime.invoke("handmade", bytesCall([i & 0xff, i >> 8])),
    );
    const outputs = (await Promise.all(all)).map((o) => (o.output[0] ?? 0) + 256 * (o.output[1] ?? 0));
    expect(outputs).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });
  it("are refused as busy when the queue is full", async () => {
    const runtime = await start({ queue: 2 });
    await runtime.deploy(handmade(forever));
    const calls = Array.from({ length: 4 }, () =>
      failure(runtime.invoke("handmade", bytesCall([], { deadlineAt: performance.now() + 60 }))),
    );
    expect((await Promise.all(calls)).map((f) => f.code)).toEqual([
      "deadline",
      "deadline",
      "deadline",
      "busy",
    ]);
  });
  it("end when they are cancelled, waiting or running", async () => {
    const runtime = await start();
    await runtime.deploy(handmade(forever));
    const controller = new AbortController();
    const calls = [1, 2].map(() =>
      failure(runtime.invoke("handmade", bytesCall([], { signal: controller.signal }))),
    );
    setTimeout(() => controller.abort(), 30);
    expect((await Promise.all(calls)).map((f) => f.code)).toEqual(["cancelled", "cancelled"]);
  });
  it("end when the runtime is closed", async () => {
    const runtime = await start();
    await runtime.deploy(handmade(forever));
    const call = failure(runtime.invoke("handmade", bytesCall([])));
    await runtime.close();
    expect((await call).code).toBe("cancelled");
    expect((await failure(runtime.invoke("handmade", bytesCall([])))).code).toBe("cancelled");
  });
});

describe("after a restart", () => {
  async function restarted(
    storage: Storage,
    options: Partial<FunctionRuntimeOptions> = {},
  ): Promise<FunctionRuntime> {
    await open.pop()?.close();
    return start({ storage, ...options });
  }
  it("what was deployed is there, what was removed is not", async () => {
    const storage = new MemoryStorage();
    const first = await start({ storage });
    await first.deploy(handmade(echo, "kept"));
    await first.deploy(handmade(echo, "gone"));
    await first.remove("gone");
    const second = await restarted(storage);
    expect(second.list().map((f) => f.name)).toEqual(["kept"]);
    expect((await second.invoke("kept", bytesCall([5]))).output).toEqual(Uint8Array.of(5));
  });
  it("a function whose key is not trusted any more stays away, and the log says so", async () => {
    const storage = new MemoryStorage();
    await (await start({ storage })).deploy(handmade(echo));
    const second = await restarted(storage, { trustedKeys: [] });
    expect(second.list()).toEqual([]);
    expect(logged.join("")).toContain("not offered");
  });
});
