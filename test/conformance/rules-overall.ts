/** Rules that are checked at the end, over everything that the node sent during the run: forms of answers, topics. */
import { violation } from "../node/deterministic-cbor.js";
import { ownTopics } from "./probe.js";
import { both, must, type Rule } from "./rule.js";
import { retained } from "./rules-announce.js";
import * as shape from "./shape.js";
import { readMap } from "./wire.js";

export const overallRules: readonly Rule[] = [
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
    id: "topics.closed",
    kinds: both,
    clause: "Topics",
    text: "A node publishes its own y, b, s, e, c and nothing else (a server also r, x and q); only b and s are retained.",
    async check(context) {
      const { server, node } = context;
      await context.probe.settle();
      const own = `t1/${server}/${node}/`;
      const foreign = /^t1\/[0-9a-z-]{1,23}\/(q\/[0-9a-z-]{1,23}|[0-9a-z-]{1,23}\/[rx])$/;
      for (const { topic: at, retain } of context.wire.messages) {
        if (ownTopics.has(at)) continue;
        // What a server sends to the nodes it has, and to servers that it joined.
        must(/^[ybsec]$/.test(at.startsWith(own) ? at.slice(own.length) : "y"), `topic ${at}`);
        must(at.startsWith(own) || (context.kind === "complete" && foreign.test(at)), `topic ${at}`);
        must(!retain || at.endsWith("/b") || at.endsWith("/s"), `a retained message on ${at}`);
      }
      for (const kind of ["y", "e", "c"]) {
        must((await retained(context, kind, 100)) === undefined, `a retained message on ${own}${kind}`);
      }
    },
  },
];
