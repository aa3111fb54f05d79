/**
 * What the Core Service offers to the rest of the node: requests in, exactly one terminal answer out; who is there and
 * what they can do; why a request goes where it goes.
 */
import type { Answer, Birth, Counters, Request, State } from "../../bus/protocol.js";
import type { LocalOperation, Order, Submit } from "../operations/operation.js";

/** A node that is joined to this server, or was. */
export interface RegisteredNode {
  readonly node: string;
  readonly birth: Birth;
  readonly state: State | undefined;
  readonly online: boolean;
  /** Requests dispatched to it and not answered. */
  readonly inFlight: number;
  /** Moving mean of its round trips, ms; undefined before the first answer. */
  readonly latencyMs: number | undefined;
  /** 0 mains … 3 harvested, of its label "energy:N"; default 1. */
  readonly energyClass: number;
  /** ms since 1970. */
  readonly lastSeenAt: number;
}

/** Why a candidate was or was not chosen. */
export interface Candidate {
  readonly node: string;
  readonly kind: "self" | "node" | "server";
  readonly fits: boolean;
  /** Where it does not fit: the operation, the selector, or the field of a descriptor; "" when it fits. */
  readonly why: string;
  /** Lower is better; undefined when it does not fit. The parts add up to it. */
  readonly score: { readonly total: number; readonly parts: Readonly<Record<string, number>> } | undefined;
}

export interface Explanation {
  readonly decision: "local" | "dispatch" | "forward" | "refuse";
  /** The node or neighbouring server it would go to; undefined when refused. */
  readonly chosen: string | undefined;
  /** The error it would be refused with. */
  readonly error: { readonly code: string; readonly text: string; readonly field?: string } | undefined;
  /** In order of preference; those that do not fit last. At most 100. */
  readonly candidates: readonly Candidate[];
}

/** One finished request, for metrics, log and live view. */
export interface RequestTrace {
  readonly request: Pick<Request, "id" | "boot" | "sender" | "operation">;
  /** Where it came from: the bus, or inside the node (management, jobs). */
  readonly origin: "bus" | "local";
  readonly node: string;
  readonly decision: Explanation["decision"];
  readonly attempts: number;
  /** Name of the error code, or undefined. */
  readonly error: string | undefined;
  readonly totalMs: number;
  readonly queueUs: number;
  readonly executionUs: number;
  /** ms since 1970, when it arrived. */
  readonly at: number;
}

export interface CoreEvents {
  "node-online": RegisteredNode;
  "node-offline": RegisteredNode;
  request: RequestTrace;
  event: { readonly node: string; readonly name: string; readonly value: unknown };
}

export interface CoreService {
  /** Of this server. */
  readonly id: string;
  readonly boot: number;
  /** Adds an operation this node serves itself. Before `start`, or later (a connector that comes and goes). */
  offer(operation: LocalOperation): void;
  withdraw(name: string): void;
  /** What its birth record tells of this node (`abilities` of its options) is other now: neighbours hear of it. */
  abilitiesChanged(): void;
  /** Exactly one terminal answer, by the deadline (default 10 s); never rejects. */
  readonly submit: Submit;
  /** A node of this bus is to stop pulling an input (SHA-256, hexadecimal) that no request offers it any more. */
  recall(node: string, digest: string): void;
  explain(order: Order, sender?: string): Promise<Explanation>;
  nodes(): readonly RegisteredNode[];
  node(id: string): RegisteredNode | undefined;
  /** The neighbouring servers, by id, and whether they can be reached. */
  neighbours(): readonly { readonly id: string; readonly connected: boolean }[];
  /** Since the start, as node.monitor and the state record tell them. */
  counters(): Counters;
  /** Requests that wait or run here, dispatched ones included. */
  pending(): number;
  /** The birth record of this node: what it offers itself. */
  birth(): Birth;
  on<E extends keyof CoreEvents>(event: E, listener: (value: CoreEvents[E]) => void): () => void;
  /** Takes nothing new, finishes what runs; resolves when nothing runs or `ms` have passed. */
  drain(ms: number): Promise<void>;
  resume(): void;
}

export type { Answer, Order };
