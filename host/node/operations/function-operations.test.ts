import { afterEach, describe, expect, it } from "vitest";
import { pino } from "pino";
import { decodeBundle, encodeBundle, encodeManifest } from "../../../compiler/function/bundle.js";
import { bundleLimits, type FunctionManifest } from "../../../compiler/function/manifest.js";
import { errorCodes } from "../../bus/protocol-keys.js";
import type { Answer } from "../../bus/protocol.js";
import type { FunctionRuntime } from "../functions/function-runtime.js";
import { createFunctionRuntime } from "../functions/runtime.js";
import { handmadeBundle, newKeys } from "../functions/testing.js";
import { echo, forever, wasmModule, type ModuleParts } from "../functions/testing-wasm.js";
import { digestOf } from "../storage/blob-uses.js";
import { createJobs } from "../jobs/create-jobs.js";
import { createFunctionOperations } from "./function-operations.js";
import { OperationFailure, type OperationResult, type Order } from "./operation.js";
import { matchForTests, MemoryStorage } from "./testing.js";

const key = newKeys();
const bundle = handmadeBundle(wasmModule({ body: echo }), key, { name: "echo", version: "1.2" });
const open: FunctionRuntime[] = [];
afterEach(async () => {
  for (const runtime of open.splice(0)) await runtime.close();
});

interface Fixture {
  readonly runtime: FunctionRuntime;
  readonly storage: MemoryStorage;
  readonly orders: Order[];
  /** What the other node answers with from now on. */
  readonly fails: { answer?: NonNullable<Answer["error"]> };
  /** "sender operation: code: reason" of the log's warnings. */
  warned(): string[];
  /** "code in field", or the result. */
  run(operation: string, order: Partial<Order>): Promise<OperationResult | string>;
  serves(operation: string, order: Partial<Order>): boolean | Promise<boolean>;
}

