/**
 * Requests on their way to others: to the best node or on to a neighbouring server, through each one's window and queue;
 * again when nobody answers, and to the next one when the first dies or refuses. What becomes of answers is the exchange table's business.
 */
import type { BusConnection } from "../../bus/connection.js";
import { topicOf } from "../../bus/topics.js";
import { stages } from "../../bus/protocol-keys.js";
import { Absences } from "./absences.js";
import type { Failure } from "./answer-maker.js";
import { Chooser } from "./chooser.js";
import type { RequestLimits } from "./core-options.js";
import type { CoreCounters } from "./core-counters.js";
import type { AnswerHead, RequestEnvelope, Rewrite } from "./envelope.js";
import type { Exchange, Reply, Target } from "./exchange.js";
import type { ExchangeTable } from "./exchange-table.js";
import type { NeighbourLink } from "./neighbour-link.js";
import type { NodeEntry } from "./node-entry.js";
import { NodeWork } from "./node-work.js";
import { failureOf } from "./local-operations.js";
import { Resender } from "./resender.js";
import { codeOf, needOf, type Router } from "./router.js";
import { smoothed } from "./score.js";

/** Errors after which another one may still be able; for servers also what they do not know. */
const nextNode: ReadonlySet<number> = new Set<number>(
  ["busy", "no-capable-node", "unknown-operation"].map((n) => codeOf(n as "busy")),
);
const nextServer: ReadonlySet<number> = new Set([
  ...nextNode,
  ...(["not-found", "descriptor-mismatch", "hops-exhausted", "too-large", "forbidden"] as const).map(codeOf),
]);
/** Instead of true: that a node took a request which must not run twice has to be known before it runs. */
const cborFalse = Uint8Array.of(0xf4);

export interface DispatcherOptions {
  readonly id: string;
  readonly bus: BusConnection;
  readonly envelope: RequestEnvelope;
  readonly router: Router;
  readonly table: () => ExchangeTable;
  readonly links: readonly NeighbourLink[];
  readonly counters: CoreCounters;
  readonly limits: Pick<RequestLimits, "resendMs" | "returnMs">;
  /** An answer of another server, with its output in chunks. */
  relay(exchange: Exchange, from: string, payload: Uint8Array, head: AnswerHead): void;
  /** Takes the input out of the message, for a server that takes smaller ones or a node that pulls. @throws OperationFailure */
  putBeside(exchange: Exchange): void;
  /** Sends the exchange's content to a server in chunks. False when `wanted` said no in between. */
  sendContent(content: Uint8Array, to: Omit<Reply, "topic">, wanted: () => boolean): Promise<boolean>;
  /** Does this node itself offer the operation? Then it lacks what the request names. */
  readonly offersHere: (operation: string) => boolean;
  /** A message that could not be delivered to the broker. */
  unsent(error: unknown): void;
}

/** What the nodes here lack says more than that a neighbour has nobody: a full queue is worth another try. */
function isNearer(own: Failure, refusal: AnswerHead): boolean {
  const nobody = refusal.error === codeOf("no-capable-node");
  return nobody && (own.code === "busy" || own.code === "descriptor-mismatch");
}

export class Dispatcher {
  private parsed: Uint8Array | undefined;
  readonly chooser: Chooser;
  private readonly absences: Absences;
  private readonly resender: Resender;

  constructor(private readonly options: DispatcherOptions) {
    this.absences = new Absences(options.limits.returnMs);
    this.chooser = new Chooser(options, this.absences);
    this.resender = new Resender(
      options.limits.resendMs,
      () => options.table().values(),
      (exchange) => this.resend(exchange),
    );
  }

  stop(): void {
    this.absences.stop();
    this.resender.stop();
  }

  /** The shared envelope has another message now. */
  read(payload: Uint8Array): RequestEnvelope {
    const { envelope } = this.options;
    if (this.parsed !== payload) {
      envelope.read(payload);
      this.parsed = payload;
    }
    return envelope;
  }

  /** Sends it to the best one that was not tried, or ends it. */
  route(exchange: Exchange): void {
    const envelope = this.read(exchange.payload);
    const size = exchange.payload.length + growth(exchange, envelope);
    const need = needOf(envelope, size, exchange.content?.length);
    const choice = this.chooser.choose(need, exchange);
    if (choice.kind === "to") {
      if (exchange.attempts === 0 || choice.decision === "forward") exchange.decision = choice.decision;
      this.send(exchange, choice.target);
    } else if (exchange.lastRefusal !== undefined && !isNearer(choice.failure, exchange.lastRefusal.head)) {
      const { bytes, head } = exchange.lastRefusal;
      this.options.table().answer(exchange, bytes, head);
    } else this.options.table().fail(exchange, choice.failure, codeOf(choice.failure.code));
  }

