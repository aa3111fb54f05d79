/**
 * What a complete node announces of itself to a neighbouring server: a birth record of all that it and its nodes can do,
 * and its state; also the last will of its connection. It subscribes nothing.
 */
import { encodeCbor, type Birth } from "../../bus/protocol.js";
import { birthKeys, protocolVersion, stateKeys } from "../../bus/protocol-keys.js";
import { toMap } from "../../bus/keyed-maps.js";
import type { CoreCounters } from "./core-counters.js";
import type { NeighbourLink } from "./neighbour-link.js";
import type { Registry } from "./registry.js";

/** What a birth record tells beside operations. */
export type Abilities = Pick<Birth, "sensors" | "models" | "functions">;

export interface OwnRecord {
  readonly id: string;
  readonly boot: number;
  readonly labels: readonly string[];
  readonly version: string;
  readonly messageBytes: number;
  readonly queue: number;
  readonly operations: readonly string[];
  /** Of this node itself: its sensors, the models and functions that it offers. */
  readonly abilities: Abilities;
  readonly registry: Registry;
  readonly counters: CoreCounters;
}

/** Kinds of models, functions and sensors that are told; more than that is found out by asking. */
const mostTold = 32;

/** The last will of a connection to a neighbour: to `t1/<neighbour>/<id>/s`, retained. */
export function willOf(id: string, boot: number): Uint8Array {
  return encodeState(id, boot, false);
}

function encodeState(
  id: string,
  boot: number,
  online: boolean,
  more: Readonly<Record<string, unknown>> = {},
): Uint8Array {
  return encodeCbor(toMap(stateKeys, { version: protocolVersion, node: id, boot, online, ...more }));
}

/** `all`: with what its nodes can do. */
export function birthOf(own: OwnRecord, all: boolean): Birth {
  const operations = new Set(own.operations);
  const models = new Map<string, NonNullable<Birth["models"]>[number]>();
  const functions = new Map<string, NonNullable<Birth["functions"]>[number]>();
  const sensors = new Map<string, NonNullable<Birth["sensors"]>[number]>();
  const tell = (abilities: Abilities): void => {
    for (const m of abilities.models ?? [])
      if (models.size < mostTold) models.set(`${m.name}@${m.version}`, m);
    for (const f of abilities.functions ?? [])
      if (functions.size < mostTold) functions.set(`${f.name}@${f.version}`, f);
    for (const s of abilities.sensors ?? []) if (sensors.size < mostTold) sensors.set(s.name, s);
  };
  tell(own.abilities);
  for (const { record } of all ? own.registry.abilities() : []) {
    // What another server can do is asked of that server: its path leads there.
    for (const name of record.operations) operations.add(name);
    tell(record);
  }
  return {
    version: protocolVersion,
    node: own.id,
    boot: own.boot,
    kind: 1,
    software: "tmc",
    softwareVersion: own.version,
    maxMsg: own.messageBytes,
    queue: own.queue,
    operations: [...operations].sort(),
    ...(sensors.size > 0 ? { sensors: [...sensors.values()] } : {}),
    ...(models.size > 0 ? { models: [...models.values()] } : {}),
    ...(functions.size > 0 ? { functions: [...functions.values()] } : {}),
    ...(own.labels.length > 0 ? { labels: [...own.labels] } : {}),
  };
}

/** Birth and state, retained; `online` false: only that it leaves. */
export async function announce(link: NeighbourLink, own: OwnRecord, online: boolean): Promise<void> {
  const retained = { qos: 1, retain: true } as const;
  if (!online) {
    await link.connection.publish(link.topic("s"), encodeState(own.id, own.boot, false), retained);
    return;
  }
  const birth = birthOf(own, true);
  // A server that can do nothing announces nothing: a birth record names at least one operation.
  if (birth.operations.length === 0) return;
  const more = {
    resetReason: 0,
    uptimeS: Math.floor(process.uptime()),
    errorFlags: 0,
    counters: own.counters.asRecord(),
  };
  await link.connection.publish(link.topic("b"), encodeCbor(toMap(birthKeys, birth)), retained);
  await link.connection.publish(link.topic("s"), encodeState(own.id, own.boot, true, more), retained);
}
