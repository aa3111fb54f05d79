/** Rules of complete nodes: whose answers count, deaths, repetitions, spoofed and replayed messages, full queues. */
import {
  collectFrom,
  collected,
  fresh,
  known,
  mustEndOnce,
  nextRequest,
  sample,
  sensorNode,
} from "./played-work.js";
import { applies, complete, must, mustRefuse, mustSucceed, type Rule } from "./rule.js";
import { encodeCbor, map, readMap } from "./wire.js";

export const answerRules: readonly Rule[] = [
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
      // Until the kit's own ears have heard it too.
      await context.probe.settle();
      const topics = context.wire.messages
        .filter(({ topic, payload }) => topic.endsWith("/r") && readMap(payload)?.get(3) === other.id)
        .map(({ topic }) => topic);
      const expected = `t1/${context.server}/${other.id}/r`;
      const foreign = topics.filter((topic) => topic !== expected);
      must(foreign.length === 0, `it came on ${foreign.join(", ")}`);
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
      mustSucceed(done, "the request");
      await mustEndOnce(context, sent);
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
      await mustEndOnce(context, sent);
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
      const will = `t1/${context.server}/${id}/s`;
      node.kill();
      await context.wire.until(() =>
        context.wire.messages.find((m) => m.topic === will && readMap(m.payload)?.get(3) === false),
      );
      const { done } = await context.probe.ask(collectFrom(sensor, { deadlineMs: 1_500 }));
      mustRefuse(done, ["no-capable-node", "not-found"], "the sensor of a dead node");
      const again = await sensorNode(context, sensor, { boot: 6 }, id);
      await collected(context, again, sensor, "after its next birth");
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
      await collected(context, node, sensor, "after an old will");
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
      await mustEndOnce(context, sent);
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
      const { done } = await context.probe.finish(sent, 2_000);
      mustRefuse(done, "forbidden", "the name of another node", "sender");
      await context.probe.settle("after a spoofed request");
      const heard = victim.wire.messages.filter(({ topic }) => topic.endsWith("/r"));
      must(heard.length === 0, "the node whose name was used got an answer");
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
      const sending = Array.from({ length: room + 2 }, () =>
        context.probe.send(collectFrom(sensor, { deadlineMs: 1_500 })),
      );
      const sent = await Promise.all(sending);
      const ended = await Promise.all(sent.map((each) => context.probe.finish(each)));
      const busy = ended.filter(({ done }) => done.error?.code === 7);
      must(busy.length === 2, `${busy.length} of ${room + 2} were refused as busy, expected 2`);
      // Until the first of them ended none could move up.
      const firstEnd = Math.min(...ended.filter((e) => !busy.includes(e)).map(({ done }) => done.message.at));
      const dispatched = node.wire.messages.filter(({ topic }) => topic.endsWith("/x"));
      const atOnce = dispatched.filter(({ at }) => at < firstEnd).length;
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
      await collected(context, node, sensor, "after malformed records");
      await context.probe.settle();
    },
  },
];
