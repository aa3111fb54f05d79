/**
 * Tasks: async functions that run beside each other, and what they wait for. Setup registers them; whoever owns the
 * entries (a node, an app, a test) calls `runTasks` when something happened. No threads and no pre-emption: a
 * task has the processor until its next wait. The order is that of registration, so that it is the same everywhere.
 */
import type { AsyncFrame } from "./async-frame.js";

/** Gives the processor back; the task goes on when what it said it waits for happened. @binding tmc_async_suspend */
declare function suspend(): Promise<void>;
/** The frame of a call. @binding tmc_async_frame_of */
declare function frameOf(call: Promise<void>): AsyncFrame<void>;

/** How often tasks may wake each other within one call of `runTasks`. */
const maxPasses = 8;

/** Has the clock come to `at`? Both in ms, less than 2^31 apart. */
const isReached = (nowMs: u32, at: u32): boolean => ((nowMs - at) | 0) >= 0;

/** Something that a task can wait for beside time: `Signal`, the answer to a request. */
export class Waitable {
  /** Wakes every task that waits for it. */
  wake(): void {
    scheduler.wake(this);
  }
}

/** A registered async function, with its one frame. */
export class Task {
  /** Traps that ended it. */
  traps: u32 = 0;
  /** Where the last of them was, as in the build's site map. */
  trapSite: i32 = 0;
  private ready: boolean;
  private timed: boolean = false;
  private wakeMs: u32 = 0;
  private waitsFor: Waitable | null = null;
  /** It waits for several things, in `Promise.all`. */
  private waitsForMore: boolean = false;

  constructor(
    private readonly frame: AsyncFrame<void>,
    private active: boolean,
  ) {
    this.ready = active;
  }

  get running(): boolean {
    return this.active;
  }

  /** Runs it from its beginning; false when it is running already. */
  start(): boolean {
    if (this.active) return false;
    this.frame.restart();
    this.active = true;
    this.ready = true;
    return true;
  }

  /** Ends it where it waits. Not from inside of the task: there, `return`. */
  stop(): void {
    this.active = false;
  }

  /** For `runTasks`. */
  isDue(nowMs: u32, withTime: boolean): boolean {
    if (!this.active) return false;
    return this.ready || (withTime && this.timed && isReached(nowMs, this.wakeMs));
  }

  /** ms until it wants to run; -1: when something happens. */
  dueIn(nowMs: u32): i32 {
    if (!this.active) return -1;
    if (this.ready) return 0;
    if (!this.timed) return -1;
    return isReached(nowMs, this.wakeMs) ? 0 : (this.wakeMs - nowMs) | 0;
  }

  /** For what is waited for, before it gives the processor back. */
  waitUntil(atMs: u32): void {
    if (!this.timed || isReached(this.wakeMs, atMs)) this.wakeMs = atMs;
    this.timed = true;
  }

  waitFor(what: Waitable): void {
    if (this.waitsFor !== null && this.waitsFor !== what) this.waitsForMore = true;
    this.waitsFor = what;
  }

  wakeFor(what: Waitable): void {
    if (this.waitsFor === what || this.waitsForMore) this.ready = true;
  }

  /** Until its next wait. A trap ends it, not what called. */
  step(): void {
    this.ready = false;
    this.timed = false;
    this.waitsFor = null;
    this.waitsForMore = false;
    try {
      if (this.frame.poll()) this.active = false;
    } catch (trap) {
      this.active = false;
      this.traps = (this.traps + 1) >>> 0;
      this.trapSite = trap.site;
      scheduler.traps = (scheduler.traps + 1) >>> 0;
    }
  }
}

class Scheduler {
  readonly tasks: Task[] = [];
  /** The time of the event that is being handled. */
  nowMs: u32 = 0;
  traps: u32 = 0;
  private current: Task | null = null;

  run(nowMs: u32): void {
    this.nowMs = nowMs;
    for (let pass = 0; pass < maxPasses; pass++) {
      let any = false;
      for (const task of this.tasks) {
        if (!task.isDue(nowMs, pass === 0)) continue;
        any = true;
        this.current = task;
        task.step();
        this.current = null;
      }
      if (!any) return;
    }
  }

