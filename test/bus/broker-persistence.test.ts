/** What the embedded broker keeps in its folder: over restarts, ends without a word, quotas, and a disk that fails. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Broker, BrokerOptions } from "../../host/node/broker/broker.js";
import { noIdentities } from "../../host/node/broker/identities.js";
import { startTestBroker } from "../support/test-broker.js";
import { bytes, gather, waitFor } from "./connection-contract.js";
import { packet, publishPacket, RawClient, type ConnectFields } from "./raw-client.js";

const withOperator = {
  ...noIdentities,
  roleOf: (id: string) => (id === "op" ? ("operator" as const) : undefined),
  verifyPassword: (id: string, password: string) => Promise.resolve(password === id + id),
};
const asOperator = { clean: false, username: "op", password: "opop" };

let folder = "";
let own = "";
let copies = 0;
const brokers: Broker[] = [];
const clients: RawClient[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-kept-"));
  own = join(folder, "bus");
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const broker of brokers.splice(0)) await broker.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(
  place: string,
  config: object = {},
  options: Partial<BrokerOptions> = {},
): Promise<Broker> {
  const broker = await startTestBroker(config, { folder: place, ...options });
  brokers.push(broker);
  return broker;
}
async function enter(broker: Broker, id: string, fields?: ConnectFields): Promise<RawClient> {
  const client = await RawClient.connect(broker.port ?? 0, id, fields);
  clients.push(client);
  return client;
}
async function leave(broker: Broker, client: RawClient): Promise<void> {
  const { length } = broker.status().clients;
  client.close();
  await waitFor(() => broker.status().clients.length < length, "the client to be gone");
}
/** What `kill -9` of a broker would leave at this moment. */
function crash(place = own): string {
  const copy = join(folder, `crash-${copies++}`);
  mkdirSync(copy);
  copyFileSync(join(place, "journal"), join(copy, "journal"));
  return copy;
}
const texts = (client: RawClient, topic: string): string[] => client.messages(topic).map(({ text }) => text);

