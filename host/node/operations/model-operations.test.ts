/** The operations model.* on storage in memory: the whole way of a model, and what is refused on it. */
import { generateKeyPairSync } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { operationDefinition } from "../../bus/operations/catalogue.js";
import { objectOf } from "../../bus/operations/definition.js";
import { elementTypes } from "../../bus/protocol-keys.js";
import type { Answer, Birth, Request } from "../../bus/protocol.js";
import type { RegisteredNode } from "../core/core-service.js";
import { bytesOfFloats, numbersOf } from "../data/data-descriptor.js";
import { DataSets } from "../data/data-sets.js";
import { createJobs, type JobsEngine } from "../jobs/create-jobs.js";
import { readPackage } from "../../../compiler/model/package/read.js";
import { readUpdate } from "../../../compiler/update/artifact.js";
import { UpdateSigner } from "../updates/update-signer.js";
import { DeployedModels } from "../models/deployed-models.js";
import { Models } from "../models/models.js";
import { performTask } from "../models/training/perform-task.js";
import type { RunTask } from "../models/training/run-task.js";
import { BlobUses } from "../storage/blob-uses.js";
import { createModelOperations } from "./model-operations.js";
import { failuresOf } from "./model-validate.js";
import type { LocalOperation, OperationResult, Order } from "./operation.js";
import { createReferences } from "./references.js";
import { MemoryStorage, matchForTests } from "./testing.js";

const frames = 32;
const labels = ["bearing", "healthy", "imbalance"];
const descriptor = { elementType: elementTypes.f32, shape: [frames, 3], rate: 800, unit: "g" };

/** A window of vibration: the label decides the frequency; the third axis carries gravity. */
function windowOf(kind: number, seed: number): Uint8Array {
  let state = (seed * 7919 + 17) >>> 0;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5;
  const phase = random() * 6;
  const frequency = [1.3, 0, 0.4][kind] ?? 0;
  return bytesOfFloats(
    Float32Array.from({ length: frames * 3 }, (_, i) => {
      const wave = frequency === 0 ? 0 : Math.sin(phase + Math.floor(i / 3) * frequency);
      return 0.2 * random() + wave + (i % 3 === 2 ? 9.8 : 0);
    }),
  );
}

/** In this thread: a thread of its own takes seconds to start from sources. The runner makes the type safe. */
const inThisThread: RunTask = (task, { report = () => undefined }) =>
  performTask(task, report) as Promise<never>;

const open: JobsEngine[] = [];
afterEach(async () => {
  for (const jobs of open.splice(0)) await jobs.stop();
});

const owner = generateKeyPairSync("ec", { namedCurve: "P-256" });

