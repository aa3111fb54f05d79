/**
 * What of aedes 1.2 is used here and missing in its types. Every use of aedes' insides is in this folder and tested,
 * so that a new version of aedes that changes them fails in tests and not in the field.
 */
import type { Aedes, AedesPublishPacket, Client } from "aedes";

export interface ClientInside extends Client {
  /** Sends one message to the client with its QoS (0 stays 0); `done` when it is written. */
  deliverQoS(packet: AedesPublishPacket, done: () => void): void;
  deliver0(packet: AedesPublishPacket, done: () => void): void;
  /** Of the CONNECT packet, before it is accepted. */
  readonly _will: { readonly topic: string; readonly qos: number } | null | undefined;
  readonly _parser: { parse(chunk: Buffer): number };
  /** Newest counter delivered, by broker. */
  duplicates: Record<string, number>;
}

export interface AedesInside extends Aedes {
  readonly mq: { emit(packet: object, done: () => void): void };
  readonly clients: Readonly<Record<string, Client | undefined>>;
}

// aedes creates these members in its constructors.
/** @internal */
// eslint-disable-next-line no-restricted-syntax
export const insideOf = (aedes: Aedes): AedesInside => aedes as unknown as AedesInside;
/** @internal */
// eslint-disable-next-line no-restricted-syntax
export const clientInside = (client: Client): ClientInside => client as unknown as ClientInside;
