/**
 * Orders that are sent again and again, or once later. Kept over restarts. Each time that comes is sent once at most, by
 * one of the workers that share the storage: the next one is kept before the order goes out. Times that passed while
 * the node was down are made up for by one.
 */
import type { CoreService } from "../core/core-service.js";
import type { Log } from "../log.js";
import { errorName } from "../../bus/protocol.js";
import { OperationFailure, type Submit } from "../operations/operation.js";
import type { Storage } from "../storage/storage.js";
import { checkOrder, nextTime, orderOf, wrong } from "./schedule-order.js";
import { ScheduleStore, type KeptSchedule, type Schedule } from "./schedule-store.js";

export type { Schedule } from "./schedule-store.js";
export type ScheduleWish = Pick<Schedule, "name" | "cron" | "everyS" | "at" | "order" | "sender">;

export interface SchedulesOptions {
  /** Id of the node: the schedules in the storage are those of this owner. */
  readonly owner: string;
  readonly submit: Submit;
  readonly explain: CoreService["explain"];
  /** At most so many; default 1000. */
  readonly limit?: number;
  readonly log?: Log;
  /** Other workers change them too: they are read again after so many ms. Default: never. */
  readonly sharedMs?: number;
}

export interface Schedules {
  /** Kept when it resolves; replaces one of the same name. @throws OperationFailure */
  set(wish: ScheduleWish): Promise<Schedule>;
  /** False when there is none. */
  remove(name: string): Promise<boolean>;
  /** By name; of other workers as they were at the last look. */
  list(): Schedule[];
  start(): Promise<void>;
  /** Resolves when no order is being sent, or after ten seconds. */
  stop(): Promise<void>;
}

const graceMs = 10_000;
const longestTimer = 2 ** 31 - 1;
/** What could not be kept is tried again after so many ms. */
const againMs = 5_000;

export function createSchedules(storage: Storage, options: SchedulesOptions): Schedules {
  const { owner, submit, explain, limit = 1000, log, sharedMs } = options;
  const store = new ScheduleStore(storage, owner);
  const schedules = new Map<string, KeptSchedule>();
  /** Those that could not be sent on time, and when they are tried again. */
  const delayed = new Map<string, number>();
  const sending = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let looks: NodeJS.Timeout | undefined;
  /** Names that changed here since the look under way began. */
  let changed: Set<string> | undefined;
  let running = false;
  /** Being kept for the first time, or anew. */
  let making = 0;

  /** As it is in the storage now; undefined: it is not there. */
  function know(name: string, kept: KeptSchedule | undefined): void {
    changed?.add(name);
    delayed.delete(name);
    if (kept === undefined) schedules.delete(name);
    else schedules.set(name, kept);
  }

  const dueAt = ({ schedule }: KeptSchedule): number =>
    Math.max(schedule.nextAt, delayed.get(schedule.name) ?? 0);

  /** For the next that is not being sent: those have their next time, or get it soon. */
  function arm(): void {
    clearTimeout(timer);
    if (!running) return;
    const waiting = [...schedules.values()].filter(({ schedule }) => !sending.has(schedule.name));
    if (waiting.length === 0) return;
    const left = Math.min(...waiting.map(dueAt)) - Date.now();
    timer = setTimeout(due, Math.min(longestTimer, Math.max(0, left))).unref();
  }

  function due(): void {
    const now = Date.now();
    for (const kept of schedules.values()) {
      const { name } = kept.schedule;
      if (dueAt(kept) > now || sending.has(name)) continue;
      const sent = send(kept, now)
        .catch((error: unknown) => log?.error({ schedule: name, error: String(error) }, "not sent"))
        .finally(() => {
          sending.delete(name);
          arm();
        });
      sending.set(name, sent);
    }
    arm();
  }

  async function send(kept: KeptSchedule, now: number): Promise<void> {
    const { name, order, sender } = kept.schedule;
    const nextAt = nextTime(kept.schedule, now, kept.schedule.nextAt);
    let next: KeptSchedule | undefined;
    let mine: boolean;
    try {
      if (nextAt === undefined) mine = await store.removeThis(kept);
      else {
        next = await store.replace(kept, { ...kept.schedule, nextAt, sentAt: now });
        mine = next !== undefined;
      }
      // Another worker sends it, or it was changed.
      if (!mine) next = await store.read(name);
    } catch (error) {
      // Not kept, so not sent: again in a while.
      if (schedules.get(name) === kept) delayed.set(name, now + againMs);
      throw error;
    }
    // Replaced or removed here meanwhile: that decides.
    if (schedules.get(name) !== kept) return;
    know(name, next);
    if (!mine) return;
    const answer = await submit(orderOf(order), { sender });
    const last = answer.error === undefined ? "done" : (errorName(answer.error.code) ?? "internal");
    if (last !== "done")
      log?.warn({ schedule: name, error: last, text: answer.error?.text }, "a scheduled order failed");
    if (next === undefined || schedules.get(name) !== next) return;
    const told = (await store.replace(next, { ...next.schedule, last })) ?? (await store.read(name));
    if (schedules.get(name) === next) know(name, told);
  }

  /** What other workers made, changed and sent. */
  async function look(): Promise<void> {
    const own = new Set<string>();
    changed = own;
    try {
      const found = await store.all(unreadable);
      for (const name of new Set([...schedules.keys(), ...found.keys()])) {
        const [known, kept] = [schedules.get(name), found.get(name)];
        const same =
          known !== undefined && kept !== undefined && Buffer.compare(known.bytes, kept.bytes) === 0;
        // What is being sent here is known here.
        if (!same && !own.has(name) && !sending.has(name)) know(name, kept);
      }
    } finally {
      changed = undefined;
    }
    arm();
  }

  const unreadable = (key: string, error: unknown): void =>
    log?.error({ key, error: String(error) }, "a schedule in the storage cannot be read");

  function lookAgain(ms: number): void {
    if (!running) return;
    looks = setTimeout(() => {
      look()
        .catch((error: unknown) =>
          log?.warn({ error: String(error) }, "cannot read the schedules of the other workers"),
        )
        .finally(() => lookAgain(ms));
    }, ms).unref();
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
        know(name, await store.put(schedule));
      } finally {
        making -= 1;
      }
      arm();
      return schedule;
    },
    async remove(name) {
      // It may be of another worker, since the last look.
      if (!schedules.has(name) && (sharedMs === undefined || (await store.read(name)) === undefined))
        return false;
      await store.remove(name);
      know(name, undefined);
      arm();
      return true;
    },
    list: () =>
      [...schedules.values()].map((kept) => kept.schedule).sort((a, b) => (a.name < b.name ? -1 : 1)),
    async start() {
      for (const [name, kept] of await store.all(unreadable)) {
        if (!schedules.has(name)) schedules.set(name, kept);
      }
      running = true;
      arm();
      if (sharedMs !== undefined) lookAgain(sharedMs);
    },
    async stop() {
      running = false;
      clearTimeout(timer);
      clearTimeout(looks);
      let grace: NodeJS.Timeout | undefined;
      const over = new Promise<void>((resolve) => {
        grace = setTimeout(resolve, graceMs);
      });
      await Promise.race([Promise.all(sending.values()), over]);
      clearTimeout(grace);
    },
  };
}
