/** Several workers with one storage: jobs of a dead one go on at another, once, and each tells of all. */
import { afterEach, describe, expect, it } from "vitest";
import { createJobs, type JobsEngine } from "./create-jobs.js";
import type { JobContext, JobKind } from "./jobs.js";
import { memoryStorage, until, type MemoryStorage } from "./testing.js";
import { fakeCore } from "./workflow/testing.js";
import { workflowKind } from "./workflow/run-workflow.js";

const engines: JobsEngine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((jobs) => jobs.stop()));
});

interface Worker {
  readonly jobs: JobsEngine;
  /** From now on it gets no answer of the storage, as after `kill -9`. */
  kill(): void;
  /** It is held up: nothing of it happens until `go`. */
  pause(): { go(): void };
}

const never = new Promise<never>(() => undefined);

async function worker(
  storage: MemoryStorage,
  name: string,
  kinds: (jobs: JobsEngine) => readonly JobKind[],
): Promise<Worker> {
  let gate: Promise<void> | undefined;
  const gated = <A extends unknown[], R>(work: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      await gate;
      return await work(...args);
    };
  };
  const { get, list, write } = storage.records;
  const mine = { ...storage, records: { get: gated(get), list: gated(list), write: gated(write) } };
  const shared = { worker: name, beatMs: 5, leaseMs: 60 };
  const jobs = createJobs(mine, { owner: "edge", graceMs: 20, progressMs: 5, shared });
  for (const kind of kinds(jobs)) jobs.register(kind);
  await jobs.start();
  engines.push(jobs);
  return {
    jobs,
    kill() {
      gate = never;
      engines.splice(engines.indexOf(jobs), 1);
    },
    pause() {
      let go = (): void => undefined;
      gate = new Promise((resolve) => (go = resolve));
      return { go: () => ((gate = undefined), go()) };
    },
  };
}

const order = (subject: string, more: object = {}) => ({
  operation: "model.train",
  subject,
  sender: "owner",
  input: {},
  ...more,
});
const train = (run: JobKind["run"]): JobKind => ({ operation: "model.train", resume: "again", run });
const untilAborted = (context: JobContext): Promise<never> =>
  new Promise((_, reject) => {
    context.signal.addEventListener("abort", () => reject(context.signal.reason as Error));
  });

