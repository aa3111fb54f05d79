/**
 * The Message Bus Server: an MQTT 3.1.1 broker (aedes) inside the node, with proven identities, access lists and
 * quotas from its first moment. It routes messages by topic and knows nothing of what is in them.
 */
import { ExitCode, UserError } from "../../../compiler/diagnostics/user-error.js";
import type { CallerRole } from "../../bus/operations/definition.js";
import type { NodeConfig } from "../config.js";
import type { Log } from "../log.js";
import type { DeviceTopics } from "./access-list.js";
import type { Proof } from "./authentication.js";
import type { EmbeddedConnection } from "./embedded-connection.js";
import type { Identities } from "./identities.js";
import { Journal } from "./journal.js";
import { isLoopback, type TlsMaterial } from "./listener.js";
import { MessageBusServer } from "./message-bus-server.js";
import type { RefusalReason } from "./refusals.js";

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
  /** Where retained messages, sessions and their queues outlive the process; default: nowhere. */
  readonly folder?: string;
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
  /** Those that have not proved who they are. */
  readonly halfOpen: number;
  /** That outlive their connections, and messages that wait for their acknowledgement. */
  readonly sessions: number;
  readonly queued: number;
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

/**
 * @throws UserError TMC6101 when it would listen to the network without TLS, TMC6102 when it cannot listen, TMC6103
 * when TLS is asked for without certificates, TMC6110 when what it kept cannot be read.
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
  const kept = options.folder === undefined ? undefined : Journal.open(options.folder, { log: options.log });
  const broker = new MessageBusServer(options, kept);
  try {
    await broker.start();
  } catch (error) {
    await broker.close();
    throw error;
  }
  return broker;
}
