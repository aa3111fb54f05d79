/** A broker that loses messages, and last wills of nodes that live: requests reach their end all the same, executed once. */
import { afterEach, describe, expect, it } from "vitest";
import { CoreWorld, settled, until } from "../../../test/support/core-world.js";
import type { MemoryNode } from "../../../test/support/memory-node.js";
import { errorName } from "../../bus/protocol.js";
import type { RequestLimits } from "./core-options.js";
import type { RunningCoreService } from "./service.js";

const worlds: CoreWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
});

interface Scene {
  readonly world: CoreWorld;
  readonly core: RunningCoreService;
  readonly asker: MemoryNode;
  readonly worker: MemoryNode;
}

async function scene(requests: Partial<RequestLimits>): Promise<Scene> {
  const world = new CoreWorld();
  worlds.push(world);
  const { core } = await world.server("edge", [], { requests });
  const asker = await world.node("edge", "a", { operations: ["node.describe"] });
  const worker = await world.node("edge", "w", {
    operations: ["model.infer", "function.invoke"],
    functions: [{ name: "f", version: "1.0.0" }],
  });
  return { world, core, asker, worker };
}

describe("a dispatch without an answer", () => {
  it("is sent again to the same node until it answers", async () => {
    const { core, asker, worker } = await scene({ resendMs: 20 });
    worker.behaviour = (request, node) => {
      if (node.requests.length === 3) node.answer(request, { stage: 2 });
    };
    const id = asker.ask({ operation: "model.infer", deadlineMs: 2_000 });
    await until(() => asker.done(id).length === 1);
    expect(asker.done(id)[0]?.error).toBeUndefined();
    expect(new Set(worker.requests.map((r) => `${r.sender}/${r.boot}/${r.id}`)).size).toBe(1);
    expect(core.counts.resent).toBe(2);
    expect(core.node("w")?.inFlight).toBe(0);
    // The time that is left, not the time there was.
    const deadlines = worker.requests.map((r) => r.deadlineMs ?? 0);
    expect(deadlines[2]).toBeLessThan(deadlines[0] ?? 0);
  });

  it("is sent again after its acknowledgement only where a second execution does no harm", async () => {
    const { asker, worker } = await scene({ resendMs: 20 });
    worker.behaviour = (request, node) => node.answer(request, { stage: 1 });
    const once = asker.ask({ operation: "function.invoke", selector: { name: "f" }, deadlineMs: 1_000 });
    const harmless = asker.ask({ operation: "model.infer", deadlineMs: 1_000 });
    await until(() => worker.requests.filter((r) => r.id === harmless).length > 2);
    expect(worker.requests.filter((r) => r.id === once).length).toBe(1);
    // Nobody has said that it runs: then it is sent again too.
    worker.behaviour = () => undefined;
    const unheard = asker.ask({ operation: "function.invoke", selector: { name: "f" }, deadlineMs: 1_000 });
    await until(() => worker.requests.filter((r) => r.id === unheard).length > 2);
  });

  it("is never sent again when that is switched off", async () => {
    const { core, asker, worker } = await scene({ resendMs: 0 });
    worker.behaviour = () => undefined;
    const id = asker.ask({ operation: "model.infer", deadlineMs: 80 });
    await until(() => asker.done(id).length === 1);
    expect([worker.requests.length, core.counts.resent]).toEqual([1, 0]);
  });
});

describe("a node that went away and may come back", () => {
  it("gets what it had again, and what came meanwhile", async () => {
    const { core, asker, worker } = await scene({ returnMs: 5_000, resendMs: 5_000 });
    worker.behaviour = () => undefined;
    const running = asker.ask({ operation: "model.infer", deadlineMs: 2_000 });
    await settled();
    worker.connection.die();
    await settled();
    const meanwhile = asker.ask({ operation: "model.infer", deadlineMs: 2_000 });
    await settled();
    expect([asker.answers, worker.requests.length]).toEqual([[], 1]);
    worker.behaviour = (request, node) => node.answer(request, { stage: 2 });
    worker.connection.revive();
    await worker.announce();
    await until(() => asker.done(running).length === 1 && asker.done(meanwhile).length === 1);
    expect(asker.answers.map((answer) => answer.error)).toEqual([undefined, undefined]);
    expect(worker.requests.map((r) => r.id)).toEqual([running, running, meanwhile]);
    expect(core.node("w")?.inFlight).toBe(0);
  });

  it("is not waited for where another can do it, longer than that, or in another life", async () => {
    const { world, asker, worker } = await scene({ returnMs: 60, resendMs: 5_000 });
    worker.behaviour = () => undefined;
    const other = await world.node("edge", "z", { operations: ["model.infer"] });
    const moved = asker.ask({ operation: "model.infer", deadlineMs: 2_000 });
    await settled();
    const [first, second] = worker.requests.length === 1 ? [worker, other] : [other, worker];
    second.behaviour = (request, node) => node.answer(request, { stage: 2 });
    first.connection.die();
    await until(() => asker.done(moved).length === 1);
    expect([asker.done(moved)[0]?.node, asker.done(moved)[0]?.error]).toEqual([second.id, undefined]);
    second.behaviour = () => undefined;
    const late = asker.ask({ operation: "model.infer", deadlineMs: 5_000 });
    await settled();
    second.connection.die();
    await until(() => asker.done(late).length === 1);
    expect(errorName(asker.done(late)[0]?.error?.code ?? 0)).toBe("no-capable-node");
    const third = await world.node("edge", "y", { operations: ["model.infer"] });
    third.behaviour = (request, node) => node.answer(request, { stage: 1 });
    const lost = asker.ask({ operation: "model.infer", deadlineMs: 5_000 });
    await settled();
    third.connection.die();
    const again = await world.node("edge", "y", { operations: ["model.infer"] }, 2);
    await until(() => asker.done(lost).length === 1);
    expect(errorName(asker.done(lost)[0]?.error?.code ?? 0)).toBe("no-capable-node");
    // It may be asked whether it lives.
    expect(again.requests.filter((r) => r.operation !== "node.monitor")).toEqual([]);
  });
});
