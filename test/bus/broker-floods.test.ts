/** Attacks on the broker: silence, floods, clients that acknowledge nothing or never come back. */
import { describe, expect, it } from "vitest";
import { AttackedBroker, someKnown } from "./attacked-broker.js";
import { bytes, gather, waitFor } from "./connection-contract.js";
import { connectPacket, packet, publishPacket, RawClient } from "./raw-client.js";

const attack = AttackedBroker.forEachTest();
const { start, open, join, codeOf, refused, alive, clients } = attack;

describe("time and room", () => {
  it("who says nothing, or a packet byte by byte, is cut off", async () => {
    await start({}, { patience: { connectMs: 150, packetMs: 250 } });
    const silent = await RawClient.open(attack.broker.port);
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
      const late = await RawClient.open(attack.broker.port);
      clients.push(late);
      await late.untilEnded();
    }
    expect(inside.map((client) => client.ended)).toEqual([false, false, false]);
    expect(refused()).toEqual({ connections: 5 });
    inside[0]?.close();
    await waitFor(() => attack.broker.status().connections === 2, "room");
    await join("n4");
  });

  it("a flood is slowed down, not lost, and others are served meanwhile", async () => {
    await start({ quotas: { messagesPerSecond: 500, burst: 100 } });
    const server = attack.broker.connect();
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
    const server = attack.broker.connect();
    const publish = (i: number): Promise<void> => server.publish("t1/edge/n1/x", bytes(`m${i}.`));
    for (let i = 0; i < 5; i++) await publish(i);
    const held = [5, 6, 7].map(publish);
    await waitFor(() => lazy.received.includes("m4."), "the fifth message");
    expect(lazy.received.includes("m5.")).toBe(false);
    expect(attack.broker.status().clients[0]?.inFlight).toBe(5);
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
    await waitFor(() => attack.broker.status().clients.length === 0, "the client to be gone");
    const server = attack.broker.connect();
    for (let i = 0; i < 6; i++) await server.publish("t1/edge/n1/x", bytes(`m${i}.`));
    const second = await join("n1", { clean: false });
    await waitFor(() => second.received.includes("m2."), "the queue");
    expect(second.received.includes("m3.")).toBe(false);
    expect(refused()).toEqual({ queue: 3 });
  });
});

describe("many sockets of one address", () => {
  const many = <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: count }, (_, i) => make(i)));
  /** Another address of loopback for those who behave. */
  async function joinFrom(address: string, id: string): Promise<RawClient> {
    const client = await RawClient.open(attack.broker.port, address);
    clients.push(client);
    expect(await client.handshake(id)).toBe(0);
    return client;
  }

  it("that connect and say nothing: so many are held, and others get in", async () => {
    await start({ quotas: { perAddress: { halfOpen: 20 } } });
    const inside = await join("n1");
    const silent = await many(200, () => open());
    await waitFor(() => silent.filter((client) => client.ended).length === 180, "the end of those above");
    expect(refused()).toEqual({ "half-open": 180 });
    expect(attack.broker.status().halfOpen).toBe(20);
    await joinFrom("127.0.0.2", "n2");
    expect(inside.ended).toBe(false);
    for (const client of silent) client.close();
    await waitFor(() => attack.broker.status().halfOpen === 0, "room");
    await alive();
  });

  it("that come and go: so many at once, and others get in", async () => {
    await start({ quotas: { perAddress: { connectionsPerSecond: 0.001, burst: 30 } } });
    const inside = await join("n1");
    const hostile = await many(100, (i) => codeOf(`h${i}`));
    expect(hostile.filter((code) => code === 0).length).toBe(29);
    expect(refused()).toEqual({ address: 71 });
    await joinFrom("127.0.0.2", "n2");
    expect(inside.ended).toBe(false);
  });

  it("that guess passwords of ever new ids: soon they are not even heard", async () => {
    await start({ quotas: { perAddress: { connectionsPerSecond: 0.001, burst: 100 } } });
    const inside = await join("known");
    for (let i = 0; i < 40; i++) await codeOf(`id${i}`, { username: `id${i}`, password: "guess" });
    const counts = refused();
    // 5 are free; 2, 4, 8, 16, then 25 each of what the burst leaves.
    expect(counts["credentials"]).toBeLessThan(12);
    expect((counts["credentials"] ?? 0) + (counts["address"] ?? 0)).toBe(40);
    await joinFrom("127.0.0.2", "n2");
    expect(inside.ended).toBe(false);
  });

  it("that send more than a CONNECT before they are known", async () => {
    let verified = (): void => undefined;
    const slow = {
      ...someKnown,
      verifyPassword: () => new Promise<boolean>((resolve) => (verified = () => resolve(true))),
    };
    await start({}, { identities: slow });
    const eager = await open();
    eager.socket.write(
      Buffer.concat([
        connectPacket("known", { username: "known", password: "known" }),
        ...Array.from({ length: 30 }, () => publishPacket("t1/edge/known/e", Buffer.alloc(1000))),
      ]),
    );
    await eager.untilEnded();
    verified();
    expect(refused()).toEqual({ oversized: 1 });
    // Something may come at once: MQTT allows it.
    const quick = await open();
    quick.socket.write(Buffer.concat([connectPacket("n1"), publishPacket("t1/edge/n1/e", "x")]));
    await waitFor(() => quick.received.length === 8, "CONNACK and PUBACK");
  });
});
