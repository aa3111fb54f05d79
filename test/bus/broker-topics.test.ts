/** Attacks on the broker: topics, wills and retained messages of others. */
import { describe, expect, it } from "vitest";
import { AttackedBroker } from "./attacked-broker.js";
import { bytes, gather, waitFor } from "./connection-contract.js";
import { publishPacket } from "./raw-client.js";

const attack = AttackedBroker.forEachTest();
const { start, join, codeOf, refused, alive, clients } = attack;

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
    const server = attack.broker.connect();
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
    await attack.broker.connect().publish("t1/edge/n2/x", bytes("secret"));
    await attack.broker.connect().publish("t1/edge/n2/r", bytes("secret"));
    await attack.broker.connect().publish(`t1/edge/${id}/x`, bytes("mine"));
    await waitFor(() => client.received.includes("mine"), "the own message");
    expect(client.received.includes("secret")).toBe(false);
    expect(refused()).toEqual({ subscribe: 1 });
  });

  it("a refused filter gets into no session either", async () => {
    await start();
    const first = await join("n1", { clean: false });
    expect(await first.subscribe(["t1/edge/n1/x", "t1/edge/n2/x", "t1/#"])).toEqual([1, 128, 128]);
    first.close();
    await waitFor(() => attack.broker.status().clients.length === 0, "the client to be gone");
    await attack.broker.connect().publish("t1/edge/n2/x", bytes("secret"));
    await attack.broker.connect().publish("t1/edge/n1/x", bytes("mine"));
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
    const server = attack.broker.connect();
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
      await device.subscribe(["home/kitchen/#", "home/+/light", "#", "+/kitchen", "t1/edge/n2/x", "$SYS/#"]),
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
    expect(attack.broker.status().retained).toBe(0);
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
      await waitFor(() => attack.broker.status().connections === 0, "room");
    }
    expect(attack.broker.status().retained).toBe(6);
    expect(refused()["retain"]).toBe(2);
  });
});
