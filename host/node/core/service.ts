/**
 * The Core Service: takes messages from the bus and orders from inside the node, and brings each to whoever can do it:
 * this node, a node of its bus, a neighbouring server. Here the parts are joined; each has its own file.
 */
import type { BusConnection } from "../../bus/connection.js";
import { operationDefinition } from "../../bus/operations/catalogue.js";
import type { CallerRole } from "../../bus/operations/definition.js";
import { encodeServerRequest, type ServerRequest } from "../../bus/request-codec.js";
import {
  decodeAnswer,
  decodeEvent,
  errorName,
  ProtocolError,
  type Answer,
  type Birth,
  type Counters,
} from "../../bus/protocol.js";
import { stages } from "../../bus/protocol-keys.js";
import { parseTopic, subscriptionsOfServer, topicOf, type Topic } from "../../bus/topics.js";
import type { Log } from "../log.js";
import type { LocalOperation, Order } from "../operations/operation.js";
import { Access, type AccessRule } from "./access.js";
import { AnswerMaker, type Failure, type Identity } from "./answer-maker.js";
import { CoreCounters } from "./core-counters.js";
import type { CoreEvents, CoreService, Explanation, RegisteredNode } from "./core-service.js";
import { Dispatcher } from "./dispatcher.js";
import { Chunks } from "./chunks.js";
import { DuplicateCache } from "./duplicate-cache.js";
import { AnswerReader, RequestEnvelope } from "./envelope.js";
import { Exchange, type LocalCaller, type Reply } from "./exchange.js";
import { ExchangeTable, type Ending } from "./exchange-table.js";
import { explain } from "./explain.js";
import { failureOf, LocalOperations } from "./local-operations.js";
import { LargeData, type Resolver } from "./large-data.js";
import { NeighbourLink } from "./neighbour-link.js";
import { announce, birthOf, type Abilities } from "./own-record.js";
import { Registry } from "./registry.js";
import { codeOf, Router } from "./router.js";
import { byteString, fromByteString } from "./subset.js";

export interface RequestLimits {
  readonly deadlineMs: number;
  readonly inFlightPerNode: number;
  readonly queuePerNode: number;
  readonly inFlight: number;
  readonly hops: number;
  readonly duplicatesS: number;
}

export interface CoreServiceOptions {
  readonly id: string;
  /** Counts starts of this node. */
  readonly boot: number;
  readonly labels?: readonly string[];
  /** To the bus whose server this is. */
  readonly connection: BusConnection;
  /** As a client of neighbouring servers; each connection has the last will of `willOf`. */
  readonly neighbours?: readonly { readonly id: string; readonly connection: BusConnection }[];
  /** Those of the configuration; absent: its defaults. */
  readonly requests?: Partial<RequestLimits>;
  readonly access?: readonly AccessRule[];
  /** Bytes of the largest message; default 256 KB. */
  readonly messageBytes?: number;
  /** Of enrolled nodes; undefined: node. */
  readonly roleOf?: (sender: string) => CallerRole | undefined;
  readonly softwareVersion?: string;
  /** What this node offers itself, now: for its birth record. */
  readonly abilities?: () => Abilities;
  /** What `blob:`, `data:` and `model:` stand for; absent: such references go on as they are. */
  readonly resolve?: Resolver;
  readonly log: Log;
}

/** The Core Service with its start and end, and its counts. */
export interface RunningCoreService extends CoreService {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** More than `counters()` tells. */
  readonly counts: CoreCounters;
}

const defaults: RequestLimits = {
  deadlineMs: 10_000,
  inFlightPerNode: 16,
  queuePerNode: 256,
  inFlight: 10_000,
  hops: 4,
  duplicatesS: 600,
};
const longestDeadlineMs = 3_600_000;
const mostSenders = 100_000;
const mostReplies = 4;
const duplicateBytes = 64 * 1024 * 1024;
const operationName = /^[a-z0-9._-]{1,32}$/;

export function createCoreService(options: CoreServiceOptions): RunningCoreService {
  return new Service(options);
}

type Listeners = { [E in keyof CoreEvents]: Set<(value: CoreEvents[E]) => void> };

