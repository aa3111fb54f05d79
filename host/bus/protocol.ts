/**
 * The payloads of the bus as typed values, and their CBOR (RFC 8949, deterministic). Reading is strict about what
 * docs/protocol.cddl fixes and blind to keys it does not name; a payload that breaks it is a `ProtocolError`, never
 * a half-read value. It sends nothing.
 */
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import { z } from "zod";
import {
  answerKeys,
  birthKeys,
  errorCodes,
  eventKeys,
  protocolVersion,
  requestKeys,
  stateKeys,
  type ErrorName,
  type Keys,
} from "./protocol-keys.js";
import { fromMap, isRecord, toMap } from "./keyed-maps.js";
import { operationDefinition } from "./operations/catalogue.js";
import { keysOf } from "./operations/definition.js";
import { driftSummary } from "./operations/node.js";

/** A payload that is not CBOR, or not what the schema says. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

// ---- shapes ----------------------------------------------------------------------------------------------

const counter = z.number().int().min(0).max(0xffffffff);
const nodeId = z.string().regex(/^[0-9a-z-]{1,23}$/);
const name = z.string().regex(/^[a-z0-9._-]{1,32}$/);
const bytes = z.instanceof(Uint8Array);
const whole = z.number().int().min(0);
const version = z.literal(protocolVersion);

/** @internal */
export const descriptorSchema = z.object({
  elementType: z.number().int().min(0).max(8).optional(),
  shape: z.array(z.number().int().min(-1)).max(6).optional(),
  format: z.number().int().min(0).max(4).optional(),
  rate: z.number().optional(),
  unit: z.string().min(1).max(15).optional(),
  scale: z.number().optional(),
  zeroPoint: z.number().int().optional(),
  usage: z.number().int().min(0).max(4).optional(),
  labels: z.array(z.string()).optional(),
  features: z.array(z.string()).optional(),
  count: whole.optional(),
  bytes: whole.optional(),
  ttl: whole.optional(),
  digest: bytes.optional(),
});

const answer = z.object({
  version,
  id: counter,
  boot: counter,
  sender: nodeId.optional(),
  stage: z.union([z.literal(1), z.literal(2)]),
  node: nodeId,
  error: z
    .object({
      code: z.number().int().min(1).max(16),
      text: z.string().optional(),
      field: z.string().optional(),
      retryAfterMs: counter.optional(),
      trap: z.number().int().min(1).max(8).optional(),
      site: whole.optional(),
    })
    .optional(),
  result: z.map(z.number(), z.unknown()).optional(),
  output: z.union([bytes, z.string()]).optional(),
  outputDescriptor: descriptorSchema.optional(),
  queueUs: counter.optional(),
  executionUs: counter.optional(),
});

const birth = z.object({
  version,
  node: nodeId,
  boot: counter,
  kind: z.union([z.literal(0), z.literal(1)]),
  software: name,
  softwareVersion: z.string(),
  maxMsg: whole,
  queue: whole,
  operations: z.array(name).min(1),
  sensors: z
    .array(
      z.object({
        name,
        channels: whole,
        unit: z.string().optional(),
        rate: z.number().optional(),
        highestRate: z.number().optional(),
        channelNames: z.array(z.string()).optional(),
        range: z.tuple([z.number(), z.number()]).optional(),
      }),
    )
    .optional(),
  models: z
    .array(
      z.object({
        name,
        version: z.string(),
        digest: bytes.optional(),
        task: z.string().optional(),
        inputs: z.array(descriptorSchema).min(1),
        outputs: z.array(descriptorSchema).min(1),
        preprocessing: z.string().optional(),
        runtime: z.string().optional(),
        kernels: z.array(z.string()).optional(),
        cost: z
          .object({
            flash: whole.optional(),
            ram: whole.optional(),
            stack: whole.optional(),
            macs: whole.optional(),
          })
          .optional(),
      }),
    )
    .optional(),
  functions: z
    .array(
      z.object({
        name,
        version: z.string(),
        input: descriptorSchema.optional(),
        output: descriptorSchema.optional(),
        kind: whole.optional(),
      }),
    )
    .optional(),
  labels: z.array(z.string()).optional(),
  actuators: z
    .array(
      z.object({
        name,
        channels: whole,
        unit: z.string(),
        range: z.tuple([z.number(), z.number()]),
        channelNames: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});

const counters = z.object({
  received: counter,
  answered: counter,
  malformed: counter,
  tooLarge: counter,
  duplicates: counter,
  traps: counter,
  reconnects: counter,
  unsent: counter,
  errors: z.map(z.number(), counter),
});

const state = z.object({
  version,
  node: nodeId,
  boot: counter,
  online: z.boolean(),
  resetReason: z.number().int().min(0).max(6).optional(),
  uptimeS: counter.optional(),
  errorFlags: counter.optional(),
  counters: counters.optional(),
});

const event = z.object({ version, node: nodeId, boot: counter, number: counter, name, value: z.unknown() });

const monitored = z.object({
  uptimeS: counter,
  boot: counter,
  resetReason: z.number().int().min(0).max(6),
  errorFlags: counter,
  counters,
  active: whole,
  stackFree: counter.optional(),
  peaks: z.object({ jobs: counter, unsent: counter, frames: counter }).optional(),
  crash: z.object({ kind: whole, site: counter, boot: counter, work: z.string() }).optional(),
  trap: z.object({ kind: whole, site: counter }).optional(),
  drift: z.array(driftSummary).optional(),
});

const configured = z.object({ settings: z.map(z.string(), z.union([z.number(), z.boolean()])) });

const collected = z.object({
  frames: whole,
  lost: whole,
  /** Mode summary: [mean, min, max, rms] by channel. */
  channels: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])).optional(),
});

