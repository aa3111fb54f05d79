/**
 * What is larger than a message: sent in chunks on topic c, put together from them, bounded for each sender and in all,
 * and given out only when its digest is right. Requests and answers refer to it as `chunk:<digest>`.
 */
import { createHash } from "node:crypto";
import type { BusConnection } from "../../bus/connection.js";
import { encodeCbor } from "../../bus/protocol.js";
import { OperationFailure } from "../operations/operation.js";
import { readChunkMessage, type ChunkMessage } from "./chunk-message.js";
import { subset, type SubsetReader } from "./subset.js";

export interface ChunkLimits {
  /** Of one sender, unfinished and finished together. */
  readonly bytesPerSender: number;
  readonly bytes: number;
  /** ms that an unfinished one may stand still, and a finished one is kept. */
  readonly keptMs: number;
}

export const chunkLimits: ChunkLimits = {
  bytesPerSender: 16 * 1024 * 1024,
  bytes: 128 * 1024 * 1024,
  keptMs: 60_000,
};

interface Assembly {
  readonly sender: string;
  readonly whole: Uint8Array;
  /** Bytes from the start that are there. */
  length: number;
  /** On the clock of performance.now(). */
  touchedAt: number;
  state: "open" | "complete" | "corrupt";
  /** Somebody got it: it goes when its sender needs the room. */
  taken: boolean;
  readonly waiting: Set<() => void>;
}

/** Room for everything of a chunk message but its bytes. */
export const chunkOverhead = 96;
/** Announcements that were refused are remembered, so many of them: who waits for one is told at once. */
const mostRefused = 1000;

/** How `send` goes about it. */
export interface SendOptions {
  /** Bytes of the largest message that the peer takes. */
  readonly maxMsg: number;
  /** Asked before each chunk: false ends it. */
  readonly wanted?: () => boolean;
}

export class Chunks {
  private readonly assemblies = new Map<string, Assembly>();
  private readonly bySender = new Map<string, number>();
  /** When announcements were refused, by sender and digest; on the clock of performance.now(). */
  private readonly refused = new Map<string, number>();
  private bytes = 0;
  private readonly reader: SubsetReader;
  private readonly timer: NodeJS.Timeout;

  constructor(
    /** Id of this server: chunks that state it are its own, which the bus brings back. */
    private readonly id: string,
    messageBytes: number,
    private readonly limits: ChunkLimits = chunkLimits,
    /** A node wishes for pieces of what it was offered; false when it may not. */
    private readonly onWish?: (sender: string, wish: ChunkMessage) => boolean,
  ) {
    this.reader = new subset.CborReader(messageBytes);
    this.timer = setInterval(() => this.sweep(performance.now()), Math.max(10, limits.keptMs / 4));
    this.timer.unref();
  }

  close(): void {
    clearInterval(this.timer);
    for (const key of [...this.assemblies.keys()]) this.drop(key);
  }

  /** A message on the topic c of `sender`. False when it was refused. */
  receive(sender: string, payload: Uint8Array): boolean {
    const chunk = readChunkMessage(this.reader, payload);
    if (chunk === undefined) return false;
    if (chunk.from === this.id) return true;
    const { bytes } = chunk;
    // Only servers say that there is no more.
    if (chunk.ended !== 0) return false;
    if (bytes === undefined) return this.onWish?.(sender, chunk) ?? false;
    const key = `${sender}/${chunk.digest}`;
    const assembly = this.assemblies.get(key) ?? this.begin(key, sender, chunk.total);
    if (assembly === undefined) {
      if (this.refused.size < mostRefused) this.refused.set(key, performance.now());
      return false;
    }
    if (assembly.whole.length !== chunk.total) return false;
    // A repetition; or a gap, which the sender must fill by beginning again.
    if (assembly.state !== "open" || chunk.offset < assembly.length) return true;
    if (chunk.offset !== assembly.length || chunk.offset + bytes.length > chunk.total) return false;
    assembly.whole.set(bytes, chunk.offset);
    assembly.length += bytes.length;
    assembly.touchedAt = performance.now();
    if (assembly.length === chunk.total) this.complete(assembly, chunk.digest);
    return true;
  }

