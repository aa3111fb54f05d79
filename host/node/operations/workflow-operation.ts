/** task.workflow: checks a workflow, all of it before its first step, and runs it as a job. */
import { z } from "zod";
import { taskWorkflow } from "../../bus/operations/task.js";
import { checkAble, type AbilityCore } from "../jobs/workflow/check-able.js";
import type { StoredThings } from "../jobs/workflow/check-stored.js";
import { checkWorkflow, type Finding } from "../jobs/workflow/check.js";
import { defaultWorkflowDeadlineMs } from "../jobs/workflow/description.js";
import { workflowKind, type WorkflowParts } from "../jobs/workflow/run-workflow.js";
import { jobOperation } from "./job-operation.js";
import { OperationFailure, type LocalOperation, type OperationCall } from "./operation.js";

export interface WorkflowOperationParts extends WorkflowParts {
  readonly core: AbilityCore;
  /** Data sets and models of this node; without it they are not looked for. */
  readonly stored?: StoredThings;
}

/** Registers the kind of job too: made before the jobs are started. */
export function workflowOperation(parts: WorkflowOperationParts): LocalOperation {
  parts.jobs.register(workflowKind(parts));
  const findingsOf = async (call: OperationCall): Promise<readonly Finding[]> => {
    const { workflow, inputs } = call.arguments;
    const { checked, findings } = checkWorkflow(workflow, (inputs ?? {}) as Record<string, unknown>);
    return checked === undefined ? findings : await checkAble(checked, parts.core, call.sender, parts.stored);
  };
  const runs = jobOperation(taskWorkflow, parts.jobs, subjectOf, {
    async check(call) {
      const [first, ...more] = await findingsOf(call);
      if (first === undefined) return;
      const others = more.length === 0 ? "" : ` (and ${String(more.length)} more: check tells)`;
      throw new OperationFailure(first.code, first.text + others, `arguments.workflow.${first.place}`);
    },
    deadlineOf: ({ arguments: { workflow } }) =>
      deadline.safeParse(workflow).data?.deadlineMs ?? defaultWorkflowDeadlineMs,
  });
  return {
    definition: taskWorkflow,
    async run(call) {
      const { check, ...args } = call.arguments;
      if (check === true) return { result: { findings: await findingsOf(call) } };
      return await runs.run({ ...call, arguments: args });
    },
  };
}

const deadline = z.object({ deadlineMs: z.number() });

function subjectOf({ workflow }: Readonly<Record<string, unknown>>): string {
  const { data } = z.object({ workflow: z.string() }).safeParse(workflow);
  return data?.workflow ?? "";
}
