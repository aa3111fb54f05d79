/**
 * What arrives as a request on a bus, until it is an exchange: whether it can be read, who sends it, whether it was here
 * before, whether it may come in. What becomes of it then is not decided here.
 */
import type { BusConnection } from "../../bus/connection.js";
import { operationDefinition } from "../../bus/operations/catalogue.js";
import type { CallerRole } from "../../bus/operations/definition.js";
import { errorName } from "../../bus/protocol.js";
import { topicOf } from "../../bus/topics.js";
import type { Log } from "../log.js";
import { Seldom } from "../seldom.js";
import type { AnswerMaker, Failure, Identity } from "./answer-maker.js";
import type { CoreCounters } from "./core-counters.js";
import { longestDeadlineMs, type RequestLimits } from "./core-options.js";
import type { Dispatcher } from "./dispatcher.js";
import type { DuplicateCache } from "./duplicate-cache.js";
import type { RequestEnvelope } from "./envelope.js";
import type { EventListeners } from "./event-listeners.js";
import { Exchange, type Reply } from "./exchange.js";
import type { ExchangeTable } from "./exchange-table.js";
import type { Gate } from "./gate.js";
import type { NeighbourLink } from "./neighbour-link.js";
import type { Outbox } from "./outbox.js";
import { codeOf } from "./router.js";
import type { Serving } from "./serving.js";

export interface AdmissionParts {
  readonly id: string;
  readonly bus: BusConnection;
  readonly limits: RequestLimits;
  /** Bytes of the largest message. */
  readonly messageBytes: number;
  readonly roleOf: ((sender: string) => CallerRole | undefined) | undefined;
  readonly gate: Gate;
  readonly table: ExchangeTable;
  readonly duplicates: DuplicateCache;
  readonly dispatcher: Dispatcher;
  readonly maker: AnswerMaker;
  readonly serving: Serving;
  readonly outbox: Outbox;
  readonly events: EventListeners;
  readonly counts: CoreCounters;
  readonly log: Log;
}

const mostSenders = 100_000;
const mostReplies = 4;
/** Refusals that are nobody's fault: another time, or elsewhere. */
const passing: ReadonlySet<string> = new Set(["busy", "deadline", "cancelled", "no-capable-node"]);
const operationName = /^[a-z0-9._-]{1,32}$/;

export class Admission {
  /** The highest boot counter of each sender. */
  private readonly boots = new Map<string, number>();
  private readonly seldom = new Seldom();

  constructor(private readonly parts: AdmissionParts) {}

  /** From node `via` on its `q`, or dispatched to this server by a neighbour. */
  request(via: string, payload: Uint8Array, link: NeighbourLink | undefined): void {
    const envelope = this.parts.dispatcher.read(payload);
    const { request } = envelope;
    const sender = envelope.sender === "" && link === undefined ? via : envelope.sender;
    if (!envelope.identified || sender === "") {
      const large = payload.length > this.parts.messageBytes;
      if (large) this.parts.counts.oversized++;
      else this.parts.counts.malformed++;
      const reason = large ? "larger than a message" : "not a request that can be answered";
      this.tell({ node: via, bytes: payload.length, code: large ? "too-large" : "bad-request", reason });
      return;
    }
    this.parts.counts.received++;
    const reply: Reply =
      link === undefined
        ? {
            connection: this.parts.bus,
            topic: topicOf({ server: this.parts.id, node: via, kind: "r" }),
            chunkTopic: topicOf({ server: this.parts.id, node: via, kind: "c" }),
            peer: via,
          }
        : {
            connection: link.connection,
            topic: link.answerTopic,
            chunkTopic: link.topic("c"),
            peer: link.id,
          };
    const { id, boot } = envelope;
    const operation = request.operation();
    const refuse = (failure: Failure): void => {
      // The name may be no id at all: then the answer is to whoever sent it.
      if (!passing.has(failure.code)) {
        const { code, text: reason, field } = failure;
        this.tell({
          node: via,
          sender: sender.slice(0, 64),
          operation: operation.slice(0, 64),
          code,
          reason,
          field,
        });
      }
      const named = /^[0-9a-z-]{1,23}$/.test(sender) ? sender : via;
      this.refuse({ id, boot, sender: named }, operation, reply, failure);
    };
    const viaRole = link !== undefined ? "server" : (this.parts.roleOf?.(via) ?? "node");
    const malformed = this.envelopeFailure(envelope, operation);
    if (malformed !== undefined) return refuse(malformed);
    const reserved =
      link === undefined && (via === this.parts.id || (via === "operator" && viaRole !== "operator"));
    if (reserved || (sender !== via && viaRole !== "server")) {
      this.parts.counts.spoofed++;
      return refuse({ code: "forbidden", text: "the sender is not who sends", field: "sender" });
    }
    if (envelope.path.includes(this.parts.id)) {
      return refuse({ code: "no-capable-node", text: "it was at this server before", field: "path" });
    }
    const key = `${sender}/${boot}/${id}`;
    if (this.repeated(key, reply)) return;
    // A server may repeat after its own restart what it sent before.
    if (viaRole !== "server" && boot < (this.boots.get(sender) ?? 0)) {
      this.parts.counts.replayed++;
      return refuse({ code: "forbidden", text: "of an earlier life of the sender", field: "boot" });
    }
    const role = sender === via ? viaRole : "server";
    const refusal = this.parts.gate.refusal(sender, role, operation, request.deadlineMs);
    if (refusal !== undefined) return refuse(refusal);
    this.rememberBoot(sender, boot);
    this.admit(payload, key, sender, role, via, reply, operation);
  }