async function make(options: { nodes?: RegisteredNode[]; answer?: Answer; modelBytes?: number } = {}) {
  const storage = new MemoryStorage();
  const uses = new BlobUses(storage);
  const quotas = { dataBytes: 1e8, dataSetBytes: 1e8 };
  const dataSets = new DataSets({ storage, uses, quotas, match: matchForTests });
  const models = new Models({ storage, uses, modelBytes: options.modelBytes ?? 1e7 });
  const deployed = new DeployedModels(storage, models, "edge");
  const jobs = createJobs(storage, { owner: "edge" });
  open.push(jobs);
  const orders: Order[] = [];
  const operations = createModelOperations({
    models,
    deployed,
    dataSets,
    match: matchForTests,
    jobs,
    signer: new UpdateSigner({ storage, key: owner }),
    resolve: createReferences({ storage, dataSets }),
    submit: (order) => {
      // Who knows a device that is not here: nobody.
      if (order.operation !== "node.discover") orders.push(order);
      if (options.answer === undefined) throw new Error("nobody is asked");
      return Promise.resolve(options.answer);
    },
    nodes: () => options.nodes ?? [],
    connectors: () => [
      {
        name: "replay",
        sensors: () => [
          {
            description: { name: "accelerometer", channels: 3, unit: "g", rate: 800 },
            collect(count) {
              // As a class would: it needs its object.
              expect(this.description.channels).toBe(3);
              const samples = Float32Array.from(numbersOf(windowOf(2, 99), elementTypes.f32));
              return Promise.resolve({ samples, frames: count, lost: 0 });
            },
          },
        ],
        actuators: () => [],
        start: () => Promise.resolve(),
        close: () => Promise.resolve(),
      },
    ],
    node: "edge",
    labels: ["lab"],
    runTask: inThisThread,
  });
  await jobs.start();
  let id = 0;
  const request = (operation: string, args: object, rest: Partial<Request> = {}): Request => ({
    id: id++,
    boot: 1,
    sender: "tester",
    operation,
    arguments: args as Readonly<Record<string, unknown>>,
    ...rest,
  });
  const operation = (name: string): LocalOperation => operations.find((one) => one.definition.name === name)!;
  /** Arguments and results are checked against the definition, as the Core Service does. */
  const call = async (name: string, args: object, rest: Partial<Request> = {}): Promise<OperationResult> => {
    const definition = operationDefinition(name)!;
    const result = await operation(name).run({
      arguments: objectOf(definition.arguments).parse(args),
      request: request(name, args, rest),
      sender: "tester",
      signal: new AbortController().signal,
      deadlineAt: performance.now() + 60_000,
    });
    if (result.result !== undefined) objectOf(definition.result).parse(result.result);
    return result;
  };
  const fill = async (name = "vibration", perLabel = 24) => {
    for (const usage of ["training", "validation", "test", "calibration"] as const) {
      const count = usage === "training" ? perLabel : 6;
      const items = labels.flatMap((label, kind) =>
        Array.from({ length: count }, (_, i) => ({
          bytes: windowOf(kind, i * 31 + kind + usage.length * 1000),
          label,
          usage,
        })),
      );
      await dataSets.append(name, items, descriptor);
    }
  };
  const train = (args: object = {}) =>
    call("model.train", {
      name: "v",
      data: "vibration",
      epochs: 8,
      batchSize: 12,
      learningRate: 0.02,
      ...args,
    });
  return { storage, models, dataSets, deployed, jobs, call, operation, request, fill, train, orders };
}

