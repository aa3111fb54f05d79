/** The times of a schedule and the order that it sends: what makes sense, when is next, what goes out. It keeps nothing. */
import { Cron } from "croner";
import { operationDefinition } from "../../bus/operations/catalogue.js";
import { objectOf } from "../../bus/operations/definition.js";
import type { Selector } from "../../bus/protocol.js";
import type { CoreService } from "../core/core-service.js";
import { OperationFailure, type Order } from "../operations/operation.js";
import type { Schedule } from "./schedule-store.js";

/**
 * The first time after now. `due` is the time that is being sent, or the start of an interval: intervals keep their
 * rhythm. Undefined: there is none.
 */
export function nextTime(
  { cron, everyS, at }: Pick<Schedule, "cron" | "everyS" | "at">,
  now: number,
  due: number | undefined,
): number | undefined {
  if (everyS !== undefined) {
    const every = everyS * 1000;
    const since = due ?? now;
    return since + every * Math.max(1, Math.floor((now - since) / every) + 1);
  }
  if (cron !== undefined) return cronOf(cron).nextRun(new Date(now))?.getTime();
  const time = Date.parse(at ?? "");
  // Once: when it is being sent there is no other.
  return due === undefined && time > now ? time : undefined;
}

/** @throws OperationFailure bad-request */
function cronOf(pattern: string): Cron {
  const fields = pattern.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6) throw wrong("five or six fields", "cron");
  try {
    return new Cron(pattern, { timezone: "UTC" });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error), "cron");
  }
}

export const wrong = (text: string, field: string) =>
  new OperationFailure("bad-request", text, field === "" ? "arguments" : `arguments.${field}`);

/** Might its sender send it? Whether somebody can do it is another question: nodes come and go. */
export async function checkOrder(
  order: Schedule["order"],
  sender: string,
  explain: CoreService["explain"],
): Promise<void> {
  const definition = operationDefinition(order.operation);
  if (definition === undefined) {
    throw new OperationFailure("unknown-operation", order.operation, "arguments.order.operation");
  }
  if (definition.name === "task.schedule") throw wrong("a schedule makes no schedules", "order.operation");
  const issue = objectOf(definition.arguments).safeParse(order.arguments ?? {}).error?.issues[0];
  if (issue !== undefined) {
    const place = ["order", "arguments", ...issue.path.map(String)];
    const more = issue.code === "unrecognized_keys" ? [issue.keys[0] ?? ""] : [];
    throw wrong(issue.message, [...place, ...more].join("."));
  }
  const { error } = await explain(orderOf(order), sender);
  if (error?.code === "forbidden") throw new OperationFailure("forbidden", error.text, "arguments.order");
}

/** Jobs are only made: a schedule does not wait for them. */
export function orderOf({
  operation,
  selector,
  arguments: args,
  input,
  deadlineMs,
}: Schedule["order"]): Order {
  const definition = operationDefinition(operation);
  const detach =
    definition?.job === true && Object.hasOwn(definition.arguments, "detach") ? { detach: true } : {};
  return {
    operation,
    arguments: { ...args, ...detach },
    ...(selector === undefined ? {} : { selector: selector as Selector }),
    ...(input === undefined ? {} : { input }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
}
