/**
 * Data that is not in the message. References in a request's input are brought in before somebody gets it who cannot
 * follow them; an input that is too large for a message goes beside it, in chunks, to servers, or stays here until a
 * minimal node has pulled it (offers.ts); outputs that are too large for whoever asked leave in chunks. What is kept for this is bounded. Who gets a request is decided elsewhere.
 */
import {
  decodeRequest,
  encodeAnswer,
  type AnswerParts,
  type ServerRequest,
} from "../../bus/request-codec.js";
import { decodeAnswer, encodeCbor, type Descriptor } from "../../bus/protocol.js";
import { descriptorKeys } from "../../bus/protocol-keys.js";
import { toMap } from "../../bus/keyed-maps.js";
import { parseReference, referenceTo } from "../../bus/references.js";
import { OperationFailure } from "../operations/operation.js";
import { digestOf } from "../storage/blob-uses.js";
import { chunkLimits, type Chunks } from "./chunks.js";
import type { RequestEnvelope } from "./envelope.js";
import type { Exchange, Reply } from "./exchange.js";

export interface Content {
  readonly bytes: Uint8Array;
  readonly descriptor?: Partial<Descriptor>;
}

/**
 * Content behind `blob:`, `data:` and `model:`; undefined when there is none here.
 * @throws OperationFailure; too-large above `limit` bytes
 */
export type Resolver = (reference: string, limit: number) => Promise<Content | undefined>;

/** Bytes of an input that still goes in a message of so many: servers on the way add themselves and more. */
export function largestInline(messageBytes: number): number {
  return messageBytes - Math.min(1024, messageBytes >> 2);
}

export interface LargeDataOptions {
  readonly chunks: Chunks;
  readonly resolve: Resolver | undefined;
  /** Bytes of the largest message of this server. */
  readonly messageBytes: number;
  /** Of a node or server. */
  readonly maxMsgOf: (peer: string) => number;
  /** Bytes of one input that goes beside its message, and of all of them; default: as chunks are taken. */
  readonly inputBytes?: number;
  readonly allBytes?: number;
}

