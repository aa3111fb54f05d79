/**
 * Inputs that minimal nodes pull: what is larger than their messages stays here while the request is open, and goes to the
 * node that has the request in pieces, as it asks for them on topic c. To nobody else, nothing else, and in all no more
 * than a bad line explains. Who goes on asking for what is no longer offered is told so, and ends its request. Pieces
 * between servers are pushed instead: chunks.ts.
 */
import type { BusConnection } from "../../bus/connection.js";
import { encodeCbor } from "../../bus/protocol.js";
import { errorCodes } from "../../bus/protocol-keys.js";
import { topicOf } from "../../bus/topics.js";
import type { ChunkMessage } from "./chunk-message.js";
import { chunkOverhead } from "./chunks.js";
import type { CoreCounters } from "./core-counters.js";
import type { Exchange } from "./exchange.js";
import type { NodeEntry } from "./node-entry.js";

/** Bytes that one wish gets at most: whoever wants more asks again. */
const mostAtOnce = 64 * 1024;
/** How often the whole is sent at most, in bytes, for one request; and so many more for small ones. */
const mostTimes = 32;
const alwaysServed = 64 * 1024;

/** How far a node is with what it pulls. */
export interface Pull {
  /** Bytes sent. */
  served: number;
  /** The newest wish, while an older one is served. */
  next: ChunkMessage | undefined;
  sending: boolean;
}

export interface OffersOptions {
  readonly id: string;
  readonly bus: BusConnection;
  readonly node: (id: string) => NodeEntry | undefined;
  readonly counters: CoreCounters;
  /** Are there other processes under this id, which may offer what this one does not? */
  readonly shared: boolean;
  /** A message that could not be delivered to the broker. */
  unsent(error: unknown): void;
}

export class Offers {
  /** What nodes asked for last that is not offered to them, by node. */
  private readonly missed = new Map<string, string>();
  /** Nodes that are being told so. */
  private readonly telling = new Set<string>();

  constructor(private readonly options: OffersOptions) {}

  /**
   * What was offered to the node is not any more, and will not be again for now: it is told so, now and whenever it asks,
   * unless another request offers it.
   */
  recall(node: string, digest: string): void {
    const entry = this.options.node(node);
    if (entry?.capability?.isServer !== false || openFor(entry, digest) !== undefined) return;
    this.missed.set(node, digest);
    if (entry.online) this.end(node, digest);
  }

  /** A wish on the topic c of `sender`. False when it breaks the protocol; one that comes too late is only counted. */
  wish(sender: string, wish: ChunkMessage): boolean {
    if (wish.from !== sender) return false;
    const entry = this.options.node(sender);
    const exchange = entry === undefined ? undefined : openFor(entry, wish.digest);
    if (entry === undefined || exchange === undefined) {
      this.options.counters.late++;
      if (entry?.capability?.isServer === false) this.miss(sender, wish.digest);
      return true;
    }
    this.missed.delete(sender);
    const total = exchange.content?.length ?? 0;
    if (wish.offset >= total) return false;
    const pull = (exchange.pull ??= { served: 0, next: undefined, sending: false });
    if (pull.served > total * mostTimes + alwaysServed) return false;
    pull.next = wish;
    for (const caller of exchange.callers) caller.pulled?.(wish.offset, total);
    if (!pull.sending) {
      pull.sending = true;
      this.serve(exchange, entry, pull)
        .catch((error: unknown) => this.options.unsent(error))
        .finally(() => (pull.sending = false));
    }
    return true;
  }

  /** The first wish may be faster than the request that comes again, after a restart: the second in a row is answered. */
  private miss(node: string, digest: string): void {
    const again = this.missed.get(node) === digest;
    this.missed.set(node, digest);
    if (again && !this.options.shared) this.end(node, digest);
  }

  /** One at a time: a node that wishes on and on does not fill the connection with answers. */
  private end(node: string, digest: string): void {
    if (this.telling.has(node)) return;
    this.telling.add(node);
    const { bus, id, unsent } = this.options;
    const message = new Map<number, unknown>([
      [0, 1],
      [1, Buffer.from(digest, "hex")],
      [2, 0],
      [3, 0],
      [5, id],
      [7, errorCodes.cancelled],
    ]);
    bus
      .publish(topicOf({ server: id, node, kind: "c" }), encodeCbor(message), { qos: 1 })
      .catch((error: unknown) => unsent(error))
      .finally(() => this.telling.delete(node));
  }

  /** One piece after the other; a newer wish takes the place of what is left of an older one. */
  private async serve(exchange: Exchange, entry: NodeEntry, pull: Pull): Promise<void> {
    const { bus, id } = this.options;
    const topic = topicOf({ server: id, node: entry.id, kind: "c" });
    const step = Math.max(64, (entry.capability?.record.maxMsg ?? 0) - chunkOverhead);
    for (let wish = pull.next; wish !== undefined; wish = pull.next) {
      pull.next = undefined;
      const digest = Buffer.from(wish.digest, "hex");
      const end = wish.offset + Math.min(wish.wanted, mostAtOnce);
      for (let at = wish.offset; at < end && pull.next === undefined; at += step) {
        // The request may have ended, or gone to another node, while the last piece left.
        const { content } = exchange;
        if (content === undefined || at >= content.length || openFor(entry, wish.digest) !== exchange) break;
        const piece = content.subarray(at, Math.min(at + step, end));
        pull.served += piece.length;
        const message = new Map<number, unknown>([
          [0, 1],
          [1, digest],
          [2, at],
          [3, content.length],
          [4, piece],
          [5, id],
        ]);
        await bus.publish(topic, encodeCbor(message), { qos: 1 });
      }
    }
  }
}

/** The request that this node has and that offers it this content. */
function openFor(entry: NodeEntry, digest: string): Exchange | undefined {
  if (entry.capability?.isServer !== false) return undefined;
  for (const exchange of entry.work?.running ?? []) {
    if (
      exchange.definition?.pulled === true &&
      exchange.content !== undefined &&
      exchange.contentDigest === digest
    ) {
      return exchange;
    }
  }
  return undefined;
}
