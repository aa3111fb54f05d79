/** Rules of what a node announces by itself: birth record, state, last will, boot counter, events. */
import { Wire, pause, uniqueId } from "./probe.js";
import { applies, both, minimal, must, mustSucceed, type Rule, type RuleContext } from "./rule.js";
import * as shape from "./shape.js";
import { encodeCbor, map, readMap, type CborMap, type Message } from "./wire.js";

/** Where the node announces itself: on its server's bus, or, a complete node, to its neighbour. */
function place(context: RuleContext): { readonly url: string; readonly server: string; readonly wire: Wire } {
  if (context.kind === "minimal") return context;
  applies(context.neighbour !== undefined, "a server announces itself to neighbours only, and has none here");
  const { url, id, wire } = context.neighbour;
  return { url, server: id, wire };
}

function topic(context: RuleContext, kind: string): string {
  return `t1/${place(context).server}/${context.node}/${kind}`;
}

function newest(context: RuleContext, kind: string, after = 0): Message | undefined {
  return place(context)
    .wire.messages.filter((m) => m.topic === topic(context, kind) && m.at > after)
    .at(-1);
}

/** What a client that comes late is given. */
export async function retained(context: RuleContext, kind: string, ms = 3_000): Promise<Message | undefined> {
  const late = await Wire.connect(place(context).url, uniqueId("late-"));
  try {
    must(await late.subscribe(topic(context, kind)), `the broker refuses ${topic(context, kind)}`);
    return await late.until(() => late.messages.find(({ retain }) => retain), ms);
  } finally {
    await late.close();
  }
}

function mapOf(message: Message | undefined, what: string): CborMap {
  must(message !== undefined, `no ${what}`);
  const found = readMap(message.payload);
  must(found !== undefined, `the ${what} is no CBOR map`);
  return found;
}

/**
 * Ends the node's session by taking its client id, as a dead connection would: the broker publishes the will and the node
 * comes back by itself. Gives the messages since then.
 */
async function takeOver(context: RuleContext): Promise<number> {
  const since = performance.now();
  const thief = await Wire.connect(place(context).url, context.node).catch(() => undefined);
  applies(thief !== undefined, "the broker does not let the kit take the node's client id");
  await thief.close();
  return since;
}

