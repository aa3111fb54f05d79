/** Rules of requests and answers that hold for every node: envelope, errors, order of checks, repetitions, encoding. */
import { violation } from "../node/deterministic-cbor.js";
import { nextLife, pause, type Probe, type Sent } from "./probe.js";
import {
  applies,
  both,
  complete,
  minimal,
  must,
  mustRefuse,
  mustSucceed,
  type Rule,
  type RuleContext,
} from "./rule.js";
import { emptyPromises } from "../node/hostile-payloads.js";
import * as shape from "./shape.js";
import {
  encodeCbor,
  map,
  outcome,
  readMap,
  requestMap,
  type CborMap,
  type ErrorName,
  type RequestFields,
} from "./wire.js";

/** Selects the node under test, so that no other node is asked. */
function here({ node }: RuleContext): CborMap {
  return map({ 2: node });
}

/** A server may keep from a node what it does not have: denied by default. */
function unknownTo({ kind }: RuleContext): readonly ErrorName[] {
  return kind === "minimal" ? ["unknown-operation"] : ["unknown-operation", "forbidden"];
}

async function countersOf({ probe, node }: RuleContext): Promise<CborMap> {
  const { done } = await probe.ask({ operation: "node.monitor", selector: map({ 2: node }) });
  mustSucceed(done, "node.monitor");
  const counters = done.result?.get(4);
  must(counters instanceof Map, "node.monitor tells no counters");
  return counters as CborMap;
}

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

