/**
 * Everything about a workflow that can be known before its first step without asking a node: schema, names, operations,
 * arguments, references and their types, cycles. All findings at once, each with its place; of a step that does not fit the
 * schema, those of the schema. What nodes can do is asked in
 * check-able.ts; check-steps.ts looks at one step.
 */
import type { ErrorName } from "../../../bus/protocol-keys.js";
import type { z } from "zod";
import { workflowSchema, type Workflow } from "./description.js";
import { checkStep, checkReferences, type CheckedInputs } from "./check-steps.js";
import { placeText, referencesIn, type Place } from "./references.js";
import { wellFormed } from "./well-formed.js";
import { typeOfInput, typeText, type ValueType } from "./value-types.js";

export interface Finding {
  /** "steps[2].arguments.name"; "" is the whole. */
  readonly place: string;
  readonly code: ErrorName;
  readonly text: string;
}

export interface CheckedWorkflow {
  readonly workflow: Workflow;
  /** Every input with its value. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Names of the steps that a step waits for. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
}

export type CheckResult =
  | { readonly checked: CheckedWorkflow; readonly findings: readonly [] }
  | { readonly checked: undefined; readonly findings: readonly Finding[] };

const mostFindings = 100;
const none: ReadonlySet<number> = new Set();

/**
 * @param given values of inputs; undefined: not known yet, as when a file is checked: inputs without a default are then
 * known by their type only
 */
export function checkWorkflow(
  description: unknown,
  given: Readonly<Record<string, unknown>> | undefined,
): CheckResult {
  const parsed = workflowSchema.safeParse(description);
  const issues = parsed.error?.issues ?? [];
  const findings = issues.flatMap((issue) => findingsOf(issue));
  const readable = parsed.success ? { workflow: parsed.data, unread: none } : wellFormed(description, issues);
  if (readable === undefined) return wrong(findings);
  const { workflow, unread } = readable;
  const report = (place: Place, text: string, code: ErrorName = "bad-request") =>
    findings.push({ place: placeText(place), code, text });

  const inputs = checkInputs(workflow, given, report);
  for (const [i, { name }] of workflow.steps.entries()) {
    if (workflow.steps.findIndex((step) => step.name === name) !== i) {
      report(["steps", i, "name"], `there is another step "${name}"`);
    }
  }
  const needs = needsOf(workflow);
  for (const [i, step] of workflow.steps.entries()) {
    for (const [k, name] of (step.needs ?? []).entries()) {
      if (!workflow.steps.some((other) => other.name === name)) {
        report(["steps", i, "needs", k], `there is no step "${name}"`);
      }
    }
    if (!unread.has(i)) checkStep({ workflow, unread, inputs, report }, i);
  }
  checkReferences({ workflow, unread, inputs, report }, workflow.outputs ?? {}, ["outputs"], undefined);
  for (const cycle of cyclesOf(needs)) {
    const first = workflow.steps.findIndex((step) => step.name === cycle[0]);
    report(["steps", first], `waits for itself: ${[...cycle, cycle[0]].join(" → ")}`);
  }
  return findings.length > 0
    ? wrong(findings)
    : { checked: { workflow, inputs: inputs.values, needs }, findings: [] };
}

function wrong(findings: readonly Finding[]): CheckResult {
  // The first at a place: what else is wrong there is mostly the same mistake.
  const first = findings.filter((one, i) => findings.findIndex(({ place }) => place === one.place) === i);
  return { checked: undefined, findings: first.slice(0, mostFindings) };
}

/** A finding for each issue of a schema; those within unions are named when there is one way to read them. */
export function findingsOf(issue: z.core.$ZodIssue, before: Place = []): Finding[] {
  const place = [...before, ...issue.path.map((part) => (typeof part === "symbol" ? part.toString() : part))];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      place: placeText([...place, key]),
      code: "bad-request",
      text: "is not known here",
    }));
  }
  return [{ place: placeText(place), code: "bad-request", text: lowered(issue.message) }];
}

const lowered = (text: string): string =>
  text.replace(/^Invalid input: /, "").replace(/^[A-Z](?![A-Z])/, (c) => c.toLowerCase());

function checkInputs(
  workflow: Workflow,
  given: Readonly<Record<string, unknown>> | undefined,
  report: (place: Place, text: string) => void,
): CheckedInputs {
  const types: Record<string, ValueType> = {};
  const values: Record<string, unknown> = {};
  const declared = workflow.inputs ?? {};
  for (const [name, { type, default: fallback }] of Object.entries(declared)) {
    types[name] = typeOfInput(type);
    const isGiven = given !== undefined && Object.hasOwn(given, name);
    const value = isGiven ? given[name] : fallback;
    if (value === undefined) {
      if (given !== undefined) report(["inputs", name], "has no default, and was not given");
    } else if (isType(value, type)) {
      values[name] = value;
    } else {
      const place = isGiven ? ["inputs", name] : ["inputs", name, "default"];
      report(place, `must be ${typeText(typeOfInput(type))}`);
    }
  }
  for (const name of Object.keys(given ?? {})) {
    if (!Object.hasOwn(declared, name)) {
      const known = Object.keys(declared);
      report(
        ["inputs", name],
        `is no input of this workflow; it has ${known.length === 0 ? "none" : known.join(", ")}`,
      );
    }
  }
  return { types, values };
}

function isType(value: unknown, type: string): boolean {
  if (type === "integer") return Number.isSafeInteger(value);
  if (type === "number") return typeof value === "number" && Number.isFinite(value);
  const actual = Array.isArray(value) ? "list" : value === null ? "null" : typeof value;
  return actual === type;
}

/** Steps each step waits for: those it names and those it refers to. */
function needsOf(workflow: Workflow): Map<string, readonly string[]> {
  const names = new Set(workflow.steps.map((step) => step.name));
  return new Map(
    workflow.steps.map((step) => {
      const { arguments: args, selector, input, each, when } = step;
      const referred = referencesIn([args, selector, input, each, when]).flatMap(({ reference }) =>
        reference?.of === "steps" && reference.name !== step.name ? [reference.name] : [],
      );
      return [
        step.name,
        [...new Set([...(step.needs ?? []), ...referred])].filter((name) => names.has(name)),
      ];
    }),
  );
}

/** Each cycle once, beginning with its first step. */
function cyclesOf(needs: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (name: string, way: string[]): void => {
    const at = way.indexOf(name);
    if (at !== -1) {
      cycles.push(way.slice(at));
      return;
    }
    if (done.has(name)) return;
    for (const next of needs.get(name) ?? []) visit(next, [...way, name]);
    done.add(name);
  };
  for (const name of needs.keys()) visit(name, []);
  return cycles;
}
