/**
 * Faults of complete nodes, one at a time, made by the brokers between the kit and the node: they change, add and withhold
 * messages, so that to the kit the node breaks one rule. Each names the rule that must find it, and what that must say.
 */
import type { Passing } from "../support/open-broker.js";
import type { Seen, Tamper } from "./tamper.js";
import { encodeCbor, map, type CborMap } from "./wire.js";

export interface CompleteFault {
  readonly name: string;
  readonly rule: string;
  readonly says: string;
  readonly tamper: Tamper;
}

/** The id of the node under test, and of its server: itself. */
const self = "edge";

function changed(message: Seen, entries: Readonly<Record<number, unknown>>): Passing {
  const copy = new Map(message.map);
  for (const [key, value] of Object.entries(entries)) {
    if (value === undefined) copy.delete(Number(key));
    else copy.set(Number(key), value);
  }
  return { topic: message.topic, payload: encodeCbor(copy) };
}

const errorOf = (message: Seen): unknown => (message.map.get(6) as CborMap | undefined)?.get(0);
const isTerminal = (message: Seen): boolean =>
  message.own && message.kind === "r" && message.map.get(4) === 2;
const isDispatched = (message: Seen): boolean => message.own && message.kind === "x";
const isForwarded = (message: Seen): boolean =>
  message.own && message.bus === "neighbour" && message.kind === "q";

/** The node's terminal answers, with these entries. */
const answersWith =
  (entries: Readonly<Record<number, unknown>>): Tamper =>
  (message) =>
    isTerminal(message) ? [changed(message, entries)] : undefined;

/** The node's refusals with one code get another, or become a success. */
const refusesAs =
  (code: number, other: number | undefined, field?: string): Tamper =>
  (message) =>
    (isTerminal(message) || (message.own && message.kind === "y")) && errorOf(message) === code
      ? [changed(message, { 6: other === undefined ? undefined : map({ 0: other, 1: "", 2: field }) })]
      : undefined;

const dispatchesWith =
  (entries: Readonly<Record<number, unknown>>): Tamper =>
  (message) =>
    isDispatched(message) ? [changed(message, entries)] : undefined;

const forwardsWith =
  (entries: Readonly<Record<number, unknown>>): Tamper =>
  (message) =>
    isForwarded(message) ? [changed(message, entries)] : undefined;

/** What goes to a node whose id ends so goes to the one whose id ends otherwise too. */
const alsoTo =
  (end: string, other: string): Tamper =>
  (message) =>
    isDispatched(message) && message.topic.endsWith(`${end}/x`)
      ? [message, { ...message, topic: message.topic.replace(`${end}/x`, `${other}/x`) }]
      : undefined;

/** The terminal answer of a played node, passed on to who asked as it is. */
function passedOn(message: Seen): Passing {
  return { topic: `t1/${self}/${String(message.map.get(3))}/r`, payload: message.payload };
}

