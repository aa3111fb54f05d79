/** The client against a broker inside this process and a node played by an MQTT client. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BusClient, BusError, describeOutcome } from "./bus-client.js";
import { decodeCbor, encodeCbor } from "./protocol.js";

type Answerer = (request: Map<number, unknown>, publish: (entries: [number, unknown][]) => void) => void;

describe("bus client", () => {
  let aedes: Aedes;
  let server: Server;
  let url: string;
  let node: MqttClient;
  let client: BusClient;
  let behave: Answerer;

  beforeAll(async () => {
    aedes = await Aedes.createBroker();
    server = createServer((socket) => aedes.handle(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    url = `mqtt://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    node = await connectAsync(url, { clientId: "n1", protocolVersion: 4 });
    await node.subscribeAsync("t1/edge/n1/x", { qos: 1 });
    node.on("message", (_, payload) => {
      const request = decodeCbor(payload) as Map<number, unknown>;
      behave(request, (entries) => {
        const same = [1, 2, 3].map((key): [number, unknown] => [key, request.get(key)]);
        const answer = new Map<number, unknown>([[0, 1], ...same, [5, "n1"], ...entries]);
        node.publish("t1/edge/n1/y", Buffer.from(encodeCbor(answer)), { qos: 1 });
      });
    });
  });
  afterAll(async () => {
    await node.endAsync(true);
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    server.close();
  });
  beforeEach(async () => {
    client = await BusClient.connect({ url, server: "edge", boot: 9 });
  });
  afterEach(async () => {
    await client.close();
  });

  it("gathers both acknowledgements and their times", async () => {
    behave = (request, publish) => {
      expect([request.get(2), request.get(3), request.get(4)]).toEqual([9, "edge", "node.monitor"]);
      publish([[4, 1]]);
      setTimeout(() => publish([[4, 2]]), 300);
    };
    const exchange = await client.request("n1", { operation: "node.monitor" });
    expect(exchange.accepted?.stage).toBe(1);
    expect(exchange.done.stage).toBe(2);
    expect(exchange.doneMs).toBeGreaterThan((exchange.acceptedMs ?? Infinity) + 100);
    expect(describeOutcome(exchange.done)).toBe("done");
    expect(client.violations).toEqual([]);
  });

  it("takes a refusal as the terminal answer", async () => {
    behave = (_, publish) =>
      publish([
        [4, 2],
        [
          6,
          new Map<number, unknown>([
            [0, 4],
            [1, "wrong"],
            [2, "input.shape"],
          ]),
        ],
      ]);
    const exchange = await client.request("n1", { operation: "model.infer" });
    expect(exchange.accepted).toBeUndefined();
    expect(describeOutcome(exchange.done)).toBe("descriptor-mismatch in input.shape: wrong");
  });

  it("keeps requests apart that are answered in another order", async () => {
    const late: (() => void)[] = [];
    behave = (request, publish) => {
      const id = request.get(1) as number;
      late.push(() =>
        publish([
          [4, 2],
          [11, id],
        ]),
      );
      if (late.length === 3) {
        late.reverse().forEach((send) => send());
      }
    };
    const exchanges = await Promise.all(
      [1, 2, 3].map(() => client.request("n1", { operation: "node.monitor" })),
    );
    expect(exchanges.map((each) => each.done.executionUs)).toEqual(exchanges.map((each) => each.request.id));
  });

  it("times out, with what was missing", async () => {
    behave = () => {};
    await expect(client.request("n1", { operation: "node.monitor" }, 50)).rejects.toThrow(
      "node.monitor on n1: no answer after 50 ms",
    );
    behave = (_, publish) => publish([[4, 1]]);
    await expect(client.request("n1", { operation: "node.monitor" }, 100)).rejects.toThrow(BusError);
  });

  it("sends again what nobody answers, the same bytes; each sending may be acknowledged", async () => {
    await client.close();
    client = await BusClient.connect({ url, server: "edge", boot: 9, resendMs: 10 });
    const seen: string[] = [];
    behave = (request, publish) => {
      seen.push(JSON.stringify([...request]));
      if (seen.length < 3) return;
      publish([[4, 1]]);
      publish([[4, 1]]);
      publish([[4, 2]]);
    };
    const exchange = await client.request("n1", { operation: "node.monitor" });
    expect([exchange.done.stage, seen.length >= 3, new Set(seen).size]).toEqual([2, true, 1]);
    expect(client.violations).toEqual([]);
  });

  it("gives up a broker that takes the connection and never answers", async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => void sockets.push(socket));
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    const connecting = BusClient.connect({
      url: `mqtt://127.0.0.1:${port}`,
      server: "edge",
      connectTimeoutMs: 50,
    });
    await expect(connecting).rejects.toMatchObject({
      code: "TMC6111",
      message: `mqtt://127.0.0.1:${port} did not accept the connection within 50 ms`,
    });
    for (const socket of sockets) socket.destroy();
    mute.close();
    await expect(BusClient.connect({ url: `mqtt://127.0.0.1:${port}`, server: "edge" })).rejects.toThrow(
      /ECONNREFUSED/,
    );
  });

  it("reports answers that nobody asked for, and payloads that break the protocol", async () => {
    behave = (_, publish) => {
      publish([[4, 1]]);
      publish([[4, 1]]);
      publish([[4, 2]]);
      publish([[4, 2]]);
    };
    await client.request("n1", { operation: "node.monitor" });
    await client.until("the second terminal answer", () => client.unmatched.length === 1);
    expect(client.violations.map((each) => each.reason)).toEqual([expect.stringContaining("accepted twice")]);
    await node.publishAsync("t1/edge/n1/y", "garbage", { qos: 1 });
    await client.until("the violation", () => client.violations.length === 2);
    expect(client.violations[1]?.reason).toContain("not deterministic CBOR");
  });

  it("knows the newest records of each node", async () => {
    const state = (boot: number, online: boolean): Buffer =>
      Buffer.from(
        encodeCbor(
          new Map<number, unknown>([
            [0, 1],
            [1, "n1"],
            [2, boot],
            [3, online],
          ]),
        ),
      );
    await node.publishAsync("t1/edge/n1/s", state(1, true), { qos: 1, retain: true });
    expect((await client.state("n1")).boot).toBe(1);
    const later = client.state("n1", (each) => each.boot === 2);
    await node.publishAsync("t1/edge/n1/s", state(2, false), { qos: 1, retain: true });
    expect((await later).online).toBe(false);
    await expect(client.birth("n1", () => true, 50)).rejects.toThrow("birth record of n1: not within 50 ms");
  });
});
