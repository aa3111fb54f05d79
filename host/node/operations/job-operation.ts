/**
 * Operations that run as jobs, as the Core Service sees them. The request is answered when the job has ended, or at once
 * when it is `detach`ed. When the request's deadline passes first, the answer is `deadline` with the job's id and the job
 * goes on: who asked finds it with task.status, and ends it with task.cancel. The same request again, also after a
 * restart of this node, finds the job that it made.
 */
import type { OperationDefinition } from "../../bus/operations/definition.js";
import { errorCodes, type ErrorName } from "../../bus/protocol-keys.js";
import type { Jobs, JobSummary } from "../jobs/jobs.js";
import { OperationFailure, type LocalOperation, type OperationCall } from "./operation.js";

/** What the job gets beside the arguments: the rest of the request. No argument's name begins with $. */
export const jobExtras = {
  input: "$input",
  inputDescriptor: "$inputDescriptor",
  selector: "$selector",
} as const;

export interface JobOperationOptions {
  readonly canServe?: LocalOperation["canServe"];
  /** ms until the job fails with `deadline`; default none: a job has the time that its work takes. */
  deadlineOf?(call: OperationCall): number | undefined;
  /** Checks that need not wait for the job: throws before it is kept. */
  check?(call: OperationCall): Promise<void> | void;
}

/**
 * Makes an operation of a kind of job. The kind is registered with `jobs.register`; its `run` gets the arguments by name
 * without `detach`, and what else the request has as `$input`, `$inputDescriptor`, `$selector`; what it gives becomes the
 * answer's result, with the job's id.
 * @param subjectOf what the job is about, at most 200 characters; a newer job for it supersedes an older one
 */
export function jobOperation(
  definition: OperationDefinition,
  jobs: Jobs,
  subjectOf: (args: Readonly<Record<string, unknown>>) => string,
  options: JobOperationOptions = {},
): LocalOperation {
  return {
    definition,
    ...(options.canServe === undefined ? {} : { canServe: options.canServe }),
    async run(call) {
      await options.check?.(call);
      const { detach, ...args } = call.arguments;
      const { request } = call;
      const input: Record<string, unknown> = { ...args };
      for (const [name, key] of Object.entries(jobExtras)) {
        const value = request[name as keyof typeof jobExtras];
        if (value !== undefined) input[key] = value;
      }
      const deadlineMs = options.deadlineOf?.(call);
      const { id } = await jobs.enqueue({
        operation: definition.name,
        subject: subjectOf(args).slice(0, 200),
        sender: call.sender,
        input,
        identity: `${request.sender}/${String(request.boot)}/${String(request.id)}`,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      });
      if (detach === true) return { result: { job: id } };
      return { result: { ...resultOfJob(await waitUntil(jobs, id, call)), job: id } };
    },
  };
}

/** @throws OperationFailure of the job's end when it is not done */
export function resultOfJob(job: JobSummary): Readonly<Record<string, unknown>> {
  if (job.state === "done") return job.result ?? {};
  if (job.state === "failed") {
    const { code = "internal", text = "", field } = job.error ?? {};
    throw new OperationFailure(isErrorName(code) ? code : "internal", text, field);
  }
  throw new OperationFailure("cancelled", `job ${job.id} ${job.state}`);
}

function isErrorName(code: string): code is ErrorName {
  return Object.hasOwn(errorCodes, code);
}

async function waitUntil(jobs: Jobs, id: string, call: OperationCall): Promise<JobSummary> {
  // A little before the deadline: the Core Service's own answer would not name the job.
  const left = call.deadlineAt - performance.now();
  const end = AbortSignal.timeout(Math.max(0, Math.floor(left - Math.min(50, left / 10))));
  try {
    return await jobs.wait(id, AbortSignal.any([end, call.signal]));
  } catch (error) {
    if (end.aborted || performance.now() >= call.deadlineAt) {
      throw new OperationFailure("deadline", `job ${id} goes on`);
    }
    if (error instanceof OperationFailure) throw error;
    throw new OperationFailure("cancelled", `job ${id} goes on`);
  }
}
