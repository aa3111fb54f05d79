/**
 * The Core Service: takes messages from the bus and orders from inside the node, and brings each to whoever can do it:
 * this node, a node of its bus, a neighbouring server. Here the parts are joined; each has its own file.
 */
import type { BusConnection } from "../../bus/connection.js";
import { encodeServerRequest, type ServerRequest } from "../../bus/request-codec.js";
import { errorName, type Birth, type Counters } from "../../bus/protocol.js";
import { stages } from "../../bus/protocol-keys.js";
import { subscriptionsOfServer, topicOf } from "../../bus/topics.js";
import type { Log } from "../log.js";
import type { LocalOperation, Order, Submit } from "../operations/operation.js";
import { Access } from "./access.js";
import { Admission } from "./admission.js";
import { AnswerMaker } from "./answer-maker.js";
import { CoreCounters } from "./core-counters.js";
import { defaultLimits, type CoreServiceOptions, type RequestLimits } from "./core-options.js";
import type { CoreEvents, CoreService, Explanation, RegisteredNode } from "./core-service.js";
import { Dispatcher } from "./dispatcher.js";
import { chunkLimits, Chunks } from "./chunks.js";
import { DuplicateCache } from "./duplicate-cache.js";
import { RequestEnvelope } from "./envelope.js";
import { EventListeners } from "./event-listeners.js";
import type { Exchange } from "./exchange.js";
import { ExchangeTable, type Ending } from "./exchange-table.js";
import { explain } from "./explain.js";
import { failureOf, LocalOperations } from "./local-operations.js";
import { Gate } from "./gate.js";
import { Inbox } from "./inbox.js";
import { LargeData } from "./large-data.js";
import { NeighbourLink } from "./neighbour-link.js";
import { Offers } from "./offers.js";
import { Outbox } from "./outbox.js";
import { announce, birthOf } from "./own-record.js";
import { Probes } from "./probes.js";
import { Registry } from "./registry.js";
import { codeOf, Router } from "./router.js";
import { Serving } from "./serving.js";
import { Submission } from "./submission.js";

/** The Core Service with its start and end, and its counts. */
export interface RunningCoreService extends CoreService {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** More than `counters()` tells. */
  readonly counts: CoreCounters;
}

const duplicateBytes = 64 * 1024 * 1024;

export function createCoreService(options: CoreServiceOptions): RunningCoreService {
  return new Service(options);
}

class Service implements RunningCoreService {
  readonly id: string;
  readonly boot: number;
  readonly counts = new CoreCounters();
  readonly submit: Submit;
  private readonly log: Log;
  private readonly limits: RequestLimits;
  private readonly messageBytes: number;
  private readonly bus: BusConnection;
  private readonly events: EventListeners;
  private readonly outbox: Outbox;
  private readonly table: ExchangeTable;
  private readonly gate: Gate;
  private readonly registry: Registry;
  private readonly router: Router;
  private readonly probes: Probes;
  private readonly dispatcher: Dispatcher;
  private readonly locals: LocalOperations;
  private readonly chunks: Chunks;
  private readonly large: LargeData;
  private readonly offers: Offers;
  private readonly serving: Serving;
  private readonly submission: Submission;
  private readonly inbox: Inbox;
  private readonly links: readonly NeighbourLink[];
  private announcing: NodeJS.Timeout | undefined;
  private readonly idle = new Set<() => void>();

