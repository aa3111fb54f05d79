/** Models on complete nodes: stored, deployed here and to a node behind it, asked from both sides, kept over a restart. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeTflite } from "../../compiler/model/tflite/write.js";
import { operationDefinition } from "../bus/operations/catalogue.js";
import { namedResult } from "../bus/request-codec.js";
import { nodeConfigSchema } from "./config.js";
import { bytesOfFloats } from "./data/data-descriptor.js";
import { buildNetwork } from "./models/training/network.js";
import { startNode, type ComputingNode } from "./node.js";
import type { Order } from "./operations/operation.js";

let folder = "";
const running: ComputingNode[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-models-"));
});
afterEach(async () => {
  for (const node of running.splice(0).reverse()) await node.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(id: string, more: Record<string, unknown> = {}): Promise<ComputingNode> {
  const config = nodeConfigSchema.parse({
    id,
    bus: { broker: { port: 0, anonymous: true } },
    management: { enabled: false },
    functions: { enabled: false },
    ...more,
  });
  const state = join(folder, id);
  const node = await startNode(
    {
      config: { ...config, state, storage: { kind: "local", path: join(state, "data") } },
      folder,
      file: undefined,
    },
    { logTo: new Writable({ write: (_chunk, _encoding, done) => done() }) },
  );
  running.push(node);
  return node;
}

async function ask(node: ComputingNode, order: Order): Promise<Readonly<Record<string, unknown>>> {
  const answer = await node.core.submit({ deadlineMs: 20_000, ...order }, { sender: "operator" });
  if (answer.error !== undefined) throw new Error(`${order.operation}: ${JSON.stringify(answer.error)}`);
  return namedResult(operationDefinition(order.operation)!, answer) ?? {};
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}

const mlp = { name: "m", shape: [4], architecture: "mlp", units: [3], outputs: 2, classifies: true } as const;

it("brings a model to a node behind it, which then infers for both, also after a restart", async () => {
  const cloud = await start("cloud");
  const url = cloud.addresses.find((address) => address.url.startsWith("mqtt"))?.url;
  const neighbours = [{ id: "cloud", url }];
  const edge = await start("edge", { neighbours });
  const input = writeTflite(buildNetwork({ ...mlp, seed: 1 }));
  await ask(cloud, {
    operation: "model.store",
    arguments: { name: "m", version: "1", labels: ["a", "b"] },
    input,
  });
  await until(() => cloud.core.node("edge")?.online === true);
  const deploy = { operation: "model.deploy", arguments: { model: "m", nodes: ["edge"] } };
  expect(await ask(cloud, deploy)).toMatchObject({ deployed: ["edge"] });
  const infer: Order = {
    operation: "model.infer",
    selector: { name: "m" },
    input: bytesOfFloats([1, 2, 3, 4]),
    inputDescriptor: { elementType: 6, shape: [4] },
  };
  const near = await ask(edge, infer);
  expect(near).toMatchObject({ model: "m@1", label: expect.stringMatching(/^[ab]$/) as string });
  expect(await ask(cloud, infer)).toEqual(near);
  expect(await ask(cloud, { operation: "model.list" })).toMatchObject({ models: [{ nodes: ["edge"] }] });

  running.splice(running.indexOf(edge), 1);
  await edge.stop();
  const again = await start("edge", { neighbours });
  await until(() => {
    const known = cloud.core.node("edge");
    return known?.online === true && known.birth.boot === again.boot;
  });
  expect(await ask(again, infer)).toEqual(near);
  expect(again.core.birth().models).toMatchObject([{ name: "m", version: "1" }]);
  expect(
    await ask(cloud, { operation: "model.undeploy", arguments: { model: "m", nodes: ["edge"] } }),
  ).toEqual({
    removed: ["edge"],
  });
  expect(again.core.birth().models).toBeUndefined();
});

it("brings models that are larger than messages in both directions", async () => {
  // As if it had enrolled edge with the role server.
  const cloud = await start("cloud", {
    access: [{ callers: ["edge"], operations: ["model.*", "task.*"], allow: true }],
  });
  const url = cloud.addresses.find((address) => address.url.startsWith("mqtt"))?.url;
  const edge = await start("edge", { neighbours: [{ id: "cloud", url }] });
  await until(
    () => cloud.core.node("edge")?.online === true && edge.core.neighbours()[0]?.connected === true,
  );
  const store = (node: ComputingNode, version: string) =>
    ask(node, {
      operation: "model.store",
      arguments: { name: "m", version },
      input: writeTflite(buildNetwork({ ...mlp, units: [530, 530], seed: Number(version) })),
    });
  const digests: unknown[] = [];
  for (const [node, version, to] of [
    [cloud, "1", "edge"],
    [edge, "2", "cloud"],
  ] as const) {
    digests.push((await store(node, version))["digest"]);
    const deploy = { operation: "model.deploy", arguments: { model: `m@${version}`, nodes: [to] } };
    expect(await ask(node, deploy)).toMatchObject({ deployed: [to] });
  }
  const all = async (node: ComputingNode) =>
    (await node.services.models.list()).map(({ digest }) => digest).reverse();
  expect([await all(cloud), await all(edge)]).toEqual([digests, digests]);
  await store(cloud, "3");
  const fetched = { operation: "model.deploy", arguments: { model: "m@3", from: "cloud" } };
  expect(await ask(edge, fetched)).toMatchObject({ deployed: ["edge"] });
  expect(cloud.core.counts.violations + edge.core.counts.violations).toBe(0);
});