export const announceRules: readonly Rule[] = [
  {
    id: "birth.retained",
    kinds: both,
    clause: "Topics; Life of a node",
    text: "The birth record is on `b`, retained, QoS 1.",
    async check(context) {
      const message = await retained(context, "b");
      must(message !== undefined, "a client that comes late is given no birth record");
      must(message.qos === 1, `it has QoS ${message.qos}`);
    },
  },
  {
    id: "birth.schema",
    kinds: both,
    clause: "protocol.cddl: birth",
    text: "The birth record has its keys and types.",
    async check(context) {
      const bad = shape.birth(mapOf(await retained(context, "b"), "birth record"), "birth");
      must(bad.length === 0, bad.join("; "));
    },
  },
  {
    id: "birth.identity",
    kinds: both,
    clause: "Topics",
    text: "The birth record names the node of its topic, and its kind.",
    check(context) {
      const birth = context.birth();
      must(birth.get(1) === context.node, `it names ${String(birth.get(1))}`);
      const kind = context.kind === "minimal" ? 0 : 1;
      must(birth.get(3) === kind, `kind ${String(birth.get(3))}, expected ${kind}`);
      return Promise.resolve();
    },
  },
  {
    id: "birth.operations",
    kinds: both,
    clause: "Operations of the minimal node",
    text: "Every node offers node.describe and node.monitor; no operation stands twice.",
    check(context) {
      const operations = context.birth().get(8) as string[];
      for (const name of ["node.describe", "node.monitor"]) {
        must(operations.includes(name), `${name} is missing`);
      }
      must(new Set(operations).size === operations.length, "an operation stands twice");
      return Promise.resolve();
    },
  },
  {
    id: "birth.described",
    kinds: both,
    clause: "Operations of the minimal node",
    text: "node.describe answers with the birth record.",
    async check(context) {
      const selector = map({ 2: context.node });
      const { done } = await context.probe.ask({ operation: "node.describe", selector });
      mustSucceed(done, "node.describe");
      const bad = shape.birth(done.result, "result");
      must(bad.length === 0, bad.join("; "));
      must(done.result?.get(1) === context.node, "it names another node");
      // A server tells its neighbours what its nodes can do too.
      if (context.kind === "complete") return;
      const same = Buffer.from(encodeCbor(done.result)).equals(Buffer.from(encodeCbor(context.birth())));
      must(same, "the result differs from the record on `b`");
    },
  },
  {
    id: "state.retained",
    kinds: both,
    clause: "Topics; Life of a node",
    text: "The state is on `s`, retained, QoS 1, online, of the same boot as the birth record.",
    async check(context) {
      const message = await retained(context, "s");
      const state = mapOf(message, "state");
      must(message?.qos === 1, "it does not have QoS 1");
      const bad = shape.state(state, "state");
      must(bad.length === 0, bad.join("; "));
      must(state.get(1) === context.node, `it names ${String(state.get(1))}`);
      must(state.get(3) === true, "it says offline");
      must(state.get(2) === context.birth().get(2), "its boot counter is not that of the birth record");
    },
  },
  {
    id: "boot.rises",
    kinds: both,
    clause: "Life of a node, 4",
    text: "The boot counter rises with every start, and the last will carries that of its session.",
    async check(context) {
      applies(context.controls.restart !== undefined, "the kit did not start this node");
      const { wire } = place(context);
      const before = Number(context.birth().get(2));
      const since = performance.now();
      await context.controls.restart();
      const birth = await wire.until(() => newest(context, "b", since), 20_000);
      must(birth !== undefined, "no birth record after the restart");
      const after = Number(mapOf(birth, "birth record").get(2));
      must(after > before, `boot counter ${after} after ${before}`);
      const will = wire.messages.find(
        (m) => m.at > since && m.topic === topic(context, "s") && readMap(m.payload)?.get(3) === false,
      );
      must(will !== undefined, "no last will of the killed session");
      must(readMap(will.payload)?.get(2) === before, "the last will has another boot counter");
      await wire.until(() => {
        const state = newest(context, "s", since);
        return state !== undefined && readMap(state.payload)?.get(3) === true ? state : undefined;
      });
      await context.probe.settle("after its restart");
    },
  },
  {
    id: "will.published",
    kinds: both,
    clause: "Life of a node, 1 and 4",
    text: "The client id is the node's id, and the last will is exactly {version, node, boot, offline}, retained.",
    async check(context) {
      const since = await takeOver(context);
      const { wire } = place(context);
      const will = await wire.until(() =>
        wire.messages.find(
          (m) => m.at > since && m.topic === topic(context, "s") && readMap(m.payload)?.get(3) === false,
        ),
      );
      must(will !== undefined, "no will was published when the client id of the node was taken");
      const expected = encodeCbor(map({ 0: 1, 1: context.node, 2: context.birth().get(2), 3: false }));
      must(Buffer.from(will.payload).equals(Buffer.from(expected)), "the will has other content");
      // Retained: until the node is back, a late client would be told so.
      const back = await wire.until(() => {
        const state = newest(context, "s", since);
        return state !== undefined && readMap(state.payload)?.get(3) === true ? state : undefined;
      }, 15_000);
      must(back !== undefined, "the node did not come back within 15 s");
      await pause(100);
    },
  },
  {
    id: "connect.announces",
    kinds: both,
    clause: "Life of a node, 2",
    text: "After every connect the node subscribes, and publishes birth record and state again, in the same boot.",
    async check(context) {
      const before = context.birth();
      place(context);
      const since = await takeOver(context);
      const both = await place(context).wire.until(() => {
        const birth = newest(context, "b", since);
        const state = newest(context, "s", since);
        const online = state !== undefined && readMap(state.payload)?.get(3) === true;
        return birth !== undefined && online ? { birth, state } : undefined;
      }, 15_000);
      must(both !== undefined, "birth record and state did not come within 15 s of the loss of the session");
      must(mapOf(both.birth, "birth record").get(2) === before.get(2), "the boot counter changed");
      must(mapOf(both.state, "state").get(2) === before.get(2), "the state's boot counter changed");
      await context.probe.settle("after a new session");
    },
  },
  {
    id: "event.telemetry",
    kinds: minimal,
    clause: "Life of a node, 3",
    text: "With telemetry.interval the node publishes numbered events `telemetry` on `e`, QoS 1, not retained.",
    async check(context) {
      const { probe, wire } = context;
      const set = (seconds: number): Promise<unknown> =>
        probe.ask({
          operation: "node.configure",
          arguments: map({ 0: new Map([["telemetry.interval", seconds]]) }),
        });
      const { done } = await probe.ask({ operation: "node.configure" });
      const settings = done.result?.get(0);
      applies(
        settings instanceof Map && settings.has("telemetry.interval"),
        "the node has no setting telemetry.interval",
      );
      const before = Number((settings as CborMap).get("telemetry.interval"));
      const since = performance.now();
      await set(1);
      try {
        const events = await wire.until(() => {
          const found = wire.messages.filter((m) => m.at > since && m.topic === topic(context, "e"));
          return found.length >= 2 ? found : undefined;
        }, 6_000);
        must(events !== undefined, "no two events within 6 s");
        const maps = events.map((each) => mapOf(each, "event"));
        for (const [i, found] of maps.entries()) {
          const bad = [...shape.event(found, "event"), ...shape.monitor(found.get(5), "event.5")];
          must(bad.length === 0, bad.join("; "));
          must(found.get(1) === context.node, "it names another node");
          must(found.get(2) === context.birth().get(2), "it has another boot counter");
          must(found.get(4) === "telemetry", `its name is ${String(found.get(4))}`);
          must(events[i]?.qos === 1, "it is not QoS 1");
        }
        must((await retained(context, "e", 300)) === undefined, "events are retained");
        must(Number(maps[1]?.get(3)) === Number(maps[0]?.get(3)) + 1, "the numbers do not count up");
        await set(0);
        await pause(200);
        const silentSince = performance.now();
        await pause(1_500);
        must(newest(context, "e", silentSince) === undefined, "events come with the interval 0");
      } finally {
        await set(before);
      }
    },
  },
];
