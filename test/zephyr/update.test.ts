/**
 * Models over the bus on Zephyr: examples/model-update on Linux and on a Cortex-M4F in QEMU, against a real Mosquitto. What
 * arrives in the flash of the board computes the bits of the reference; a board that is switched off goes on where it stopped.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { runZephyr, type ZephyrNode } from "../../compiler/board/zephyr/run.js";
import { runOnNode } from "../../compiler/model/execute/inference.js";
import { loadGraph } from "../../compiler/model/importers/load-model.js";
import { decodeBirth } from "../../host/bus/protocol.js";
import { errorName } from "../support/firmware-node.js";
import {
  artifact,
  goldenInput,
  largePackage,
  ownerPoint,
  vibrationFile,
  vibrationPackage,
} from "../support/model-artifact.js";
import { Broker } from "../support/mosquitto.js";
import { UpdateServer } from "../support/update-server.js";
import { consoleOf } from "./support/provision-node.js";
import { buildDefaultNode, buildTimeout, notRunnable } from "./support/zephyr-node.js";

describe.skipIf(notRunnable !== "").each(["native_sim", "mps2_an386"])(
  `models over the bus on %s${notRunnable}`,
  (boardName) => {
    const id = boardName.replaceAll("_", "-");
    const folder = mkdtempSync(join(tmpdir(), "tmc-zephyr-update-"));
    let executable: string;
    let broker: Broker;
    let client: MqttClient;
    let node: ZephyrNode;

    beforeAll(async () => {
      const entry = packagePath("examples", "model-update", "node.ts");
      executable = (await buildDefaultNode(boardName, "image", { name: "update", entry })).image ?? "";
      broker = await Broker.start();
      client = await connectAsync(broker.url);
    }, buildTimeout);
    afterAll(async () => {
      await node?.stop();
      await client?.endAsync(true);
      await broker?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    /** The names of the models in the next birth record that `wanted` accepts. */
    async function birth(
      wanted: (models: readonly string[], boot: number) => boolean,
    ): Promise<readonly string[]> {
      await client.subscribeAsync(`t1/edge/${id}/b`, { qos: 1 });
      return new Promise((found) => {
        const look = (topic: string, payload: Buffer): void => {
          if (topic !== `t1/edge/${id}/b`) return;
          const record = decodeBirth(payload);
          const models = (record.models ?? []).map(({ name, version }) => `${name}@${version}`);
          if (!wanted(models, record.boot)) return;
          client.off("message", look);
          found(models);
        };
        client.on("message", look);
      });
    }

    /** The power comes on; what the node offers then. */
    async function start(bootNumber: number): Promise<readonly string[]> {
      const born = birth((_, boot) => boot === bootNumber);
      const board = findBoard(boardName);
      const sensor = "accelerometer=generator:vibration-bearing,seed=5";
      node = await runZephyr({ board, executable, id, server: broker.url, stateDir: folder, sensor });
      return born;
    }

    /** The power goes off. */
    async function cutPower(): Promise<void> {
      node.process.kill("SIGKILL");
      await node.ended;
    }

    it("come in signed only, compute the bits of the reference, and survive losses of power", async () => {
      expect(await start(1)).toEqual([]);
      const server = await UpdateServer.start(client, "edge", id);
      const small = artifact(vibrationPackage());
      expect(errorName(await server.deploy(small))).toBe("forbidden");
      const { serial, device } = consoleOf(node);
      await serial.connect();
      await device.put("update-key", ownerPoint);
      const damaged = Buffer.from(small);
      damaged[130]! ^= 1;
      expect(errorName(await server.deploy(damaged))).toBe("forbidden");
      expect((await server.deploy(small)).error).toBeUndefined();

      const graph = loadGraph(vibrationFile);
      const inputs = [0, 1, 77].map((shift) => goldenInput.map((q) => ((q + shift) << 24) >> 24));
      const reference = runOnNode(
        graph,
        inputs.map((input) => [input]),
      );
      const compare = async (): Promise<void> => {
        for (const [i, input] of inputs.entries()) {
          const descriptor = new Map<number, unknown>([
            [0, 0],
            [1, [128, 3]],
          ]);
          const infer = { operation: "model.infer", input: Buffer.from(input.buffer), descriptor };
          const { output, error } = await server.ask(infer);
          expect(error).toBeUndefined();
          expect(Int8Array.from(output ?? [])).toEqual(reference[i]?.outputs[0]);
        }
      };
      await compare();

      const large = artifact(largePackage(), { name: "large", counter: 2 });
      const middle = server.wish(({ offset }) => offset > 192 + 4096);
      server.onWish = ({ offset }) => offset <= 192 + 4096;
      void server.deploy(large);
      await middle;
      await cutPower();
      server.onWish = () => true;
      expect(await start(2)).toEqual(["vibration@2.0.0"]);
      await compare();
      server.wishes.length = 0;
      expect((await server.deploy(large)).error).toBeUndefined();
      expect(server.wishes.map(({ offset }) => offset).slice(0, 2)).toEqual([0, 192 + 4096]);
      await cutPower();
      expect(await start(3)).toEqual(["large@2.0.0"]);
      expect(errorName(await server.deploy(small))).toBe("forbidden");
      const gone = birth((models) => models.length === 0);
      const undeploy = { operation: "model.undeploy", arguments: new Map<number, unknown>([[0, "large"]]) };
      expect((await server.ask(undeploy)).error).toBeUndefined();
      expect(await gone).toEqual([]);
    }, 180_000);
  },
);
