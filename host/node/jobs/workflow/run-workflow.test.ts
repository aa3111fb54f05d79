/** Workflows as they run: order, parallel steps, references, retries, conditions, items, failure, cancel, resume. */
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { modelTrain } from "../../../bus/operations/model.js";
import { workflowOperation } from "../../operations/workflow-operation.js";
import { jobOperation } from "../../operations/job-operation.js";
import { OperationFailure, type OperationCall } from "../../operations/operation.js";
import { createJobs, hasEnded, type JobsEngine } from "../create-jobs.js";
import { memoryStorage, until, type MemoryStorage } from "../testing.js";
import { fakeCore, type FakeCore, type Handler } from "./testing.js";

const engines: JobsEngine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((jobs) => jobs.stop()));
});

const able = {
  node: () => undefined,
  explain: () =>
    Promise.resolve({ decision: "local", chosen: "edge", error: undefined, candidates: [] } as const),
};
const untilAborted: Handler = (_, { signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));

/** A node with a fake Core Service: an operation of a workflow, and model.train as a job that `train` runs. */
async function node(core: FakeCore, storage: MemoryStorage = memoryStorage(), train: Handler = () => ({})) {
  const jobs = createJobs(storage, { owner: "edge", graceMs: 50, progressMs: 5 });
  jobs.register({
    operation: "model.train",
    resume: "again",
    run: async (input, { signal, sender }) =>
      (await train({ operation: "model.train", arguments: input }, { signal, sender })).result ?? {},
  });
  const operation = workflowOperation({ submit: core.submit, jobs, node: "edge", core: able, pollMs: 2 });
  core.serve(jobOperation(modelTrain, jobs, (args) => String(args["name"])));
  await jobs.start();
  engines.push(jobs);
  let id = 0;
  const call = (args: Record<string, unknown>): OperationCall => ({
    arguments: args,
    request: { id: ++id, boot: 1, sender: "owner", operation: "task.workflow" },
    sender: "owner",
    signal: new AbortController().signal,
    deadlineAt: performance.now() + 3000,
  });
  const run = async (workflow: object, inputs: object = {}) =>
    (await operation.run(call({ workflow: { workflow: "w", ...workflow }, inputs }))).result ?? {};
  const begin = async (workflow: object) => {
    const { result } = await operation.run(call({ workflow: { workflow: "w", ...workflow }, detach: true }));
    return String(result?.["job"]);
  };
  return { jobs, run, begin, operation, call };
}

const step = (name: string, operation: string, more: object = {}) => ({ name, operation, ...more });
const monitor = (name: string, more: object = {}) => step(name, "node.monitor", more);
const stepsOf = (result: Readonly<Record<string, unknown>>) =>
  Object.fromEntries((result["steps"] as { name: string; state: string }[]).map((s) => [s.name, s.state]));