class Service implements RunningCoreService {
  readonly id: string;
  readonly boot: number;
  readonly counts = new CoreCounters();
  private readonly log: Log;
  private readonly limits: RequestLimits;
  private readonly messageBytes: number;
  private readonly bus: BusConnection;
  private readonly access: Access;
  private readonly maker: AnswerMaker;
  private readonly answers: AnswerReader;
  private readonly duplicates: DuplicateCache;
  private readonly table: ExchangeTable;
  private readonly registry: Registry;
  private readonly router: Router;
  private readonly dispatcher: Dispatcher;
  private readonly locals: LocalOperations;
  private readonly chunks: Chunks;
  private readonly large: LargeData;
  private readonly links: readonly NeighbourLink[];
  private readonly listeners: Listeners = {
    "node-online": new Set(),
    "node-offline": new Set(),
    request: new Set(),
    event: new Set(),
  };
  private readonly topics = new Map<string, Topic | undefined>();
  /** The highest boot counter of each sender. */
  private readonly boots = new Map<string, number>();
  private draining = false;
  private arrivals = 0;
  private lastId = 0;
  private announcing: NodeJS.Timeout | undefined;
  private readonly idle = new Set<() => void>();

  constructor(private readonly options: CoreServiceOptions) {
    this.id = options.id;
    this.boot = options.boot;
    this.log = options.log.child({ module: "core" });
    this.limits = { ...defaults, ...options.requests };
    this.messageBytes = options.messageBytes ?? 256 * 1024;
    this.bus = options.connection;
    this.access = new Access(options.access ?? []);
    this.maker = new AnswerMaker(options.id);
    this.answers = new AnswerReader(this.messageBytes);
    this.duplicates = new DuplicateCache({
      keptMs: this.limits.duplicatesS * 1000,
      bytes: duplicateBytes,
      count: 200_000,
    });
    this.table = new ExchangeTable(options.id, this.maker, this.duplicates, {
      release: (exchange) => this.release(exchange),
      send: (exchange, bytes, stage) => this.sendAnswer(exchange, bytes, stage),
      ended: (exchange, ending) => this.ended(exchange, ending),
    });
    this.registry = new Registry(
      {
        online: (entry) => this.emit("node-online", () => entry.registered()),
        offline: (entry) => {
          this.dispatcher.lost(entry);
          this.emit("node-offline", () => entry.registered());
        },
      },
      this.messageBytes,
    );
    this.router = new Router(this.registry, this.limits);
    this.links = (options.neighbours ?? []).map(
      (n) =>
        new NeighbourLink(n.id, this.id, n.connection, {
          request: (link, payload) => this.request(link.id, payload, link),
          answer: (link, payload) => this.answer(link.entry, payload, true),
          chunk: (link, payload) => this.chunk(link.id, payload),
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
      relay: (exchange, from, payload, head) => {
        this.large.relayed(exchange, from, payload).then(
          (bytes) => this.table.answer(exchange, bytes, head),
          (error: unknown) => this.failWith(exchange, failureOf(error)),
        );
      },
      unsent: (error) => this.unsent(error),
    });
    this.chunks = new Chunks(this.messageBytes);
    this.large = new LargeData(this.chunks, options.resolve, (peer) => {
      return this.registry.node(peer)?.capability?.record.maxMsg ?? this.messageBytes;
    });
    this.locals = new LocalOperations(this.id, this.log);
  }

  // ---- life ----------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    this.bus.onMessage((topic, payload) => this.receive(topic, payload));
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
    this.draining = true;
    clearTimeout(this.announcing);
    for (const exchange of this.table.all()) {
      this.table.fail(exchange, { code: "cancelled", text: "the server stops" }, codeOf("cancelled"));
    }
    this.table.stop();
    this.chunks.close();
    await Promise.all(
      this.links.filter((l) => l.connection.connected).map((l) => announce(l, this.ownRecord(), false)),
    ).catch((error: unknown) => this.unsent(error));
  }

  async drain(ms: number): Promise<void> {
    this.draining = true;
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
    this.draining = false;
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
    const set: Set<(value: CoreEvents[E]) => void> = this.listeners[event];
    set.add(listener);
    return () => set.delete(listener);
  }

