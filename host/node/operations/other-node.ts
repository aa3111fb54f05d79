/**
 * Another complete node as a job of this one deals with it: asked again and again while it, or the way to it, is away; or
 * given a job, which is followed to its end. What is asked for is decided elsewhere.
 */
import { taskStatus } from "../../bus/operations/task.js";
import type { Fields, OperationDefinition, ValueOf } from "../../bus/operations/definition.js";
import { objectOf } from "../../bus/operations/definition.js";
import { errorName, type Answer } from "../../bus/protocol.js";
import { namedResult } from "../../bus/request-codec.js";
import { hasEnded, isNodeStop } from "../jobs/job-endings.js";
import type { JobContext, JobSummary } from "../jobs/jobs.js";
import { resultOfJob } from "./job-operation.js";
import { OperationFailure, type Order, type Submit } from "./operation.js";

/** How long a transfer stands still before it is given up, and the pauses in between; ms. */
export interface TransferTimes {
  readonly patienceMs: number;
  readonly pauseMs: number;
}
export const transferTimes: TransferTimes = { patienceMs: 120_000, pauseMs: 500 };

const requestMs = 30_000;
/** Errors after which the same question may be answered: the other one, or the way to it, is away for a while. */
const passing: ReadonlySet<string> = new Set([
  "no-capable-node",
  "busy",
  "deadline",
  "cancelled",
  "not-found",
]);

export interface OtherNodeParts {
  readonly submit: Submit;
  readonly transfer: TransferTimes;
}
type Job = Pick<JobContext, "sender" | "signal">;
/** What is asked, of which node is known. */
type OrderThere = Pick<Order, "arguments" | "input" | "deadlineMs">;
type Ask = <A extends Fields, R extends Fields>(
  definition: OperationDefinition<A, R>,
  order: OrderThere,
) => Promise<{ readonly result: ValueOf<R>; readonly output: Answer["output"] }>;

/** @throws OperationFailure as an answer tells it */
export function throwOnError({ error }: Answer): void {
  if (error === undefined) return;
  const code = errorName(error.code) ?? "internal";
  throw new OperationFailure(code, error.text ?? code, error.field);
}

/**
 * Asks a node again and again while it, or the way to it, is away; gives up when nothing came for `patienceMs`.
 * `first`: what fails now fails at once.
 */
export function askerOf(
  { submit, transfer }: OtherNodeParts,
  node: string,
  job: Job,
): (first?: boolean) => Ask {
  return (first = false) =>
    async (definition, order) => {
      const end = performance.now() + transfer.patienceMs;
      for (;;) {
        const answer = await submit(
          { deadlineMs: requestMs, ...order, operation: definition.name, selector: { node } },
          { sender: job.sender, signal: job.signal },
        );
        try {
          throwOnError(answer);
          const result = objectOf(definition.result).parse(namedResult(definition, answer) ?? {});
          return { result: result as ValueOf<typeof definition.result>, output: answer.output };
        } catch (error) {
          const failure =
            error instanceof OperationFailure
              ? error
              : new OperationFailure("internal", `${node} answers otherwise than agreed`);
          if (first || job.signal.aborted || !passing.has(failure.code) || performance.now() >= end) {
            throw failure;
          }
        }
        await pause(transfer.pauseMs, job.signal);
      }
    };
}

/**
 * Makes a job of another complete node and follows it (`report`: 0..1, and what it is at); gives its result. When this job
 * is ended, that one is too.
 * @throws OperationFailure why it failed, or the other node cannot be asked
 */
export async function runThere(
  parts: OtherNodeParts,
  definition: OperationDefinition,
  order: OrderThere,
  target: string,
  job: Job,
  report: (fraction: number, text: string) => void,
): Promise<Readonly<Record<string, unknown>>> {
  // Without the signal: whoever gives up waiting must still learn of the job, to end it.
  const begin = askerOf(parts, target, { sender: job.sender, signal: new AbortController().signal });
  const { result: begun } = await begin(true)(definition, order);
  const ask = askerOf(parts, target, job);
  const id = String(begun["job"]);
  try {
    for (;;) {
      const { result } = await ask()(taskStatus, { arguments: { job: id } });
      const [there] = result.jobs as readonly JobSummary[];
      if (there === undefined) throw new OperationFailure("not-found", `${target} lost job ${id}`);
      report(there.progress, there.text);
      if (hasEnded(there)) return resultOfJob(there);
      await pause(parts.transfer.pauseMs, job.signal);
    }
  } catch (error) {
    // After a restart of this node the job there goes on, or is superseded by the next order.
    if (job.signal.aborted && !isNodeStop(job.signal)) {
      await parts
        .submit(
          { operation: "task.cancel", selector: { node: target }, arguments: { job: id } },
          { sender: job.sender },
        )
        .catch(() => undefined);
    }
    throw error;
  }
}

/** @throws OperationFailure cancelled */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
  if (signal.aborted) throw new OperationFailure("cancelled", "told to stop");
}
