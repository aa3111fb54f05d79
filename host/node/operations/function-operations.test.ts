import { afterEach, describe, expect, it } from "vitest";
import { pino } from "pino";
import type { Answer } from "../../bus/protocol.js";
import type { FunctionRuntime } from "../functions/function-runtime.js";
import { createFunctionRuntime } from "../functions/runtime.js";
import { handmadeBundle, newKeys } from "../functions/testing.js";
import { echo, wasmModule } from "../functions/testing-wasm.js";
import { digestOf } from "../storage/blob-uses.js";
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
  readonly orders: Order[];
  /** "code in field", or the result. */
  run(operation: string, order: Partial<Order>): Promise<OperationResult | string>;
  serves(operation: string, order: Partial<Order>): boolean | Promise<boolean>;
}

async function fixture(answer: Partial<Answer> = {}): Promise<Fixture> {
  const runtime = await createFunctionRuntime({
    storage: new MemoryStorage(),
    match: matchForTests,
    log: pino({ level: "silent" }),
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
    resolve: (reference) =>
      reference === "blob:bundle"
        ? Promise.resolve({ bytes: bundle, descriptor: {} })
        : Promise.reject(new OperationFailure("not-found", reference, "input")),
    submit: (order) => {
      orders.push(order);
      return Promise.resolve({ version: 1, id: 1, boot: 1, stage: 2, node: "there", ...answer });
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
    orders,
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
  it("refuses another digest, no input, an unknown reference, what is no bundle", async () => {
    const { run } = await fixture();
    const wrong = { input: bundle, arguments: { digest: "0".repeat(64) } };
    expect(await run("function.deploy", wrong)).toBe("corrupt in input");
    expect(await run("function.deploy", {})).toBe("bad-request in input");
    expect(await run("function.deploy", { input: "blob:other" })).toBe("not-found in input");
    expect(await run("function.deploy", { input: Uint8Array.of(1, 2, 3) })).toBe("corrupt in input");
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
    const { run, runtime } = await fixture({ error: { code: 10, text: "unknown key", field: "input" } });
    await runtime.deploy(bundle);
    expect(await run("function.migrate", order)).toBe("forbidden");
    expect(runtime.list()).toHaveLength(1);
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
