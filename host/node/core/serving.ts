/**
 * Here or elsewhere: an exchange is served by an operation of this node, or goes to the dispatcher, with the data that
 * only this server finds. Who among the others gets it is the dispatcher's business.
 */
import type { ServerRequest } from "../../bus/request-codec.js";
import type { LocalOperation } from "../operations/operation.js";
import type { Failure } from "./answer-maker.js";
import type { CoreCounters } from "./core-counters.js";
import type { Dispatcher } from "./dispatcher.js";
import type { Exchange } from "./exchange.js";
import type { ExchangeTable } from "./exchange-table.js";
import { LargeData } from "./large-data.js";
import { failureOf, type LocalOperations } from "./local-operations.js";
import { codeOf } from "./router.js";
import { fromByteString } from "./subset.js";

export interface ServingParts {
  readonly id: string;
  readonly labels: readonly string[];
  readonly table: ExchangeTable;
  readonly dispatcher: Dispatcher;
  readonly locals: LocalOperations;
  readonly large: LargeData;
  readonly counts: CoreCounters;
}

export class Serving {
  constructor(private readonly parts: ServingParts) {}

  /** `node` and `labels` of its selector; `known`: the request by names, when it was made here. */
  take(exchange: Exchange, node: string, labels: readonly string[], known: ServerRequest | undefined): void {
    const operation = this.parts.locals.get(exchange.operation);
    const own = this.parts.labels;
    const selected =
      (node === "" || node === this.parts.id) && labels.every((label) => own.includes(fromByteString(label)));
    if (operation === undefined || (!selected && operation.intercepts === undefined)) {
      this.route(exchange);
      return;
    }
    let request: ServerRequest;
    try {
      request = known ?? this.parts.locals.decode(exchange, operation);
    } catch (error) {
      this.failWith(exchange, failureOf(error));
      return;
    }
    const intercepted =
      operation.intercepts !== undefined && this.parts.locals.intercepts(operation, request);
    if (!selected && !intercepted) {
      this.route(exchange);
      return;
    }
    // Named itself, this node says itself what it lacks: nobody else is meant.
    if (operation.canServe === undefined || intercepted || node === this.parts.id) {
      this.serve(exchange, operation, request);
      return;
    }
    void this.parts.locals.canServe(operation, request).then((can) => {
      if (exchange.state === "done") return;
      if (can) this.serve(exchange, operation, request);
      else this.route(exchange);
    });
  }

  /** To others, with what only this server finds inside the message or beside it. */
  route(exchange: Exchange): void {
    const reference = this.parts.dispatcher.read(exchange.payload).request.reference();
    if (exchange.content === undefined && !LargeData.isElsewhere(reference)) {
      this.parts.dispatcher.route(exchange);
      return;
    }
    this.parts.large
      .prepare(exchange, reference, () => this.parts.dispatcher.read(exchange.payload))
      .then(
        () => {
          if (exchange.state !== "done") this.parts.dispatcher.route(exchange);
        },
        (error: unknown) => this.failWith(exchange, failureOf(error)),
      );
  }

  private serve(exchange: Exchange, operation: LocalOperation, asked: ServerRequest): void {
    exchange.decision = "local";
    const checked = this.parts.locals.check(operation, asked, exchange.caller);
    if ("failure" in checked) {
      this.failWith(exchange, checked.failure);
      return;
    }
    exchange.state = "local";
    exchange.attempts = 1;
    this.parts.table.accept(exchange);
    void this.execute(exchange, operation, checked.request);
  }

  private async execute(exchange: Exchange, operation: LocalOperation, asked: ServerRequest): Promise<void> {
    try {
      const request = await this.parts.large.withInput(exchange, asked);
      const outcome = await this.parts.locals.run(exchange, operation, request);
      if (exchange.state === "done") this.parts.counts.late++;
      else if (outcome.failure !== undefined) this.failWith(exchange, outcome.failure);
      else {
        const { queueUs = 0, executionUs = 0 } = outcome.answer;
        const bytes = await this.parts.large.encoded(exchange, outcome.answer);
        this.parts.table.end(exchange, bytes, { node: this.parts.id, error: 0, queueUs, executionUs });
      }
    } catch (error) {
      this.failWith(exchange, failureOf(error));
    }
  }

  failWith(exchange: Exchange, failure: Failure): void {
    this.parts.table.fail(exchange, failure, codeOf(failure.code));
  }
}