  /** An answer on `y` of a node, or on `r` of a neighbour. */
  answered(from: NodeEntry, payload: Uint8Array, head: AnswerHead, isServer: boolean): void {
    const { counters } = this.options;
    const exchange = this.options.table().get(`${head.sender}/${head.boot}/${head.id}`);
    if (exchange === undefined || exchange.state === "done") {
      counters.late++;
      return;
    }
    if (!exchange.tried.includes(from.id) || (!isServer && head.node !== from.id)) {
      counters.foreignAnswers++;
      return;
    }
    const current = exchange.target?.entry === from && exchange.state === "dispatched";
    if (head.stage === stages.accepted) {
      if (!current || exchange.targetAccepted) return;
      this.acknowledged(exchange, from);
      exchange.targetAccepted = true;
      this.options.table().accept(exchange, payload);
      return;
    }
    if (current && !exchange.targetAccepted) {
      this.acknowledged(exchange, from, (head.queueUs + head.executionUs) / 1000);
    }
    const refused = current && head.error !== 0 && !exchange.targetAccepted;
    if (refused) exchange.given--;
    if (refused && (isServer ? nextServer : nextNode).has(head.error)) {
      exchange.lastRefusal = { bytes: payload, head };
      this.release(exchange);
      this.route(exchange);
    } else if (current || head.error === 0) {
      if (head.inChunks && isServer) this.options.relay(exchange, from.id, payload, head);
      else this.options.table().answer(exchange, payload, head);
    }
  }

  /**
   * The node or neighbour is gone: what it ran goes to the next, once, where that does no harm. What nobody else can do
   * waits for it, as long as it may come back.
   */
  lost(entry: NodeEntry): void {
    const { work } = entry;
    const waits =
      entry.capability?.isServer === false && this.absences.begin(entry, () => this.giveUp(entry));
    if (work === undefined) return;
    for (const exchange of [...work.waiting.values(), ...work.running]) {
      if (!waits || this.another(exchange, entry)) this.abandon(exchange, entry);
    }
  }

  /** A node is online (again). */
  returned(entry: NodeEntry): void {
    const boot = this.absences.end(entry);
    const { work } = entry;
    if (boot === undefined || work === undefined) return;
    if (boot !== entry.boot) this.giveUp(entry);
    else for (const exchange of [...work.running]) this.resend(exchange);
    this.pump(entry);
  }

  private giveUp(entry: NodeEntry): void {
    const { work } = entry;
    if (work === undefined) return;
    for (const exchange of [...work.waiting.values(), ...work.running]) this.abandon(exchange, entry);
  }

  /** Can somebody else take it at once? */
  private another(exchange: Exchange, entry: NodeEntry): boolean {
    if (exchange.state === "dispatched" && (!mayRepeat(exchange) || exchange.deaths > 0)) return false;
    const need = needOf(this.read(exchange.payload), exchange.payload.length, exchange.content?.length);
    return this.chooser.chooseNow(need, { ...exchange, tried: [...exchange.tried, entry.id] }).kind === "to";
  }

  private abandon(exchange: Exchange, entry: NodeEntry): void {
    const sent = exchange.state === "dispatched";
    const repeatable = mayRepeat(exchange);
    this.release(exchange);
    if (sent && (!repeatable || exchange.deaths > 0)) {
      const failure = {
        code: "no-capable-node",
        text: `${entry.id} went away while it ran`,
        field: "node",
      } as const;
      this.options.table().fail(exchange, failure, codeOf(failure.code));
      return;
    }
    if (sent) {
      exchange.deaths++;
      this.options.counters.retries++;
    }
    this.route(exchange);
  }

  /** Lets go of the target; what waits there moves up. */
  release(exchange: Exchange): void {
    clearTimeout(exchange.patience);
    const entry = exchange.target?.entry;
    const work = entry?.work;
    if (entry === undefined || work === undefined) return;
    if (exchange.state === "waiting") {
      work.waiting.remove(exchange);
      entry.queued--;
    } else if (exchange.state === "dispatched") {
      work.running.delete(exchange);
      entry.inFlight--;
    } else return;
    exchange.state = "routing";
    exchange.target = undefined;
    entry.rescore();
    if (entry.queued > 0) this.pump(entry);
  }

  private send(exchange: Exchange, target: Target): void {
    const { entry } = target;
    const work = (entry.work ??= new NodeWork());
    exchange.target = target;
    exchange.targetAccepted = false;
    if (entry.online && entry.inFlight < this.options.router.windowOf(entry)) {
      this.transmit(exchange, target, work);
      return;
    }
    exchange.state = "waiting";
    work.waiting.push(exchange);
    entry.queued++;
    entry.rescore();
  }

  private pump(entry: NodeEntry): void {
    const { work } = entry;
    while (work !== undefined && entry.online && entry.inFlight < this.options.router.windowOf(entry)) {
      const next = work.waiting.pop();
      if (next === undefined) return;
      entry.queued--;
      this.transmit(next, next.target as Target, work);
    }
  }