  private admit(
    payload: Uint8Array,
    key: string,
    sender: string,
    role: CallerRole,
    via: string,
    reply: Reply,
    operation: string,
  ): void {
    const envelope = this.parts.dispatcher.read(payload);
    const { request } = envelope;
    const { id, boot } = envelope;
    const now = performance.now();
    const left =
      request.deadlineMs < 0 ? this.parts.limits.deadlineMs : Math.min(request.deadlineMs, longestDeadlineMs);
    const exchange = new Exchange(
      key,
      sender,
      boot,
      id,
      operation,
      operationDefinition(operation),
      sender,
      role,
      payload,
      [reply],
      [],
      request.priority,
      this.parts.gate.nextArrival(),
      now,
      now + left,
      Math.min(envelope.hops < 0 ? this.parts.limits.hops : envelope.hops, this.parts.limits.hops),
      envelope.path,
    );
    exchange.via = via;
    exchange.brief = request.brief;
    const node = request.selectorNode();
    const labels: string[] = [];
    for (let i = Math.min(request.openLabels(), 16); i > 0; i--) labels.push(request.reader.readText());
    this.parts.table.add(exchange);
    this.parts.serving.take(exchange, node, labels, undefined);
  }

  private envelopeFailure(envelope: RequestEnvelope, operation: string): Failure | undefined {
    const { request } = envelope;
    if (envelope.version !== 1) return { code: "version", text: "protocol version 1 only", field: "version" };
    if (request.error !== 0) {
      const code = errorName(request.error) ?? "bad-request";
      return { code, text: "malformed request", field: request.errorField() };
    }
    if (!envelope.pathOk) return { code: "bad-request", text: "malformed request", field: "path" };
    if (!operationName.test(operation)) return { code: "bad-request", text: "no name", field: "operation" };
    return undefined;
  }

  /** Answers what was answered or accepted before. */
  private repeated(key: string, reply: Reply): boolean {
    const kept = this.parts.duplicates.get(key, performance.now());
    const running = kept === undefined ? this.parts.table.get(key) : undefined;
    if (kept === undefined && running === undefined) return false;
    this.parts.counts.duplicates++;
    if (kept !== undefined) this.parts.outbox.publish(reply, kept);
    if (running !== undefined) {
      const known = running.replies.some((r) => r.topic === reply.topic && r.connection === reply.connection);
      if (!known && running.replies.length < mostReplies) running.replies.push(reply);
      if (running.accepted) this.parts.outbox.publish(reply, this.parts.maker.accepted(running));
    }
    return true;
  }

  rememberBoot(sender: string, boot: number): void {
    if (this.boots.size >= mostSenders && !this.boots.has(sender)) this.boots.clear();
    this.boots.set(sender, boot);
  }

  /** In the log, once in a while: what one node sends again and again is one line. */
  private tell(what: {
    readonly node: string;
    readonly code: string;
    readonly reason: string | undefined;
    readonly [more: string]: unknown;
  }): void {
    const more = this.seldom.tell(`${what.node} ${what.code} ${what.reason ?? ""}`);
    if (more !== undefined) this.parts.log.warn({ ...what, more }, "a request was refused");
  }

  private refuse(identity: Identity, operation: string, reply: Reply, failure: Failure): void {
    this.parts.outbox.publish(reply, this.parts.maker.failure(identity, failure), true);
    this.parts.counts.answered++;
    this.parts.counts.decisions.refuse++;
    this.parts.counts.countError(codeOf(failure.code));
    this.parts.events.emit("request", () => ({
      request: { ...identity, operation },
      origin: "bus",
      node: this.parts.id,
      decision: "refuse",
      attempts: 0,
      error: failure.code,
      totalMs: 0,
      queueUs: 0,
      executionUs: 0,
      at: Date.now(),
    }));
  }
}
