/**
 * References in workflows: `${inputs.NAME}`, `${steps.NAME.result.FIELD}`, `${steps.NAME.output}`, `${each}` and
 * `${each.FIELD}`. A string that is one reference stands for the value; in a longer string the value is inserted as text.
 * `$${` is the text `${`. Nothing is evaluated: a reference is a path and no more.
 */

export type ReferencePart = "result" | "results" | "output" | "outputs" | "node" | "nodes";
const parts: readonly string[] = ["result", "results", "output", "outputs", "node", "nodes"];

export type WorkflowReference =
  | { readonly of: "inputs"; readonly name: string; readonly path: readonly string[] }
  | { readonly of: "each"; readonly path: readonly string[] }
  | {
      readonly of: "steps";
      readonly name: string;
      readonly part: ReferencePart;
      readonly path: readonly string[];
    };

/** A string, taken apart: text and references in turn. */
export type Template = readonly (
  string | { readonly text: string; readonly reference: WorkflowReference | undefined }
)[];

const deepest = 16;

/** What stands between the braces. Undefined when it is no reference. */
export function parseWorkflowReference(text: string): WorkflowReference | undefined {
  const segments = text.trim().split(".");
  if (segments.length > deepest || !segments.every((segment) => /^[A-Za-z0-9_-]{1,64}$/.test(segment))) {
    return undefined;
  }
  const [of, name, part = "", ...rest] = segments;
  if (of === "each") return { of, path: segments.slice(1) };
  if (of === "inputs" && name !== undefined) return { of, name, path: segments.slice(2) };
  if (of === "steps" && name !== undefined && parts.includes(part)) {
    return { of, name, part: part as ReferencePart, path: rest };
  }
  return undefined;
}

export function parseTemplate(text: string): Template {
  const template: (string | { text: string; reference: WorkflowReference | undefined })[] = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    if (text.startsWith("$${", at)) {
      plain += "${";
      at += 3;
    } else if (text.startsWith("${", at)) {
      const end = text.indexOf("}", at);
      const inside = text.slice(at + 2, end === -1 ? undefined : end);
      if (plain !== "") template.push(plain);
      plain = "";
      template.push({
        text: `\${${inside}${end === -1 ? "" : "}"}`,
        reference: end === -1 ? undefined : parseWorkflowReference(inside),
      });
      at = end === -1 ? text.length : end + 1;
    } else {
      plain += text.charAt(at);
      at += 1;
    }
  }
  if (plain !== "") template.push(plain);
  return template;
}

/** A place in a workflow: the members and indexes on the way to it. */
export type Place = readonly (string | number)[];

/** "steps[2].arguments.name" */
export function placeText(place: Place): string {
  return place.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${String(part)}]` : text === "" ? part : `${text}.${part}`,
    "",
  );
}

export interface FoundReference {
  /** Relative to the value that was searched. */
  readonly place: Place;
  readonly text: string;
  /** Undefined when it is written wrongly. */
  readonly reference: WorkflowReference | undefined;
  /** It is the whole string, and stands for the value with its type. */
  readonly whole: boolean;
}

/** All references in a value, in order. */
export function referencesIn(value: unknown, place: Place = []): FoundReference[] {
  if (typeof value === "string") {
    const template = parseTemplate(value);
    return template.flatMap((part) =>
      typeof part === "string" ? [] : [{ place, ...part, whole: template.length === 1 }],
    );
  }
  if (Array.isArray(value)) return value.flatMap((item, i) => referencesIn(item, [...place, i]));
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  return Object.entries(value).flatMap(([name, content]) => referencesIn(content, [...place, name]));
}

/** What a reference stands for; undefined leaves its text as it is. */
export type Lookup = (
  reference: WorkflowReference,
  found: { readonly text: string; readonly whole: boolean },
) => { readonly value: unknown } | undefined;

/** The value with its references replaced, in one pass: what a reference gives is data and is not looked at again. */
export function resolve(value: unknown, lookup: Lookup): unknown {
  if (typeof value === "string") return resolveText(value, lookup);
  if (Array.isArray(value)) return value.map((item) => resolve(item, lookup));
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, content]) => [name, resolve(content, lookup)]));
}

function resolveText(text: string, lookup: Lookup): unknown {
  const template = parseTemplate(text);
  const whole = template.length === 1;
  const values = template.map((part) => {
    if (typeof part === "string") return part;
    const found = part.reference && lookup(part.reference, { text: part.text, whole });
    return found === undefined ? part.text : found.value;
  });
  return whole ? values[0] : values.map(textOf).join("");
}

function textOf(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Follows a path into a value. Undefined when it leads nowhere. */
export function follow(value: unknown, path: readonly string[]): { readonly value: unknown } | undefined {
  let at = value;
  for (const segment of path) {
    if (typeof at !== "object" || at === null || ArrayBuffer.isView(at) || !Object.hasOwn(at, segment)) {
      return undefined;
    }
    at = (at as Readonly<Record<string, unknown>>)[segment];
  }
  return at === undefined ? undefined : { value: at };
}
