/** For tests of workflows: a Core Service in memory, which executes operations by handlers and remembers its answers. */
import { operationDefinition } from "../../../bus/operations/catalogue.js";
import { keysOf } from "../../../bus/operations/definition.js";
import type { Answer } from "../../../bus/protocol.js";
import { errorCodes } from "../../../bus/protocol-keys.js";
import type { LocalOperation, OperationResult, Order, Submit } from "../../operations/operation.js";
import { OperationFailure } from "../../operations/operation.js";

export type Handler = (
  order: Order,
  call: {
    readonly signal: AbortSignal;
    readonly sender: string;
    readonly identity?: { readonly boot: number; readonly id: number };
  },
) => Promise<OperationResult> | OperationResult;

export interface FakeCore {
  readonly submit: Submit;
  /** Every order that was executed, in order. */
  readonly executed: Order[];
  /** Operations by name; the node that answers is `node` of the selector, or "edge". */
  readonly handlers: Record<string, Handler>;
  /** An operation of a complete node. */
  serve(operation: LocalOperation): void;
}

const keyOf = (field: number | { readonly key: number }): number =>
  typeof field === "number" ? field : field.key;

export function fakeCore(handlers: Record<string, Handler> = {}): FakeCore {
  const executed: Order[] = [];
  const answered = new Map<string, Promise<Answer>>();
  let next = 0;

  async function execute(order: Order, call: Parameters<Handler>[1]): Promise<Answer> {
    const answer = { version: 1, id: 0, boot: 1, stage: 2, node: order.selector?.node ?? "edge" } as const;
    executed.push(order);
    try {
      const handler = handlers[order.operation];
      if (handler === undefined) throw new OperationFailure("no-capable-node", "nobody");
      const { result = {}, output, outputDescriptor } = await handler(order, call);
      const keys = keysOf(operationDefinition(order.operation)?.result ?? {});
      return {
        ...answer,
        result: new Map(Object.entries(result).map(([name, value]) => [keyOf(keys[name] ?? 99), value])),
        ...(output === undefined
          ? {}
          : { output: typeof output === "string" ? output : new Uint8Array(output) }),
        ...(outputDescriptor === undefined ? {} : { outputDescriptor }),
      };
    } catch (error) {
      const failure =
        error instanceof OperationFailure ? error : new OperationFailure("internal", String(error));
      const { code, text, field, details } = failure;
      return {
        ...answer,
        error: { code: errorCodes[code], text, ...details, ...(field === undefined ? {} : { field }) },
      };
    }
  }

  const submit: Submit = async (order, { sender, signal, identity }) => {
    next += 1;
    const key =
      identity === undefined ? `${String(next)}` : `${String(identity.boot)}/${String(identity.id)}`;
    const known = answered.get(key);
    if (known !== undefined) return await known;
    const answer = execute(order, {
      sender,
      signal: signal ?? new AbortController().signal,
      identity: identity ?? { boot: 0, id: next },
    });
    answered.set(key, answer);
    return await answer;
  };

  return {
    submit,
    executed,
    handlers,
    serve(operation) {
      handlers[operation.definition.name] = (order, { signal, sender, identity = { boot: 0, id: 0 } }) =>
        operation.run({
          arguments: order.arguments ?? {},
          request: { ...order, ...identity, sender },
          sender,
          signal,
          deadlineAt: performance.now() + (order.deadlineMs ?? 10_000),
        });
    },
  };
}
