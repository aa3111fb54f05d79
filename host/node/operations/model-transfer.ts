/**
 * Models on their way between complete nodes, in pieces: whoever needs the model asks for one piece after the other, so a
 * lost connection costs one piece, memory holds one, and the digest decides at the end. A node that brings a model to
 * another lets that one fetch it, and watches. What is kept and offered is decided elsewhere.
 */
import { modelDeploy, modelRetrieve } from "../../bus/operations/model.js";
import { taskStatus } from "../../bus/operations/task.js";
import type { Fields, OperationDefinition, ValueOf } from "../../bus/operations/definition.js";
import { objectOf } from "../../bus/operations/definition.js";
import { errorName, type Answer } from "../../bus/protocol.js";
import { namedResult } from "../../bus/request-codec.js";
import { hasEnded, isNodeStop } from "../jobs/job-endings.js";
import type { JobContext, JobSummary } from "../jobs/jobs.js";
import { qualifiedName, type ModelRecord, type ModelSummary } from "../models/model-records.js";
import { resultOfJob } from "./job-operation.js";
import type { ModelContext } from "./model-operations.js";
import { OperationFailure, type Order } from "./operation.js";

/** Bytes of a piece: a few messages on the bus. A model of no more goes as one input. */
export const pieceBytes = 1024 * 1024;
/** Most bytes of a model. */
export const largestModel = 256 * 1024 * 1024;

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

type Transfer = Pick<ModelContext, "submit" | "transfer">;
type Job = Pick<JobContext, "sender" | "signal" | "progress">;
type Ask = <A extends Fields, R extends Fields>(
  definition: OperationDefinition<A, R>,
  order: Pick<Order, "arguments">,
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
function askerOf({ submit, transfer }: Transfer, node: string, job: Job): (first?: boolean) => Ask {
  return (first = false) =>
    async (definition, order) => {
      const end = performance.now() + transfer.patienceMs;
      for (;;) {
        const answer = await submit(
          { ...order, operation: definition.name, selector: { node }, deadlineMs: requestMs },
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
 * Brings a model of another node into the registry of this one; a version that is here with these bytes is not fetched.
 * @throws OperationFailure not-found, too-large, no-space, forbidden (here it has other bytes), corrupt (wrong pieces or
 *   digest, no model), and whatever keeps the other node from answering
 */
export async function fetchModel(
  context: ModelContext,
  qualified: string,
  from: string,
  job: Job,
): Promise<ModelRecord> {
  const ask = askerOf(context, from, job);
  const piece = async (
    model: string,
    offset: number,
    first: boolean,
  ): Promise<{ readonly model: ModelSummary; readonly bytes: Uint8Array }> => {
    const { result, output } = await ask(first)(modelRetrieve, {
      arguments: { model, offset, bytes: pieceBytes },
    });
    return { model: result.model, bytes: output instanceof Uint8Array ? output : new Uint8Array(0) };
  };
  const { model, bytes: beginning } = await piece(qualified, 0, true);
  const { name, version, digest, bytes: total, labels, ...rest } = model;
  if (total > largestModel) {
    throw new OperationFailure("too-large", `${total} of ${largestModel} bytes`, "arguments.model");
  }
  const known = await context.models.find(`${name}@${version}`);
  if (known?.digest === digest) return known;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < total;) {
      const next = at === 0 ? { model, bytes: beginning } : await piece(`${name}@${version}`, at, false);
      if (next.model.digest !== digest || next.bytes.length !== Math.min(pieceBytes, total - at)) {
        throw new OperationFailure("corrupt", `${from} gave another piece at ${at} of ${total}`);
      }
      at += next.bytes.length;
      yield next.bytes;
      job.progress(at / total, `${at} of ${total} bytes from ${from}`);
    }
  }
  const { task, parent, data, rate, unit } = rest;
  return context.models.receive(
    name,
    version,
    { digest, bytes: total, source: pieces() },
    { task, parent, data, rate, unit, labels: labels.length === 0 ? undefined : labels },
  );
}

/**
 * Lets another complete node fetch a model from this one and offer it; `report` follows it (0..1). What is lost on the
 * way is asked for again; when this job is ended, that of the other node is too.
 * @throws OperationFailure why it did not get it
 */
export async function pushModel(
  context: ModelContext,
  record: ModelRecord,
  target: string,
  job: JobContext,
  report: (fraction: number) => void,
): Promise<void> {
  const watched: Job = { sender: job.sender, signal: job.signal, progress: () => undefined };
  const ask = askerOf(context, target, watched);
  const { result: begun } = await ask(true)(modelDeploy, {
    arguments: { model: qualifiedName(record), from: context.node, detach: true },
  });
  const id = begun.job;
  try {
    for (;;) {
      const { result } = await ask()(taskStatus, { arguments: { job: id } });
      const [there] = result.jobs as readonly JobSummary[];
      if (there === undefined) throw new OperationFailure("not-found", `${target} lost job ${id}`);
      report(there.progress);
      if (hasEnded(there)) {
        resultOfJob(there);
        return;
      }
      await pause(context.transfer.pauseMs, job.signal);
    }
  } catch (error) {
    // After a restart of this node the job there goes on, or is superseded by the next order.
    if (job.signal.aborted && !isNodeStop(job.signal)) {
      await context
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
