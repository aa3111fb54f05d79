/**
 * Between the bus and JSON: answers to readable objects, and the inputs of a call to orders. Names instead of numbers,
 * base64 instead of bytes. It checks nothing that the Core Service checks.
 */
import { z } from "zod";
import type { Answer, Descriptor } from "../../bus/protocol.js";
import { errorName } from "../../bus/protocol.js";
import { elementTypes, type Field, type Keys } from "../../bus/protocol-keys.js";
import { common, keysOf, type OperationDefinition } from "../../bus/operations/definition.js";
import { parseReference } from "../../bus/references.js";
import type { ErrorBody } from "./http-errors.js";

const elementNames = Object.keys(elementTypes) as [
  keyof typeof elementTypes,
  ...(keyof typeof elementTypes)[],
];
const formats = ["raw", "cbor", "senml", "csv", "wav"] as const;
const usages = ["training", "test", "validation", "calibration", "inference"] as const;

/** A descriptor of data as people write it. */
export const jsonDescriptor = z
  .strictObject({
    elementType: z.enum(elementNames).optional(),
    /** At most 6 dimensions; -1 any. */
    shape: z.array(z.number().int().min(-1)).max(6).optional(),
    format: z.enum(formats).optional(),
    rate: z.number().optional(),
    unit: z.string().min(1).max(15).optional(),
    scale: z.number().optional(),
    zeroPoint: z.number().int().optional(),
    usage: z.enum(usages).optional(),
    labels: z.array(common.label).max(1000).optional(),
    features: z.array(common.label).max(1000).optional(),
    count: common.count.optional(),
    bytes: common.count.optional(),
    ttl: common.count.optional(),
    digest: common.digest.optional(),
  })
  .meta({ id: "Descriptor" });

export type JsonDescriptor = z.infer<typeof jsonDescriptor>;

export function toDescriptor(json: JsonDescriptor): Partial<Descriptor> {
  const { elementType, format, usage, digest, ...same } = json;
  return {
    ...(same as Partial<Descriptor>),
    ...(elementType === undefined ? {} : { elementType: elementTypes[elementType] }),
    ...(format === undefined ? {} : { format: formats.indexOf(format) }),
    ...(usage === undefined ? {} : { usage: usages.indexOf(usage) }),
    ...(digest === undefined ? {} : { digest: Buffer.from(digest, "hex") }),
  };
}

/** A number that this protocol does not know is left out. */
export function fromDescriptor(descriptor: Partial<Descriptor>): JsonDescriptor {
  const { elementType, format, usage, digest, ...same } = descriptor;
  const element = elementNames.find((name) => elementTypes[name] === elementType);
  const known = {
    elementType: element,
    format: format === undefined ? undefined : formats[format],
    usage: usage === undefined ? undefined : usages[usage],
    digest: digest === undefined ? undefined : Buffer.from(digest).toString("hex"),
  };
  return {
    ...(same as JsonDescriptor),
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
  };
}

export const jsonInput = z.union([
  z.strictObject({ base64: z.base64().describe("inline bytes") }),
  z.strictObject({
    reference: z
      .string()
      .max(200)
      .refine(
        (text) => parseReference(text) !== undefined,
        "sensor:NAME, data:NAME[/USAGE], blob:DIGEST or model:NAME",
      )
      .describe("sensor:NAME, data:NAME[/USAGE], blob:DIGEST, model:NAME[@VERSION]"),
  }),
]);

export type JsonInput = z.infer<typeof jsonInput>;

export function toInput(json: JsonInput): Uint8Array | string {
  return "base64" in json ? new Uint8Array(Buffer.from(json.base64, "base64")) : json.reference;
}

/** Anything that came over the bus as JSON can say it: maps to objects, bytes to base64, big integers to numbers. */
export function jsonValue(value: unknown): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), jsonValue(item)]));
  }
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  }
  if (Array.isArray(value)) return value.map(jsonValue);
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonValue(item)]));
  }
  return value;
}

/** A map with integer keys by the names of `keys`; members without a name are left out. */
function named(keys: Keys, value: unknown): unknown {
  if (!(value instanceof Map)) return jsonValue(value);
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(keys)) {
    const content: unknown = value.get(typeof field === "number" ? field : field.key);
    if (content !== undefined) result[name] = member(field, content);
  }
  return result;
}

function member(field: Field, content: unknown): unknown {
  if (typeof field === "number") return jsonValue(content);
  if ("map" in field) return named(field.map, content);
  return Array.isArray(content) ? content.map((item) => named(field.list, item)) : jsonValue(content);
}

/** The result of a successful answer, by name; {} when there is none. */
export function jsonResult(definition: OperationDefinition, answer: Answer): Record<string, unknown> {
  return named(keysOf(definition.result), answer.result ?? new Map()) as Record<string, unknown>;
}

/** @param answer one with an error */
export function jsonError(answer: Answer): ErrorBody {
  const { code = 16, text = "", field, retryAfterMs, trap, site } = answer.error ?? {};
  return {
    error: {
      code: errorName(code) ?? "internal",
      text,
      ...(field === undefined ? {} : { field }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(trap === undefined ? {} : { trap }),
      ...(site === undefined ? {} : { site }),
    },
    node: answer.node,
  };
}
