/** Answers on their way to whoever asked on a bus. What the broker does not take is counted, never thrown. */
import type { Log } from "../log.js";
import type { CoreCounters } from "./core-counters.js";
import type { Reply } from "./exchange.js";

export class Outbox {
  constructor(
    private readonly counts: CoreCounters,
    private readonly log: Log,
  ) {}

  publish(reply: Reply, bytes: Uint8Array): void {
    reply.connection.publish(reply.topic, bytes, { qos: 1 }).catch((error: unknown) => this.unsent(error));
  }

  unsent(error: unknown): void {
    this.counts.unsent++;
    this.log.debug({ err: error }, "a message could not be sent");
  }
}
