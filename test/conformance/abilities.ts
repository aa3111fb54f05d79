/** What the node under test can do, and requests that use it: its counters, sensors, models, settings. */
import type { Exchange } from "./probe.js";
import { applies, must, mustSucceed, type RuleContext } from "./rule.js";
import { map, type CborMap, type RequestFields } from "./wire.js";

/** Selects the node under test, so that no other node is asked. */
export function here({ node }: RuleContext): CborMap {
  return map({ 2: node });
}

export async function countersOf({ probe, node }: RuleContext): Promise<CborMap> {
  const { done } = await probe.ask({ operation: "node.monitor", selector: map({ 2: node }) });
  mustSucceed(done, "node.monitor");
  const counters = done.result?.get(4);
  must(counters instanceof Map, "node.monitor tells no counters");
  return counters as CborMap;
}
interface SensorInfo {
  readonly name: string;
  readonly channels: number;
  /** A rate that it surely has. */
  readonly rate: number;
}

export function sensorOf(context: RuleContext): SensorInfo {
  const operations = context.birth().get(8) as string[];
  const sensor = ((context.birth().get(9) ?? []) as CborMap[])[0];
  applies(operations.includes("data.collect"), "the node does not offer data.collect");
  if (sensor === undefined && context.sensor !== undefined) return context.sensor;
  applies(sensor !== undefined, "the node has no sensor");
  const rate = Math.min(Number(sensor.get(3) ?? 100), Number(sensor.get(4) ?? 100), 100);
  return { name: String(sensor.get(0)), channels: Number(sensor.get(1)), rate };
}

/** data.collect of a summary that takes about `ms`. */
export function work(context: RuleContext, ms: number, more: RequestFields = {}): RequestFields {
  const { name, rate } = sensorOf(context);
  const frames = Math.max(1, Math.round((ms * rate) / 1000));
  return {
    operation: "data.collect",
    selector: here(context),
    arguments: map({ 0: name, 1: frames, 2: rate, 3: 1 }),
    ...more,
  };
}

export async function collect(
  context: RuleContext,
  args: CborMap,
  more: RequestFields = {},
): Promise<Exchange> {
  return context.probe.ask({ operation: "data.collect", selector: here(context), arguments: args, ...more });
}

interface ModelInfo {
  readonly name: string;
  readonly version: string;
  readonly task: string | undefined;
  readonly input: CborMap;
  readonly output: CborMap;
  readonly elements: number;
}

export function modelOf(context: RuleContext): ModelInfo {
  const operations = context.birth().get(8) as string[];
  applies(operations.includes("model.infer"), "the node does not offer model.infer");
  const model = ((context.birth().get(10) ?? []) as CborMap[]).find((each) => {
    const [input] = each.get(4) as CborMap[];
    const dimensions = input?.get(1) as number[] | undefined;
    return input?.get(0) === 0 && dimensions !== undefined && dimensions.every((size) => size > 0);
  });
  applies(model !== undefined, "the node has no model with an i8 input of known shape");
  const input = (model.get(4) as CborMap[])[0] ?? new Map();
  return {
    name: String(model.get(0)),
    version: String(model.get(1)),
    task: model.get(3) as string | undefined,
    input,
    output: (model.get(5) as CborMap[])[0] ?? new Map(),
    elements: (input.get(1) as number[]).reduce((product, size) => product * size, 1),
  };
}

export function changed(descriptor: CborMap, entries: Readonly<Record<number, unknown>>): CborMap {
  const copy = new Map(descriptor);
  for (const [key, value] of Object.entries(entries)) {
    if (value === undefined) copy.delete(Number(key));
    else copy.set(Number(key), value);
  }
  return new Map([...copy].sort(([a], [b]) => Number(a) - Number(b)));
}

export async function infer(context: RuleContext, fields: RequestFields): Promise<Exchange> {
  const { name } = modelOf(context);
  return context.probe.ask({
    operation: "model.infer",
    selector: map({ 0: name, 2: context.node }),
    ...fields,
  });
}

export async function settingsOf(context: RuleContext): Promise<CborMap> {
  const operations = context.birth().get(8) as string[];
  applies(operations.includes("node.configure"), "the node does not offer node.configure");
  const { done } = await context.probe.ask({ operation: "node.configure", selector: here(context) });
  if (done.error?.code === 10) applies(false, "the kit may not configure this node");
  mustSucceed(done, "node.configure");
  const settings = done.result?.get(0);
  must(settings instanceof Map, "node.configure does not answer with the settings");
  return settings as CborMap;
}