  constructor(private readonly options: CoreServiceOptions) {
    this.id = options.id;
    this.boot = options.boot;
    this.log = options.log.child({ module: "core" });
    this.limits = { ...defaultLimits, ...options.requests };
    this.messageBytes = options.messageBytes ?? 256 * 1024;
    this.bus = options.connection;
    this.events = new EventListeners(this.log);
    this.outbox = new Outbox(this.counts, this.log);
    const maker = new AnswerMaker(options.id);
    const duplicates = new DuplicateCache({
      keptMs: this.limits.duplicatesS * 1000,
      bytes: duplicateBytes,
      count: 200_000,
    });
    this.table = new ExchangeTable(options.id, maker, duplicates, {
      release: (exchange) => this.release(exchange),
      send: (exchange, bytes, stage, refusal) => this.sendAnswer(exchange, bytes, stage, refusal),
      ended: (exchange, ending) => this.ended(exchange, ending),
    });
    this.gate = new Gate(
      new Access(options.access ?? []),
      this.table,
      this.limits.inFlight,
      this.counts,
      (operation) =>
        this.locals.get(operation) !== undefined || this.registry.withOperation(operation).size > 0,
    );
    this.registry = new Registry(
      {
        online: (entry) => {
          this.probes.forget(entry);
          this.dispatcher.returned(entry);
          this.events.emit("node-online", () => entry.registered());
        },
        offline: (entry) => {
          this.dispatcher.lost(entry);
          this.events.emit("node-offline", () => entry.registered());
        },
        will: (entry) => this.probes.suspect(entry),
      },
      this.messageBytes,
    );
    this.probes = new Probes({
      id: this.id,
      boot: this.boot,
      bus: this.bus,
      lives: (entry) => this.registry.lives(entry),
      unsent: (error) => this.outbox.unsent(error),
    });
    this.router = new Router(this.registry, this.limits);
    this.links = (options.neighbours ?? []).map(
      (n) =>
        new NeighbourLink(n.id, this.id, n.connection, {
          request: (link, payload) => admission.request(link.id, payload, link),
          answer: (link, payload) => this.inbox.answer(link.entry, payload, true),
          chunk: (link, payload) => this.inbox.chunk(link.id, payload),
          up: (link) => this.announceTo(link),
          down: (link) => this.dispatcher.lost(link.entry),
        }),
    );
    this.dispatcher = new Dispatcher({
      id: this.id,
      bus: this.bus,
      envelope: new RequestEnvelope(this.messageBytes),
      router: this.router,
      table: () => this.table,
      links: this.links,
      counters: this.counts,
      limits: this.limits,
      offersHere: (operation) => this.locals.get(operation) !== undefined,
      relay: (exchange, from, payload, head) => {
        large.relayed(exchange, from, payload).then(
          (bytes) => this.table.answer(exchange, bytes, head),
          (error: unknown) => this.serving.failWith(exchange, failureOf(error)),
        );
      },
      putBeside: (exchange) => large.takeOut(exchange, this.dispatcher.read(exchange.payload)),
      sendContent: async (content, { connection, chunkTopic, peer }, wanted) => {
        const sending = { maxMsg: maxMsgOf(peer), wanted };
        return (await this.chunks.send(connection, chunkTopic, content, sending)) !== undefined;
      },
      unsent: (error) => this.outbox.unsent(error),
    });
    const offers = new Offers({
      shared: options.shared === true,
      id: this.id,
      bus: this.bus,
      node: (id) => this.registry.node(id),
      counters: this.counts,
      unsent: (error) => this.outbox.unsent(error),
    });
    this.chunks = new Chunks(this.id, this.messageBytes, chunkLimits, (sender, wish) =>
      offers.wish(sender, wish),
    );
    this.offers = offers;
    const maxMsgOf = (peer: string): number =>
      this.registry.node(peer)?.capability?.record.maxMsg ?? this.messageBytes;
    const large = new LargeData({
      chunks: this.chunks,
      resolve: options.resolve,
      messageBytes: this.messageBytes,
      maxMsgOf,
    });
    this.large = large;
    this.locals = new LocalOperations(this.id, this.log);
    const { id, boot, bus, limits, messageBytes, gate, table, registry, dispatcher, locals, chunks } = this;
    const { events, outbox, counts, log, probes } = this;
    const roleOf = options.roleOf;
    const labels = options.labels ?? [];
    const serving = new Serving({ id, labels, table, dispatcher, locals, large, counts });
    this.serving = serving;
    const taking = { id, limits, roleOf, gate, table, maker, serving, counts, log };
    const isNeighbour = (sender: string): boolean => this.links.some((link) => link.id === sender);
    this.submission = new Submission({ ...taking, boot, messageBytes, isNeighbour });
    this.submit = this.submission.submit;
    const admission = new Admission({ ...taking, bus, messageBytes, duplicates, dispatcher, outbox, events });
    const changed = (): void => this.announceSoon();
    this.inbox = new Inbox({
      id,
      messageBytes,
      admission,
      registry,
      dispatcher,
      chunks,
      probes,
      events,
      counts,
      log,
      changed,
    });
  }

