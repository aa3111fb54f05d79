/** Rules of complete nodes: routing to the nodes of their bus, deaths, repetitions over the server, spoofed messages. */
import { Violation, pause, type Sent } from "./probe.js";
import {
  applies,
  complete,
  must,
  mustRefuse,
  mustSucceed,
  type PlayedNode,
  type PlayedNodeOptions,
  type Rule,
  type RuleContext,
} from "./rule.js";
import * as shape from "./shape.js";
import { encodeCbor, map, outcome, readMap, requestMap, type CborMap, type RequestFields } from "./wire.js";

let count = 0;
/** No name is used twice: nothing that a rule left behind disturbs the next. */
function fresh(what: string): string {
  return `kit-${what}-${++count}`;
}

function collectFrom(sensor: string, more: RequestFields = {}): RequestFields {
  return {
    operation: "data.collect",
    arguments: map({ 0: sensor, 1: 1, 2: 10 }),
    deadlineMs: 4_000,
    ...more,
  };
}

function withSensor(sensor: string, more: PlayedNodeOptions = {}): PlayedNodeOptions {
  return {
    operations: ["data.collect", "node.describe", "node.monitor"],
    sensors: [map({ 0: sensor, 1: 1, 3: 10, 4: 100 })],
    ...more,
  };
}

/** A played node and its sensor, known to the server. */
async function sensorNode(
  context: RuleContext,
  sensor = fresh("s"),
  options: PlayedNodeOptions = {},
  id = fresh("n"),
): Promise<PlayedNode> {
  const node = await context.playNode(id, withSensor(sensor, options));
  await known(context, node);
  return node;
}

/** Messages of one client stay in order: when the server answers the node, it has read its records. */
async function known(context: RuleContext, node: PlayedNode): Promise<void> {
  const { done } = await node.probe.ask({ operation: "node.monitor", selector: map({ 2: context.node }) });
  must(done.error === undefined, `the server does not serve ${node.id}: ${outcome(done)}`);
}

/** The next that is dispatched to the node; it is acknowledged, as a node does at once. */
async function nextRequest(node: PlayedNode, index = 0, ms = 3_000): Promise<CborMap> {
  const request = await node.wire.until(() => node.requests()[index], ms);
  if (request === undefined) throw new Violation(`nothing was dispatched to ${node.id} within ${ms} ms`);
  await node.answer(request, { 4: 1 });
  return request;
}

const sample = { 7: map({ 0: 1, 1: 0 }), 8: new Uint8Array(4), 9: map({ 0: 6, 1: [1, 1] }), 10: 12, 11: 34 };

