/**
 * A firmware node under test: talks to it over the simulated platform in decoded CBOR. It knows the envelope's keys, and
 * nothing of the firmware's classes: the test makes the node.
 */
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import type { Published, SimulatedPlatform } from "../../host/runtime/simulated-platform.js";

export type CborMap = Map<number, unknown>;

/** An answer of the node, by the keys of docs/protocol.cddl. */
export interface DecodedAnswer {
  readonly id: number;
  readonly boot: number;
  readonly sender: string;
  readonly stage: number;
  readonly node: string;
  readonly error: CborMap | undefined;
  readonly result: Map<number | string, unknown> | undefined;
  readonly output: Uint8Array | undefined;
  readonly descriptor: CborMap | undefined;
  readonly queuedUs: number | undefined;
  readonly executedUs: number | undefined;
  readonly bytes: Uint8Array;
}

export interface RequestFields {
  readonly id?: number;
  readonly boot?: number;
  readonly sender?: string;
  readonly operation?: string;
  readonly selector?: CborMap;
  readonly arguments?: Map<number, unknown>;
  readonly input?: Uint8Array | string;
  readonly descriptor?: CborMap;
  readonly accept?: CborMap;
  readonly deadlineMs?: number;
  readonly priority?: number;
  readonly brief?: unknown;
}

let nextId = 1;

/** Decodes CBOR with maps as Map, strictly. */
export function decodeCbor(bytes: Uint8Array): unknown {
  return decode(bytes, { useMaps: true, strict: true, rejectDuplicateMapKeys: true });
}

/** Deterministic CBOR. */
export function encodeCbor(value: unknown): Uint8Array {
  return encode(value, rfc8949EncodeOptions);
}

/** A request envelope; the id counts up unless given. */
export function encodeRequest(fields: RequestFields): Uint8Array {
  const map = new Map<number, unknown>([
    [0, 1],
    [1, fields.id ?? nextId++],
    [2, fields.boot ?? 1],
    [3, fields.sender ?? "edge-1"],
    [4, fields.operation ?? "node.monitor"],
  ]);
  const optional: [number, unknown][] = [
    [5, fields.selector],
    [6, fields.arguments],
    [7, fields.input],
    [8, fields.descriptor],
    [9, fields.accept],
    [10, fields.deadlineMs],
    [11, fields.priority],
    [14, fields.brief],
  ];
  for (const [key, value] of optional) if (value !== undefined) map.set(key, value);
  return encodeCbor(map);
}

function asMap(value: unknown): CborMap | undefined {
  return value instanceof Map ? (value as CborMap) : undefined;
}

export function decodeAnswer(bytes: Uint8Array): DecodedAnswer {
  const map = decodeCbor(bytes);
  if (!(map instanceof Map)) throw new TypeError("an answer is a map");
  const keys = [...(map as CborMap).keys()];
  if (keys.some((k, i) => i > 0 && k <= (keys[i - 1] ?? -1)))
    throw new TypeError(`keys do not ascend: ${keys}`);
  return {
    id: Number(map.get(1)),
    boot: Number(map.get(2)),
    sender: String(map.get(3)),
    stage: Number(map.get(4)),
    node: String(map.get(5)),
    error: asMap(map.get(6)),
    result: asMap(map.get(7)),
    output: map.get(8) instanceof Uint8Array ? (map.get(8) as Uint8Array) : undefined,
    descriptor: asMap(map.get(9)),
    queuedUs: map.get(10) as number | undefined,
    executedUs: map.get(11) as number | undefined,
    bytes,
  };
}

/** The bus as the server sees it. */
export class NodeUnderTest {
  constructor(readonly platform: SimulatedPlatform) {}

  send(fields: RequestFields): void {
    this.sendRaw(encodeRequest(fields));
  }

  /** Throws when the node does not listen. */
  sendRaw(payload: Uint8Array): void {
    const topic = [...this.platform.subscriptions].find((t) => t.endsWith("/x"));
    if (topic === undefined || !this.platform.deliver(topic, payload))
      throw new Error("the node does not listen");
  }

  /** Removes and returns the answers published so far. */
  answers(): DecodedAnswer[] {
    return this.platform.takePublished("/y").map((p: Published) => decodeAnswer(p.payload));
  }

  /** Sends and gives the terminal answer; lets at most `ms` pass. Throws when there is not exactly one. */
  ask(fields: RequestFields, ms = 0): DecodedAnswer {
    this.answers();
    this.send(fields);
    if (ms > 0) this.platform.advance(ms);
    const done = this.answers().filter((a) => a.stage === 2);
    if (done.length !== 1 || done[0] === undefined) throw new Error(`${done.length} terminal answers`);
    return done[0];
  }
}

/** The name of an error code of docs/protocol.cddl. */
export function errorName(answer: DecodedAnswer): string {
  const names = [
    "none",
    "bad-request",
    "unknown-operation",
    "no-capable-node",
    "descriptor-mismatch",
    "not-found",
    "too-large",
    "busy",
    "deadline",
    "hops-exhausted",
    "forbidden",
    "version",
    "corrupt",
    "no-space",
    "function-failed",
    "cancelled",
    "internal",
  ];
  return names[Number(answer.error?.get(0) ?? 0)] ?? "?";
}

/** `errorName` and the field it names: "descriptor-mismatch input.shape". */
export function errorAt(answer: DecodedAnswer): string {
  return `${errorName(answer)} ${String(answer.error?.get(2) ?? "")}`.trim();
}
