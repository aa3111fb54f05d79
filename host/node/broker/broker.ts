/**
 * The Message Bus Server: an MQTT 3.1.1 broker (aedes) inside the node, with proven identities, access lists and
 * quotas from its first moment. It routes messages by topic and knows nothing of what is in them.
 */
import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { Aedes, type AuthenticateError, type Client } from "aedes";
import { ExitCode, UserError } from "../../../compiler/diagnostics/user-error.js";
import type { CallerRole } from "../../bus/operations/definition.js";
import { isNodeId } from "../../bus/topics.js";
import type { NodeConfig } from "../config.js";
import type { Log } from "../log.js";
import { AccessList, type DeviceTopics, type Party } from "./access-list.js";
import { clientInside, insideOf } from "./aedes-inside.js";
import { DeliveryWindow } from "./delivery-window.js";
import { EmbeddedConnection } from "./embedded-connection.js";
import type { Identities } from "./identities.js";
import { isLoopback, Listeners, type TlsMaterial } from "./listener.js";
import { PasswordGate } from "./password-gate.js";
import { Refusals, type RefusalReason } from "./refusals.js";
import { SessionMemory } from "./session-memory.js";

export type BrokerConfig = NonNullable<NodeConfig["bus"]["broker"]>;

export interface BrokerOptions {
  /** Of the server whose bus this is. */
  readonly id: string;
  readonly config: BrokerConfig;
  readonly identities: Identities;
  readonly log: Log;
  /** Needed when the configuration asks for TLS. */
  readonly tls?: TlsMaterial;
  /** Topics outside the protocol that clients may use; default: none. */
  readonly devices?: DeviceTopics;
  /** Patience in ms; the defaults are for production, tests are in a hurry. */
  readonly patience?: Partial<Patience>;
}

export interface Patience {
  /** From connection to CONNECT. */
  readonly connectMs: number;
  /** From the first byte of a packet to its last. */
  readonly packetMs: number;
  /** For a client whose socket takes nothing. */
  readonly drainMs: number;
}

/** How a client proved its id; none: anonymous, on loopback. */
export type Proof = "certificate" | "password" | "none";

export interface BrokerClient {
  readonly id: string;
  readonly role: CallerRole;
  readonly address: string;
  readonly proof: Proof;
  /** ms since 1970. */
  readonly since: number;
  /** QoS 1 messages not acknowledged. */
  readonly inFlight: number;
}

export interface BrokerStatus {
  readonly clients: readonly BrokerClient[];
  /** TCP connections, also of those who are not clients yet. */
  readonly connections: number;
  readonly retained: number;
  /** Messages of clients since the start. */
  readonly received: number;
  readonly refused: Readonly<Record<RefusalReason, number>>;
}

export interface Broker {
  /** Of the plain listener, on loopback; undefined: none. */
  readonly port: number | undefined;
  readonly tlsPort: number | undefined;
  /** A connection inside the process, with all rights. */
  connect(): EmbeddedConnection;
  status(): BrokerStatus;
  /** New certificates for connections from now on. */
  renewTls(material: TlsMaterial): void;
  close(): Promise<void>;
}

const patience: Patience = { connectMs: 10_000, packetMs: 30_000, drainMs: 20_000 };
/** Of any packet but PUBLISH. */
const otherBytes = 8 * 1024;
/** Of a PUBLISH packet besides its payload: topic and packet id. */
const overhead = 256;
const sessionQueueBytes = 8 * 1024 * 1024;
const socketBufferBytes = 1024 * 1024;

interface Member {
  party: Party;
  readonly window: DeliveryWindow;
  readonly address: string;
  readonly proof: Proof;
  readonly since: number;
}

