/**
 * The operations that this node serves itself: who is offered, whether one takes a request, and running it with checked
 * arguments. Failures become errors of the closed set; routing and answering are done elsewhere.
 */
import type { z } from "zod";
import type { OperationDefinition } from "../../bus/operations/definition.js";
import { issueText, objectOf } from "../../bus/operations/definition.js";
import { decodeRequest, resultMap, type AnswerParts, type ServerRequest } from "../../bus/request-codec.js";
import { ProtocolError } from "../../bus/protocol.js";
import { stages } from "../../bus/protocol-keys.js";
import type { Log } from "../log.js";
import { Seldom } from "../seldom.js";
import { OperationFailure, type LocalOperation, type OperationResult } from "../operations/operation.js";
import type { Failure } from "./answer-maker.js";
import type { Exchange } from "./exchange.js";

/** A finished local operation. */
export type Outcome =
  | { readonly answer: AnswerParts; readonly failure?: undefined }
  | { readonly failure: Failure; readonly answer?: undefined };

const schemas = new WeakMap<OperationDefinition, z.ZodType>();

function argumentsSchema(definition: OperationDefinition): z.ZodType {
  let schema = schemas.get(definition);
  if (schema === undefined) schemas.set(definition, (schema = objectOf(definition.arguments)));
  return schema;
}

export class LocalOperations {
  private readonly operations = new Map<string, LocalOperation>();
  private readonly seldom = new Seldom();

  constructor(
    private readonly id: string,
    private readonly log: Log,
  ) {}

  offer(operation: LocalOperation): void {
    this.operations.set(operation.definition.name, operation);
  }

  withdraw(name: string): void {
    this.operations.delete(name);
  }

  get(name: string): LocalOperation | undefined {
    return this.operations.get(name);
  }

  names(): string[] {
    return [...this.operations.keys()].sort();
  }

  /** The request by names. @throws ProtocolError */
  decode(exchange: Exchange, operation: LocalOperation): ServerRequest {
    return decodeRequest(exchange.payload, exchange.sender, operation.definition);
  }

  /** A bug in `canServe` is a no. */
  async canServe(operation: LocalOperation, request: ServerRequest): Promise<boolean> {
    try {
      return (await operation.canServe?.(request)) ?? true;
    } catch (error) {
      this.log.error({ err: error, operation: operation.definition.name }, "canServe failed");
      return false;
    }
  }

  intercepts(operation: LocalOperation, request: ServerRequest): boolean {
    try {
      return operation.intercepts?.(request) ?? false;
    } catch (error) {
      this.log.error({ err: error, operation: operation.definition.name }, "intercepts failed");
      return false;
    }
  }

  /** Never rejects. The caller has said `accepted`. */
  async run(exchange: Exchange, operation: LocalOperation, request: ServerRequest): Promise<Outcome> {
    const { definition } = operation;
    const startedAt = performance.now();
    const abort = new AbortController();
    exchange.abort = abort;
    try {
      const result = await operation.run({
        arguments: (request.arguments ?? {}) as Readonly<Record<string, unknown>>,
        request,
        sender: exchange.caller,
        signal: abort.signal,
        deadlineAt: exchange.deadlineAt,
      });
      return { answer: this.answerOf(exchange, definition, result, startedAt) };
    } catch (error) {
      if (error instanceof OperationFailure) {
        return {
          failure: { code: error.code, text: error.text, field: error.field, ...error.details },
        };
      }
      if (!abort.signal.aborted) {
        this.log.error(
          { err: error, operation: definition.name, sender: exchange.caller },
          "operation failed",
        );
      }
      return { failure: { code: "internal", text: "see the log of the node" } };
    }
  }

  /** What is wrong with arguments or input, which is in the log too; else the request with checked arguments. */
  check(
    operation: LocalOperation,
    request: ServerRequest,
    caller: string,
  ): { request: ServerRequest } | { failure: Failure } {
    const checked = this.checked(operation, request);
    if ("failure" in checked) {
      const { code, text: reason, field } = checked.failure;
      const { name } = operation.definition;
      const more = this.seldom.tell(`${caller} ${name} ${field ?? ""}`);
      if (more !== undefined) {
        this.log.warn(
          { sender: caller, operation: name, code, reason, field, more },
          "a request was refused",
        );
      }
    }
    return checked;
  }

  private checked(
    operation: LocalOperation,
    request: ServerRequest,
  ): { request: ServerRequest } | { failure: Failure } {
    const { definition } = operation;
    const checked = argumentsSchema(definition).safeParse(request.arguments ?? {});
    if (!checked.success) {
      const issue = checked.error.issues[0];
      const field = ["arguments", ...(issue?.path ?? [])].map(String).join(".");
      return { failure: { code: "bad-request", text: issueText(issue), field } };
    }
    if (definition.input.need === "required" && request.input === undefined) {
      return { failure: { code: "bad-request", text: "missing", field: "input" } };
    }
    return { request: { ...request, arguments: checked.data as Readonly<Record<string, unknown>> } };
  }

  private answerOf(
    exchange: Exchange,
    definition: OperationDefinition,
    made: OperationResult,
    startedAt: number,
  ): AnswerParts {
    const { id, boot, sender } = exchange;
    return {
      id,
      boot,
      sender,
      stage: stages.done,
      node: this.id,
      ...(made.result === undefined ? {} : { result: resultMap(definition, made.result) }),
      ...(made.output === undefined ? {} : { output: made.output }),
      ...(made.outputDescriptor === undefined ? {} : { outputDescriptor: made.outputDescriptor }),
      queueUs: Math.max(0, Math.round((startedAt - exchange.arrivedAt) * 1000)),
      executionUs: Math.round((performance.now() - startedAt) * 1000),
    };
  }
}

/** As an error of an answer. Others than these are bugs. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ProtocolError) return { code: "bad-request", text: error.message };
  if (error instanceof OperationFailure) {
    return { code: error.code, text: error.text, field: error.field, ...error.details };
  }
  return { code: "internal", text: error instanceof Error ? error.message : "" };
}
