/** What a node announces of itself to a neighbour: also its own models, and news of them. */
import { Writable } from "node:stream";
import { afterEach, expect, it } from "vitest";
import { MemoryBus } from "../../../test/support/memory-bus.js";
import { createLog } from "../log.js";
import type { Abilities } from "./own-record.js";
import { createCoreService, type RunningCoreService } from "./service.js";
import { nodeMonitor } from "../../bus/operations/node.js";

const { log } = createLog("error", new Writable({ write: (_chunk, _encoding, done) => done() }));
const started: RunningCoreService[] = [];
afterEach(async () => {
  for (const core of started.splice(0)) await core.stop();
});

it("tells a neighbour the models and sensors of the node itself, and when they change", async () => {
  const [cloudBus, edgeBus] = [new MemoryBus(), new MemoryBus()];
  const cloud = createCoreService({ id: "cloud", boot: 1, connection: cloudBus.connect(), log });
  const model = { name: "v", version: "1", inputs: [{ shape: [4] }], outputs: [{ shape: [2] }] };
  const abilities: { models?: Abilities["models"] } = {};
  const edge = createCoreService({
    id: "edge",
    boot: 1,
    connection: edgeBus.connect(),
    neighbours: [{ id: "cloud", connection: cloudBus.connect() }],
    abilities: () => ({ ...abilities, sensors: [{ name: "thermometer", channels: 1, unit: "Cel" }] }),
    log,
  });
  started.push(edge, cloud);
  await cloud.start();
  await edge.start();
  edge.offer({ definition: nodeMonitor, run: () => Promise.resolve({}) });
  const seen = async (condition: () => boolean): Promise<void> => {
    for (let i = 0; i < 300 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(condition()).toBe(true);
  };
  const birth = () => cloud.node("edge")?.birth;
  await seen(() => birth()?.sensors?.[0]?.name === "thermometer");
  expect(birth()?.models).toBeUndefined();
  abilities.models = [model];
  edge.abilitiesChanged();
  await seen(() => birth()?.models?.[0]?.name === "v");
  expect(edge.birth().models).toEqual([model]);
});
