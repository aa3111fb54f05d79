/** Answers on their way to whoever asked on a bus. What the broker does not take is counted, never thrown. */
import type { Log } from "../log.js";
import type { CoreCounters } from "./core-counters.js";
import type { Reply } from "./exchange.js";

const plain = { qos: 1 } as const;
const refusing = { qos: 1, refusal: true } as const;

export class Outbox {
  constructor(
    private readonly counts: CoreCounters,
    private readonly log: Log,
  ) {}

  /** `refusal`: the request may be repeated under its number, and be answered differently then. */
  publish(reply: Reply, bytes: Uint8Array, refusal = false): void {
    const options = refusal ? refusing : plain;
    reply.connection.publish(reply.topic, bytes, options).catch((error: unknown) => this.unsent(error));
  }

  unsent(error: unknown): void {
    this.counts.unsent++;
    this.log.debug({ err: error }, "a message could not be sent");
  }
}
