/** What a rule of the kit is, and what it may use to check itself. */
import { Violation, type Probe, type Wire } from "./probe.js";
import { outcome, type Answer, type CborMap, type ErrorName, errorNames } from "./wire.js";

export type NodeKind = "minimal" | "complete";

/** What the kit may do to the node under test beside talking to it. */
export interface Controls {
  /** Kills the node's process and starts it again; resolves when it was started. */
  readonly restart?: () => Promise<void>;
}

export interface RuleContext {
  readonly kind: NodeKind;
  readonly url: string;
  readonly server: string;
  readonly node: string;
  /** Hears everything that the broker lets it hear. */
  readonly wire: Wire;
  /** Requests to the node: on `x` for a minimal node, on `q` for a complete one. */
  readonly probe: Probe;
  /** The newest birth record. */
  readonly birth: () => CborMap;
  readonly controls: Controls;
  /** Plays a node of the server under test (complete nodes). */
  readonly playNode: (id: string, options?: PlayedNodeOptions) => Promise<PlayedNode>;
  /** Quotas that the node under test was started with, where the kit started it. */
  readonly limits: { readonly inFlightPerNode?: number; readonly queuePerNode?: number };
  /** A sensor that the node has, where its birth record does not tell one. */
  readonly sensor: { readonly name: string; readonly channels: number; readonly rate: number } | undefined;
  /** A neighbouring server that the kit plays, when the node under test was started with it. */
  readonly neighbour: PlayedServer | undefined;
}

export interface PlayedNodeOptions {
  readonly boot?: number;
  readonly operations?: readonly string[];
  readonly sensors?: readonly CborMap[];
  readonly models?: readonly CborMap[];
  readonly labels?: readonly string[];
}

/** A minimal node that the kit plays: what is dispatched to it is in `requests`. */
export interface PlayedNode {
  readonly id: string;
  readonly boot: number;
  readonly wire: Wire;
  readonly probe: Probe;
  /** Requests on its `x`, in order. */
  requests(): CborMap[];
  answer(request: CborMap, entries: Readonly<Record<number, unknown>>): Promise<void>;
  announce(): Promise<void>;
  close(): Promise<void>;
  kill(): void;
}

/** A neighbouring server that the kit plays: it refuses what is forwarded to it, unless it is able. */
export interface PlayedServer {
  readonly id: string;
  readonly url: string;
  readonly wire: Wire;
  able: boolean;
}

export interface Rule {
  /** "request.accepted-done" */
  readonly id: string;
  readonly kinds: readonly NodeKind[];
  /** Where it is written: a heading of docs/protocol.md, or of the design of the bus. */
  readonly clause: string;
  /** The rule in one sentence. */
  readonly text: string;
  check(context: RuleContext): Promise<void>;
}

export class NotApplicable extends Error {
  override readonly name = "NotApplicable";
}

export function must(condition: boolean, text: string): asserts condition {
  if (!condition) throw new Violation(text);
}

export function applies(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new NotApplicable(reason);
}

/** The answer is this error, with a field that begins so. */
export function mustRefuse(
  answer: Answer,
  codes: ErrorName | readonly ErrorName[],
  what: string,
  field?: string,
): void {
  const allowed = typeof codes === "string" ? [codes] : codes;
  const code = answer.error?.code ?? 0;
  must(
    allowed.some((name) => errorNames.indexOf(name) === code),
    `${what}: expected ${allowed.join(" or ")}, got ${outcome(answer)}`,
  );
  must(
    field === undefined || (answer.error?.field ?? "").startsWith(field),
    `${what}: the error must name the field ${field}, got ${outcome(answer)}`,
  );
}

export function mustSucceed(answer: Answer, what: string): void {
  must(answer.error === undefined, `${what}: ${outcome(answer)} (${answer.error?.text ?? ""})`);
}

export const both: readonly NodeKind[] = ["minimal", "complete"];
export const minimal: readonly NodeKind[] = ["minimal"];
export const complete: readonly NodeKind[] = ["complete"];
