/**
 * A connection to a message bus, whatever is behind it: the embedded broker in this process, or any MQTT 3.1.1 broker.
 * The Core Service and the connectors know the bus by this interface only.
 */

export interface PublishOptions {
  /** Default 1, which is what the protocol says of all its topics. */
  readonly qos?: 0 | 1;
  readonly retain?: boolean;
  /** A terminal answer that need not stay the only one: what was refused may be repeated under its number. */
  readonly refusal?: boolean;
}

export type MessageHandler = (topic: string, payload: Uint8Array) => void;

export interface BusConnection {
  readonly connected: boolean;
  /**
   * Resolves when the broker has taken it (QoS 1) or it was written (QoS 0). Rejects when it cannot be delivered. The
   * bytes belong to the bus from now on: they are not copied.
   */
  publish(topic: string, payload: Uint8Array, options?: PublishOptions): Promise<void>;
  /** Topic filters, QoS 1; kept over reconnections, and remembered until there is a connection. */
  subscribe(filters: readonly string[]): Promise<void>;
  unsubscribe(filters: readonly string[]): Promise<void>;
  /** Called once for every message of a subscribed topic, retained ones too. The payload may be kept. */
  onMessage(handler: MessageHandler): void;
  /** Called with true after every (re)connection, when subscriptions hold again; with false when it is gone. Not called for what is already so. */
  onConnectionChange(handler: (connected: boolean) => void): void;
  close(): Promise<void>;
}
