/** Checks one step of a workflow against the definition of its operation, and the references of a value. */
import { operationDefinition, operationDefinitions } from "../../../bus/operations/catalogue.js";
import { objectOf, type OperationDefinition } from "../../../bus/operations/definition.js";
import type { ErrorName } from "../../../bus/protocol-keys.js";
import { parseReference } from "../../../bus/references.js";
import { runsSeveralTimes, type Workflow, type WorkflowStep } from "./description.js";
import { checkFacts } from "./check-facts.js";
import {
  follow,
  referencesIn,
  resolve,
  type FoundReference,
  type Lookup,
  type Place,
  type WorkflowReference,
} from "./references.js";
import { couldBe, memberType, typeOfSchema, typeText, type ValueType } from "./value-types.js";

export interface CheckedInputs {
  readonly types: Readonly<Record<string, ValueType>>;
  /** Of those that are known. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface CheckContext {
  readonly workflow: Workflow;
  /** Places of steps of which the name is all that could be read. */
  readonly unread: ReadonlySet<number>;
  readonly inputs: CheckedInputs;
  readonly report: (place: Place, text: string, code?: ErrorName) => void;
}

/** Operations that no step may have, and why. */
const refused: Readonly<Record<string, string>> = {
  "task.workflow": "a workflow cannot be a step; put its steps here",
};

/** Longest deadline of a request; jobs may take longer. */
const longestRequestMs = 3_600_000;

export function checkStep(context: CheckContext, index: number): void {
  const { workflow, report } = context;
  const step = workflow.steps[index];
  if (step === undefined) return;
  const at = ["steps", index] as const;
  const definition = operationDefinition(step.operation);
  const why = refused[step.operation];
  if (why !== undefined) report([...at, "operation"], why);
  if (definition === undefined) {
    report([...at, "operation"], unknownOperation(step.operation), "unknown-operation");
  }
  for (const part of ["arguments", "selector", "input", "each", "when"] as const) {
    if (step[part] !== undefined) checkReferences(context, step[part], [...at, part], index);
  }
  if (typeof step.each === "string") checkEach(context, step.each, [...at, "each"]);
  if (definition === undefined) return;
  if (step.deadlineMs !== undefined && step.deadlineMs > longestRequestMs && !definition.job) {
    report([...at, "deadlineMs"], `of ${step.operation} is one hour (3600000) at most`);
  }
  const items = knownItems(context, step) ?? [undefined];
  for (const [i, item] of items.entries()) {
    const suffix = items.length > 1 ? ` (item ${String(i)} of each)` : "";
    checkArguments(context, step, definition, at, item, suffix);
  }
  checkInput(context, step, definition, at);
  for (const part of ["name", "task"] as const) {
    if (step.selector?.[part] !== undefined && definition.selector?.[part] === undefined) {
      report([...at, "selector", part], `means nothing to ${definition.name}`);
    }
  }
  checkFacts(context, step, definition, at);
}

function unknownOperation(name: string): string {
  const group = name.split(".")[0] ?? "";
  const near = operationDefinitions.filter((d) => d.name.startsWith(`${group}.`)).map((d) => d.name);
  return near.length === 0
    ? `there is no operation ${name}`
    : `there is no operation ${name}; of this group there are ${near.join(", ")}`;
}

// ---- references --------------------------------------------------------------------------------------------

/** Every reference in the value leads somewhere. `index` is the step they stand in; undefined: the outputs. */
export function checkReferences(
  context: CheckContext,
  value: unknown,
  at: Place,
  index: number | undefined,
): void {
  for (const found of referencesIn(value, at)) {
    const wrong = wrongReference(context, found, index);
    if (wrong !== undefined)
      context.report(found.place, `${found.text}${wrong.startsWith(":") ? "" : " "}${wrong}`);
  }
}

const forms = "${inputs.NAME}, ${steps.NAME.result.FIELD}, ${steps.NAME.output}, ${each} or ${each.FIELD}";

