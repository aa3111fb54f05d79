/**
 * Is there somebody who can do each step of a checked workflow, and what the step names? The Core Service explains it;
 * nothing is executed.
 */
import type { Explanation } from "../../core/core-service.js";
import type { CoreService } from "../../core/core-service.js";
import { elementTypes, errorCodes, type ErrorName } from "../../../bus/protocol-keys.js";
import type { Descriptor, Selector } from "../../../bus/protocol.js";
import type { Order } from "../../operations/operation.js";
import type { CheckedWorkflow, Finding } from "./check.js";
import { knownLookup } from "./check-steps.js";
import { missingOf, type StoredThings } from "./check-stored.js";
import { runsSeveralTimes, type Workflow, type WorkflowStep } from "./description.js";
import { parseTemplate, referencesIn, resolve, type Lookup } from "./references.js";

export type AbilityCore = Pick<CoreService, "explain" | "node">;

/** Steps that change what nodes offer: what comes behind them cannot be known now. */
const changing: ReadonlySet<string> = new Set([
  "model.store",
  "model.train",
  "model.optimize",
  "model.aggregate",
  "model.promote",
  "model.deploy",
  "function.deploy",
  "function.migrate",
  "node.configure",
  "node.control",
  "node.update",
]);

/** What nodes can do once they have the model or the function, and not before. */
const brought: ReadonlySet<string> = new Set(["model.infer", "function.invoke"]);

/** Items of a step with `each` that are asked about, at most. */
const mostItems = 50;

export async function checkAble(
  { workflow, inputs, needs }: CheckedWorkflow,
  core: AbilityCore,
  sender: string,
  stored?: StoredThings,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const known = { types: {}, values: inputs };
  for (const [i, step] of workflow.steps.entries()) {
    const behind = ancestorsOf(step.name, needs);
    const changes = workflow.steps.some((other) => behind.has(other.name) && changing.has(other.operation));
    const each =
      typeof step.each === "string" ? resolve(step.each, knownLookup(known, undefined)) : step.each;
    const items: readonly unknown[] = Array.isArray(each) ? each.slice(0, mostItems) : [undefined];
    for (const [k, item] of items.entries()) {
      const resolvedItem = resolve(item, knownLookup(known, undefined));
      const order = knownOrder(workflow, step, knownLookup(known, resolvedItem), core, changes);
      const { decision, error }: Explanation = await core.explain(order, sender);
      if (decision === "local" && stored !== undefined) {
        const lookup = knownLookup(known, resolvedItem);
        findings.push(...(await missingOf(stored, workflow.steps, step, lookup, `steps[${String(i)}]`)));
      }
      if (decision !== "refuse" || error === undefined) continue;
      const code = Object.hasOwn(errorCodes, error.code) ? (error.code as ErrorName) : "no-capable-node";
      // What is missing now may be there then.
      if ((changes || hasOpen(step)) && !certain.has(code)) continue;
      if (changes && brought.has(step.operation) && code === "no-capable-node") continue;
      const suffix = Array.isArray(each) ? ` (item ${String(k)} of each)` : "";
      findings.push({
        place: `steps[${String(i)}]`,
        code,
        text: `${step.operation}: ${error.text || code}${suffix}`,
      });
    }
  }
  // Items of `each` mostly miss the same.
  return findings.filter(({ text }, i) => findings.findIndex((other) => other.text === text) === i);
}

const certain: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "no-capable-node",
  "unknown-operation",
  "forbidden",
]);

const hasOpen = (step: WorkflowStep): boolean =>
  referencesIn([step.arguments, step.selector, step.input, step.each]).some(
    ({ reference }) => reference?.of === "steps",
  );

function ancestorsOf(name: string, needs: ReadonlyMap<string, readonly string[]>): Set<string> {
  const all = new Set<string>();
  const visit = (one: string): void => {
    for (const next of needs.get(one) ?? []) {
      if (all.has(next)) continue;
      all.add(next);
      visit(next);
    }
  };
  visit(name);
  return all;
}

/** The order as far as it is known; what depends on steps is left out. */
function knownOrder(
  workflow: Workflow,
  step: WorkflowStep,
  lookup: Lookup,
  core: AbilityCore,
  changes: boolean,
): Order {
  const known = <T>(value: T): T | undefined =>
    referencesIn(value).every(
      ({ reference }) =>
        reference !== undefined && lookup(reference, { text: "", whole: true }) !== undefined,
    )
      ? (resolve(value, lookup) as T)
      : undefined;
  const some = (values: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(values ?? {})
        .map(([name, value]) => [name, known(value)])
        .filter(([, value]) => value !== undefined),
    );
  const { name, task, ...where } = some(step.selector) as Selector;
  // A model or function that an earlier step brings is not offered yet.
  const selector: Selector = changes
    ? where
    : { ...where, ...(name === undefined ? {} : { name }), ...(task === undefined ? {} : { task }) };
  const input = step.input === undefined ? undefined : known(step.input);
  const inputDescriptor = changes ? undefined : descriptorOf(workflow, step, lookup, core);
  return {
    operation: step.operation,
    ...(Object.keys(selector).length === 0 ? {} : { selector }),
    arguments: some(step.arguments),
    ...(input === undefined ? {} : { input }),
    ...(inputDescriptor === undefined ? {} : { inputDescriptor }),
  };
}

/** Of data that an earlier step takes from a sensor of a node that is there. */
function descriptorOf(
  workflow: Workflow,
  step: WorkflowStep,
  lookup: Lookup,
  core: AbilityCore,
): Partial<Descriptor> | undefined {
  const [only] = parseTemplate(step.input ?? "");
  if (only === undefined || typeof only === "string" || only.reference?.of !== "steps") return undefined;
  const { name } = only.reference;
  const from = workflow.steps.find((other) => other.name === name);
  if (from?.operation !== "data.collect" || runsSeveralTimes(from)) return undefined;
  const values = resolve({ node: from.selector?.node, ...from.arguments }, lookup) as Record<string, unknown>;
  const { node, sensor, frames = 1 } = values;
  const described =
    typeof node === "string" ? core.node(node)?.birth.sensors?.find((one) => one.name === sensor) : undefined;
  if (described === undefined || typeof frames !== "number") return undefined;
  return { elementType: elementTypes.f32, shape: [frames, described.channels] };
}