describe("jobs of workers", () => {
  it("go on at one other worker, from their checkpoint, when theirs dies", async () => {
    const storage = memoryStorage();
    const runs: [string, unknown][] = [];
    const kinds = (name: string) => () => [
      train(async (_, context) => {
        runs.push([name, context.resumedFrom]);
        if (name !== "a") return { by: name };
        await context.checkpoint({ at: 3 });
        return await untilAborted(context);
      }),
    ];
    const a = await worker(storage, "a", kinds("a"));
    const b = await worker(storage, "b", kinds("b"));
    const c = await worker(storage, "c", kinds("c"));
    const { id } = await a.jobs.enqueue(order("m", { identity: "owner/1/1" }));
    await until(async () => (await storage.records.get("job-checkpoints", `edge/${id}`)) !== undefined);
    const told = c.jobs.wait(id);
    a.kill();
    const end = await b.jobs.wait(id);
    expect(end).toMatchObject({ id, state: "done", result: { by: expect.stringMatching(/^[bc]$/) } });
    expect(await told).toEqual(end);
    expect(runs).toEqual([
      ["a", undefined],
      [end.result?.["by"], { at: 3 }],
    ]);
    // The request that made it finds it, whoever is asked.
    for (const { jobs } of [b, c]) {
      expect((await jobs.enqueue(order("m", { identity: "owner/1/1" }))).id).toBe(id);
      expect((await jobs.list()).map((job) => job.id)).toEqual([id]);
    }
  });

  it("are not those any more of a worker that only seemed dead", async () => {
    const storage = memoryStorage();
    let go = (): void => undefined;
    const asked = new Promise<void>((resolve) => (go = resolve));
    let stopped: unknown;
    const a = await worker(storage, "a", () => [
      train(async (_, context) => {
        await asked;
        await context.checkpoint({ at: 1 }).catch((error: unknown) => (stopped = error));
        return { by: "a" };
      }),
    ]);
    const b = await worker(storage, "b", () => [train(async () => ({ by: "b" }))]);
    const { id } = await a.jobs.enqueue(order("m"));
    await until(async () => (await a.jobs.get(id))?.state === "running");
    const held = a.pause();
    expect((await b.jobs.wait(id)).result).toEqual({ by: "b" });
    go();
    held.go();
    await until(() => stopped !== undefined);
    expect((await a.jobs.wait(id)).result).toEqual({ by: "b" });
    expect((await b.jobs.get(id))?.result).toEqual({ by: "b" });
  });

  it("are told of, ended and superseded from any worker, and one of a subject runs at a time", async () => {
    const storage = memoryStorage();
    let running = 0;
    let most = 0;
    const kinds = () => [
      train(async (_, context) => {
        most = Math.max(most, ++running);
        return await untilAborted(context).finally(() => running--);
      }),
    ];
    const a = await worker(storage, "a", kinds);
    const b = await worker(storage, "b", kinds);
    const first = await a.jobs.enqueue(order("m"));
    await until(async () => (await b.jobs.get(first.id))?.state === "running");
    const second = await b.jobs.enqueue(order("m"));
    expect(await b.jobs.wait(first.id)).toMatchObject({ state: "superseded" });
    await until(async () => (await a.jobs.get(second.id))?.state === "running");
    expect((await a.jobs.cancel(second.id))?.state).toBe("running");
    expect(await a.jobs.wait(second.id)).toMatchObject({ state: "cancelled" });
    expect(most).toBe(1);
    // At the same moment, by workers that cannot know of each other's yet: one of them runs.
    const both = await Promise.all([a.jobs.enqueue(order("n")), b.jobs.enqueue(order("n"))]);
    const states = async () =>
      (await a.jobs.list())
        .slice(0, 2)
        .map((job) => job.state)
        .sort();
    await until(async () => (await states()).join() === "running,superseded");
    const late = both.map(({ id }) => id).sort()[1];
    await b.jobs.cancel(late ?? "");
    expect((await b.jobs.wait(late ?? "")).state).toBe("cancelled");
    await expect(a.jobs.wait("none")).rejects.toMatchObject({ code: "not-found" });
    expect(await a.jobs.cancel("none")).toBeUndefined();
  });

  it("a workflow goes on at another worker, and no step is done twice", async () => {
    const storage = memoryStorage();
    const done: string[] = [];
    let die = (): void => undefined;
    const core = fakeCore({
      "node.monitor": async (one) => {
        const name = one.selector?.node ?? "";
        if (name === "n-3") die();
        await new Promise((resolve) => setImmediate(resolve));
        done.push(name);
        return { result: { uptimeS: 1 } };
      },
    });
    const kinds = (jobs: JobsEngine) => [
      workflowKind({ submit: core.submit, jobs, node: "edge", rejoinMs: 0 }),
    ];
    const a = await worker(storage, "a", kinds);
    const b = await worker(storage, "b", kinds);
    die = () => {
      die = () => undefined;
      a.kill();
    };
    const names = ["n-1", "n-2", "n-3", "n-4", "n-5"];
    const steps = names.map((node, i) => ({
      name: `s-${String(i)}`,
      operation: "node.monitor",
      selector: { node },
      ...(i === 0 ? {} : { needs: [`s-${String(i - 1)}`] }),
    }));
    const { id } = await a.jobs.enqueue({
      operation: "task.workflow",
      subject: "w",
      sender: "owner",
      input: { workflow: { workflow: "w", steps } },
    });
    const end = await b.jobs.wait(id);
    expect(end.error).toBeUndefined();
    expect(end.state).toBe("done");
    expect(done).toEqual(names);
  });
});