export const envelopeRules: readonly Rule[] = [
  {
    id: "request.accepted-done",
    kinds: both,
    clause: "Requests and answers",
    text: "A request that is taken gets `accepted` and then exactly one `done`, with its identity and the executing node.",
    async check(context) {
      const { probe } = context;
      const { done, ...sent } = await probe.ask({ operation: "node.monitor", selector: here(context) });
      await pause(150);
      const answers = probe.answersTo(sent);
      must(
        answers.map(({ stage }) => stage).join() === "1,2",
        `stages ${answers.map(({ stage }) => String(stage)).join()}`,
      );
      mustSucceed(done, "node.monitor");
      for (const { node, sender } of answers) {
        must(node === context.node, `executing node ${String(node)}`);
        must(context.kind === "complete" || sender === sent.sender, `sender ${String(sender)}`);
      }
      const accepted = answers[0]?.map;
      for (const key of [6, 7, 8, 9, 10, 11]) must(accepted?.has(key) === false, `accepted has key ${key}`);
      must(done.map.has(10) && done.map.has(11), "done does not tell the times in queue and execution");
    },
  },
  {
    id: "request.qos0",
    kinds: both,
    clause: "The floor: QoS 0 and 1",
    text: "A request of QoS 0 is served too.",
    async check(context) {
      const sent = await context.probe.send({ operation: "node.monitor", selector: here(context) }, 0);
      mustSucceed((await context.probe.finish(sent)).done, "node.monitor");
    },
  },
  {
    id: "request.unknown-keys",
    kinds: both,
    clause: "Encoding",
    text: "Unknown keys are skipped: in the envelope, the selector, the arguments, the descriptors.",
    async check(context) {
      const odd = { 77: [1, { a: 1 }], 78: new Map<unknown, unknown>([["deep", [null, 1.5]]]), 1000: "x" };
      const selector = map({ 2: context.node, ...odd });
      const { done } = await context.probe.ask({
        operation: "node.monitor",
        selector,
        arguments: map(odd),
        descriptor: map(odd),
        accept: map(odd),
        more: odd,
      });
      // Arguments of complete nodes are a closed list: refused there is right too.
      if (context.kind === "complete" && done.error?.field?.startsWith("arguments") === true) {
        const again = await context.probe.ask({ operation: "node.monitor", selector, more: odd });
        mustSucceed(again.done, "unknown keys");
      } else mustSucceed(done, "unknown keys");
    },
  },
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
      const identified = probe.identify({
        operation: "node.monitor",
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
  {
    id: "error.version",
    kinds: both,
    clause: "Errors: version; Order of checks",
    text: "Another protocol version is refused as `version`, before anything else is looked at.",
    async check({ probe }) {
      const sent = await probe.send({
        version: 2,
        operation: "no.such",
        selector: map({ 2: "nobody" }),
        deadlineMs: 0,
      });
      const { done, accepted } = await probe.finish(sent);
      must(accepted === undefined, "it was accepted");
      mustRefuse(done, "version", "version 2");
    },
  },
  {
    id: "error.unknown-operation",
    kinds: both,
    clause: "Errors: unknown-operation",
    text: "An operation that there is not is refused with one answer and not accepted.",
    async check(context) {
      const { probe } = context;
      for (const operation of ["node.explode", "data", "x".repeat(32)]) {
        const { done, accepted } = await probe.ask({ operation, selector: here(context) });
        must(accepted === undefined, `${operation} was accepted`);
        mustRefuse(done, unknownTo(context), operation);
      }
    },
  },
  {
    id: "error.bad-request",
    kinds: both,
    clause: "Errors: bad-request",
    text: "A missing operation, or a part of the wrong type, is `bad-request` and names the field.",
    async check(context) {
      const { probe } = context;
      const cases: [string, RequestFields, string][] = [
        ["no operation", {}, "operation"],
        ["a number as operation", { operation: 7 }, "operation"],
        ["a list as selector", { operation: "node.monitor", more: { 5: [] } }, "selector"],
        ["a text as arguments", { operation: "node.monitor", more: { 6: "x" } }, "arguments"],
        ["a number as input", { operation: "node.monitor", more: { 7: 5 } }, "input"],
        ["a list as descriptor", { operation: "node.monitor", more: { 8: [] } }, "input"],
        ["a text as deadline", { operation: "node.monitor", more: { 10: "soon" } }, "deadline"],
        ["a negative deadline", { operation: "node.monitor", more: { 10: -1 } }, "deadline"],
        ["a text as priority", { operation: "node.monitor", more: { 11: "high" } }, "priority"],
      ];
      for (const [what, fields, field] of cases) {
        const { done, accepted } = await probe.ask(fields);
        must(accepted === undefined, `${what} was accepted`);
        mustRefuse(done, "bad-request", what, field);
      }
    },
  },
  {
    id: "error.too-large",
    kinds: minimal,
    clause: "Requests and answers; Errors: too-large",
    text: "A request above maxMsg is refused as `too-large`, or dropped and counted, and the node lives on.",
    async check(context) {
      const { probe } = context;
      const maxMsg = Number(context.birth().get(6));
      const slightly = await probe.send({
        operation: "node.monitor",
        input: new Uint8Array(maxMsg),
      });
      await probe.sendRaw(new Uint8Array(maxMsg + 500));
      await probe.sendRaw(new Uint8Array(maxMsg * 64));
      await probe.settle("after oversized messages");
      const answer = probe.terminal(slightly);
      must(
        probe.answersTo(slightly).every(({ stage }) => stage === 2),
        "it was accepted",
      );
      if (answer !== undefined) mustRefuse(answer, "too-large", `${maxMsg} bytes and more`);
    },
  },
  {
    id: "error.forms",
    kinds: both,
    clause: "Errors; protocol.cddl: answer",
    text: "Every answer of the run has the schema's form, and every error is of the closed set.",
    async check(context) {
      await context.probe.settle();
      const answers = context.wire.messages.filter(({ topic }) => topic === context.probe.way.answers);
      for (const message of answers) {
        const wrong = violation(message.payload);
        must(wrong === undefined, `an answer is no deterministic CBOR: ${wrong ?? ""}`);
        must(message.qos === 1 && !message.retain, "an answer is retained, or not QoS 1");
      }
      const bad = answers.flatMap(({ payload }) => shape.answer(readMap(payload), "answer"));
      must(bad.length === 0, [...new Set(bad)].slice(0, 3).join("; "));
    },
  },
  {
    id: "order.selector-operation",
    kinds: minimal,
    clause: "Order of checks",
    text: "The selector is looked at before the operation, the operation before the deadline.",
    async check(context) {
      const { probe } = context;
      const first = await probe.ask({
        operation: "no.such",
        selector: map({ 2: "nobody-at-all" }),
        deadlineMs: 0,
      });
      mustRefuse(first.done, "no-capable-node", "everything wrong but the envelope");
      const second = await probe.ask({ operation: "no.such", selector: here(context), deadlineMs: 0 });
      mustRefuse(second.done, "unknown-operation", "operation and deadline wrong");
      const third = await probe.ask({ operation: "node.monitor", selector: here(context), deadlineMs: 0 });
      mustRefuse(third.done, "deadline", "deadline 0");
      must(third.accepted === undefined, "deadline 0 was accepted");
    },
  },
  {
    id: "deadline.zero",
    kinds: both,
    clause: "Deadline",
    text: "A request without time left is refused, not accepted.",
    async check(context) {
      const fields = { operation: "node.monitor", selector: here(context), deadlineMs: 0 };
      const { done, accepted } = await context.probe.ask(fields);
      mustRefuse(done, "deadline", "deadline 0");
      must(accepted === undefined, "it was accepted");
    },
  },
  {
    id: "selector.node",
    kinds: both,
    clause: "Errors: no-capable-node",
    text: "A selector that names another node, or labels the node does not have, excludes it.",
    async check(context) {
      const { probe } = context;
      const own = await probe.ask({ operation: "node.monitor", selector: map({ 2: context.node, 3: [] }) });
      mustSucceed(own.done, "its own id");
      const labels = (context.birth().get(12) ?? []) as string[];
      if (labels.length > 0) {
        const selector = map({ 2: context.node, 3: labels });
        mustSucceed((await probe.ask({ operation: "node.monitor", selector })).done, "its own labels");
      }
      const other = await probe.ask({ operation: "node.monitor", selector: map({ 2: "kit-nobody" }) });
      mustRefuse(other.done, "no-capable-node", "another node");
      const selector = map({ 2: context.node, 3: [...labels, "kit-no-such-label"] });
      mustRefuse(
        (await probe.ask({ operation: "node.monitor", selector })).done,
        "no-capable-node",
        "labels",
      );
    },
  },
  {
    id: "duplicate.same-bytes",
    kinds: both,
    clause: "Requests and answers",
    text: "A request that was answered is answered again with the same bytes, and not executed again.",
    async check(context) {
      const { probe } = context;
      const { done, ...sent } = await probe.ask({ operation: "node.monitor", selector: here(context) });
      await pause(50);
      const counted = context.kind === "minimal" ? Number((await countersOf(context)).get(4)) : 0;
      await probe.sendBytes(sent, sent.payload);
      const again = await context.wire.until(() => {
        const answers = probe.answersTo(sent).filter(({ stage }) => stage === 2);
        return answers.length >= 2 ? answers : undefined;
      });
      must(again !== undefined, "the repetition got no answer");
      const same = Buffer.from(again[1]?.message.payload ?? []).equals(Buffer.from(done.message.payload));
      must(same, "the repetition got another answer");
      if (context.kind === "minimal") {
        const after = Number((await countersOf(context)).get(4));
        must(after === counted + 1, `counted ${after - counted} duplicates, expected 1`);
      }
    },
  },
  {
    id: "duplicate.identity",
    kinds: both,
    clause: "Requests and answers",
    text: "Only sender, boot counter and id together make a repetition.",
    async check(context) {
      const { probe } = context;
      const first = await probe.ask({ operation: "node.monitor", selector: here(context) });
      const later = await probe.ask({
        operation: "node.describe",
        id: first.id,
        boot: nextLife(),
        selector: here(context),
      });
      must(
        later.accepted !== undefined && later.done.result?.has(8) === true,
        "another boot was taken for a repetition",
      );
      if (context.kind === "minimal") {
        const other = await probe.ask({ operation: "node.describe", id: first.id, sender: "kit-other" });
        must(other.accepted !== undefined, "another sender was taken for a repetition");
        must(other.done.result?.has(8) === true, "another sender got the answer of the first");
      }
    },
  },
  {
    id: "duplicate.refusal",
    kinds: both,
    clause: "Requests and answers",
    text: "Refusals are not remembered: the request may come again under its number.",
    async check(context) {
      const { probe } = context;
      const { done, ...refused } = await probe.ask({ operation: "no.such.thing", selector: here(context) });
      mustRefuse(done, unknownTo(context), "the first");
      const { id } = refused;
      await probe.send({ operation: "node.monitor", id, selector: here(context) });
      const good = await context.wire.until(() =>
        probe.answersTo(refused).find(({ stage, error }) => stage === 2 && error === undefined),
      );
      must(good !== undefined, "the second try under the number was not executed");
    },
  },
  {
    id: "topic.unknown",
    kinds: both,
    clause: "Topics",
    text: "Messages on topics outside the list are ignored.",
    async check(context) {
      const { server, node, wire, probe } = context;
      const from = wire.messages.length;
      const payload = encodeCbor(requestMap(probe.identify({ operation: "node.monitor" })));
      for (const topic of [`t1/${server}/${node}/z`, `t1/${server}/${node}/x/x`, `t2/${server}/${node}/x`]) {
        await wire.publish(topic, payload).catch(() => undefined);
      }
      await probe.settle("after messages on unknown topics");
      const answers = wire.messages.slice(from).filter(({ topic }) => topic === probe.way.answers);
      must(answers.length <= 2, "a message on an unknown topic was answered");
    },
  },
  {
    id: "monitor.counters",
    kinds: both,
    clause: "protocol.cddl: counters",
    text: "node.monitor tells uptime, boot counter and counters, and they count requests and errors.",
    async check(context) {
      const { probe } = context;
      const { done } = await probe.ask({ operation: "node.monitor", selector: here(context) });
      mustSucceed(done, "node.monitor");
      const bad = shape.monitor(done.result, "result");
      must(bad.length === 0, bad.join("; "));
      must(
        done.result?.get(1) === context.birth().get(2),
        "the boot counter is not that of the birth record",
      );
      applies(context.kind === "minimal", "a server's counters count other senders too");
      const before = await countersOf(context);
      await probe.ask({ operation: "no.such.thing" });
      const after = await countersOf(context);
      const errors = (counters: CborMap): number => Number((counters.get(8) as CborMap).get(2) ?? 0);
      must(Number(after.get(0)) - Number(before.get(0)) === 2, "received does not count");
      must(Number(after.get(1)) - Number(before.get(1)) === 2, "answered does not count");
      must(errors(after) - errors(before) === 1, "errors are not counted by code");
    },
  },
];
