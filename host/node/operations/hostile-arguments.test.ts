/**
 * Every operation on data and models with arguments and inputs that do not fit: each is refused with an error of the closed
 * set, or done; what is refused has begun no work and left nothing behind.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeTflite } from "../../../compiler/model/tflite/write.js";
import { dataOperations } from "../../bus/operations/data.js";
import type { OperationDefinition } from "../../bus/operations/definition.js";
import { modelOperations } from "../../bus/operations/model.js";
import { taskStatus, taskCancel } from "../../bus/operations/task.js";
import { errorCodes } from "../../bus/protocol-keys.js";
import type { Request } from "../../bus/protocol.js";
import { LocalOperations } from "../core/local-operations.js";
import { bytesOfFloats } from "../data/data-descriptor.js";
import { DataSets } from "../data/data-sets.js";
import { createJobs, type JobsEngine } from "../jobs/create-jobs.js";
import { createLog } from "../log.js";
import { DeployedModels } from "../models/deployed-models.js";
import { Models } from "../models/models.js";
import { buildNetwork } from "../models/training/network.js";
import { BlobUses } from "../storage/blob-uses.js";
import { createDataOperations } from "./data-operations.js";
import { createModelOperations } from "./model-operations.js";
import { OperationFailure, type LocalOperation } from "./operation.js";
import { createReferences } from "./references.js";
import { jobOperations } from "./task-operations.js";
import { matchForTests, MemoryStorage } from "./testing.js";

const definitions: readonly OperationDefinition[] = [
  ...dataOperations,
  ...modelOperations,
  taskStatus,
  taskCancel,
];
const window = { elementType: 6, shape: [2, 2] };
const model = writeTflite(
  buildNetwork({
    name: "m",
    shape: [4],
    architecture: "mlp",
    units: [3],
    outputs: 2,
    classifies: true,
    seed: 1,
  }),
);

let operations: Map<OperationDefinition, LocalOperation>;
let storage: MemoryStorage;
let jobs: JobsEngine;
let dataSets: DataSets;
/** Tasks of training that began, and orders to other nodes. */
let work = 0;
const core = new LocalOperations("edge", createLog("error").log);

beforeAll(async () => {
  storage = new MemoryStorage();
  const uses = new BlobUses(storage);
  const quotas = { dataBytes: 1e5, dataSetBytes: 1e5 };
  dataSets = new DataSets({ storage, uses, quotas, match: matchForTests });
  const models = new Models({ storage, uses, modelBytes: 1e5 });
  jobs = createJobs(storage, { owner: "edge" });
  const resolve = createReferences({ storage, dataSets });
  const begun = (): never => {
    work++;
    throw new OperationFailure("cancelled", "work began");
  };
  const shared = { dataSets, match: matchForTests, connectors: () => [], resolve, node: "edge" };
  const made = [
    ...createDataOperations({ ...shared, functions: () => undefined, submit: () => Promise.reject(begun()) }),
    ...createModelOperations({
      ...shared,
      ...{ models, jobs, labels: [], nodes: () => [], deployed: new DeployedModels(storage, models, "edge") },
      submit: () => Promise.reject(begun()),
      runTask: () => Promise.reject(begun()),
      transfer: { patienceMs: 1, pauseMs: 1 },
    }),
    ...jobOperations(jobs),
  ];
  operations = new Map(made.map((one) => [one.definition, one]));
  await jobs.start();
  // Stored in large bytes too: what is refused must not touch these.
  await dataSets.append("d", [{ bytes: bytesOfFloats([1, 2, 3, 4]), label: "a" }], window);
  await dataSets.append("big", [{ bytes: new Uint8Array(8000) }], { elementType: 0, shape: [8000] });
  await models.store("m", "1", model);
});
afterAll(() => jobs.stop());

/** All that is kept but jobs, which tell how they ended. */
function kept(): string {
  const records = [...storage.data]
    .filter(([collection]) => !collection.startsWith("job"))
    .map(([collection, entries]) => [
      collection,
      [...entries].map(([key, value]) => [key, Buffer.from(value).toString("base64")]).sort(),
    ]);
  return JSON.stringify([records.sort(), [...storage.content.keys()].sort()]);
}

