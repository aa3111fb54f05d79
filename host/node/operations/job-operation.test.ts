/** Operations that run as jobs: waiting, detaching, running out of time, asking twice; task.status and task.cancel. */
import { afterEach, describe, expect, it } from "vitest";
import { modelTrain } from "../../bus/operations/model.js";
import { createJobs, type JobsEngine } from "../jobs/create-jobs.js";
import type { JobKind } from "../jobs/jobs.js";
import { memoryStorage } from "../jobs/testing.js";
import { jobOperation } from "./job-operation.js";
import { OperationFailure, type OperationCall } from "./operation.js";
import { jobOperations } from "./task-operations.js";

const engines: JobsEngine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((jobs) => jobs.stop()));
});

async function serve(run: JobKind["run"]) {
  const jobs = createJobs(memoryStorage(), { owner: "edge", graceMs: 20 });
  engines.push(jobs);
  jobs.register({ operation: "model.train", resume: "again", run });
  await jobs.start();
  const train = jobOperation(modelTrain, jobs, (args) => String(args["name"]));
  const [status, cancel] = jobOperations(jobs);
  return { jobs, train, status: status!, cancel: cancel! };
}

let id = 0;
function call(args: Record<string, unknown>, more: Partial<OperationCall> = {}): OperationCall {
  id += 1;
  return {
    arguments: args,
    request: { id, boot: 1, sender: "owner", operation: "model.train" },
    sender: "owner",
    signal: new AbortController().signal,
    deadlineAt: performance.now() + 1000,
    ...more,
  };
}
const forever = () => new Promise<never>(() => undefined);

describe("an operation that runs as a job", () => {
  it("answers with the job's result, or at once when it is detached", async () => {
    const { train, jobs } = await serve((input) =>
      Promise.resolve({ model: "m@1", epochs: Object.keys(input).length }),
    );
    const { result } = await train.run(call({ name: "m", data: "d" }));
    expect(result).toMatchObject({ model: "m@1", epochs: 2 });
    const detached = await train.run(call({ name: "m2", data: "d", detach: true }));
    expect(Object.keys(detached.result ?? {})).toEqual(["job"]);
    expect((await jobs.wait(String(detached.result?.["job"]))).state).toBe("done");
  });

  it("gives the job the rest of the request", async () => {
    const { train } = await serve((input) => Promise.resolve({ input }));
    const request = { id: 900, boot: 1, sender: "owner", operation: "model.train", input: "blob:0" };
    const { result } = await train.run(call({ name: "m" }, { request }));
    expect(result?.["input"]).toEqual({ name: "m", $input: "blob:0" });
  });

  it("answers `deadline` with the job's id, and the job goes on", async () => {
    let end = (): void => undefined;
    let begin = (): void => undefined;
    const began = new Promise<void>((resolve) => (begin = resolve));
    const { train, jobs } = await serve(
      () =>
        new Promise((resolve) => {
          end = () => resolve({ model: "m@1" });
          begin();
        }),
    );
    const late = train.run(call({ name: "m" }, { deadlineAt: performance.now() + 20 }));
    await expect(late).rejects.toMatchObject({
      code: "deadline",
      text: expect.stringMatching(/^job .* goes on$/),
    });
    // The deadline may have passed before it began.
    await began;
    const [job] = await jobs.list();
    expect(job?.state).toBe("running");
    end();
    expect((await jobs.wait(job?.id ?? "")).state).toBe("done");
  });

  it("fails as the job failed, and says when it was cancelled or superseded", async () => {
    const { train, cancel, jobs } = await serve((input) => {
      if (input["data"] === "none")
        throw new OperationFailure("not-found", "no such data set", "arguments.data");
      return forever();
    });
    await expect(train.run(call({ name: "a", data: "none" }))).rejects.toMatchObject({
      code: "not-found",
      field: "arguments.data",
    });
    const first = train.run(call({ name: "b" }));
    const superseded = expect(first).rejects.toMatchObject({
      code: "cancelled",
      text: expect.stringMatching(/superseded/),
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const second = train.run(call({ name: "b" }));
    const cancelled = expect(second).rejects.toMatchObject({ code: "cancelled" });
    await superseded;
    const [job] = await jobs.list();
    await cancel.run(call({ job: job?.id }));
    await cancelled;
  });

  it("makes one job for one request that comes twice", async () => {
    let runs = 0;
    const { train } = await serve(() => Promise.resolve({ epochs: ++runs }));
    const once = call({ name: "a" });
    const results = await Promise.all([train.run(once), train.run(once)]);
    expect(results[0]).toEqual(results[1]);
    expect(runs).toBe(1);
  });
});

describe("task.status and task.cancel", () => {
  it("tell of one job, of all, of a state, of a few, and of none", async () => {
    const { train, status, cancel } = await serve((input) =>
      input["wait"] === true ? forever() : Promise.resolve({}),
    );
    await train.run(call({ name: "a" }));
    const { result } = await train.run(call({ name: "b", wait: true, detach: true }));
    const jobsOf = async (args: Record<string, unknown>) =>
      ((await status.run(call(args))).result?.["jobs"] as { subject: string }[]).map((job) => job.subject);
    expect(await jobsOf({})).toEqual(["b", "a"]);
    expect(await jobsOf({ limit: 1 })).toEqual(["b"]);
    expect(await jobsOf({ state: "done" })).toEqual(["a"]);
    expect(await jobsOf({ job: result?.["job"] })).toEqual(["b"]);
    expect(await jobsOf({ job: result?.["job"], state: "done" })).toEqual([]);
    for (const operation of [status, cancel]) {
      await expect(operation.run(call({ job: "none" }))).rejects.toMatchObject({
        code: "not-found",
        field: "arguments.job",
      });
    }
  });
});
