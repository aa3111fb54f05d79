/**
 * Models over the bus on the posix port, under AddressSanitizer and UBSan against a real Mosquitto: what arrives computes
 * the bits of the reference, a killed process goes on where it stopped, and what was confirmed is there after the next kill.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { runOnNode } from "../../compiler/model/execute/inference.js";
import { loadGraph } from "../../compiler/model/importers/load-model.js";
import type { Answer } from "../../host/bus/protocol.js";
import { nodeConfigSchema } from "../../host/node/config.js";
import { startNode } from "../../host/node/node.js";
import type { Order } from "../../host/node/operations/operation.js";
import { errorName } from "../support/firmware-node.js";
import {
  artifact,
  goldenInput,
  owner,
  ownerPem,
  vibrationFile,
  vibrationLabels,
  vibrationPackage,
} from "../support/model-artifact.js";
import { Broker, findMosquitto } from "../support/mosquitto.js";
import { NodeProcess } from "../support/node-process.js";
import { UpdateServer } from "../support/update-server.js";
import { expectReferenceBits, expectReplacedAcrossCuts, offeredModels } from "../support/updated-model.js";
import { buildMinimalNode } from "./minimal-node.js";

const reason = findMosquitto() === undefined ? " (skipped: Mosquitto is not installed)" : "";

describe.skipIf(reason !== "")(`models over the bus on the posix port${reason}`, () => {
  let folder: string;
  let program: string;
  let broker: Broker;
  let client: MqttClient;
  let node: NodeProcess | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tmc-model-update-"));
    writeFileSync(join(folder, "owner.pem"), ownerPem);
    program = await buildMinimalNode(folder, packagePath("examples", "model-update", "node.ts"));
    broker = await Broker.start();
    client = await connectAsync(broker.url);
    await client.subscribeAsync("t1/edge/+/b", { qos: 1 });
  });
  afterAll(async () => {
    await node?.stop();
    await client?.endAsync(true);
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts the node, and gives what it offers. */
  async function start(id: string, bootNumber: number, key = "owner.pem"): Promise<readonly string[]> {
    const born = offeredModels(client, id, (_, boot) => boot === bootNumber);
    const args = key === "" ? [] : ["--update-key", join(folder, key)];
    node = await NodeProcess.start({
      ...{ program, id, url: broker.url, server: "edge", stateDir: join(folder, id) },
      args: ["--sensor", "accelerometer=generator:vibration-bearing,seed=5", ...args],
    });
    return born;
  }

  it("a model arrives, computes the bits of the reference, and gives way to a newer one after kills in between", async () => {
    expect(await start("m1", 1)).toEqual([]);
    const server = await UpdateServer.start(client, "edge", "m1");
    const offered = offeredModels(client, "m1", (models) => models.length > 0);
    expect((await server.deploy(artifact(vibrationPackage()))).error).toBeUndefined();
    expect(await offered).toEqual(["vibration@2.0.0"]);
    await expectReferenceBits(server);
    const window = await server.ask({ operation: "model.infer", input: "sensor:accelerometer" });
    expect(window.result?.get(3)).toBe("vibration@2.0.0");

    await expectReplacedAcrossCuts({
      server,
      cutPower: async () => node?.stop("SIGKILL"),
      start: (bootNumber) => start("m1", bootNumber),
      offers: (wanted) => offeredModels(client, "m1", wanted),
    });
    const { exit } = (await node?.stop()) ?? {};
    expect([exit, node?.child.text("stderr")]).toEqual([{ code: 0, signal: undefined }, expect.anything()]);
  });

  it("nobody without the owner's key, or with a slots file that is cut off, gets anything in", async () => {
    await start("m2", 1, "");
    const server = await UpdateServer.start(client, "edge", "m2");
    const file = artifact(vibrationPackage());
    expect(errorName(await server.deploy(file))).toBe("forbidden");
    await node?.stop();
    await start("m2", 2);
    expect((await server.deploy(file)).error).toBeUndefined();
    await node?.stop();
    const slots = join(folder, "m2", "slots.model");
    expect(statSync(slots).size).toBe(2 << 20);
    truncateSync(slots, 5000);
    expect(await start("m2", 3)).toEqual([]);
    expect((await server.deploy(file)).error).toBeUndefined();
    const { exit } = (await node?.stop()) ?? {};
    expect(exit).toEqual({ code: 0, signal: undefined });
  });

  it("a complete node signs a model of its registry, brings it to the device whatever happens to that, and asks it", async () => {
    writeFileSync(join(folder, "owner.key.pem"), owner.privateKey.export({ type: "pkcs8", format: "pem" }));
    const state = join(folder, "server");
    const config = nodeConfigSchema.parse({
      id: "edge",
      bus: { broker: { port: 0, anonymous: true } },
      management: { enabled: false },
      functions: { enabled: false },
      updates: { key: join(folder, "owner.key.pem") },
    });
    const storage = { kind: "local", path: join(state, "data") } as const;
    const server = await startNode(
      { config: { ...config, state, storage }, folder, file: undefined },
      { logTo: new Writable({ write: (_chunk, _encoding, done) => done() }) },
    );
    try {
      const url = server.addresses.find((address) => address.url.startsWith("mqtt"))?.url ?? "";
      const options = { program, id: "m3", url, server: "edge", stateDir: join(folder, "m3") };
      const args = ["--update-key", join(folder, "owner.pem")];
      const ask = async (order: Order): Promise<Answer> => {
        const answer = await server.core.submit({ deadlineMs: 60_000, ...order }, { sender: "operator" });
        if (answer.error !== undefined)
          throw new Error(`${order.operation}: ${JSON.stringify(answer.error)}`);
        return answer;
      };
      const store = (version: string): Promise<Answer> =>
        ask({
          operation: "model.store",
          arguments: {
            name: "vibration",
            version,
            task: "classification",
            labels: vibrationLabels,
            unit: "g",
            rate: 1600,
          },
          input: readFileSync(vibrationFile),
        });
      const deploy = (version: string): Promise<Answer> =>
        ask({ operation: "model.deploy", arguments: { model: `vibration@${version}`, nodes: ["m3"] } });
      const offered = (): unknown => server.core.node("m3")?.birth.models?.map(({ version }) => version);
      await store("1.0.0");
      node = await NodeProcess.start({ ...options, args });
      await vi.waitUntil(() => server.core.node("m3")?.online === true, { timeout: 20_000 });
      await deploy("1.0.0");
      expect(offered()).toEqual(["1.0.0"]);
      const [reference] = runOnNode(loadGraph(vibrationFile), [[goldenInput]]);
      const infer: Order = {
        operation: "model.infer",
        selector: { task: "classification" },
        input: Buffer.from(goldenInput.buffer),
        inputDescriptor: { elementType: 0, shape: [128, 3] },
      };
      const { output } = await ask(infer);
      expect(Int8Array.from(output as Uint8Array)).toEqual(reference?.outputs[0]);

      await store("1.1.0");
      const wished = new Promise<void>((heard) => {
        server.bus.connection.onMessage((topic) => topic === "t1/edge/m3/c" && heard());
      });
      const done = deploy("1.1.0");
      await wished;
      await node.stop("SIGKILL");
      node = await NodeProcess.start({ ...options, args });
      await done;
      expect(offered()).toEqual(["1.1.0"]);
      expect((await ask(infer)).result?.get(3)).toBe("vibration@1.1.0");
      await ask({ operation: "model.undeploy", arguments: { model: "vibration", nodes: ["m3"] } });
      await vi.waitUntil(() => offered() === undefined, { timeout: 20_000 });
    } finally {
      await node?.stop();
      await server.stop();
    }
  });
});