const inferred = z.object({
  label: z.string(),
  score: z.number(),
  index: whole,
  model: z.string(),
  lost: whole.optional(),
});

export type Descriptor = z.infer<typeof descriptorSchema>;
export type Answer = z.infer<typeof answer>;
export type Birth = z.infer<typeof birth>;
export type State = z.infer<typeof state>;
export type Event = z.infer<typeof event>;
export type Counters = z.infer<typeof counters>;

/** What each operation of a minimal node answers. */
export interface ResultOf {
  readonly "node.describe": Birth;
  readonly "node.monitor": z.infer<typeof monitored>;
  readonly "node.configure": z.infer<typeof configured>;
  readonly "data.collect": z.infer<typeof collected>;
  readonly "model.infer": z.infer<typeof inferred>;
}

const results: { readonly [K in keyof ResultOf]: z.ZodType<ResultOf[K]> } = {
  "node.describe": birth,
  "node.monitor": monitored,
  "node.configure": configured,
  "data.collect": collected,
  "model.infer": inferred,
};

export interface Selector {
  /** "name" or "name@version" of a function or model. */
  readonly name?: string;
  readonly task?: string;
  readonly node?: string;
  readonly labels?: readonly string[];
}

export interface Request {
  readonly id: number;
  readonly boot: number;
  readonly sender: string;
  readonly operation: string;
  readonly selector?: Selector;
  /** Named as in protocol-keys.ts, e.g. `{ sensor: "accelerometer", frames: 16 }`. */
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** Inline bytes, or a reference such as "sensor:accelerometer". */
  readonly input?: Uint8Array | string;
  readonly inputDescriptor?: Partial<Descriptor>;
  readonly acceptedOutput?: Partial<Descriptor>;
  readonly deadlineMs?: number;
  readonly priority?: number;
  /** The sender can do without `accepted` when the work ends at once. */
  readonly brief?: boolean;
}

// ---- bytes -------------------------------------------------------------------------------------------------

/** Any value as deterministic CBOR: what the tests use to make payloads that break the rules. */
export function encodeCbor(value: unknown): Uint8Array {
  return encode(value, rfc8949EncodeOptions);
}

/**
 * One CBOR item and nothing after it; maps become `Map`. Heads may be longer than needed; indefinite lengths, keys that
 * stand twice, and envelopes whose keys do not ascend are refused. @throws ProtocolError
 */
export function decodeCbor(payload: Uint8Array): unknown {
  try {
    const item: unknown = decode(payload, {
      useMaps: true,
      strict: false,
      allowIndefinite: false,
      rejectDuplicateMapKeys: true,
    });
    if (item instanceof Map) {
      const keys = [...item.keys()].filter((key) => typeof key === "number" && key >= 0) as number[];
      if (keys.some((key, i) => key < (keys[i - 1] ?? 0))) throw new Error("keys do not ascend");
    }
    return item;
  } catch (error) {
    throw new ProtocolError(
      `not deterministic CBOR: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** @throws TypeError for an argument that the operation does not have: a mistake of the caller. */
export function encodeRequest(request: Request): Uint8Array {
  const args =
    request.arguments === undefined
      ? undefined
      : toMap(keysOf(operationDefinition(request.operation)?.arguments ?? {}), request.arguments);
  return encodeCbor(toMap(requestKeys, { version: protocolVersion, ...request, arguments: args }));
}

/** @internal A value of that shape, or a ProtocolError that says what is wrong. */
export function readAs<T>(what: string, keys: Keys, schema: z.ZodType<T>, item: unknown): T {
  const result = schema.safeParse(fromMap(keys, item));
  if (!result.success) {
    const issues = result.error.issues.map(
      (issue) => `${issue.path.join(".") || "payload"}: ${issue.message}`,
    );
    throw new ProtocolError(`not a ${what}: ${issues.join("; ")}`);
  }
  return result.data;
}

/** @throws ProtocolError, as the three below. */
export function decodeAnswer(payload: Uint8Array): Answer {
  return readAs("answer", answerKeys, answer, decodeCbor(payload));
}

export function decodeBirth(payload: Uint8Array): Birth {
  return readAs("birth record", birthKeys, birth, decodeCbor(payload));
}

export function decodeState(payload: Uint8Array): State {
  return readAs("state", stateKeys, state, decodeCbor(payload));
}

export function decodeEvent(payload: Uint8Array): Event {
  return readAs("event", eventKeys, event, decodeCbor(payload));
}

const resultKeysOf = (operation: string): Keys => keysOf(operationDefinition(operation)?.result ?? {});

/** The result of a successful answer to `operation`. @throws ProtocolError also when there is none. */
export function resultOf<K extends keyof ResultOf>(operation: K, from: Answer): ResultOf[K] {
  const schema: z.ZodType<ResultOf[K]> = results[operation];
  return readAs(`result of ${operation}`, resultKeysOf(operation), schema, from.result);
}

/** The result of a successful answer by names, as its definition has them; unknown keys are left out. */
export function namedResult(operation: string, from: Answer): Record<string, unknown> {
  const named = plain(fromMap(resultKeysOf(operation), from.result ?? new Map()));
  return isRecord(named) ? { ...named } : {};
}

/** Maps with text keys as objects. */
function plain(value: unknown): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, content]) => [String(key), plain(content)]));
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  return isRecord(value)
    ? Object.fromEntries(Object.entries(value).map(([key, content]) => [key, plain(content)]))
    : value;
}

/** "busy" for 7. */
export function errorName(code: number): ErrorName | undefined {
  return (Object.keys(errorCodes) as ErrorName[]).find((key) => errorCodes[key] === code);
}