function wrongReference(
  { workflow, unread, inputs }: CheckContext,
  { reference, whole, place }: FoundReference,
  index: number | undefined,
): string | undefined {
  if (reference === undefined) return `is no reference; write ${forms}, and $\${ for the text \${`;
  const step = index === undefined ? undefined : workflow.steps[index];
  switch (reference.of) {
    case "inputs": {
      const names = Object.keys(inputs.types);
      if (!Object.hasOwn(inputs.types, reference.name)) {
        return `names no input of this workflow; it has ${names.length === 0 ? "none" : names.join(", ")}`;
      }
      const known = Object.hasOwn(inputs.values, reference.name);
      return known && follow(inputs.values[reference.name], reference.path) === undefined
        ? `leads nowhere in the value of ${reference.name}`
        : undefined;
    }
    case "each":
      if (step?.each === undefined) return "has no meaning in a step without `each`";
      return place.includes("each") || place.includes("when") ? "has no meaning here" : undefined;
    case "steps": {
      const other = workflow.steps.findIndex(({ name }) => name === reference.name);
      return unread.has(other) ? undefined : wrongStepReference(workflow, reference, whole, step, place);
    }
  }
}

function wrongStepReference(
  workflow: Workflow,
  reference: WorkflowReference & { readonly of: "steps" },
  whole: boolean,
  step: WorkflowStep | undefined,
  place: Place,
): string | undefined {
  const { name, part, path } = reference;
  const other = workflow.steps.find((one) => one.name === name);
  if (other === undefined)
    return `names no step; there are ${workflow.steps.map((one) => one.name).join(", ")}`;
  if (other === step) return "refers to its own step";
  if (part.endsWith("s") !== runsSeveralTimes(other)) {
    return runsSeveralTimes(other)
      ? `: ${name} runs several times: ${part}s, a list`
      : `: ${name} runs once: ${part.slice(0, -1)}`;
  }
  const definition = operationDefinition(other.operation);
  if (definition === undefined) return undefined;
  if (part === "output" || part === "outputs") {
    if (
      definition.output === undefined ||
      (other.operation === "data.collect" && other.arguments?.["mode"] === 1)
    ) {
      return `: ${other.operation}${definition.output === undefined ? "" : " of a summary"} gives no output`;
    }
    if (place.includes("arguments") || place.includes("selector")) {
      return "is data, and data goes into `input`, not into arguments";
    }
    return whole ? undefined : "is data: it must stand alone";
  }
  const member = memberType(typeOfPart(definition, part), path);
  if ("type" in member) return undefined;
  const known = member.known.length === 0 ? "" : `; there are ${member.known.join(", ")}`;
  return `: the result of ${other.operation} has no ${member.missing} there${known}`;
}

function typeOfPart(definition: OperationDefinition, part: string): ValueType {
  if (part === "node") return { type: "string" };
  if (part === "nodes") return { type: "array", items: { type: "string" } };
  if (part === "output" || part === "outputs") return {};
  const result = typeOfSchema(objectOf(definition.result));
  return part === "results" ? { type: "array", items: result } : result;
}

/** The type of what a reference will give; everything (`{}`) when that is not known. */
export function typeOfReference({ workflow, inputs }: CheckContext, reference: WorkflowReference): ValueType {
  if (reference.of === "each") return {};
  if (reference.of === "inputs") {
    const member = memberType(inputs.types[reference.name] ?? {}, reference.path);
    return "type" in member ? member.type : {};
  }
  const step = workflow.steps.find((one) => one.name === reference.name);
  const definition = operationDefinition(step?.operation ?? "");
  if (definition === undefined) return {};
  const member = memberType(typeOfPart(definition, reference.part), reference.path);
  return "type" in member ? member.type : {};
}

/** What is known before the first step: inputs that have a value, and this item. */
export function knownLookup(inputs: CheckedInputs, item: unknown): Lookup {
  return (reference) => {
    if (reference.of === "inputs" && Object.hasOwn(inputs.values, reference.name)) {
      return follow(inputs.values[reference.name], reference.path);
    }
    return reference.of === "each" && item !== undefined ? follow(item, reference.path) : undefined;
  };
}

/** The items of `each`, when they are known. */
export function knownItems({ inputs }: CheckContext, step: WorkflowStep): readonly unknown[] | undefined {
  const items =
    typeof step.each === "string" ? resolve(step.each, knownLookup(inputs, undefined)) : step.each;
  return Array.isArray(items) && items.length > 0
    ? items.map((item: unknown) => resolve(item, knownLookup(inputs, undefined)))
    : undefined;
}

function checkEach(context: CheckContext, each: string, at: Place): void {
  const [only] = referencesIn(each);
  if (only === undefined || !only.whole) {
    context.report(at, "must be a list, or one reference to a list");
    return;
  }
  if (only.reference === undefined) return;
  const type = typeOfReference(context, only.reference);
  if (!couldBe(type, { type: "array" })) context.report(at, `${only.text} is ${typeText(type)}, not a list`);
}

