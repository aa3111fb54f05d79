/**
 * What is larger than a message: sent in chunks on topic c, put together from them, bounded for each sender and in all,
 * and given out only when its digest is right. Requests and answers refer to it as `chunk:<digest>`.
 */
import { createHash } from "node:crypto";
import type { BusConnection } from "../../bus/connection.js";
import { encodeCbor } from "../../bus/protocol.js";
import { OperationFailure } from "../operations/operation.js";
import { subset, type SubsetReader } from "./subset.js";

export interface ChunkLimits {
  /** Of one sender, unfinished and finished together. */
  readonly bytesPerSender: number;
  readonly bytes: number;
  /** ms that an unfinished one may stand still, and a finished one is kept. */
  readonly keptMs: number;
}

const chunkLimits: ChunkLimits = {
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
  readonly waiting: Set<() => void>;
}

const digestBytes = 32;
/** Room for everything of a chunk message but its bytes. */
const overhead = 64;

export class Chunks {
  private readonly assemblies = new Map<string, Assembly>();
  private readonly bySender = new Map<string, number>();
  /** What this server sent itself: the bus brings it back. */
  private readonly own = new Map<string, number>();
  private bytes = 0;
  private readonly reader: SubsetReader;
  private readonly timer: NodeJS.Timeout;

  constructor(
    messageBytes: number,
    private readonly limits: ChunkLimits = chunkLimits,
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
    const chunk = this.parse(payload);
    if (chunk === undefined) return false;
    const key = `${sender}/${chunk.digest}`;
    if (this.own.has(key)) return true;
    const assembly = this.assemblies.get(key) ?? this.begin(key, sender, chunk.total);
    if (assembly === undefined || assembly.whole.length !== chunk.total) return false;
    // A repetition; or a gap, which the sender must fill by beginning again.
    if (assembly.state !== "open" || chunk.offset < assembly.length) return true;
    if (chunk.offset !== assembly.length || chunk.offset + chunk.bytes.length > chunk.total) return false;
    assembly.whole.set(chunk.bytes, chunk.offset);
    assembly.length += chunk.bytes.length;
    assembly.touchedAt = performance.now();
    if (assembly.length === chunk.total) this.complete(assembly, chunk.digest);
    return true;
  }

  /**
   * What `sender` sent or is sending. @throws OperationFailure corrupt; not-found when it does not come within `ms`
   */
  async take(sender: string, digest: string, ms: number, signal?: AbortSignal): Promise<Uint8Array> {
    const key = `${sender}/${digest}`;
    const end = performance.now() + ms;
    // The request may be faster than the chunks: a few looks until the first is here, then news from the assembly.
    for (;;) {
      const assembly = this.assemblies.get(key);
      if (assembly?.state === "complete") return assembly.whole;
      if (assembly?.state === "corrupt") throw new OperationFailure("corrupt", "not its digest", "input");
      const left = end - performance.now();
      if (left <= 0 || signal?.aborted === true)
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

  /** Sends `bytes` to `peer` on its topic; gives the digest. `maxMsg`: bytes of the largest message it takes. */
  async send(
    connection: BusConnection,
    topic: string,
    peer: string,
    bytes: Uint8Array,
    maxMsg: number,
  ): Promise<string> {
    const raw = createHash("sha256").update(bytes).digest();
    const digest = raw.toString("hex");
    this.own.set(`${peer}/${digest}`, performance.now());
    const step = Math.max(64, maxMsg - overhead);
    for (let offset = 0; offset < bytes.length; offset += step) {
      const chunk = new Map<number, unknown>([
        [0, 1],
        [1, raw],
        [2, offset],
        [3, bytes.length],
        [4, bytes.subarray(offset, offset + step)],
      ]);
      await connection.publish(topic, encodeCbor(chunk), { qos: 1 });
    }
    return digest;
  }

  private parse(
    payload: Uint8Array,
  ): { digest: string; offset: number; total: number; bytes: Uint8Array } | undefined {
    const reader = this.reader;
    reader.load(payload);
    let [version, offset, total] = [0, -1, -1];
    let digest: Uint8Array | undefined;
    let bytes: Uint8Array | undefined;
    const pairs = reader.readMap();
    for (let i = 0; i < pairs && !reader.failed; i++) {
      const key = reader.readInt();
      if (key === 0) version = reader.readUint();
      else if (key === 1) digest = reader.readBytes();
      else if (key === 2) offset = reader.readUint();
      else if (key === 3) total = reader.readUint();
      else if (key === 4) bytes = reader.readBytes();
      else reader.skip();
    }
    const sane =
      reader.finished() && version === 1 && offset >= 0 && total > 0 && digest?.length === digestBytes;
    if (!sane || digest === undefined || bytes === undefined || bytes.length === 0) return undefined;
    return { digest: Buffer.from(digest).toString("hex"), offset, total, bytes };
  }

  private begin(key: string, sender: string, total: number): Assembly | undefined {
    const used = this.bySender.get(sender) ?? 0;
    if (used + total > this.limits.bytesPerSender || this.bytes + total > this.limits.bytes) return undefined;
    const assembly: Assembly = {
      sender,
      whole: new Uint8Array(total),
      length: 0,
      touchedAt: performance.now(),
      state: "open",
      waiting: new Set(),
    };
    this.assemblies.set(key, assembly);
    this.bySender.set(sender, used + total);
    this.bytes += total;
    return assembly;
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
    for (const [key, at] of this.own) if (now - at > this.limits.keptMs) this.own.delete(key);
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
