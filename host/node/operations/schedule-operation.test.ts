/** Schedules: their times, what was missed, restarts, and wishes that are refused. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Explanation } from "../core/core-service.js";
import { createSchedules, type Schedules } from "../jobs/schedules.js";
import { memoryStorage, type MemoryStorage } from "../jobs/testing.js";
import { fakeCore, type FakeCore } from "../jobs/workflow/testing.js";
import type { OperationCall } from "./operation.js";
import { scheduleOperation } from "./schedule-operation.js";

const start = Date.parse("2026-01-01T00:00:00Z");
const made: Schedules[] = [];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: start });
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(made.splice(0).map((schedules) => schedules.stop()));
});

interface World {
  readonly core: FakeCore;
  readonly storage: MemoryStorage;
  readonly times: number[];
  readonly schedules: Schedules;
  run(args: Record<string, unknown>): Promise<Readonly<Record<string, unknown>>>;
  /** Goes on by so many seconds. */
  pass(seconds: number): Promise<void>;
}

async function world(
  storage = memoryStorage(),
  forbidden = false,
  limit = 1000,
  sharedMs?: number,
): Promise<World> {
  const times: number[] = [];
  const core = fakeCore({
    "node.monitor": () => {
      times.push((Date.now() - start) / 1000);
      return { result: {} };
    },
    "model.train": () => ({ result: { job: "j-1" } }),
  });
  const explain = (): Promise<Explanation> =>
    Promise.resolve({
      decision: forbidden ? "refuse" : "local",
      chosen: "edge",
      error: forbidden ? { code: "forbidden", text: "may not" } : undefined,
      candidates: [],
    });
  const schedules = createSchedules(storage, {
    owner: "edge",
    submit: core.submit,
    explain,
    limit,
    ...(sharedMs === undefined ? {} : { sharedMs }),
  });
  await schedules.start();
  made.push(schedules);
  const operation = scheduleOperation(schedules);
  const settle = async () => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    core,
    storage,
    times,
    schedules,
    run: async (args) => (await operation.run(call(args))).result ?? {},
    async pass(seconds) {
      await settle();
      for (let passed = 0; passed < seconds; passed++) {
        await vi.advanceTimersByTimeAsync(1000);
        await settle();
      }
    },
  };
}

const call = (args: Record<string, unknown>): OperationCall => ({
  arguments: args,
  request: { id: 1, boot: 1, sender: "owner", operation: "task.schedule" },
  sender: "owner",
  signal: new AbortController().signal,
  deadlineAt: 0,
});
const order = { operation: "node.monitor", selector: { node: "node-1" } };

