/** MqttConnection when things go wrong: brokers that die, come late, refuse; queues that are full. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { Aedes } from "aedes";
import { afterEach, describe, expect, it } from "vitest";
import { MqttConnection, type MqttConnectionOptions } from "../../host/bus/mqtt-connection.js";
import { Child } from "../support/child.js";
import { freePort } from "../support/free-port.js";
import { startTestBroker } from "../support/test-broker.js";
import { bytes, gather, waitFor } from "./connection-contract.js";

const connections: MqttConnection[] = [];
const stops: (() => unknown)[] = [];

function open(port: number, clientId: string, options: Partial<MqttConnectionOptions> = {}): MqttConnection {
  const connection = MqttConnection.open({
    url: `mqtt://127.0.0.1:${port}`,
    clientId,
    backoffMs: [10, 50],
    connectTimeoutMs: 1000,
    ...options,
  });
  connections.push(connection);
  return connection;
}

afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
  for (const stop of stops.splice(0)) await stop();
});

interface PlainBroker {
  readonly aedes: Aedes;
  readonly port: number;
  /** Of all connections so far. */
  readonly sockets: ReadonlySet<Socket>;
  /** Subscriptions that hold now, of sessions too. */
  subscriptions(): number;
  stop(): Promise<void>;
}

/** Without access rules of its own. */
async function plainBroker(): Promise<PlainBroker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const held = new Set<string>();
  aedes.on("subscribe", (list, client) => list.forEach(({ topic }) => held.add(`${client.id} ${topic}`)));
  aedes.on("unsubscribe", (list, client) => list.forEach((topic) => held.delete(`${client.id} ${topic}`)));
  const server = createServer((socket) => {
    sockets.add(socket);
    aedes.handle(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= new Promise<void>((resolve) => {
      server.close();
      for (const socket of sockets) socket.destroy();
      aedes.close(() => resolve());
    }));
  stops.push(stop);
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return { aedes, port, sockets, subscriptions: () => held.size, stop };
}

describe("MQTT connection", () => {
  it("keeps trying until the broker is there; what was asked for before holds then", async () => {
    const port = await freePort();
    const problems: string[] = [];
    const node = open(port, "n1", { onProblem: (text) => problems.push(text) });
    const heard = gather(node);
    await node.subscribe(["t1/edge/n1/x"]);
    const published = node.publish("t1/edge/q/n1", bytes("early"));
    await expect(node.ready(60)).rejects.toThrow("no connection");
    // One line for a row of failures.
    expect(problems).toEqual([expect.stringContaining("ECONNREFUSED")]);
    const broker = await startTestBroker({ port });
    stops.push(() => broker.close());
    const server = broker.connect();
    const requests = gather(server);
    await server.subscribe(["t1/edge/q/+"]);
    await published;
    expect(requests.messages).toEqual(["t1/edge/q/n1 early"]);
    await server.publish("t1/edge/n1/x", bytes("heard"));
    await heard.until(1);
  });

  it("comes back after kill -9 of the broker under load: nothing acknowledged is lost, clients live on", async () => {
    const port = await freePort();
    const start = async (): Promise<Child> => {
      const child = await Child.start("node", [
        "--import",
        "tsx",
        "test/bus/broker-process.ts",
        String(port),
      ]);
      await child.waitForLine("ready");
      return child;
    };
    let broker = await start();
    stops.push(() => broker.stop());
    const changes: boolean[] = [];
    const nodes = ["n1", "n2", "n3"].map((id) => open(port, id, { queue: 100_000 }));
    const heard = gather(nodes[0]!);
    nodes[0]!.onConnectionChange((connected) => changes.push(connected));
    await nodes[0]!.subscribe(["t1/edge/n1/c"]);
    await Promise.all(nodes.map((node) => node.ready(5000)));
    const sent: Promise<void>[] = [];
    let count = 0;
    const keep = (publishing: Promise<void>): void => {
      publishing.catch(() => undefined);
      sent.push(publishing);
    };
    const load = setInterval(() => {
      keep(nodes[0]!.publish("t1/edge/n1/c", bytes(String(count++))));
      keep(nodes[1]!.publish("t1/edge/q/n2", bytes("request")));
    }, 2);
    stops.push(() => clearInterval(load));
    await waitFor(() => heard.messages.length > 50, "load");
    await broker.stop("SIGKILL");
    await waitFor(() => !nodes[0]!.connected, "the loss to be noticed");
    broker = await start();
    await waitFor(() => nodes.every((node) => node.connected), "all to be back", 5000);
    const backAt = heard.messages.length;
    await waitFor(() => heard.messages.length > backAt + 50, "load again");
    clearInterval(load);
    // QoS 1: each publish ends well, by the old broker or by the new one.
    await Promise.all(sent);
    expect(changes).toEqual([true, false, true]);
    const last = `t1/edge/n1/c ${count - 1}`;
    await waitFor(() => heard.messages.includes(last), "the last message");
    // Its own subscription is a clean session: a message is acknowledged behind its delivery.
    const seen = new Set(heard.messages);
    expect(Array.from({ length: count }, (_, i) => i).filter((i) => !seen.has(`t1/edge/n1/c ${i}`))).toEqual(
      [],
    );
  });

  it("gives up a message that the broker ends the connection for, and sends those behind it", async () => {
    const broker = await startTestBroker();
    stops.push(() => broker.close());
    const node = open(broker.port ?? 0, "n1");
    const refused = node.publish("t1/edge/n2/y", bytes("not mine"));
    const sent = [1, 2, 3].map((i) => node.publish("t1/edge/q/n1", bytes(String(i))));
    await expect(refused).rejects.toThrow("t1/edge/n2/y");
    await Promise.all(sent);
    expect(broker.status().refused.publish).toBe(3);
  });

  it("asks again for what a broker refuses that granted it before: it is not ready", async () => {
    const broker = await plainBroker();
    let refusals = 0;
    const asked: string[] = [];
    broker.aedes.authorizeSubscribe = (_client, subscription, done) => {
      asked.push(subscription.topic);
      const refuses = subscription.topic.endsWith("x") && refusals-- > 0;
      done(null, refuses ? null : subscription);
    };
    const problems: string[] = [];
    const node = open(broker.port, "n1", { onProblem: (text) => problems.push(text) });
    const heard = gather(node);
    await node.subscribe(["t1/edge/n1/x", "t1/edge/n1/r"]);
    await node.ready(2000);
    const changes: boolean[] = [];
    node.onConnectionChange((connected) => changes.push(connected));
    refusals = 2;
    asked.length = 0;
    for (const socket of broker.sockets) socket.destroy();
    await waitFor(() => changes.at(-1) === true, "the connection to be back");
    // Connected only when it hears what it asked for, and on one connection: what was granted stays.
    expect(changes).toEqual([false, true]);
    expect(asked).toEqual(["t1/edge/n1/x", "t1/edge/n1/r", "t1/edge/n1/x", "t1/edge/n1/x"]);
    expect(broker.sockets.size).toBe(2);
    expect(problems).toHaveLength(1);
    await node.publish("t1/edge/n1/x", bytes("heard"));
    await heard.until(1);
  });

  it("goes on at another server of a cluster when its own is gone", async () => {
    const [first, second] = [await plainBroker(), await plainBroker()];
    const node = open(await freePort(), "n1", {
      alternatives: [first, second].map(({ port }) => `mqtt://127.0.0.1:${port}`),
    });
    const heard = gather(node);
    await node.subscribe(["t1/edge/n1/x"]);
    await node.ready(5000);
    expect(first.sockets.size).toBe(1);
    await first.stop();
    await waitFor(() => second.sockets.size > 0 && node.connected, "the other server");
    await node.publish("t1/edge/n1/x", bytes("heard"));
    await heard.until(1);
  });

  it("misses nothing with a session, and leaves none behind", async () => {
    const broker = await plainBroker();
    const node = open(broker.port, "n1", { session: true });
    const heard = gather(node);
    await node.subscribe(["t1/edge/n1/x"]);
    await node.ready(2000);
    const other = open(broker.port, "edge");
    await other.ready(2000);
    const gone = new Promise<void>((resolve) => {
      node.onConnectionChange((connected) => {
        // The broker has noticed nothing better than that the connection is gone; the node has not come back yet.
        if (!connected) resolve(other.publish("t1/edge/n1/x", bytes("meanwhile")));
      });
    });
    const [socket] = broker.sockets;
    socket?.destroy();
    await gone;
    await heard.until(1);
    expect(heard.messages).toEqual(["t1/edge/n1/x meanwhile"]);
    await waitFor(() => node.connected, "the connection to be back");
    expect(broker.subscriptions()).toBe(1);
    await node.close();
    expect(broker.subscriptions()).toBe(0);
  });

  it("has a bounded queue", async () => {
    const node = open(1, "n1", { queue: 3, queueBytes: 100 });
    const waiting = [1, 2].map(() => node.publish("t1/edge/q/n1", bytes("x".repeat(40))));
    await expect(node.publish("t1/edge/q/n1", bytes("x".repeat(40)))).rejects.toThrow("queue");
    waiting.push(node.publish("t1/edge/q/n1", bytes("x")));
    await expect(node.publish("t1/edge/q/n1", bytes("x"))).rejects.toThrow("queue");
    await node.close();
    for (const each of await Promise.allSettled(waiting)) expect(each.status).toBe("rejected");
  });

  it("leaves its will when it is cut off, and not when it closes", async () => {
    const broker = await startTestBroker();
    stops.push(() => broker.close());
    const server = broker.connect();
    const heard = gather(server);
    await server.subscribe(["t1/edge/+/s"]);
    const will = { topic: "t1/edge/n1/s", payload: bytes("gone"), retain: true };
    const first = open(broker.port ?? 0, "n1", { will, backoffMs: [5000, 5000] });
    await first.ready(3000);
    // Another one with its id takes its place: for the broker, the first is gone without a word.
    const second = open(broker.port ?? 0, "n1", { will });
    await second.ready(3000);
    expect(await heard.until(1)).toEqual(["t1/edge/n1/s gone"]);
    await first.close();
    await second.close();
    await waitFor(() => broker.status().clients.length === 0, "the end");
    expect(heard.messages.length).toBe(1);
  });

  it("publishes nothing as retained for a broker that keeps nothing", async () => {
    const broker = await startTestBroker();
    stops.push(() => broker.close());
    const node = open(broker.port ?? 0, "n1", { retain: false });
    await node.publish("t1/edge/n1/b", bytes("birth"), { retain: true });
    expect(broker.status().retained).toBe(0);
  });

  it("says which subscription was refused, and stays", async () => {
    const broker = await startTestBroker();
    stops.push(() => broker.close());
    const node = open(broker.port ?? 0, "n1");
    await node.ready(3000);
    await expect(node.subscribe(["t1/edge/n2/x"])).rejects.toThrow("t1/edge/n2/x");
    expect(node.connected).toBe(true);
    await node.publish("t1/edge/q/n1", bytes("still here"));
  });

  it("lives through brokers that answer nonsense, nothing, or end", async () => {
    const answers = [
      Buffer.from([0x20, 0x02, 0x00, 0x05]),
      Buffer.from("HTTP/1.1 400\r\n\r\n"),
      Buffer.alloc(0),
    ];
    let attempts = 0;
    const sockets = new Set<Socket>();
    const fake = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      const answer = answers[attempts++ % answers.length] ?? Buffer.alloc(0);
      if (answer.length > 0) socket.write(answer);
      else socket.end();
    });
    await new Promise<void>((resolve) => fake.listen(0, "127.0.0.1", resolve));
    stops.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => fake.close(resolve));
    });
    const address = fake.address();
    const node = open(typeof address === "object" && address !== null ? address.port : 0, "n1", {
      connectTimeoutMs: 100,
    });
    await waitFor(() => attempts > 6, "more attempts");
    expect(node.connected).toBe(false);
  });

  it("throws nothing at a handler's mistake", async () => {
    const broker = await startTestBroker();
    stops.push(() => broker.close());
    const server = broker.connect();
    const heard = gather(server);
    server.onMessage(() => {
      throw new Error("a mistake");
    });
    await server.subscribe(["t1/edge/q/+"]);
    const node = open(broker.port ?? 0, "n1");
    await node.publish("t1/edge/q/n1", bytes("1"));
    await node.publish("t1/edge/q/n1", bytes("2"));
    await heard.until(2);
  });

  it("clients that publish to each other and to themselves never wait for each other for ever", async () => {
    const broker = await startTestBroker({ quotas: { inFlight: 2 } });
    stops.push(() => broker.close());
    const node = open(broker.port ?? 0, "n1");
    const heard = gather(node);
    await node.subscribe(["t1/edge/n1/c"]);
    await node.ready(3000);
    // Its acknowledgements stand behind what it publishes.
    await Promise.all(Array.from({ length: 300 }, (_, i) => node.publish("t1/edge/n1/c", bytes(String(i)))));
    await heard.until(300);
    expect(heard.messages.length).toBe(300);
  });

  it("a message that overtakes another is no reason to drop it", async () => {
    const broker = await startTestBroker();
    stops.push(() => broker.close());
    const node = open(broker.port ?? 0, "n1");
    const heard = gather(node);
    await node.subscribe(["t1/edge/n1/x"]);
    await node.ready(3000);
    const [one, other] = [broker.connect(), broker.connect()];
    for (let i = 0; i < 30; i++) {
      // Through the stores, slower; the others go straight to the subscriber.
      void one.publish("t1/edge/n1/x", bytes(`kept ${i}`), { retain: true });
      for (let step = 0; step < i % 6; step++) await Promise.resolve();
      void other.publish("t1/edge/n1/x", bytes(`quick ${i}`));
    }
    await heard.until(60);
  });
});
