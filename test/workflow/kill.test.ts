/**
 * A real node is killed (SIGKILL) in the middle of a workflow and started again: the workflow ends, and every step had its
 * effect exactly once. The effects are counted in a data set.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { NodeClient } from "../../compiler/cli/node-client.js";
import type { JobSummary } from "../../host/node/jobs/jobs.js";
import { bundleTmc, type BundledTmc } from "../support/bundled-tmc.js";
import { Child } from "../support/child.js";

const folder = mkdtempSync(join(tmpdir(), "tmc-kill-"));
const config = join(folder, "node.yaml");
let tmc: BundledTmc;
let child: Child | undefined;

beforeAll(async () => {
  tmc = await bundleTmc();
});
afterAll(async () => {
  await kill();
  tmc.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function kill(): Promise<void> {
  await child?.stop("SIGKILL");
  child = undefined;
}

/** A client of a node that was started now. */
async function start(): Promise<NodeClient> {
  rmSync(join(folder, "state", "management-url"), { force: true });
  const started = await Child.start(process.execPath, [tmc.entry, "node", "start", "--config", config]);
  child = started;
  for (;;) {
    if (started.ended !== undefined) throw new Error(`the node ended: ${started.text().slice(-4000)}`);
    try {
      readFileSync(join(folder, "state", "management-url"));
      const client = await NodeClient.open({ config });
      await client.get("/jobs");
      return client;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

it("a workflow goes on after kill -9, and no step is done twice", async () => {
  const sensor = { name: "s", source: "generator:sine", channels: ["x"], rate: 1000 };
  writeFileSync(
    config,
    stringify({
      state: join(folder, "state"),
      storage: { kind: "local", path: join(folder, "data") },
      bus: { broker: { port: 0 } },
      management: { port: 0 },
      connectors: [{ kind: "replay", sensors: [sensor] }],
    }),
  );
  const times = 24;
  // 50 frames at 1000 Hz: each collection takes 50 ms.
  const workflow = {
    workflow: "killed",
    parallel: 2,
    steps: [
      {
        name: "collect",
        operation: "data.collect",
        times,
        arguments: { sensor: "s", frames: 50, name: "counted", label: "x" },
      },
      {
        name: "split",
        operation: "data.split",
        needs: ["collect"],
        arguments: { name: "counted", training: 0.5 },
      },
    ],
    outputs: { usages: "${steps.split.result.usages}" },
  };
  let client = await start();
  const arguments_ = { workflow, detach: true };
  const { result } = await client.post<{ result: { job: string } }>("/operations/task.workflow", {
    arguments: arguments_,
  });
  const look = () => client.get<JobSummary>(`/jobs/${result.job}`);
  const doneOf = (job: JobSummary) => (job.steps ?? []).filter((step) => step.state === "done");
  let done: readonly { readonly name: string }[] = [];
  for (const least of [4, 12]) {
    while (done.length < least) done = doneOf(await look());
    await kill();
    client = await start();
  }
  let job = await look();
  // It did not begin again.
  expect(doneOf(job).length).toBeGreaterThanOrEqual(done.length);
  while (job.endedAt === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    job = await look();
  }
  expect(job.error).toBeUndefined();
  expect(job.state).toBe("done");
  const list = await client.post<{ result: { dataSets: { name: string; items: number }[] } }>(
    "/operations/data.list",
    { arguments: {} },
  );
  expect(list.result.dataSets).toMatchObject([{ name: "counted", items: times }]);
  const before = done.map(({ name }) => name);
  const repeated = (job.steps ?? []).filter((step) => before.includes(step.name) && step.attempts > 1);
  expect(repeated).toEqual([]);
});
