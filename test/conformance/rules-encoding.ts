/** Rules of bytes: deterministic CBOR in both directions, and what becomes of payloads that are damaged or hostile. */
import { emptyPromises } from "../node/hostile-payloads.js";
import { countersOf, here } from "./abilities.js";
import type { Probe, Sent } from "./probe.js";
import { both, complete, minimal, must, mustSucceed, type Rule, type RuleContext } from "./rule.js";
import { encodeCbor, map, outcome, requestMap, type RequestFields } from "./wire.js";

/** Sends bytes that must not be taken for a request: dropped, or refused. Nothing may be accepted. */
async function mustNotAccept(
  context: RuleContext,
  payloads: readonly { readonly what: string; readonly sent: Sent | undefined }[],
): Promise<void> {
  await context.probe.settle(
    `after ${payloads
      .map(({ what }) => what)
      .join(", ")
      .slice(0, 80)}`,
  );
  for (const { what, sent } of payloads) {
    if (sent === undefined) continue;
    const answers = context.probe.answersTo(sent);
    must(!answers.some(({ stage }) => stage === 1), `${what}: it was accepted`);
    must(
      answers.every(({ error }) => error !== undefined),
      `${what}: ${outcome(answers[0])}`,
    );
    must(answers.length <= 1, `${what}: ${answers.length} answers`);
  }
}

/** The bytes of a request made by hand: `edit` gets its map's entries, encoded one by one. */
function handmade(
  probe: Probe,
  fields: RequestFields,
  edit: (entries: Uint8Array[]) => Uint8Array[],
  head = (count: number): number[] => [0xa0 | count],
): { payload: Uint8Array; identity: { id: number; boot: number; sender: string } } {
  const identity = probe.identify(fields);
  const entries = [...requestMap(identity)].map(([key, value]) =>
    Buffer.concat([encodeCbor(key), encodeCbor(value)]),
  );
  const edited = edit(entries);
  return { payload: Buffer.concat([Uint8Array.from(head(edited.length)), ...edited]), identity };
}

