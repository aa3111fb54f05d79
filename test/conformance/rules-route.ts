/** Rules of complete nodes: which node gets a request, and what becomes of its answer. */
import {
  collectFrom,
  collected,
  fresh,
  known,
  nextRequest,
  sample,
  sensorNode,
  serve,
} from "./played-work.js";
import { complete, must, mustRefuse, mustSucceed, type Rule } from "./rule.js";
import * as shape from "./shape.js";
import { encodeCbor, map, type CborMap, type RequestFields } from "./wire.js";

export const routeRules: readonly Rule[] = [
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
      await collected(context, first, sensor);
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
      await serve(context, both, sent);
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
];