export const completeRules: readonly Rule[] = [
  {
    id: "route.dispatch",
    kinds: complete,
    clause: "Rules of the Core Service; Requests and answers",
    text: "A request goes to the node that can do it, under its own identity, with the time that is left; the answer comes back whole.",
    async check(context) {
      const sensor = fresh("s");
      const node = await sensorNode(context, sensor);
      const sent = await context.probe.send(collectFrom(sensor, { priority: 7 }));
      const request = await nextRequest(node);
      const bad = shape.request(request, "request");
      must(bad.length === 0, bad.join("; "));
      must(request.get(1) === sent.id && request.get(2) === sent.boot, "another id or boot counter");
      must(request.get(3) === sent.sender, `the sender is ${String(request.get(3))}`);
      must(request.get(4) === "data.collect", "another operation");
      must(
        Buffer.from(encodeCbor(request.get(6))).equals(
          Buffer.from(encodeCbor(map({ 0: sensor, 1: 1, 2: 10 }))),
        ),
        "other arguments",
      );
      must(request.get(11) === 7, "another priority");
      const left = Number(request.get(10));
      must(left > 0 && left <= 4_000, `${left} ms left of 4000`);
      await node.answer(request, sample);
      const { done, accepted } = await context.probe.finish(sent);
      must(accepted !== undefined, "it was not accepted");
      mustSucceed(done, "the request");
      must(done.node === node.id, `executing node ${String(done.node)}`);
      must(done.map.get(10) === 12 && done.map.get(11) === 34, "the node's times are not told");
      must(Buffer.from(done.output as Uint8Array).equals(Buffer.from(new Uint8Array(4))), "another output");
      must(done.descriptor?.get(0) === 6, "the descriptor is gone");
    },
  },
  {
    id: "route.error",
    kinds: complete,
    clause: "Errors",
    text: "The error of the node comes back as it is.",
    async check(context) {
      const sensor = fresh("s");
      const node = await sensorNode(context, sensor);
      const sent = await context.probe.send(collectFrom(sensor));
      await node.answer(await nextRequest(node), { 6: map({ 0: 14, 1: "a trap", 4: 3, 5: 77 }) });
      const { done } = await context.probe.finish(sent);
      mustRefuse(done, "function-failed", "the node's trap");
      const error = done.map.get(6) as CborMap;
      must(error.get(4) === 3 && error.get(5) === 77, "kind and site of the trap are gone");
    },
  },
  {
    id: "route.local-first",
    kinds: complete,
    clause: "Rules of the Core Service",
    text: "What the server can do itself it does, unless the selector names another node.",
    async check(context) {
      const node = await sensorNode(context);
      const local = await context.probe.ask({ operation: "node.monitor" });
      must(local.done.node === context.node, `served by ${String(local.done.node)}`);
      must(node.requests().length === 0, "it was dispatched");
      const sent = await context.probe.send({ operation: "node.monitor", selector: map({ 2: node.id }) });
      await node.answer(await nextRequest(node), { 7: map({ 0: 1 }) });
      must((await context.probe.finish(sent)).done.node === node.id, "the selector was ignored");
    },
  },
  {
    id: "route.lowest-id",
    kinds: complete,
    clause: "Rules of the Core Service",
    text: "Of nodes with equal scores the one with the lowest id is chosen.",
    async check(context) {
      const sensor = fresh("s");
      const stem = fresh("n");
      const second = await sensorNode(context, sensor, {}, `${stem}-b`);
      const first = await sensorNode(context, sensor, {}, `${stem}-a`);
      const sent = await context.probe.send(collectFrom(sensor));
      await first.answer(await nextRequest(first), sample);
      await context.probe.finish(sent);
      must(second.requests().length === 0, "the other node was asked too");
    },
  },
  {
    id: "route.labels",
    kinds: complete,
    clause: "protocol.cddl: selector",
    text: "Labels in the selector choose among the nodes that have them all.",
    async check(context) {
      const sensor = fresh("s");
      const stem = fresh("n");
      const other = await sensorNode(context, sensor, { labels: ["kit-hall"] }, `${stem}-a`);
      const both = await sensorNode(context, sensor, { labels: ["kit-hall", "kit-wet"] }, `${stem}-b`);
      const selector = map({ 3: ["kit-hall", "kit-wet"] });
      const sent = await context.probe.send(collectFrom(sensor, { selector }));
      await both.answer(await nextRequest(both), sample);
      mustSucceed((await context.probe.finish(sent)).done, "the request");
      must(other.requests().length === 0, "a node without one of the labels was asked");
    },
  },
  {
    id: "route.fits",
    kinds: complete,
    clause: "Descriptors: fits",
    text: "Only nodes whose offer fits the descriptors are chosen; a mismatch names the field.",
    async check(context) {
      const name = fresh("m");
      const model = map({
        0: name,
        1: "1.0.0",
        4: [map({ 0: 0, 1: [4, 3], 4: "g" })],
        5: [map({ 0: 0, 1: [2] })],
      });
      const node = await context.playNode(fresh("n"), { operations: ["model.infer"], models: [model] });
      await known(context, node);
      const ask = (descriptor: CborMap): RequestFields => ({
        operation: "model.infer",
        selector: map({ 0: name }),
        input: new Uint8Array(12),
        descriptor,
        deadlineMs: 4_000,
      });
      const wrong = await context.probe.ask(ask(map({ 0: 0, 1: [5, 3] })));
      mustRefuse(wrong.done, "descriptor-mismatch", "another shape", "input.shape");
      const unit = await context.probe.ask(ask(map({ 0: 0, 1: [4, 3], 4: "m/s2" })));
      mustRefuse(unit.done, "descriptor-mismatch", "another unit", "input.unit");
      must(node.requests().length === 0, "what does not fit was dispatched");
      const sent = await context.probe.send(ask(map({ 0: 0, 1: [1, 4, 3] })));
      await node.answer(await nextRequest(node), { 7: map({ 0: "a", 1: 1, 2: 0, 3: `${name}@1.0.0` }) });
      mustSucceed((await context.probe.finish(sent)).done, "the same with a dimension of 1");
    },
  },
  {
    id: "route.no-capable-node",
    kinds: complete,
    clause: "Rules of the Core Service; Errors: no-capable-node",
    text: "What nobody can do is refused at once.",
    async check(context) {
      const startedAt = performance.now();
      const { done } = await context.probe.ask(collectFrom(fresh("s")));
      mustRefuse(done, ["no-capable-node", "not-found"], "a sensor that nobody has");
      must(performance.now() - startedAt < 2_000, "it took more than 2 s");
    },
  },
  {
    id: "answer.private",
    kinds: complete,
    clause: "Topics",
    text: "An answer goes to the `r` of who asked, and nowhere else.",
    async check(context) {
      const other = await context.playNode(fresh("n"));
      const { done } = await other.probe.ask({
        operation: "node.monitor",
        selector: map({ 2: context.node }),
      });
      mustSucceed(done, "node.monitor");
      const topics = context.wire.messages
        .filter(({ topic, payload }) => topic.endsWith("/r") && readMap(payload)?.get(3) === other.id)
        .map(({ topic }) => topic);
      const expected = `t1/${context.server}/${other.id}/r`;
      must(
        topics.every((topic) => topic === expected),
        `it came on ${topics.join(", ")}`,
      );
    },
  },
  {
    id: "answer.once",
    kinds: complete,
    clause: "Requests and answers",
    text: "However often a node answers, the sender gets one terminal answer.",
    async check(context) {
      const sensor = fresh("s");
      const node = await sensorNode(context, sensor);
      const sent = await context.probe.send(collectFrom(sensor));
      const request = await nextRequest(node);
      await node.answer(request, sample);
      await node.answer(request, { 6: map({ 0: 16 }) });
      const { done } = await context.probe.finish(sent);
      await pause(300);
      mustSucceed(done, "the request");
      const terminal = context.probe.answersTo(sent).filter(({ stage }) => stage === 2);
      must(terminal.length === 1, `${terminal.length} terminal answers`);
    },
  },
  {
    id: "answer.foreign",
    kinds: complete,
    clause: "Topics",
    text: "An answer of a node that was not asked is ignored.",
    async check(context) {
      const sensor = fresh("s");
      const node = await sensorNode(context, sensor);
      const other = await sensorNode(context);
      const sent = await context.probe.send(collectFrom(sensor));
      const request = await nextRequest(node);
      await other.answer(request, { 6: map({ 0: 16 }) });
      // In the name of the right one, on its own topic.
      await other.answer(request, { 5: node.id, 6: map({ 0: 16 }) });
      await known(context, other);
      must(context.probe.terminal(sent) === undefined, "the answer of another node was taken");
      await node.answer(request, sample);
      mustSucceed((await context.probe.finish(sent)).done, "the answer of the right node");
    },
  },
  {
    id: "death.retry",
    kinds: complete,
    clause: "Rules of the Core Service",
    text: "When the chosen node dies the request goes to the next one, and ends in one answer.",
    async check(context) {
      const sensor = fresh("s");
      const stem = fresh("n");
      const first = await sensorNode(context, sensor, {}, `${stem}-a`);
      const second = await sensorNode(context, sensor, {}, `${stem}-b`);
      const sent = await context.probe.send(collectFrom(sensor));
      await nextRequest(first);
      first.kill();
      const request = await nextRequest(second);
      must(request.get(1) === sent.id && request.get(3) === sent.sender, "it went on under another identity");
      await second.answer(request, sample);
      mustSucceed((await context.probe.finish(sent)).done, "the request");
      const terminal = context.probe.answersTo(sent).filter(({ stage }) => stage === 2);
      must(terminal.length === 1, `${terminal.length} terminal answers`);
    },
  },
  {
    id: "death.forgotten",
    kinds: complete,
    clause: "Rules of the Core Service",
    text: "What a node could do is gone with its last will, and back with its next birth.",
    async check(context) {
      const sensor = fresh("s");
      const id = fresh("n");
      const node = await sensorNode(context, sensor, { boot: 5 }, id);
      node.kill();
      await pause(300);
      const { done } = await context.probe.ask(collectFrom(sensor));
      mustRefuse(done, ["no-capable-node", "not-found"], "the sensor of a dead node");
      const again = await sensorNode(context, sensor, { boot: 6 }, id);
      const sent = await context.probe.send(collectFrom(sensor));
      await again.answer(await nextRequest(again), sample);
      mustSucceed((await context.probe.finish(sent)).done, "after its next birth");
    },
  },
  {
    id: "death.old-will",
    kinds: complete,
    clause: "Life of a node, 4",
    text: "A last will with a lower boot counter than the birth record is ignored.",
    async check(context) {
      const sensor = fresh("s");
      const node = await sensorNode(context, sensor, { boot: 9 });
      const old = map({ 0: 1, 1: node.id, 2: 8, 3: false });
      await node.wire.publish(`t1/${context.server}/${node.id}/s`, encodeCbor(old), 1, true);
      await known(context, node);
      const sent = await context.probe.send(collectFrom(sensor));
      await node.answer(await nextRequest(node), sample);
      mustSucceed((await context.probe.finish(sent)).done, "after an old will");
    },
  },
  {
    id: "deadline.silent",
    kinds: complete,
    clause: "Deadline; Rules of the Core Service",
    text: "When a node answers nothing the request ends by its deadline; a late answer changes nothing.",
    async check(context) {
      const sensor = fresh("s");
      const node = await sensorNode(context, sensor);
      const sent = await context.probe.send(collectFrom(sensor, { deadlineMs: 400 }));
      const request = await nextRequest(node);
      const { done } = await context.probe.finish(sent, 3_000);
      mustRefuse(done, "deadline", "a silent node");
      const took = done.message.at - sent.at;
      must(took > 300 && took < 1_000, `the answer came after ${took.toFixed(0)} ms`);
      await node.answer(request, sample);
      await pause(300);
      must(
        context.probe.answersTo(sent).filter(({ stage }) => stage === 2).length === 1,
        "the late answer came too",
      );
    },
  },
  {
    id: "duplicate.dispatched",
    kinds: complete,
    clause: "Requests and answers",
    text: "A repetition is acknowledged while the request is away, is not dispatched again, and gets the same answer.",
    async check(context) {
      const sensor = fresh("s");
      const node = await sensorNode(context, sensor);
      const { probe } = context;
      const sent = await probe.send(collectFrom(sensor));
      const request = await nextRequest(node);
      await probe.sendBytes(sent, sent.payload);
      const twice = await context.wire.until(() => probe.answersTo(sent)[1], 1_500);
      must(twice?.stage === 1, "the repetition was not acknowledged");
      await node.answer(request, sample);
      const { done } = await probe.finish(sent);
      await probe.sendBytes(sent, sent.payload);
      const again = await context.wire.until(
        () => probe.answersTo(sent).filter(({ stage }) => stage === 2)[1],
        1_500,
      );
      must(again !== undefined, "the repetition after the end got no answer");
      const same = Buffer.from(again.message.payload).equals(Buffer.from(done.message.payload));
      must(same, "it got another answer");
      must(node.requests().length === 1, `${node.requests().length} dispatches`);
    },
  },
  {
    id: "spoof.sender",
    kinds: complete,
    clause: "Topics",
    text: "A request whose sender is not the node of its topic is refused, and the other node hears nothing.",
    async check(context) {
      const victim = await context.playNode(fresh("n"));
      const sent = await context.probe.send({ operation: "node.monitor", sender: victim.id });
      const refusal = await context.wire.until(() => {
        const answers = context.wire.messages.filter(({ topic }) => topic === context.probe.way.answers);
        return answers.find(({ payload }) => readMap(payload)?.get(1) === sent.id);
      }, 2_000);
      await context.probe.settle("after a spoofed request");
      const heard = victim.wire.messages.filter(({ topic }) => topic.endsWith("/r"));
      must(heard.length === 0, "the node whose name was used got an answer");
      const code = (readMap(refusal?.payload ?? new Uint8Array())?.get(6) as CborMap | undefined)?.get(0);
      must(
        refusal === undefined || code === 10 || code === 1,
        `error code ${String(code)}, expected forbidden`,
      );
    },
  },
  {
    id: "replay.boot",
    kinds: complete,
    clause: "Requests and answers",
    text: "A request of an earlier life of its sender is refused.",
    async check(context) {
      const node = await context.playNode(fresh("n"), { boot: 50 });
      await node.probe.ask({ operation: "node.monitor", boot: 50 });
      const { done } = await node.probe.ask({ operation: "node.monitor", boot: 49 });
      mustRefuse(done, "forbidden", "boot 49 after 50");
    },
  },
  {
    id: "queue.node-busy",
    kinds: complete,
    clause: "Rules of the Core Service; Errors: busy",
    text: "With as many requests at a node and waiting for it as allowed, further ones are `busy` with retryAfterMs.",
    async check(context) {
      const { inFlightPerNode, queuePerNode } = context.limits;
      applies(inFlightPerNode !== undefined && queuePerNode !== undefined, "the limits are not known");
      const sensor = fresh("s");
      const node = await sensorNode(context, sensor);
      const room = inFlightPerNode + queuePerNode;
      const sent: Sent[] = [];
      for (let i = 0; i < room + 2; i++) {
        sent.push(await context.probe.send(collectFrom(sensor, { deadlineMs: 1_500 })));
      }
      await pause(500);
      const atOnce = node.requests().length;
      const ended = await Promise.all(sent.map((each) => context.probe.finish(each)));
      const busy = ended.filter(({ done }) => done.error?.code === 7);
      must(busy.length === 2, `${busy.length} of ${room + 2} were refused as busy, expected 2`);
      const retry = busy.every(({ done }) => (done.error?.retryAfterMs ?? 0) > 0);
      must(retry, "busy without retryAfterMs");
      must(atOnce <= inFlightPerNode, `${atOnce} at the node at once`);
    },
  },
  {
    id: "malformed.records",
    kinds: complete,
    clause: "Life of a node",
    text: "Records, answers and events of nodes that break the schema are ignored, and the server lives on.",
    async check(context) {
      const sensor = fresh("s");
      const node = await sensorNode(context, sensor);
      const topic = (kind: string): string => `t1/${context.server}/${node.id}/${kind}`;
      const wrong: unknown[] = [
        null,
        [],
        "x",
        7,
        new Map(),
        map({ 0: 1, 1: "other", 2: 1, 3: false }),
        map({ 0: 1, 1: node.id, 2: -1 }),
      ];
      for (const kind of ["b", "s", "y", "e"]) {
        for (const item of wrong) await node.wire.publish(topic(kind), encodeCbor(item));
        await node.wire.publish(topic(kind), Uint8Array.of(0xbf, 0xff));
        await node.wire.publish(topic(kind), new Uint8Array(2_000));
      }
      await known(context, node);
      const sent = await context.probe.send(collectFrom(sensor));
      await node.answer(await nextRequest(node), sample);
      mustSucceed((await context.probe.finish(sent)).done, "after malformed records");
      await context.probe.settle();
    },
  },
  {
    id: "forward.neighbour",
    kinds: complete,
    clause: "Rules of the Core Service; Envelope",
    text: "What neither the server nor its nodes can do goes to a neighbouring server, with one hop less and the server in the path.",
    async check(context) {
      const { neighbour, server, probe } = context;
      applies(neighbour !== undefined, "the node under test has no neighbour that the kit plays");
      const { wire, id } = neighbour;
      const from = wire.messages.length;
      neighbour.able = true;
      const sent = await probe.send(collectFrom(fresh("s"), { deadlineMs: 3_000 }));
      const forwarded = await wire.until(
        () => wire.messages.slice(from).find(({ topic }) => topic === `t1/${id}/q/${server}`),
        2_000,
      );
      neighbour.able = false;
      must(forwarded !== undefined, `nothing came on t1/${id}/q/${server}`);
      const request = readMap(forwarded.payload) ?? new Map();
      const bad = shape.request(request, "request");
      must(bad.length === 0, bad.join("; "));
      must(
        request.get(1) === sent.id && request.get(2) === sent.boot && request.get(3) === sent.sender,
        "another identity",
      );
      must(
        Array.isArray(request.get(13)) && (request.get(13) as unknown[]).includes(server),
        "the server is not in the path",
      );
      must(Number.isInteger(request.get(12)), "the hops left are not told");
      must(Number(request.get(10)) <= 3_000, "the deadline grew");
      const identity = { 0: 1, 1: request.get(1), 2: request.get(2), 3: request.get(3) };
      const answer = map({ ...identity, 4: 2, 5: "far-node", ...sample });
      await wire.publish(`t1/${id}/${server}/r`, encodeCbor(answer));
      const { done } = await probe.finish(sent);
      mustSucceed(done, "the answer of the neighbour");
      must(done.node === "far-node", `executing node ${String(done.node)}`);
    },
  },
  {
    id: "forward.loops",
    kinds: complete,
    clause: "Rules of the Core Service; Errors: hops-exhausted",
    text: "A request that was here before, or has no hops left, is not forwarded again.",
    async check(context) {
      const { neighbour, server } = context;
      applies(neighbour !== undefined, "the node under test has no neighbour that the kit plays");
      const { wire, id } = neighbour;
      const answers = `t1/${id}/${server}/y`;
      for (const [what, fields, codes] of [
        [
          "its own id in the path",
          { hops: 3, path: ["kit-far", server] },
          ["no-capable-node", "hops-exhausted"],
        ],
        ["no hops left", { hops: 0, path: ["kit-far"] }, ["hops-exhausted", "no-capable-node", "not-found"]],
      ] as const) {
        const identity = context.probe.identify({
          sender: "kit-far-node",
          ...collectFrom(fresh("s")),
          ...fields,
        });
        const from = wire.messages.length;
        await wire.publish(`t1/${id}/${server}/x`, encodeCbor(requestMap(identity)));
        const answer = await wire.until(
          () =>
            wire.messages
              .slice(from)
              .filter(({ topic }) => topic === answers)
              .map(({ payload }) => readMap(payload))
              .find((each) => each?.get(1) === identity.id && each.get(4) === 2),
          4_000,
        );
        must(answer !== undefined, `${what}: no answer`);
        const code = Number((answer.get(6) as CborMap | undefined)?.get(0));
        const names = ["", "", "", "no-capable-node", "", "not-found", "", "", "", "hops-exhausted"];
        must((codes as readonly string[]).includes(names[code] ?? ""), `${what}: code ${code}`);
        const again = wire.messages.slice(from).some(({ topic }) => topic.startsWith(`t1/${id}/q/`));
        must(!again, `${what}: it was forwarded again`);
      }
    },
  },
  {
    id: "forward.local-before",
    kinds: complete,
    clause: "Rules of the Core Service",
    text: "What a node of the server can do is not forwarded.",
    async check(context) {
      const { neighbour, server } = context;
      applies(neighbour !== undefined, "the node under test has no neighbour that the kit plays");
      const sensor = fresh("s");
      const node = await sensorNode(context, sensor);
      const from = neighbour.wire.messages.length;
      const sent = await context.probe.send(collectFrom(sensor));
      await node.answer(await nextRequest(node), sample);
      await context.probe.finish(sent);
      const away = neighbour.wire.messages
        .slice(from)
        .some(({ topic }) => topic === `t1/${neighbour.id}/q/${server}`);
      must(!away, "it was forwarded too");
    },
  },
];
