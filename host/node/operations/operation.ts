/**
 * How a complete node serves an operation. The Core Service has checked envelope, access and arguments before `run`;
 * it answers, counts, times and caches afterwards. A failure is thrown as OperationFailure; any other error is a bug
 * and becomes `internal`.
 */
import type { OperationDefinition } from "../../bus/operations/definition.js";
import type { Answer, Descriptor, Request } from "../../bus/protocol.js";
import type { ErrorName } from "../../bus/protocol-keys.js";

/** An order sent on behalf of an operation, a job or a person: a request without its identity. */
export interface Order extends Omit<Request, "id" | "boot" | "sender"> {
  readonly deadlineMs?: number;
}

export interface OperationCall {
  /** Arguments by name, checked against the definition's schema. */
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly request: Request;
  /** Id of who asked: a node, a neighbouring server, or the name of an operator. */
  readonly sender: string;
  /** Aborted at the deadline, on cancellation, and when the node stops. */
  readonly signal: AbortSignal;
  /** On the clock of `performance.now()`. */
  readonly deadlineAt: number;
}

export interface OperationResult {
  /** By name, as the definition's result; undefined members are left out. */
  readonly result?: Readonly<Record<string, unknown>>;
  /** Inline bytes or a reference; what is larger than a message becomes a reference. */
  readonly output?: Uint8Array | string;
  readonly outputDescriptor?: Partial<Descriptor>;
}

export interface LocalOperation {
  readonly definition: OperationDefinition;
  run(call: OperationCall): Promise<OperationResult>;
  /**
   * Does this node itself serve this request? Absent: always. False sends it to other nodes: `model.infer` with a
   * model that is not here, `data.collect` of a sensor of another node.
   */
  canServe?(request: Request): boolean | Promise<boolean>;
  /**
   * The request is this node's business although its selector names another node: `data.collect` into a data set of
   * this server, of another node's sensor. Asked before the selector; absent: never.
   */
  intercepts?(request: Request): boolean;
}

/** The way to the Core Service for those who make requests of their own: jobs, schedules, the management interface. */
export type Submit = (
  order: Order,
  options: {
    readonly sender: string;
    readonly signal?: AbortSignal;
    readonly onAccepted?: () => void;
    /** The node that has it asks for what follows `offset` of so many bytes of the input. */
    readonly onPulled?: (offset: number, total: number) => void;
    /** It goes to others, also when this node has an operation of this name: one that is made of such requests. */
    readonly elsewhere?: boolean;
    /**
     * Identity of the request, for one that is repeated after a restart of this node: who has answered it already gives
     * that answer again. Unique for its sender; default: this boot and the next number.
     */
    readonly identity?: { readonly boot: number; readonly id: number };
  },
) => Promise<Answer>;

/** An error of the closed set, as an answer tells it. */
export class OperationFailure extends Error {
  override readonly name = "OperationFailure";
  constructor(
    readonly code: ErrorName,
    /** For people; at most 64 bytes of it go over the bus. */
    readonly text: string,
    /** The place in the request, e.g. "arguments.name". */
    readonly field?: string,
    readonly details: { readonly retryAfterMs?: number; readonly trap?: number; readonly site?: number } = {},
  ) {
    super(`${code}${field === undefined ? "" : ` in ${field}`}: ${text}`);
  }
}