let requests = 0;
/** As the Core Service does it: what it refuses itself never reaches the operation. "" when it was done. */
async function refusal(definition: OperationDefinition, parts: Partial<Request>): Promise<string> {
  const operation = operations.get(definition);
  if (operation === undefined) throw new Error(`nobody offers ${definition.name}`);
  const request: Request = { id: ++requests, boot: 1, sender: "eve", operation: definition.name, ...parts };
  const checked = core.check(operation, request, "eve");
  if ("failure" in checked) return checked.failure.code;
  const run = operation.run({
    arguments: checked.request.arguments as Readonly<Record<string, unknown>>,
    request: checked.request,
    sender: "eve",
    signal: new AbortController().signal,
    deadlineAt: performance.now() + 60_000,
  });
  return run.then(
    () => "",
    (error: unknown) => {
      // Any other error is a bug that the node answers as `internal`.
      if (!(error instanceof OperationFailure)) throw new Error(`${definition.name}: ${String(error)}`);
      if (error.code === "internal") throw new Error(`${definition.name}: internal: ${error.text}`);
      return error.code;
    },
  );
}

const hostile: readonly unknown[] = [
  ...[null, -1, 0, NaN, Infinity, 2 ** 53, "", "../x", "__proto__", "a@b@c", "d".repeat(33)],
  ...["x".repeat(100_000), [], ["../x"], {}, new Uint8Array(9), [1e9, 1e9], { accuracy: { min: "no" } }],
];
const descriptors: readonly Request["inputDescriptor"][] = [
  undefined,
  window,
  { elementType: 6, shape: [-1] },
  { elementType: 6, shape: [0] },
  { elementType: 6, shape: [2 ** 31, 2 ** 31] },
  { elementType: 99, shape: [4] },
  { elementType: 6, shape: [4], format: 77 },
  { shape: [NaN], scale: NaN, ttl: -1 },
];
const inputs: readonly Request["input"][] = [
  undefined,
  new Uint8Array(0),
  new Uint8Array(3),
  new Uint8Array(16),
  Uint8Array.from(model.subarray(0, 200)),
  ...[
    "data:none",
    "data:../d",
    "data:d/none",
    "model:none",
    "sensor:none",
    "file:///etc/passwd",
    "http://[::1]/",
    "",
  ],
  ...[`blob:${"0".repeat(64)}`, `chunk:${"0".repeat(64)}`, "x".repeat(10_000)],
];
/** Arguments with which an operation would do something. */
const sound: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "data.collect": { sensor: "none" },
  "data.transform": { name: "d", into: "e" },
  "data.split": { name: "d", training: 0.5 },
  "data.label": { name: "d", set: "b" },
  "model.train": { name: "n", data: "d" },
  "model.evaluate": { model: "m", data: "d" },
  "model.validate": { model: "m", data: "d", gates: {} },
  "model.optimize": { model: "m", data: "d" },
  "model.store": { name: "n", version: "1" },
  "model.promote": { model: "m", stage: "retired" },
  "model.aggregate": { name: "n", models: ["m", "m"] },
  "model.list": {},
  "model.infer": {},
  "data.list": {},
  "task.status": {},
  "task.cancel": { job: "none" },
};
const base = (name: string): Readonly<Record<string, unknown>> =>
  sound[name] ?? (name.startsWith("model.") ? { model: "none@1" } : { name: "none" });

