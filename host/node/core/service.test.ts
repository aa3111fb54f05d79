/** The Core Service on a bus in memory: who does what, and what everybody is told. */
import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryBus } from "../../../test/support/memory-bus.js";
import { MemoryNode } from "../../../test/support/memory-node.js";
import { nodeMonitor, nodeConfigure } from "../../bus/operations/node.js";
import { errorName } from "../../bus/protocol.js";
import { createLog } from "../log.js";
import { OperationFailure } from "../operations/operation.js";
import type { RequestTrace } from "./core-service.js";
import { createCoreService, type CoreServiceOptions, type RunningCoreService } from "./service.js";

const silent = (): Writable => new Writable({ write: (_c, _e, done) => done() });
const quiet = createLog("error", silent()).log;

const model = (name: string, shape = [4]): object => ({
  name,
  version: "1.0.0",
  task: "classification",
  inputs: [
    new Map<number, unknown>([
      [0, 0],
      [1, shape],
      [5, 0.5],
      [6, 0],
    ]),
  ],
  outputs: [
    new Map<number, unknown>([
      [0, 0],
      [1, [2]],
      [5, 0.5],
      [6, 0],
    ]),
  ],
});

describe("core service", () => {
  let bus: MemoryBus;
  let core: RunningCoreService;
  const started: RunningCoreService[] = [];

  const start = async (options: Partial<CoreServiceOptions> = {}): Promise<RunningCoreService> => {
    const service = createCoreService({
      id: "edge",
      boot: 5,
      connection: bus.connect(),
      log: quiet,
      ...options,
    });
    started.push(service);
    await service.start();
    return service;
  };
  const join = async (id: string, record: object = {}, boot = 1): Promise<MemoryNode> => {
    const node = await new MemoryNode(bus, "edge", id, boot, record).join();
    await MemoryBus.settled();
    return node;
  };

  beforeEach(async () => {
    bus = new MemoryBus();
    core = await start();
  });
  afterEach(async () => {
    for (const service of started.splice(0)) await service.stop();
  });

  it("knows who is joined, what they can do, and when they leave", async () => {
    const events: string[] = [];
    core.on("node-online", (n) => events.push(`+${n.node}`));
    core.on("node-offline", (n) => events.push(`-${n.node}`));
    const n1 = await join("n1", { labels: ["energy:3", "hall"] });
    expect(core.node("n1")).toMatchObject({
      online: true,
      energyClass: 3,
      birth: { labels: ["energy:3", "hall"] },
    });
    n1.connection.die();
    await MemoryBus.settled();
    expect(core.node("n1")?.online).toBe(false);
    expect(events).toEqual(["+n1", "-n1"]);
  });

  it("dispatches a node's request to another node and passes both answers back", async () => {
    const a = await join("a", { operations: ["node.describe"] });
    const b = await join("b", { models: [model("m")] });
    b.behaviour = (request, node) => {
      node.answer(request, { stage: 1 });
      node.answer(request, { output: Uint8Array.of(7), queueUs: 3, executionUs: 4 });
    };
    const traces: RequestTrace[] = [];
    core.on("request", (t) => traces.push(t));
    const id = a.ask({ operation: "model.infer", deadlineMs: 2000 });
    await MemoryBus.settled();
    expect(b.requests).toMatchObject([{ id, boot: 1, sender: "a", operation: "model.infer" }]);
    expect(b.requests[0]?.deadlineMs).toBeGreaterThan(1500);
    expect(a.answers.map((x) => x.stage)).toEqual([1, 2]);
    expect(a.answers[1]).toMatchObject({ node: "b", queueUs: 3, executionUs: 4, output: Uint8Array.of(7) });
    expect(traces).toMatchObject([
      { node: "b", decision: "dispatch", attempts: 1, error: undefined, origin: "bus" },
    ]);
  });

  it("serves what it offers itself, arguments checked, and says failures by their code", async () => {
    const a = await join("a", { operations: ["node.describe"] });
    core.offer({
      definition: nodeMonitor,
      run: (call) =>
        call.sender === "a"
          ? Promise.resolve({
              result: { uptimeS: 1, boot: 2, resetReason: 0, errorFlags: 0, counters: new Map(), active: 0 },
            })
          : Promise.reject(new OperationFailure("not-found", "not here", "arguments.x")),
    });
    const id = a.ask({ operation: "node.monitor" });
    await MemoryBus.settled();
    expect(a.done(id)).toMatchObject([{ node: "edge", queueUs: expect.any(Number) as number }]);
    const failed = await core.submit({ operation: "node.monitor" }, { sender: "operator" });
    expect(failed.error).toMatchObject({ code: 5, text: "not here", field: "arguments.x" });
    core.offer({ definition: nodeConfigure, run: () => Promise.reject(new Error("a bug")) });
    const internal = await core.submit({ operation: "node.configure" }, { sender: "operator" });
    expect(errorName(internal.error?.code ?? 0)).toBe("internal");
    const wrong = await core.submit(
      { operation: "node.configure", arguments: { settings: { x: [1] } } },
      { sender: "operator" },
    );
    expect(wrong.error).toMatchObject({ code: 1, field: "arguments.settings.x" });
  });

  it("says what is missing when nobody can", async () => {
    const ask = async (
      order: Parameters<typeof core.submit>[0],
    ): Promise<[string | undefined, string | undefined]> => {
      const { error } = await core.submit(order, { sender: "operator" });
      return [errorName(error?.code ?? 0), error?.field];
    };
    expect(await ask({ operation: "model.infer" })).toEqual(["no-capable-node", "operation"]);
    expect(await ask({ operation: "no.such" })).toEqual(["unknown-operation", "operation"]);
    await join("n1", { models: [model("m")] });
    const input = { input: new Uint8Array(4), inputDescriptor: { elementType: 0, shape: [5] } };
    expect(await ask({ operation: "model.infer", ...input })).toEqual(["descriptor-mismatch", "input.shape"]);
    expect(await ask({ operation: "model.infer", selector: { name: "other" } })).toEqual([
      "not-found",
      "selector.name",
    ]);
    expect(await ask({ operation: "model.infer", selector: { node: "n9" } })).toEqual([
      "no-capable-node",
      "selector.node",
    ]);
    expect(await ask({ operation: "model.infer", selector: { labels: ["x"] } })).toEqual([
      "no-capable-node",
      "selector.labels",
    ]);
    const big = { input: new Uint8Array(2000), inputDescriptor: { elementType: 0, shape: [4] } };
    expect(await ask({ operation: "model.infer", ...big })).toEqual(["too-large", "input"]);
  });
});
