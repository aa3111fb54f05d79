/** Attacks on the broker: packets that are too large, wrong, or random bytes. */
import { describe, expect, it } from "vitest";
import { AttackedBroker } from "./attacked-broker.js";
import { waitFor } from "./connection-contract.js";
import { packet, publishPacket, RawClient, str, subscribePacket } from "./raw-client.js";

const attack = AttackedBroker.forEachTest();
const { start, join, refused, alive, clients } = attack;

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
    const client = await RawClient.open(attack.broker.port);
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
      const client = i % 2 === 0 ? await RawClient.open(attack.broker.port) : await join(`n${i}`);
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
