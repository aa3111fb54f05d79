/** Rules of complete nodes: neighbouring servers. */
import { collectFrom, collected, fresh, sample, sensorNode } from "./played-work.js";
import { Probe } from "./probe.js";
import { applies, complete, must, mustRefuse, mustSucceed, type Rule } from "./rule.js";
import * as shape from "./shape.js";
import { encodeCbor, map, readMap } from "./wire.js";

export const forwardRules: readonly Rule[] = [
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
      const probe = new Probe(wire, {
        send: `t1/${id}/${server}/x`,
        answers: `t1/${id}/${server}/y`,
        sender: "kit-far-node",
      });
      for (const [what, fields, error] of [
        ["its own id in the path", { hops: 3, path: ["kit-far", server] }, "no-capable-node"],
        ["no hops left", { hops: 0, path: ["kit-far"] }, "hops-exhausted"],
      ] as const) {
        const from = wire.messages.length;
        const { done } = await probe.ask(collectFrom(fresh("s"), fields));
        mustRefuse(done, error, what);
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
      await collected(context, node, sensor);
      const away = neighbour.wire.messages
        .slice(from)
        .some(({ topic }) => topic === `t1/${neighbour.id}/q/${server}`);
      must(!away, "it was forwarded too");
    },
  },
];