describe("the way of a model", () => {
  it("goes from training to inference", async () => {
    const { call, fill, train, deployed, operation, request, models } = await make();
    await fill();
    const trained = await train({ units: [8, 8] });
    expect(trained.result).toMatchObject({ model: "v@1", epochs: 8 });
    expect((trained.result?.["metrics"] as { accuracy: number }).accuracy).toBeGreaterThan(0.9);

    const evaluated = await call("model.evaluate", { model: "v@1", data: "vibration" });
    expect(evaluated.result).toMatchObject({
      items: 18,
      metrics: { accuracy: expect.any(Number) as number },
    });

    const optimized = await call("model.optimize", { model: "v", data: "vibration" });
    expect(optimized.result).toMatchObject({ model: "v@1-int8" });
    const cost = optimized.result?.["cost"] as { flash: number; ram: number; macs: number };
    expect(cost.flash).toBeGreaterThan(500);
    expect(cost.ram).toBeLessThan(2000);
    expect((optimized.result?.["metrics"] as { agreement: number }).agreement).toBeGreaterThan(0.9);

    await expect(call("model.promote", { model: "v@1-int8", stage: "production" })).rejects.toMatchObject({
      code: "forbidden",
    });
    const failed = await call("model.validate", {
      model: "v@1-int8",
      data: "vibration",
      gates: { accuracy: { min: 0.9 }, flash: { max: 100 } },
    });
    expect(failed.result).toMatchObject({ passed: false, failures: [`flash ${cost.flash} > 100`] });
    await expect(call("model.promote", { model: "v@1-int8", stage: "production" })).rejects.toMatchObject({
      code: "forbidden",
    });
    const validated = await call("model.validate", {
      model: "v@1-int8",
      data: "vibration",
      gates: { accuracy: { min: 0.9 }, ram: { max: 4096 } },
    });
    expect(validated.result).toMatchObject({ passed: true, failures: [] });
    const promoted = await call("model.promote", { model: "v@1-int8", stage: "production" });
    expect(promoted.result).toEqual({ model: "v@1-int8" });

    expect((await call("model.deploy", { model: "v" })).result).toMatchObject({ deployed: ["edge"] });
    const input = { input: windowOf(0, 5), inputDescriptor: descriptor };
    const infer = operation("model.infer");
    expect(await infer.canServe?.(request("model.infer", {}, { selector: { name: "v@2" }, ...input }))).toBe(
      false,
    );
    expect(await infer.canServe?.(request("model.infer", {}, { selector: { name: "v" }, ...input }))).toBe(
      true,
    );
    const inferred = await call("model.infer", {}, { selector: { name: "v" }, ...input });
    expect(inferred.result).toMatchObject({ label: "bearing", index: 0, model: "v@1-int8" });
    expect(inferred.outputDescriptor).toMatchObject({ elementType: elementTypes.i8, shape: [1, 3], labels });
    const window = await call(
      "model.infer",
      {},
      { input: "sensor:accelerometer", acceptedOutput: { elementType: 6 } },
    );
    expect(window.result).toMatchObject({ label: "imbalance", lost: 0 });
    expect(numbersOf(window.output as Uint8Array, 6)).toHaveLength(3);
    expect(deployed.counts()).toMatchObject([
      { model: "v@1-int8", inferences: 2, labels: { bearing: 1, imbalance: 1 } },
    ]);

    const listed = await call("model.list", { prefix: "v" });
    expect(listed.result).toMatchObject({
      models: [
        {
          version: "1-int8",
          form: "int8",
          stage: "production",
          parent: "v@1",
          data: "vibration",
          nodes: ["edge"],
        },
        { version: "1", form: "float", stage: "candidate", labels, inputs: ["f32 [1, 32, 1, 3]"] },
      ],
    });
    const [first] = (listed.result?.["models"] as { metrics: object }[]) ?? [];
    expect(Object.keys(first?.metrics ?? {}).sort()).toEqual([
      "vibration:calibration",
      "vibration:validation",
    ]);

    await expect(call("model.delete", { model: "v@1-int8" })).rejects.toMatchObject({ code: "forbidden" });
    expect((await call("model.undeploy", { model: "v" })).result).toEqual({ removed: ["edge"] });
    await expect(call("model.delete", { model: "v@1-int8" })).rejects.toMatchObject({ text: /production/ });
    const retrained = await train({ from: "v@1", epochs: 1, learningRate: 0.001 });
    expect(retrained.result).toMatchObject({ model: "v@2" });
    await call("model.validate", {
      model: "v@2",
      data: "vibration",
      gates: { loss: { max: 1 } },
      against: "v@1-int8",
    });
    await models.measured("v@2", "vibration:validation", { accuracy: 1 }, true);
    expect((await call("model.promote", { model: "v@2", stage: "production" })).result).toEqual({
      model: "v@2",
      retired: "v@1-int8",
    });
    await call("model.delete", { model: "v@1-int8" });
  });

  it("trains the same model for the same seed, and within its budget", async () => {
    const { fill, train, models } = await make();
    await fill("vibration", 8);
    await train({ epochs: 2, version: "a" });
    await train({ epochs: 2, version: "b" });
    await train({ epochs: 2, version: "c", seed: 2 });
    const digest = async (version: string) => (await models.get(`v@${version}`)).digest;
    expect(await digest("a")).toBe(await digest("b"));
    expect(await digest("a")).not.toBe(await digest("c"));
    const start = performance.now();
    const short = await train({ epochs: 10_000, budgetS: 0.2, version: "d" });
    expect(performance.now() - start).toBeLessThan(3000);
    expect(short.result?.["epochs"]).toBeLessThan(10_000);
    await expect(train({ epochs: 1, version: "a" })).rejects.toMatchObject({ code: "forbidden" });
  });

  it("learns numbers too", async () => {
    const { call, dataSets } = await make();
    const items = Array.from({ length: 60 }, (_, i) => ({
      bytes: bytesOfFloats([i / 60, (i * 7) % 11]),
      label: String(20 + i / 6),
      usage: i % 4 === 0 ? ("test" as const) : ("training" as const),
    }));
    await dataSets.append("line", items, { elementType: 6, shape: [2] });
    const args = {
      name: "r",
      data: "line",
      task: "regression",
      epochs: 60,
      learningRate: 0.02,
      units: [8],
      batchSize: 8,
    };
    await call("model.train", args);
    const evaluated = await call("model.evaluate", { model: "r", data: "line" });
    expect((evaluated.result?.["metrics"] as { mae: number }).mae).toBeLessThan(1);
    await call("model.optimize", { model: "r", data: "line", method: "int8-qat" });
    const quantised = await call("model.evaluate", { model: "r@1-int8", data: "line" });
    expect((quantised.result?.["metrics"] as { mae: number }).mae).toBeLessThan(1.5);
  });

  it("averages the weights of models", async () => {
    const { call, fill, train, models } = await make();
    await fill("vibration", 8);
    await train({ epochs: 1, version: "a", architecture: "mlp", units: [4] });
    await train({ epochs: 1, version: "b", architecture: "mlp", units: [4], seed: 2 });
    await train({ epochs: 1, version: "c", architecture: "mlp", units: [5] });
    const all = await call("model.aggregate", { name: "m", models: ["v@a", "v@b"], weights: [3, 1] });
    expect(all.result).toEqual({ model: "m@1" });
    const same = await call("model.aggregate", { name: "m", models: ["v@a", "v@a"] });
    const [averaged, original] = [await models.get("m@2"), await models.get("v@a")];
    expect(same.result).toEqual({ model: "m@2" });
    expect((await models.bytesOf(averaged)).length).toBe((await models.bytesOf(original)).length);
    await expect(call("model.aggregate", { name: "m", models: ["v@a", "v@c"] })).rejects.toMatchObject({
      code: "descriptor-mismatch",
    });
    await expect(
      call("model.aggregate", { name: "m", models: ["v@a", "v@b"], weights: [1] }),
    ).rejects.toMatchObject({ code: "bad-request" });
  });
});

