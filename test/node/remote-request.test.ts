/**
 * A compiled node whose task asks another compiled node, over a real broker: an answer, an error, no answer in time, late
 * and hostile answers. The server between them is the test: it passes requests and answers on.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { decodeCbor, encodeCbor, type CborMap } from "../support/firmware-node.js";
import { Broker, findMosquitto } from "../support/mosquitto.js";
import { NodeProcess } from "../support/node-process.js";
import { buildMinimalNode } from "./minimal-node.js";

const missing = findMosquitto() === undefined ? " (skipped: there is no Mosquitto)" : "";

describe.skipIf(missing !== "")(`requests that a node makes${missing}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "tmc-asker-"));
  let broker: Broker;
  let server: MqttClient;
  let asker: NodeProcess;
  let worker: NodeProcess;
  const requests: CborMap[] = [];

  const toAsker = (payload: Uint8Array): void => {
    server.publish("t1/edge/asker/r", Buffer.from(payload), { qos: 1 });
  };

  /** The pass-through Core Service: what it gets on `q` goes to the worker, what the worker answers goes back. */
  function relay(topic: string, payload: Buffer): void {
    if (topic.endsWith("/y")) return toAsker(payload);
    const request = decodeCbor(payload) as CborMap;
    requests.push(request);
    if (request.get(4) === "never.answered") {
      const late = new Map<number, unknown>([
        [0, 1],
        [1, request.get(1)],
        [2, request.get(2)],
        [3, "asker"],
        [4, 2],
        [5, "worker"],
      ]);
      setTimeout(() => toAsker(encodeCbor(late)), 900);
      return;
    }
    if (request.get(4) === "lost.once") {
      const same = requests.filter((r) => r.get(1) === request.get(1));
      if (same.length < 2) return;
      const done = [0, 1, 2, 3].map((key): [number, unknown] => [key, request.get(key)]);
      toAsker(encodeCbor(new Map<number, unknown>([...done, [4, 2], [5, "worker"]])));
      return;
    }
    server.publish("t1/edge/worker/x", payload, { qos: 1 });
  }

  beforeAll(async () => {
    const [asking, working] = [join(folder, "asker"), join(folder, "worker")];
    const askerProgram = await buildMinimalNode(asking, packagePath("test", "node", "fixtures", "asker.ts"));
    const workerProgram = await buildMinimalNode(working);
    broker = await Broker.start();
    server = await connectAsync(broker.url, { clientId: "edge", protocolVersion: 4 });
    server.on("message", relay);
    await server.subscribeAsync(["t1/edge/q/+", "t1/edge/worker/y"], { qos: 1 });
    const place = { url: broker.url, server: "edge" };
    worker = await NodeProcess.start({ ...place, program: workerProgram, id: "worker" });
    await worker.connected();
    asker = await NodeProcess.start({ ...place, program: askerProgram, id: "asker" });
  });

  afterAll(async () => {
    const ends = [await asker.stop(), await worker.stop()];
    await server.endAsync(true);
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
    // A report of a sanitizer would have ended them otherwise.
    expect(ends.map((e) => e.exit.code)).toEqual([0, 0]);
  });

  it("do not wait for ticks: a task is woken within milliseconds, and never early", async () => {
    const line = await asker.child.waitForLine(/^slept \d+/);
    const shortest = Number(line.split(" ")[1]);
    expect(shortest).toBeGreaterThanOrEqual(3);
    expect(shortest).toBeLessThanOrEqual(6);
  });

  it("get the answer, with both acknowledgements", async () => {
    // Six of the status, and what was most at once (key 8): a process of Linux knows no mark of its stack.
    await asker.child.waitForLine(/outcome 0 error 0 accepted (true|false) result 7 dropped/);
    const first = requests.find((r) => r.get(4) === "node.monitor");
    expect([...(first?.keys() ?? [])]).toEqual([0, 1, 2, 3, 4, 6, 10]);
    expect(first?.get(3)).toBe("asker");
    expect(first?.get(6)).toEqual(new Map([[0, 7]]));
    expect(first?.get(10)).toBe(700);
  });

  it("get the error of the executing node", async () => {
    await asker.child.waitForLine(/outcome 1 error 2 accepted false result -1/);
  });

  it("end at their deadline, and a late answer is dropped and counted", async () => {
    await asker.child.waitForLine(/outcome 2 error 0 accepted false/);
    await asker.child.waitForLine(/dropped [1-9]/);
  });

  it("are sent again under their number when nothing comes back", async () => {
    await asker.child.waitForLine(/lost.once: outcome 0 error 0 accepted false/);
    const [first, ...repeated] = requests.filter((r) => r.get(4) === "lost.once");
    expect(repeated[0]).toEqual(first);
  });

  it("are not disturbed by hostile answers", async () => {
    const envelope = (pairs: readonly (readonly [number, unknown])[]): Uint8Array =>
      encodeCbor(new Map(pairs));
    const boot = requests[0]?.get(2);
    const hostile = [
      new Uint8Array(0),
      new Uint8Array([0xff, 0xff, 0xff]),
      new Uint8Array(2000).fill(0x9f),
      encodeCbor([1, 2, 3]),
      envelope([[0, 1]]),
      envelope([
        [0, 9],
        [1, 1],
        [2, boot],
        [4, 2],
      ]),
      envelope([
        [0, 1],
        [1, 4_000_000_000],
        [2, boot],
        [4, 2],
      ]),
      envelope([
        [0, 1],
        [1, 1],
        [2, 77],
        [4, 2],
      ]),
    ];
    const from = asker.child.lines.length;
    for (const payload of hostile) toAsker(payload);
    // Larger than a node takes: the port drops that one before the node can count it.
    await asker.child.waitForLine(/outcome 0 error 0 .* dropped ([89]|\d\d)/, 10_000, from);
    const now = asker.child.lines.length;
    await asker.child.waitForLine(/outcome 0 error 0/, 10_000, now);
  });

  it("go on when the broker was away", async () => {
    await broker.stop();
    const from = asker.child.lines.length;
    await asker.child.waitForLine(/outcome [23]/, 10_000, from);
    broker = await Broker.start({ port: broker.port });
    const now = asker.child.lines.length;
    await asker.child.waitForLine(/outcome 0 error 0/, 30_000, now);
  });
});
