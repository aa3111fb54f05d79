/** Jobs: one terminal state each, over cancels, failures, full disks and restarts. */
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { OperationFailure } from "../operations/operation.js";
import { createJobs, hasEnded, type JobsEngine, type JobsOptions } from "./create-jobs.js";
import type { JobContext, JobKind, JobSummary } from "./jobs.js";
import { memoryStorage, until, type MemoryStorage } from "./testing.js";

const engines: JobsEngine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((jobs) => jobs.stop()));
});

async function engine(
  kinds: readonly JobKind[],
  storage: MemoryStorage = memoryStorage(),
  options: Partial<JobsOptions> = {},
): Promise<JobsEngine> {
  const jobs = createJobs(storage, { owner: "edge", graceMs: 50, progressMs: 5, ...options });
  for (const kind of kinds) jobs.register(kind);
  await jobs.start();
  engines.push(jobs);
  return jobs;
}

const kind = (run: JobKind["run"], more: Partial<JobKind> = {}): JobKind => ({
  operation: "model.train",
  resume: "again",
  run,
  ...more,
});
const order = (subject: string, input: Record<string, unknown> = {}) => ({
  operation: "model.train",
  subject,
  sender: "owner",
  input,
});
const untilAborted = (context: JobContext): Promise<never> =>
  new Promise((_, reject) => {
    context.signal.addEventListener("abort", () => reject(context.signal.reason as Error));
  });

