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
import { errorName } from "../support/firmware-node.js";
import { artifact, ownerPoint, vibrationPackage } from "../support/model-artifact.js";
import { Broker } from "../support/mosquitto.js";
import { UpdateServer } from "../support/update-server.js";
import { expectReferenceBits, expectReplacedAcrossCuts, offeredModels } from "../support/updated-model.js";
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
      await client.subscribeAsync(`t1/edge/${id}/b`, { qos: 1 });
    }, buildTimeout);
    afterAll(async () => {
      await node?.stop();
      await client?.endAsync(true);
      await broker?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const offers = (
      wanted: (models: readonly string[], boot: number) => boolean,
    ): Promise<readonly string[]> => offeredModels(client, id, wanted);

    /** The power comes on; what the node offers then. */
    async function start(bootNumber: number): Promise<readonly string[]> {
      const born = offers((_, boot) => boot === bootNumber);
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

      await expectReferenceBits(server);
      await expectReplacedAcrossCuts({ server, cutPower, start, offers });
    }, 180_000);
  },
);