describe("a schedule", () => {
  it("sends its order every so many seconds, at the minutes of a pattern, and once", async () => {
    const { run, pass, times, core, schedules } = await world();
    expect(await run({ name: "often", everyS: 20, order })).toEqual({
      name: "often",
      next: "2026-01-01T00:00:20.000Z",
    });
    await pass(65);
    expect(times).toEqual([20, 40, 60]);
    expect(core.executed[0]).toMatchObject({ operation: "node.monitor", selector: { node: "node-1" } });
    expect(await run({ name: "often", cron: "*/2 * * * *", order })).toMatchObject({
      next: "2026-01-01T00:02:00.000Z",
    });
    await pass(180);
    expect(times.slice(3)).toEqual([120, 240]);
    expect(schedules.list()).toMatchObject([{ name: "often", last: "done" }]);
    expect(await run({ name: "often" })).toEqual({ name: "often" });
    await run({ name: "once", at: "2026-01-01T00:05:00Z", order });
    await pass(120);
    expect(times.slice(5)).toEqual([300]);
    expect(schedules.list()).toEqual([]);
  });

  it("makes jobs without waiting for them, and goes on after an order that failed", async () => {
    const { run, pass, core, schedules } = await world();
    const args = { name: "m", data: "d" };
    await run({ name: "train", everyS: 5, order: { operation: "model.train", arguments: args } });
    const functionArgs = { nodes: ["pump-1"] };
    const deploy = { operation: "function.deploy", arguments: functionArgs, input: "blob:" + "0".repeat(64) };
    await run({ name: "deploy", everyS: 5, order: deploy });
    await run({ name: "fails", everyS: 5, order: { operation: "data.list" } });
    await pass(11);
    const sent = core.executed.map(({ operation }) => operation);
    expect(sent.filter((name) => name === "data.list").length).toBe(2);
    expect(core.executed.find(({ operation }) => operation === "model.train")?.arguments).toEqual({
      ...args,
      detach: true,
    });
    expect(core.executed.find(({ operation }) => operation === "function.deploy")?.arguments).toEqual({
      ...functionArgs,
      detach: true,
    });
    expect(schedules.list().find(({ name }) => name === "fails")).toMatchObject({
      name: "fails",
      last: "no-capable-node",
    });
  });

  it("survives a restart and makes up for what it missed once", async () => {
    const first = await world();
    await first.run({ name: "often", everyS: 10, order });
    await first.run({ name: "once", at: "2026-01-01T00:00:30Z", order });
    await first.pass(12);
    const rest = first.storage.crash();
    made.splice(0);
    vi.setSystemTime(start + 95_000);
    const second = await world(rest);
    await second.pass(16);
    // Both at once after the start, then in the old rhythm.
    expect(second.times.map(Math.round)).toEqual([95, 95, 100, 110]);
    expect(second.schedules.list().map(({ name }) => name)).toEqual(["often"]);
    const last = second.storage.crash();
    made.splice(0);
    const third = await world(last);
    await third.pass(1);
    expect(third.times).toEqual([]);
  });

  it("is not sent when its next time cannot be kept, and tried again", async () => {
    const { run, pass, times, storage } = await world();
    await run({ name: "often", everyS: 10, order });
    storage.full = true;
    await pass(12);
    expect(times).toEqual([]);
    await expect(run({ name: "more", everyS: 10, order })).rejects.toMatchObject({ code: "no-space" });
    storage.full = false;
    await pass(5);
    expect(times).toEqual([15]);
  });

  it("is shown only when it is kept", async () => {
    const { run, schedules, storage } = await world();
    const writes = storage.hold();
    const making = run({ name: "s", everyS: 60, order: { operation: "node.monitor" } });
    await writes.waiting();
    expect(schedules.list()).toEqual([]);
    writes.release();
    await making;
    expect(schedules.list()).toHaveLength(1);
  });

  it("shows how its last order ended only when that is kept", async () => {
    const { run, schedules, storage, pass, core } = await world();
    await run({ name: "s", everyS: 10, order });
    await pass(9);
    // The write of the next time passes, that of the end waits.
    const before = storage.writes;
    await vi.advanceTimersByTimeAsync(1000);
    while (storage.writes === before) await new Promise((resolve) => setImmediate(resolve));
    const writes = storage.hold();
    await writes.waiting();
    expect([core.executed.length, schedules.list()[0]?.last]).toEqual([1, undefined]);
    writes.release();
    await pass(1);
    expect(schedules.list()[0]?.last).toBe("done");
  });

  it("is refused when it makes no sense", async () => {
    const { run, schedules } = await world(memoryStorage(), false, 1);
    const refused: [Record<string, unknown>, string, string][] = [
      [{ order }, "bad-request", "arguments"],
      [{ order, everyS: 5, cron: "* * * * *" }, "bad-request", "arguments"],
      [{ order, cron: "* * *" }, "bad-request", "arguments.cron"],
      [{ order, cron: "61 * * * *" }, "bad-request", "arguments.cron"],
      [{ order, cron: "0 0 30 2 *" }, "bad-request", "arguments.cron"],
      [{ order, at: "2020-01-01T00:00:00Z" }, "bad-request", "arguments.at"],
      [{ everyS: 5 }, "bad-request", "arguments.order"],
      [{}, "not-found", "arguments.name"],
      [{ everyS: 5, order: { operation: "node.dream" } }, "unknown-operation", "arguments.order.operation"],
      [{ everyS: 5, order: { operation: "task.schedule" } }, "bad-request", "arguments.order.operation"],
      [
        { everyS: 5, order: { operation: "data.split", arguments: { name: "d", training: 2 } } },
        "bad-request",
        "arguments.order.arguments.training",
      ],
      [
        { everyS: 5, order: { operation: "node.monitor", arguments: { x: 1 } } },
        "bad-request",
        "arguments.order.arguments.x",
      ],
    ];
    for (const [args, code, field] of refused) {
      await expect(run({ name: "s", ...args }), JSON.stringify(args)).rejects.toMatchObject({ code, field });
    }
    expect(schedules.list()).toEqual([]);
    await run({ name: "s", everyS: 5, order });
    await expect(run({ name: "t", everyS: 5, order })).rejects.toMatchObject({ code: "no-space" });
    const other = await world(memoryStorage(), true);
    await expect(other.run({ name: "s", everyS: 5, order })).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("schedules of several workers", () => {
  const shared = async (storage: MemoryStorage): Promise<World> => await world(storage, false, 1000, 2000);

  it("are sent once each time, by whichever worker, and known to all", async () => {
    const storage = memoryStorage();
    const [a, b] = [await shared(storage), await shared(storage)];
    await a.run({ name: "often", everyS: 10, order });
    await a.run({ name: "once", at: "2026-01-01T00:00:25Z", order });
    await a.pass(5);
    expect(b.schedules.list()).toEqual(a.schedules.list());
    await a.pass(30);
    expect([...a.times, ...b.times].sort((x, y) => x - y)).toEqual([10, 20, 25, 30]);
    await a.pass(3);
    for (const { schedules } of [a, b]) {
      expect(schedules.list()).toMatchObject([{ name: "often", last: "done", sentAt: start + 30_000 }]);
    }
    // Changed by the other one, and removed.
    await b.run({ name: "often", everyS: 7, order });
    await b.pass(8);
    expect([...a.times, ...b.times].filter((time) => time > 30)).toEqual([45]);
    await a.run({ name: "often" });
    await a.pass(20);
    expect([a.times.length + b.times.length, b.schedules.list()]).toEqual([5, []]);
  });

  it("are removed by a worker that has not read them yet", async () => {
    const storage = memoryStorage();
    const [a, b] = [await shared(storage), await shared(storage)];
    await a.run({ name: "often", everyS: 10, order });
    await b.run({ name: "often" });
    await expect(b.run({ name: "often" })).rejects.toMatchObject({ code: "not-found" });
    await a.pass(15);
    expect([a.times, a.schedules.list()]).toEqual([[], []]);
  });

  it("go on when a worker is gone, and when what one knows is old", async () => {
    const storage = memoryStorage();
    const a = await shared(storage);
    await a.run({ name: "often", everyS: 10, order });
    const b = await shared(storage);
    // This one never looks again: what it knows of is old at each time.
    const c = await world(storage);
    await c.pass(25);
    await a.schedules.stop();
    await c.pass(20);
    await b.schedules.stop();
    await c.pass(20);
    const times = [...a.times, ...b.times, ...c.times].sort((x, y) => x - y);
    expect(times).toEqual([10, 20, 30, 40, 50, 60]);
  });
});