describe("a job", () => {
  it("runs, tells its progress, and ends with its result", async () => {
    const jobs = await engine([
      kind(async (input, context) => {
        context.progress(0.5, "half");
        context.setSteps([{ name: "one", state: "done", attempts: 1 }]);
        await until(() => seen.some((job) => job.text === "half"));
        return { model: `${String(input["name"])}@1`, nothing: undefined };
      }),
    ]);
    const seen: JobSummary[] = [];
    jobs.onChange((job) => seen.push(job));
    const made = await jobs.enqueue(order("m", { name: "m" }));
    const end = await jobs.wait(made.id);
    expect(end).toMatchObject({ state: "done", progress: 1, result: { model: "m@1" }, sender: "owner" });
    expect(end.steps).toEqual([{ name: "one", state: "done", attempts: 1 }]);
    expect(seen.map((job) => job.state).filter((s, i, all) => s !== all[i - 1])).toEqual([
      "queued",
      "running",
      "done",
    ]);
    expect(await jobs.list()).toEqual([end]);
    expect(await jobs.list({ state: "failed" })).toEqual([]);
  });

  it("shows nothing but how far it is before that is kept", async () => {
    const storage = memoryStorage();
    let go = (): void => undefined;
    const asked = new Promise<void>((resolve) => (go = resolve));
    const jobs = await engine(
      [
        kind(async (_, context) => {
          await asked;
          context.progress(0.5, "half");
          context.setSteps([{ name: "one", state: "done", attempts: 1 }]);
          await context.checkpoint({ one: true });
          return {};
        }),
      ],
      storage,
    );
    const writes = storage.hold();
    const making = jobs.enqueue(order("m"));
    await writes.waiting();
    expect(await jobs.list()).toEqual([]);
    writes.release();
    const { id } = await making;
    await until(async () => (await jobs.get(id))?.state === "running");
    const steps = storage.hold();
    go();
    await steps.waiting();
    expect(await jobs.get(id)).toMatchObject({ state: "running", progress: 0.5, text: "half" });
    expect((await jobs.get(id))?.steps).toBeUndefined();
    steps.release();
    expect(await jobs.wait(id)).toMatchObject({ state: "done", steps: [{ name: "one", state: "done" }] });
  });

  it("ends with the error of its operation, and of a bug", async () => {
    const jobs = await engine([
      kind(({ bug }) => {
        if (bug === true) throw new TypeError("x is not a function");
        throw new OperationFailure("not-found", "no such data set", "arguments.data");
      }),
    ]);
    const first = await jobs.wait((await jobs.enqueue(order("a"))).id);
    expect(first).toMatchObject({
      state: "failed",
      error: { code: "not-found", text: "no such data set", field: "arguments.data" },
    });
    const second = await jobs.wait((await jobs.enqueue(order("b", { bug: true }))).id);
    expect(second.error).toEqual({ code: "internal", text: "x is not a function" });
  });

  it("is refused when nobody runs it, when too many wait, and when the node stops", async () => {
    const jobs = await engine([kind((_, context) => untilAborted(context))], memoryStorage(), { limit: 1 });
    await expect(jobs.enqueue({ ...order("a"), operation: "model.dream" })).rejects.toMatchObject({
      code: "unknown-operation",
    });
    await jobs.enqueue(order("a"));
    await expect(jobs.enqueue(order("b"))).rejects.toMatchObject({ code: "busy" });
    await jobs.stop();
    await expect(jobs.enqueue(order("b"))).rejects.toMatchObject({ code: "busy" });
  });

  it("is not made when it cannot be kept", async () => {
    const storage = memoryStorage();
    let ran = 0;
    const jobs = await engine([kind(() => Promise.resolve({ ran: ++ran }))], storage);
    storage.full = true;
    await expect(jobs.enqueue(order("a"))).rejects.toMatchObject({ code: "no-space" });
    await expect(jobs.enqueue(order("a", { f: () => 1 }))).rejects.toMatchObject({ code: "internal" });
    storage.full = false;
    expect(await jobs.list()).toEqual([]);
    expect(ran).toBe(0);
  });

  it("waits with its end until the end can be kept", async () => {
    const storage = memoryStorage();
    const jobs = await engine(
      [
        kind(() => {
          storage.full = true;
          return Promise.resolve({});
        }),
      ],
      storage,
    );
    const { id } = await jobs.enqueue(order("a"));
    await until(() => storage.full);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect((await jobs.get(id))?.state).toBe("running");
    storage.full = false;
    expect((await jobs.wait(id)).state).toBe("done");
  });

  it("fails when its result is larger than what is kept", async () => {
    const jobs = await engine([kind(() => Promise.resolve({ big: "x".repeat(5_000_000) }))]);
    const end = await jobs.wait((await jobs.enqueue(order("a"))).id);
    expect(end).toMatchObject({ state: "failed", error: { code: "too-large" } });
    expect(end.result).toBeUndefined();
  });

  it("is cancelled while it waits, while it runs, and when it does not listen", async () => {
    const jobs = await engine(
      [
        kind((input, context) =>
          input["deaf"] === true ? new Promise(() => undefined) : untilAborted(context),
        ),
      ],
      memoryStorage(),
      { concurrency: 1 },
    );
    const deaf = await jobs.enqueue(order("a", { deaf: true }));
    const queued = await jobs.enqueue(order("b"));
    expect((await jobs.cancel(queued.id))?.state).toBe("cancelled");
    await until(async () => (await jobs.get(deaf.id))?.state === "running");
    const told = jobs.wait(deaf.id);
    await jobs.cancel(deaf.id);
    expect((await told).state).toBe("cancelled");
    const runs = await jobs.enqueue(order("c"));
    await until(async () => (await jobs.get(runs.id))?.state === "running");
    await jobs.cancel(runs.id);
    expect(await jobs.wait(runs.id)).toMatchObject({ state: "cancelled", error: { code: "cancelled" } });
    expect((await jobs.cancel(runs.id))?.state).toBe("cancelled");
    expect(await jobs.cancel("none")).toBeUndefined();
  });

  it("ends at its deadline", async () => {
    const jobs = await engine([kind((_, context) => untilAborted(context))]);
    const { id } = await jobs.enqueue({ ...order("a"), deadlineMs: 20 });
    expect(await jobs.wait(id)).toMatchObject({ state: "failed", error: { code: "deadline" } });
  });

  it("is superseded by a newer wish for its subject, and never runs beside it", async () => {
    let running = 0;
    let most = 0;
    const jobs = await engine([
      kind(async (input, context) => {
        most = Math.max(most, ++running);
        try {
          if (input["last"] !== true) await untilAborted(context);
          return {};
        } finally {
          running -= 1;
        }
      }),
    ]);
    const first = await jobs.enqueue(order("a"));
    await until(() => running === 1);
    const [second, third] = await Promise.all([
      jobs.enqueue(order("a")),
      jobs.enqueue(order("a", { last: true })),
    ]);
    const states = await Promise.all(
      [first, second, third].map(async ({ id }) => (await jobs.wait(id)).state),
    );
    expect(states).toEqual(["superseded", "superseded", "done"]);
    expect(most).toBe(1);
  });

  it("runs in bounded number, coordinating kinds beside", async () => {
    const running: string[] = [];
    let most = 0;
    const jobs = await engine(
      [
        kind(async () => {
          running.push("work");
          most = Math.max(most, running.length);
          await new Promise((resolve) => setTimeout(resolve, 5));
          running.pop();
          return {};
        }),
        kind(
          async () => {
            const inner = await jobs.enqueue(order("inner"));
            return { state: (await jobs.wait(inner.id)).state };
          },
          { operation: "task.workflow", coordinates: true },
        ),
      ],
      memoryStorage(),
      { concurrency: 1 },
    );
    const work = await Promise.all(["a", "b", "c"].map((s) => jobs.enqueue(order(s))));
    const outer = await jobs.enqueue({ ...order("w"), operation: "task.workflow" });
    expect((await jobs.wait(outer.id)).result).toEqual({ state: "done" });
    await Promise.all(work.map(({ id }) => jobs.wait(id)));
    expect(most).toBe(1);
  });

  it("is made once for one request", async () => {
    const storage = memoryStorage();
    const jobs = await engine([kind(() => Promise.resolve({}))], storage);
    const same = { ...order("a"), identity: "owner/3/7" };
    const [one, two] = await Promise.all([jobs.enqueue(same), jobs.enqueue(same)]);
    expect(two.id).toBe(one.id);
    await jobs.wait(one.id);
    const again = await engine([kind(() => Promise.resolve({}))], storage.crash());
    expect((await again.enqueue(same)).id).toBe(one.id);
  });

  it("is forgotten when it is old or one of too many", async () => {
    const storage = memoryStorage();
    const jobs = await engine([kind(() => Promise.resolve({}))], storage, { keep: { count: 3 } });
    for (let i = 0; i < 6; i++) await jobs.wait((await jobs.enqueue(order(`s${String(i)}`))).id);
    await until(async () => (await storage.records.list("jobs")).length === 3);
    expect((await jobs.list()).map((job) => job.subject)).toEqual(["s5", "s4", "s3"]);
    const later = await engine([kind(() => Promise.resolve({}))], storage.crash(), { keep: { ageS: 0 } });
    await until(async () => (await later.list()).length === 0);
  });

  it("waits no longer than its caller", async () => {
    const jobs = await engine([kind((_, context) => untilAborted(context))]);
    const { id } = await jobs.enqueue(order("a"));
    await expect(jobs.wait(id, AbortSignal.timeout(5))).rejects.toThrow();
    await expect(jobs.wait(id, AbortSignal.abort())).rejects.toThrow();
    await expect(jobs.wait("none")).rejects.toMatchObject({ code: "not-found" });
    expect(hasEnded((await jobs.get(id)) as JobSummary)).toBe(false);
  });
});