  async explain(order: Order, sender: string = this.id): Promise<Explanation> {
    const request: ServerRequest = { ...order, id: 0, boot: this.boot, sender: this.id };
    return explain({
      id: this.id,
      labels: this.options.labels ?? [],
      request,
      payload: encodeServerRequest(request),
      allowed: this.access.allows(
        sender,
        this.localRole(sender),
        order.operation,
        operationDefinition(order.operation),
      ),
      hops: this.limits.hops,
      locals: this.locals,
      router: this.router,
      dispatcher: this.dispatcher,
      links: this.links,
    });
  }

  // ---- from inside ---------------------------------------------------------------------------------------

  submit = (order: Order, options: Parameters<CoreService["submit"]>[1]): Promise<Answer> =>
    new Promise<Answer>((resolve) => {
      const identity = { ...(options.identity ?? this.nextIdentity()), sender: this.id };
      const request: ServerRequest = { ...order, ...identity };
      const listening: { cancel?: () => void } = {};
      const caller: LocalCaller = {
        accepted: () => options.onAccepted?.(),
        done: (bytes) => {
          // The signal may be that of a long job with many requests.
          if (listening.cancel !== undefined) {
            options.signal?.removeEventListener("abort", listening.cancel);
          }
          resolve(this.readOwn(bytes, request));
        },
      };
      this.counts.received++;
      const refuse = (failure: Failure): void => caller.done(this.maker.failure(identity, failure));
      const role = this.localRole(options.sender);
      const definition = operationDefinition(order.operation);
      const refusal = this.refusal(options.sender, role, order.operation, order.deadlineMs ?? -1);
      let payload: Uint8Array;
      try {
        payload = encodeServerRequest(request);
      } catch (error) {
        refuse({
          code: "bad-request",
          text: error instanceof Error ? error.message : "",
          field: "arguments",
        });
        return;
      }
      if (refusal !== undefined || options.signal?.aborted === true) {
        refuse(refusal ?? { code: "cancelled", text: "" });
        return;
      }
      const key = `${this.id}/${identity.boot}/${identity.id}`;
      const running = this.table.get(key);
      if (running !== undefined) {
        running.callers.push(caller);
        if (running.accepted) caller.accepted();
        return;
      }
      const now = performance.now();
      const exchange = new Exchange(
        key,
        this.id,
        identity.boot,
        identity.id,
        order.operation,
        definition,
        options.sender,
        role,
        payload,
        [],
        [caller],
        order.priority ?? 100,
        ++this.arrivals,
        now,
        now + Math.min(order.deadlineMs ?? this.limits.deadlineMs, longestDeadlineMs),
        this.limits.hops,
        [],
      );
      listening.cancel = () =>
        this.table.fail(exchange, { code: "cancelled", text: "" }, codeOf("cancelled"));
      options.signal?.addEventListener("abort", listening.cancel, { once: true });
      this.table.add(exchange);
      this.serveOrRoute(
        exchange,
        order.selector?.node ?? "",
        (order.selector?.labels ?? []).map(byteString),
        request,
      );
    });

  private nextIdentity(): { readonly boot: number; readonly id: number } {
    this.lastId = (this.lastId + 1) >>> 0;
    return { boot: this.boot, id: this.lastId };
  }

  private localRole(sender: string): CallerRole {
    // The node's own parts and the people behind its management interface; ids of nodes have no colon.
    if (sender === this.id || sender === "operator" || sender.includes(":")) return "operator";
    return this.options.roleOf?.(sender) ?? "node";
  }

  private readOwn(bytes: Uint8Array, request: ServerRequest): Answer {
    try {
      return decodeAnswer(bytes);
    } catch (error) {
      this.log.warn({ err: error, operation: request.operation }, "an answer that breaks the protocol");
      this.counts.violations++;
      const failure: Failure = { code: "internal", text: "the answer breaks the protocol" };
      return decodeAnswer(this.maker.failure(request, failure));
    }
  }

  // ---- from the bus --------------------------------------------------------------------------------------