  /**
   * What `sender` sent or is sending. `once`: nobody else will ask for it.
   * @throws OperationFailure corrupt; too-large when there was no room for it; not-found when it does not come within `ms`
   */
  async take(
    sender: string,
    digest: string,
    ms: number,
    options: { readonly signal?: AbortSignal; readonly once?: boolean } = {},
  ): Promise<Uint8Array> {
    const key = `${sender}/${digest}`;
    const end = performance.now() + ms;
    // The request may be faster than the chunks: a few looks until the first is here, then news from the assembly.
    for (;;) {
      const assembly = this.assemblies.get(key);
      if (assembly?.state === "complete") {
        assembly.taken = true;
        if (options.once === true) this.drop(key);
        return assembly.whole;
      }
      if (assembly === undefined && this.refused.has(key)) {
        throw new OperationFailure("too-large", "no room for these chunks", "input");
      }
      if (assembly?.state === "corrupt") throw new OperationFailure("corrupt", "not its digest", "input");
      const left = end - performance.now();
      if (left <= 0 || options.signal?.aborted === true)
        throw new OperationFailure("not-found", "chunks did not come", "input");
      await new Promise<void>((resolve) => {
        const go = (): void => {
          clearTimeout(timer);
          assembly?.waiting.delete(go);
          resolve();
        };
        const timer = setTimeout(go, assembly === undefined ? Math.min(left, 20) : left);
        assembly?.waiting.add(go);
      });
    }
  }

  /** Sends `bytes` on the topic of a peer, one chunk after the other. Gives the digest; undefined when it was ended. */
  async send(
    connection: BusConnection,
    topic: string,
    bytes: Uint8Array,
    { maxMsg, wanted }: SendOptions,
  ): Promise<string | undefined> {
    const raw = createHash("sha256").update(bytes).digest();
    const step = Math.max(64, maxMsg - chunkOverhead);
    for (let offset = 0; offset < bytes.length; offset += step) {
      if (wanted?.() === false) return undefined;
      const chunk = new Map<number, unknown>([
        [0, 1],
        [1, raw],
        [2, offset],
        [3, bytes.length],
        [4, bytes.subarray(offset, offset + step)],
        [5, this.id],
      ]);
      await connection.publish(topic, encodeCbor(chunk), { qos: 1 });
    }
    return raw.toString("hex");
  }

  private begin(key: string, sender: string, total: number): Assembly | undefined {
    if (!this.hasRoom(sender, total)) {
      for (const [other, { sender: its, taken }] of this.assemblies) {
        if (its === sender && taken) this.drop(other);
        if (this.hasRoom(sender, total)) break;
      }
      if (!this.hasRoom(sender, total)) return undefined;
    }
    this.refused.delete(key);
    const assembly: Assembly = {
      sender,
      whole: new Uint8Array(total),
      length: 0,
      touchedAt: performance.now(),
      state: "open",
      taken: false,
      waiting: new Set(),
    };
    this.assemblies.set(key, assembly);
    this.bySender.set(sender, (this.bySender.get(sender) ?? 0) + total);
    this.bytes += total;
    return assembly;
  }

  private hasRoom(sender: string, more: number): boolean {
    const used = this.bySender.get(sender) ?? 0;
    return used + more <= this.limits.bytesPerSender && this.bytes + more <= this.limits.bytes;
  }

  private complete(assembly: Assembly, digest: string): void {
    const right = createHash("sha256").update(assembly.whole).digest("hex") === digest;
    assembly.state = right ? "complete" : "corrupt";
    for (const go of [...assembly.waiting]) go();
  }

  private sweep(now: number): void {
    for (const [key, assembly] of this.assemblies) {
      if (now - assembly.touchedAt > this.limits.keptMs) this.drop(key);
    }
    for (const [key, at] of this.refused) if (now - at > this.limits.keptMs) this.refused.delete(key);
  }

  private drop(key: string): void {
    const assembly = this.assemblies.get(key);
    if (assembly === undefined) return;
    this.assemblies.delete(key);
    const used = (this.bySender.get(assembly.sender) ?? 0) - assembly.whole.length;
    if (used > 0) this.bySender.set(assembly.sender, used);
    else this.bySender.delete(assembly.sender);
    this.bytes -= assembly.whole.length;
    for (const go of [...assembly.waiting]) go();
  }
}
