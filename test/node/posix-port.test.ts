/**
 * The posix port under AddressSanitizer and UBSan against a real Mosquitto, with a hand-written app in place of
 * generated code: connection, last will, reconnection, limits, state, sensors. What the node itself answers
 * is tested elsewhere.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Broker, findMosquitto } from "../support/mosquitto.js";
import { openBroker } from "../support/open-broker.js";
import { NodeProcess } from "../support/node-process.js";
import { publishPacket, SilentBroker } from "./silent-broker.js";
import { buildEchoNode, PlainClient, type EchoBuild } from "./echo-node.js";

const reason = findMosquitto() === undefined ? " (skipped: Mosquitto is not installed)" : "";

describe.skipIf(reason !== "")(`posix port${reason}`, () => {
  let build: EchoBuild;
  let broker: Broker;
  let client: PlainClient;
  let folder: string;
  /** New in each test: retained messages of the ones before stay with the broker. */
  let id: string;
  let tests = 0;
  const nodes: NodeProcess[] = [];

  beforeAll(async () => {
    build = await buildEchoNode("gcc", true);
    broker = await Broker.start();
  });
  afterAll(async () => {
    await broker?.stop();
    build?.remove();
  });
  beforeEach(async () => {
    id = `n${++tests}`;
    folder = mkdtempSync(join(tmpdir(), "tmc-port-"));
    client = await PlainClient.connect(broker.url);
  });
  afterEach(async () => {
    await client.close();
    for (const node of nodes.splice(0)) {
      const { exit } = await node.stop();
      // A sanitizer's report, a leak among them, ends the process with another code.
      expect([exit, node.child.text("stderr")]).toEqual([{ code: 0, signal: undefined }, expect.anything()]);
    }
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts a node with its state in this test's folder and waits for its birth. */
  async function start(...args: string[]): Promise<NodeProcess> {
    const from = client.messages.length;
    const node = await NodeProcess.start({
      program: build.program,
      id,
      url: broker.url,
      server: "edge",
      stateDir: join(folder, id),
      args,
    });
    nodes.push(node);
    await client.next(id, "b", /birth/, from);
    return node;
  }

  it("builds without warnings", () => {
    expect(build.messages).toBe("");
  });

  it("connects, answers, and counts what it did", async () => {
    const node = await start("--trace");
    expect((await client.next(id, "s")).toString()).toBe("online boot=1");
    expect(await client.ask(id, "echo hello")).toBe("1 hello");
    await client.next(id, "y", /^2 hello$/);
    const statistics = await node.statistics();
    expect(statistics.get("received")).toBe(1);
    expect(statistics.get("published")).toBe(4);
    expect(statistics.get("connects")).toBe(1);
    expect(node.child.text("stdout")).toBe("connected 1");
    expect(node.child.text("stderr")).toContain(`trace: < t1/edge/${id}/x 10 bytes qos 1`);
    expect(node.child.text("stderr")).toContain(`trace: > t1/edge/${id}/y 7 bytes qos 1`);
  });

  it.each(["SIGTERM", "SIGINT", "SIGKILL"] as const)(
    "%s: the broker publishes the last will",
    async (signal) => {
      const node = await start();
      await node.stop(signal);
      nodes.pop();
      expect((await client.next(id, "s", /offline/)).toString()).toBe("offline boot=1");
      // Retained: whoever comes later learns it too.
      const late = await PlainClient.connect(broker.url);
      expect((await late.next(id, "s")).toString()).toBe("offline boot=1");
      await late.close();
    },
  );

  it("sends what is pending before it stops", async () => {
    const node = await start();
    await client.send(id, "flood 100");
    await node.child.waitForLine("accepted 100");
    const { statistics } = await node.stop();
    nodes.pop();
    expect(statistics?.get("unacknowledged")).toBe(0);
    await client.next(id, "y", /^flood 99$/);
  });

  it("reconnects after the broker was killed, and announces itself anew", async () => {
    const node = await start("--backoff", "20:200");
    const from = client.messages.length;
    await broker.kill();
    await node.child.waitForLine("disconnected");
    await node.child.waitForLine("(still trying)");
    await broker.resume();
    await client.next(id, "b", /birth connection=2 boot=1/, from);
    expect(await client.ask(id, "echo again")).toBe("1 again");
    const statistics = await node.statistics();
    expect(statistics.get("connects")).toBe(2);
    expect(statistics.get("disconnects")).toBe(1);
    // Many failures, one warning.
    expect(node.child.lines.filter((line) => line.text.includes("(still trying)"))).toHaveLength(1);
  });

  it("connects anew until the broker grants its subscription", async () => {
    let refusals = 2;
    const reluctant = await openBroker({
      mayHear: (_, filter) => filter !== `t1/edge/${id}/x` || refusals-- <= 0,
    });
    const ears = await PlainClient.connect(reluctant.url);
    const node = await NodeProcess.start({
      program: build.program,
      id,
      url: reluctant.url,
      server: "edge",
      stateDir: join(folder, id),
      args: ["--backoff", "20:100"],
    });
    nodes.push(node);
    await ears.next(id, "b", /birth connection=3 boot=1/);
    expect(await ears.ask(id, "echo heard")).toBe("1 heard");
    // Who hears nothing is not online: the broker published the will each time.
    expect(ears.messages.filter(({ text }) => text === "offline boot=1")).toHaveLength(2);
    expect((await node.statistics()).get("connects")).toBe(3);
    await ears.close();
    await reluctant.close();
  });

  it("waits longer and longer for a broker that is away", async () => {
    const node = await NodeProcess.start({
      program: build.program,
      id: id,
      url: "mqtt://127.0.0.1:1",
      server: "edge",
      stateDir: join(folder, id),
      args: ["--backoff", "50:400", "--exit-after", "2", "--log-level", "debug"],
    });
    const exit = await node.child.exited;
    expect(exit.code).toBe(0);
    const waits = [...node.child.text().matchAll(/next attempt in (\d+) ms/g)].map((match) =>
      Number(match[1]),
    );
    [50, 100, 200, 400, 400].forEach((wait, i) => {
      expect(waits[i]).toBeGreaterThanOrEqual(wait / 2);
      expect(waits[i]).toBeLessThanOrEqual(wait);
    });
  });

  it("keeps boot counter and settings, and says why it started", async () => {
    const first = await start();
    expect((await client.next(id, "b")).toString()).toContain("boot=1 reset=1");
    expect(await client.ask(id, "read net/rate")).toBe("size=-1 value=");
    expect(await client.ask(id, "write net/rate 1600")).toBe("write=1");
    expect(await client.ask(id, "write a.b-c 0123456789")).toBe("write=1");
    for (const key of ["Upper", "../../x_", "a".repeat(33), "sp ace"]) {
      expect(await client.ask(id, `write ${key}`)).toMatch(key === "sp ace" ? /write=1/ : /write=0/);
    }
    expect(await client.ask(id, "write ../../x evil")).toBe("write=1"); // a key like any other ...
    await first.stop("SIGKILL");
    nodes.pop();
    expect(readdirSync(folder)).toEqual([id]); // ... that stays inside
    expect(readdirSync(join(folder, id)).filter((name) => name.includes("tmp"))).toEqual([]);

    const second = await start();
    expect((await client.next(id, "b", /boot=2/)).toString()).toContain("reset=0"); // killed: unknown
    expect(await client.ask(id, "read net/rate")).toBe("size=4 value=1600");
    expect(await client.ask(id, "read a.b-c")).toBe("size=10 value=01234567"); // a buffer of 8 bytes
    await second.stop();
    nodes.pop();
    await start();
    expect((await client.next(id, "b", /boot=3/)).toString()).toContain("reset=1"); // stopped
  });

  it("restarts in place on request: same process, next boot, reason software", async () => {
    const node = await start();
    await client.send(id, "restart");
    await client.next(id, "y", /restarting/);
    expect((await client.next(id, "b", /boot=2/)).toString()).toContain("reset=3");
    await client.next(id, "s", /offline boot=1/);
    await client.next(id, "s", /online boot=2/);
    expect((await node.statistics()).get("boot")).toBe(2);
  });

  it("survives a trap inside the app, and ends with code 2 on one outside", async () => {
    const node = await start();
    await client.send(id, "throw");
    expect(await client.ask(id, "echo alive")).toBe("1 alive");
    expect((await node.statistics()).get("traps")).toBe(1);
    await client.send(id, "fatal");
    expect(await node.child.exited).toEqual({ code: 2, signal: undefined });
    expect(node.child.text("stderr")).toContain("error: trap index at site 42");
    nodes.pop();
    await start();
    expect((await client.next(id, "b", /boot=2/)).toString()).toContain("reset=6 crash=1/42/1/fatal");
    expect((await client.next(id, "b", /boot=1/)).toString()).toContain("crash=0/0/0/");
  });

  it("drops and counts messages above the limit, whatever their size", async () => {
    const node = await start("--max-message", "100");
    await client.send(id, Buffer.alloc(101, "x"));
    await client.send(id, Buffer.alloc(1_000_000, "x"));
    await client.send(id, Buffer.alloc(0));
    expect(await client.ask(id, `echo ${"y".repeat(95)}`)).toBe(`1 ${"y".repeat(95)}`);
    const statistics = await node.statistics();
    expect(statistics.get("too_large")).toBe(2);
    expect(statistics.get("received")).toBe(2);
  });

  it.each([0, 1] as const)("answers each of 1000 messages of a burst with QoS %d", async (qos) => {
    const node = await start();
    const sent = Array.from({ length: 1000 }, (_, i) => client.send(id, `echo ${i}`, qos));
    await Promise.all(sent);
    await client.next(id, "y", /^2 999$/, 0, 30_000);
    const answers = client.messages.filter((each) => each.topic.endsWith("/y")).map((each) => each.text);
    const statistics = await node.statistics();
    const dropped = (statistics.get("queue_full") ?? 0) + (statistics.get("too_large") ?? 0);
    const refused = statistics.get("refused") ?? 0;
    expect((statistics.get("received") ?? 0) + dropped).toBe(1000);
    expect(answers.length + refused).toBe(2 * (1000 - dropped));
    expect(new Set(answers).size).toBe(answers.length);
    expect(dropped).toBe(0); // the broker waits instead
  });

  it("drops and counts messages when nobody acknowledges its answers", async () => {
    const silent = await SilentBroker.start(
      Array.from({ length: 5000 }, (_, i) => publishPacket(`t1/edge/${id}/x`, `echo ${i}`)),
    );
    const node = await NodeProcess.start({
      program: build.program,
      id,
      url: silent.url,
      server: "edge",
      stateDir: join(folder, id),
    });
    await node.connected();
    let total = 0;
    while (total < 5000 - 32) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const counts = await node.statistics();
      total = (counts.get("received") ?? 0) + (counts.get("queue_full") ?? 0);
    }
    await silent.stop();
    await node.child.waitForLine("disconnected");
    const { exit, statistics } = await node.stop();
    expect(exit.code).toBe(0);
    const of = (name: string): number => statistics?.get(name) ?? -1;
    expect(of("queue_full")).toBeGreaterThan(1000);
    expect(of("received")).toBeGreaterThan(1900);
    expect(of("undelivered")).toBe(32);
    expect(of("received") + of("queue_full") + of("undelivered")).toBe(5000);
    expect(of("refused")).toBe(0);
    expect(of("unacknowledged")).toBe(of("published"));
  });

  it("gives up on a server that accepts connections but is no broker", async () => {
    const mute = await SilentBroker.start([], false);
    const node = await NodeProcess.start({
      program: build.program,
      id,
      url: mute.url,
      server: "edge",
      stateDir: join(folder, id),
    });
    await node.child.waitForLine("no answer as an MQTT broker", 10_000);
    expect((await node.stop()).exit.code).toBe(0);
    await mute.stop();
  });

  it("refuses what it cannot hold, and says so to the app", async () => {
    const node = await start();
    await client.send(id, "flood 5000");
    const line = await node.child.waitForLine(/^accepted/);
    const accepted = Number(line.split(" ")[1]);
    expect(accepted).toBeGreaterThanOrEqual(1000);
    expect(accepted).toBeLessThan(5000);
    await client.send(id, "echo after");
    await client.next(id, "y", /^2 after$/);
    const statistics = await node.statistics();
    expect(statistics.get("refused")).toBe(5000 - accepted);
    const floods = client.messages.filter((each) => /^flood \d/.test(each.text) && each.topic.endsWith("/y"));
    expect(floods.length).toBe(accepted);
  });

  it("delivers sensor frames at the rate, in order, and counts the lost ones", async () => {
    const node = await start("--sensor", "probe=generator:counter", "--sensor-ring", "50");
    expect(await client.ask(id, "open nothing")).toBe("sensor=-1 channels=0");
    expect(await client.ask(id, "start 100000")).toBe("start=0");
    expect(await client.ask(id, "take 4")).toContain("frames=0");
    expect(await client.ask(id, "open probe")).toBe("sensor=0 channels=1");
    expect(await client.ask(id, "start 0")).toBe("start=0");
    const began = performance.now();
    expect(await client.ask(id, "start 100000")).toBe("start=1"); // 100 Hz
    await new Promise((resolve) => setTimeout(resolve, 300));
    const first = fields(await client.ask(id, "take 1000"));
    const elapsed = performance.now() - began;
    expect(first.get("frames")).toBeGreaterThanOrEqual(28);
    expect(first.get("frames")).toBeLessThanOrEqual(elapsed / 10 + 1);
    expect(first.get("first")).toBe(0);
    expect(first.get("last")).toBe((first.get("frames") ?? 0) - 1);
    expect(first.get("lost")).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const second = fields(await client.ask(id, "take 1000"));
    expect(second.get("frames")).toBe(50);
    expect(second.get("first")).toBe(first.get("frames"));
    expect(second.get("lost")).toBeGreaterThanOrEqual(45);
    expect(await client.ask(id, "stop")).toBe("stopped");
    const stopped = (await node.statistics()).get("frames");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await node.statistics()).get("frames")).toBe(stopped);
  });

  it("replays a CSV file in a loop", async () => {
    const file = join(folder, "a.csv");
    writeFileSync(file, "x,y\r\n1,10\r\n2.5, -20\n3e0,30\n\n");
    await start("--sensor", `probe=csv:${file}`);
    expect(await client.ask(id, "open probe")).toBe("sensor=0 channels=2");
    await client.ask(id, "start 1000000");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await client.ask(id, "take 4")).toBe("frames=4 channels=2 lost=0 first=1 last=1");
    expect(await client.ask(id, "take 2")).toBe("frames=2 channels=2 lost=0 first=2.5 last=3");
  });

  it("clocks agree and random numbers differ", async () => {
    await start();
    const [ms, us] = (await client.ask(id, "clock")).split(" ").map(Number);
    expect(Math.abs((ms ?? 0) - Math.floor((us ?? 0) / 1000)) % 4294967).toBeLessThanOrEqual(1);
    const [a, b] = (await client.ask(id, "random")).split(" ");
    expect(a).not.toBe(b);
  });

  it("two nodes with one id throw each other out, but ever more slowly", async () => {
    const first = await start("--backoff", "50:2000");
    const second = await NodeProcess.start({
      program: build.program,
      id: id,
      url: broker.url,
      server: "edge",
      stateDir: join(folder, "other"),
      args: ["--backoff", "50:2000"],
    });
    nodes.push(second);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const connects =
      ((await first.statistics()).get("connects") ?? 0) + ((await second.statistics()).get("connects") ?? 0);
    expect(connects).toBeGreaterThan(2);
    expect(connects).toBeLessThan(25); // without the rule: more than 60
  });
});

function fields(text: string): Map<string, number> {
  return new Map([...text.matchAll(/(\w+)=(\S+)/g)].map((match) => [match[1] ?? "", Number(match[2])]));
}