describe("arguments and inputs that do not fit", () => {
  it.each(definitions.map((d) => [d.name, d] as const))("%s", async (name, definition) => {
    const asked: Partial<Request>[] = [];
    const args = base(name);
    for (const argument of Object.keys(definition.arguments)) {
      for (const value of hostile) asked.push({ arguments: { ...args, [argument]: value } });
      const { [argument]: _left, ...less } = args;
      asked.push({ arguments: less });
    }
    asked.push({ arguments: { ...args, nothing: 1 } });
    const offered = definition.input.need === "none" ? [window] : descriptors;
    for (const input of inputs) {
      for (const inputDescriptor of offered) {
        asked.push({
          arguments: args,
          ...(input === undefined ? {} : { input }),
          ...(inputDescriptor === undefined ? {} : { inputDescriptor }),
        });
      }
    }
    const codes = new Set<string>();
    for (const request of asked) {
      const before = kept();
      const code = await refusal(definition, request);
      codes.add(code);
      // What was removed before is cleared away behind the answer.
      if (code === "") await dataSets.idle();
      if (code !== "")
        expect(kept(), `${name} ${code} ${JSON.stringify(request).slice(0, 300)}`).toBe(before);
    }
    codes.delete("");
    expect([...codes].filter((code) => !Object.hasOwn(errorCodes, code))).toEqual([]);
    expect(codes).toContain("bad-request");
  });

  it("are found before any work begins", async () => {
    work = 0;
    const byName = new Map(definitions.map((d) => [d.name, d]));
    const table: readonly (readonly [string, Partial<Request>, string])[] = [
      [
        "data.store",
        { arguments: { name: "d" }, input: new Uint8Array(15), inputDescriptor: window },
        "descriptor-mismatch",
      ],
      [
        "data.store",
        { arguments: { name: "d" }, input: new Uint8Array(4), inputDescriptor: { ...window, shape: [1] } },
        "descriptor-mismatch",
      ],
      [
        "data.store",
        {
          arguments: { name: "z" },
          input: new Uint8Array(2e5),
          inputDescriptor: { elementType: 0, shape: [2e5] },
        },
        "no-space",
      ],
      ["data.transform", { arguments: { name: "d", into: "e", function: "none" } }, "not-found"],
      ["data.transform", { arguments: { name: "none", into: "e" } }, "not-found"],
      ["data.split", { arguments: { name: "d", training: 0.9, test: 0.9 } }, "bad-request"],
      ["model.train", { arguments: { name: "n", data: "none" } }, "not-found"],
      ["model.train", { arguments: { name: "n", data: "d" } }, "descriptor-mismatch"],
      ["model.train", { arguments: { name: "m", version: "1", data: "d" } }, "forbidden"],
      ["model.evaluate", { arguments: { model: "m", data: "d" } }, "descriptor-mismatch"],
      ["model.evaluate", { arguments: { model: "none", data: "d" } }, "not-found"],
      ["model.validate", { arguments: { model: "m", data: "d", gates: {}, against: "none" } }, "not-found"],
      ["model.optimize", { arguments: { model: "m", data: "d", board: "../../etc" } }, "not-found"],
      ["model.optimize", { arguments: { model: "m", data: "big" } }, "descriptor-mismatch"],
      ["model.aggregate", { arguments: { name: "n", models: ["m", "none"] } }, "not-found"],
      ["model.aggregate", { arguments: { name: "n", models: ["m", "m"], weights: [1] } }, "bad-request"],
      ["model.aggregate", { arguments: { name: "m", version: "1", models: ["m", "m"] } }, "forbidden"],
      ["model.optimize", { arguments: { model: "m", data: "big", version: "1" } }, "forbidden"],
      ["model.deploy", { arguments: { model: "m", nodes: ["nobody"] } }, "no-capable-node"],
      ["model.deploy", { arguments: { model: "m", labels: ["none"] } }, "no-capable-node"],
      [
        "model.store",
        { arguments: { name: "n", version: "1", digest: "0".repeat(64) }, input: model },
        "corrupt",
      ],
      ["model.promote", { arguments: { model: "m", stage: "production" } }, "forbidden"],
      ["model.infer", { input: new Uint8Array(16), inputDescriptor: window }, "not-found"],
    ];
    for (const [name, request, code] of table) {
      const before = kept();
      expect([name, request.arguments, await refusal(byName.get(name)!, request)]).toEqual([
        name,
        request.arguments,
        code,
      ]);
      expect(kept(), name).toBe(before);
    }
    expect(work).toBe(0);
  });
});
