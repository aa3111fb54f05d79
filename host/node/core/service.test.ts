/** The Core Service on a bus in memory: who does what, and what everybody is told. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CoreWorld, settled, testModel, until } from "../../../test/support/core-world.js";
import { nodeMonitor, nodeConfigure } from "../../bus/operations/node.js";
import { errorName } from "../../bus/protocol.js";
import { OperationFailure } from "../operations/operation.js";
import type { RequestTrace } from "./core-service.js";
import type { RunningCoreService } from "./service.js";

describe("core service", () => {
  let world: CoreWorld;
  let core: RunningCoreService;
  const join: CoreWorld["node"] extends (server: string, ...rest: infer R) => infer P
    ? (...rest: R) => P
    : never = (...rest) => world.node("edge", ...rest);

  beforeEach(async () => {
    world = new CoreWorld();
    ({ core } = await world.server("edge"));
  });
  afterEach(async () => {
    await world.stop();
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
    await settled();
    expect(core.node("n1")?.online).toBe(false);
    expect(events).toEqual(["+n1", "-n1"]);
  });

  it("dispatches a node's request to another node and passes both answers back", async () => {
    const a = await join("a", { operations: ["node.describe"] });
    const b = await join("b", { models: [testModel("m")] });
    b.behaviour = (request, node) => {
      node.answer(request, { stage: 1 });
      node.answer(request, { output: Uint8Array.of(7), queueUs: 3, executionUs: 4 });
    };
    const traces: RequestTrace[] = [];
    core.on("request", (t) => traces.push(t));
    const id = a.ask({ operation: "model.infer", deadlineMs: 2000 });
    await settled();
    expect(b.requests).toMatchObject([{ id, boot: 1, sender: "a", operation: "model.infer" }]);
    expect(b.requests[0]?.deadlineMs).toBeGreaterThan(1500);
    expect(a.answers.map((x) => x.stage)).toEqual([1, 2]);
    expect(a.answers[1]).toMatchObject({ node: "b", queueUs: 3, executionUs: 4, output: Uint8Array.of(7) });
    expect(traces).toMatchObject([
      { node: "b", decision: "dispatch", attempts: 1, error: undefined, origin: "bus" },
    ]);
  });

  it("passes one answer back where one was enough for whoever asked", async () => {
    const a = await join("a", { operations: ["node.describe"] });
    const b = await join("b", { operations: ["model.infer", "model.aggregate"], models: [testModel("m")] });
    b.behaviour = (request, node) => node.answer(request, { output: Uint8Array.of(7) });
    const stages = (id: number): unknown[] => a.answers.filter((x) => x.id === id).map((x) => x.stage);
    const id = a.ask({ operation: "model.infer", brief: true });
    await settled();
    expect(b.requests.at(-1)?.brief).toBe(true);
    expect(stages(id)).toEqual([2]);
    a.ask({ operation: "model.infer", id, brief: true });
    await settled();
    expect([stages(id), b.requests.length]).toEqual([[2, 2], 1]);
    // A node that acknowledges all the same.
    b.behaviour = (request, node) => {
      node.answer(request, { stage: 1 });
      node.answer(request, { output: Uint8Array.of(7) });
    };
    const acknowledged = a.ask({ operation: "model.infer", brief: true });
    await settled();
    expect(stages(acknowledged)).toEqual([2]);
    b.behaviour = (request, node) => {
      node.answer(request, { stage: 1 });
      node.answer(request, { error: { code: 14 } });
    };
    const failed = a.ask({ operation: "model.infer", brief: true });
    await settled();
    expect(stages(failed)).toEqual([1, 2]);
    // What must not run twice is acknowledged before it runs.
    await core.submit({ operation: "model.aggregate" }, { sender: "operator" });
    expect(b.requests.at(-1)).toMatchObject({ operation: "model.aggregate", brief: false });
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
    await settled();
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

  it("does not say that nobody offers an operation where only what it names is missing", async () => {
    const text = async (order: Parameters<typeof core.submit>[0]): Promise<string | undefined> =>
      (await core.submit(order, { sender: "operator" })).error?.text;
    expect(await text({ operation: "node.monitor" })).toBe("no node offers this operation");
    core.offer({
      definition: nodeMonitor,
      canServe: () => false,
      run: () => Promise.reject(new Error("never")),
    });
    expect(await text({ operation: "node.monitor" })).toBe(
      "no node here has such a sensor, model or function, or such input",
    );
    const node = "a".repeat(23);
    const away = `node ${node} is not here, or does not offer it`;
    expect(await text({ operation: "node.monitor", selector: { node } })).toBe(away);
    await join("n1", { operations: ["node.monitor"] });
    expect(await text({ operation: "node.monitor", selector: { node } })).toBe(away);
  });

  it("ends a text that is too long for an answer with an ellipsis", async () => {
    core.offer({
      definition: nodeMonitor,
      run: () => Promise.reject(new OperationFailure("corrupt", `${"x".repeat(60)}äöü and more`, "input")),
    });
    const { error } = await core.submit({ operation: "node.monitor" }, { sender: "operator" });
    expect(error?.text).toBe(`${"x".repeat(60)}…`);
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
    await join("n1", { models: [testModel("m")] });
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

  it("looks at the operation before the time that is left, and tells a wrong name from a forbidden one", async () => {
    const a = await join("a", { operations: ["node.describe"] });
    await join("pump", { operations: ["pump.start"] });
    const refusal = async (order: Parameters<typeof a.ask>[0]): Promise<string | undefined> => {
      const id = a.ask(order);
      await settled();
      return errorName(a.done(id)[0]?.error?.code ?? 0);
    };
    expect(await refusal({ operation: "pump.stop", deadlineMs: 0 })).toBe("unknown-operation");
    expect(await refusal({ operation: "pump.start", deadlineMs: 0 })).toBe("forbidden");
    expect(await refusal({ operation: "node.update", deadlineMs: 0 })).toBe("forbidden");
    expect(await refusal({ operation: "node.describe", deadlineMs: 0 })).toBe("deadline");
    const explained = await core.explain({ operation: "pump.stop" }, "a");
    expect(explained.error).toMatchObject({ code: "unknown-operation" });
  });

  it("gives work to the node with the least load, then the lowest id", async () => {
    const busy = (await Promise.all(["n2", "n1", "n3"].map((id) => join(id)))).map((node) => {
      node.behaviour = () => {};
      return node;
    });
    const ask = await join("asker", { operations: ["node.describe"] });
    for (let i = 0; i < 3; i++) ask.ask({ operation: "model.infer" });
    await settled();
    expect(busy.map((n) => n.requests.length)).toEqual([1, 1, 1]);
    const explained = await core.explain({ operation: "model.infer" });
    expect(explained).toMatchObject({ decision: "dispatch", chosen: "n1" });
    expect(explained.candidates.map((c) => [c.node, c.why, c.score?.total])).toEqual([
      ["n1", "", 26],
      ["n2", "", 26],
      ["n3", "", 26],
      ["edge", "operation", undefined],
    ]);
  });

  it("keeps a window for each node, queues by priority, then says busy", async () => {
    await world.stop();
    ({ core } = await world.server("edge", [], { requests: { inFlightPerNode: 1, queuePerNode: 2 } }));
    const worker = await join("w");
    worker.behaviour = () => {};
    const asker = await join("a", { operations: ["node.describe"] });
    const first = asker.ask({ operation: "model.infer" });
    const low = asker.ask({ operation: "model.infer", priority: 1 });
    const high = asker.ask({ operation: "model.infer", priority: 200 });
    const refused = asker.ask({ operation: "model.infer" });
    await settled();
    expect(asker.done(refused)[0]?.error).toMatchObject({ code: 7, retryAfterMs: 200 });
    expect(worker.requests.map((r) => r.id)).toEqual([first]);
    worker.answer(worker.requests[0]!, { stage: 2 });
    await settled();
    expect(worker.requests.map((r) => r.id)).toEqual([first, high]);
    worker.answer(worker.requests[1]!, { stage: 2 });
    await settled();
    expect(worker.requests.map((r) => r.id)).toEqual([first, high, low]);
    expect(core.pending()).toBe(1);
  });

  it("retries once on the next node when the chosen one dies", async () => {
    const [n1, n2, n3] = [await join("n1"), await join("n2"), await join("n3")];
    for (const n of [n1, n2, n3]) n.behaviour = (request, node) => node.answer(request, { stage: 1 });
    const asker = await join("a", { operations: ["node.describe"] });
    const id = asker.ask({ operation: "model.infer" });
    await settled();
    n1.connection.die();
    await settled();
    expect(n2.requests).toMatchObject([{ id, sender: "a" }]);
    n2.connection.die();
    await settled();
    expect(n3.requests).toEqual([]);
    expect(asker.answers.map((x) => [x.stage, x.error?.code])).toEqual([
      [1, undefined],
      [2, 3],
    ]);
  });

  it("does not repeat what is not idempotent and was begun", async () => {
    const record = { operations: ["model.aggregate"] };
    const [n1, n2] = [await join("n1", record), await join("n2", record)];
    n1.behaviour = () => {};
    n2.behaviour = (request, node) => node.answer(request, { stage: 1 });
    const started = core.submit({ operation: "model.aggregate" }, { sender: "operator" });
    await settled();
    n1.connection.die();
    await settled();
    // Nobody had said that it began: another may do it.
    expect(n2.requests.length).toBe(1);
    const n3 = await join("n3", record);
    n2.connection.die();
    expect((await started).error).toMatchObject({ code: 3, field: "node" });
    expect(n3.requests.length).toBe(0);
  });

  it("answers repetitions and executes once", async () => {
    const worker = await join("w");
    const asker = await join("a", { operations: ["node.describe"] });
    let hold: (() => void) | undefined;
    worker.behaviour = (request, node) => {
      node.answer(request, { stage: 1 });
      hold = () => node.answer(request, { output: Uint8Array.of(1) });
    };
    const id = asker.ask({ operation: "model.infer" });
    await settled();
    asker.ask({ operation: "model.infer", id });
    await settled();
    expect(asker.answers.map((x) => x.stage)).toEqual([1, 1]);
    hold?.();
    await settled();
    asker.ask({ operation: "model.infer", id });
    await settled();
    expect(asker.done(id).map((x) => x.output)).toEqual([Uint8Array.of(1), Uint8Array.of(1)]);
    expect(worker.requests.length).toBe(1);
    expect(core.counters().duplicates).toBe(2);
  });

  it("ends every request by its deadline and drops what comes late", async () => {
    const worker = await join("w");
    worker.behaviour = () => {};
    const asker = await join("a", { operations: ["node.describe"] });
    const id = asker.ask({ operation: "model.infer", deadlineMs: 30 });
    const none = asker.ask({ operation: "model.infer", deadlineMs: 0 });
    await until(() => asker.done(id).length > 0);
    expect(asker.done(id)[0]?.error?.code).toBe(8);
    expect(asker.done(none)[0]?.error?.code).toBe(8);
    worker.answer(worker.requests[0]!, { stage: 2 });
    await settled();
    expect(asker.done(id).length).toBe(1);
    expect(core.counts.late).toBe(1);
    expect(core.node("w")?.inFlight).toBe(0);
  });

  it("ends local work at its deadline, when cancelled and when the server stops", async () => {
    const signals: AbortSignal[] = [];
    core.offer({
      definition: nodeMonitor,
      run: (call) => {
        signals.push(call.signal);
        return new Promise(() => {});
      },
    });
    const late = await core.submit({ operation: "node.monitor", deadlineMs: 20 }, { sender: "operator" });
    expect(late.error?.code).toBe(8);
    const abort = new AbortController();
    const cancelled = core.submit(
      { operation: "node.monitor" },
      { sender: "operator", signal: abort.signal },
    );
    await settled();
    abort.abort();
    expect((await cancelled).error?.code).toBe(15);
    const stopped = core.submit({ operation: "node.monitor" }, { sender: "operator" });
    await settled();
    await core.stop();
    expect((await stopped).error?.code).toBe(15);
    expect(signals.map((s) => s.aborted)).toEqual([true, true, true]);
  });

  it("drains: takes nothing new, finishes what runs", async () => {
    const worker = await join("w");
    worker.behaviour = () => {};
    const running = core.submit({ operation: "model.infer" }, { sender: "operator" });
    await settled();
    const drained = core.drain(2000);
    const refused = await core.submit({ operation: "model.infer" }, { sender: "operator" });
    expect(refused.error).toMatchObject({ code: 7, retryAfterMs: 1000 });
    worker.answer(worker.requests[0]!, { stage: 2 });
    await drained;
    expect((await running).error).toBeUndefined();
    core.resume();
    worker.behaviour = (request, node) => node.answer(request, { stage: 2 });
    expect((await core.submit({ operation: "model.infer" }, { sender: "operator" })).error).toBeUndefined();
  });
});
