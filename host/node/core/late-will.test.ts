/** Last wills that come after the node has come back: it is asked, and online again when it answers. Dead ones stay dead. */
import { afterEach, expect, it, vi } from "vitest";
import { CoreWorld, settled, until } from "../../../test/support/core-world.js";
import { MemoryBus } from "../../../test/support/memory-bus.js";
import { MemoryNode } from "../../../test/support/memory-node.js";
import { decodeRequest } from "../../bus/request-codec.js";
import { encodeCbor } from "../../bus/protocol.js";
import { NodeEntry } from "./node-entry.js";
import { willOf } from "./own-record.js";
import { Probes } from "./probes.js";

const worlds: CoreWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
});

async function scene() {
  const world = new CoreWorld();
  worlds.push(world);
  const { bus, core } = await world.server("edge");
  const node = await world.node("edge", "n", {}, 3);
  const will = (boot = 3) => bus.publish("t1/edge/n/s", willOf("n", boot), { retain: true });
  const asked = () =>
    bus.log.filter(({ topic }) => topic === "t1/edge/n/x").map((m) => decodeRequest(m.payload, ""));
  return { world, bus, core, node, will, asked };
}
const refuses = (node: MemoryNode) => {
  node.behaviour = (to) => node.answer(to, { stage: 2, error: { code: 3 } });
};

it("a node whose will is late is online again, and gets what comes", async () => {
  const { core, node, will, asked } = await scene();
  const seen: string[] = [];
  core.on("node-offline", () => seen.push("offline"));
  core.on("node-online", () => seen.push("online"));
  will();
  await until(() => seen.length === 2);
  expect([seen, core.node("n")?.online]).toEqual([["offline", "online"], true]);
  expect(asked()).toMatchObject([{ operation: "node.monitor", sender: "edge", boot: 5 }]);
  const answer = await core.submit(
    { operation: "model.infer", selector: { node: "n" } },
    { sender: "operator" },
  );
  expect([answer.node, answer.error]).toEqual([node.id, undefined]);
});

it("any answer says that it lives, also that it cannot do that", async () => {
  const { core, node, will } = await scene();
  refuses(node);
  will();
  await until(() => core.node("n")?.online === true && node.requests.length === 1);
});

it("a node that is dead stays dead, whatever of it is still on its way", async () => {
  const { bus, core, node, asked } = await scene();
  node.connection.die();
  await settled();
  // Published before it died, delivered after its will; and an answer that it never gave.
  bus.publish("t1/edge/n/e", encodeCbor(new Map<number, unknown>([[0, 1]])), {});
  const forged = encodeCbor(
    new Map<number, unknown>([
      [0, 1],
      [1, 1],
      [2, 5],
      [3, "edge"],
      [4, 2],
      [5, "n"],
    ]),
  );
  bus.publish("t1/edge/n/y", forged, {});
  await settled();
  expect([core.node("n")?.online, asked().length]).toEqual([false, 1]);
});

it("a node that is heard although it is reported dead is asked", async () => {
  const { bus, core } = await scene();
  // Its birth as another bus has it.
  const elsewhere = new MemoryBus();
  await new MemoryNode(elsewhere, "edge", "m").join();
  const birth = elsewhere.retained.get("t1/edge/m/b")!;
  bus.publish("t1/edge/m/s", willOf("m", 1), { retain: true });
  const node = new MemoryNode(bus, "edge", "m");
  refuses(node);
  await node.connection.subscribe([node.topic("x")]);
  await settled();
  expect(core.node("m")).toBeUndefined();
  bus.publish("t1/edge/m/b", birth, {});
  await until(() => core.node("m")?.online === true);
});

it("is asked three times at most, and anew when there is a new reason", async () => {
  const bus = new MemoryBus();
  const unsent = vi.fn();
  const probes = new Probes({ id: "edge", boot: 1, bus: bus.connect(), lives: unsent, unsent, againMs: 1 });
  const entry = new NodeEntry("n");
  probes.suspect(entry);
  probes.suspect(entry);
  await until(() => bus.log.length === 3);
  // The third is given up in a while; until then it is not asked once more.
  await until(() => {
    probes.suspect(entry);
    return bus.log.length === 4;
  });
  probes.stop();
  expect(new Set(bus.log.map(({ payload }) => decodeRequest(payload, "").id)).size).toBe(4);
  expect(unsent).not.toHaveBeenCalled();
});

it("a will of an earlier life, and one of a node without a birth record, ask nobody", async () => {
  const { bus, core, will, asked } = await scene();
  will(2);
  bus.publish("t1/edge/m/s", willOf("m", 1), { retain: true });
  await settled();
  expect([core.node("n")?.online, asked()]).toEqual([true, []]);
  expect(bus.log.filter(({ topic }) => topic === "t1/edge/m/x")).toEqual([]);
});