  wake(what: Waitable): void {
    for (const task of this.tasks) task.wakeFor(what);
  }

  waitUntil(atMs: u32): void {
    const task = this.current;
    if (task !== null) task.waitUntil(atMs);
  }

  waitFor(what: Waitable): void {
    const task = this.current;
    if (task !== null) task.waitFor(what);
  }

  dueIn(nowMs: u32): i32 {
    let least: i32 = -1;
    for (const task of this.tasks) {
      const due = task.dueIn(nowMs);
      if (due >= 0 && (least < 0 || due < least)) least = due;
    }
    return least;
  }
}

const scheduler = new Scheduler();

/**
 * Registers an async function: one frame, made now. It begins with the first `runTasks`, or, with `start` false, with
 * `start()` from a handler or another task. Arguments are given by a function around: `task(() => blink(led, 500))`.
 * @setup
 */
export function task(f: () => Promise<void>, start: boolean = true): Task {
  const made = new Task(frameOf(f()), start);
  scheduler.tasks.push(made);
  return made;
}

/** Are there tasks? @setup */
export const hasTasks = (): boolean => scheduler.tasks.length > 0;

/** Lets every task run that can go on at `nowMs`, in the order of registration. */
export function runTasks(nowMs: u32): void {
  scheduler.run(nowMs);
}

/** ms until a task wants to run again; -1 when all wait for something else, or have ended. */
export function tasksDueIn(nowMs: u32): i32 {
  return scheduler.dueIn(nowMs);
}

/** Tasks that ended with a trap, since the start. */
export function taskTraps(): u32 {
  return scheduler.traps;
}

/** The time that tasks see: of the event that is being handled, in ms. */
export function taskTimeMs(): u32 {
  return scheduler.nowMs;
}

/** Waits `ms` (0 to 2^31 - 1) from the event that is being handled; 0: until the next one. */
export async function sleep(ms: i32): Promise<void> {
  const until = (scheduler.nowMs + u32(ms)) >>> 0;
  do {
    scheduler.waitUntil(until);
    await suspend();
  } while (!isReached(scheduler.nowMs, until));
}

/** Waits until the clock shows `atMs`; at once when it is past. For work at even distances. */
export async function sleepUntil(atMs: u32): Promise<void> {
  while (!isReached(scheduler.nowMs, atMs)) {
    scheduler.waitUntil(atMs);
    await suspend();
  }
}

/** One value on its way from whoever has it to a task that waits for it. A second value replaces an unread one. */
export class Signal<T> extends Waitable {
  private readonly slot: Slots<T> = new Slots<T>(1);
  private full: boolean = false;

  /** Wakes the tasks that wait; the first of them takes the value. */
  set(value: T): void {
    this.slot.set(0, value);
    this.full = true;
    this.wake();
  }

  /** Is there a value that nobody took? */
  get isSet(): boolean {
    return this.full;
  }

  clear(): void {
    this.full = false;
  }

  /** Waits for a value and takes it. */
  async wait(): Promise<T> {
    while (!this.full) {
      scheduler.waitFor(this);
      await suspend();
    }
    this.full = false;
    return this.slot.get(0);
  }

  /** As `wait`, at most `ms`; null when that time is over. */
  async waitFor(ms: i32): Promise<T | null> {
    const until = (scheduler.nowMs + u32(ms)) >>> 0;
    while (!this.full) {
      if (isReached(scheduler.nowMs, until)) return null;
      scheduler.waitUntil(until);
      scheduler.waitFor(this);
      await suspend();
    }
    this.full = false;
    return this.slot.get(0);
  }
}

/** Waits for `what`, at most until the clock shows `untilMs`. For things to wait for of one's own; test again after it. */
export async function waitUntilWoken(what: Waitable, untilMs: u32): Promise<void> {
  scheduler.waitUntil(untilMs);
  scheduler.waitFor(what);
  await suspend();
}