  private transmit(exchange: Exchange, target: Target, work: NodeWork): void {
    const { entry } = target;
    const now = performance.now();
    let bytes = this.message(exchange, target, now);
    exchange.state = "dispatched";
    exchange.sentAt = now;
    exchange.attempts++;
    [exchange.resends, exchange.resendAt] = [0, Infinity];
    exchange.tried.push(entry.id);
    work.running.add(exchange);
    entry.inFlight++;
    entry.rescore();
    const { maxMsg } = entry.capability?.record ?? {};
    const beside = goesToServer(target) || exchange.definition?.pulled === true;
    if (beside && maxMsg !== undefined && bytes !== undefined && bytes.length > maxMsg) {
      try {
        this.options.putBeside(exchange);
        bytes = this.message(exchange, target, now);
      } catch (error) {
        const failure = failureOf(error);
        this.options.table().fail(exchange, failure, codeOf(failure.code));
        return;
      }
    }
    if (bytes === undefined) {
      const failure = { code: "too-large", text: "too large to pass on" } as const;
      this.options.table().fail(exchange, failure, codeOf(failure.code));
      return;
    }
    exchange.given++;
    this.publish(exchange, target, bytes);
  }

  /** Undefined when it would be too large. */
  private message(exchange: Exchange, target: Target, now: number): Uint8Array | undefined {
    const envelope = this.read(exchange.payload);
    const changes: Rewrite = { deadline: Math.max(1, Math.floor(exchange.left(now))) };
    if (envelope.sender !== exchange.sender) changes.sender = exchange.sender;
    if (goesToServer(target)) {
      changes.hops = exchange.hops - 1;
      changes.path = [...exchange.path, this.options.id];
    }
    if (exchange.brief && exchange.definition?.idempotent !== true) changes.brief = cborFalse;
    return envelope.rewritten(changes);
  }

  private publish(exchange: Exchange, target: Target, bytes: Uint8Array): void {
    const { entry, link } = target;
    const connection = link?.connection ?? this.options.bus;
    const topic = link?.requestTopic ?? topicOf({ server: this.options.id, node: entry.id, kind: "x" });
    const publish = (): Promise<void> => {
      this.resender.watch(exchange);
      if (goesToServer(target) && exchange.resends === 0) this.beImpatient(exchange);
      return connection.publish(topic, bytes, { qos: 1 });
    };
    const { content } = exchange;
    const sent =
      goesToServer(target) && content !== undefined
        ? this.sendBeside(exchange, content, target, connection).then((all) => (all ? publish() : undefined))
        : publish();
    sent.catch((error: unknown) => this.options.unsent(error));
  }

  /** What is too large for the message goes first. False when the exchange was given to another, or ended. */
  private sendBeside(
    exchange: Exchange,
    content: Uint8Array,
    target: Target,
    connection: BusConnection,
  ): Promise<boolean> {
    const { entry, link } = target;
    const chunkTopic = link?.topic("c") ?? topicOf({ server: this.options.id, node: entry.id, kind: "c" });
    const { attempts } = exchange;
    const wanted = (): boolean =>
      exchange.state === "dispatched" && exchange.target === target && exchange.attempts === attempts;
    return this.options.sendContent(content, { connection, chunkTopic, peer: entry.id }, wanted);
  }

  /** The same to the same. What it has accepted only where a second execution does no harm, or it surely remembers. */
  private resend(exchange: Exchange): void {
    const { target } = exchange;
    if (target === undefined || exchange.state !== "dispatched") return;
    const connection = target.link?.connection ?? this.options.bus;
    const bytes = this.message(exchange, target, performance.now());
    // Without a connection, what was not acknowledged is sent again by the connection itself.
    if (bytes === undefined || !connection.connected || !(mayRepeat(exchange) || goesToServer(target))) {
      this.resender.watch(exchange);
      return;
    }
    this.options.counters.resent++;
    this.publish(exchange, target, bytes);
  }

  /** A server that does not even acknowledge is not waited for until the end while another may be able. */
  private beImpatient(exchange: Exchange): void {
    const ms = Math.min(exchange.left(performance.now()) / 2, 2000);
    exchange.patience = setTimeout(() => {
      const silent = exchange.state === "dispatched" && !exchange.targetAccepted;
      if (!silent || exchange.definition?.idempotent !== true) return;
      const need = needOf(this.read(exchange.payload), exchange.payload.length, exchange.content?.length);
      // Nobody else: then it may still answer.
      if (this.chooser.choose(need, exchange).kind === "refuse") return;
      this.release(exchange);
      this.route(exchange);
    }, ms);
    exchange.patience.unref();
  }

  /** `workedMs`: of the time since it was sent, what was no communication. */
  private acknowledged(exchange: Exchange, entry: NodeEntry, workedMs = 0): void {
    const ms = Math.max(0, performance.now() - exchange.sentAt - workedMs);
    entry.latencyMs = smoothed(entry.latencyMs, ms);
    clearTimeout(exchange.patience);
  }
}

/** Bytes that the message gains when it is dispatched. */
function growth(exchange: Exchange, envelope: RequestEnvelope): number {
  return (
    (envelope.sender === "" ? exchange.sender.length + 3 : 0) + (envelope.request.deadlineMs < 0 ? 6 : 4)
  );
}

const goesToServer = ({ entry, link }: Target): boolean =>
  link !== undefined || entry.capability?.isServer === true;

/** Nobody has said yet that it runs, or a second execution does no harm. */
const mayRepeat = (exchange: Exchange): boolean =>
  !exchange.targetAccepted || exchange.definition?.idempotent === true;