export class LargeData {
  private readonly chunks: Chunks;
  /** Bytes of inputs that wait or go beside their messages. */
  private readonly beside = new Map<Exchange, number>();
  private besideBytes = 0;
  private readonly inputBytes: number;
  private readonly allBytes: number;
  /** Large content is read one after the other: what is being read is bounded too. */
  private reading: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: LargeDataOptions) {
    this.chunks = options.chunks;
    this.inputBytes = options.inputBytes ?? chunkLimits.bytesPerSender;
    this.allBytes = options.allBytes ?? chunkLimits.bytes;
  }

  /** Is the input somewhere else, where only this server finds it? */
  static isElsewhere(reference: string): boolean {
    const kind = parseReference(reference)?.kind;
    return kind !== undefined && kind !== "sensor";
  }

  /** The request with chunks of its sender in place of the reference to them. @throws OperationFailure */
  async withInput(exchange: Exchange, request: ServerRequest): Promise<ServerRequest> {
    const reference = typeof request.input === "string" ? parseReference(request.input) : undefined;
    if (reference?.kind !== "chunk") return request;
    const left = exchange.left(performance.now());
    return { ...request, input: await this.chunks.take(exchange.via, reference.target, left) };
  }

  /**
   * Makes the exchange fit for others than this server: its input is in the message, or beside it (`exchange.content`).
   * It stays as it is when nobody here has what it refers to: another server may.
   * @throws OperationFailure too-large, busy, and why a reference cannot be followed
   */
  async prepare(exchange: Exchange, reference: string, read: () => RequestEnvelope): Promise<void> {
    if (exchange.content !== undefined) {
      this.putBeside(exchange, { bytes: exchange.content }, read());
      return;
    }
    const parsed = parseReference(reference);
    if (parsed === undefined) return;
    const content =
      parsed.kind === "chunk"
        ? { bytes: await this.chunks.take(exchange.via, parsed.target, exchange.left(performance.now())) }
        : await this.contentOf(reference);
    if (content === undefined || exchange.state === "done") return;
    const { bytes } = content;
    const small = bytes.length <= this.options.messageBytes;
    const message = small ? this.rewritten(read(), encodeCbor(bytes), content) : undefined;
    if (message === undefined || message.length > largestInline(this.options.messageBytes)) {
      this.putBeside(exchange, content, read());
    } else exchange.payload = message;
  }

  /** Takes an inline input out of the message. @throws OperationFailure too-large (there is none), busy */
  takeOut(exchange: Exchange, envelope: RequestEnvelope): void {
    const { input } = decodeRequest(exchange.payload, exchange.sender);
    if (!(input instanceof Uint8Array)) {
      throw new OperationFailure("too-large", "too large to pass on", "arguments");
    }
    this.putBeside(exchange, { bytes: input }, envelope);
  }

  /** The exchange has ended. */
  forget(exchange: Exchange): void {
    this.besideBytes -= this.beside.get(exchange) ?? 0;
    this.beside.delete(exchange);
    exchange.content = undefined;
  }

  /** The answer's bytes for those who asked; an output that does not fit goes to them in chunks first. */
  async encoded(exchange: Exchange, answer: AnswerParts): Promise<Uint8Array> {
    const whole = encodeAnswer(answer);
    const small = exchange.replies.filter((r) => whole.length > this.options.maxMsgOf(r.peer));
    if (small.length === 0) return whole;
    if (!(answer.output instanceof Uint8Array)) {
      throw new OperationFailure("too-large", "the answer does not fit into a message", "answer");
    }
    if (answer.output.length > this.inputBytes) {
      throw new OperationFailure("too-large", `more than ${this.inputBytes} bytes at once`, "answer");
    }
    const digest = await this.sendAll(small, answer.output);
    return encodeAnswer({ ...answer, output: referenceTo("chunk", digest) });
  }

  /** An answer of server `from` whose output is in chunks: they go on to whoever asked. Gives the answer to pass on. */
  async relayed(exchange: Exchange, from: string, payload: Uint8Array): Promise<Uint8Array> {
    const answer = decodeAnswer(payload);
    const reference = typeof answer.output === "string" ? parseReference(answer.output) : undefined;
    if (reference?.kind !== "chunk") return payload;
    const left = exchange.left(performance.now());
    const bytes = await this.chunks.take(from, reference.target, left, { once: true });
    if (exchange.callers.length > 0) return encodeAnswer({ ...answer, output: bytes });
    await this.sendAll(exchange.replies, bytes);
    return payload;
  }

  private async sendAll(replies: readonly Reply[], bytes: Uint8Array): Promise<string> {
    for (const { connection, chunkTopic, peer } of replies) {
      await this.chunks.send(connection, chunkTopic, bytes, { maxMsg: this.options.maxMsgOf(peer) });
    }
    return digestOf(bytes);
  }

  /** Small content at once; large content when that before it is read. */
  private async contentOf(reference: string): Promise<Content | undefined> {
    const { resolve, messageBytes } = this.options;
    if (resolve === undefined) return undefined;
    try {
      return await resolve(reference, messageBytes);
    } catch (error) {
      if (!(error instanceof OperationFailure) || error.code !== "too-large") throw error;
    }
    const content = this.reading.then(() => {
      this.requireRoom(0);
      return resolve(reference, this.inputBytes);
    });
    this.reading = content.catch(() => undefined);
    return content;
  }

  private putBeside(exchange: Exchange, content: Content, envelope: RequestEnvelope): void {
    const { bytes } = content;
    if (bytes.length > this.inputBytes) {
      throw new OperationFailure("too-large", `more than ${this.inputBytes} bytes for another`, "input");
    }
    this.requireRoom(bytes.length);
    const digest = digestOf(bytes);
    const reference = referenceTo("chunk", digest);
    const message = this.rewritten(envelope, encodeCbor(reference), content);
    if (message === undefined) {
      throw new OperationFailure("too-large", "does not fit into a message", "arguments");
    }
    exchange.payload = message;
    exchange.content = bytes;
    exchange.contentDigest = digest;
    this.beside.set(exchange, bytes.length);
    this.besideBytes += bytes.length;
  }

  private requireRoom(more: number): void {
    if (this.besideBytes + more < this.allBytes) return;
    throw new OperationFailure("busy", "too much large data is on its way", "input", { retryAfterMs: 1000 });
  }

  private rewritten(
    envelope: RequestEnvelope,
    input: Uint8Array,
    { descriptor }: Content,
  ): Uint8Array | undefined {
    const stated = envelope.itemText(8) !== "";
    return envelope.rewritten({
      input,
      ...(descriptor === undefined || stated
        ? {}
        : { descriptor: encodeCbor(toMap(descriptorKeys, descriptor)) }),
    });
  }
}
