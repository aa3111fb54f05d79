/**
 * What can be read of a description that does not fit the schema, so that the rest of it can be checked all the same. It is
 * for finding mistakes only: nothing of it is ever run.
 */
import type { z } from "zod";
import { workflowSchema, type Workflow } from "./description.js";

export interface WellFormed {
  readonly workflow: Workflow;
  /** Places of steps that do not fit the schema: of these the workflow has the names. */
  readonly unread: ReadonlySet<number>;
}

/** Members of the whole that no step depends on. */
const apart = new Set(["workflow", "description", "deadlineMs", "parallel", "outputs"]);

/** Undefined when what is wrong could make the rest look wrong: unknown members, inputs, steps without a usable name. */
export function wellFormed(
  description: unknown,
  issues: readonly z.core.$ZodIssue[],
): WellFormed | undefined {
  const unread = new Set<number>();
  const leftOut = new Set<string>();
  for (const { path } of issues) {
    const [member, index] = path;
    if (member === "steps" && typeof index === "number") unread.add(index);
    else if (typeof member === "string" && apart.has(member)) leftOut.add(member);
    else return undefined;
  }
  const members = Object.entries((description as object | null) ?? {});
  const whole = Object.fromEntries(members.filter(([name]) => !leftOut.has(name))) as Record<string, unknown>;
  const { workflow = "unread", steps } = whole;
  if (!Array.isArray(steps)) return undefined;
  const readable = steps.map((step: unknown, i) =>
    unread.has(i) ? { name: (step as { name?: unknown } | null)?.name, operation: "unread" } : step,
  );
  const { data } = workflowSchema.safeParse({ ...whole, workflow, steps: readable });
  return data === undefined ? undefined : { workflow: data, unread };
}
