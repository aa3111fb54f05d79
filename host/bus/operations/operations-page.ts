/**
 * docs/operations.md and the last part of docs/protocol.cddl, made from the definitions of the operations. Writing them
 * is `npm run docs:operations`.
 */
import { z } from "zod";
import { operationDefinitions } from "./catalogue.js";
import type { Fields, OperationDefinition } from "./definition.js";

export const operationsPage = "docs/operations.md";
export const protocolSchema = "docs/protocol.cddl";

/** What JSON Schema says of a field, as far as both pages use it. */
interface Shape {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Shape[];
  readonly items?: Shape | false;
  readonly prefixItems?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Shape | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

const shapeOf = (schema: z.ZodType): Shape =>
  z.toJSONSchema(schema, { unrepresentable: "any", io: "output" }) as Shape;

const isOptional = (schema: z.ZodType): boolean => schema.safeParse(undefined).success;

const groups: readonly (readonly [prefix: string, title: string])[] = [
  ["data", "Data"],
  ["model", "Models"],
  ["function", "Functions"],
  ["task", "Tasks"],
  ["node", "Nodes"],
];

// ---- docs/operations.md -------------------------------------------------------------------------------------

export function renderOperationsPage(): string {
  const parts = [
    "# Operations",
    "",
    "<!-- Made from host/bus/operations/ by `npm run docs:operations`; not by hand. -->",
    "",
    "Every operation of the protocol ([protocol.md](protocol.md)), with the integer keys of its arguments and results. From the same",
    "definitions come the checks of requests, the HTTP API ([management.md](management.md)), the arguments of `tmc node call` and the",
    "checks of workflows ([workflows.md](workflows.md)).",
    "",
    "*Idempotent*: may be sent again, to another node too, when nobody knows whether it was executed. *Callers*: who may ask, unless",
    "the rules `access` of [node.md](node.md) say otherwise. *Job*: runs long, with progress, can be cancelled, and ends in one",
    "terminal state; with `detach` the answer comes as soon as the job is kept. Errors not listed mean what they always mean.",
    "",
    "| operation | | minimal nodes may offer it | idempotent | job | callers |",
    "| --- | --- | --- | --- | --- | --- |",
    ...operationDefinitions.map(
      (d) =>
        `| [${d.name}](#${anchor(d.name)}) | ${d.summary} | ${yes(d.minimal)} | ${yes(d.idempotent)} | ${yes(d.job)} | ${d.callers.join(", ")} |`,
    ),
    "",
  ];
  for (const [prefix, title] of groups) {
    parts.push(`## ${title}`, "");
    for (const d of operationDefinitions.filter((each) => each.name.startsWith(`${prefix}.`))) {
      parts.push(...renderOperation(d));
    }
  }
  return parts.join("\n");
}

const anchor = (name: string): string => name.replace(".", "");
const yes = (value: boolean): string => (value ? "yes" : "");
const cell = (text: string): string => text.replaceAll("|", "\\|");

function renderOperation(d: OperationDefinition): string[] {
  const parts = [`### ${d.name}`, "", d.summary, "", `Precondition: ${d.precondition}.`, ""];
  if (d.selector !== undefined) {
    parts.push("Selector:", "");
    parts.push(...Object.entries(d.selector).map(([part, text]) => `- \`${part}\`: ${text}`), "");
  }
  parts.push(...renderFields("Arguments", d.arguments));
  if (d.input.need !== "none") parts.push(`Input (${d.input.need}): ${d.input.summary}.`, "");
  parts.push(...renderFields("Result", d.result));
  if (d.output !== undefined) parts.push(`Output: ${d.output}.`, "");
  const errors = Object.entries(d.errors);
  if (errors.length > 0)
    parts.push("Errors:", "", ...errors.map(([code, text]) => `- \`${code}\`: ${text}`), "");
  return parts;
}

function renderFields(title: string, fields: Fields): string[] {
  const entries = Object.entries(fields).sort(([, a], [, b]) => a.key - b.key);
  if (entries.length === 0) return [];
  return [
    `| ${title.toLowerCase()} | key | type | |`,
    "| --- | --- | --- | --- |",
    ...entries.map(
      ([name, f]) =>
        `| \`${name}\`${isOptional(f.schema) ? "" : " *"} | ${f.key} | ${cell(typeText(shapeOf(f.schema)))} | ${cell(f.summary)} |`,
    ),
    "",
  ];
}

/** For people: `number 0..1`, `[text]`, `{ name: number }`. */
function typeText(shape: Shape): string {
  if (shape.enum !== undefined)
    return shape.enum
      .map((v) => `"${String(v)}"`)
      .join(" \\| ")
      .replaceAll("\\|", "|");
  if (shape.anyOf !== undefined) return shape.anyOf.map(typeText).join(" or ");
  switch (shape.type) {
    case "integer":
    case "number":
      return `${shape.type}${rangeText(shape)}`;
    case "string":
      return "text";
    case "array":
      if (shape.prefixItems !== undefined) return `[${shape.prefixItems.map(typeText).join(", ")}]`;
      return `[${shape.items === undefined || shape.items === false ? "" : typeText(shape.items)}]`;
    case "object": {
      if (shape.properties !== undefined) return `{ ${Object.keys(shape.properties).join(", ")} }`;
      const value =
        typeof shape.additionalProperties === "object" ? typeText(shape.additionalProperties) : "any";
      return `{ name: ${value} }`;
    }
    default:
      return shape.type ?? "any";
  }
}

function rangeText({ minimum, maximum }: Shape): string {
  const bounded = (n: number | undefined): n is number => n !== undefined && Math.abs(n) < 2 ** 53 - 1;
  if (bounded(minimum) && bounded(maximum)) return ` ${minimum}..${maximum}`;
  if (bounded(minimum)) return ` >= ${minimum}`;
  return bounded(maximum) ? ` <= ${maximum}` : "";
}

// ---- docs/protocol.cddl -------------------------------------------------------------------------------------

const marker =
  "; ---- operations (made from host/bus/operations/ by `npm run docs:operations`; not by hand) ----------------";

/** The schema file with its last part, behind the marker, made anew. */
export function renderProtocolSchema(current: string): string {
  const at = current.indexOf(marker);
  const hand = at < 0 ? `${current.trimEnd()}\n\n` : current.slice(0, at);
  const parts = [
    marker,
    "; Named members inside a value have text keys. What each means: operations.md.",
    "",
    alternatives("operation-arguments", "arguments"),
    alternatives("operation-result", "result"),
  ];
  for (const d of operationDefinitions) {
    parts.push(`; ${d.name}: ${d.summary}`);
    for (const part of ["arguments", "result"] as const) {
      // The record itself is written by hand above.
      if (d.name === "node.describe" && part === "result") parts.push("node-describe-result = birth");
      else parts.push(...cddlMap(ruleName(d.name, part), d[part]));
    }
    parts.push("");
  }
  return `${hand}${parts.join("\n").trimEnd()}\n`;
}

const ruleName = (operation: string, part: string): string => `${operation.replace(".", "-")}-${part}`;

function alternatives(rule: string, part: "arguments" | "result"): string {
  const names = operationDefinitions.map((d) => ruleName(d.name, part));
  const lines: string[] = [];
  for (let i = 0; i < names.length; i += 4) lines.push(names.slice(i, i + 4).join(" / "));
  return `${rule} =\n  ${lines.join(" /\n  ")}\n`;
}

function cddlMap(rule: string, fields: Fields): string[] {
  const entries = Object.entries(fields).sort(([, a], [, b]) => a.key - b.key);
  if (entries.length === 0) return [`${rule} = { * int => any }`];
  return [
    `${rule} = {`,
    ...entries.map(([name, f]) => {
      const type = f.keys === undefined ? cddlType(shapeOf(f.schema)) : keyedRule(name);
      return `  ${isOptional(f.schema) ? "? " : ""}${f.key} => ${type},  ; ${name}: ${f.summary}`;
    }),
    "  * int => any",
    "}",
  ];
}

/** The maps with integer keys that fields hold are rules written by hand. */
function keyedRule(name: string): string {
  if (name === "drift") return "[* drift-summary]";
  return ["counters", "peaks", "crash", "trap"].includes(name) ? name : "descriptor";
}

function cddlType(shape: Shape): string {
  if (shape.enum !== undefined) return `(${shape.enum.map((v) => `"${String(v)}"`).join(" / ")})`;
  if (shape.anyOf !== undefined) return `(${shape.anyOf.map(cddlType).join(" / ")})`;
  switch (shape.type) {
    case "integer":
      return cddlInteger(shape);
    case "number":
      return "number";
    case "boolean":
      return "bool";
    case "string":
      return shape.maxLength === undefined ? "tstr" : `tstr .size (0..${shape.maxLength})`;
    case "array":
      return cddlArray(shape);
    case "object":
      return cddlObject(shape);
    default:
      return "any";
  }
}

function cddlInteger({ minimum, maximum }: Shape): string {
  const top = maximum !== undefined && maximum < 2 ** 53 - 1 ? maximum : undefined;
  if (minimum !== undefined && minimum >= 0) return top === undefined ? "uint" : `${minimum}..${top}`;
  return "int";
}

function cddlArray(shape: Shape): string {
  if (shape.prefixItems !== undefined) return `[${shape.prefixItems.map(cddlType).join(", ")}]`;
  const item = shape.items === undefined || shape.items === false ? "any" : cddlType(shape.items);
  const { minItems = 0, maxItems } = shape;
  const times = maxItems === undefined ? (minItems === 0 ? "*" : `${minItems}*`) : `${minItems}*${maxItems}`;
  return `[${times} ${item}]`;
}

function cddlObject(shape: Shape): string {
  if (shape.properties === undefined) {
    const value =
      typeof shape.additionalProperties === "object" ? cddlType(shape.additionalProperties) : "any";
    return `{ * tstr => ${value} }`;
  }
  const members = Object.entries(shape.properties).map(
    ([name, value]) =>
      `${shape.required?.includes(name) === true ? "" : "? "}"${name}" => ${cddlType(value)}`,
  );
  return `{ ${members.join(", ")} }`;
}
