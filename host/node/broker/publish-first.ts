/**
 * When a QoS 1 message of a client is acknowledged: behind everything that must not be lost. aedes acknowledges first and
 * publishes then, so a broker that is killed in between has promised what it does not have. Here a message is published
 * while aedes asks whether it is allowed; the acknowledgement follows when every present subscriber's socket has it, and
 * what must be kept for a session, or is retained, is on the disk. Acknowledgements keep their order.
 */
import type { Client, PublishPacket } from "aedes";
import type { AedesInside, Done } from "./aedes-inside.js";
import type { SessionMemory } from "./session-memory.js";

/** A message that was accepted; `answer` is there when it may be answered. */
interface Accepted {
  answer: (() => void) | undefined;
}

export class PublishFirst {
  /** Published already; aedes comes again with the same object. */
  private readonly published = new WeakSet<object>();
  /** Oldest first. */
  private readonly waiting = new WeakMap<Client, Accepted[]>();
  private readonly publish: AedesInside["publish"];

  /** Puts itself in front of aedes' publish. */
  constructor(
    aedes: AedesInside,
    private readonly memory: SessionMemory,
    /** What cannot be kept ends the connection: without it, its publisher would take silence for patience. */
    private readonly onNotKept: (client: Client) => Error,
  ) {
    const publish = aedes.publish.bind(aedes);
    this.publish = publish;
    aedes.publish = (packet: PublishPacket, second: Client | null | Done, third: Done = nothing): void => {
      if (typeof second === "function") publish(packet, second);
      else if (this.published.delete(packet)) setImmediate(third);
      else publish(packet, second, third);
    };
  }

  /** An allowed QoS 1 message of a client. `done`: it may be acknowledged; with an error: never. */
  accept(client: Client, packet: PublishPacket, done: Done): void {
    const keeps = packet.retain || this.memory.concernsSession(packet.topic);
    const accepted: Accepted = { answer: undefined };
    const queue = this.waiting.get(client);
    if (queue === undefined) this.waiting.set(client, [accepted]);
    else queue.push(accepted);
    const answer = (error?: Error): void => {
      accepted.answer = () => done(error);
      this.answer(client);
    };
    this.published.add(packet);
    this.publish(packet, client, (error) => {
      if (!keeps || error instanceof Error) return answer(error);
      this.memory.settled().then(
        () => answer(),
        () => answer(this.onNotKept(client)),
      );
    });
  }

  private answer(client: Client): void {
    const queue = this.waiting.get(client) ?? [];
    while (queue[0]?.answer !== undefined) queue.shift()?.answer?.();
  }
}

function nothing(): void {
  // nobody waits
}
