/** Several servers: forwarding over hops, loops, deadlines, neighbours that say nothing. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CoreWorld, settled, until } from "../../../test/support/core-world.js";
import { modelInfer } from "../../bus/operations/model.js";
import { nodeDescribe } from "../../bus/operations/node.js";

const asker = { operations: ["node.describe"], models: [] };
const infer = { operation: "model.infer" };

describe("forwarding", () => {
  let world: CoreWorld;
  beforeEach(() => {
    world = new CoreWorld();
  });
  afterEach(async () => {
    await world.stop();
  });

  it("goes up over several hops, and the answer comes back the same way", async () => {
    await world.server("cloud");
    await world.server("fog", ["cloud"]);
    await world.server("edge", ["fog"]);
    const worker = await world.node("cloud", "w");
    const a = await world.node("edge", "a", asker);
    worker.behaviour = (request, node) => {
      node.answer(request, { stage: 1 });
      node.answer(request, { output: Uint8Array.of(3), queueUs: 5, executionUs: 6 });
    };
    const id = a.ask({ ...infer, deadlineMs: 1000 });
    await until(() => a.done(id).length > 0);
    expect(a.answers.map((x) => x.stage)).toEqual([1, 2]);
    expect(a.done(id)).toMatchObject([{ node: "w", sender: "a", queueUs: 5, executionUs: 6 }]);
    expect(worker.requests).toMatchObject([{ sender: "a", id, boot: 1 }]);
    const traces = world.get("edge").bus.log.map((m) => m.topic);
    expect(traces.filter((t) => t === "t1/edge/a/r").length).toBe(2);
    const forwarded = world.get("fog").bus.log.filter((m) => m.topic === "t1/fog/q/edge");
    expect(forwarded.length).toBe(1);
  });

  it("goes down to a joined server that announced what its nodes can do", async () => {
    await world.server("cloud");
    const edge = await world.server("edge", ["cloud"]);
    await world.node("edge", "w");
    const a = await world.node("cloud", "a", asker);
    edge.core.offer({ definition: nodeDescribe, run: () => Promise.resolve({}) });
    await until(
      () => world.get("cloud").core.node("edge")?.birth.operations.includes("model.infer") === true,
    );
    expect(world.get("cloud").core.node("edge")?.birth).toMatchObject({ kind: 1, models: [{ name: "m" }] });
    const id = a.ask(infer);
    await until(() => a.done(id).length > 0);
    expect(a.done(id)).toMatchObject([{ node: "w" }]);
    const explained = await world.get("cloud").core.explain(infer);
    expect(explained).toMatchObject({ decision: "forward", chosen: "edge" });
  });

  it("ends at a loop, with one answer", async () => {
    // b's neighbour is a and a's is b: both know each other.
    const a = await world.server("a");
    await world.server("b", ["a"]);
    const asks = await world.node("b", "n", asker);
    await world.node("a", "m", asker);
    const id = asks.ask(infer);
    await until(() => asks.done(id).length > 0);
    expect(asks.done(id)).toMatchObject([{ error: { code: 3 } }]);
    expect(a.core.pending()).toBe(0);
  });

  it("stops when the hops are used up", async () => {
    await world.server("c");
    await world.server("b", ["c"]);
    await world.server("a", ["b"], { requests: { hops: 1 } });
    await world.node("c", "w");
    const asks = await world.node("a", "n", asker);
    const id = asks.ask(infer);
    await until(() => asks.done(id).length > 0);
    expect(asks.done(id)).toMatchObject([{ error: { code: 9 } }]);
  });

  it("asks the next neighbour when one is silent, and ends by the deadline when all are", async () => {
    await world.server("mute");
    await world.server("good");
    const edge = await world.server("edge", ["mute", "good"]);
    await world.node("good", "w");
    // It takes messages and does nothing.
    await world.get("mute").connection.unsubscribe(["t1/mute/q/+"]);
    const a = await world.node("edge", "a", asker);
    const rename = edge.core.neighbours().map((n) => n.id);
    expect(rename).toEqual(["good", "mute"]);
    await world.get("good").connection.unsubscribe(["t1/good/q/+"]);
    const id = a.ask({ ...infer, deadlineMs: 100 });
    await until(() => a.done(id).length > 0);
    expect(a.done(id)).toMatchObject([{ error: { code: 8 } }]);
    await world.get("mute").connection.subscribe(["t1/mute/q/+"]);
    await world.get("good").connection.subscribe(["t1/good/q/+"]);
    await world.get("mute").connection.unsubscribe(["t1/mute/q/+"]);
    const next = a.ask({ ...infer, deadlineMs: 400 });
    await until(() => a.done(next).length > 0);
    expect(a.done(next)).toMatchObject([{ node: "w" }]);
  });

  it("takes another way when a neighbour dies while it has the request", async () => {
    await world.server("n1");
    await world.server("n2");
    const edge = await world.server("edge", ["n1", "n2"]);
    const slow = await world.node("n1", "w1");
    slow.behaviour = () => {};
    await world.node("n2", "w2");
    const a = await world.node("edge", "a", asker);
    const id = a.ask(infer);
    await settled();
    expect(slow.requests.length).toBe(1);
    edge.links.get("n1")?.die();
    await until(() => a.done(id).length > 0);
    expect(a.done(id)).toMatchObject([{ node: "w2" }]);
    expect(edge.core.neighbours()).toEqual([
      { id: "n1", connected: false },
      { id: "n2", connected: true },
    ]);
  });

  it("says what the neighbours said when nobody can", async () => {
    await world.server("cloud");
    await world.server("edge", ["cloud"]);
    const a = await world.node("edge", "a", asker);
    await world.node("cloud", "w");
    const id = a.ask({ ...infer, selector: { name: "other" } });
    await until(() => a.done(id).length > 0);
    expect(a.done(id)).toMatchObject([{ node: "cloud", error: { code: 5, field: "selector.name" } }]);
  });

  it("serves locally what is asked of it by a neighbour", async () => {
    await world.server("cloud");
    const edge = await world.server("edge", ["cloud"]);
    edge.core.offer({
      definition: modelInfer,
      run: (call) => Promise.resolve({ output: call.request.input ?? "" }),
    });
    await until(() => world.get("cloud").core.node("edge")?.online === true);
    const answer = await world
      .get("cloud")
      .core.submit({ ...infer, input: Uint8Array.of(9) }, { sender: "operator" });
    expect(answer).toMatchObject({ node: "edge", output: Uint8Array.of(9) });
  });
});