describe("a workflow", () => {
  it("passes results and data on, in order, and gives its outputs", async () => {
    const bytes = new Uint8Array([1, 2, 3, 4]);
    const core = fakeCore({
      "data.collect": () => ({
        result: { frames: 1, lost: 0 },
        output: bytes,
        outputDescriptor: { elementType: 6, shape: [1, 1] },
      }),
      "data.store": (order) => ({
        result: { digests: [String(order.arguments?.["label"])], items: 1, bytes: 4 },
      }),
      "model.evaluate": () => ({ result: { metrics: { accuracy: 0.9 }, job: undefined } }),
    });
    const { run } = await node(core, memoryStorage(), (order) => ({
      result: { model: `${String(order.arguments?.["name"])}@3`, epochs: 5 },
    }));
    const result = await run(
      {
        inputs: { model: { type: "string" }, label: { type: "string", default: "ok" } },
        steps: [
          step("eval", "model.evaluate", { arguments: { model: "${steps.train.result.model}", data: "d" } }),
          step("train", "model.train", {
            needs: ["store"],
            arguments: { name: "${inputs.model}", data: "d" },
          }),
          step("store", "data.store", {
            input: "${steps.collect.output}",
            arguments: { name: "d", label: "a-${inputs.label}-$${x}-${steps.collect.result.frames}" },
          }),
          step("collect", "data.collect", { selector: { node: "node-1" }, arguments: { sensor: "s" } }),
        ],
        outputs: {
          model: "${steps.train.result.model}",
          accuracy: "${steps.eval.result.metrics.accuracy}",
          text: "on ${steps.collect.node}: ${steps.store.result.digests}",
        },
      },
      { model: "m" },
    );
    expect(result["outputs"]).toEqual({ model: "m@3", accuracy: 0.9, text: 'on node-1: ["a-ok-${x}-1"]' });
    expect(core.executed.map(({ operation }) => operation)).toEqual([
      "data.collect",
      "data.store",
      "model.train",
      "model.evaluate",
    ]);
    expect(core.executed[1]).toMatchObject({
      input: bytes,
      inputDescriptor: { elementType: 6, shape: [1, 1] },
    });
    expect(core.executed[2]?.arguments).toMatchObject({ name: "m", detach: true });
    expect(stepsOf(result)).toEqual({ eval: "done", train: "done", store: "done", collect: "done" });
  });

  it("runs steps that do not need each other in parallel, items too, and no more than allowed", async () => {
    let now = 0;
    let most = 0;
    const core = fakeCore({
      "node.monitor": async () => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        now -= 1;
        return { result: { uptimeS: 7 } };
      },
    });
    const { run } = await node(core);
    const steps = [
      monitor("all", { each: [{ id: "a" }, { id: "b" }, { id: "c" }], selector: { node: "${each.id}" } }),
    ];
    const more = [...steps, monitor("one"), monitor("after", { needs: ["all"] })];
    const outputs = { nodes: "${steps.all.nodes}", first: "${steps.all.results.0.uptimeS}" };
    const result = await run({ steps: more, outputs });
    expect(most).toBe(4);
    expect(result["outputs"]).toEqual({ nodes: ["a", "b", "c"], first: 7 });
    expect(Object.keys(stepsOf(result))).toEqual(["all[0]", "all[1]", "all[2]", "one", "after"]);
    most = 0;
    await run({ steps: more, parallel: 2 });
    expect(most).toBe(2);
  });

  it("takes items from an earlier step, none too, and fails when they are none", async () => {
    const core = fakeCore({
      "node.discover": (order) => ({
        result: { nodes: (order.arguments?.["labels"] as string[]).map((node) => ({ node })) },
      }),
      "node.monitor": () => ({ result: { uptimeS: 1 } }),
    });
    const { run } = await node(core);
    const steps = (labels: string[]) => [
      step("find", "node.discover", { arguments: { labels } }),
      monitor("all", { each: "${steps.find.result.nodes}", selector: { node: "${each.node}" } }),
      monitor("after", { needs: ["all"] }),
    ];
    const outputs = { nodes: "${steps.all.nodes}" };
    expect((await run({ steps: steps(["a", "b"]), outputs }))["outputs"]).toEqual({ nodes: ["a", "b"] });
    expect((await run({ steps: steps([]), outputs }))["outputs"]).toEqual({ nodes: [] });
    const inputs = { which: { type: "object", default: { list: 7 } } };
    const bad = run({ inputs, steps: [monitor("all", { each: "${inputs.which.list}", arguments: {} })] });
    await expect(bad).rejects.toMatchObject({ code: "bad-request", field: "steps[0].each" });
  });

  it("runs a step several times, for each item in turn", async () => {
    const core = fakeCore({ "node.monitor": () => ({ result: { uptimeS: 1 } }) });
    const { run } = await node(core);
    const result = await run({
      parallel: 1,
      steps: [
        monitor("all", { each: ["a", "b"], times: 2, selector: { node: "${each}" } }),
        monitor("some", { times: 3, needs: ["all"] }),
      ],
      outputs: { nodes: "${steps.all.nodes}", up: "${steps.some.results.2.uptimeS}" },
    });
    expect(result["outputs"]).toEqual({ nodes: ["a", "b", "a", "b"], up: 1 });
    await expect(run({ steps: [monitor("all", { each: ["a", "b"], times: 501 })] })).rejects.toMatchObject({
      code: "too-large",
    });
  });

  it("skips steps whose condition does not hold, and those that need them", async () => {
    const core = fakeCore({ "node.monitor": () => ({ result: { uptimeS: 10 } }) });
    const { run } = await node(core);
    const value = "${steps.first.result.uptimeS}";
    const result = await run({
      steps: [
        monitor("first"),
        monitor("high", { when: { value, min: 11 } }),
        monitor("behind", { needs: ["high"] }),
        monitor("low", { when: { value, max: 11, not: 9 } }),
        monitor("same", { when: { value, equals: 10 } }),
      ],
      outputs: { high: "${steps.high.result.uptimeS}" },
    });
    expect(stepsOf(result)).toEqual({
      first: "done",
      high: "skipped",
      behind: "skipped",
      low: "done",
      same: "done",
    });
    expect(result["outputs"]).toEqual({ high: null });
  });

  it("tries again what may be tried again, and nothing else", async () => {
    const times: number[] = [];
    let errors: OperationFailure[] = [];
    const flaky: Handler = () => {
      times.push(performance.now());
      const error = errors.shift();
      if (error !== undefined) throw error;
      return { result: {} };
    };
    const core = fakeCore({ "node.monitor": flaky, "function.invoke": flaky });
    const { run } = await node(core);
    const tries = async (operation: string, with_: OperationFailure[], retries: object | undefined) => {
      times.length = 0;
      errors = [...with_];
      await run({ steps: [step("a", operation, { selector: {}, ...(retries && { retries }) })] });
      return times.length;
    };
    const busy = new OperationFailure("busy", "full", undefined, { retryAfterMs: 30 });
    const late = new OperationFailure("deadline", "late");
    const trap = new OperationFailure("function-failed", "trap");
    const retries = { attempts: 3, backoffMs: 1 };
    expect(await tries("node.monitor", [busy, late], retries)).toBe(3);
    expect(times[1]! - times[0]!).toBeGreaterThan(28);
    await expect(tries("node.monitor", [busy, busy, busy], retries)).rejects.toMatchObject({ code: "busy" });
    expect(times.length).toBe(3);
    await expect(tries("node.monitor", [busy], undefined)).rejects.toMatchObject({ code: "busy" });
    await expect(tries("node.monitor", [trap], retries)).rejects.toMatchObject({ code: "function-failed" });
    expect(times.length).toBe(1);
    // Nobody knows whether it was executed, and it may not be twice.
    await expect(tries("function.invoke", [late], retries)).rejects.toMatchObject({ code: "deadline" });
    expect(times.length).toBe(1);
    expect(await tries("function.invoke", [busy], retries)).toBe(2);
  });

  it("ends the other steps and fails when a step fails, with its place", async () => {
    const core = fakeCore({
      "node.monitor": untilAborted,
      "data.list": () => {
        throw new OperationFailure("not-found", "no such data set", "arguments.prefix");
      },
    });
    const { begin, jobs } = await node(core, memoryStorage(), untilAborted);
    const id = await begin({
      steps: [
        monitor("long"),
        step("train", "model.train", { arguments: { name: "m", data: "d" } }),
        monitor("gate", { needs: ["long"] }),
        step("fails", "data.list"),
      ],
    });
    const end = await jobs.wait(id);
    expect(end).toMatchObject({
      state: "failed",
      error: { code: "not-found", text: "fails: no such data set", field: "steps[3].arguments.prefix" },
    });
    expect(stepsOf({ steps: end.steps })).toEqual({
      long: "cancelled",
      train: "cancelled",
      gate: "waiting",
      fails: "failed",
    });
    await until(async () => (await jobs.list()).every(hasEnded));
    expect((await jobs.list()).map(({ state }) => state).sort()).toEqual(["cancelled", "failed"]);
  });

  it("takes its jobs along when it is cancelled, superseded, or over its deadline", async () => {
    const core = fakeCore({});
    const { begin, jobs } = await node(core, memoryStorage(), untilAborted);
    const steps = [step("train", "model.train", { arguments: { name: "m", data: "d" } })];
    const running = async () => (await jobs.list({ state: "running" })).map((job) => job.operation);
    const training = () => until(async () => (await running()).includes("model.train"));
    const first = await begin({ steps });
    await training();
    const second = await begin({ steps });
    expect((await jobs.wait(first)).state).toBe("superseded");
    await training();
    await jobs.cancel(second);
    expect((await jobs.wait(second)).state).toBe("cancelled");
    const third = await begin({ steps, deadlineMs: 30 });
    expect(await jobs.wait(third)).toMatchObject({ state: "failed", error: { code: "deadline" } });
    await until(async () => (await jobs.list()).every(hasEnded));
    const late = await begin({ steps: [{ ...steps[0], deadlineMs: 20 }] });
    expect(await jobs.wait(late)).toMatchObject({
      state: "failed",
      error: { code: "deadline", field: "steps[0]" },
    });
  });

  it("follows a job of another node, although that node is away for a while", async () => {
    let looks = 0;
    const core = fakeCore({
      "task.status": (order) => {
        looks += 1;
        if (looks === 2) throw new OperationFailure("no-capable-node", "away");
        const id = order.arguments?.["job"];
        const state = looks < 4 ? "running" : "done";
        const job = {
          id,
          operation: "model.train",
          subject: "m",
          state,
          progress: 0,
          text: "",
          sender: "owner",
        };
        return { result: { jobs: [{ ...job, createdAt: "", result: { model: "m@9" } }] } };
      },
    });
    const { run } = await node(core);
    core.handlers["model.train"] = () => ({ result: { job: "far-1" } });
    const result = await run({
      steps: [
        step("train", "model.train", { selector: { node: "cloud" }, arguments: { name: "m", data: "d" } }),
      ],
      outputs: { model: "${steps.train.result.model}", job: "${steps.train.result.job}" },
    });
    expect(result["outputs"]).toEqual({ model: "m@9", job: "far-1" });
    expect(core.executed.at(-1)).toMatchObject({ operation: "task.status", selector: { node: "cloud" } });
  });

  it("is refused before its first step, or only checked", async () => {
    const core = fakeCore({});
    const { run, operation, call } = await node(core);
    const bad = { workflow: "w", steps: [monitor("a", { arguments: { x: 1 } }), monitor("a")] };
    await expect(run(bad)).rejects.toMatchObject({
      code: "bad-request",
      field: "arguments.workflow.steps[1].name",
    });
    const { result } = await operation.run(call({ workflow: bad, check: true }));
    expect(result?.["findings"]).toMatchObject([
      { place: "steps[1].name" },
      { place: "steps[0].arguments.x" },
    ]);
    const good = await operation.run(
      call({ workflow: { workflow: "w", steps: [monitor("a")] }, check: true }),
    );
    expect(good.result).toEqual({ findings: [] });
    expect(core.executed).toEqual([]);
  });
});

