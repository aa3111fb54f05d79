/**
 * The Zephyr port alone: a hand-written stand-in for generated code (fixtures/stand-in) on native_sim and in QEMU, against
 * a real Mosquitto: session, will, storage, restart, sensors, clocks, traps.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import type { ZephyrImage } from "../../compiler/board/zephyr/build.js";
import { openBroker } from "../support/open-broker.js";
import { Broker } from "../support/mosquitto.js";
import { buildImage, buildTimeout, NodeUnderTest, notRunnable } from "./support/zephyr-node.js";

const standIn = packagePath("test", "zephyr", "fixtures", "stand-in");

describe.skipIf(notRunnable !== "").each([
  ["native_sim", "zs"],
  ["mps2_an386", "zq"],
])(`the Zephyr port on %s${notRunnable}`, (board, prefix) => {
  let image: ZephyrImage;
  let broker: Broker;
  let node: NodeUnderTest;
  const id = `${prefix}-1`;

  beforeAll(async () => {
    image = await buildImage(board, "stand-in", standIn);
    broker = await Broker.start();
    node = await NodeUnderTest.start(board, image, broker.url, {
      id,
      sensor: "accelerometer=generator:vibration-imbalance,seed=5",
    });
    await node.message("s", (p) => p.toString() === "online");
  }, buildTimeout);

  afterAll(async () => {
    await node?.stop();
    await broker?.stop();
  });

  it("announces itself with retained messages", async () => {
    expect(node.on("b")[0]?.toString()).toBe("birth boot=1 reason=1");
    const late = await connectAsync(broker.url);
    const seen = new Promise<boolean>((found) =>
      late.on("message", (topic, _, packet) => topic === node.topic("b") && found(packet.retain)),
    );
    await late.subscribeAsync(node.topic("b"));
    expect(await seen).toBe(true);
    await late.endAsync();
  });

  it("answers, in both directions up to 2000 bytes", async () => {
    expect(await node.ask("hello")).toBe("5 hello");
    const long = "y".repeat(1000);
    expect(await node.ask(long)).toBe(`1000 ${long}`);
    expect(await node.ask("big")).toBe("x".repeat(2000));
  });

  it("drops what is too large and goes on", async () => {
    await node.send("x", "z".repeat(5000));
    expect(await node.ask("after")).toBe("5 after");
    expect(node.node.lines.join("\n")).toContain("dropped a message of 5000 bytes");
  });

  it("answers a burst of 1000, each once and in order", async () => {
    const before = node.on("y").length;
    const texts = Array.from({ length: 1000 }, (_, i) => `burst ${i}`);
    await Promise.all(texts.map((text) => node.send("x", text)));
    await node.message("y", (p) => p.toString().endsWith("burst 999"), before, 60_000);
    expect(node.on("y").slice(before).map(String)).toEqual(texts.map((text) => `${text.length} ${text}`));
  });

  it("stores values of any key it allows", async () => {
    expect(await node.ask("load a/b")).toMatch(/^-1/);
    expect(await node.ask("store a/b 42")).toBe("stored");
    expect(await node.ask("load a/b")).toBe("2 42");
    expect(await node.ask("store A 42")).toBe("refused");
    expect(await node.ask(`store ${"k".repeat(33)} 42`)).toBe("refused");
  });

  it("samples the simulated machine: 1600 frames a second, gravity and imbalance in them", async () => {
    expect(await node.ask("sense")).toBe("sensing 3");
    const report = (await node.message("e", () => true)).toString();
    const [, frames, square, lost] = /^frames (\d+) mean square (\d+) lost (\d+)$/.exec(report) ?? [];
    expect(Number(frames)).toBeGreaterThanOrEqual(320);
    expect(Number(square)).toBeGreaterThan(1000); // 1 g and more
    expect(Number(square)).toBeLessThan(10_000);
    expect(Number(lost)).toBe(0);
    const [, most] = /^most (\d+)$/.exec(await node.ask("most")) ?? [];
    expect(Number(most)).toBeGreaterThan(0);
  });

  it("counts the frames that nobody took in time, and keeps the others in order", async () => {
    const other = await NodeUnderTest.start(board, image, broker.url, {
      id: `${prefix}-4`,
      sensor: "counter=generator:counter",
    });
    try {
      await other.message("b", () => true);
      expect(await other.ask("flood")).toBe("flooding");
      while ((await other.ask("lost")) === "lost 0");
      expect(await other.ask("drain")).toBe("drained 4096 gaps 0 most 4096");
      // A new start counts anew.
      expect(await other.ask("flood")).toBe("flooding");
      expect(await other.ask("lost")).toBe("lost 0");
    } finally {
      await other.stop();
    }
  });

  it("replays a recording of the host, and has no sensor when that is none", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tmc-zephyr-csv-"));
    const good = join(folder, "good.csv");
    const bad = join(folder, "bad.csv");
    writeFileSync(good, "x,y,z\n0,0,2\n2,0,0\n");
    writeFileSync(bad, "x,y,z\n0,0,2\n2,0\n");
    try {
      for (const [sensor, answer, line] of [
        [`accelerometer=csv:${good}`, "sensing 3", ""],
        [`accelerometer=csv:${bad}`, "sensing 3", "bad.csv:3: expected a header"],
        [`other=csv:${good}`, "no sensor 0", ""],
      ] as const) {
        const other = await NodeUnderTest.start(board, image, broker.url, { id: `${prefix}-5`, sensor });
        try {
          await other.message("b", () => true);
          expect(await other.ask("sense")).toBe(answer);
          if (line !== "") await other.node.waitFor(line);
          else if (answer === "sensing 3")
            expect((await other.message("e", () => true)).toString()).toMatch(
              /^frames \d+ mean square 4000 lost 0$/,
            );
        } finally {
          await other.stop();
        }
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("knows what of its stack was never used, where it has one of its own", async () => {
    const [, free] = /^stack (-?\d+)$/.exec(await node.ask("stack")) ?? [];
    if (board === "native_sim") expect(Number(free)).toBe(-1);
    else {
      expect(Number(free)).toBeGreaterThan(1000);
      expect(Number(free)).toBeLessThan(8192);
    }
  });

  it("has clocks that agree", async () => {
    const [ms, us] = (await node.ask("time")).split(" ").map(Number);
    expect(Math.abs((us ?? 0) / 1000 - (ms ?? 0))).toBeLessThan(20);
  });

  it("catches a trap and goes on", async () => {
    expect(await node.ask("trap")).toBe("trap 1 site 7");
    expect(await node.ask("hello")).toBe("5 hello");
  });

  it("reconnects when the broker was killed and restarted, and announces itself anew", async () => {
    const births = node.on("b").length;
    await broker.kill();
    await node.node.waitFor("lost");
    await broker.resume();
    await node.client.subscribeAsync("t1/#", { qos: 1 });
    const birth = await node.message("b", () => true, births);
    expect(birth.toString()).toBe("birth boot=1 reason=1");
    expect(await node.ask("hello")).toBe("5 hello");
  });

  it("connects anew until the broker grants its subscription", async () => {
    let refusals = 1;
    const mayHear = (_: string, filter: string): boolean => !filter.endsWith("/x") || refusals-- <= 0;
    const reluctant = await openBroker({ mayHear });
    const other = await NodeUnderTest.start(board, image, reluctant.url, { id: `${prefix}-2` });
    try {
      await other.node.waitFor("refused a subscription");
      await other.message("b", () => true, 1);
      expect(await other.ask("hello")).toBe("5 hello");
    } finally {
      await other.stop();
      await reluctant.close();
    }
  });

  it("restarts when told to, keeps its storage, counts the boot and says why", async () => {
    const births = node.on("b").length;
    const states = node.on("s").length;
    await node.send("x", "restart");
    await node.message("s", (p) => p.toString() === "offline", states);
    expect((await node.message("b", () => true, births)).toString()).toBe("birth boot=2 reason=3");
    expect(await node.ask("load a/b")).toBe("2 42");
  });

  it("restarts by itself after an uncaught trap", async () => {
    const births = node.on("b").length;
    await node.send("x", "fatal");
    expect((await node.message("b", () => true, births)).toString()).toBe("birth boot=3 reason=6");
    expect(node.node.lines.join("\n")).toContain("uncaught trap 1 at site 8");
    expect(node.node.lines.join("\n")).toContain("boot 2 was ended by trap 1 at site 8 during message");
    expect(await node.ask("crash")).toBe("crash 1 8 2 message");
  });

  it("is reset by its watchdog when a handler does not return, and tells for ever which it was", async () => {
    const other = await NodeUnderTest.start(board, image, broker.url, {
      id: `${prefix}-3`,
      handlerMaxMs: 2000,
    });
    try {
      await other.message("b", (p) => p.toString() === "birth boot=1 reason=1");
      expect(await other.ask("crash")).toBe("crash 0 0 0 ");
      await other.send("x", "hang");
      await other.message("b", (p) => p.toString() === "birth boot=2 reason=4", 0, 60_000);
      expect(await other.ask("crash")).toBe("crash 16 0 1 hang");
      expect(other.node.lines.join("\n")).toContain("boot 1 was ended by the watchdog during hang");
      await other.send("x", "restart");
      await other.message("b", (p) => p.toString() === "birth boot=3 reason=3");
      expect(await other.ask("crash")).toBe("crash 16 0 1 hang");
    } finally {
      await other.stop();
    }
  });

  // A process that faults is ended by Linux.
  it.skipIf(board === "native_sim")(
    "restarts after a fault of the processor, whose address it keeps",
    async () => {
      const births = node.on("b").length;
      await node.send("x", "fault");
      expect((await node.message("b", () => true, births)).toString()).toBe("birth boot=4 reason=6");
      const [, address] = /^crash 17 (\d+) 3 fault$/.exec(await node.ask("crash")) ?? [];
      expect(Number(address)).toBeGreaterThan(0);
      expect(node.node.lines.join("\n")).toContain("boot 3 was ended by a fault at 0x");
    },
  );

  it("leaves its last will, and its flash outlives the process", async () => {
    const stateDir = mkdtempSync(join(tmpdir(), "tmc-zephyr-flash-"));
    for (const boot of [1, 2]) {
      const other = await NodeUnderTest.start(board, image, broker.url, { id: `${prefix}-2`, stateDir });
      await other.message("b", (p) => p.toString() === `birth boot=${boot} reason=1`);
      const states = other.on("s").length;
      await other.node.stop();
      await other.message("s", (p) => p.toString() === "offline", states);
      await other.stop();
    }
    rmSync(stateDir, { recursive: true, force: true });
  });
});
