/**
 * What the world may know of an operation, in one value: arguments and result by key, precondition, who may call it,
 * what its errors mean. Codec, validation, access, the HTTP API and docs/operations.md are made from these. It
 * executes nothing.
 */
import { z } from "zod";
import type { ErrorName, Keys } from "../protocol-keys.js";

/** One argument or one member of a result. */
export interface FieldDefinition<T extends z.ZodType = z.ZodType> {
  /** In the CBOR map; never reused for another meaning. */
  readonly key: number;
  readonly schema: T;
  /** For people, with unit and range. */
  readonly summary: string;
  /** Integer keys of the members, where the value is itself a keyed map (a descriptor); else members have text keys. */
  readonly keys?: Keys;
  /** The value is a list of such keyed maps. */
  readonly list?: boolean;
}

export type Fields = Readonly<Record<string, FieldDefinition>>;

/** The object that `fields` describe; a field whose schema accepts undefined is optional. */
export type ValueOf<F extends Fields> = z.infer<z.ZodObject<{ readonly [K in keyof F]: F[K]["schema"] }>>;

/**
 * Who may ask. node: any enrolled node; server: a neighbouring server (also for those behind it); operator: people and
 * tools that the owner enrolled as such, and the management interface.
 */
export type CallerRole = "node" | "server" | "operator";

export interface OperationDefinition<A extends Fields = Fields, R extends Fields = Fields> {
  /** "data.store" */
  readonly name: string;
  readonly summary: string;
  readonly arguments: A;
  readonly result: R;
  /** What the parts of the selector mean here, by part; absent parts are ignored. */
  readonly selector?: Partial<Record<"name" | "task" | "node" | "labels", string>>;
  /** The input of the request (inline bytes or a reference), with its descriptor. */
  readonly input: { readonly need: "none" | "optional" | "required"; readonly summary: string };
  /** The output of the answer, with its descriptor. */
  readonly output?: string;
  /** What must fit before anything is done, in terms of descriptors. */
  readonly precondition: string;
  /** May it be sent again, to another node too, when nobody knows whether it was executed? */
  readonly idempotent: boolean;
  readonly callers: readonly CallerRole[];
  /** Minimal nodes may offer it. */
  readonly minimal: boolean;
  /** Runs as a job: long, with progress, cancellable, its terminal state kept. */
  readonly job: boolean;
  /** A minimal node fetches an input that is larger than its messages, in pieces, from the server that it got the request of. */
  readonly pulled: boolean;
  /** What the errors of the closed set mean here, where that is not what they always mean. */
  readonly errors: Partial<Record<ErrorName, string>>;
}

/** @internal A field; see FieldDefinition. */
export function field<T extends z.ZodType>(
  key: number,
  schema: T,
  summary: string,
  keys?: Keys,
): FieldDefinition<T> {
  return keys === undefined ? { key, schema, summary } : { key, schema, summary, keys };
}

/** Sets of callers: the owner's side, which is what an operation gets that names none; everybody; people alone. */
export const callers = {
  owner: ["server", "operator"],
  all: ["node", "server", "operator"],
  people: ["operator"],
} as const satisfies Record<string, readonly CallerRole[]>;

/** What an operation is when it does not say otherwise. */
const defaults = {
  input: { need: "none", summary: "" },
  precondition: "none",
  callers: callers.owner,
  minimal: false,
  job: false,
  pulled: false,
  errors: {},
} as const satisfies Partial<OperationDefinition>;

/** A definition that says only what is its own. */
type OwnPart<A extends Fields, R extends Fields> = Omit<OperationDefinition<A, R>, keyof typeof defaults> &
  Partial<Pick<OperationDefinition<A, R>, keyof typeof defaults>>;

/**
 * Completes a definition with the defaults, and gives it its exact type.
 * @throws Error when two fields have one key: a mistake in the table.
 */
export function defineOperation<const N extends string, A extends Fields, R extends Fields>(
  own: OwnPart<A, R> & { readonly name: N },
): OperationDefinition<A, R> & { readonly name: N } {
  const definition = { ...defaults, ...own };
  for (const fields of [definition.arguments, definition.result]) {
    const keys = Object.values(fields).map((f) => f.key);
    if (new Set(keys).size !== keys.length) throw new Error(`${definition.name}: two fields have one key`);
  }
  return definition;
}

/** Schema of the whole map of arguments or of the result. */
export function objectOf<F extends Fields>(
  fields: F,
): z.ZodObject<{ readonly [K in keyof F]: F[K]["schema"] }>;
// Object.fromEntries forgets which name has which schema: the signature above says it.
export function objectOf(fields: Fields): z.ZodObject {
  return z.strictObject(Object.fromEntries(Object.entries(fields).map(([name, f]) => [name, f.schema])));
}

/** What a schema says of a value, in the words of an answer: without what stands in the place beside it. */
export function issueText(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return "not what the schema says";
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  return missing ? `missing (${issue.expected})` : issue.message.replace(/^Invalid (input|option): /, "");
}

/** The keys of the map, for the codec. */
export function keysOf(fields: Fields): Keys {
  return Object.fromEntries(
    Object.entries(fields).map(([name, f]) => [
      name,
      f.keys === undefined
        ? f.key
        : f.list === true
          ? { key: f.key, list: f.keys }
          : { key: f.key, map: f.keys },
    ]),
  );
}

/** The definitions that every group shares. */
export const common = {
  /** Of data sets, functions, models, jobs, settings. */
  name: z.string().regex(/^[a-z0-9._-]{1,32}$/, "1-32 characters of a-z 0-9 . _ -"),
  version: z.string().regex(/^[0-9A-Za-z.+_-]{1,32}$/, "1-32 characters of 0-9 A-Z a-z . + _ -"),
  /** "name" or "name@version". */
  qualified: z.string().regex(/^[a-z0-9._-]{1,32}(@[0-9A-Za-z.+_-]{1,32})?$/, '"name" or "name@version"'),
  nodeId: z.string().regex(/^[0-9a-z-]{1,23}$/, "1-23 characters of 0-9 a-z -"),
  /** SHA-256 in lower-case hexadecimal. */
  digest: z.string().regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits"),
  label: z.string().max(64),
  usage: z.enum(["training", "test", "validation", "calibration", "inference"]),
  count: z.number().int().min(0),
  limit: z.number().int().min(1).max(1000),
  /** Numbers by name: accuracy, loss, f1 … */
  metrics: z.record(z.string(), z.number()),
  job: z.string().regex(/^[a-z0-9-]{1,40}$/),
} as const;
