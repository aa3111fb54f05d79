/**
 * A minimal node played on a memory bus that pulls updates as devices do: header first, then windows of a few pieces, asked
 * for again when pieces are lost, and given up when the server says so. It keeps what it has over its own restart.
 */
import { createHash } from "node:crypto";
import { encodeCbor } from "../../host/bus/protocol.js";
import type { ServerRequest } from "../../host/bus/request-codec.js";
import { subset } from "../../host/node/core/subset.js";
import { readChunkMessage, type ChunkMessage } from "../../host/node/core/chunk-message.js";
import type { MemoryNode } from "./memory-node.js";

/** Message of a wish. */
export function wishFor(digest: string, offset: number, wanted: number, from: string): Uint8Array {
  return encodeCbor(
    new Map<number, unknown>([
      [0, 1],
      [1, Buffer.from(digest, "hex")],
      [2, offset],
      [3, 0],
      [5, from],
      [6, wanted],
    ]),
  );
}

export interface Installed {
  readonly digest: string;
  readonly bytes: Buffer;
  readonly request: ServerRequest;
}

export class PullingNode {
  /** Bytes that came, by digest: kept over restarts. */
  readonly kept = new Map<string, Buffer>();
  readonly installed: Installed[] = [];
  /** Requests that it gave up because the server said so. */
  ended = 0;
  /** Sizes of the messages that came on c. */
  readonly sizes: number[] = [];
  /** Of a wish; by default about four pieces. */
  window = 3600;
  /** Pieces that are lost: asked for each, by its count. */
  loses: (count: number) => boolean = () => false;
  /** Called after each piece that was taken. */
  onPiece: (have: number) => void = () => undefined;
  /** What happens when all is there: by default it is done. */
  finish: (installed: Installed) => void = ({ request }) => this.node.answer(request, { stage: 2 });
  private request: ServerRequest | undefined;
  private digest = "";
  private total = 0;
  private asked = 0;
  private count = 0;
  private retry: NodeJS.Timeout | undefined;

  constructor(readonly node: MemoryNode) {
    node.behaviour = (request) => this.take(request);
    const reader = new subset.CborReader(4096);
    node.connection.onMessage((topic, payload) => {
      if (topic !== node.topic("c")) return;
      const message = readChunkMessage(reader, payload);
      if (message === undefined || message.from === node.id) return;
      if (message.ended !== 0) {
        this.end(message);
        return;
      }
      this.sizes.push(payload.length);
      this.piece(message);
    });
  }

  /** Operations that it was asked for. */
  requests(): string[] {
    return this.node.requests.map(({ operation }) => operation);
  }

  stop(): void {
    clearTimeout(this.retry);
    this.request = undefined;
  }

  private take(request: ServerRequest): void {
    const { node } = this;
    if (request.operation === "node.monitor") return node.answer(request, { stage: 2 });
    const same = this.request?.id === request.id && this.request.boot === request.boot;
    if (this.request !== undefined && !same) {
      node.answer(request, { stage: 2, error: { code: 7, text: "another update runs", retryAfterMs: 20 } });
      return;
    }
    node.answer(request, { stage: 1 });
    if (same) return;
    const digest = /^chunk:([0-9a-f]{64})$/.exec(typeof request.input === "string" ? request.input : "")?.[1];
    if (digest === undefined) {
      node.answer(request, { stage: 2, error: { code: 1, text: "no reference", field: "input" } });
      return;
    }
    this.request = request;
    this.digest = digest;
    this.total = 0;
    this.ask(288);
  }

  private get have(): number {
    return this.kept.get(this.digest)?.length ?? 0;
  }

  private ask(bytes: number): void {
    const { node, digest, have } = this;
    this.asked = have + bytes;
    node.send("c", wishFor(digest, have, bytes, node.id)).catch(() => undefined);
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.ask(bytes), 30);
  }

  private piece({ digest, offset, total, bytes }: ChunkMessage): void {
    if (bytes === undefined || digest !== this.digest || this.request === undefined || offset !== this.have)
      return;
    if (this.loses(this.count++)) return;
    this.total = total;
    this.kept.set(digest, Buffer.concat([this.kept.get(digest) ?? Buffer.alloc(0), bytes]));
    this.onPiece(this.have);
    // The hook may have ended this life.
    if (this.request === undefined) return;
    if (this.have === total) this.install();
    else if (this.have >= this.asked) this.ask(Math.min(this.window, this.total - this.have));
  }

  /** There is no more of it: what came stays. */
  private end({ digest, ended }: ChunkMessage): void {
    const { request } = this;
    if (request === undefined || digest !== this.digest) return;
    this.stop();
    this.ended++;
    this.node.answer(request, { stage: 2, error: { code: ended, text: "offered no longer" } });
  }

  private install(): void {
    const { request, digest } = this;
    this.stop();
    const bytes = this.kept.get(digest) ?? Buffer.alloc(0);
    if (request === undefined) return;
    if (createHash("sha256").update(bytes).digest("hex") !== digest) {
      this.node.answer(request, { stage: 2, error: { code: 12, text: "digest" } });
      return;
    }
    const installed = { digest, bytes, request };
    this.installed.push(installed);
    this.finish(installed);
  }
}
