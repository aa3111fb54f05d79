/** Rules of requests and answers that hold for every node: both acknowledgements, errors, order of checks, repetitions. */
import { countersOf, here } from "./abilities.js";
import { nextLife } from "./probe.js";
import { both, complete, minimal, must, mustRefuse, mustSucceed, type Rule } from "./rule.js";
import * as shape from "./shape.js";
import { encodeCbor, map, requestMap, type CborMap, type RequestFields } from "./wire.js";

export const requestRules: readonly Rule[] = [
  {
    id: "request.accepted-done",
    kinds: both,
    clause: "Requests and answers",
    text: "A request that is taken gets `accepted` and then exactly one `done`, with its identity and the executing node.",
    async check(context) {
      const { probe } = context;
      const { done, ...sent } = await probe.ask({ operation: "node.monitor", selector: here(context) });
      await probe.settle();
      const answers = probe.answersTo(sent);
      must(
        answers.map(({ stage }) => stage).join() === "1,2",
        `stages ${answers.map(({ stage }) => String(stage)).join()}`,
      );
      mustSucceed(done, "node.monitor");
      for (const { node, sender } of answers) {
        must(node === context.node, `executing node ${String(node)}`);
        must(sender === sent.sender, `sender ${String(sender)}`);
      }
      const accepted = answers[0]?.map;
      for (const key of [6, 7, 8, 9, 10, 11]) must(accepted?.has(key) === false, `accepted has key ${key}`);
      must(done.map.has(10) && done.map.has(11), "done does not tell the times in queue and execution");
    },
  },
  {
    id: "request.brief",
    kinds: both,
    clause: "Requests and answers",
    text: "A brief request whose work ends at once gets exactly one `done`, with or without `accepted`; its key is a boolean.",
    async check(context) {
      const { probe } = context;
      const brief = { operation: "node.monitor", selector: here(context), more: { 14: true } };
      const { done, ...sent } = await probe.ask(brief);
      await probe.settle();
      const stages = probe
        .answersTo(sent)
        .map(({ stage }) => String(stage))
        .join();
      must(stages === "2" || stages === "1,2", `stages ${stages}`);
      mustSucceed(done, "node.monitor");
      must(done.map.has(10) && done.map.has(11), "done does not tell the times in queue and execution");
      const wrong = await probe.ask({ ...brief, more: { 14: 1 } });
      must(wrong.accepted === undefined, "a number for brief was accepted");
      mustRefuse(wrong.done, "bad-request", "a number for brief", "brief");
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
      mustSucceed(done, "unknown keys");
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
        mustRefuse(done, "unknown-operation", operation, "operation");
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
    id: "order.operation-deadline",
    kinds: complete,
    clause: "Order of checks",
    text: "A server looks at the operation before the deadline, and at the selector last.",
    async check(context) {
      const { probe } = context;
      const nobody = map({ 2: "nobody-at-all" });
      const first = await probe.ask({ operation: "no.such", selector: nobody, deadlineMs: 0 });
      mustRefuse(first.done, "unknown-operation", "everything wrong but the envelope");
      // An operation of the owner's side, which is no node's.
      const second = await probe.ask({ operation: "node.update", selector: nobody, deadlineMs: 0 });
      mustRefuse(second.done, "forbidden", "an operation that is not for nodes, without time");
      const third = await probe.ask({ operation: "node.monitor", selector: nobody, deadlineMs: 0 });
      mustRefuse(third.done, "deadline", "deadline 0 for nobody");
      const fourth = await probe.ask({ operation: "node.monitor", selector: nobody });
      mustRefuse(fourth.done, "no-capable-node", "nobody");
      const accepted = [first, second, third, fourth].some((each) => each.accepted !== undefined);
      must(!accepted, "it was accepted");
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
      mustRefuse(done, "unknown-operation", "the first");
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
      // Those of a server count what others do too.
      if (context.kind === "complete") return;
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