describe("after the node was killed", () => {
  it("a step that may not be done twice fails the workflow, unless it says that it may", async () => {
    for (const repeat of [false, true]) {
      const storage = memoryStorage();
      const first = fakeCore({ "function.invoke": () => new Promise(() => undefined) });
      const { begin } = await node(first, storage);
      const id = await begin({ steps: [step("call", "function.invoke", { ...(repeat && { repeat }) })] });
      await until(() => first.executed.length === 1);
      const second = fakeCore({ "function.invoke": () => ({ result: { function: "f@1" } }) });
      const { jobs } = await node(second, storage.crash());
      const end = await jobs.wait(id);
      expect(end.state).toBe(repeat ? "done" : "failed");
      if (!repeat) {
        expect(end.error).toMatchObject({ code: "internal", field: "steps[0]" });
        expect(end.error?.text).toMatch(/^call: ran when the node ended.*function\.invoke.*`repeat: true`/);
      }
      expect(second.executed.length).toBe(repeat ? 1 : 0);
    }
  });

  it("nodes have a while to join again", async () => {
    const storage = memoryStorage();
    const first = fakeCore({ "node.monitor": () => new Promise(() => undefined) });
    const { begin } = await node(first, storage);
    const id = await begin({ steps: [monitor("a")] });
    await until(() => first.executed.length === 1);
    let absent = 1;
    const second = fakeCore({
      "node.monitor": () => {
        if (absent-- > 0) throw new OperationFailure("no-capable-node", "not back yet");
        return { result: { uptimeS: 1 } };
      },
    });
    const { jobs } = await node(second, storage.crash());
    expect((await jobs.wait(id)).state).toBe("done");
    expect(second.executed.length).toBe(2);
  });

  it("who has answered an attempt answers it again", async () => {
    const storage = memoryStorage();
    // Another node: it lives on, and remembers. The answer comes when this node is gone.
    let answer = (): void => undefined;
    const core = fakeCore({
      "node.monitor": () =>
        new Promise((resolve) => {
          answer = () => resolve({ result: { uptimeS: 3 } });
        }),
    });
    const { begin } = await node(core, storage);
    const id = await begin({ steps: [monitor("a")], outputs: { up: "${steps.a.result.uptimeS}" } });
    await until(() => core.executed.length === 1);
    const rest = storage.crash();
    answer();
    const { jobs } = await node(core, rest);
    expect((await jobs.wait(id)).result).toMatchObject({ outputs: { up: 3 } });
    expect(core.executed.length).toBe(1);
  });

  it("nothing that was done is done again or shown otherwise, wherever the node dies, and each job is made once", async () => {
    const plan = fc.record({
      deaths: fc.array(
        fc.record({ at: fc.integer({ min: 1, max: 14 }), when: fc.constantFrom("before", "after") }),
        {
          maxLength: 3,
        },
      ),
      each: fc.integer({ min: 1, max: 3 }),
      parallel: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ deaths, each, parallel }) => {
        const done = new Map<string, number>();
        const trained = new Set<string>();
        const broken: string[] = [];
        const kept = new Set<string>();
        /** Steps that somebody has seen done, by name. */
        const seen = new Set<string>();
        const workflow = {
          parallel,
          steps: [
            monitor("all", {
              each: Array.from({ length: each }, (_, i) => `n-${String(i)}`),
              selector: { node: "${each}" },
            }),
            step("train", "model.train", { needs: ["all"], arguments: { name: "m", data: "d" } }),
            monitor("last", { selector: { node: "last" }, needs: ["train"] }),
          ],
          outputs: { model: "${steps.train.result.model}" },
        };
        let storage = memoryStorage();
        const live = async (death: (typeof deaths)[number] | undefined) => {
          const mine = storage;
          const core = fakeCore({
            "node.monitor": async (order) => {
              const name = order.selector?.node ?? "";
              await new Promise((resolve) => setImmediate(resolve));
              if (mine.crashed) return await new Promise(() => undefined);
              if (kept.has(name)) broken.push(`${name} again`);
              done.set(name, (done.get(name) ?? 0) + 1);
              return { result: { uptimeS: 1 } };
            },
          });
          const { jobs, begin } = await node(core, mine, async () => {
            await new Promise((resolve) => setImmediate(resolve));
            return { result: { model: "m@1" } };
          });
          jobs.onChange((job) => {
            if (job.operation === "model.train") trained.add(job.id);
            if (job.operation !== "task.workflow" || mine.crashed) return;
            for (const one of job.steps ?? []) {
              if (one.state === "done" && one.node !== undefined) kept.add(one.node);
            }
          });
          // The worst moment to look: when the next write has not happened yet, and may never.
          const write = mine.records.write.bind(mine.records);
          Object.assign(mine.records, {
            write: async (changes: Parameters<typeof write>[0]) => {
              for (const { steps = [] } of mine.crashed ? [] : await jobs.list()) {
                for (const { name, state } of steps) if (state === "done") seen.add(name);
              }
              return await write(changes);
            },
          });
          if (death !== undefined) mine.crashAt(death.at, death.when);
          const died = until(() => mine.crashed).then(() => undefined);
          died.catch(() => undefined);
          const before = (await jobs.list()).find((job) => job.operation === "task.workflow");
          const shown = (before?.steps ?? []).filter((one) => one.state === "done").map((one) => one.name);
          for (const name of seen) if (!shown.includes(name)) broken.push(`${name} is not done any more`);
          const id = before?.id ?? (await Promise.race([begin(workflow), died]));
          const end = id === undefined ? undefined : jobs.wait(id);
          const ended = await Promise.race([end, died]);
          storage = mine.crash();
          engines.splice(0);
          return ended;
        };
        for (const death of deaths) await live(death);
        const end = await live(undefined);
        expect(broken).toEqual([]);
        expect(end?.state).toBe("done");
        expect(end?.result?.["outputs"]).toEqual({ model: "m@1" });
        expect(trained.size).toBe(1);
      }),
      { numRuns: 40, interruptAfterTimeLimit: 15_000 },
    );
  });
});
