/**
 * Orders that are sent again and again, or once later. Kept over restarts. Each time that comes is sent once at most: the
 * next one is kept before the order goes out. Times that passed while the node was down are made up for by one.
 */
import { Cron } from "croner";
import { z } from "zod";
import { operationDefinition } from "../../bus/operations/catalogue.js";
import { common, objectOf } from "../../bus/operations/definition.js";
import { orderSchema } from "../../bus/operations/task.js";
import { errorName, type Selector } from "../../bus/protocol.js";
import type { CoreService } from "../core/core-service.js";
import type { Log } from "../log.js";
import { OperationFailure, type Order, type Submit } from "../operations/operation.js";
import type { Storage } from "../storage/storage.js";
import { decodeValue, encodeValue } from "./job-record.js";

const scheduleSchema = z.object({
  name: common.name,
  cron: z.string().optional(),
  everyS: z.number().optional(),
  at: z.string().optional(),
  order: orderSchema,
  /** Who made it: the order is sent in this name, with what that one may do at that time. */
  sender: z.string(),
  /** ms since 1970. */
  nextAt: z.number(),
  sentAt: z.number().optional(),
  /** How the last order ended: "done", or the name of an error. */
  last: z.string().optional(),
});

export type Schedule = Readonly<z.infer<typeof scheduleSchema>>;
export type ScheduleWish = Pick<Schedule, "name" | "cron" | "everyS" | "at" | "order" | "sender">;

export interface SchedulesOptions {
  /** Id of the node: the schedules in the storage are those of this owner. */
  readonly owner: string;
  readonly submit: Submit;
  readonly explain: CoreService["explain"];
  /** At most so many; default 1000. */
  readonly limit?: number;
  readonly log?: Log;
}

export interface Schedules {
  /** Kept when it resolves; replaces one of the same name. @throws OperationFailure */
  set(wish: ScheduleWish): Promise<Schedule>;
  /** False when there is none. */
  remove(name: string): Promise<boolean>;
  /** By name. */
  list(): Schedule[];
  start(): Promise<void>;
  /** Resolves when no order is being sent, or after ten seconds. */
  stop(): Promise<void>;
}

const collection = "schedules";
const graceMs = 10_000;
const longestTimer = 2 ** 31 - 1;

export function createSchedules(storage: Storage, options: SchedulesOptions): Schedules {
  const { owner, submit, explain, limit = 1000, log } = options;
  const schedules = new Map<string, Schedule>();
  const sending = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  /** Being kept for the first time, or anew. */
  let making = 0;
  const key = (name: string) => `${owner}/${name}`;

  async function keep(name: string, schedule: Schedule | undefined): Promise<void> {
    const value = schedule === undefined ? undefined : encodeValue(schedule);
    await storage.records.write([{ collection, key: key(name), value }]);
  }

  function arm(): void {
    clearTimeout(timer);
    if (!running || schedules.size === 0) return;
    const next = Math.min(...[...schedules.values()].map((schedule) => schedule.nextAt));
    timer = setTimeout(due, Math.min(longestTimer, Math.max(0, next - Date.now()))).unref();
  }

  function due(): void {
    const now = Date.now();
    for (const schedule of schedules.values()) {
      if (schedule.nextAt > now || sending.has(schedule.name)) continue;
      const sent = send(schedule, now)
        .catch((error: unknown) => log?.error({ schedule: schedule.name, error: String(error) }, "not sent"))
        .finally(() => {
          sending.delete(schedule.name);
          arm();
        });
      sending.set(schedule.name, sent);
    }
    // Those being sent have their next time, or get it soon; the others are later.
    clearTimeout(timer);
    const later = [...schedules.values()].filter((schedule) => !sending.has(schedule.name));
    const next = Math.min(...later.map((schedule) => schedule.nextAt));
    if (running && later.length > 0) {
      timer = setTimeout(due, Math.min(longestTimer, Math.max(1, next - now))).unref();
    }
  }

  async function send(schedule: Schedule, now: number): Promise<void> {
    const { name, order, sender } = schedule;
    const nextAt = nextTime(schedule, now, schedule.nextAt);
    const next = nextAt === undefined ? undefined : { ...schedule, nextAt, sentAt: now };
    try {
      await keep(name, next);
    } catch (error) {
      // Not kept, so not sent: again in a while.
      if (schedules.get(name) === schedule) schedules.set(name, { ...schedule, nextAt: now + 5000 });
      throw error;
    }
    // Replaced meanwhile: the new one decides.
    if (schedules.get(name) !== schedule) {
      const current = schedules.get(name);
      await keep(name, current);
      return;
    }
    if (next === undefined) schedules.delete(name);
    else schedules.set(name, next);
    const answer = await submit(orderOf(order), { sender });
    const last = answer.error === undefined ? "done" : (errorName(answer.error.code) ?? "internal");
    if (last !== "done")
      log?.warn({ schedule: name, error: last, text: answer.error?.text }, "a scheduled order failed");
    if (next !== undefined && schedules.get(name) === next) schedules.set(name, { ...next, last });
  }

  return {
    async set(wish) {
      const { name, order, sender } = wish;
      const given = [wish.cron, wish.everyS, wish.at].filter((one) => one !== undefined);
      if (given.length !== 1) throw wrong("exactly one of cron, everyS, at", "");
      await checkOrder(order, sender, explain);
      const now = Date.now();
      const nextAt = nextTime(wish, now, wish.everyS === undefined ? undefined : now);
      if (nextAt === undefined) {
        throw wrong("no such time comes any more", wish.at === undefined ? "cron" : "at");
      }
      if (!schedules.has(name) && schedules.size + making >= limit) {
        throw new OperationFailure("no-space", `at most ${String(limit)} schedules`);
      }
      const schedule: Schedule = { ...wish, nextAt };
      making += 1;
      try {
        // Shown, and sent, only when it is kept.
        await keep(name, schedule);
        schedules.set(name, schedule);
      } finally {
        making -= 1;
      }
      arm();
      return schedule;
    },
    async remove(name) {
      if (!schedules.has(name)) return false;
      await keep(name, undefined);
      schedules.delete(name);
      arm();
      return true;
    },
    list: () => [...schedules.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    async start() {
      const entries = await storage.records.list(collection, { prefix: key(""), limit: 10_000 });
      for (const { key: at, value } of entries) {
        try {
          const schedule = scheduleSchema.parse(decodeValue(value));
          if (!schedules.has(schedule.name)) schedules.set(schedule.name, schedule);
        } catch (error) {
          log?.error({ key: at, error: String(error) }, "a schedule in the storage cannot be read");
        }
      }
      running = true;
      arm();
    },
    async stop() {
      running = false;
      clearTimeout(timer);
      let grace: NodeJS.Timeout | undefined;
      const over = new Promise<void>((resolve) => {
        grace = setTimeout(resolve, graceMs);
      });
      await Promise.race([Promise.all(sending.values()), over]);
      clearTimeout(grace);
    },
  };
}

/**
 * The first time after now. `due` is the time that is being sent, or the start of an interval: intervals keep their
 * rhythm. Undefined: there is none.
 */
function nextTime(
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

const wrong = (text: string, field: string) =>
  new OperationFailure("bad-request", text, field === "" ? "arguments" : `arguments.${field}`);

/** Might its sender send it? Whether somebody can do it is another question: nodes come and go. */
async function checkOrder(
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
function orderOf({ operation, selector, arguments: args, input, deadlineMs }: Schedule["order"]): Order {
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
