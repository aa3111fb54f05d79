/** The operations on jobs: task.status and task.cancel. Schedules and workflows have files of their own. */
import { taskCancel, taskStatus } from "../../bus/operations/task.js";
import type { Jobs, JobState } from "../jobs/jobs.js";
import { OperationFailure, type LocalOperation } from "./operation.js";

const fallbackLimit = 50;

/** task.status, task.cancel: of this node's jobs. */
export function jobOperations(jobs: Jobs): LocalOperation[] {
  return [
    {
      definition: taskStatus,
      async run({ arguments: args }) {
        const { job: id, state, limit } = args as { job?: string; state?: JobState; limit?: number };
        if (id === undefined) {
          const some = { limit: limit ?? fallbackLimit, ...(state === undefined ? {} : { state }) };
          return { result: { jobs: await jobs.list(some) } };
        }
        const job = await jobs.get(id);
        if (job === undefined) throw notFound(id);
        return { result: { jobs: state === undefined || job.state === state ? [job] : [] } };
      },
    },
    {
      definition: taskCancel,
      async run({ arguments: args }) {
        const { job: id } = args as { job: string };
        const job = await jobs.cancel(id);
        if (job === undefined) throw notFound(id);
        return { result: { state: job.state } };
      },
    },
  ];
}

const notFound = (id: string) => new OperationFailure("not-found", `no job ${id}`, "arguments.job");
