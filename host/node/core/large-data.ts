/**
 * Data that is not in the message: references in a request's input are brought in before somebody gets it who cannot
 * follow them; outputs that are too large for whoever asked leave in chunks.
 */
import { encodeAnswer, type AnswerParts, type ServerRequest } from "../../bus/request-codec.js";
import { decodeAnswer, encodeCbor, type Descriptor } from "../../bus/protocol.js";
import { descriptorKeys } from "../../bus/protocol-keys.js";
import { toMap } from "../../bus/keyed-maps.js";
import { parseReference, referenceTo } from "../../bus/references.js";
import { OperationFailure } from "../operations/operation.js";
import type { Chunks } from "./chunks.js";
import type { RequestEnvelope } from "./envelope.js";
import type { Exchange, Reply } from "./exchange.js";

/** Content behind `blob:`, `data:` and `model:`; undefined when there is none here. @throws OperationFailure */
export type Resolver = (
  reference: string,
) => Promise<{ readonly bytes: Uint8Array; readonly descriptor?: Partial<Descriptor> } | undefined>;

export class LargeData {
  constructor(
    private readonly chunks: Chunks,
    private readonly resolve: Resolver | undefined,
    /** Bytes of the largest message for a node or server. */
    private readonly maxMsgOf: (peer: string) => number,
  ) {}

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
   * The message with the content inline, for others than this server. The same message when nobody here has it: another
   * server may. @throws OperationFailure
   */
  async inlined(exchange: Exchange, reference: string, read: () => RequestEnvelope): Promise<Uint8Array> {
    const parsed = parseReference(reference);
    if (parsed === undefined) return exchange.payload;
    const left = exchange.left(performance.now());
    const content =
      parsed.kind === "chunk"
        ? { bytes: await this.chunks.take(exchange.via, parsed.target, left) }
        : await this.resolve?.(reference);
    if (content === undefined) return exchange.payload;
    const envelope = read();
    const { descriptor } = content as { readonly descriptor?: Partial<Descriptor> };
    const stated = envelope.itemText(8) !== "";
    const message = envelope.rewritten({
      input: encodeCbor(content.bytes),
      ...(descriptor === undefined || stated
        ? {}
        : { descriptor: encodeCbor(toMap(descriptorKeys, descriptor)) }),
    });
    if (message === undefined)
      throw new OperationFailure("too-large", "does not fit into a message", "input");
    return message;
  }

  /** The answer's bytes for those who asked; an output that does not fit goes to them in chunks first. */
  async encoded(exchange: Exchange, answer: AnswerParts): Promise<Uint8Array> {
    const whole = encodeAnswer(answer);
    const small = exchange.replies.filter((r) => whole.length > this.maxMsgOf(r.peer));
    if (small.length === 0) return whole;
    if (!(answer.output instanceof Uint8Array)) {
      throw new OperationFailure("too-large", "the answer does not fit into a message", "answer");
    }
    const digest = await this.sendAll(small, answer.output);
    return encodeAnswer({ ...answer, output: referenceTo("chunk", digest) });
  }

  /** An answer of server `from` whose output is in chunks: they go on to whoever asked. Gives the answer to pass on. */
  async relayed(exchange: Exchange, from: string, payload: Uint8Array): Promise<Uint8Array> {
    const answer = decodeAnswer(payload);
    const reference = typeof answer.output === "string" ? parseReference(answer.output) : undefined;
    if (reference?.kind !== "chunk") return payload;
    const bytes = await this.chunks.take(from, reference.target, exchange.left(performance.now()));
    if (exchange.callers.length > 0) return encodeAnswer({ ...answer, output: bytes });
    await this.sendAll(exchange.replies, bytes);
    return payload;
  }

  private async sendAll(replies: readonly Reply[], bytes: Uint8Array): Promise<string> {
    let digest = "";
    for (const { connection, chunkTopic, peer } of replies) {
      digest = await this.chunks.send(connection, chunkTopic, peer, bytes, this.maxMsgOf(peer));
    }
    return digest;
  }
}
