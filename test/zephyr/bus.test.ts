/**
 * The Message Bus Client of the Zephyr port when broker and network fail: what is kept and sent again, what is refused, a
 * broker that falls silent, several brokers. The program is the hand-written stand-in; the brokers are of this process.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import type { ZephyrImage } from "../../compiler/board/zephyr/build.js";
import { runZephyr, type ZephyrNode } from "../../compiler/board/zephyr/run.js";
import { Provisioning } from "../../compiler/device/provisioning.js";
import { SerialConsole } from "../../compiler/device/serial-console.js";
import { openBroker, type OpenBroker } from "../support/open-broker.js";
import { Link } from "./support/link.js";
import { Recorder } from "./support/recorder.js";
import { buildImage, buildTimeout, notRunnable } from "./support/zephyr-node.js";

const outboxSize = 2048;
const config = {
  TMC_OUTBOX_SIZE: outboxSize,
  TMC_KEEPALIVE_S: 5,
  TMC_PREFERRED_INTERVAL_S: 2,
  TMC_LOG_LEVEL: 3,
};

describe.skipIf(notRunnable !== "").each(["native_sim", "mps2_an386"])(
  `the bus client on %s${notRunnable}`,
  (board) => {
    let image: ZephyrImage;
    let broker: OpenBroker;
    let link: Link;
    let node: ZephyrNode;
    let folder: string;
    let recorder: Recorder;
    const portOf = (url: string): number => Number(new URL(url).port);
    const tell = (text: string): void =>
      broker.publish({ topic: "t1/edge/n1/x", payload: Buffer.from(text) });
    const ask = (text: string): Promise<string> => recorder.answer(() => tell(text));
    const starts = (text: string): number => node.lines.filter((line) => line.includes(text)).length;
    const restartBroker = async (): Promise<void> => {
      broker = await openBroker({ pass: recorder.pass });
      link.target = portOf(broker.url);
    };

    beforeAll(async () => {
      image = await buildImage(
        board,
        "stand-in-hasty",
        packagePath("test", "zephyr", "fixtures", "stand-in"),
        { config },
      );
    }, buildTimeout);

    beforeEach(async () => {
      recorder = new Recorder(() => node?.lines ?? []);
      folder = mkdtempSync(join(tmpdir(), "tmc-bus-"));
      broker = await openBroker({ pass: recorder.pass });
      link = await Link.to(portOf(broker.url));
    });
    afterEach(async () => {
      await node.stop();
      await link.close();
      await broker.close();
      rmSync(folder, { recursive: true, force: true });
    });
    async function start(server = link.url): Promise<void> {
      node = await runZephyr({
        board: findBoard(board),
        executable: image.executable,
        id: "n1",
        server,
        stateDir: folder,
      });
      await recorder.until(() => recorder.on("b").length === 1);
    }

    it("loses no event when the broker is killed, and keeps their order", async () => {
      await start();
      expect(await ask("count 40 20 30")).toBe("counting 40");
      await recorder.until(() => recorder.events().length >= 10);
      // The acknowledgements are lost first: what follows was received, and is sent again all the same.
      link.deaf.down = true;
      await recorder.until(() => recorder.events().length >= 14);
      link.target = 0;
      link.deaf.down = false;
      link.cut();
      await broker.close();
      await node.waitFor("lost");
      await restartBroker();
      await recorder.until(() => recorder.events().length >= 40);
      expect(recorder.events()).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
      expect(recorder.on("e").length).toBeGreaterThan(40);
      // They come after the node has announced itself.
      const { kinds } = recorder;
      const lastBirth = kinds.lastIndexOf("b");
      expect(kinds.slice(lastBirth, lastBirth + 3)).toEqual(["b", "s", "e"]);
      expect(await ask("counted")).toBe("40 refused 0");
    });

    it("refuses the newest when no more can be kept, and says how many", async () => {
      await start();
      expect(await ask("count 60 20 93")).toBe("counting 60");
      await recorder.until(() => recorder.events().length >= 3);
      link.target = 0;
      link.cut();
      await node.waitFor("lost");
      const room = Math.floor(outboxSize / (93 + "t1/edge/n1/e".length + 7));
      const before = recorder.events().length;
      await node.waitFor("stand-in counted");
      link.target = portOf(broker.url);
      await recorder.until(() => recorder.on("b").length >= 2);
      const [made, refused] = (await ask("counted")).split(" refused ").map(Number);
      expect(made).toBe(60);
      const kept = 60 - (refused ?? 0);
      await recorder.until(() => recorder.events().length >= kept);
      expect(recorder.events()).toEqual(Array.from({ length: kept }, (_, i) => i + 1));
      // Those of which the broker's acknowledgement was lost take their room too.
      expect(kept).toBeGreaterThanOrEqual(room);
      expect(kept).toBeLessThanOrEqual(before + room);
    });

    it.each([
      ["an idle node notices", ""],
      ["a node that publishes notices", "count 100000 100 20"],
    ])("leaves a broker that falls silent: %s", async (_, command) => {
      await start();
      if (command === "") {
        // Everything is acknowledged by the time it asks whether the broker is there.
        await expect.poll(() => link.lastDown.toString("hex"), { timeout: 30_000 }).toBe("d000");
      } else {
        tell(command);
        await recorder.until(() => recorder.events().length >= 1);
      }
      link.deaf.down = true;
      await node.waitFor("the broker does not answer");
      link.deaf.down = false;
      await recorder.until(() => recorder.on("b").length >= 2);
    });

    it("waits longer and longer between attempts", async () => {
      await start();
      link.target = 0;
      link.cut();
      await node.waitFor("next attempt in 1");
      const waits = (): number[] =>
        node.lines.flatMap((line) => {
          const wait = /next attempt in (\d+) ms/.exec(line)?.[1];
          return wait === undefined ? [] : [Number(wait)];
        });
      await expect.poll(() => waits().length, { timeout: 30_000, interval: 50 }).toBeGreaterThanOrEqual(5);
      waits()
        .slice(0, 5)
        .forEach((wait, k) => {
          expect(wait).toBeGreaterThanOrEqual(50 * 2 ** k);
          expect(wait).toBeLessThanOrEqual(100 * 2 ** k);
        });
      link.target = portOf(broker.url);
      await recorder.until(() => recorder.on("b").length >= 2);
    });

    it("goes to the next broker, and back to the preferred one when that is there again", async () => {
      const second = await openBroker({ pass: recorder.pass });
      const other = await Link.to(portOf(second.url));
      const host = board === "native_sim" ? "127.0.0.1" : "10.0.2.2";
      try {
        node = await runZephyr({ board: findBoard(board), executable: image.executable, stateDir: folder });
        const { stdin, stdout } = node.process;
        if (stdin === null || stdout === null) throw new Error("no console");
        const serial = new SerialConsole({ input: stdin, output: stdout });
        const device = new Provisioning(serial);
        await serial.connect();
        await device.put("id", Buffer.from("n1"));
        await device.put("server", Buffer.from(`mqtt://${host}:${link.port},mqtt://${host}:${other.port}`));
        link.target = 0;
        await device.restart();
        await recorder.until(() => recorder.on("b").length === 1);
        expect(starts(`connected to ${host}:${other.port}`)).toBe(1);
        link.target = portOf(broker.url);
        await node.waitFor("is there again: going back");
        await node.waitFor(`connected to ${host}:${link.port}`);
        await recorder.until(() => recorder.on("b").length === 2);
        expect(await ask("hello")).toBe("5 hello");
      } finally {
        await other.close();
        await second.close();
      }
    });
  },
);