  private receive(topic: string, payload: Uint8Array): void {
    const parsed = this.topicOf(topic);
    if (parsed === undefined || parsed.server !== this.id) return;
    const { node } = parsed;
    switch (parsed.kind) {
      case "q":
        this.request(node, payload, undefined);
        break;
      case "y": {
        const entry = this.registry.node(node);
        if (entry === undefined) this.counts.foreignAnswers++;
        else this.answer(entry, payload, entry.capability?.isServer === true);
        break;
      }
      case "b":
        this.born(node, payload);
        break;
      case "s":
        this.record(node, this.registry.state(node, payload));
        break;
      case "e":
        this.event(node, payload);
        break;
      case "c":
        this.chunk(node, payload);
        break;
      default:
        break;
    }
  }

  private topicOf(topic: string): Topic | undefined {
    let parsed = this.topics.get(topic);
    if (parsed === undefined && !this.topics.has(topic)) {
      parsed = parseTopic(topic);
      if (this.topics.size >= 200_000) this.topics.clear();
      this.topics.set(topic, parsed);
    }
    return parsed;
  }

  private born(node: string, payload: Uint8Array): void {
    const refused = this.registry.birth(node, payload);
    this.record(node, refused);
    const boot = this.registry.node(node)?.boot;
    if (refused === undefined && boot !== undefined) this.rememberBoot(node, boot);
  }

  private record(node: string, refused: string | undefined): void {
    if (refused === undefined) this.announceSoon();
    else {
      this.counts.violations++;
      this.log.warn({ node, refused }, "record refused");
    }
  }

  private chunk(sender: string, payload: Uint8Array): void {
    if (!this.chunks.receive(sender, payload)) this.counts.violations++;
  }

  private event(node: string, payload: Uint8Array): void {
    try {
      const event = decodeEvent(payload);
      if (event.node !== node) throw new ProtocolError("of another node");
      this.emit("event", () => ({ node, name: event.name, value: event.value }));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.counts.violations++;
    }
  }

  private answer(from: Parameters<Dispatcher["answered"]>[0], payload: Uint8Array, isServer: boolean): void {
    from.lastSeenAt = Date.now();
    const head = this.answers.read(payload);
    if (head === undefined) {
      this.counts.violations++;
      return;
    }
    this.dispatcher.answered(from, payload, head, isServer);
  }

  /** From node `via` on its `q`, or dispatched to this server by a neighbour. */
  private request(via: string, payload: Uint8Array, link: NeighbourLink | undefined): void {
    const envelope = this.dispatcher.read(payload);
    const { request } = envelope;
    const sender = envelope.sender === "" && link === undefined ? via : envelope.sender;
    if (!envelope.identified || sender === "") {
      if (payload.length > this.messageBytes) this.counts.oversized++;
      else this.counts.malformed++;
      return;
    }
    this.counts.received++;
    const reply: Reply =
      link === undefined
        ? {
            connection: this.bus,
            topic: topicOf({ server: this.id, node: via, kind: "r" }),
            chunkTopic: topicOf({ server: this.id, node: via, kind: "c" }),
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
      const named = /^[0-9a-z-]{1,23}$/.test(sender) ? sender : via;
      this.refuse({ id, boot, sender: named }, operation, reply, failure);
    };
    const viaRole = link !== undefined ? "server" : (this.options.roleOf?.(via) ?? "node");
    const malformed = this.envelopeFailure(envelope, operation);
    if (malformed !== undefined) return refuse(malformed);
    const reserved =
      link === undefined && (via === this.id || (via === "operator" && viaRole !== "operator"));
    if (reserved || (sender !== via && viaRole !== "server")) {
      this.counts.spoofed++;
      this.log.warn({ node: via, sender, operation }, "a request under another name was refused");
      return refuse({ code: "forbidden", text: "the sender is not who sends", field: "sender" });
    }
    if (envelope.path.includes(this.id)) {
      return refuse({ code: "no-capable-node", text: "it was at this server before", field: "path" });
    }
    const key = `${sender}/${boot}/${id}`;
    if (this.repeated(key, reply)) return;
    // A server may repeat after its own restart what it sent before.
    if (viaRole !== "server" && boot < (this.boots.get(sender) ?? 0)) {
      this.counts.replayed++;
      this.log.warn({ sender, boot, operation }, "a request of an earlier life was refused");
      return refuse({ code: "forbidden", text: "of an earlier life of the sender", field: "boot" });
    }
    const role = sender === via ? viaRole : "server";
    const refusal = this.refusal(sender, role, operation, request.deadlineMs);
    if (refusal !== undefined) return refuse(refusal);
    this.rememberBoot(sender, boot);
    this.admit(payload, key, sender, role, via, reply);
  }

