/**
 * Long work of a complete node: kept in storage before it starts, with progress, cancellable, always ending in one
 * terminal state, also over restarts. One job at a time runs for a subject; a newer wish supersedes an older one.
 */
import type { z } from "zod";
import type { jobStates, jobSummary } from "../../bus/operations/task.js";

export type JobState = (typeof jobStates)[number];
export type JobSummary = z.infer<typeof jobSummary>;
export type JobStep = NonNullable<JobSummary["steps"]>[number];

/** What a running job may use. */
export interface JobContext {
  readonly id: string;
  readonly sender: string;
  /** Aborted when it is cancelled, superseded or the node stops. */
  readonly signal: AbortSignal;
  /** Shown at once, and kept later; fraction 0..1. */
  progress(fraction: number, text: string): void;
  /** Kept before it resolves, with the steps as they are now: where a resumed job goes on. */
  checkpoint(state: unknown): Promise<void>;
  /** What `checkpoint` kept before the node was restarted. */
  readonly resumedFrom: unknown;
  /** Shown as soon as they are kept, and how far it is with them. */
  setSteps(steps: readonly JobStep[], fraction?: number, text?: string): void;
}

/** How jobs of an operation are run. After a restart of the node `resume` says what becomes of those that ran. */
export interface JobKind {
  readonly operation: string;
  /** Runs again from its last checkpoint, or fails with `internal: node restarted`. */
  readonly resume: "again" | "fail";
  /** Mostly waits for other jobs (a workflow): it runs beside the bounded number of jobs, so that it cannot starve them. */
  readonly coordinates?: true;
  run(
    input: Readonly<Record<string, unknown>>,
    context: JobContext,
  ): Promise<Readonly<Record<string, unknown>>>;
}

export interface JobOrder {
  readonly operation: string;
  readonly subject: string;
  readonly sender: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** ms from now until it fails with `deadline`; default none. */
  readonly deadlineMs?: number;
  /** Who asked which request: "sender/boot/id". The same request again, also after a restart, gives the job that it made. */
  readonly identity?: string;
}

export interface Jobs {
  register(kind: JobKind): void;
  /** Kept when it resolves. */
  enqueue(order: JobOrder): Promise<JobSummary>;
  get(id: string): Promise<JobSummary | undefined>;
  /** Newest first. */
  list(options?: { readonly state?: JobState; readonly limit?: number }): Promise<JobSummary[]>;
  /** Resolves with the terminal state; the signal ends the waiting, not the job. */
  wait(id: string, signal?: AbortSignal): Promise<JobSummary>;
  cancel(id: string): Promise<JobSummary | undefined>;
  /** Every change of a job. */
  onChange(listener: (job: JobSummary) => void): () => void;
}
