/** Two workers of one server, on a bus and a group in memory: whatever repeats or dies, a request has one terminal answer. */
import { afterEach, expect, it } from "vitest";
import { silentLog, testModel, until } from "../../../test/support/core-world.js";
import { MemoryBus, type MemoryConnection } from "../../../test/support/memory-bus.js";
import { MemoryNode } from "../../../test/support/memory-node.js";
import { decodeAnswer, errorName } from "../../bus/protocol.js";
import { encodeAnswer } from "../../bus/request-codec.js";
import { createCoreService, type RunningCoreService } from "../core/service.js";
import { SharedConnection } from "./shared-connection.js";
import { MemoryGroups } from "./testing.js";
import { ownerOf } from "./worker-group.js";

interface Worker {
  readonly core: RunningCoreService;
  readonly shared: SharedConnection;
  readonly inner: MemoryConnection;
}
const made: Worker[] = [];
afterEach(async () => {
  for (const { core, shared } of made.splice(0)) {
    await core.stop();
    await shared.close();
  }
});

async function scene() {
  const bus = new MemoryBus();
  const groups = new MemoryGroups();
  const workers = new Map<string, Worker>();
  const start = async (name: string): Promise<Worker> => {
    const inner = bus.connect();
    const shared = new SharedConnection(inner, groups.join(name), "edge", silentLog);
    const core = createCoreService({
      id: "edge",
      boot: 5 + workers.size,
      connection: shared,
      log: silentLog,
      roleOf: () => "node",
      requests: { resendMs: 0 },
    });
    await core.start();
    const worker = { core, shared, inner };
    workers.set(name, worker);
    made.push(worker);
    return worker;
  };
  await start("w1");
  await start("w2");
  const asker = await new MemoryNode(bus, "edge", "a", 1, { operations: ["node.describe"] }).join();
  const node = await new MemoryNode(bus, "edge", "n", 1, {
    operations: ["model.infer"],
    models: [testModel("m")],
  }).join();
  await MemoryBus.settled();
  const terminal = (id: number): Buffer[] =>
    bus.log
      .filter(({ topic }) => topic === asker.topic("r"))
      .map(({ payload }) => Buffer.from(payload))
      .filter((bytes) => decodeAnswer(bytes).id === id && decodeAnswer(bytes).stage === 2);
  const owner = (id: number): string => ownerOf(`a/1/${id}`, groups.live()) ?? "";
  /** It hears and says nothing any more. */
  const mute = (name: string): void => void workers.get(name)?.inner.close();
  /** As its process had been killed. */
  const kill = (name: string): void => {
    mute(name);
    groups.bury(name);
  };
  return { groups, asker, node, terminal, owner, kill, mute };
}
const code = (bytes: Buffer | undefined): string =>
  bytes === undefined ? "none" : (errorName(decodeAnswer(bytes).error?.code ?? 0) ?? "done");

it("a deadline of what was dispatched is settled for all workers", async () => {
  const { groups, asker, node, terminal, owner, kill } = await scene();
  node.behaviour = () => undefined;
  const id = asker.ask({ operation: "model.infer", deadlineMs: 40 });
  await until(() => terminal(id).length === 1);
  expect(code(terminal(id)[0])).toBe("deadline");
  expect([...groups.answers.keys()]).toEqual([`a/1/${id}`]);
  node.behaviour = (to, n) => n.answer(to, { stage: 2 });
  // The repetition comes to another worker: the one that answered is dead.
  kill(owner(id));
  asker.ask({ operation: "model.infer", deadlineMs: 2_000, id });
  await until(() => terminal(id).length === 2);
  expect(terminal(id)[1]).toEqual(terminal(id)[0]);
  expect(node.requests.length).toBe(1);
});

it("a request whose worker died and whose time is over gets its deadline from the next", async () => {
  const { asker, node, terminal, owner, kill, mute } = await scene();
  node.behaviour = ({ id }) => mute(owner(id));
  const id = asker.ask({ operation: "model.infer", deadlineMs: 20 });
  const first = owner(id);
  await until(() => node.requests.length === 1);
  node.behaviour = () => undefined;
  // The others do not know yet.
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(terminal(id)).toEqual([]);
  kill(first);
  await until(() => terminal(id).length === 1);
  expect(code(terminal(id)[0])).toBe("deadline");
});

it("what was refused may be repeated under its number, at any worker", async () => {
  const { groups, asker, node, terminal, owner, kill } = await scene();
  node.behaviour = (to, n) => n.answer(to, { stage: 2, error: { code: 7 } });
  const id = asker.ask({ operation: "model.infer", deadlineMs: 2_000 });
  await until(() => terminal(id).length === 1);
  expect([code(terminal(id)[0]), groups.answers.size]).toEqual(["busy", 0]);
  node.behaviour = (to, n) => n.answer(to, { stage: 2 });
  kill(owner(id));
  asker.ask({ operation: "model.infer", deadlineMs: 2_000, id });
  await until(() => terminal(id).length === 2);
  expect(code(terminal(id)[1])).toBe("done");
});

it("a worker that refuses what another has answered says what the other said", async () => {
  const { groups, asker, terminal, node } = await scene();
  const others = (id: number): Uint8Array =>
    encodeAnswer({ id, boot: 1, sender: "a", node: "other", stage: 2, queueUs: 0, executionUs: 0 });
  node.behaviour = (to, n) => {
    groups.answers.set(`a/1/${to.id}`, others(to.id));
    n.answer(to, { stage: 2, error: { code: 7 } });
  };
  const id = asker.ask({ operation: "model.infer", deadlineMs: 2_000 });
  await until(() => terminal(id).length === 1);
  await MemoryBus.settled();
  expect(terminal(id)).toEqual([Buffer.from(others(id))]);
});
