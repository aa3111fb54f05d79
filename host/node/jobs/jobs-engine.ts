/** What makes the jobs of a node, and what can be done with them beside the interface Jobs. */
import type { Log } from "../log.js";
import type { Jobs } from "./jobs.js";
import type { SharedOptions } from "./shared-jobs.js";

export interface JobsOptions {
  /** Id of the node: the jobs in the storage are those of this owner. */
  readonly owner: string;
  /** Jobs that run at a time; default 2. */
  readonly concurrency?: number;
  /** Jobs of coordinating kinds that run at a time; default 16. */
  readonly coordinators?: number;
  /** Jobs that have not ended, at most; default 1000. Then `busy`. */
  readonly limit?: number;
  /** Ended jobs that are kept: the newest so many (default 1000), not older than so many seconds (default 30 days). */
  readonly keep?: { readonly count?: number; readonly ageS?: number };
  /** How long a job that was told to end may take before it is ended without it, ms; default 10,000. */
  readonly graceMs?: number;
  /** How often progress is kept, at most, ms; default 1000. */
  readonly progressMs?: number;
  /** This process is one of several workers of the node, with one storage: they take over the jobs of one that died. */
  readonly shared?: SharedOptions;
  readonly log?: Log;
}

export interface JobsEngine extends Jobs {
  /** Reads what is kept, and goes on with what had not ended. Kinds are registered before. */
  start(): Promise<void>;
  /** Tells what runs to stop, waits for it (at most graceMs); it goes on, or fails, at the next start. */
  stop(): Promise<void>;
}