describe("what is refused", () => {
  it("data that cannot train", async () => {
    const { call, dataSets, train } = await make();
    await expect(train()).rejects.toMatchObject({ code: "not-found", field: "arguments.data" });
    const append = (label: string, bytes = windowOf(0, 1)) =>
      dataSets.append("vibration", [{ bytes, label }], descriptor);
    await append("a");
    await expect(train()).rejects.toMatchObject({ code: "descriptor-mismatch", field: "arguments.usage" });
    const item = { bytes: windowOf(0, 1), usage: "training" as const };
    await dataSets.append("vibration", [{ ...item, label: "a" }], descriptor);
    await expect(train()).rejects.toMatchObject({ text: /two labels/ });
    await dataSets.append("vibration", [{ ...item, label: "" }], descriptor);
    await expect(train()).rejects.toMatchObject({ text: /no label/ });
    await expect(train({ task: "regression" })).rejects.toMatchObject({ text: /is no number/ });
    await expect(call("model.evaluate", { model: "none", data: "vibration" })).rejects.toMatchObject({
      code: "not-found",
      field: "arguments.model",
    });
  });

  it("bytes that are no model, other bytes of a version, too many", async () => {
    const { call, fill, train, models } = await make({ modelBytes: 20_000 });
    const store = (args: object, input: Uint8Array) =>
      call("model.store", { name: "s", version: "1", ...args }, { input });
    await expect(store({}, Buffer.from("no model"))).rejects.toMatchObject({ code: "corrupt" });
    await fill("vibration", 8);
    await train({ epochs: 1, architecture: "mlp", units: [4] });
    const bytes = await models.bytesOf(await models.get("v@1"));
    expect((await store({ labels, task: "classification" }, bytes)).result).toMatchObject({ model: "s@1" });
    expect((await store({ labels }, bytes)).result).toMatchObject({ model: "s@1" });
    await expect(store({ labels: ["one"] }, bytes)).rejects.toMatchObject({ field: "arguments.labels" });
    await expect(store({ digest: "0".repeat(64) }, bytes)).rejects.toMatchObject({ code: "corrupt" });
    await train({ epochs: 1, architecture: "mlp", units: [4], seed: 3 });
    const other = await models.bytesOf(await models.get("v@2"));
    await expect(store({}, other)).rejects.toMatchObject({ code: "forbidden" });
    await expect(store({}, bytes.slice(0, bytes.length - 200))).rejects.toMatchObject({ code: "corrupt" });
    await expect(train({ epochs: 1, architecture: "mlp", units: [128] })).rejects.toMatchObject({
      code: "no-space",
    });
    expect((await call("model.retrieve", { model: "s" })).output).toEqual(bytes);
    await expect(call("model.delete", { model: "s" })).rejects.toMatchObject({ code: "bad-request" });
  });

  it("inputs and boards that do not fit", async () => {
    const { call, fill, train } = await make();
    await fill("vibration", 8);
    await train({ epochs: 1 });
    const optimize = (board: string) => call("model.optimize", { model: "v", data: "vibration", board });
    await expect(optimize("../../etc/passwd")).rejects.toMatchObject({ code: "not-found" });
    await expect(optimize("unknown")).rejects.toMatchObject({ code: "not-found" });
    await optimize("qemu_cortex_m4");
    await expect(call("model.optimize", { model: "v@1-int8", data: "vibration" })).rejects.toMatchObject({
      code: "bad-request",
    });
    await expect(
      call("model.infer", {}, { input: windowOf(0, 1), inputDescriptor: descriptor }),
    ).rejects.toMatchObject({
      code: "not-found",
    });
    await call("model.deploy", { model: "v@1-int8" });
    const infer = (input: Uint8Array, inputDescriptor: object) =>
      expect(call("model.infer", {}, { input, inputDescriptor })).rejects;
    await infer(windowOf(0, 1), {}).toMatchObject({ field: "input.element" });
    await infer(windowOf(0, 1), { ...descriptor, unit: "m/s2" }).toMatchObject({ field: "input.unit" });
    await infer(windowOf(0, 1), { ...descriptor, shape: [31, 3] }).toMatchObject({ field: "input.shape" });
    await infer(windowOf(0, 1).subarray(4), descriptor).toMatchObject({ field: "input.shape" });
  });
});

