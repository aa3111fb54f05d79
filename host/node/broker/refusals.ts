/** Everything the broker refused: counted by reason, and told in the log without letting an attacker fill it. */
import type { Log } from "../log.js";

/**
 * identity: client id missing, malformed, not the certificate's, or not enrolled; credentials: wrong or none; throttled:
 * too many attempts; publish, subscribe, will: not on the access list; retain: no room for more retained messages;
 * oversized, malformed: packets; timeout: connected, or in the middle of a packet, and silent; connections: no room;
 * slow: does not take what is sent to it; dropped: QoS 0 messages to such a client; queue: no room in the queue of a
 * client that is away; revoked: disconnected, because it is not enrolled any more.
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
  "slow",
  "dropped",
  "queue",
  "revoked",
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** One line of the log in this time for a client and reason, ms. */
const quietMs = 10_000;
/** Pairs remembered; an attacker with ever new ids gets no more lines than that in `quietMs`. */
const pairs = 256;

export class Refusals {
  private readonly counters = new Map<RefusalReason, number>(refusalReasons.map((reason) => [reason, 0]));
  private readonly told = new Map<string, number>();

  constructor(private readonly log: Log) {}

  /** @param who client id or address; @param detail for people, without what an attacker chose at length. */
  add(reason: RefusalReason, who: string, detail: string): void {
    this.counters.set(reason, (this.counters.get(reason) ?? 0) + 1);
    const key = `${reason} ${who.slice(0, 64)}`;
    const now = Date.now();
    const last = this.told.get(key);
    if (last !== undefined && now - last < quietMs) return;
    if (this.told.size >= pairs) {
      for (const [old, at] of this.told) if (now - at >= quietMs) this.told.delete(old);
      if (this.told.size >= pairs) return;
    }
    this.told.set(key, now);
    this.log.warn({ client: who.slice(0, 64), reason }, `refused: ${detail.slice(0, 200)}`);
  }

  counts(): Readonly<Record<RefusalReason, number>> {
    return Object.fromEntries(this.counters) as Record<RefusalReason, number>;
  }
}