export const encodingRules: readonly Rule[] = [
  {
    id: "encoding.long-heads",
    kinds: both,
    clause: "Encoding",
    text: "A reader accepts any length of head and of float.",
    async check({ probe }) {
      const { payload, identity } = handmade(
        probe,
        { operation: "node.monitor" },
        (entries) => {
          // version: 1 in nine bytes; id stays; operation with a two-byte length.
          const name = Buffer.from("node.monitor");
          return entries.map((entry, i) => {
            if (i === 0) return Buffer.from([0x00, 0x1b, 0, 0, 0, 0, 0, 0, 0, 1]);
            return i === 4 ? Buffer.concat([Buffer.from([0x18, 4, 0x79, 0, name.length]), name]) : entry;
          });
        },
        (count) => [0xb9, 0, count],
      );
      const sent = await probe.sendBytes(identity, payload);
      mustSucceed((await probe.finish(sent)).done, "long heads");
    },
  },
  {
    id: "encoding.indefinite",
    kinds: both,
    clause: "Encoding",
    text: "Indefinite lengths are rejected.",
    async check(context) {
      const { probe } = context;
      const { payload, identity } = handmade(
        probe,
        { operation: "node.monitor" },
        (entries) => [...entries, Uint8Array.of(0xff)],
        () => [0xbf],
      );
      const inner = handmade(probe, { operation: "node.monitor" }, (entries) => [
        ...entries,
        Uint8Array.of(0x18, 30, 0x9f, 1, 0xff),
      ]);
      const sent = await probe.sendBytes(identity, payload);
      const sentInner = await probe.sendBytes(inner.identity, inner.payload);
      await mustNotAccept(context, [
        { what: "a map of indefinite length", sent },
        { what: "an array of indefinite length", sent: sentInner },
      ]);
    },
  },
  {
    id: "encoding.key-order",
    kinds: both,
    clause: "Encoding",
    text: "Envelopes whose keys do not ascend, or stand twice, are rejected.",
    async check(context) {
      const { probe } = context;
      const swapped = handmade(probe, { operation: "node.monitor", deadlineMs: 1000 }, (entries) => {
        const last = entries.pop() ?? Uint8Array.of();
        entries.splice(4, 0, last);
        return entries;
      });
      const twice = handmade(probe, { operation: "node.monitor", deadlineMs: 1000 }, (entries) => {
        const last = entries.at(-1) ?? Uint8Array.of();
        return [...entries, last];
      });
      await mustNotAccept(context, [
        { what: "keys out of order", sent: await probe.sendBytes(swapped.identity, swapped.payload) },
        { what: "a key twice", sent: await probe.sendBytes(twice.identity, twice.payload) },
      ]);
    },
  },
  {
    id: "encoding.trailing",
    kinds: both,
    clause: "Encoding",
    text: "Bytes after the item are rejected.",
    async check(context) {
      const { probe } = context;
      const { payload, identity } = handmade(probe, { operation: "node.monitor" }, (entries) => entries);
      const sent = await probe.sendBytes(identity, Buffer.concat([payload, Uint8Array.of(0)]));
      await mustNotAccept(context, [{ what: "a byte behind the request", sent }]);
    },
  },
  {
    id: "malformed.corpus",
    kinds: both,
    clause: "Requests and answers",
    text: "Whatever bytes arrive, the node drops or refuses them, and lives on.",
    async check(context) {
      // To a server: from a node of its own, as damage may hit the boot counter and so begin another life.
      const victim = context.kind === "complete" ? (await context.playNode("kit-damaged")).probe : undefined;
      const probe = victim ?? context.probe;
      // Damage may hit the number too: under a name of its own it can be none of a later request.
      const identified = probe.identify({
        operation: "node.monitor",
        sender: "kit-damaged",
        selector: here(context),
        descriptor: map({ 0: 6, 1: [1, 2], 5: 0.5 }),
        deadlineMs: 5_000,
      });
      const whole = encodeCbor(requestMap(identified));
      for (let length = 0; length < whole.length; length++) {
        await probe.sendRaw(whole.subarray(0, length));
      }
      for (const payload of emptyPromises()) await probe.sendRaw(payload);
      // Damage that cannot be seen may make a valid request: only life is asked for.
      for (let at = 0; at < whole.length; at++) {
        const damaged = Uint8Array.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ 0x55;
        await probe.sendRaw(damaged);
      }
      for (const item of [null, 1, "text", [], new Map([["text", 1]]), new Map([[-1, 1]]), 1.5, true]) {
        await probe.sendRaw(encodeCbor(item));
      }
      await context.probe.settle("after damaged requests");
      const truncated = probe.answersTo(identified).filter(({ stage }) => stage === 1);
      must(truncated.length <= 1, `${truncated.length} acknowledgements of damaged requests`);
    },
  },
  {
    id: "malformed.dropped",
    kinds: minimal,
    clause: "Requests and answers",
    text: "A request without version, id, boot counter or sender is dropped and counted as malformed.",
    async check(context) {
      const { probe, wire } = context;
      const before = Number((await countersOf(context)).get(2));
      const from = wire.messages.length;
      for (const key of [0, 1, 2, 3]) {
        const whole = requestMap(probe.identify({ operation: "node.describe" }));
        whole.delete(key);
        await probe.sendRaw(encodeCbor(whole));
      }
      const after = Number((await countersOf(context)).get(2));
      must(after - before === 4, `counted ${after - before} of 4`);
      const answers = wire.messages.slice(from).filter(({ topic }) => topic === probe.way.answers);
      must(answers.length === 2, `${answers.length - 2} answers to what nobody asked`);
    },
  },
  {
    id: "malformed.dropped-q",
    kinds: complete,
    clause: "Requests and answers",
    text: "A request without version, id or boot counter is dropped.",
    async check(context) {
      const { probe, wire } = context;
      await probe.settle();
      const from = wire.messages.length;
      for (const key of [0, 1, 2]) {
        const whole = requestMap(probe.identify({ operation: "node.describe" }));
        whole.delete(key);
        await probe.sendRaw(encodeCbor(whole));
      }
      await probe.settle("after requests without identity");
      const answers = wire.messages.slice(from).filter(({ topic }) => topic === probe.way.answers);
      must(answers.length === 2, `${answers.length - 2} answers to what nobody asked`);
    },
  },
];
