/** What a connection to an MQTT broker is told, and what that makes of the settings of mqtt.js. It connects nothing. */
import type { IClientOptions } from "mqtt";

export interface MqttConnectionOptions {
  /** mqtt://HOST[:PORT] or mqtts://HOST[:PORT] */
  readonly url: string;
  /** Further servers of the same cluster: after a connection ended, they are tried in turn. */
  readonly alternatives?: readonly string[];
  /**
   * The broker keeps subscriptions and what comes meanwhile while there is no connection (clean session false), until
   * `close`. Default false.
   */
  readonly session?: boolean;
  /** The node's or server's id. */
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM. Without `ca` the system's; the host name of the url is always verified. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly alpn?: string;
  readonly will?: { readonly topic: string; readonly payload: Uint8Array; readonly retain?: boolean };
  /** False for brokers that keep no retained messages: nothing is published as retained. Default true. */
  readonly retain?: boolean;
  /** Seconds between signs of life; default 15. */
  readonly keepaliveS?: number;
  /** Messages, and bytes of them, that wait for a connection; default 1000 and 16 MiB. */
  readonly queue?: number;
  readonly queueBytes?: number;
  /** Published and not acknowledged; default 100. */
  readonly inFlight?: number;
  /** Published at most; default: no limit. */
  readonly messagesPerSecond?: number;
  /** ms between attempts, doubled from the first to the second value, with jitter; default 250 to 30 000. */
  readonly backoffMs?: readonly [number, number];
  readonly connectTimeoutMs?: number;
  /** Told about failures: once for a row of failed attempts, and refused subscriptions. */
  readonly onProblem?: (text: string) => void;
}

/** For one attempt at `address`, one of the servers of the cluster. */
export function clientSettings(options: MqttConnectionOptions, address: string): IClientOptions {
  const url = new URL(address);
  return {
    clientId: options.clientId,
    protocolVersion: 4,
    clean: options.session !== true,
    keepalive: options.keepaliveS ?? 15,
    // Reconnecting is ours: fresh sessions, jitter.
    reconnectPeriod: 0,
    connectTimeout: options.connectTimeoutMs ?? 10_000,
    resubscribe: false,
    queueQoSZero: false,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.will === undefined ? {} : { will: willOf(options.will, options.retain) }),
    ...(url.protocol === "mqtts:" ? tlsSettings(options, url.hostname) : {}),
  };
}

function willOf(
  will: NonNullable<MqttConnectionOptions["will"]>,
  retained = true,
): NonNullable<IClientOptions["will"]> {
  const retain = will.retain === true && retained;
  return { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain };
}

function tlsSettings({ tls, alpn }: MqttConnectionOptions, host: string): IClientOptions {
  const name = host.replace(/^\[|\]$/g, "");
  return {
    ...tls,
    rejectUnauthorized: true,
    // SNI is for names only; addresses are verified all the same.
    ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
    ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
  };
}
