/**
 * Objects with named fields to CBOR maps with integer keys and back, by the tables of protocol-keys.ts; and maps with
 * text keys, which have no table. It checks no values.
 */
import type { Field, Keys } from "./protocol-keys.js";

export function keyOf(field: Field): number {
  return typeof field === "number" ? field : field.key;
}

/** Plain object to CBOR map; undefined fields are left out. @throws TypeError for a field outside the table */
export function toMap(keys: Keys, value: Readonly<Record<string, unknown>>): Map<number, unknown> {
  const map = new Map<number, unknown>();
  for (const [field, content] of Object.entries(value)) {
    const known = Object.hasOwn(keys, field) ? keys[field] : undefined;
    if (known === undefined) {
      throw new TypeError(`no field ${field}: known are ${Object.keys(keys).join(", ")}`);
    }
    if (content === undefined) {
      continue;
    }
    map.set(keyOf(known), nested(known, content));
  }
  return map;
}

function nested(known: Field, content: unknown): unknown {
  if (typeof known === "number") return withoutUndefined(content);
  if ("map" in known) return isRecord(content) ? toMap(known.map, content) : content;
  return Array.isArray(content)
    ? content.map((item: unknown) => (isRecord(item) ? toMap(known.list, item) : item))
    : content;
}

/** CBOR has a value "undefined"; the protocol leaves such members out. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (!isRecord(value)) return value;
  return new Map(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, withoutUndefined(member)]),
  );
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" &&
    value !== null &&
    !(value instanceof Map) &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  );
}

/** CBOR map to plain object; what is no map stays as it is, for the schema to refuse. */
export function fromMap(keys: Keys, value: unknown): unknown {
  if (!(value instanceof Map)) {
    return value;
  }
  const object: Record<string, unknown> = {};
  for (const [field, known] of Object.entries(keys)) {
    const content: unknown = value.get(keyOf(known));
    if (content === undefined) {
      continue;
    }
    if (typeof known === "number") {
      object[field] = content;
    } else if ("map" in known) {
      object[field] = fromMap(known.map, content);
    } else {
      object[field] = Array.isArray(content) ? content.map((item) => fromMap(known.list, item)) : content;
    }
  }
  return object;
}

/** A map of text keys that would change the object it becomes. */
export class UnsafeKeyError extends Error {
  override readonly name = "UnsafeKeyError";
}

/**
 * Maps whose keys are all text become plain objects, at every depth; other maps stay maps.
 * @throws UnsafeKeyError for the key "__proto__"
 */
export function textMapsToObjects(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(textMapsToObjects);
  if (!(value instanceof Map)) return value;
  const entries = [...value].map(([k, v]): [unknown, unknown] => [k, textMapsToObjects(v)]);
  if (!entries.every((entry): entry is [string, unknown] => typeof entry[0] === "string"))
    return new Map(entries);
  const object: Record<string, unknown> = {};
  for (const [name, member] of entries) {
    if (name === "__proto__") throw new UnsafeKeyError("a key is __proto__");
    object[name] = member;
  }
  return object;
}
