/**
 * The embedded broker's inside: aedes with who may come in, what they may do, what is kept for them and how fast they may
 * be, put together. What it is for the rest of the node: broker.ts.
 */
import type { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { Aedes, type AuthenticateError, type Client } from "aedes";
import { UserError } from "../../../compiler/diagnostics/user-error.js";
import { isNodeId, parseTopic } from "../../bus/topics.js";
import { AccessList, filterMatches, type Party } from "./access-list.js";
import { AddressGate } from "./address-gate.js";
import { clientInside, insideOf, type AedesInside } from "./aedes-inside.js";
import { Authentication, isFailedLogin, refusal, type Proof } from "./authentication.js";
import type { Broker, BrokerOptions, BrokerStatus, Patience } from "./broker.js";
import { DeliveryWindow } from "./delivery-window.js";
import { EmbeddedConnection } from "./embedded-connection.js";
import type { Journal } from "./journal.js";
import { readState } from "./kept-state.js";
import { isLoopback, Listeners, type TlsMaterial } from "./listener.js";
import { PublishFirst } from "./publish-first.js";
import { Refusals, type RefusalReason } from "./refusals.js";
import { SessionMemory } from "./session-memory.js";

const patience: Patience = { connectMs: 10_000, packetMs: 30_000, drainMs: 20_000 };
/** Of any packet but PUBLISH; and of a PUBLISH packet besides its payload: topic and packet id. */
const otherBytes = 8 * 1024;
const overhead = 256;
const sessionQueueBytes = 8 * 1024 * 1024;
const socketBufferBytes = 1024 * 1024;
const leastHalfOpen = 16;

interface Member {
  party: Party;
  readonly window: DeliveryWindow;
  readonly address: string;
  readonly proof: Proof;
  readonly since: number;
}

export class MessageBusServer implements Broker {
  port: number | undefined;
  tlsPort: number | undefined;
  private readonly refusals: Refusals;
  private readonly access: AccessList;
  private readonly memory: SessionMemory;
  private readonly authentication: Authentication;
  private readonly aedes: AedesInside;
  private readonly journal: Journal | undefined;
  private readonly addresses: AddressGate;
  private readonly listeners: Listeners;
  private readonly members = new Map<Client, Member>();
  private readonly embedded = new Set<EmbeddedConnection>();
  /** Errors of aedes that are refusals of ours, counted already. */
  private readonly counted = new WeakSet<Error>();
  private readonly unwatch: () => void;
  private received = 0;

  constructor(
    private readonly options: BrokerOptions,
    kept: ReturnType<typeof Journal.open> | undefined,
  ) {
    const { id, config, identities, log } = options;
    const { quotas } = config;
    const times = { ...patience, ...options.patience };
    this.refusals = new Refusals(log);
    this.access = new AccessList({
      serves: (server) => server === id || identities.roleOf(server) === "server",
      ...(options.devices === undefined ? {} : { devices: options.devices }),
    });
    this.journal = kept?.journal;
    this.memory = new SessionMemory(
      {
        retained: 2 * quotas.connections,
        retainedBytes: quotas.retainedBytes,
        sessions: quotas.connections,
        queue: quotas.queue,
        queueBytes: Math.max(sessionQueueBytes, quotas.messageBytes),
        allQueueBytes: quotas.queueBytes,
      },
      this.refusals,
      (client, filter) => {
        const party = this.partyOf(client);
        return party !== undefined && this.access.subscribe(party, filter) === undefined;
      },
      this.journal,
    );
    const brokerId = `${id}-broker`;
    if (kept !== undefined) {
      kept.journal.entriesNow = () => this.memory.entries();
      const state = readState(kept.entries, brokerId);
      if (state.foreign > 0) log.error({ entries: state.foreign }, "kept by the broker, and not understood");
      this.memory.restore(state);
    }
    this.authentication = new Authentication({ id, anonymous: config.anonymous, identities });
    const aedes = new Aedes({
      id: brokerId,
      persistence: this.memory,
      // One slow client must not hold up the messages of others; what is under way is bounded by client.
      concurrency: 0,
      connectTimeout: times.connectMs,
      drainTimeout: times.drainMs,
      maxTopicLevels: 10,
      authenticate: (client, username, password, done) => {
        this.authenticate(client, username, password).then(
          (failure) => done(failure ?? null, failure === undefined),
          (error: unknown) => {
            log.error({ err: error }, "authentication failed");
            done(refusal("the server failed", 3), false);
          },
        );
      },
      authorizePublish: (client, packet, done) => {
        const { topic, retain, qos, payload } = packet;
        const why = this.publishProblem(client, topic, retain ? payload.length : undefined, qos);
        if (why === undefined) {
          if (client !== null && qos === 1) publishFirst.accept(client, packet, done);
          else done(null);
          return;
        }
        this.refusals.add(why.reason, client?.id ?? "", `publishing ${topic.slice(0, 80)}: ${why.text}`);
        done(this.mark(new Error(why.text)));
      },
      authorizeSubscribe: (client, subscription, done) => {
        const member = this.members.get(client);
        const why =
          member === undefined ? "not a client" : this.access.subscribe(member.party, subscription.topic);
        if (why === undefined) return done(null, subscription);
        this.refusals.add("subscribe", client.id, `subscribing ${subscription.topic.slice(0, 80)}: ${why}`);
        done(null, null);
      },
      published: (_packet, client, done) => {
        // Without a client: of the broker itself.
        if ((client as Client | null) !== null) this.received++;
        done(null);
      },
    });
    this.aedes = insideOf(aedes);
    const publishFirst = new PublishFirst(this.aedes, this.memory, (client) => {
      this.refusals.add("storage", client.id, "what must be kept cannot be written");
      return this.mark(new Error("not kept"));
    });
    this.aedes.on("ack", (_packet, client) => this.members.get(client)?.window.acknowledged());
    for (const event of ["clientError", "connectionError"] as const) {
      this.aedes.on(event, (client: Client, error: Error) => this.failed(client, error));
    }
    const emitter: EventEmitter = this.aedes;
    emitter.on("error", (error: unknown) => log.error({ err: error }, "broker"));
    this.unwatch = identities.onChange(() => this.identitiesChanged());
    this.addresses = new AddressGate({
      ...quotas.perAddress,
      // Whoever comes in great number: there is room for those who can prove themselves.
      allHalfOpen: Math.max(leastHalfOpen, Math.floor(quotas.connections / 4)),
    });
    this.listeners = new Listeners(
      {
        publishBytes: quotas.messageBytes + overhead,
        otherBytes,
        connections: quotas.connections,
        packetsPerSecond: quotas.messagesPerSecond,
        burst: quotas.burst,
        packetMs: times.packetMs,
        handshakeMs: Math.min(times.connectMs, times.packetMs),
        unprovenBytes: 2 * otherBytes,
      },
      this.addresses,
      this.refusals,
      (socket) => this.handle(socket),
    );
  }

  async start(): Promise<void> {
    const { config, tls, log } = this.options;
    await this.aedes.listen();
    this.dropStrangers();
    await this.publishOldWills();
    const plain = config.port ?? (config.tls === undefined ? 1883 : undefined);
    if (plain !== undefined) {
      const host = isLoopback(config.host) ? config.host : "127.0.0.1";
      this.port = await this.listen(host, plain, () => this.listeners.listen(host, plain));
      log.info({ host, port: this.port, anonymous: config.anonymous }, "broker listens");
    }
    if (config.tls !== undefined && tls !== undefined) {
      const { port } = config.tls;
      this.tlsPort = await this.listen(config.host, port, () =>
        this.listeners.listenTls(config.host, port, tls),
      );
      log.info({ host: config.host, port: this.tlsPort }, "broker listens with TLS");
    }
  }

  private async listen(host: string, port: number, open: () => Promise<number>): Promise<number> {
    try {
      return await open();
    } catch (error) {
      throw new UserError(
        "TMC6102",
        `the broker cannot listen at ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`,
        "Is another broker running there? Choose another port (bus.broker.port, bus.broker.tls.port); 0 takes a free one.",
      );
    }
  }

  connect(): EmbeddedConnection {
    const connection = new EmbeddedConnection(this.aedes, this.memory, this.options.log, () =>
      this.embedded.delete(connection),
    );
    this.embedded.add(connection);
    return connection;
  }

  status(): BrokerStatus {
    const clients = [...this.members.values()].map((member) => ({
      ...member.party,
      address: member.address,
      proof: member.proof,
      since: member.since,
      inFlight: member.window.inFlight,
    }));
    return {
      clients,
      connections: this.listeners.connections,
      halfOpen: this.addresses.unproven,
      sessions: this.memory.sessionIds().length,
      queued: this.memory.queued,
      retained: this.memory.retained.count,
      received: this.received,
      refused: this.refusals.counts(),
    };
  }

  private handle(socket: Socket): void {
    const client = this.aedes.handle(socket);
    const parser = clientInside(client)._parser;
    const parse = parser.parse.bind(parser);
    // Bytes of strangers must not end the process, whatever the parser makes of them.
    parser.parse = (chunk) => {
      try {
        return parse(chunk);
      } catch (error) {
        this.refusals.add("malformed", socket.remoteAddress ?? "", String(error));
        socket.destroy();
        return 0;
      }
    };
  }

  renewTls(material: TlsMaterial): void {
    this.listeners.renewTls(material);
  }

  async close(): Promise<void> {
    this.unwatch();
    for (const connection of [...this.embedded]) await connection.close();
    await this.listeners.close();
    await new Promise<void>((resolve) => this.aedes.close(resolve));
    await this.journal?.close();
  }

  // ---- who is there ----

  /** Undefined: welcome. */
  private async authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<AuthenticateError | undefined> {
    const { conn, id } = client;
    const address = "remoteAddress" in conn ? (conn.remoteAddress ?? "") : "";
    const refuse = (reason: RefusalReason, text: string, code: number): AuthenticateError => {
      this.refusals.add(reason, isNodeId(id) ? id : address, text);
      if (isFailedLogin(reason)) this.addresses.failed(address);
      const error = refusal(text, code);
      this.mark(error);
      return error;
    };
    const proof = await this.authentication.prove(client, username, password);
    if (typeof proof !== "string") return refuse(proof.reason, proof.text, proof.code);
    const party: Party = { id, role: this.options.identities.roleOf(id) ?? "node" };
    const will = clientInside(client)._will ?? undefined;
    const unwanted = will === undefined ? undefined : this.access.will(party, will.topic);
    if (unwanted !== undefined) return refuse("will", unwanted, 5);
    if (will !== undefined && will.qos > 1) return refuse("will", "QoS 2 is not part of the protocol", 5);
    if (!client.clean && !this.memory.hasRoomForSession(id)) {
      return refuse("queue", "no room for more sessions", 3);
    }
    if (conn instanceof Socket) this.listeners.proven(conn);
    this.admit(client, { party, address, proof });
    return undefined;
  }

  private admit(client: Client, who: Pick<Member, "party" | "address" | "proof">): void {
    const { quotas } = this.options.config;
    const inside = clientInside(client);
    if (!client.clean) inside._nextId = this.memory.nextNumber(client.id) ?? inside._nextId;
    const window = new DeliveryWindow(
      inside,
      this.aedes.id,
      {
        inFlight: quotas.inFlight,
        waiting: quotas.queue,
        waitingBytes: Math.max(sessionQueueBytes, quotas.messageBytes),
        bufferBytes: Math.max(socketBufferBytes, 2 * quotas.messageBytes),
      },
      this.refusals,
    );
    this.members.set(client, { ...who, window, since: Date.now() });
    client.conn.once("close", () => {
      window.close();
      // After aedes, which asks once more for the rights of the will.
      setImmediate(() => this.members.delete(client));
    });
  }

  private partyOf(id: string): Party | undefined {
    const client = this.aedes.clients[id];
    if (client !== undefined) return this.members.get(client)?.party;
    for (const member of this.members.values()) if (member.party.id === id) return member.party;
    return undefined;
  }

  private publishProblem(
    client: Client | null,
    topic: string,
    /** Of the message that is to be retained; undefined: it is not. */
    retainedBytes: number | undefined,
    qos: number,
  ): { reason: RefusalReason; text: string } | undefined {
    const member = client === null ? undefined : this.members.get(client);
    if (member === undefined) return { reason: "publish", text: "not a client" };
    if (qos > 1) return { reason: "publish", text: "QoS 2 is not part of the protocol" };
    const text = this.access.publish(member.party, topic, retainedBytes !== undefined);
    if (text !== undefined) return { reason: "publish", text };
    return retainedBytes !== undefined && !this.memory.retained.hasRoomFor(topic, retainedBytes)
      ? { reason: "retain", text: "no room for more retained messages" }
      : undefined;
  }

  private identitiesChanged(): void {
    this.authentication.forget();
    for (const [client, member] of this.members) {
      const { id } = member.party;
      const role = this.options.identities.roleOf(id);
      if (this.authentication.stillHolds(client, member.proof, role)) {
        member.party = { id, role: role ?? "node" };
      } else {
        this.refusals.add("revoked", id, "not enrolled any more");
        client.conn.destroy();
        this.memory.forget(id);
      }
    }
    this.dropStrangers();
  }

  /** Sessions, retained messages and wills of those who are not known here (any more). */
  private dropStrangers(): void {
    const { id: own, identities, config, devices } = this.options;
    const known = (id: string): boolean =>
      config.anonymous || id === own || identities.roleOf(id) !== undefined;
    for (const id of this.memory.sessionIds()) if (!known(id)) this.memory.forget(id);
    for (const topic of this.memory.retained.topics()) {
      const node = parseTopic(topic)?.node;
      const wanted =
        node === undefined
          ? devices?.publish.some((filter) => filterMatches(filter, topic)) === true
          : known(node);
      if (!wanted) this.memory.retained.delete(topic);
    }
  }

  /** Of those who were connected when the process before this one ended without a word. */
  private async publishOldWills(): Promise<void> {
    for (const [id, { topic, payload, qos, retain }] of this.memory.takeWills()) {
      const role = this.options.identities.roleOf(id) ?? (this.options.config.anonymous ? "node" : undefined);
      if (role === undefined || this.access.will({ id, role }, topic) !== undefined) continue;
      const will = { cmd: "publish", topic, payload, qos: qos === 0 ? 0 : 1, retain, dup: false } as const;
      await new Promise<void>((resolve) => this.aedes.publish(will, () => resolve()));
    }
  }

  // ---- what went wrong ----

  private mark<E extends Error>(error: E): E {
    this.counted.add(error);
    return error;
  }

  private failed(client: Client, error: Error): void {
    const { conn } = client;
    const who =
      (client.id as string | null) ?? ("remoteAddress" in conn ? conn.remoteAddress : undefined) ?? "";
    // Of the socket: the client is gone, which is nobody's fault.
    if (this.counted.has(error) || "code" in error) return;
    if (/did not arrive in time/.test(error.message)) this.refusals.add("timeout", who, error.message);
    else if (/drain timeout/.test(error.message)) this.refusals.add("slow", who, error.message);
    else if (/session is full/.test(error.message)) this.refusals.add("slow", who, error.message);
    else if (!/keep alive timeout|connection closed/.test(error.message)) {
      this.refusals.add("malformed", who, error.message);
    }
  }
}
