/** What rules of complete nodes do with played nodes: a sensor of its own for each rule, requests for it, and its answers. */
import { Violation, type Exchange, type Sent } from "./probe.js";
import { must, mustSucceed, type PlayedNode, type PlayedNodeOptions, type RuleContext } from "./rule.js";
import { map, outcome, type CborMap, type RequestFields } from "./wire.js";

let count = 0;
/** No name is used twice: nothing that a rule left behind disturbs the next. */
export function fresh(what: string): string {
  return `kit-${what}-${++count}`;
}

export function collectFrom(sensor: string, more: RequestFields = {}): RequestFields {
  return {
    operation: "data.collect",
    arguments: map({ 0: sensor, 1: 1, 2: 10 }),
    deadlineMs: 4_000,
    ...more,
  };
}

export function withSensor(sensor: string, more: PlayedNodeOptions = {}): PlayedNodeOptions {
  return {
    operations: ["data.collect", "node.describe", "node.monitor"],
    sensors: [map({ 0: sensor, 1: 1, 3: 10, 4: 100 })],
    ...more,
  };
}

/** A played node and its sensor, known to the server. */
export async function sensorNode(
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
export async function known(context: RuleContext, node: PlayedNode): Promise<void> {
  const { done } = await node.probe.ask({ operation: "node.monitor", selector: map({ 2: context.node }) });
  must(done.error === undefined, `the server does not serve ${node.id}: ${outcome(done)}`);
}

/** The next that is dispatched to the node; it is acknowledged, as a node does at once. */
export async function nextRequest(node: PlayedNode, index = 0, ms = 3_000): Promise<CborMap> {
  const request = await node.wire.until(() => node.requests()[index], ms);
  if (request === undefined) throw new Violation(`nothing was dispatched to ${node.id} within ${ms} ms`);
  await node.answer(request, { 4: 1 });
  return request;
}

export const sample = {
  7: map({ 0: 1, 1: 0 }),
  8: new Uint8Array(4),
  9: map({ 0: 6, 1: [1, 1] }),
  10: 12,
  11: 34,
};

/** The node does the request that was dispatched to it, and its answer must come back. */
export async function serve(
  context: RuleContext,
  node: PlayedNode,
  sent: Sent,
  what = "the request",
): Promise<Exchange> {
  await node.answer(await nextRequest(node), sample);
  const exchange = await context.probe.finish(sent);
  mustSucceed(exchange.done, what);
  return exchange;
}

/** A request for the sensor of the node, sent, done and answered. */
export async function collected(
  context: RuleContext,
  node: PlayedNode,
  sensor: string,
  what?: string,
): Promise<Exchange> {
  return serve(context, node, await context.probe.send(collectFrom(sensor)), what);
}

/** When the server answers the kit again, it has done what was told it before: no second terminal answer can come. */
export async function mustEndOnce({ probe }: RuleContext, sent: Sent): Promise<void> {
  await probe.settle();
  const terminal = probe.answersTo(sent).filter(({ stage }) => stage === 2);
  must(terminal.length === 1, `${terminal.length} terminal answers`);
}
