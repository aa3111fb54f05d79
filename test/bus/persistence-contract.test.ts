/** aedes' own tests of a persistence, on ours; without what it refuses by intention. */
import assert from "node:assert";
import { createRequire } from "node:module";
import { it } from "vitest";
import type { StoredPacket } from "../../host/node/broker/kept-state.js";
import { Refusals } from "../../host/node/broker/refusals.js";
import { SessionMemory } from "../../host/node/broker/session-memory.js";
import { silentLog } from "../support/test-broker.js";

interface Context {
  readonly assert: Pick<typeof assert, "equal" | "notEqual" | "deepEqual" | "rejects" | "ok">;
  plan(count: number): void;
  diagnostic(text: string): void;
}
interface Suite {
  readonly test: (name: string, run: (context: Context) => Promise<void>) => void;
  readonly persistence: () => SessionMemory;
  readonly testAsync: boolean;
}

const left: ReadonlySet<string> = new Set([
  // MQTT 5.
  "store and look up a subscription with an MQTT 5.0 subscription identifier",
  // A client with two filters that match gets a message once.
  "store and look up subscriptions by topic",
  "replace subscriptions",
  // Payloads are bytes.
  "add outgoing packet as a string and pump",
  "add outgoing packet as a string and stream",
  // Of another broker: this one is alone.
  "update to publish w/ same messageId",
  "stream all will messages",
  "stream all will message for unknown brokers",
  // QoS 2.
  "update to pubrel",
  "add incoming packet, get it, and clear with messageId",
  "clean incoming packets",
]);

const unlimited = {
  retained: 1e6,
  retainedBytes: 1e9,
  sessions: 1e6,
  queue: 1e6,
  queueBytes: 1e9,
  allQueueBytes: 1e9,
};

/** Known to its broker, and with a session for everybody, as the tests have it. */
class Subject extends SessionMemory {
  broker: { id: string; counter: number } | undefined;

  override async setup(broker: { id: string; counter: number }): Promise<void> {
    this.broker = broker;
    await super.setup(broker);
  }

  override async outgoingEnqueue(subscription: { clientId: string }, packet: StoredPacket): Promise<void> {
    await this.addSubscriptions({ id: subscription.clientId }, []);
    await super.outgoingEnqueue(subscription, packet);
  }

  override async outgoingEnqueueCombi(
    subscriptions: readonly { clientId: string }[],
    packet: StoredPacket,
  ): Promise<void> {
    for (const { clientId } of subscriptions) await this.addSubscriptions({ id: clientId }, []);
    await super.outgoingEnqueueCombi(subscriptions, packet);
  }
}

/** Without the options of MQTT 5 and what is undefined. Our queues mark what was sent before (dup), as MQTT asks. */
function plain(thing: unknown): unknown {
  if (thing instanceof Uint8Array) return Buffer.from(thing).toString("hex");
  if (Array.isArray(thing)) return thing.map(plain);
  if (typeof thing !== "object" || thing === null) return thing;
  const entries = Object.entries(thing)
    .filter(([key, value]) => value !== undefined && !["rh", "rap", "nl", "dup"].includes(key))
    .map(([key, value]) => [key, plain(value)] as const);
  return Object.fromEntries(entries);
}

const abstract = createRequire(import.meta.url)("aedes-persistence/abstract.js") as (suite: Suite) => void;

abstract({
  test(name, run) {
    if (left.has(name)) return;
    it(name, () =>
      run({
        assert: { ...assert, deepEqual: (a: unknown, b: unknown) => assert.deepEqual(plain(a), plain(b)) },
        plan: () => undefined,
        diagnostic: () => undefined,
      }),
    );
  },
  persistence: () => new Subject(unlimited, new Refusals(silentLog().log), () => true),
  testAsync: true,
});
