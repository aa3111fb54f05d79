/** Everything the broker refused: counted by reason, and told in the log without letting an attacker fill it. */
import type { Log } from "../log.js";
import { Seldom } from "../seldom.js";

/**
 * identity: client id missing, malformed, not the certificate's, or not enrolled; credentials: wrong or none; throttled:
 * too many attempts; publish, subscribe, will: not on the access list; retain: no room for more retained messages;
 * oversized, malformed: packets; timeout: connected, or in the middle of a packet, and silent; connections: no room;
 * address: too many connections of one address in a short time, or failed log-ins; half-open: too many connections that
 * have not proved who they are;
 * slow: does not take what is sent to it; dropped: QoS 0 messages to such a client; queue: no room in the queue of a
 * client that is away; storage: what must be kept cannot be written; revoked: disconnected, because it is not enrolled any
 * more.
 */
export const refusalReasons = [
  "identity",
  "credentials",
  "throttled",
  "publish",
  "subscribe",
  "will",
  "retain",
  "oversized",
  "malformed",
  "timeout",
  "connections",
  "address",
  "half-open",
  "slow",
  "dropped",
  "queue",
  "storage",
  "revoked",
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

export class Refusals {
  private readonly counters = new Map<RefusalReason, number>(refusalReasons.map((reason) => [reason, 0]));
  /** By client and reason. */
  private readonly seldom = new Seldom();

  constructor(private readonly log: Log) {}

  /** @param who client id or address; @param detail for people, without what an attacker chose at length. */
  add(reason: RefusalReason, who: string, detail: string): void {
    this.counters.set(reason, (this.counters.get(reason) ?? 0) + 1);
    if (this.seldom.tell(`${reason} ${who.slice(0, 64)}`) === undefined) return;
    this.log.warn({ client: who.slice(0, 64), reason }, `refused: ${detail.slice(0, 200)}`);
  }

  counts(): Readonly<Record<RefusalReason, number>> {
    return Object.fromEntries(this.counters) as Record<RefusalReason, number>;
  }
}
