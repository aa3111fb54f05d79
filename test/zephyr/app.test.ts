/**
 * The default node (firmware/app.ts) as a Zephyr image: built for the real board, built and run on native_sim and in QEMU
 * against a real Mosquitto. What the node answers is compared with the model's reference, not with another image.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { checkBudget } from "../../compiler/board/memory-report.js";
import { runZephyr, type ZephyrNode } from "../../compiler/board/zephyr/run.js";
import { BusClient, describeOutcome, type Exchange, type Order } from "../../host/bus/bus-client.js";
import { resultOf } from "../../host/bus/protocol.js";
import { runKit } from "../conformance/kit.js";
import { startZephyr } from "../conformance/zephyr-target.js";
import { Broker } from "../support/mosquitto.js";
import { buildDefaultNode, buildTimeout, notRunnable, noWorkspace } from "./support/zephyr-node.js";

/** Element type i8 of descriptors. */
const i8 = 0;

describe.skipIf(noWorkspace !== "")(`the default node for b_l4s5i_iot01a${noWorkspace}`, () => {
  it(
    "is built, keeps within the board's budget, and has a stack that is proven but for mbedTLS",
    async () => {
      const { report, zephyr } = await buildDefaultNode("b_l4s5i_iot01a");
      expect(zephyr?.hex).toBeDefined();
      expect(report).toBeDefined();
      if (report !== undefined) {
        checkBudget(report);
        expect(report.stacks.length).toBeGreaterThanOrEqual(5);
        expect(new Set(report.stacks.flatMap((stack) => stack.gaps))).toEqual(
          new Set(["mbedTLS: not counted"]),
        );
      }
    },
    buildTimeout,
  );
});

describe.skipIf(notRunnable !== "").each(["native_sim", "mps2_an386"])(
  `the default node on %s${notRunnable}`,
  (boardName) => {
    const id = boardName.replaceAll("_", "-");
    const folder = mkdtempSync(join(tmpdir(), "tmc-zephyr-app-"));
    let executable: string;
    let broker: Broker;
    let client: BusClient;
    let node: ZephyrNode;

    const start = (sensor: string): Promise<ZephyrNode> =>
      runZephyr({
        board: findBoard(boardName),
        executable,
        id,
        server: broker.url,
        stateDir: folder,
        sensor: `accelerometer=generator:${sensor}`,
      });
    const ask = (operation: string, order: Omit<Order, "operation"> = {}): Promise<Exchange> =>
      client.request(id, { ...order, operation }, 30_000);

    beforeAll(async () => {
      const { image } = await buildDefaultNode(boardName);
      if (image === undefined) {
        throw new Error(`no image for ${boardName}`);
      }
      executable = image;
      broker = await Broker.start();
      client = await BusClient.connect({ url: broker.url, server: "edge" });
      node = await start("vibration-bearing");
      await client.state(id, (state) => state.online);
    }, buildTimeout);

    afterAll(async () => {
      await node?.stop();
      await client?.close();
      await broker?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    it("publishes its birth record, and describes itself with the same", async () => {
      const birth = await client.birth(id);
      expect(birth).toMatchObject({ node: id, boot: 1, software: "tmc-minimal" });
      expect(birth.operations).toEqual(
        expect.arrayContaining(["node.describe", "data.collect", "model.infer"]),
      );
      const { accepted, done } = await ask("node.describe");
      expect(accepted?.stage).toBe(1);
      expect(resultOf("node.describe", done)).toEqual(birth);
    });

    it("infers exactly the golden outputs of the model", async () => {
      const golden = (name: string): Buffer =>
        readFileSync(packagePath("models", "vibration", "golden", name));
      for (let k = 0; k < 8; k++) {
        const { done } = await ask("model.infer", {
          input: new Uint8Array(golden(`input_${k}.bin`)),
          inputDescriptor: { elementType: i8, shape: [128, 3] },
        });
        expect(describeOutcome(done)).toBe("done");
        expect(Buffer.from(done.output as Uint8Array)).toEqual(golden(`output_${k}.bin`));
      }
    });

    it("infers from its sensor what the machine has", async () => {
      const { done } = await ask("model.infer", { input: "sensor:accelerometer" });
      expect(describeOutcome(done)).toBe("done");
      expect(resultOf("model.infer", done)).toMatchObject({ label: "bearing", lost: 0 });
    });

    it("collects frames of its sensor", async () => {
      const { done } = await ask("data.collect", {
        arguments: { sensor: "accelerometer", frames: 32, rate: 1600 },
      });
      expect(resultOf("data.collect", done)).toEqual({ frames: 32, lost: 0 });
      const output = Buffer.from(done.output as Uint8Array);
      const values = Array.from({ length: 96 }, (_, i) => output.readFloatLE(4 * i));
      const meanSquare = values.reduce((sum, v) => sum + v * v, 0) / 32;
      expect(meanSquare).toBeGreaterThan(0.5); // gravity, in g
      expect(meanSquare).toBeLessThan(10);
    });

    it("answers malformed requests with an error or counts them, and lives on", async () => {
      for (const bytes of [
        [],
        [0xff],
        [0xa1, 0x00],
        [0xbf, 0xff],
        Array.from({ length: 3000 }, () => 0x80),
      ]) {
        await client.send(id, Uint8Array.from(bytes));
      }
      expect((await ask("no.such.operation")).done.error?.code).toBe(2);
      const { done } = await ask("node.monitor");
      expect(resultOf("node.monitor", done).counters.malformed).toBeGreaterThanOrEqual(3);
    });

    it("keeps every rule of the conformance kit", async () => {
      const target = await startZephyr(boardName, { executable });
      try {
        const results = await runKit(target.under);
        const wrong = results.filter(({ outcome }) => outcome === "fail");
        expect(wrong.map(({ rule, reason }) => `${rule.id}: ${reason}`)).toEqual([]);
        expect(results.filter(({ outcome }) => outcome === "pass").length).toBeGreaterThanOrEqual(50);
      } finally {
        await target.stop();
      }
    });

    it("goes offline by its last will, and comes back with a higher boot counter", async () => {
      await node.stop();
      await client.state(id, (state) => !state.online);
      node = await start("vibration-healthy");
      await client.state(id, (state) => state.online && state.boot === 2);
      const { done } = await ask("model.infer", { input: "sensor:accelerometer" });
      expect(resultOf("model.infer", done)).toMatchObject({ label: "healthy" });
    });

    it("announces itself again when the broker was killed and restarted", async () => {
      await broker.kill();
      await node.waitFor("lost");
      client.births.delete(id);
      await broker.resume();
      expect(await client.birth(id, undefined, 30_000)).toMatchObject({ boot: 2 });
      const { done } = await ask("node.monitor");
      expect(resultOf("node.monitor", done).counters.reconnects).toBe(1);
    });
  },
);
