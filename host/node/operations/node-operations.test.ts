/** The operations on the node itself, with a Core Service that only knows what a test tells it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Birth, Descriptor, Request } from "../../bus/protocol.js";
import type { RegisteredNode } from "../core/core-service.js";
import { createLog } from "../log.js";
import { NodeSettings } from "../settings.js";
import { createNodeOperations, type ControlAction } from "./node-operations.js";
import type { OperationCall, OperationResult } from "./operation.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-node-operations-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function birthOf(node: string, more: Partial<Birth> = {}): Birth {
  return {
    version: 1,
    node,
    boot: 3,
    kind: 0,
    software: "tmc-minimal",
    softwareVersion: "0.1.0",
    maxMsg: 1024,
    queue: 4,
    operations: ["node.describe"],
    ...more,
  };
}

function registered(birth: Birth, online = true): RegisteredNode {
  const lastSeenAt = Date.UTC(2026, 1, 3);
  return {
    node: birth.node,
    birth,
    state: undefined,
    online,
    inFlight: 0,
    latencyMs: undefined,
    energyClass: 1,
    lastSeenAt,
  };
}

const vibration = {
  name: "vibration",
  version: "1.0.0",
  task: "classification",
  inputs: [{ elementType: 0, shape: [128, 3] }],
  outputs: [{ elementType: 0 }],
};

const nodes = [
  registered(birthOf("b", { operations: ["model.infer"], models: [vibration], labels: ["hall-3"] })),
  registered(birthOf("a", { operations: ["data.collect"], labels: ["hall-3", "pump"] })),
  registered(birthOf("c", { operations: ["data.collect"] }), false),
];

const counters = {
  ...{ received: 5, answered: 5, malformed: 0, tooLarge: 0 },
  ...{ duplicates: 0, traps: 0, reconnects: 0, unsent: 0, errors: new Map<number, number>() },
};

const core = {
  id: "edge",
  boot: 7,
  nodes: () => nodes,
  birth: () => birthOf("edge", { kind: 1 }),
  counters: () => counters,
  pending: () => 2,
};

const inferred = { model: "m@1", inferences: 3, meanUs: 120, labels: { ok: 2, bad: 1 }, recentScore: 0.75 };

const actions: ControlAction[] = [];

function run(operation: string, args: Record<string, unknown> = {}): Promise<OperationResult> {
  const operations = createNodeOperations({
    core,
    settings: new NodeSettings(folder),
    log: createLog("error").log,
    control: async (action) => {
      actions.push(action);
      return "draining";
    },
    mismatch: (offer: Partial<Descriptor>, need: Partial<Descriptor>) =>
      JSON.stringify(offer.shape) === JSON.stringify(need.shape) ? "" : "shape",
    inferences: () => [inferred],
    startedAt: performance.now() - 90_500,
  });
  const found = operations.find((each) => each.definition.name === operation);
  if (found === undefined) throw new Error(`no ${operation}`);
  const call: OperationCall = {
    arguments: args,
    request: { id: 1, boot: 1, sender: "ann", operation } satisfies Request,
    sender: "ann",
    signal: AbortSignal.timeout(1000),
    deadlineAt: performance.now() + 1000,
  };
  return found.run(call);
}

async function discovered(args: Record<string, unknown>): Promise<string[]> {
  const { result } = await run("node.discover", args);
  return (result?.["nodes"] as { node: string }[]).map((each) => each.node);
}

describe("operations on the node", () => {
  it("node.discover filters by operation, labels, model, task and input, in order of ids", async () => {
    expect(await discovered({})).toEqual(["a", "b"]);
    expect(await discovered({ offline: true })).toEqual(["a", "b", "c"]);
    expect(await discovered({ operation: "data.collect" })).toEqual(["a"]);
    expect(await discovered({ labels: ["hall-3", "pump"] })).toEqual(["a"]);
    expect(await discovered({ model: "vibration@1.0.0" })).toEqual(["b"]);
    expect(await discovered({ model: "vibration@2" })).toEqual([]);
    expect(await discovered({ task: "classification" })).toEqual(["b"]);
    expect(await discovered({ input: { shape: [128, 3] } })).toEqual(["b"]);
    expect(await discovered({ input: { shape: [64, 3] } })).toEqual([]);
    expect(await discovered({ limit: 1 })).toEqual(["a"]);
  });
  it("node.monitor tells uptime, boot, counters and work", async () => {
    const { result } = await run("node.monitor");
    expect(result).toMatchObject({
      uptimeS: 90,
      boot: 7,
      active: 2,
      counters: { received: 5 },
      errorFlags: 0,
      models: [inferred],
    });
  });
  it("node.describe gives the birth record", async () => {
    expect((await run("node.describe")).result).toMatchObject({ node: "edge", kind: 1 });
  });
  it("node.control acts once and tells the state that follows", async () => {
    expect((await run("node.control", { action: "drain" })).result).toEqual({ state: "draining" });
    expect(actions).toEqual(["drain"]);
  });
  it("node.configure refuses an unknown setting and answers with all", async () => {
    expect((await run("node.configure")).result).toEqual({ settings: {} });
    await expect(run("node.configure", { settings: { x: 1 } })).rejects.toMatchObject({ code: "not-found" });
  });
});
