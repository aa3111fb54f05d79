/** What every BusConnection does, as tests; run on each of them, and on each broker. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BusConnection } from "../../host/bus/connection.js";

export interface ContractSetup {
  /** Two connections to one empty bus: that of the server "edge", and one that may use the topics of node "n1". */
  readonly server: BusConnection;
  readonly node: BusConnection;
  readonly stop: () => Promise<void>;
}

export const text = (payload: Uint8Array): string => Buffer.from(payload).toString("utf8");
export const bytes = (content: string): Uint8Array => Buffer.from(content);

/** Gathers messages as "topic payload". */
export function gather(connection: BusConnection): {
  readonly messages: string[];
  until(count: number, timeoutMs?: number): Promise<string[]>;
} {
  const messages: string[] = [];
  connection.onMessage((topic, payload) => messages.push(`${topic} ${text(payload)}`));
  return {
    messages,
    async until(count, timeoutMs = 3000) {
      await waitFor(
        () => messages.length >= count,
        `${count} messages`,
        timeoutMs,
        () => messages.join("\n"),
      );
      return messages;
    },
  };
}

export async function waitFor(
  check: () => boolean,
  what: string,
  timeoutMs = 3000,
  more: () => string = () => "",
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!check()) {
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms ${more()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** @param options.retained the broker keeps retained messages */
export function describeConnection(
  name: string,
  setup: () => Promise<ContractSetup>,
  options: { readonly retained: boolean } = { retained: true },
): void {
  describe(name, () => {
    let bus: ContractSetup;
    beforeEach(async () => {
      bus = await setup();
    });
    afterEach(async () => {
      await bus.stop();
    });

    it("delivers in both directions, in order, once", async () => {
      const atServer = gather(bus.server);
      const atNode = gather(bus.node);
      await bus.server.subscribe(["t1/edge/q/+", "t1/edge/+/y"]);
      await bus.node.subscribe(["t1/edge/n1/x", "t1/edge/n1/r"]);
      const expected = Array.from({ length: 200 }, (_, i) => `t1/edge/q/n1 ${i}`);
      await Promise.all(expected.map((_, i) => bus.node.publish("t1/edge/q/n1", bytes(String(i)))));
      expect(await atServer.until(200)).toEqual(expected);
      await Promise.all(expected.map((_, i) => bus.server.publish("t1/edge/n1/x", bytes(String(i)))));
      expect(await atNode.until(200)).toEqual(expected.map((line) => line.replace("q/n1", "n1/x")));
    });

    it("keeps bytes, empty and large payloads", async () => {
      const received: Uint8Array[] = [];
      bus.server.onMessage((_, payload) => received.push(payload));
      await bus.server.subscribe(["t1/edge/+/e"]);
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const large = new Uint8Array(100_000).fill(7);
      // A view into a larger buffer must not bring its neighbours along.
      await bus.node.publish("t1/edge/n1/e", all.subarray(10, 20));
      await bus.node.publish("t1/edge/n1/e", new Uint8Array(0));
      await bus.node.publish("t1/edge/n1/e", large);
      await waitFor(() => received.length === 3, "3 payloads");
      expect(received.map((payload) => payload.length)).toEqual([10, 0, 100_000]);
      expect([...(received[0] ?? [])]).toEqual([...all.subarray(10, 20)]);
      expect(Buffer.compare(received[2] ?? bytes(""), large)).toBe(0);
    });

    it("delivers QoS 0 and QoS 1 mixed", async () => {
      const atNode = gather(bus.node);
      await bus.node.subscribe(["t1/edge/n1/x"]);
      for (let i = 0; i < 50; i++) {
        void bus.server.publish("t1/edge/n1/x", bytes(String(i)), { qos: i % 2 === 0 ? 1 : 0 });
      }
      const messages = await atNode.until(50);
      expect(new Set(messages).size).toBe(50);
    });

    it.runIf(options.retained)(
      "keeps retained messages for who comes later, until they are cleared",
      async () => {
        await bus.node.publish("t1/edge/n1/b", bytes("birth"), { retain: true });
        await bus.node.publish("t1/edge/n1/s", bytes("state"), { retain: true });
        const atServer = gather(bus.server);
        await bus.server.subscribe(["t1/edge/+/b", "t1/edge/+/s"]);
        expect((await atServer.until(2)).sort()).toEqual(["t1/edge/n1/b birth", "t1/edge/n1/s state"]);
        await bus.server.unsubscribe(["t1/edge/+/b", "t1/edge/+/s"]);
        await bus.node.publish("t1/edge/n1/b", bytes(""), { retain: true });
        await bus.server.subscribe(["t1/edge/+/b", "t1/edge/+/s"]);
        await atServer.until(3);
        expect(atServer.messages.slice(2)).toEqual(["t1/edge/n1/s state"]);
      },
    );

    it("delivers nothing after unsubscribing", async () => {
      const atServer = gather(bus.server);
      await bus.server.subscribe(["t1/edge/+/e", "t1/edge/q/+"]);
      await bus.server.unsubscribe(["t1/edge/+/e"]);
      await bus.node.publish("t1/edge/n1/e", bytes("unheard"));
      await bus.node.publish("t1/edge/q/n1", bytes("heard"));
      expect(await atServer.until(1)).toEqual(["t1/edge/q/n1 heard"]);
    });

    it("is told about the own messages when it subscribes them, after publish has returned", async () => {
      const atServer = gather(bus.server);
      await bus.server.subscribe(["t1/edge/+/c"]);
      const sent = bus.server.publish("t1/edge/n1/c", bytes("to myself"));
      expect(atServer.messages).toEqual([]);
      await sent;
      expect(await atServer.until(1)).toEqual(["t1/edge/n1/c to myself"]);
    });

    it("refuses to publish after it was closed, and says that it is gone", async () => {
      const changes: boolean[] = [];
      bus.server.onConnectionChange((connected) => changes.push(connected));
      expect(bus.server.connected).toBe(true);
      await bus.server.close();
      await bus.server.close();
      expect(bus.server.connected).toBe(false);
      expect(changes).toEqual([false]);
      await expect(bus.server.publish("t1/edge/n1/x", bytes("late"))).rejects.toThrow("closed");
    });
  });
}