async function fixture(answer: Partial<Answer> = {}): Promise<Fixture> {
  const logged: Record<string, unknown>[] = [];
  const log = pino(
    { base: null },
    { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const storage = new MemoryStorage();
  const fails: Fixture["fails"] = {};
  const runtime = await createFunctionRuntime({
    storage,
    match: matchForTests,
    log,
    workers: 1,
    trustedKeys: [{ name: "owner", key: key.publicKey }],
    memoryBytes: 1024 * 1024,
    trustedWorkers: false,
  });
  open.push(runtime);
  const orders: Order[] = [];
  const operations = createFunctionOperations({
    runtime,
    match: matchForTests,
    node: "here",
    jobs: createJobs(storage, { owner: "here" }),
    nodes: () => [],
    recall: () => undefined,
    log,
    resolve: (reference) =>
      reference === "blob:bundle"
        ? Promise.resolve({ bytes: bundle, descriptor: {} })
        : Promise.reject(new OperationFailure("not-found", reference, "input")),
    submit: (order) => {
      orders.push(order);
      const error = fails.answer === undefined ? {} : { error: fails.answer };
      return Promise.resolve({ version: 1, id: 1, boot: 1, stage: 2, node: "there", ...answer, ...error });
    },
  });
  const find = (name: string) => {
    const found = operations.find((o) => o.definition.name === name);
    if (found === undefined) throw new Error(`no operation ${name}`);
    return found;
  };
  const request = (operation: string, order: Partial<Order>) => ({
    id: 1,
    boot: 1,
    sender: "me",
    ...order,
    operation,
  });
  return {
    runtime,
    storage,
    orders,
    fails,
    warned: () =>
      logged
        .filter(({ level, module }) => level === 40 && module === "functions")
        .map(
          (l) =>
            `${String(l["sender"])} ${String(l["operation"])}: ${String(l["code"])}: ${String(l["reason"])}`,
        ),
    serves: (operation, order) => find(operation).canServe?.(request(operation, order)) ?? true,
    async run(operation, order) {
      try {
        return await find(operation).run({
          arguments: order.arguments ?? {},
          request: request(operation, order),
          sender: "me",
          signal: new AbortController().signal,
          deadlineAt: performance.now() + 2000,
        });
      } catch (error) {
        if (!(error instanceof OperationFailure)) throw error;
        return `${error.code}${error.field === undefined ? "" : ` in ${error.field}`}`;
      }
    },
  };
}

const result = (value: OperationResult | string) => (typeof value === "string" ? value : value.result);

describe("function.deploy", () => {
  it("takes a bundle inline or by reference, with or without its digest", async () => {
    const { run } = await fixture();
    const expected = { function: "echo@1.2", digest: digestOf(bundle) };
    expect(result(await run("function.deploy", { input: bundle }))).toEqual(expected);
    const byReference = { input: "blob:bundle", arguments: { digest: digestOf(bundle) } };
    expect(result(await run("function.deploy", byReference))).toEqual(expected);
  });
  it("is no job here: a workflow or schedule, which detaches jobs, has its answer at once", async () => {
    const { run } = await fixture();
    const answer = result(await run("function.deploy", { input: bundle, arguments: { detach: true } }));
    expect(answer).toEqual({ function: "echo@1.2", digest: digestOf(bundle) });
  });
  it("is a job for minimal nodes: detached, the answer is the job", async () => {
    const { run } = await fixture();
    const order = { input: bundle, arguments: { nodes: ["pump-1"], detach: true } };
    expect(result(await run("function.deploy", order))).toEqual({ job: expect.any(String) as string });
  });
  it("refuses another digest, no input, an unknown reference, what is no bundle", async () => {
    const { run } = await fixture();
    const wrong = { input: bundle, arguments: { digest: "0".repeat(64) } };
    expect(await run("function.deploy", wrong)).toBe("corrupt in input");
    expect(await run("function.deploy", {})).toBe("bad-request in input");
    expect(await run("function.deploy", { input: "blob:other" })).toBe("not-found in input");
    expect(await run("function.deploy", { input: Uint8Array.of(1, 2, 3) })).toBe("corrupt in input");
  });

  const loud = decodeBundle(bundle);
  const flipped = loud.code.slice();
  flipped[flipped.length - 2] = 1;
  const made = (parts: ModuleParts, changes: Partial<FunctionManifest> = {}): Uint8Array =>
    handmadeBundle(wasmModule(parts), key, changes);
  it.each<[string, Uint8Array, string, RegExp]>([
    ["unsigned", handmadeBundle(wasmModule(), undefined), "forbidden", /the bundle is not signed/],
    [
      "signed by a stranger",
      handmadeBundle(wasmModule(), newKeys()),
      "forbidden",
      /signed by an unknown key/,
    ],
    ["tampered code", encodeBundle({ ...loud, code: flipped }), "corrupt", /the code is not the one of/],
    [
      "tampered manifest",
      encodeBundle({ ...loud, manifestBytes: encodeManifest({ ...loud.manifest, version: "9" }) }),
      "corrupt",
      /the signature does not fit/,
    ],
    ["a path as name", made({}, { name: "../../etc/passwd" }), "corrupt", /not valid at name/],
    ["a path as version", made({}, { version: "../1" }), "corrupt", /not valid at version/],
    [
      "an import not declared",
      made({ imports: [["tmc", "log"]] }),
      "forbidden",
      /import log is not declared/,
    ],
    [
      "an import of the system",
      made({ imports: [["wasi_snapshot_preview1", "path_open"]] }, { imports: ["path_open"] }),
      "forbidden",
      /the import path_open is not allowed/,
    ],
    [
      "memory that grows without end",
      made({ memory: [1, undefined] }),
      "forbidden",
      /one memory with a maximum/,
    ],
    [
      "more memory than allowed",
      made({ memory: [64, 64] }, { bounds: { flash: 1, ram: 4 * 1024 * 1024, stack: 0 } }),
      "too-large",
      /needs 4194304 bytes of memory/,
    ],
    ["too many bytes", new Uint8Array(bundleLimits.bundle + 1), "too-large", /more than/],
  ])("refuses a bundle and logs it, with who sent it: %s", async (_, input, code, reason) => {
    const { run, runtime, warned } = await fixture();
    expect(await run("function.deploy", { input })).toBe(`${code} in input`);
    expect(warned()).toEqual([expect.stringMatching(`^me function.deploy: ${code}: .*${reason.source}`)]);
    expect(runtime.list()).toEqual([]);
    // Again and again: the log has it once.
    expect(await run("function.deploy", { input })).toBe(`${code} in input`);
    expect(warned()).toHaveLength(1);
  });
  it("logs other code under a version that is there", async () => {
    const { run, warned } = await fixture();
    await run("function.deploy", { input: bundle });
    const input = handmadeBundle(wasmModule({ body: forever }), key, { name: "echo", version: "1.2" });
    expect(await run("function.deploy", { input })).toBe("forbidden in input");
    expect(warned()).toEqual([
      "me function.deploy: forbidden: this version has other code here: raise the version",
    ]);
  });
});

describe("function.invoke", () => {
  const call = (changes: Partial<Order> = {}): Partial<Order> => ({
    selector: { name: "echo" },
    input: Uint8Array.of(1, 2, 3),
    inputDescriptor: { elementType: 1, shape: [3] },
    ...changes,
  });
  it("answers with output and descriptor", async () => {
    const { run, runtime } = await fixture();
    await runtime.deploy(bundle);
    expect(await run("function.invoke", call())).toEqual({
      result: { function: "echo@1.2" },
      output: Uint8Array.of(1, 2, 3),
      outputDescriptor: { elementType: 1, shape: [3] },
    });
  });
  it("is for another node when the function is not here", async () => {
    const { serves, runtime } = await fixture();
    expect(serves("function.invoke", call())).toBe(false);
    await runtime.deploy(bundle);
    expect(serves("function.invoke", call())).toBe(true);
    expect(serves("function.invoke", call({ selector: { name: "echo@1.3" } }))).toBe(false);
    expect(serves("function.invoke", { input: Uint8Array.of(1) })).toBe(false);
  });
  it("checks both descriptors before it computes", async () => {
    const { run, runtime } = await fixture();
    await runtime.deploy(bundle);
    expect(await run("function.invoke", call({ acceptedOutput: { elementType: 6 } }))).toBe(
      "descriptor-mismatch in accept.element",
    );
    expect(await run("function.invoke", call({ inputDescriptor: { elementType: 1, shape: [3, 2] } }))).toBe(
      "descriptor-mismatch in input.shape",
    );
    expect(await run("function.invoke", { selector: { name: "echo" } })).toBe("bad-request in input");
    expect(runtime.list()[0]?.calls).toBe(0);
  });
});

describe("function.migrate", () => {
  const order = { arguments: { function: "echo", to: "there" } };
  it("deploys there, then removes here", async () => {
    const { run, runtime, orders } = await fixture();
    await runtime.deploy(bundle);
    expect(result(await run("function.migrate", order))).toEqual({ function: "echo@1.2", node: "there" });
    expect(orders).toMatchObject([
      {
        operation: "function.deploy",
        selector: { node: "there" },
        arguments: { digest: digestOf(bundle) },
      },
    ]);
    expect(Buffer.from(orders[0]?.input ?? "").equals(bundle)).toBe(true);
    expect(runtime.list()).toEqual([]);
  });
  it("keeps it here when the other node refuses", async () => {
    const { run, runtime, warned } = await fixture({
      error: { code: 10, text: "unknown key", field: "input" },
    });
    await runtime.deploy(bundle);
    expect(await run("function.migrate", order)).toBe("forbidden");
    expect(runtime.list()).toHaveLength(1);
    expect(warned()).toEqual(["me function.migrate: forbidden: unknown key"]);
  });
  it("keeps it here when the other node's answer is lost; asked again it ends", async () => {
    const { run, runtime, fails } = await fixture();
    await runtime.deploy(bundle);
    fails.answer = { code: errorCodes.deadline, text: "no answer" };
    expect(await run("function.migrate", order)).toBe("deadline");
    expect(runtime.list()).toHaveLength(1);
    delete fails.answer;
    expect(result(await run("function.migrate", order))).toEqual({ function: "echo@1.2", node: "there" });
    expect(runtime.list()).toEqual([]);
  });
  it("is on both nodes when it cannot be removed here, now and after a restart; asked again it ends", async () => {
    const { run, runtime, storage } = await fixture();
    await runtime.deploy(bundle);
    storage.writesLeft = 0;
    expect(await run("function.migrate", order)).toBe("busy");
    expect(runtime.find("echo")).toBeDefined();
    expect(await storage.records.list("functions")).toHaveLength(1);
    storage.writesLeft = Infinity;
    expect(result(await run("function.migrate", order))).toEqual({ function: "echo@1.2", node: "there" });
    expect(await storage.records.list("functions")).toEqual([]);
    expect(runtime.list()).toEqual([]);
  });
  it("of an unknown function; to this node itself", async () => {
    const { run, runtime, orders } = await fixture();
    expect(await run("function.migrate", order)).toBe("not-found in arguments.function");
    await runtime.deploy(bundle);
    await run("function.migrate", { arguments: { function: "echo", to: "here" } });
    expect(orders).toEqual([]);
    expect(runtime.list()).toHaveLength(1);
  });
});

describe("function.list and function.remove", () => {
  it("list by prefix; remove once", async () => {
    const { run, runtime } = await fixture();
    await runtime.deploy(bundle);
    expect(result(await run("function.list", { arguments: { prefix: "e" } }))).toEqual({
      functions: runtime.list(),
    });
    expect(result(await run("function.list", { arguments: { prefix: "x" } }))).toEqual({ functions: [] });
    const order = { arguments: { function: "echo" } };
    expect(result(await run("function.remove", order))).toEqual({ function: "echo@1.2" });
    expect(await run("function.remove", order)).toBe("not-found in arguments.function");
  });
});