  private admit(
    payload: Uint8Array,
    key: string,
    sender: string,
    role: CallerRole,
    via: string,
    reply: Reply,
  ): void {
    const envelope = this.dispatcher.read(payload);
    const { request } = envelope;
    const { id, boot } = envelope;
    const operation = request.operation();
    const now = performance.now();
    const left =
      request.deadlineMs < 0 ? this.limits.deadlineMs : Math.min(request.deadlineMs, longestDeadlineMs);
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
      ++this.arrivals,
      now,
      now + left,
      Math.min(envelope.hops < 0 ? this.limits.hops : envelope.hops, this.limits.hops),
      envelope.path,
    );
    exchange.via = via;
    const node = request.selectorNode();
    const labels: string[] = [];
    for (let i = Math.min(request.openLabels(), 16); i > 0; i--) labels.push(request.reader.readText());
    this.table.add(exchange);
    this.serveOrRoute(exchange, node, labels, undefined);
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
    const kept = this.duplicates.get(key, performance.now());
    const running = kept === undefined ? this.table.get(key) : undefined;
    if (kept === undefined && running === undefined) return false;
    this.counts.duplicates++;
    if (kept !== undefined) this.publish(reply, kept);
    if (running !== undefined) {
      const known = running.replies.some((r) => r.topic === reply.topic && r.connection === reply.connection);
      if (!known && running.replies.length < mostReplies) running.replies.push(reply);
      if (running.accepted) this.publish(reply, this.maker.accepted(running));
    }
    return true;
  }

  /** What keeps anybody's request from being taken at all. */
  private refusal(
    caller: string,
    role: CallerRole,
    operation: string,
    deadlineMs: number,
  ): Failure | undefined {
    if (deadlineMs === 0) return { code: "deadline", text: "no time left", field: "deadline" };
    if (!this.access.allows(caller, role, operation, operationDefinition(operation))) {
      this.counts.forbidden++;
      return { code: "forbidden", text: `not for the role ${role}`, field: "operation" };
    }
    if (this.draining) return { code: "busy", text: "the server is draining", retryAfterMs: 1000 };
    if (this.table.size >= this.limits.inFlight) {
      return { code: "busy", text: "too many requests", retryAfterMs: 500 };
    }
    return undefined;
  }

  private rememberBoot(sender: string, boot: number): void {
    if (this.boots.size >= mostSenders && !this.boots.has(sender)) this.boots.clear();
    this.boots.set(sender, boot);
  }

  private refuse(identity: Identity, operation: string, reply: Reply, failure: Failure): void {
    this.publish(reply, this.maker.failure(identity, failure));
    this.counts.answered++;
    this.counts.decisions.refuse++;
    this.counts.countError(codeOf(failure.code));
    this.emit("request", () => ({
      request: { ...identity, operation },
      origin: "bus",
      node: this.id,
      decision: "refuse",
      attempts: 0,
      error: failure.code,
      totalMs: 0,
      queueUs: 0,
      executionUs: 0,
      at: Date.now(),
    }));
  }

  // ---- here or elsewhere ---------------------------------------------------------------------------------

  private serveOrRoute(
    exchange: Exchange,
    node: string,
    labels: readonly string[],
    known: ServerRequest | undefined,
  ): void {
    const operation = this.locals.get(exchange.operation);
    const own = this.options.labels ?? [];
    const selected =
      (node === "" || node === this.id) && labels.every((label) => own.includes(fromByteString(label)));
    if (operation === undefined || (!selected && operation.intercepts === undefined)) {
      this.route(exchange);
      return;
    }
    let request: ServerRequest;
    try {
      request = known ?? this.locals.decode(exchange, operation);
    } catch (error) {
      this.failWith(exchange, failureOf(error));
      return;
    }
    const intercepted = operation.intercepts !== undefined && this.locals.intercepts(operation, request);
    if (!selected && !intercepted) {
      this.route(exchange);
      return;
    }
    if (operation.canServe === undefined || intercepted) {
      this.serve(exchange, operation, request);
      return;
    }
    void this.locals.canServe(operation, request).then((can) => {
      if (exchange.state === "done") return;
      if (can) this.serve(exchange, operation, request);
      else this.route(exchange);
    });
  }

  /** To others, with what only this server finds inside the message. */
  private route(exchange: Exchange): void {
    const reference = this.dispatcher.read(exchange.payload).request.reference();
    if (!LargeData.isElsewhere(reference)) {
      this.dispatcher.route(exchange);
      return;
    }
    this.large
      .inlined(exchange, reference, () => this.dispatcher.read(exchange.payload))
      .then(
        (payload) => {
          if (exchange.state === "done") return;
          exchange.payload = payload;
          this.dispatcher.route(exchange);
        },
        (error: unknown) => this.failWith(exchange, failureOf(error)),
      );
  }

  private serve(exchange: Exchange, operation: LocalOperation, asked: ServerRequest): void {
    exchange.decision = "local";
    const checked = this.locals.check(operation, asked);
    if ("failure" in checked) {
      this.failWith(exchange, checked.failure);
      return;
    }
    exchange.state = "local";
    exchange.attempts = 1;
    this.table.accept(exchange);
    void this.execute(exchange, operation, checked.request);
  }

  private async execute(exchange: Exchange, operation: LocalOperation, asked: ServerRequest): Promise<void> {
    try {
      const request = await this.large.withInput(exchange, asked);
      const outcome = await this.locals.run(exchange, operation, request);
      if (exchange.state === "done") this.counts.late++;
      else if (outcome.failure !== undefined) this.failWith(exchange, outcome.failure);
      else {
        const { queueUs = 0, executionUs = 0 } = outcome.answer;
        const bytes = await this.large.encoded(exchange, outcome.answer);
        this.table.end(exchange, bytes, { node: this.id, error: 0, queueUs, executionUs });
      }
    } catch (error) {
      this.failWith(exchange, failureOf(error));
    }
  }

  private failWith(exchange: Exchange, failure: Failure): void {
    this.table.fail(exchange, failure, codeOf(failure.code));
  }

  // ---- what the table asks for ---------------------------------------------------------------------------

  private release(exchange: Exchange): void {
    this.dispatcher.release(exchange);
    exchange.abort?.abort();
  }

  private sendAnswer(exchange: Exchange, bytes: Uint8Array, stage: number): void {
    for (const reply of exchange.replies) this.publish(reply, bytes);
    for (const caller of exchange.callers) {
      if (stage === stages.done) caller.done(bytes);
      else caller.accepted();
    }
  }

  private ended(exchange: Exchange, ending: Ending): void {
    const { decision } = exchange;
    this.counts.answered++;
    this.counts.decisions[decision]++;
    this.counts.countError(ending.error);
    if (this.listeners.request.size > 0) {
      this.emit("request", () => ({
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
    }
    if (this.table.size === 0) for (const end of [...this.idle]) end();
  }

  private publish(reply: Reply, bytes: Uint8Array): void {
    reply.connection.publish(reply.topic, bytes, { qos: 1 }).catch((error: unknown) => this.unsent(error));
  }

  private unsent(error: unknown): void {
    this.counts.unsent++;
    this.log.debug({ err: error }, "a message could not be sent");
  }

  private emit<E extends keyof CoreEvents>(event: E, value: () => CoreEvents[E]): void {
    if (this.listeners[event].size === 0) return;
    const made = value();
    for (const listener of this.listeners[event]) {
      try {
        listener(made);
      } catch (error) {
        this.log.error({ err: error, event }, "a listener failed");
      }
    }
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
    announce(link, this.ownRecord(), true).catch((error: unknown) => this.unsent(error));
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
