/** One request on its way through the Core Service, from arrival to its terminal answer. Data only. */
import type { BusConnection } from "../../bus/connection.js";
import type { CallerRole, OperationDefinition } from "../../bus/operations/definition.js";
import type { AnswerHead } from "./envelope.js";
import type { NeighbourLink } from "./neighbour-link.js";
import type { NodeEntry } from "./node-entry.js";
import type { Pull } from "./offers.js";

/** Who does it: a node or server that is joined to this server, or one that this server is joined to. */
export interface Target {
  readonly entry: NodeEntry;
  readonly link: NeighbourLink | undefined;
}

/** Where answers go. */
export interface Reply {
  readonly connection: BusConnection;
  readonly topic: string;
  /** For what is larger than a message. */
  readonly chunkTopic: string;
  /** The node or server that it goes to. */
  readonly peer: string;
}

export class Exchange {
  state: "routing" | "waiting" | "dispatched" | "local" | "done" = "routing";
  /** Of the trace. */
  decision: "local" | "dispatch" | "forward" | "refuse" = "refuse";
  /** Whoever asked can do without `accepted` when the work ends at once. */
  brief = false;
  /** Stage `accepted` was passed on; it is at most once. */
  accepted = false;
  /** The input when it is too large for the message: it goes beside it to servers, and minimal nodes may pull it. */
  content: Uint8Array | undefined = undefined;
  /** SHA-256 of it, hexadecimal, once the message refers to it. */
  contentDigest = "";
  /** How far the node is that pulls it. */
  pull: Pull | undefined = undefined;
  /** Who sent the message: a node or server; "" inside this node. */
  via = "";
  /** The acknowledgement, while it waits to be sent. */
  heldAccepted: Uint8Array | undefined = undefined;
  /** The present target has acknowledged. */
  targetAccepted = false;
  target: Target | undefined = undefined;
  /** On the clock of performance.now(). */
  sentAt = 0;
  attempts = 0;
  /** Targets that it was sent to and that did not refuse it: they may have executed it. */
  given = 0;
  /** When the dispatch is sent again if nobody answers, on the same clock, and how often it was. */
  resendAt = 0;
  resends = 0;
  /** Ids of all targets so far: any of them may still answer. */
  readonly tried: string[] = [];
  /** What a target that could not do it said last, to pass on when nobody can. */
  lastRefusal: { readonly bytes: Uint8Array; readonly head: AnswerHead } | undefined = undefined;
  /** Targets that died while they had it. */
  deaths = 0;
  /** Ends a local operation. */
  abort: AbortController | undefined = undefined;
  /** Places in the heaps of deadlines and of waiting requests. */
  dueAt = -1;
  queueAt = -1;
  /** Waits for the acknowledgement of a server. */
  patience: NodeJS.Timeout | undefined = undefined;

  constructor(
    /** sender/boot/id */
    readonly key: string,
    readonly sender: string,
    readonly boot: number,
    readonly id: number,
    readonly operation: string,
    readonly definition: OperationDefinition | undefined,
    /** Who asks, for access and for operations: the sender, or the name of an operator. */
    readonly caller: string,
    readonly role: CallerRole,
    /** The request as it came, later with its input. */
    public payload: Uint8Array,
    readonly replies: Reply[],
    /** Those inside this node who wait for it. */
    readonly callers: LocalCaller[],
    readonly priority: number,
    /** Counts arrivals. */
    readonly order: number,
    /** On the clock of performance.now(). */
    readonly arrivedAt: number,
    readonly deadlineAt: number,
    readonly hops: number,
    readonly path: readonly string[],
  ) {}

  /** ms left, at least 0. */
  left(now: number): number {
    return Math.max(0, this.deadlineAt - now);
  }
}

export interface LocalCaller {
  accepted(): void;
  /** The node asks for what follows `offset` of so many bytes of the input. */
  pulled?(offset: number, total: number): void;
  done(answer: Uint8Array): void;
}
