/**
 * Preconditions of operations that hold, or cannot hold, whatever the nodes have: which kind of model a step makes and
 * the next one needs, shares that sum to more than 1.
 */
import type { OperationDefinition } from "../../../bus/operations/definition.js";
import type { CheckContext } from "./check-steps.js";
import type { WorkflowStep } from "./description.js";
import { referencesIn, type Place } from "./references.js";

type ModelKind = "float" | "quantised";

const makes: Readonly<Record<string, ModelKind>> = {
  "model.train": "float",
  "model.aggregate": "float",
  "model.optimize": "quantised",
  "model.store": "quantised",
};

const needs: Readonly<Record<string, Readonly<Record<string, ModelKind>>>> = {
  "model.train": { from: "float" },
  "model.aggregate": { models: "float" },
  "model.optimize": { model: "float" },
};

export function checkFacts(
  { workflow, report }: CheckContext,
  step: WorkflowStep,
  definition: OperationDefinition,
  at: Place,
): void {
  for (const [argument, kind] of Object.entries(needs[definition.name] ?? {})) {
    for (const { reference, text, place } of referencesIn(step.arguments?.[argument], [
      ...at,
      "arguments",
      argument,
    ])) {
      if (reference?.of !== "steps" || reference.path.at(-1) !== "model") continue;
      const maker = workflow.steps.find((one) => one.name === reference.name);
      const made = makes[maker?.operation ?? ""];
      if (maker !== undefined && made !== undefined && made !== kind) {
        const why = `${text} is a ${made} model (of ${maker.operation}), and ${definition.name} needs a ${kind} one`;
        report(place, why, "descriptor-mismatch");
      }
    }
  }
  if (definition.name === "data.split") {
    const shares = ["training", "validation", "test", "calibration"].map((name) => step.arguments?.[name]);
    const sum = shares.reduce<number>((total, share) => total + (typeof share === "number" ? share : 0), 0);
    if (sum > 1 + 1e-9) report([...at, "arguments"], `the shares sum to ${String(sum)}, more than 1`);
  }
}
