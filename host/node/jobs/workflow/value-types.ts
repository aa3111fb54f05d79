/**
 * What is known of a value before it is there: the type of what a step's operation gives, as a JSON schema made of its
 * definition, and whether something that needs another type could take it. Where nothing is known, everything fits.
 */
import { z } from "zod";
import { common } from "../../../bus/operations/definition.js";

/** The part of JSON schema that is looked at. An empty one: anything. */
export interface ValueType {
  readonly type?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: ValueType;
  readonly prefixItems?: readonly ValueType[];
  readonly properties?: Readonly<Record<string, ValueType>>;
  readonly additionalProperties?: ValueType | boolean;
  readonly anyOf?: readonly ValueType[];
}

const known = new WeakMap<z.ZodType, ValueType>();

export function typeOfSchema(schema: z.ZodType): ValueType {
  let type = known.get(schema);
  if (type === undefined) {
    type = z.toJSONSchema(schema, { unrepresentable: "any", io: "input" }) as ValueType;
    known.set(schema, type);
  }
  return type;
}

/** Of the types that inputs declare. */
export function typeOfInput(
  type: "string" | "number" | "integer" | "boolean" | "list" | "object",
): ValueType {
  return { type: type === "list" ? "array" : type };
}

/** The type at a path; the first segment that cannot be there, with what could. */
export function memberType(
  type: ValueType,
  path: readonly string[],
): { readonly type: ValueType } | { readonly missing: string; readonly known: readonly string[] } {
  let at = type;
  for (const segment of path) {
    const next = step(at, segment);
    if (next === undefined) return { missing: segment, known: Object.keys(at.properties ?? {}) };
    at = next;
  }
  return { type: at };
}

function step(type: ValueType, segment: string): ValueType | undefined {
  if (type.anyOf !== undefined) {
    const members = type.anyOf.flatMap((one) => step(one, segment) ?? []);
    return members.length === 0 ? undefined : members.length === 1 ? members[0] : { anyOf: members };
  }
  if (type.type === "array") {
    if (!/^\d+$/.test(segment)) return undefined;
    return type.prefixItems === undefined ? (type.items ?? {}) : type.prefixItems[Number(segment)];
  }
  if (type.type === "object") {
    const member = Object.hasOwn(type.properties ?? {}, segment) ? type.properties?.[segment] : undefined;
    if (member !== undefined) return member;
    if (typeof type.additionalProperties === "object") return type.additionalProperties;
    return type.properties === undefined ? {} : undefined;
  }
  return type.type === undefined && type.enum === undefined && type.const === undefined ? {} : undefined;
}

const qualified = typeOfSchema(common.qualified).pattern;

/** Could a value of this type be one of that type? */
export function couldBe(given: ValueType, needed: ValueType): boolean {
  if (given.anyOf !== undefined) return given.anyOf.some((one) => couldBe(one, needed));
  if (needed.anyOf !== undefined) return needed.anyOf.some((one) => couldBe(given, one));
  const [from, to] = [values(given), values(needed)];
  if (from !== undefined && to !== undefined) return from.some((value) => to.includes(value));
  const [a, b] = [kindOf(given), kindOf(needed)];
  if (a === undefined || b === undefined) return true;
  if (a !== b) return false;
  if (a === "array")
    return given.items === undefined || needed.items === undefined || couldBe(given.items, needed.items);
  // What operations give as a qualified name always has its version.
  if (given.pattern === qualified && needed.pattern !== undefined && needed.pattern !== qualified) {
    return new RegExp(needed.pattern).test("a@1");
  }
  return true;
}

const values = (type: ValueType): readonly unknown[] | undefined =>
  type.enum ?? (type.const === undefined ? undefined : [type.const]);

function kindOf(type: ValueType): string | undefined {
  const kind = type.type ?? typeof values(type)?.[0];
  return kind === "integer" ? "number" : kind === "undefined" ? undefined : kind;
}

/** For messages: "a number", "a list of text", "name@version". */
export function typeText(type: ValueType): string {
  if (type.anyOf !== undefined) return type.anyOf.map(typeText).join(" or ");
  const some = values(type);
  if (some !== undefined) return some.map((value) => JSON.stringify(value)).join(" or ");
  if (type.pattern !== undefined && type.pattern === qualified) return '"name@version"';
  switch (type.type) {
    case "array":
      return type.items?.type === undefined ? "a list" : `a list (each: ${typeText(type.items)})`;
    case "integer":
      return "a whole number";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    case "object":
      return "an object";
    case "string":
      return type.pattern === undefined ? "text" : `text like ${type.pattern}`;
    default:
      return "anything";
  }
}