describe("model.deploy to other nodes", () => {
  const birth = (rest: Partial<Birth>): Birth => ({
    version: 1,
    node: "x",
    boot: 1,
    kind: 0,
    software: "app",
    softwareVersion: "1",
    maxMsg: 1024,
    queue: 4,
    operations: ["node.describe"],
    ...rest,
  });
  const registered = (node: string, rest: Partial<Birth>, online = true): RegisteredNode => ({
    node,
    birth: birth({ node, ...rest }),
    state: undefined,
    online,
    inFlight: 0,
    latencyMs: undefined,
    energyClass: 1,
    lastSeenAt: 0,
  });
  const end = { inputs: [{}], outputs: [{}] };
  const answer: Answer = { version: 1, id: 1, boot: 1, stage: 2, node: "x" };

  it("gives a complete node the model first, a minimal one a package, and says why others have it not", async () => {
    const model = { name: "v", version: "1-int8", ...end };
    const nodes = [
      registered("cloud", { kind: 1, operations: ["model.store", "model.deploy"], models: [] }),
      registered("slot", { operations: ["model.deploy"], labels: ["press"] }),
      registered("built-in", { models: [model], labels: ["press"] }),
      registered("plain", { labels: ["press"] }),
      registered("away", { operations: ["model.deploy"] }, false),
    ];
    const { call, fill, train, orders } = await make({ nodes, answer });
    await fill("vibration", 8);
    await train({ epochs: 1 });
    await call("model.optimize", { model: "v", data: "vibration" });
    // As the nodes' birth records will say when they have it.
    for (const index of [0, 1]) Object.assign(nodes[index]!.birth, { models: [] });
    const deploy = call("model.deploy", { model: "v@1-int8", nodes: ["cloud", "edge", "away", "nobody"] });
    // Not before the orders have gone out: with the model there, nothing would be to do.
    const deployedTo = vi.waitUntil(() => orders.length === 2, { timeout: 20_000, interval: 5 });
    void deployedTo.then(() => Object.assign(nodes[0]!.birth, { models: [model] }));
    expect((await deploy).result).toMatchObject({
      deployed: ["cloud", "edge"],
      failed: {
        away: "not online",
        nobody: "joined neither here nor next to here: deploy at its own server",
      },
    });
    expect(orders.map(({ operation, selector }) => `${operation} ${selector?.node ?? ""}`)).toEqual([
      "model.store cloud",
      "model.deploy cloud",
    ]);
    const pressed = call("model.deploy", { model: "v@1-int8", labels: ["press"] });
    const pressedTo = vi.waitUntil(() => orders.length === 3, { timeout: 20_000, interval: 5 });
    void pressedTo.then(() => Object.assign(nodes[1]!.birth, { models: [model] }));
    expect((await pressed).result).toMatchObject({
      deployed: ["slot", "built-in"],
      failed: { plain: "the node takes no models" },
    });
    const { header, content } = readUpdate(orders.at(-1)?.input as Uint8Array);
    expect(header).toMatchObject({ kind: "model", name: "v", version: "1-int8" });
    const packed = readPackage(new Uint8Array(content), "v");
    expect(packed.about).toMatchObject({
      labels: expect.any(Array) as unknown,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    });
    expect(packed.golden.length).toBeGreaterThan(0);
    await expect(call("model.deploy", { model: "v@1", nodes: ["plain"] })).rejects.toMatchObject({
      code: "no-capable-node",
    });
    await expect(call("model.deploy", { model: "v@1", labels: ["none"] })).rejects.toMatchObject({
      field: "arguments.labels",
    });
    expect((await call("model.undeploy", { model: "v", nodes: ["cloud", "edge"] })).result).toEqual({
      removed: ["cloud", "edge"],
    });
  });

  it("is still there after a restart", async () => {
    const { call, fill, train, storage, models } = await make();
    await fill("vibration", 8);
    await train({ epochs: 1 });
    await call("model.deploy", { model: "v" });
    const again = new DeployedModels(storage, models, "edge");
    await again.start();
    expect(again.list()).toMatchObject([{ name: "v", version: "1" }]);
    const other = new DeployedModels(storage, models, "other");
    await other.start();
    expect(other.list()).toEqual([]);
  });
});

describe("gates", () => {
  it("tell what fails, also what nobody measured", () => {
    expect(failuresOf({ accuracy: { min: 0.9 } }, { accuracy: 0.81 })).toEqual(["accuracy 0.81 < 0.9"]);
    expect(failuresOf({ flash: { max: 100 } }, { flash: 100 })).toEqual([]);
    expect(failuresOf({ constructor: { max: 1 } }, {})).toEqual(["constructor is not known of this model"]);
    const other = { name: "v@1", values: { accuracy: 0.95, loss: 0.1 } };
    expect(
      failuresOf({ accuracy: { min: 0.9 }, loss: { max: 1 } }, { accuracy: 0.93, loss: 0.2 }, other),
    ).toEqual(["accuracy 0.93 < 0.95 of v@1", "loss 0.2 > 0.1 of v@1"]);
  });
});