describe("after a restart", () => {
  it("a job goes on from its checkpoint, or fails", async () => {
    const storage = memoryStorage();
    const starts: unknown[] = [];
    const kinds = [
      kind(async (_, context) => {
        starts.push(context.resumedFrom);
        if (context.resumedFrom !== undefined) return { from: context.resumedFrom };
        await context.checkpoint({ at: 3, ["__proto__"]: 1 });
        return untilAborted(context);
      }),
      kind((_, context) => untilAborted(context), { operation: "model.deploy", resume: "fail" }),
    ];
    const jobs = await engine(kinds, storage);
    const again = await jobs.enqueue(order("a"));
    const fail = await jobs.enqueue({ ...order("a"), operation: "model.deploy" });
    await until(async () => (await jobs.list({ state: "running" })).length === 2 && storage.writes > 3);
    const next = await engine(kinds, storage.crash());
    expect(await next.wait(again.id)).toMatchObject({ state: "done", result: { from: { at: 3 } } });
    expect(await next.wait(fail.id)).toMatchObject({
      state: "failed",
      error: { code: "internal", text: "node restarted" },
    });
    expect(starts).toEqual([undefined, { at: 3, ["__proto__"]: 1 }]);
  });

  it("a wish to end holds, although the node died before the job did", async () => {
    const storage = memoryStorage();
    let runs = 0;
    const kinds = [
      kind(() => {
        runs += 1;
        return new Promise(() => undefined);
      }),
    ];
    const jobs = await engine(kinds, storage, { graceMs: 10_000 });
    const cancelled = await jobs.enqueue(order("a"));
    const older = await jobs.enqueue(order("b"));
    await until(() => runs === 2);
    await jobs.cancel(cancelled.id);
    // Dies when the newer wish is kept, and before it is kept that the older one is to end.
    storage.crashAt(1, "after");
    void jobs.enqueue(order("b"));
    await until(() => storage.crashed);
    const next = await engine([kind(() => Promise.resolve({}))], storage.crash());
    expect((await next.wait(cancelled.id)).state).toBe("cancelled");
    expect((await next.wait(older.id)).state).toBe("superseded");
    const [newer] = await next.list();
    expect((await next.wait(newer?.id ?? "")).state).toBe("done");
    engines.splice(0, 1);
  });

  it("an orderly stop interrupts and the next start goes on", async () => {
    const storage = memoryStorage();
    const waits = kind((_, context) => untilAborted(context));
    const jobs = await engine([waits], storage);
    const { id } = await jobs.enqueue(order("a"));
    await until(async () => (await jobs.get(id))?.state === "running");
    await jobs.stop();
    const next = await engine([kind(() => Promise.resolve({ ok: 1 }))], storage);
    expect((await next.wait(id)).result).toEqual({ ok: 1 });
  });

  it("a job that takes the node down each time ends", async () => {
    let storage = memoryStorage();
    let runs = 0;
    for (let life = 0; life < 8; life++) {
      const jobs = createJobs(storage, { owner: "edge" });
      jobs.register(
        kind(() => {
          runs += 1;
          return new Promise(() => undefined);
        }),
      );
      await jobs.start();
      const [job] = await jobs.list();
      const id = job?.id ?? (await jobs.enqueue(order("a"))).id;
      const before = runs;
      if (life >= 5)
        expect(await jobs.wait(id)).toMatchObject({ state: "failed", error: { code: "internal" } });
      else await until(() => runs > before);
      storage = storage.crash();
    }
    expect(runs).toBe(5);
  });

  it("a kind that is not there any more, a record that cannot be read, and another node's jobs do no harm", async () => {
    const storage = memoryStorage();
    const jobs = await engine([kind((_, context) => untilAborted(context))], storage);
    const { id } = await jobs.enqueue(order("a"));
    const rest = storage.crash();
    await rest.records.write([{ collection: "jobs", key: "edge/bad", value: new Uint8Array([0xff, 1]) }]);
    const other = await engine([], rest, { owner: "edge-2" });
    expect(await other.list()).toEqual([]);
    const next = await engine([], rest);
    expect((await next.wait(id)).error?.text).toMatch(/does not run model.train any more/);
  });
});

