/**
 * What of aedes 1.2 is used here and missing in its types. Every use of aedes' insides is in this folder, is looked at
 * before it is believed, and is tested: a new version of aedes that changes them fails at the start and in tests.
 */
import type { Aedes, AedesPublishPacket, Client, PublishPacket } from "aedes";

/** It is called with null too, whatever the types of aedes say. */
export type Done = (error?: Error) => void;

export interface ClientInside extends Client {
  /** Sends one message to the client with its QoS (0 stays 0); `done` when it is written. */
  deliverQoS: (packet: AedesPublishPacket, done: () => void) => void;
  deliver0: (packet: AedesPublishPacket, done: () => void) => void;
  /** Of the CONNECT packet, before it is accepted. */
  readonly _will: { readonly topic: string; readonly qos: number } | null | undefined;
  readonly _parser: { parse: (chunk: Buffer) => number };
  /** Newest counter delivered, by broker. */
  readonly duplicates: Record<string, number>;
  /** Packet id of the next QoS 1 message. */
  _nextId: number;
}

export interface AedesInside extends Aedes {
  publish: {
    (packet: PublishPacket, done: Done): void;
    (packet: PublishPacket, client: Client | null, done: Done): void;
  };
  readonly mq: { emit: (packet: object, done: () => void) => void };
  readonly clients: Readonly<Record<string, Client | undefined>>;
}

/** @throws Error when this aedes is not the one we know */
export function insideOf(aedes: Aedes): AedesInside {
  if (isAedesInside(aedes)) return aedes;
  throw new Error("aedes changed inside: its broker");
}

/** @throws Error when this aedes is not the one we know */
export function clientInside(client: Client): ClientInside {
  if (isClientInside(client)) return client;
  throw new Error("aedes changed inside: its clients");
}

function isAedesInside(aedes: Aedes): aedes is AedesInside {
  return (
    "mq" in aedes &&
    has(aedes.mq, "emit", "function") &&
    "clients" in aedes &&
    typeof aedes.clients === "object" &&
    // Packet, client, what is called at the end.
    aedes.publish.length === 3
  );
}

function isClientInside(client: Client): client is ClientInside {
  return (
    has(client, "deliverQoS", "function") &&
    has(client, "deliver0", "function") &&
    "_will" in client &&
    "_parser" in client &&
    has(client._parser, "parse", "function") &&
    has(client, "duplicates", "object") &&
    has(client, "_nextId", "number")
  );
}

function has(thing: unknown, name: string, kind: string): boolean {
  if (typeof thing !== "object" || thing === null) return false;
  const value: unknown = Reflect.get(thing, name);
  return typeof value === kind && value !== null;
}
