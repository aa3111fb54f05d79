/**
 * What is on its way to one client: at most so many QoS 1 messages without acknowledgement, a bounded queue behind
 * them, and no endless buffer in front of a socket that takes nothing. The Core Service, when it publishes to a client,
 * waits with its queue: that is the back-pressure of the bus. Clients are held back by their rate.
 */
import type { AedesPublishPacket } from "aedes";
import type { ClientInside } from "./aedes-inside.js";
import type { Refusals } from "./refusals.js";

export interface WindowLimits {
  readonly inFlight: number;
  /** Messages, and bytes of them, that wait for room in the window. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Bytes in the socket's buffer above which QoS 0 messages are dropped. */
  readonly bufferBytes: number;
}

interface Waiting {
  readonly packet: AedesPublishPacket;
  readonly done: () => void;
}

export class DeliveryWindow {
  inFlight = 0;
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  private gone = false;
  private readonly deliver: ClientInside["deliverQoS"];

  /** Puts itself in front of the client's delivery. */
  constructor(
    private readonly client: ClientInside,
    brokerId: string,
    private readonly limits: WindowLimits,
    private readonly refusals: Refusals,
  ) {
    this.deliver = client.deliverQoS;
    const deliver0 = client.deliver0;
    client.deliverQoS = (packet, done) => {
      if (packet.qos === 0) client.deliver0(packet, done);
      else this.push(packet, done);
    };
    client.deliver0 = (packet, done) => {
      if (client.conn.writableLength > limits.bufferBytes) {
        refusals.add("dropped", client.id, "QoS 0 messages: the client does not take them");
        setImmediate(done);
      } else {
        deliver0(packet, done);
      }
    };
    // aedes takes a message that overtook another (QoS 0 before QoS 1) for the sign that the other is a duplicate.
    // No client of ours has overlapping subscriptions, the only source of duplicates.
    Object.defineProperty(client.duplicates, brokerId, { get: () => 0, set: () => undefined });
  }

  private push(packet: AedesPublishPacket & { readonly clientId?: string }, done: () => void): void {
    if (this.gone) {
      setImmediate(done);
      return;
    }
    if (this.inFlight < this.limits.inFlight) {
      this.send(packet, done);
      return;
    }
    this.waitingBytes += packet.payload.length;
    if (this.waiting.length >= this.limits.waiting || this.waitingBytes > this.limits.waitingBytes) {
      this.refusals.add("slow", this.client.id, `${this.inFlight} messages not acknowledged, queue full`);
      setImmediate(done);
      this.close();
      this.client.conn.destroy();
      return;
    }
    // A client that publishes is not held up: its acknowledgements are behind what it publishes, and two clients that
    // wait for each other's would wait for ever.
    if (packet.clientId !== undefined) {
      setImmediate(done);
      this.waiting.push({ packet, done: () => undefined });
    } else {
      this.waiting.push({ packet, done });
    }
  }

  private send(packet: AedesPublishPacket, done: () => void): void {
    this.inFlight++;
    this.deliver(packet, done);
  }

  /** The client acknowledged one. */
  acknowledged(): void {
    if (this.inFlight > 0) this.inFlight--;
    const next = this.waiting.shift();
    if (next === undefined) return;
    this.waitingBytes -= next.packet.payload.length;
    this.send(next.packet, next.done);
  }

  /** The client is gone: whoever waits goes on. */
  close(): void {
    this.gone = true;
    const { waiting } = this;
    this.waiting = [];
    this.waitingBytes = 0;
    for (const { done } of waiting) setImmediate(done);
  }
}
