/**
 * Orders from inside the node (management, jobs, functions): each becomes an exchange like those from the bus, and its
 * terminal answer resolves the promise. Whoever does it is found elsewhere.
 */
import { operationDefinition } from "../../bus/operations/catalogue.js";
import type { CallerRole } from "../../bus/operations/definition.js";
import { encodeServerRequest, type ServerRequest } from "../../bus/request-codec.js";
import { decodeAnswer, type Answer } from "../../bus/protocol.js";
import type { Log } from "../log.js";
import type { Order, Submit } from "../operations/operation.js";
import type { AnswerMaker, Failure } from "./answer-maker.js";
import type { CoreCounters } from "./core-counters.js";
import { longestDeadlineMs, type RequestLimits } from "./core-options.js";
import { Exchange, type LocalCaller } from "./exchange.js";
import type { ExchangeTable } from "./exchange-table.js";
import type { Gate } from "./gate.js";
import { largestInline } from "./large-data.js";
import { codeOf } from "./router.js";
import type { Serving } from "./serving.js";
import { byteString } from "./subset.js";

export interface SubmissionParts {
  readonly id: string;
  readonly boot: number;
  readonly limits: RequestLimits;
  readonly roleOf: ((sender: string) => CallerRole | undefined) | undefined;
  /** Is it a server that this one has joined? */
  readonly isNeighbour: (sender: string) => boolean;
  /** Bytes of the largest message. */
  readonly messageBytes: number;
  readonly gate: Gate;
  readonly table: ExchangeTable;
  readonly maker: AnswerMaker;
  readonly serving: Serving;
  readonly counts: CoreCounters;
  readonly log: Log;
}

export class Submission {
  private lastId = 0;

  constructor(private readonly parts: SubmissionParts) {}

  readonly submit = (order: Order, options: Parameters<Submit>[1]): Promise<Answer> =>
    new Promise<Answer>((resolve) => {
      const identity = { ...(options.identity ?? this.nextIdentity()), sender: this.parts.id };
      // Whoever does not listen for the acknowledgement needs none.
      const brief = options.onAccepted === undefined;
      const request: ServerRequest = { ...order, ...identity, ...(brief ? { brief } : {}) };
      const listening: { cancel?: () => void } = {};
      const caller: LocalCaller = {
        accepted: () => options.onAccepted?.(),
        pulled: (offset, total) => options.onPulled?.(offset, total),
        done: (bytes) => {
          // The signal may be that of a long job with many requests.
          if (listening.cancel !== undefined) {
            options.signal?.removeEventListener("abort", listening.cancel);
          }
          resolve(this.readOwn(bytes, request));
        },
      };
      this.parts.counts.received++;
      const refuse = (failure: Failure): void => caller.done(this.parts.maker.failure(identity, failure));
      const role = this.localRole(options.sender);
      const definition = operationDefinition(order.operation);
      const refusal = this.parts.gate.refusal(options.sender, role, order.operation, order.deadlineMs ?? -1);
      let payload: Uint8Array;
      // An input that is too large for a message stays out of it: it is needed for another server only.
      const { input, ...rest } = request;
      const beside =
        input instanceof Uint8Array && input.length > largestInline(this.parts.messageBytes)
          ? input
          : undefined;
      try {
        payload = encodeServerRequest(beside === undefined ? request : rest);
      } catch (error) {
        refuse({
          code: "bad-request",
          text: error instanceof Error ? error.message : "",
          field: "arguments",
        });
        return;
      }
      if (refusal !== undefined || options.signal?.aborted === true) {
        refuse(refusal ?? { code: "cancelled", text: "" });
        return;
      }
      const key = `${this.parts.id}/${identity.boot}/${identity.id}`;
      const running = this.parts.table.get(key);
      if (running !== undefined) {
        running.callers.push(caller);
        if (running.accepted) caller.accepted();
        return;
      }
      const now = performance.now();
      const exchange = new Exchange(
        key,
        this.parts.id,
        identity.boot,
        identity.id,
        order.operation,
        definition,
        options.sender,
        role,
        payload,
        [],
        [caller],
        order.priority ?? 100,
        this.parts.gate.nextArrival(),
        now,
        now + Math.min(order.deadlineMs ?? this.parts.limits.deadlineMs, longestDeadlineMs),
        this.parts.limits.hops,
        [],
      );
      exchange.content = beside;
      exchange.brief = brief;
      listening.cancel = () =>
        this.parts.table.fail(exchange, { code: "cancelled", text: "" }, codeOf("cancelled"));
      options.signal?.addEventListener("abort", listening.cancel, { once: true });
      this.parts.table.add(exchange);
      if (options.elsewhere === true) {
        this.parts.serving.route(exchange);
        return;
      }
      this.parts.serving.take(
        exchange,
        order.selector?.node ?? "",
        (order.selector?.labels ?? []).map(byteString),
        request,
      );
    });

  private nextIdentity(): { readonly boot: number; readonly id: number } {
    this.lastId = (this.lastId + 1) >>> 0;
    return { boot: this.parts.boot, id: this.lastId };
  }

  localRole(sender: string): CallerRole {
    // The node's own parts and the people behind its management interface; ids of nodes have no colon.
    if (sender === this.parts.id || sender === "operator" || sender.includes(":")) return "operator";
    // What a neighbour asked for is asked of others in its name.
    if (this.parts.isNeighbour(sender)) return "server";
    return this.parts.roleOf?.(sender) ?? "node";
  }

  private readOwn(bytes: Uint8Array, request: ServerRequest): Answer {
    try {
      return decodeAnswer(bytes);
    } catch (error) {
      this.parts.log.warn({ err: error, operation: request.operation }, "an answer that breaks the protocol");
      this.parts.counts.violations++;
      const failure: Failure = { code: "internal", text: "the answer breaks the protocol" };
      return decodeAnswer(this.parts.maker.failure(request, failure));
    }
  }
}
