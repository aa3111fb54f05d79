/** Attacks on the broker's plain listener: foreign identities and topics, wrong and endless packets, floods. */
import { afterEach, describe, expect, it } from "vitest";
import type { Broker, BrokerOptions } from "../../host/node/broker/broker.js";
import { noIdentities, type Identities } from "../../host/node/broker/identities.js";
import { startTestBroker } from "../support/test-broker.js";
import { bytes, gather, waitFor } from "./connection-contract.js";
import { packet, publishPacket, RawClient, str, subscribePacket } from "./raw-client.js";

/** "op" is an operator, "srv" a server, "known" a node; the password of each is its name twice. */
const roles = new Map([
  ["op", "operator"],
  ["srv", "server"],
  ["known", "node"],
] as const);
const someKnown: Identities = {
  ...noIdentities,
  roleOf: (id) => new Map<string, "operator" | "server" | "node">(roles).get(id),
  verifyPassword: (id, password) => Promise.resolve(password === id + id),
};

describe("attacks on the broker", () => {
  let broker: Broker & { port: number };
  const clients: RawClient[] = [];

  async function start(config: object = {}, options: Partial<BrokerOptions> = {}): Promise<void> {
    const started = await startTestBroker(config, { identities: someKnown, ...options });
    broker = started as Broker & { port: number };
  }
  async function join(id: string, fields?: Parameters<typeof RawClient.connect>[2]): Promise<RawClient> {
    const known = someKnown.roleOf(id) === undefined ? {} : { username: id, password: id + id };
    const client = await RawClient.connect(broker.port, id, { ...known, ...fields });
    clients.push(client);
    return client;
  }
  async function codeOf(id: string, fields?: Parameters<typeof RawClient.connect>[2]): Promise<number> {
    const client = await RawClient.open(broker.port);
    clients.push(client);
    return client.handshake(id, fields);
  }
  const refused = (): Partial<Record<string, number>> =>
    Object.fromEntries(Object.entries(broker.status().refused).filter(([, count]) => count > 0));

  /** The broker still serves a stranger. */
  async function alive(): Promise<void> {
    const server = broker.connect();
    const heard = gather(server);
    await server.subscribe(["t1/edge/alive/e"]);
    const client = await join("alive");
    client.socket.write(publishPacket("t1/edge/alive/e", "here"));
    await heard.until(1);
    await server.close();
    client.close();
  }

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await broker.close();
  });

  describe("identities", () => {
    it.each(["", "N1", "q", "a/b", "+", "#", "x".repeat(24), "__proto__", "n\u0000"])(
      "the client id %j is refused",
      async (id) => {
        await start();
        // MQTT parsers may refuse it before we do.
        expect([2, 255]).toContain(await codeOf(id));
        expect(broker.status().clients).toEqual([]);
      },
    );

    it("names of JavaScript's objects are names like any other", async () => {
      await start();
      const client = await join("constructor");
      expect(await client.subscribe(["t1/edge/constructor/x", "t1/edge/n1/x"])).toEqual([1, 128]);
    });

    it("the server's own id is refused", async () => {
      await start();
      expect(await codeOf("edge")).toBe(2);
      expect(refused()).toEqual({ identity: 1 });
    });

    it("an enrolled id needs its password, also where strangers are let in", async () => {
      await start();
      expect(await codeOf("known")).toBe(4);
      expect(await codeOf("known", { username: "known", password: "wrong" })).toBe(4);
      expect(await codeOf("known", { username: "op", password: "opop" })).toBe(2);
      expect(await codeOf("known", { username: "known", password: "knownknown" })).toBe(0);
      expect(refused()).toEqual({ credentials: 2, identity: 1 });
    });

    it("strangers are not let in unless they are wanted", async () => {
      await start({ anonymous: false });
      expect(await codeOf("n1")).toBe(4);
      expect(await codeOf("n1", { username: "n1", password: "n1n1" })).toBe(4);
      expect(await codeOf("known", { username: "known", password: "knownknown" })).toBe(0);
    });

    it("a stranger's connection ends when its id is enrolled, so that nobody inherits a role", async () => {
      let change = (): void => undefined;
      let enrolled = false;
      await start(
        {},
        {
          identities: {
            ...noIdentities,
            roleOf: () => (enrolled ? "operator" : undefined),
            onChange: (listener) => {
              change = listener;
              return () => undefined;
            },
          },
        },
      );
      const stranger = await join("n1");
      enrolled = true;
      change();
      await stranger.untilEnded();
      expect(refused()).toEqual({ revoked: 1 });
    });

    it("guessing a password is slowed down, and keeps out nobody who was in", async () => {
      let verified = 0;
      const counting = {
        ...someKnown,
        verifyPassword: (id: string, password: string) => {
          verified++;
          return someKnown.verifyPassword(id, password);
        },
      };
      await start({}, { identities: counting });
      expect(await codeOf("known", { username: "known", password: "knownknown" })).toBe(0);
      const codes: number[] = [];
      for (let i = 0; i < 30; i++) {
        codes.push(await codeOf("known", { username: "known", password: `guess ${i}` }));
      }
      expect(codes.slice(0, 5)).toEqual([4, 4, 4, 4, 4]);
      expect(new Set(codes.slice(5))).toEqual(new Set([3]));
      expect(verified).toBe(6);
      expect(await codeOf("known", { username: "known", password: "knownknown" })).toBe(0);
    });
  });

  describe("topics", () => {
    it.each([
      ["n1", "t1/edge/q/n2"],
      ["n1", "t1/edge/n2/y"],
      ["n1", "t1/edge/n2/b"],
      ["n1", "t1/edge/n1/x"],
      ["n1", "t1/edge/n1/r"],
      ["n1", "t1/edge/n1/q"],
      ["n1", "t1/other/q/n1"],
      ["n1", "t1/edge/q/n1/more"],
      ["n1", "t1/edge//n1"],
      ["n1", "t1/edge/n1/y/"],
      ["n1", "/t1/edge/n1/y"],
      ["n1", "T1/edge/n1/y"],
      ["n1", "t1/edge/n1/y\u0000"],
      ["n1", "t1"],
      ["n1", "$SYS/edge-broker/new/clients"],
      ["n1", "$share/g/t1/edge/n1/x"],
      ["n1", "home/temperature"],
      ["n1", "a/".repeat(50)],
      ["op", "t1/edge/n1/x"],
      ["op", "t1/edge/n1/s"],
      ["srv", "t1/edge/n1/x"],
      ["srv", "t1/edge/n1/r"],
      ["srv", "t1/srv/n1/y"],
      ["srv", "t1/srv/q/n1"],
    ])("%s may not publish %s", async (id, topic) => {
      await start();
      const client = await join(id);
      client.socket.write(publishPacket(topic, "x"));
      await client.untilEnded();
      expect(client.received.length, "no PUBACK").toBe(0);
      await alive();
    });

    it.each(["t1/edge/n1/+", "t1/edge/#", "#", "+/+/+/+"])(
      "nobody publishes to the wildcard %s",
      async (topic) => {
        await start();
        const client = await join("n1");
        client.socket.write(publishPacket(topic, "x"));
        await client.untilEnded();
        await alive();
      },
    );

    it("everybody publishes and subscribes what is theirs", async () => {
      await start();
      const server = broker.connect();
      const heard = gather(server);
      await server.subscribe(["t1/#"]);
      const node = await join("n1");
      const own = ["t1/edge/q/n1", ...["y", "b", "s", "e", "c"].map((kind) => `t1/edge/n1/${kind}`)];
      for (const topic of own) node.socket.write(publishPacket(topic, "x"));
      expect((await heard.until(6)).sort()).toEqual(own.map((topic) => `${topic} x`).sort());
      expect(await node.subscribe(["t1/edge/n1/r", "t1/edge/n1/x", "t1/edge/n1/c"])).toEqual([1, 1, 1]);
      const operator = await join("op");
      expect(await operator.subscribe(["t1/edge/+/b", "t1/edge/+/s", "t1/edge/n1/e"])).toEqual([1, 1, 1]);
      const other = await join("srv");
      expect(await other.subscribe(["t1/srv/q/+", "t1/srv/+/y", "t1/srv/+/c", "t1/edge/srv/r"])).toEqual([
        1, 1, 1, 1,
      ]);
      other.socket.write(publishPacket("t1/srv/n1/x", "to a node of its own"));
      await heard.until(7);
      node.socket.write(publishPacket("t1/srv/q/n1", "to the other server"));
      await heard.until(8);
      expect(refused()).toEqual({});
    });

    it.each([
      ["n1", "t1/edge/n2/r"],
      ["n1", "t1/edge/n2/x"],
      ["n1", "t1/edge/+/r"],
      ["n1", "t1/edge/+/b"],
      ["n1", "t1/+/n1/r"],
      ["n1", "t1/edge/n1/+"],
      ["n1", "t1/edge/n1/#"],
      ["n1", "t1/edge/n1/y"],
      ["n1", "t1/#"],
      ["n1", "#"],
      ["n1", "+/#"],
      ["n1", "+/edge/n1/r"],
      ["n1", "/#"],
      ["n1", "$SYS/#"],
      ["n1", "$share/g/t1/edge/n2/x"],
      ["n1", "t1/edge/q/+"],
      ["op", "t1/edge/+/x"],
      ["op", "t1/edge/+/r"],
      ["op", "t1/edge/q/+"],
      ["op", "t1/+/+/b"],
      ["srv", "t1/edge/q/+"],
      ["srv", "t1/edge/+/y"],
      ["srv", "t1/srv/#"],
    ])("%s may not subscribe %s", async (id, filter) => {
      await start();
      const client = await join(id);
      expect(await client.subscribe([filter, `t1/edge/${id}/x`])).toEqual([128, 1]);
      await broker.connect().publish("t1/edge/n2/x", bytes("secret"));
      await broker.connect().publish("t1/edge/n2/r", bytes("secret"));
      await broker.connect().publish(`t1/edge/${id}/x`, bytes("mine"));
      await waitFor(() => client.received.includes("mine"), "the own message");
      expect(client.received.includes("secret")).toBe(false);
      expect(refused()).toEqual({ subscribe: 1 });
    });

    it("a refused filter gets into no session either", async () => {
      await start();
      const first = await join("n1", { clean: false });
      expect(await first.subscribe(["t1/edge/n1/x", "t1/edge/n2/x", "t1/#"])).toEqual([1, 128, 128]);
      first.close();
      await waitFor(() => broker.status().clients.length === 0, "the client to be gone");
      await broker.connect().publish("t1/edge/n2/x", bytes("secret"));
      await broker.connect().publish("t1/edge/n1/x", bytes("mine"));
      const second = await join("n1", { clean: false });
      await waitFor(() => second.received.includes("mine"), "the message of the session");
      expect(second.received.includes("secret")).toBe(false);
    });

    it("a will is the own state, or there is no connection", async () => {
      await start();
      const will = (topic: string, qos = 1): Promise<number> =>
        codeOf("n1", { will: { topic, payload: "x", qos } });
      for (const topic of ["t1/edge/n2/s", "t1/edge/n1/b", "t1/edge/n1/x", "t1/#", "$SYS/x", ""]) {
        expect([5, 255], topic).toContain(await will(topic));
      }
      expect([5, 255]).toContain(await will("t1/edge/n1/s", 2));
      expect(await will("t1/edge/n1/s")).toBe(0);
      const server = broker.connect();
      const heard = gather(server);
      await server.subscribe(["t1/edge/+/s"]);
      for (const client of clients.splice(0)) client.close();
      expect(await heard.until(1)).toEqual(["t1/edge/n1/s x"]);
    });

    it("topics of ordinary devices are open only where they are listed", async () => {
      await start({}, { devices: { publish: ["home/+/temperature", "#"], subscribe: ["home/#"] } });
      const device = await join("n1");
      device.socket.write(publishPacket("home/kitchen/temperature", "21"));
      expect(
        await device.subscribe([
          "home/kitchen/#",
          "home/+/light",
          "#",
          "+/kitchen",
          "t1/edge/n2/x",
          "$SYS/#",
        ]),
      ).toEqual([1, 1, 128, 128, 128, 128]);
      device.socket.write(publishPacket("t1/edge/n2/y", "x"));
      await device.untilEnded();
    });
  });

  describe("retained messages", () => {
    it("are births and states only", async () => {
      await start();
      const client = await join("n1");
      client.socket.write(publishPacket("t1/edge/n1/e", "x", 1, true));
      await client.untilEnded();
      expect(broker.status().retained).toBe(0);
    });

    it("have a limit, whoever asks", async () => {
      await start({ quotas: { connections: 3 } });
      for (let i = 0; i < 5; i++) {
        const client = await join(`n${i}`);
        client.socket.write(publishPacket(`t1/edge/n${i}/b`, "x", 1, true));
        client.socket.write(publishPacket(`t1/edge/n${i}/s`, "x", 1, true));
        if (i >= 3) await client.untilEnded();
        else await waitFor(() => client.received.length >= 8, "two PUBACKs");
        client.close();
        await waitFor(() => broker.status().connections === 0, "room");
      }
      expect(broker.status().retained).toBe(6);
      expect(refused()["retain"]).toBe(2);
    });
  });

  describe("packets", () => {
    it("too large ones end the connection before they are read", async () => {
      await start({ quotas: { messageBytes: 1000 } });
      const client = await join("n1");
      // The head alone tells; the body never comes.
      client.socket.write(Buffer.from([0x32, 0xff, 0xff, 0xff, 0x7f]));
      await client.untilEnded();
      const other = await join("n2");
      other.socket.write(publishPacket("t1/edge/n2/e", Buffer.alloc(1000)));
      await waitFor(() => other.received.length >= 4, "PUBACK");
      other.socket.write(publishPacket("t1/edge/n2/e", Buffer.alloc(1300)));
      await other.untilEnded();
      const greedy = await join("n3");
      greedy.socket.write(
        subscribePacket(Array.from({ length: 500 }, (_, i) => `t1/edge/n3/${i}/${"x".repeat(20)}`)),
      );
      await greedy.untilEnded();
      expect(refused()).toMatchObject({ oversized: 3 });
      await alive();
    });

    it.each([
      ["type 0", Buffer.from([0x00, 0x00])],
      ["type 15", Buffer.from([0xf0, 0x00])],
      ["a length of five bytes", Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01])],
      ["PUBLISH before CONNECT", publishPacket("t1/edge/n1/e", "x")],
      ["SUBSCRIBE before CONNECT", subscribePacket(["t1/edge/n1/x"])],
      ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
      ["TLS on the plain port", Buffer.from("16030100f8010000f40303", "hex")],
      ["MQTT 5", packet(0x10, str("MQTT"), [5, 2, 0, 60, 0], str("n1"))],
      ["another protocol", packet(0x10, str("XMPP"), [4, 2, 0, 60], str("n1"))],
      ["a CONNECT cut off in itself", packet(0x10, str("MQTT"), [4, 0xc6, 0, 60], str("n1"))],
      ["a client id longer than its packet", packet(0x10, str("MQTT"), [4, 2, 0, 60, 0xff, 0xff, 0x61])],
    ])("nonsense before CONNECT ends the connection: %s", async (_, bytesSent) => {
      await start({}, { patience: { connectMs: 300, packetMs: 300 } });
      const client = await RawClient.open(broker.port);
      clients.push(client);
      client.socket.write(bytesSent);
      await client.untilEnded();
      await alive();
    });

    it.each([
      ["CONNECT again", packet(0x10, str("MQTT"), [4, 2, 0, 60], str("n2"))],
      ["PUBLISH without a topic", packet(0x32, str(""), [0, 1])],
      ["PUBLISH with QoS 3", packet(0x36, str("t1/edge/n1/e"), [0, 1])],
      ["PUBLISH with QoS 2", publishPacket("t1/edge/n1/e", "x", 2)],
      ["PUBLISH without its number", packet(0x32, str("t1/edge/n1/e"))],
      ["PUBLISH with a topic longer than itself", packet(0x30, [0xff, 0xff, 0x74])],
      ["SUBSCRIBE to nothing", packet(0x82, [0, 1])],
      ["SUBSCRIBE with wrong flags", packet(0x80, [0, 1], str("t1/edge/n1/x"), [1])],
      ["SUBSCRIBE with QoS 7", packet(0x82, [0, 1], str("t1/edge/n1/x"), [7])],
      ["SUBSCRIBE cut off", packet(0x82, [0, 1], [0, 50, 0x74])],
      ["a CONNACK", packet(0x20, [0, 0])],
      ["bytes that are not UTF-8", packet(0x30, [0, 4, 0xff, 0xfe, 0xc0, 0x80])],
    ])("nonsense after CONNECT ends the connection: %s", async (_, bytesSent) => {
      await start();
      const client = await join("n1");
      client.socket.write(bytesSent);
      await client.untilEnded();
      await alive();
    });

    it("random bytes end connections and nothing else", async () => {
      await start({}, { patience: { connectMs: 200, packetMs: 200 } });
      let seed = 1;
      const random = (): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 8;
      for (let i = 0; i < 60; i++) {
        const client = i % 2 === 0 ? await RawClient.open(broker.port) : await join(`n${i}`);
        clients.push(client);
        const length = 1 + (random() % 200);
        const content = Buffer.from(Array.from({ length }, () => random() & 255));
        // Plausible heads lead deeper into the parser.
        const head = [0x10, 0x30, 0x32, 0x34, 0x40, 0x50, 0x62, 0x82, 0xa2, 0xc0, 0xe0][random() % 11] ?? 0;
        client.socket.write(packet(head, content));
        client.socket.write(content);
      }
      await waitFor(() => clients.every((client) => client.ended), "the end of all", 5000);
      await alive();
    });

    it("acknowledging what was never sent harms nobody", async () => {
      await start();
      const client = await join("n1");
      for (let i = 0; i < 200; i++) client.socket.write(packet(0x40, [i, i]));
      client.socket.write(packet(0x40));
      expect(await client.subscribe(["t1/edge/n1/x"])).toEqual([1]);
      await alive();
    });
  });

  describe("time and room", () => {
    it("who says nothing, or a packet byte by byte, is cut off", async () => {
      await start({}, { patience: { connectMs: 150, packetMs: 250 } });
      const silent = await RawClient.open(broker.port);
      const slow = await join("n1", { keepalive: 0 });
      clients.push(silent);
      const rest = publishPacket("t1/edge/n1/e", Buffer.alloc(500));
      let at = 0;
      const drip = setInterval(() => slow.socket.write(rest.subarray(at, ++at)), 20);
      await silent.untilEnded();
      await slow.untilEnded();
      clearInterval(drip);
      expect(refused()).toEqual({ timeout: 2 });
      await alive();
    });

    it("connections have a limit; those that are in stay", async () => {
      await start({ quotas: { connections: 3 } });
      const inside = [await join("n1"), await join("n2"), await join("n3")];
      for (let i = 0; i < 5; i++) {
        const late = await RawClient.open(broker.port);
        clients.push(late);
        await late.untilEnded();
      }
      expect(inside.map((client) => client.ended)).toEqual([false, false, false]);
      expect(refused()).toEqual({ connections: 5 });
      inside[0]?.close();
      await waitFor(() => broker.status().connections === 2, "room");
      await join("n4");
    });

    it("a flood is slowed down, not lost, and others are served meanwhile", async () => {
      await start({ quotas: { messagesPerSecond: 500, burst: 100 } });
      const server = broker.connect();
      const heard = gather(server);
      await server.subscribe(["t1/edge/+/e"]);
      const flooder = await join("n1");
      const begin = performance.now();
      for (let i = 0; i < 200; i++) flooder.socket.write(publishPacket("t1/edge/n1/e", `f${i}`));
      // What was read at once was taken at once; the debt is paid before the next is read.
      await heard.until(200);
      for (let i = 200; i < 400; i++) flooder.socket.write(publishPacket("t1/edge/n1/e", `f${i}`));
      const other = await join("n2");
      other.socket.write(publishPacket("t1/edge/n2/e", "other"));
      await waitFor(() => heard.messages.includes("t1/edge/n2/e other"), "the other's message");
      await heard.until(401);
      expect(performance.now() - begin).toBeGreaterThan(180);
      const order = heard.messages.filter((line) => line.startsWith("t1/edge/n1/e"));
      expect(order).toEqual(Array.from({ length: 400 }, (_, i) => `t1/edge/n1/e f${i}`));
      expect(flooder.ended).toBe(false);
    });

    it("a client that acknowledges nothing gets so many messages, a queue, and then its end", async () => {
      await start({ quotas: { inFlight: 5, queue: 10 } });
      const lazy = await join("n1");
      await lazy.subscribe(["t1/edge/n1/x"]);
      const server = broker.connect();
      const publish = (i: number): Promise<void> => server.publish("t1/edge/n1/x", bytes(`m${i}.`));
      for (let i = 0; i < 5; i++) await publish(i);
      const held = [5, 6, 7].map(publish);
      await waitFor(() => lazy.received.includes("m4."), "the fifth message");
      expect(lazy.received.includes("m5.")).toBe(false);
      expect(broker.status().clients[0]?.inFlight).toBe(5);
      // One acknowledgement lets one through.
      const first = lazy.received.subarray(0, 18);
      lazy.socket.write(packet(0x40, [...first.subarray(2 + 2 + 12, 2 + 2 + 14)]));
      await held[0];
      await waitFor(() => lazy.received.includes("m5."), "the sixth message");
      for (let i = 8; i < 20; i++) held.push(publish(i));
      await lazy.untilEnded();
      // Nobody who published waits for ever.
      await Promise.all(held);
      expect(refused()).toMatchObject({ slow: 1 });
      await alive();
    });

    it("the queue of a client that is away has a limit", async () => {
      await start({ quotas: { queue: 3 } });
      const first = await join("n1", { clean: false });
      await first.subscribe(["t1/edge/n1/x"]);
      first.close();
      await waitFor(() => broker.status().clients.length === 0, "the client to be gone");
      const server = broker.connect();
      for (let i = 0; i < 6; i++) await server.publish("t1/edge/n1/x", bytes(`m${i}.`));
      const second = await join("n1", { clean: false });
      await waitFor(() => second.received.includes("m2."), "the queue");
      expect(second.received.includes("m3.")).toBe(false);
      expect(refused()).toEqual({ queue: 3 });
    });
  });

  it("listens to the network with TLS or not at all", async () => {
    await start();
    await expect(startTestBroker({ host: "0.0.0.0" })).rejects.toMatchObject({
      code: "TMC6101",
      fix: expect.stringContaining("tls: {}") as string,
    });
    await expect(startTestBroker({ host: "192.0.2.1", tls: { port: 0 } })).rejects.toMatchObject({
      code: "TMC6103",
    });
    await expect(startTestBroker({ port: broker.port })).rejects.toMatchObject({ code: "TMC6102" });
  });
});