  // ---- life ----------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    this.bus.onMessage((topic, payload) => this.inbox.receive(topic, payload));
    await this.bus.subscribe([
      ...subscriptionsOfServer(this.id),
      topicOf({ server: this.id, node: "+", kind: "c" }),
    ]);
    for (const link of this.links) {
      // A neighbour that cannot be reached now is subscribed to when it can.
      link.start().catch((error: unknown) => this.log.warn({ err: error, neighbour: link.id }, "neighbour"));
    }
  }

  async stop(): Promise<void> {
    this.gate.draining = true;
    clearTimeout(this.announcing);
    for (const exchange of this.table.all()) {
      this.table.fail(exchange, { code: "cancelled", text: "the server stops" }, codeOf("cancelled"));
    }
    this.table.stop();
    this.dispatcher.stop();
    this.probes.stop();
    this.chunks.close();
    await Promise.all(
      this.links.filter((l) => l.connection.connected).map((l) => announce(l, this.ownRecord(), false)),
    ).catch((error: unknown) => this.outbox.unsent(error));
  }

  async drain(ms: number): Promise<void> {
    this.gate.draining = true;
    if (this.table.size === 0) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.idle.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.idle.add(end);
    });
  }

  resume(): void {
    this.gate.draining = false;
  }

  recall(node: string, digest: string): void {
    this.offers.recall(node, digest);
  }

  pending(): number {
    return this.table.size;
  }

  counters(): Counters {
    return this.counts.asRecord();
  }

  birth(): Birth {
    return birthOf(this.ownRecord(), false);
  }

  // ---- what is here --------------------------------------------------------------------------------------

  offer(operation: LocalOperation): void {
    this.locals.offer(operation);
    this.announceSoon();
  }

  withdraw(name: string): void {
    this.locals.withdraw(name);
    this.announceSoon();
  }

  abilitiesChanged(): void {
    this.announceSoon();
  }

  nodes(): readonly RegisteredNode[] {
    return [...this.registry.all()].filter((e) => e.capability !== undefined).map((e) => e.registered());
  }

  node(id: string): RegisteredNode | undefined {
    const entry = this.registry.node(id);
    return entry?.capability === undefined ? undefined : entry.registered();
  }

  neighbours(): readonly { readonly id: string; readonly connected: boolean }[] {
    return this.links
      .map((l) => ({ id: l.id, connected: l.entry.online }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  on<E extends keyof CoreEvents>(event: E, listener: (value: CoreEvents[E]) => void): () => void {
    return this.events.on(event, listener);
  }

  async explain(order: Order, sender: string = this.id): Promise<Explanation> {
    const request: ServerRequest = { ...order, id: 0, boot: this.boot, sender: this.id };
    return explain({
      id: this.id,
      labels: this.options.labels ?? [],
      request,
      payload: encodeServerRequest(request),
      denial: this.gate.denial(sender, this.submission.localRole(sender), order.operation),
      hops: this.limits.hops,
      locals: this.locals,
      router: this.router,
      dispatcher: this.dispatcher,
      links: this.links,
    });
  }

  // ---- what the table asks for ---------------------------------------------------------------------------

  private release(exchange: Exchange): void {
    this.dispatcher.release(exchange);
    exchange.abort?.abort();
  }

  private sendAnswer(exchange: Exchange, bytes: Uint8Array, stage: number, refusal: boolean): void {
    for (const reply of exchange.replies) this.outbox.publish(reply, bytes, refusal);
    for (const caller of exchange.callers) {
      if (stage === stages.done) caller.done(bytes);
      else caller.accepted();
    }
  }

  private ended(exchange: Exchange, ending: Ending): void {
    const { decision } = exchange;
    this.large.forget(exchange);
    this.counts.answered++;
    this.counts.decisions[decision]++;
    this.counts.countError(ending.error);
    this.events.emit("request", () => ({
      request: {
        id: exchange.id,
        boot: exchange.boot,
        sender: exchange.caller,
        operation: exchange.operation,
      },
      origin: exchange.callers.length === 0 ? "bus" : "local",
      node: ending.node,
      decision,
      attempts: exchange.attempts,
      error: ending.error === 0 ? undefined : errorName(ending.error),
      totalMs: performance.now() - exchange.arrivedAt,
      queueUs: ending.queueUs,
      executionUs: ending.executionUs,
      at: Date.now() - Math.round(performance.now() - exchange.arrivedAt),
    }));
    if (this.table.size === 0) for (const end of [...this.idle]) end();
  }

  // ---- what this server says of itself -------------------------------------------------------------------

  private ownRecord(): Parameters<typeof announce>[1] {
    return {
      id: this.id,
      boot: this.boot,
      labels: this.options.labels ?? [],
      version: this.options.softwareVersion ?? "0",
      messageBytes: this.messageBytes,
      queue: this.limits.queuePerNode,
      operations: this.locals.names(),
      abilities: this.options.abilities?.() ?? {},
      registry: this.registry,
      counters: this.counts,
    };
  }

  private announceTo(link: NeighbourLink): void {
    announce(link, this.ownRecord(), true).catch((error: unknown) => this.outbox.unsent(error));
  }

  /** What it can do changed: told once for many changes. */
  private announceSoon(): void {
    if (this.links.length === 0 || this.announcing !== undefined) return;
    this.announcing = setTimeout(() => {
      this.announcing = undefined;
      for (const link of this.links) if (link.entry.online) this.announceTo(link);
    }, 200);
    this.announcing.unref();
  }
}
