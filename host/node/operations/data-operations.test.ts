/** The operations data.* on storage in memory, with a sensor, a function and another node that are doubles. */
import { describe, expect, it } from "vitest";
import { operationDefinition } from "../../bus/operations/catalogue.js";
import { objectOf } from "../../bus/operations/definition.js";
import { decodeCbor, type Answer, type Request } from "../../bus/protocol.js";
import type { Connector } from "../connectors/connector.js";
import { bytesOfFloats, numbersOf } from "../data/data-descriptor.js";
import { DataSets } from "../data/data-sets.js";
import type { FunctionRuntime } from "../functions/function-runtime.js";
import { BlobUses } from "../storage/blob-uses.js";
import { createDataOperations } from "./data-operations.js";
import { OperationFailure, type OperationResult, type Order } from "./operation.js";
import { createReferences } from "./references.js";
import { MemoryStorage, matchForTests } from "./testing.js";

const window = { elementType: 6, shape: [2, 2], rate: 10, unit: "g", features: ["x", "y"] };
const floats = (...values: number[]) => bytesOfFloats(values);
const numbers = (output: Uint8Array | string | undefined) =>
  typeof output === "string" || output === undefined ? [] : [...numbersOf(output, 6)];

function make(answer?: Answer) {
  const storage = new MemoryStorage();
  const clock = { now: Date.UTC(2026, 0, 1) };
  const dataSets = new DataSets({
    clock: () => clock.now,
    storage,
    uses: new BlobUses(storage),
    quotas: { dataBytes: 1e6, dataSetBytes: 1e6 },
    match: matchForTests,
  });
  const connector: Connector = {
    name: "replay",
    sensors: () => [
      {
        description: { name: "accelerometer", channels: 2, unit: "g", rate: 10, highestRate: 100 },
        collect: (frames) =>
          Promise.resolve({
            samples: Float32Array.from({ length: frames * 2 }, (_, i) => i),
            frames,
            lost: 1,
          }),
      },
    ],
    actuators: () => [],
    start: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const doubler = {
    find: (name: string) =>
      name === "double"
        ? { input: { elementType: 6, shape: [-1, 2] }, output: { elementType: 6 } }
        : undefined,
    invoke: (_name: string, { input, inputDescriptor }: { input: Uint8Array; inputDescriptor: object }) => {
      if (numbers(input)[0] === 13) throw new OperationFailure("function-failed", "trap");
      const output = bytesOfFloats(numbers(input).map((value) => value * 2));
      return Promise.resolve({
        function: "double@1",
        output,
        outputDescriptor: inputDescriptor,
        executionUs: 1,
      });
    },
  };
  const orders: Order[] = [];
  const resolve = createReferences({ storage, dataSets });
  const operations = createDataOperations({
    dataSets,
    match: matchForTests,
    connectors: () => [connector],
    // Only find and invoke are used.
    functions: () => doubler as Partial<FunctionRuntime> as FunctionRuntime,
    resolve,
    submit: (order) => {
      orders.push(order);
      if (answer === undefined) throw new Error("nobody is asked");
      return Promise.resolve(answer);
    },
    node: "edge",
    outputBytes: 4096,
  });
  let id = 0;
  const request = (operation: string, args: object, rest: Partial<Request> = {}): Request => ({
    id: id++,
    boot: 1,
    sender: "tester",
    operation,
    arguments: args as Readonly<Record<string, unknown>>,
    ...rest,
  });
  /** Arguments and results are checked against the definition, as the Core Service does. */
  const call = async (name: string, args: object, rest: Partial<Request> = {}): Promise<OperationResult> => {
    const definition = operationDefinition(name)!;
    const operation = operations.find((one) => one.definition === definition)!;
    const result = await operation.run({
      arguments: objectOf(definition.arguments).parse(args),
      request: request(name, args, rest),
      sender: "tester",
      signal: new AbortController().signal,
      deadlineAt: performance.now() + 1000,
    });
    if (result.result !== undefined) objectOf(definition.result).parse(result.result);
    return result;
  };
  const store = (name: string, label: string, ...values: number[]) =>
    call("data.store", { name, label }, { input: floats(...values), inputDescriptor: window });
  return { storage, dataSets, clock, call, store, orders, resolve, operations, request };
}

describe("data.store", () => {
  it("takes several items of one input, with their labels", async () => {
    const { call } = make();
    const stored = await call(
      "data.store",
      { name: "a", items: 2, labels: ["p", "q"], origin: "pump" },
      { input: floats(1, 2, 3, 4, 5, 6, 7, 8), inputDescriptor: { ...window, shape: [2, 2, 2], usage: 1 } },
    );
    expect(stored.result).toMatchObject({ items: 2, bytes: 32 });
    const listed = await call("data.list", {});
    expect(listed.result).toMatchObject({
      dataSets: [
        {
          name: "a",
          elementType: "f32",
          shape: [2, 2],
          labels: { p: 1, q: 1 },
          usages: { test: 2 },
          origin: "pump",
        },
      ],
    });
  });

  it("takes what a reference names", async () => {
    const { call, store, storage } = make();
    const blob = await storage.blobs.put(floats(9, 8, 7, 6));
    await call("data.store", { name: "b" }, { input: `blob:${blob.digest}`, inputDescriptor: window });
    await store("a", "x", 1, 2, 3, 4);
    await call("data.store", { name: "b", items: 1 }, { input: "data:a" });
    expect(numbers((await call("data.retrieve", { name: "b" })).output)).toEqual([9, 8, 7, 6, 1, 2, 3, 4]);
  });

  it("refuses what it cannot keep", async () => {
    const { call } = make();
    const refused = (args: object, rest: Partial<Request>) => expect(call("data.store", args, rest)).rejects;
    await refused({ name: "a" }, {}).toMatchObject({ code: "bad-request", field: "input" });
    await refused({ name: "a" }, { input: floats(1), inputDescriptor: window }).toMatchObject({
      code: "descriptor-mismatch",
      field: "input.shape",
    });
    await refused({ name: "a" }, { input: "sensor:x" }).toMatchObject({ code: "bad-request" });
    await refused({ name: "a" }, { input: "data:../../etc" }).toMatchObject({ code: "bad-request" });
    await refused({ name: "a" }, { input: "data:none" }).toMatchObject({ code: "not-found" });
    await refused({ name: "a" }, { input: `blob:${"0".repeat(64)}` }).toMatchObject({ code: "not-found" });
    const many = { input: floats(1, 2, 3, 4), inputDescriptor: window };
    await refused({ name: "a", items: 3 }, many).toMatchObject({ field: "input.shape" });
    await refused({ name: "a", items: 2, labels: ["x"] }, many).toMatchObject({ field: "arguments.labels" });
    await expect(call("data.store", { name: "../a" }, many)).rejects.toThrow();
  });
});

describe("data.retrieve", () => {
  it("gives pages of items with labels and descriptor", async () => {
    const { call, store } = make();
    await store("a", "x", 1, 2, 3, 4);
    await store("a", "y", 5, 6, 7, 8);
    await store("a", "y", 9, 10, 11, 12);
    const page = await call("data.retrieve", { name: "a", label: "y", offset: 1, limit: 5 });
    expect(page.result).toEqual({ items: 1, total: 2, labels: ["y"] });
    expect(numbers(page.output)).toEqual([9, 10, 11, 12]);
    expect(page.outputDescriptor).toMatchObject({
      elementType: 6,
      shape: [1, 2, 2],
      rate: 10,
      count: 1,
      bytes: 16,
    });
  });

  it("gives as many as fit, and says so", async () => {
    const { call } = make();
    const input = new Uint8Array(300 * 16);
    await call(
      "data.store",
      { name: "a", items: 300 },
      { input, inputDescriptor: { ...window, shape: [300, 2, 2] } },
    );
    expect((await call("data.retrieve", { name: "a" })).result).toEqual({ items: 256, total: 300 });
    expect((await call("data.retrieve", { name: "a", offset: 256 })).result).toEqual({
      items: 44,
      total: 300,
    });
    expect((await call("data.retrieve", { name: "a", offset: 300 })).result).toEqual({
      items: 0,
      total: 300,
    });
  });

  it("writes CSV, SenML and CBOR", async () => {
    const { call, store } = make();
    await store("a", '=x,"1"', 1, 2.5, 3, 4);
    const text = async (format: string) =>
      Buffer.from((await call("data.retrieve", { name: "a", format })).output as Uint8Array);
    const csv = (await text("csv")).toString().split("\r\n");
    expect(csv[0]).toBe("item,label,usage,time,frame,x,y");
    expect(csv[1]).toMatch(/^0,"'=x,""1""",,\d{4}-.*Z,0,1,2.5$/);
    const senml = JSON.parse((await text("senml")).toString()) as object[];
    expect(senml).toHaveLength(5);
    expect(senml[0]).toMatchObject({ bn: "a:", bu: "g", n: "label", vs: '=x,"1"' });
    expect(senml[3]).toEqual({ n: "x", v: 3, t: 0.1 });
    const [first] = decodeCbor(await text("cbor")) as Map<string, unknown>[];
    expect(first?.get("values")).toEqual([1, 2.5, 3, 4]);
  });

  it("refuses an accepted output of another kind", async () => {
    const { call, store } = make();
    await store("a", "x", 1, 2, 3, 4);
    await expect(
      call("data.retrieve", { name: "a" }, { acceptedOutput: { elementType: 0 } }),
    ).rejects.toMatchObject({
      code: "descriptor-mismatch",
      field: "output.element",
    });
    await expect(call("data.retrieve", { name: "b" })).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("data.list, data.label, data.split, data.delete", () => {
  it("lists in pages", async () => {
    const { call, store } = make();
    for (const name of ["b", "a2", "a1", "a3"]) await store(name, "", 1, 2, 3, 4);
    const page = await call("data.list", { prefix: "a", limit: 2 });
    expect(page.result).toMatchObject({ dataSets: [{ name: "a1" }, { name: "a2" }], next: "a2" });
    const rest = await call("data.list", { prefix: "a", limit: 2, after: "a2" });
    expect(rest.result?.["next"]).toBeUndefined();
    expect(rest.result).toMatchObject({ dataSets: [{ name: "a3" }] });
  });

  it("labels and splits", async () => {
    const { call, store } = make();
    for (let i = 0; i < 10; i++) await store("a", i < 5 ? "p" : "", i, 0, 0, 0);
    expect((await call("data.label", { name: "a", label: "", set: "q", limit: 4 })).result).toEqual({
      items: 4,
    });
    expect((await call("data.label", { name: "a", label: "", set: "p" })).result).toEqual({ items: 1 });
    const split = await call("data.split", { name: "a", training: 0.5, validation: 0.25 });
    expect(split.result).toMatchObject({ usages: { training: 5 } });
    const again = await call("data.split", { name: "a", training: 0.5, validation: 0.25 });
    expect(again).toEqual(split);
    await expect(call("data.split", { name: "a", training: 0.9, test: 0.2 })).rejects.toMatchObject({
      code: "bad-request",
    });
    await expect(call("data.split", { name: "no", training: 1 })).rejects.toMatchObject({
      code: "not-found",
    });
  });

  it("deletes a selection, or the whole", async () => {
    const { call, store, clock } = make();
    await store("a", "z", 0, 0, 0, 0);
    clock.now += 60_000;
    await store("a", "x", 1, 2, 3, 4);
    await store("a", "y", 5, 6, 7, 8);
    clock.now += 60_000;
    const older = async (olderThanS: number) =>
      (await call("data.delete", { name: "a", olderThanS })).result?.["items"];
    // By the clock that stamped the items, whatever time it is.
    expect([await older(121), await older(100), await older(100)]).toEqual([0, 1, 0]);
    expect((await call("data.delete", { name: "a", label: "x" })).result).toEqual({ items: 1, bytes: 16 });
    expect((await call("data.delete", { name: "a" })).result).toEqual({ items: 1, bytes: 16 });
    await expect(call("data.delete", { name: "a" })).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("data.transform", () => {
  it("cuts windows, normalises by channel and calls the function", async () => {
    const { call } = make();
    const input = floats(0, 5, 2, 5, 4, 5, 6, 5);
    await call(
      "data.store",
      { name: "a", label: "x" },
      { input, inputDescriptor: { ...window, shape: [4, 2] } },
    );
    const cut = await call("data.transform", { name: "a", into: "b", window: 2, step: 1 });
    expect(cut.result).toEqual({ items: 3, bytes: 48 });
    await call("data.transform", { name: "a", into: "c", normalize: "minmax", function: "double" });
    const read = await call("data.retrieve", { name: "c" });
    expect(numbers(read.output).map((value) => Number(value.toFixed(3)))).toEqual([
      0, 0, 0.667, 0, 1.333, 0, 2, 0,
    ]);
    expect(read.outputDescriptor?.unit).toBeUndefined();
    expect(read.result).toMatchObject({ labels: ["x"] });
  });

  it("leaves the old data set when the function fails", async () => {
    const { call, store } = make();
    await store("old", "", 1, 1, 1, 1);
    await store("a", "", 2, 2, 2, 2);
    await store("a", "", 13, 0, 0, 0);
    await expect(
      call("data.transform", { name: "a", into: "old", function: "double" }),
    ).rejects.toMatchObject({
      code: "function-failed",
    });
    expect(numbers((await call("data.retrieve", { name: "old" })).output)).toEqual([1, 1, 1, 1]);
    await expect(call("data.transform", { name: "a", into: "b", function: "none" })).rejects.toMatchObject({
      field: "arguments.function",
    });
  });
});

describe("data.collect", () => {
  it("gives frames, a summary, or stores the window", async () => {
    const { call } = make();
    const frames = await call("data.collect", { sensor: "accelerometer", frames: 2 });
    expect(frames.result).toEqual({ frames: 2, lost: 1 });
    expect(numbers(frames.output)).toEqual([0, 1, 2, 3]);
    expect(frames.outputDescriptor).toMatchObject({ shape: [2, 2], rate: 10, unit: "g" });
    const summary = await call("data.collect", { sensor: "accelerometer", frames: 2, mode: 1 });
    expect(summary.result).toMatchObject({
      channels: [
        [1, 0, 2, Math.SQRT2],
        [2, 1, 3, Math.sqrt(5)],
      ],
    });
    const stored = await call("data.collect", { sensor: "accelerometer", frames: 2, name: "a", label: "x" });
    expect(stored.result?.["digest"]).toMatch(/^[0-9a-f]{64}$/);
    expect((await call("data.list", {})).result).toMatchObject({
      dataSets: [{ name: "a", items: 1, origin: "edge/accelerometer", labels: { x: 1 } }],
    });
    await expect(call("data.collect", { sensor: "accelerometer", rate: 1000 })).rejects.toMatchObject({
      field: "arguments.rate",
    });
    await expect(call("data.collect", { sensor: "thermometer" })).rejects.toMatchObject({
      code: "not-found",
    });
  });

  it("asks the node that has the sensor, and stores here", async () => {
    const { call, orders, operations, request } = make({
      version: 1,
      id: 1,
      boot: 1,
      stage: 2,
      node: "pump-1",
      result: new Map<number, unknown>([
        [0, 2],
        [1, 0],
      ]),
      output: floats(1, 2, 3, 4),
      outputDescriptor: window,
    });
    const args = { sensor: "gyroscope", frames: 2, name: "a", usage: "training" };
    await call("data.collect", args, { selector: { node: "pump-1" } });
    expect(orders).toMatchObject([
      {
        operation: "data.collect",
        selector: { node: "pump-1" },
        arguments: { sensor: "gyroscope", frames: 2 },
      },
    ]);
    expect((await call("data.list", {})).result).toMatchObject({
      dataSets: [{ name: "a", origin: "pump-1/gyroscope", usages: { training: 1 } }],
    });
    const collect = operations[0]!;
    expect(collect.canServe?.(request("data.collect", { sensor: "gyroscope" }))).toBe(false);
    expect(collect.canServe?.(request("data.collect", { sensor: "accelerometer" }))).toBe(true);
    const elsewhere = request("data.collect", args, { selector: { node: "pump-1" } });
    expect(collect.intercepts?.(elsewhere)).toBe(true);
  });

  it("passes on what the other node refuses", async () => {
    const { call } = make({
      version: 1,
      id: 1,
      boot: 1,
      stage: 2,
      node: "pump-1",
      error: { code: 6, text: "ask for a summary" },
    });
    await expect(call("data.collect", { sensor: "gyroscope", name: "a" })).rejects.toMatchObject({
      code: "too-large",
      text: "ask for a summary",
    });
  });
});
