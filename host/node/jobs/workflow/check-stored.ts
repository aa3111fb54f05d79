/**
 * Are the data sets and models there that a step names, where this node is to do it? What some step of the workflow makes
 * need not be. Other nodes keep their own: what they have is not asked.
 */
import { parseReference } from "../../../bus/references.js";
import type { Finding } from "./check.js";
import type { WorkflowStep } from "./description.js";
import { referencesIn, resolve, type Lookup } from "./references.js";

type Kind = "data set" | "model";

/** What this node keeps. */
export interface StoredThings {
  dataSet(name: string): Promise<boolean>;
  /** "name" or "name@version". */
  model(qualified: string): Promise<boolean>;
}

/** Arguments that name something that must be there. */
const reads: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  "data.retrieve": { name: "data set" },
  "data.delete": { name: "data set" },
  "data.transform": { name: "data set" },
  "data.split": { name: "data set" },
  "data.label": { name: "data set" },
  "model.train": { data: "data set", from: "model" },
  "model.evaluate": { data: "data set", model: "model" },
  "model.validate": { data: "data set", model: "model", against: "model" },
  "model.optimize": { data: "data set", model: "model" },
  "model.aggregate": { models: "model" },
  "model.retrieve": { model: "model" },
  "model.delete": { model: "model" },
  "model.promote": { model: "model" },
  "model.deploy": { model: "model" },
};

/** Arguments that name what an operation makes. */
const makes: Readonly<Record<string, { readonly kind: Kind; readonly argument: string }>> = {
  "data.collect": { kind: "data set", argument: "name" },
  "data.store": { kind: "data set", argument: "name" },
  "data.transform": { kind: "data set", argument: "into" },
  "model.train": { kind: "model", argument: "name" },
  "model.aggregate": { kind: "model", argument: "name" },
  "model.store": { kind: "model", argument: "name" },
  "model.optimize": { kind: "model", argument: "model" },
};

const ways: Readonly<Record<Kind, string>> = {
  "data set":
    "make it before, with data.collect or data.store, or correct the name (data.list tells which are there)",
  model:
    "make it before, with model.train or model.store, or correct the name (model.list tells which are there)",
};

const baseOf = (name: string): string => name.split(/[@/]/)[0] ?? name;

/** Text values of an argument; undefined: not known before the workflow runs. */
function textsOf(value: unknown, lookup: Lookup): string[] | undefined {
  const isKnown = referencesIn(value).every(
    ({ reference }) => reference !== undefined && lookup(reference, { text: "", whole: true }) !== undefined,
  );
  if (!isKnown) return undefined;
  const known: unknown = resolve(value, lookup);
  const values = (Array.isArray(known) ? known : [known]).filter((one) => one !== undefined);
  return values.every((one) => typeof one === "string") ? values : undefined;
}

/** Might a step other than this one make it? What is not known yet may be anything. */
function isMade(
  steps: readonly WorkflowStep[],
  reader: WorkflowStep,
  kind: Kind,
  name: string,
  lookup: Lookup,
): boolean {
  return steps.some((step) => {
    const made = makes[step.operation];
    if (step === reader || made?.kind !== kind) return false;
    const argument = step.arguments?.[made.argument];
    if (argument === undefined) return false;
    // Its items are others than the reader's.
    const perItem = referencesIn(argument).some(({ reference }) => reference?.of === "each");
    const names = perItem ? undefined : textsOf(argument, lookup);
    return names === undefined || names.some((one) => baseOf(one) === baseOf(name));
  });
}

/**
 * @param lookup what is known before the first step, with the item of `each`; undefined for the rest
 * @param at "steps[2]"
 */
export async function missingOf(
  stored: StoredThings,
  steps: readonly WorkflowStep[],
  step: WorkflowStep,
  lookup: Lookup,
  at: string,
): Promise<Finding[]> {
  const named: { kind: Kind; name: string; place: string }[] = [];
  for (const [argument, kind] of Object.entries(reads[step.operation] ?? {})) {
    for (const name of textsOf(step.arguments?.[argument], lookup) ?? []) {
      named.push({ kind, name, place: `${at}.arguments.${argument}` });
    }
  }
  for (const text of step.input === undefined ? [] : (textsOf(step.input, lookup) ?? [])) {
    const { kind, target = "" } = parseReference(text) ?? {};
    if (kind === "data") named.push({ kind: "data set", name: baseOf(target), place: `${at}.input` });
    if (kind === "model") named.push({ kind: "model", name: target, place: `${at}.input` });
  }
  const findings: Finding[] = [];
  for (const { kind, name, place } of named) {
    if (isMade(steps, step, kind, name, lookup)) continue;
    if (await (kind === "model" ? stored.model(name) : stored.dataSet(name))) continue;
    const text = `step ${step.name}: there is no ${kind} "${name}" at this node, and no step makes it; ${ways[kind]}`;
    findings.push({ place, code: "not-found", text });
  }
  return findings;
}