// ---- arguments ---------------------------------------------------------------------------------------------

function checkArguments(
  context: CheckContext,
  step: WorkflowStep,
  definition: OperationDefinition,
  at: Place,
  item: unknown,
  suffix: string,
): void {
  const place = [...at, "arguments"];
  const report = (where: Place, text: string) => context.report([...place, ...where], text + suffix);
  const { detach, ...args } = step.arguments ?? {};
  if (detach !== undefined) report(["detach"], "a workflow waits for its jobs by itself: leave it out");
  const lookup = knownLookup(context.inputs, item);
  const open = referencesIn(args).filter(
    ({ reference }) => reference === undefined || lookup(reference, { text: "", whole: true }) === undefined,
  );
  if (item !== undefined) {
    for (const { reference, text, place: where } of open) {
      if (reference?.of === "each") report(where, `${text} leads nowhere in this item`);
    }
  }
  for (const { place: where, reference, whole, text } of open) {
    if (reference === undefined) continue;
    const needed = neededType(definition, where);
    const given = whole ? typeOfReference(context, reference) : { type: "string" };
    if (needed !== undefined && !couldBe(given, needed)) {
      report(where, `${whole ? text : "text"} is ${typeText(given)}, and this needs ${typeText(needed)}`);
    }
  }
  const parsed = objectOf(definition.arguments).safeParse(resolve(args, lookup));
  for (const issue of parsed.error?.issues ?? []) {
    if (issue.code === "unrecognized_keys" && issue.path.length === 0) {
      const known = Object.keys(definition.arguments).filter((name) => name !== "detach");
      const there = known.length === 0 ? "none" : known.join(", ");
      for (const key of issue.keys) report([key], `is no argument of ${definition.name}; there are ${there}`);
      continue;
    }
    const where = issue.path as Place;
    // Not known yet, and the types were compared above.
    if (open.some((reference) => overlaps(where, reference.place, issue.code === "invalid_union"))) continue;
    const [name] = where;
    const missing = where.length === 1 && typeof name === "string" && !Object.hasOwn(args, name);
    report(
      where,
      missing ? `is missing: ${definition.arguments[name]?.summary ?? ""}` : shortMessage(issue.message),
    );
  }
}

const shortMessage = (text: string): string =>
  text.replace(/^Invalid input: /, "").replace(/^[A-Z]/, (c) => c.toLowerCase());

/** The issue is at the reference or below it; a union's also above. */
function overlaps(issue: Place, reference: Place, above: boolean): boolean {
  const length = Math.min(issue.length, reference.length);
  const same = issue.slice(0, length).every((part, i) => String(part) === String(reference[i]));
  return same && (above || issue.length >= reference.length);
}

function neededType(definition: OperationDefinition, where: Place): ValueType | undefined {
  const [name, ...path] = where.map(String);
  const field = Object.hasOwn(definition.arguments, name ?? "")
    ? definition.arguments[name ?? ""]
    : undefined;
  if (field === undefined) return undefined;
  const member = memberType(typeOfSchema(field.schema), path);
  return "type" in member ? member.type : undefined;
}

// ---- input -------------------------------------------------------------------------------------------------

function checkInput(
  context: CheckContext,
  step: WorkflowStep,
  definition: OperationDefinition,
  at: Place,
): void {
  const place = [...at, "input"];
  const { need, summary } = definition.input;
  if (step.input === undefined) {
    if (need === "required") context.report(place, `is missing: ${summary}`);
    return;
  }
  if (need === "none") {
    context.report(place, `${definition.name} takes no input`);
    return;
  }
  const references = referencesIn(step.input);
  if (references.length === 0) {
    const text = resolve(step.input, () => undefined);
    if (parseReference(String(text)) === undefined) {
      context.report(
        place,
        "is no reference to data: sensor:NAME, data:NAME[/USAGE], blob:DIGEST, model:NAME[@VERSION]",
      );
    }
    return;
  }
  for (const { reference, whole, text } of references) {
    if (reference === undefined || !whole) continue;
    if (reference.of === "steps" && reference.part === "outputs") {
      context.report(place, `${text} is a list; one input takes one output`);
    } else if (!couldBe(typeOfReference(context, reference), { type: "string" })) {
      context.report(place, `${text} is no reference to data`);
    }
  }
}