describe("what the broker keeps", () => {
  it("retained messages: the last of each topic, over a stop and over a crash", async () => {
    const first = await start(own);
    const node = await enter(first, "n1");
    await node.publish("t1/edge/n1/b", "birth", 1, true);
    await node.publish("t1/edge/n1/s", "old", 2, true);
    await node.publish("t1/edge/n1/s", "state", 3, true);
    await first.connect().publish("t1/edge/n2/x", bytes("of the server"), { retain: true });
    const check = async (broker: Broker): Promise<void> => {
      expect(broker.status().retained).toBe(3);
      const server = broker.connect();
      const heard = gather(server);
      await server.subscribe(["t1/edge/+/b", "t1/edge/+/s"]);
      expect((await heard.until(2)).sort()).toEqual(["t1/edge/n1/b birth", "t1/edge/n1/s state"]);
    };
    await check(await start(crash()));
    await first.close();
    const second = await start(own);
    await check(second);
    await (await enter(second, "n1")).publish("t1/edge/n1/b", "", 1, true);
    expect((await start(crash())).status().retained).toBe(2);
  });

  it("sessions: filters and what came for who was away, in order; what was acknowledged never again", async () => {
    const first = await start(own);
    const node = await enter(first, "n1", { clean: false });
    expect(await node.subscribe(["t1/edge/n1/x", "t1/edge/n1/c"])).toEqual([1, 1]);
    await leave(first, node);
    const server = first.connect();
    for (let i = 0; i < 5; i++) await server.publish("t1/edge/n1/x", bytes(`m${i}`));

    const place = crash();
    const second = await start(place);
    const again = await enter(second, "n1", { clean: false });
    await waitFor(() => texts(again, "t1/edge/n1/x").length === 5, "the queue");
    const got = again.messages("t1/edge/n1/x");
    expect(got.map(({ text, dup }) => [text, dup])).toEqual([0, 1, 2, 3, 4].map((i) => [`m${i}`, false]));
    // Its subscriptions hold without another SUBSCRIBE.
    await second.connect().publish("t1/edge/n1/c", bytes("live"));
    await waitFor(() => texts(again, "t1/edge/n1/c").length === 1, "what comes now");
    await again.acknowledge([...got.slice(0, 3), ...again.messages("t1/edge/n1/c")].map(({ id }) => id));
    // Behind the acknowledgements in the file.
    await second.connect().publish("t1/edge/n9/b", bytes("settled"), { retain: true });

    const third = await start(crash(place));
    const last = await enter(third, "n1", { clean: false });
    await waitFor(() => last.messages().length === 2, "the rest");
    // The same numbers, marked as repeated.
    expect(last.messages()).toEqual(got.slice(3).map((each) => ({ ...each, dup: true })));
    await third.connect().publish("t1/edge/n1/c", bytes("new"));
    await waitFor(() => last.messages().length === 3, "a new one");
    const [, , fresh] = last.messages();
    expect(fresh?.text).toBe("new");
    // Never the number of one that waits for its acknowledgement.
    expect(got.slice(3).map(({ id }) => id)).not.toContain(fresh?.id);
  });

  it("nothing of a session that ended, and no filter that was taken back", async () => {
    const first = await start(own);
    const node = await enter(first, "n1", { clean: false });
    await node.subscribe(["t1/edge/n1/x", "t1/edge/n1/c"]);
    const filter = Buffer.from("t1/edge/n1/x");
    node.socket.write(packet(0xa2, [0, 9], [0, filter.length], filter));
    await waitFor(() => node.received.includes(Buffer.from([0xb0, 2, 0, 9])), "UNSUBACK");

    const place = crash();
    const second = await start(place);
    const server = second.connect();
    await server.publish("t1/edge/n1/x", bytes("unheard"));
    await server.publish("t1/edge/n1/c", bytes("heard"));
    const again = await enter(second, "n1", { clean: false });
    await waitFor(() => again.messages().length === 1, "the message");
    expect(again.messages()[0]?.text).toBe("heard");
    await leave(second, again);
    // A clean session ends the old one.
    await leave(second, await enter(second, "n1"));

    const third = await start(crash(place));
    await third.connect().publish("t1/edge/n1/c", bytes("for nobody"));
    const fresh = await enter(third, "n1", { clean: false });
    expect(await fresh.subscribe(["t1/edge/n1/c"])).toEqual([1]);
    await third.connect().publish("t1/edge/n1/c", bytes("for the new one"));
    await waitFor(() => fresh.messages().length > 0, "a message");
    expect(texts(fresh, "t1/edge/n1/c")).toEqual(["for the new one"]);
  });

  it("wills of who was connected when the broker ended without a word: published at its next start", async () => {
    const first = await start(own, {}, { identities: withOperator });
    const watcher = await enter(first, "op", asOperator);
    expect(await watcher.subscribe(["t1/edge/+/s"])).toEqual([1]);
    await leave(first, watcher);
    await enter(first, "n1", { will: { topic: "t1/edge/n1/s", payload: "gone" } });
    const good = await enter(first, "n2", { will: { topic: "t1/edge/n2/s", payload: "never" } });
    good.socket.write(packet(0xe0));
    await waitFor(() => first.status().clients.length === 1, "the end of n2");
    await first.connect().publish("t1/edge/n9/b", bytes("settled"), { retain: true });
    const place = crash();
    const second = await start(place, {}, { identities: withOperator });
    const again = await enter(second, "op", asOperator);
    await waitFor(() => again.messages().length === 1, "the will");
    expect(again.messages()).toMatchObject([{ topic: "t1/edge/n1/s", text: "gone" }]);
    // Once.
    await again.acknowledge(again.messages().map(({ id }) => id));
    await second.connect().publish("t1/edge/n9/b", bytes("settled again"), { retain: true });
    const third = await start(crash(place), {}, { identities: withOperator });
    const last = await enter(third, "op", asOperator);
    await third.connect().publish("t1/edge/n3/s", bytes("end"));
    await waitFor(() => texts(last, "t1/edge/n3/s").length === 1, "the end");
    expect(last.messages().length).toBe(1);
  });

  it("nothing of those who are not enrolled (any more)", async () => {
    const first = await start(own, {}, { identities: withOperator });
    const known = await enter(first, "op", asOperator);
    await known.subscribe(["t1/edge/+/s"]);
    await known.publish("t1/edge/op/s", "mine", 1, true);
    await (await enter(first, "n1")).publish("t1/edge/n1/s", "anybody's", 2, true);
    const after = async (anonymous: boolean, identities = noIdentities): Promise<number> =>
      (await start(crash(), { anonymous }, { identities })).status().retained;
    expect(await after(true)).toBe(2);
    expect(await after(false, withOperator)).toBe(1);
    expect(await after(false)).toBe(0);
  });

  it("no more than its quotas: messages, bytes of all queues, retained bytes", async () => {
    const config = { quotas: { queue: 3, queueBytes: 1000, retainedBytes: 500 } };
    const first = await start(own, config);
    for (const id of ["n1", "n2"]) {
      const node = await enter(first, id, { clean: false });
      await node.subscribe([`t1/edge/${id}/x`]);
      await leave(first, node);
    }
    const server = first.connect();
    for (let i = 0; i < 5; i++) await server.publish("t1/edge/n1/x", bytes(`${i}`.repeat(200)));
    for (let i = 0; i < 5; i++) await server.publish("t1/edge/n2/x", bytes(`${i}`.repeat(300)));
    expect(first.status().refused.queue).toBe(2 + 4);
    const node = await enter(first, "n3");
    await node.publish("t1/edge/n3/b", "x".repeat(100), 1, true);
    node.socket.write(publishPacket("t1/edge/n3/s", "x".repeat(450), 1, true));
    await node.untilEnded();
    expect(first.status().refused.retain).toBe(1);
    const again = await enter(await start(crash(), config), "n1", { clean: false });
    await waitFor(() => again.messages().length === 3, "the queue");
    expect(again.messages().map(({ text }) => text[0])).toEqual(["0", "1", "2"]);
  });

  it("what cannot be kept is not acknowledged, what need not be goes on, and all is kept when the disk is back", async () => {
    // An end that was cut off: the file is written anew first, in its folder, which is not there.
    mkdirSync(own);
    writeFileSync(join(own, "journal"), "tmc bus 1\nTmcR");
    const broker = await start(own);
    renameSync(own, join(folder, "away"));
    const node = await enter(broker, "n1");
    node.socket.write(publishPacket("t1/edge/n1/s", "kept?", 1, true));
    await node.untilEnded();
    expect(node.received.length).toBe(0);
    expect(broker.status().refused.storage).toBe(1);
    await expect(broker.connect().publish("t1/edge/n3/b", bytes("x"), { retain: true })).rejects.toThrow();
    const other = await enter(broker, "n2");
    await other.publish("t1/edge/n2/e", "live", 5);
    renameSync(join(folder, "away"), own);
    await other.publish("t1/edge/n2/s", "kept", 6, true);
    expect((await start(crash())).status().retained).toBe(3);
  });

  it("a file that is none is an error with its fix, and stays", async () => {
    mkdirSync(own);
    writeFileSync(join(own, "journal"), "nonsense");
    await expect(start(own)).rejects.toMatchObject({ code: "TMC6110" });
    expect(readFileSync(join(own, "journal"), "utf8")).toBe("nonsense");
  });

  it("what was acknowledged at any moment, for who was away and for who was there", async () => {
    const broker = await start(own);
    const away = await enter(broker, "n1", { clean: false });
    await away.subscribe(["t1/edge/n1/x"]);
    await leave(broker, away);
    // Takes what comes and acknowledges nothing.
    const present = await enter(broker, "n2", { clean: false });
    await present.subscribe(["t1/edge/n2/c"]);
    const server = broker.connect();
    const acknowledged = { n1: 0, n2: 0 };
    const crashes: { place: string; n1: number; n2: number }[] = [];
    const load = async (id: "n1" | "n2", publish: (i: number) => Promise<void>): Promise<void> => {
      for (let i = 1; i <= 40; i++) {
        await publish(i);
        acknowledged[id] = i;
        if (i % 10 === 0) crashes.push({ place: crash(), ...acknowledged });
      }
    };
    await Promise.all([
      load("n1", (i) => server.publish("t1/edge/n1/x", bytes(`${i}`))),
      load("n2", (i) => present.publish("t1/edge/n2/c", `${i}`, i)),
    ]);
    expect(crashes.length).toBe(8);
    for (const found of crashes) {
      const after = await start(found.place);
      for (const [id, topic] of [
        ["n1", "t1/edge/n1/x"],
        ["n2", "t1/edge/n2/c"],
      ] as const) {
        const again = await enter(after, id, { clean: false });
        await waitFor(() => again.messages().length >= found[id], `what ${id} is owed`);
        const expected = Array.from({ length: found[id] }, (_, i) => `${i + 1}`);
        expect(texts(again, topic).slice(0, found[id])).toEqual(expected);
      }
    }
  });
});