/**
 * @throws UserError TMC6101 when it would listen to the network without TLS, TMC6102 when it cannot listen, TMC6103
 * when TLS is asked for without certificates.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { config } = options;
  if (!isLoopback(config.host) && config.tls === undefined) {
    throw new UserError(
      "TMC6101",
      `the broker would listen at ${config.host} without TLS: anybody there could read and publish`,
      'Add "tls: {}" to bus.broker (clients then need certificates: tmc node enroll NAME), or listen at 127.0.0.1.',
      ExitCode.usage,
    );
  }
  if (config.tls !== undefined && options.tls === undefined) {
    throw new UserError(
      "TMC6103",
      "bus.broker.tls is set, but there are no certificates",
      "Make them: tmc node enroll NAME",
      ExitCode.usage,
    );
  }
  const broker = new MessageBusServer(options);
  try {
    await broker.start();
  } catch (error) {
    await broker.close();
    throw error;
  }
  return broker;
}

class MessageBusServer implements Broker {
  port: number | undefined;
  tlsPort: number | undefined;
  private readonly refusals: Refusals;
  private readonly access: AccessList;
  private readonly memory: SessionMemory;
  private readonly gate: PasswordGate;
  private readonly aedes: Aedes;
  private readonly listeners: Listeners;
  private readonly members = new Map<Client, Member>();
  private readonly embedded = new Set<EmbeddedConnection>();
  /** Errors of aedes that are refusals of ours, counted already. */
  private readonly counted = new WeakSet<Error>();
  private readonly unwatch: () => void;
  private received = 0;

  constructor(private readonly options: BrokerOptions) {
    const { id, config, identities, log } = options;
    const { quotas } = config;
    const times = { ...patience, ...options.patience };
    this.refusals = new Refusals(log);
    this.access = new AccessList({
      serves: (server) => server === id || identities.roleOf(server) === "server",
      ...(options.devices === undefined ? {} : { devices: options.devices }),
    });
    this.memory = new SessionMemory(
      {
        retained: 2 * quotas.connections,
        sessions: quotas.connections,
        queue: quotas.queue,
        queueBytes: Math.max(sessionQueueBytes, quotas.messageBytes),
      },
      this.refusals,
      (client, filter) => {
        const party = this.partyOf(client);
        return party !== undefined && this.access.subscribe(party, filter) === undefined;
      },
    );
    this.gate = new PasswordGate(identities);
    this.aedes = new Aedes({
      id: `${id}-broker`,
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
        const { topic, retain } = packet;
        const why = this.publishProblem(client, topic, retain, packet.qos);
        if (why === undefined) return done(null);
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
    this.aedes.on("ack", (_packet, client) => this.members.get(client)?.window.acknowledged());
    for (const event of ["clientError", "connectionError"] as const) {
      this.aedes.on(event, (client: Client, error: Error) => this.failed(client, error));
    }
    const emitter: EventEmitter = this.aedes;
    emitter.on("error", (error: unknown) => log.error({ err: error }, "broker"));
    this.unwatch = identities.onChange(() => this.identitiesChanged());
    this.listeners = new Listeners(
      {
        publishBytes: quotas.messageBytes + overhead,
        otherBytes,
        connections: quotas.connections,
        packetsPerSecond: quotas.messagesPerSecond,
        burst: quotas.burst,
        packetMs: times.packetMs,
      },
      this.refusals,
      (socket) => this.handle(socket),
    );
  }

  async start(): Promise<void> {
    const { config, tls, log } = this.options;
    await this.aedes.listen();
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
    const connection = new EmbeddedConnection(insideOf(this.aedes), this.memory, this.options.log, () =>
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
      retained: this.memory.retainedCount,
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
      const error = refusal(text, code);
      this.mark(error);
      return error;
    };
    if (!isNodeId(id)) return refuse("identity", "the client id is not an id of the bus", 2);
    if (id === this.options.id) return refuse("identity", "the client id is that of this server", 2);
    const tls = "getPeerCertificate" in conn;
    const problem = tls
      ? this.certificateProblem(client)
      : await this.passwordProblem(id, username, password?.toString("utf8"));
    if (problem !== undefined) return refuse(problem.reason, problem.text, problem.code);
    const party: Party = { id, role: this.options.identities.roleOf(id) ?? "node" };
    const will = clientInside(client)._will ?? undefined;
    const unwanted = will === undefined ? undefined : this.access.will(party, will.topic);
    if (unwanted !== undefined) return refuse("will", unwanted, 5);
    if (will !== undefined && will.qos > 1) return refuse("will", "QoS 2 is not part of the protocol", 5);
    if (!client.clean && !this.memory.hasRoomForSession(id)) {
      return refuse("queue", "no room for more sessions", 3);
    }
    const proof = tls ? "certificate" : password === undefined ? "none" : "password";
    this.admit(client, { party, address, proof });
    return undefined;
  }

  private admit(client: Client, who: Pick<Member, "party" | "address" | "proof">): void {
    const { quotas } = this.options.config;
    const window = new DeliveryWindow(
      clientInside(client),
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

  private certificateProblem(client: Client): Problem | undefined {
    const { conn, id } = client;
    if (!("getPeerCertificate" in conn) || typeof conn.getPeerCertificate !== "function") {
      return { reason: "credentials", text: "no certificate", code: 5 };
    }
    const certificate = conn.getPeerCertificate() as { subject?: { CN?: unknown }; serialNumber?: unknown };
    if (certificate.subject?.CN !== id) {
      return { reason: "identity", text: "the client id is not the name in its certificate", code: 2 };
    }
    if (this.options.identities.roleOf(id) === undefined) {
      return { reason: "revoked", text: "the certificate's owner is not enrolled (any more)", code: 5 };
    }
    return this.options.identities.acceptsCertificate(id, String(certificate.serialNumber))
      ? undefined
      : { reason: "revoked", text: "the certificate was replaced or revoked", code: 5 };
  }

  private async passwordProblem(
    id: string,
    username: string | undefined,
    password: string | undefined,
  ): Promise<Problem | undefined> {
    const enrolled = this.options.identities.roleOf(id) !== undefined;
    if (password === undefined && !enrolled && this.options.config.anonymous) return undefined;
    if (password === undefined) {
      return { reason: "credentials", text: "neither certificate nor password", code: 4 };
    }
    if (username !== undefined && username !== id) {
      return { reason: "identity", text: "the user name is not the client id", code: 2 };
    }
    const outcome = enrolled ? await this.gate.check(id, password) : "wrong";
    if (outcome === "right") return undefined;
    return outcome === "throttled"
      ? { reason: "throttled", text: "too many attempts with a password; come again", code: 3 }
      : { reason: "credentials", text: "wrong password, or not enrolled", code: 4 };
  }

  private partyOf(id: string): Party | undefined {
    const client = insideOf(this.aedes).clients[id];
    if (client !== undefined) return this.members.get(client)?.party;
    for (const member of this.members.values()) if (member.party.id === id) return member.party;
    return undefined;
  }

  private publishProblem(
    client: Client | null,
    topic: string,
    retain: boolean,
    qos: number,
  ): { reason: RefusalReason; text: string } | undefined {
    const member = client === null ? undefined : this.members.get(client);
    if (member === undefined) return { reason: "publish", text: "not a client" };
    if (qos > 1) return { reason: "publish", text: "QoS 2 is not part of the protocol" };
    const text = this.access.publish(member.party, topic, retain);
    if (text !== undefined) return { reason: "publish", text };
    return retain && !this.memory.hasRoomFor(topic)
      ? { reason: "retain", text: "no room for more retained messages" }
      : undefined;
  }

  private identitiesChanged(): void {
    this.gate.forget();
    const { identities, config } = this.options;
    for (const [client, member] of this.members) {
      const { id } = member.party;
      const role = identities.roleOf(id);
      const valid = {
        certificate: () => this.certificateProblem(client) === undefined,
        password: () => role !== undefined,
        // Whoever is enrolled now has to prove it.
        none: () => role === undefined && config.anonymous,
      }[member.proof]();
      if (valid) {
        member.party = { id, role: role ?? "node" };
      } else {
        this.refusals.add("revoked", id, "not enrolled any more");
        client.conn.destroy();
        this.memory.forget(id);
      }
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

interface Problem {
  readonly reason: RefusalReason;
  readonly text: string;
  /** Of CONNACK. */
  readonly code: number;
}

function refusal(text: string, returnCode: number): AuthenticateError {
  return Object.assign(new Error(text), { returnCode });
}