const faults: readonly (readonly [name: string, rule: string, says: string, tamper: Tamper])[] = [
  ["sender dispatched", "route.dispatch", "the sender is other", dispatchesWith({ 3: "other" })],
  ["number dispatched", "route.dispatch", "another id or boot counter", dispatchesWith({ 1: 4_000_000_000 })],
  ["operation dispatched", "route.dispatch", "another operation", dispatchesWith({ 4: "data.store" })],
  ["arguments dispatched", "route.dispatch", "other arguments", dispatchesWith({ 6: map({ 0: "s" }) })],
  ["priority lost", "route.dispatch", "another priority", dispatchesWith({ 11: undefined })],
  ["deadline grows", "route.dispatch", "9999 ms left of 4000", dispatchesWith({ 10: 9_999 })],
  ["no schema", "route.dispatch", "request.12", dispatchesWith({ 12: "many" })],
  ["times lost", "route.dispatch", "the node's times are not told", answersWith({ 10: 0, 11: 0 })],
  ["node hidden", "route.dispatch", "executing node edge", answersWith({ 5: self })],
  ["output lost", "route.dispatch", "another output", answersWith({ 8: new Uint8Array(3) })],
  ["error replaced", "route.error", "expected function-failed, got internal", refusesAs(14, 16)],
  ["trap hidden", "route.error", "kind and site of the trap are gone", refusesAs(14, 14)],
  ["served elsewhere", "route.local-first", "served by other", answersWith({ 5: "other" })],
  ["asked twice", "route.lowest-id", "the other node was asked too", alsoTo("-a", "-b")],
  ["labels ignored", "route.labels", "without one of the labels was asked", alsoTo("-b", "-a")],
  ["fits ignored", "route.fits", "expected descriptor-mismatch, got no-capable-node", refusesAs(4, 3)],
  ["field hidden", "route.fits", "must name the field input.shape", refusesAs(4, 4)],
  ["nobody is able", "route.no-capable-node", "expected no-capable-node or not-found", refusesAs(3, 16)],
  [
    "answers to all",
    "answer.private",
    "it came on t1/edge/elsewhere/r",
    (message) =>
      isTerminal(message) ? [{ ...message, topic: `t1/${self}/elsewhere/r` }, message] : undefined,
  ],
  [
    "two ends",
    "answer.once",
    "2 terminal answers",
    (message) => (isTerminal(message) ? [message, message] : undefined),
  ],
  [
    "foreign answers",
    "answer.foreign",
    "the answer of another node was taken",
    (message) => (message.kind === "y" && errorOf(message) === 16 ? [message, passedOn(message)] : undefined),
  ],
  [
    "identity of the retry",
    "death.retry",
    "it went on under another identity",
    (message) => (message.topic.endsWith("-b/x") ? [changed(message, { 3: "other" })] : undefined),
  ],
  [
    "deaths unheard",
    "death.forgotten",
    "the sensor of a dead node: expected no-capable-node or not-found, got deadline",
    // To the node it is of an earlier life.
    (message) =>
      message.kind === "s" && message.map.get(3) === false && message.map.get(2) === 5
        ? [changed(message, { 2: 4 })]
        : undefined,
  ],
  [
    "old wills",
    "death.old-will",
    "nothing was dispatched",
    (message) =>
      message.kind === "s" && message.map.get(2) === 8 ? [changed(message, { 2: 9 })] : undefined,
  ],
  [
    "silence is success",
    "deadline.silent",
    "a silent node: expected deadline, got success",
    refusesAs(8, undefined),
  ],
  [
    "late answers",
    "deadline.silent",
    "2 terminal answers",
    (message) =>
      message.kind === "y" && message.map.get(4) === 2 ? [message, passedOn(message)] : undefined,
  ],
  [
    "repetition silent",
    "duplicate.dispatched",
    "the repetition was not acknowledged",
    (message) => (message.own && message.kind === "r" && message.map.get(4) === 1 ? [] : undefined),
  ],
  [
    "dispatched again",
    "duplicate.dispatched",
    "2 dispatches",
    (message) => (isDispatched(message) ? [message, message] : undefined),
  ],
  [
    "answered anew",
    "duplicate.dispatched",
    "it got another answer",
    (message) =>
      isTerminal(message) ? [changed(message, { 10: Math.floor(Math.random() * 2 ** 30) })] : undefined,
  ],
  ["spoofing forgiven", "spoof.sender", "expected forbidden, got bad-request", refusesAs(10, 1)],
  [
    "victims told",
    "spoof.sender",
    "the node whose name was used got an answer",
    (message) => (isTerminal(message) && errorOf(message) === 10 ? [message, passedOn(message)] : undefined),
  ],
  ["replays", "replay.boot", "boot 49 after 50: expected forbidden, got success", refusesAs(10, undefined)],
  ["no retry", "queue.node-busy", "busy without retryAfterMs", refusesAs(7, 7)],
  ["never busy", "queue.node-busy", "0 of 6 were refused as busy", refusesAs(7, 16)],
  [
    "window",
    "queue.node-busy",
    "at the node at once",
    (message) => (isDispatched(message) ? [message, message] : undefined),
  ],
  [
    "records believed",
    "malformed.records",
    "nothing was dispatched",
    (message) =>
      message.kind === "s" && message.map.get(1) === "other"
        ? [changed(message, { 1: message.topic.split("/")[2] })]
        : undefined,
  ],
  [
    "answers nobody asked for",
    "malformed.dropped-q",
    "answers to what nobody asked",
    (message) =>
      message.kind === "q" && !message.map.has(1)
        ? [message, { ...passedOn(message), payload: encodeCbor(map({ 0: 1 })) }]
        : undefined,
  ],
  ["order", "order.operation-deadline", "expected unknown-operation, got deadline", refusesAs(2, 8)],
  ["order of access", "order.operation-deadline", "expected forbidden, got deadline", refusesAs(10, 8)],
  ["path lost", "forward.neighbour", "the server is not in the path", forwardsWith({ 13: undefined })],
  ["hops lost", "forward.neighbour", "the hops left are not told", forwardsWith({ 12: undefined })],
  ["deadline forwarded", "forward.neighbour", "the deadline grew", forwardsWith({ 10: 9_999 })],
  ["identity forwarded", "forward.neighbour", "another identity", forwardsWith({ 3: "other" })],
  ["far node hidden", "forward.neighbour", "executing node edge", answersWith({ 5: self })],
  ["loops", "forward.loops", "its own id in the path: expected no-capable-node", refusesAs(3, 5)],
  ["hops", "forward.loops", "no hops left: expected hops-exhausted", refusesAs(9, 3)],
  [
    "goes round",
    "forward.loops",
    "its own id in the path: it was forwarded again",
    (message) =>
      message.bus === "neighbour" && message.kind === "x"
        ? [{ ...message, topic: `t1/${message.topic.split("/")[1] ?? ""}/q/${self}` }, message]
        : undefined,
  ],
  [
    "operation forbidden",
    "error.unknown-operation",
    "expected unknown-operation, got forbidden",
    refusesAs(2, 10),
  ],
  ["sensor of another", "collect.refused", "expected not-found, got no-capable-node", refusesAs(5, 3)],
  [
    "forwarded too",
    "forward.local-before",
    "it was forwarded too",
    (message, toNeighbour) => {
      if (isDispatched(message)) toNeighbour({ ...message, topic: `t1/kit-next/q/${self}` });
      return undefined;
    },
  ],
];

export const completeFaults: readonly CompleteFault[] = faults.map(([name, rule, says, tamper]) => ({
  name,
  rule,
  says,
  tamper,
}));
