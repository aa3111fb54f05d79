/**
 * The kit's own reading and writing of payloads, by the integer keys of docs/protocol.cddl and with an ordinary CBOR
 * library: nothing of host/bus, so that a mistake there cannot hide itself.
 */
import { decode, encode, rfc8949EncodeOptions } from "cborg";

export type CborMap = Map<number | string, unknown>;

export function encodeCbor(value: unknown): Uint8Array {
  return encode(value, rfc8949EncodeOptions);
}

/** One item; maps become Map. Heads may be longer than needed: `error.forms` judges them. @throws Error */
export function decodeCbor(bytes: Uint8Array): unknown {
  return decode(bytes, {
    useMaps: true,
    strict: false,
    allowIndefinite: false,
    rejectDuplicateMapKeys: true,
  });
}

export function map(entries: Readonly<Record<number, unknown>>): CborMap {
  const keys = Object.keys(entries).map(Number);
  return new Map(keys.filter((key) => entries[key] !== undefined).map((key) => [key, entries[key]]));
}

/** Names for the keys of a request; undefined members are left out. */
export interface RequestFields {
  readonly version?: number;
  readonly id?: number;
  readonly boot?: number;
  readonly sender?: string | undefined;
  readonly operation?: unknown;
  readonly selector?: CborMap;
  readonly arguments?: CborMap;
  readonly input?: Uint8Array | string;
  readonly descriptor?: CborMap;
  readonly accept?: CborMap;
  readonly deadlineMs?: number;
  readonly priority?: number;
  readonly hops?: number;
  readonly path?: readonly string[];
  /** Further keys. */
  readonly more?: Readonly<Record<number, unknown>>;
}

export function requestMap(fields: RequestFields): CborMap {
  return map({
    0: fields.version ?? 1,
    1: fields.id,
    2: fields.boot,
    3: fields.sender,
    4: fields.operation,
    5: fields.selector,
    6: fields.arguments,
    7: fields.input,
    8: fields.descriptor,
    9: fields.accept,
    10: fields.deadlineMs,
    11: fields.priority,
    12: fields.hops,
    13: fields.path,
    ...fields.more,
  });
}

export interface ErrorView {
  readonly code: number;
  readonly text: string | undefined;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;
}

/** A message as it came. */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
  /** ms, of performance.now(). */
  readonly at: number;
}

export interface Answer {
  readonly message: Message;
  readonly map: CborMap;
  readonly id: unknown;
  readonly boot: unknown;
  readonly sender: unknown;
  readonly stage: unknown;
  readonly node: unknown;
  readonly error: ErrorView | undefined;
  readonly result: CborMap | undefined;
  readonly output: unknown;
  readonly descriptor: CborMap | undefined;
}

function asMap(value: unknown): CborMap | undefined {
  return value instanceof Map ? (value as CborMap) : undefined;
}

/** Undefined when the payload is no CBOR map. */
export function readMap(payload: Uint8Array): CborMap | undefined {
  try {
    return asMap(decodeCbor(payload));
  } catch {
    return undefined;
  }
}

export function readAnswer(message: Message): Answer | undefined {
  const found = readMap(message.payload);
  if (found === undefined) return undefined;
  const error = asMap(found.get(6));
  return {
    message,
    map: found,
    id: found.get(1),
    boot: found.get(2),
    sender: found.get(3),
    stage: found.get(4),
    node: found.get(5),
    error:
      error === undefined
        ? undefined
        : {
            code: Number(error.get(0)),
            text: error.get(1) as string | undefined,
            field: error.get(2) as string | undefined,
            retryAfterMs: error.get(3) as number | undefined,
          },
    result: asMap(found.get(7)),
    output: found.get(8),
    descriptor: asMap(found.get(9)),
  };
}

export const errorNames = [
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
] as const;

export type ErrorName = (typeof errorNames)[number];

/** "busy", "busy in arguments.rate", "success" or "code 99", for people. */
export function outcome(answer: Answer | undefined): string {
  if (answer === undefined) return "no answer";
  const { error } = answer;
  if (error === undefined) return "success";
  const name = errorNames[error.code] ?? `code ${error.code}`;
  return error.field === undefined ? name : `${name} in ${error.field}`;
}
