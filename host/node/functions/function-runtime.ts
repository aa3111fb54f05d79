/** The Function Runtime of a complete node: bundles in, calls out. See docs/functions.md for the bundle. */
import type { z } from "zod";
import type { functionSummary } from "../../bus/operations/function.js";
import type { Descriptor } from "../../bus/protocol.js";

export type FunctionSummary = z.infer<typeof functionSummary>;

export interface FunctionCall {
  readonly input: Uint8Array | undefined;
  readonly inputDescriptor: Partial<Descriptor> | undefined;
  readonly signal: AbortSignal;
  /** On the clock of `performance.now()`; the instance is stopped then. */
  readonly deadlineAt: number;
}

export interface FunctionOutcome {
  /** "name@version" that ran. */
  readonly function: string;
  readonly output: Uint8Array;
  readonly outputDescriptor: Partial<Descriptor>;
  readonly executionUs: number;
}

/** Failures are OperationFailure: not-found, forbidden, corrupt, function-failed, too-large, deadline. */
export interface FunctionRuntime {
  /** Verifies signature, manifest, imports and bounds, keeps the bundle; it can be invoked when this resolves. */
  deploy(bundle: Uint8Array): Promise<FunctionSummary>;
  /** `name` or `name@version`. */
  invoke(name: string, call: FunctionCall): Promise<FunctionOutcome>;
  remove(name: string): Promise<FunctionSummary>;
  list(prefix?: string): FunctionSummary[];
  /** Undefined when there is none of this name. */
  find(name: string):
    | {
        readonly summary: FunctionSummary;
        readonly input: Partial<Descriptor>;
        readonly output: Partial<Descriptor>;
      }
    | undefined;
  /** The signed bundle, to migrate it. */
  bundle(name: string): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}
