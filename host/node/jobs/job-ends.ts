/**
 * The ends of jobs: which ones a former life of the node left end at once, and how a terminal state is kept, whatever the
 * storage does. Whom it is told is the engine's business (create-jobs.ts).
 */
import type { Log } from "../log.js";
import { OperationFailure } from "../operations/operation.js";
import { errorText, failed, longestText, superseded } from "./job-endings.js";
import type { Ending, JobRecord } from "./job-record.js";
import type { JobStore } from "./job-store.js";
import type { JobEntry } from "./job-table.js";
import type { JobKind, JobSummary } from "./jobs.js";
import { JobTaken } from "./shared-jobs.js";

/** Starts without a checkpoint in between after which a job fails: it takes the node down each time. */
const mostStarts = 5;

/** How a job ends that a former life of the node left; undefined: it goes on. `isOld`: there is a newer one. */
export function endOfLeft(record: JobRecord, kind: JobKind | undefined, isOld: boolean): Ending | undefined {
  const { operation, state } = record.summary;
  if (record.ending !== undefined) return record.ending;
  if (isOld) return superseded;
  if (kind === undefined) return failed("internal", `this node does not run ${operation} any more`);
  if (state === "running" && kind.resume === "fail") return failed("internal", "node restarted");
  if (record.starts < mostStarts) return undefined;
  return failed("internal", `the node ended ${String(record.starts)} times while it ran`);
}

/**
 * Keeps the terminal state of a job, again and again until it can. Resolves with it, or with "taken" when another worker has
 * the job, or "stopped" when the node stops: another life finds it not ended, and ends it.
 */
export async function keepEnd(
  store: JobStore,
  entry: JobEntry,
  outcome: JobSummary | Ending,
  isStopped: () => boolean,
  log: Log | undefined,
): Promise<JobSummary | "taken" | "stopped"> {
  const { record } = entry;
  const { id } = record.summary;
  let end: JobSummary = {
    ...record.summary,
    ...outcome,
    text: outcome.state === "done" ? record.summary.text : outcome.text.slice(0, longestText),
    endedAt: new Date().toISOString(),
  };
  for (let pause = 50; ; pause = Math.min(5000, pause * 2)) {
    const kept: JobRecord = { summary: end, starts: 0 };
    if (record.identity !== undefined) kept.identity = record.identity;
    try {
      await store.commit([{ id, record: kept, checkpoint: "remove" }]);
      entry.record = kept;
      entry.shown = end;
      delete entry.live;
      return end;
    } catch (error) {
      if (error instanceof JobTaken) return "taken";
      if (error instanceof OperationFailure) {
        // The result cannot be kept at all.
        const { result: _, ...rest } = end;
        const { state, text, error: why } = failed(error.code, `result: ${error.text}`);
        end = { ...rest, state, text, error: why };
        continue;
      }
      log?.error({ job: id, error: errorText(error) }, "cannot keep the end of a job");
      if (isStopped()) return "stopped";
      await new Promise((resolve) => setTimeout(resolve, pause).unref());
    }
  }
}