describe("whatever happens", () => {
  it("each job ends once, and no step is repeated after its checkpoint was acknowledged", async () => {
    const life = fc.record({
      orders: fc.array(
        fc.record({
          subject: fc.constantFrom("a", "b", "c"),
          steps: fc.integer({ min: 0, max: 4 }),
          failsAt: fc.option(fc.integer({ min: 0, max: 4 })),
          resume: fc.constantFrom("model.train", "model.deploy"),
        }),
        { maxLength: 4 },
      ),
      cancels: fc.array(fc.nat(5), { maxLength: 2 }),
      crashAt: fc.integer({ min: 1, max: 25 }),
      when: fc.constantFrom("before", "after"),
      orderly: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
        let storage = memoryStorage();
        const kept = new Set<string>();
        const acknowledged = new Map<string, number>();
        const told = new Map<string, string>();
        const broken: string[] = [];

        const start = async (on: MemoryStorage): Promise<JobsEngine> => {
          const jobs = createJobs(on, { owner: "edge", progressMs: 1, graceMs: 20, concurrency: 2 });
          for (const [operation, resume] of [
            ["model.train", "again"],
            ["model.deploy", "fail"],
          ] as const) {
            jobs.register({
              operation,
              resume,
              async run(input, context) {
                const from = context.resumedFrom === undefined ? 0 : Number(context.resumedFrom);
                for (let step = from; step < Number(input["steps"]); step++) {
                  if (on.crashed) return await new Promise<never>(() => undefined);
                  if (step < (acknowledged.get(context.id) ?? 0))
                    broken.push(`${context.id} step ${String(step)}`);
                  if (context.signal.aborted) throw new OperationFailure("cancelled", "stops");
                  context.progress(step / 10, `step ${String(step)}`);
                  if (step === input["failsAt"]) throw new OperationFailure("function-failed", "as asked");
                  await context.checkpoint(step + 1);
                  acknowledged.set(context.id, step + 1);
                }
                return { steps: input["steps"] };
              },
            });
          }
          jobs.onChange((job) => {
            if (!hasEnded(job)) {
              if (told.has(job.id)) broken.push(`${job.id} is ${job.state} after its end`);
              return;
            }
            if (told.has(job.id)) broken.push(`${job.id} ended twice`);
            told.set(job.id, job.state);
          });
          await jobs.start();
          return jobs;
        };

        for (const { orders, cancels, crashAt, when, orderly } of lives) {
          const jobs = await start(storage);
          storage.crashAt(crashAt, when);
          const work = orders.map(async ({ subject, steps, failsAt, resume }) => {
            const made = await jobs.enqueue({
              operation: resume,
              subject,
              sender: "owner",
              input: { steps, failsAt: failsAt ?? undefined },
            });
            kept.add(made.id);
          });
          const wishes = cancels.map(async (n) => {
            await new Promise((resolve) => setImmediate(resolve));
            const id = [...kept][n];
            if (id !== undefined) await jobs.cancel(id);
          });
          const all = Promise.all([...work, ...wishes]);
          all.catch(() => undefined);
          const quiet = all.then(() => Promise.all([...kept].map((id) => jobs.wait(id))));
          await Promise.race([
            quiet,
            until(() => storage.crashed || (orderly && performance.now() % 1 < 0.1)),
          ]);
          if (orderly && !storage.crashed) await jobs.stop();
          storage = storage.crash();
        }
        const jobs = await start(storage);
        await Promise.all([...kept].map((id) => jobs.wait(id)));
        const all = await jobs.list();
        await until(async () => (await jobs.list()).every(hasEnded));
        expect(broken).toEqual([]);
        for (const id of kept) {
          const job = all.find((each) => each.id === id);
          expect(job).toBeDefined();
          if (job !== undefined && told.has(id)) expect((await jobs.get(id))?.state).toBe(told.get(id));
        }
        await jobs.stop();
      }),
      { numRuns: 60, interruptAfterTimeLimit: 20_000 },
    );
  });
});
