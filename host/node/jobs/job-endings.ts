/** How jobs end: the states that are ends, and errors as jobs keep them. */
import { OperationFailure } from "../operations/operation.js";
import { StorageError } from "../storage/storage.js";
import type { Ending } from "./job-record.js";
import type { JobState, JobSummary } from "./jobs.js";

export const longestText = 500;

const terminal: ReadonlySet<JobState> = new Set(["done", "failed", "cancelled", "superseded"]);
export const hasEnded = (job: JobSummary): boolean => terminal.has(job.state);

export const nodeStops = new OperationFailure("cancelled", "the node stops");

/** The job is interrupted because the node stops, and goes on later: what it started elsewhere must not be ended. */
export const isNodeStop = (signal: AbortSignal): boolean => signal.aborted && signal.reason === nodeStops;

export const superseded: Ending = { state: "superseded", text: "a newer wish came" };

export function failed(code: string, text: string, field?: string): Ending {
  const short = text.slice(0, longestText);
  return {
    state: "failed",
    text: short,
    error: { code, text: short, ...(field === undefined ? {} : { field }) },
  };
}

export function asFailure(error: unknown): OperationFailure {
  if (error instanceof OperationFailure) return error;
  if (error instanceof StorageError) {
    const code = error.code === "unavailable" ? "internal" : error.code;
    return new OperationFailure(code, error.message);
  }
  return new OperationFailure("internal", errorText(error));
}

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
