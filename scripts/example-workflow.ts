/**
 * `npm run example:workflow`: the life of a model on one machine. Builds the default minimal node as C for this machine,
 * starts a complete node and four minimal nodes with different machines to listen to, and runs
 * examples/workflow/workflow.yaml: collect → store → split → train → optimize → validate → deploy → infer → monitor →
 * retrain. Everything it starts is stopped again; files go to build/example-workflow.
 */
import { createWriteStream, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { packagePath } from "../compiler/board/package-root.js";
import { ExitCode } from "../compiler/diagnostics/user-error.js";
import { operationDefinition } from "../host/bus/operations/catalogue.js";
import { errorName, type Answer } from "../host/bus/protocol.js";
import { namedResult } from "../host/bus/request-codec.js";
import { nodeConfigSchema } from "../host/node/config.js";
import type { JobStep } from "../host/node/jobs/jobs.js";
import { startNode, type ComputingNode } from "../host/node/node.js";
import { Child } from "../test/support/child.js";
import { NodeProcess } from "../test/support/node-process.js";
import { Cleanup, StepError, StepFailed, Steps, type Say } from "./demo-steps.js";

const out = packagePath("build", "example-workflow");
const file = packagePath("examples", "workflow", "workflow.yaml");

/** What each minimal node listens to, as the port's generators are called; the workflow labels them so. */
const machines = {
  "node-1": "vibration-healthy",
  "node-2": "vibration-imbalance",
  "node-3": "vibration-bearing",
  "node-4": "vibration-healthy",
} as const;

/** What the workflow promises as its outputs. */
const outputs = z.object({
  model: z.string(),
  passed: z.literal(true),
  metrics: z.record(z.string(), z.number()),
  deployed: z.array(z.string()).min(1),
  label: z.literal("bearing"),
  score: z.number(),
  uptimes: z.array(z.object({ uptimeS: z.number() })).length(4),
  retrained: z.string(),
});

async function buildMinimalNode(say: Say): Promise<string> {
  const args = ["build", "firmware/app.ts", "--board", "host", "--out", join(out, "host")];
  const child = await Child.start(process.execPath, [packagePath("bin", "tmc.js"), ...args], {
    cwd: packagePath(),
    name: "tmc",
  });
  const { code } = await child.exited;
  if (code !== ExitCode.ok)
    throw new StepError(child.text("stderr"), "`npx tmc doctor` shows what is missing");
  say(child.text("stdout").split("\n").slice(0, 4).join("\n"));
  return join(out, "host", "app.elf");
}

async function startEdge(say: Say): Promise<ComputingNode> {
  const state = join(out, "edge");
  const config = nodeConfigSchema.parse({
    id: "edge",
    bus: { broker: { port: 0, anonymous: true } },
    management: { port: 0, open: true },
  });
  const node = await startNode(
    {
      config: {
        ...config,
        state,
        storage: { kind: "local", path: join(state, "data") },
        management: { ...config.management, token: join(state, "token") },
      },
      folder: out,
      file: undefined,
    },
    { logTo: createWriteStream(join(out, "edge.log")) },
  );
  for (const { what, url } of node.addresses) say(`${what.padEnd(10)} ${url}`);
  return node;
}

async function startMachines(
  edge: ComputingNode,
  program: string,
  cleanup: Cleanup,
  say: Say,
): Promise<void> {
  const url = edge.addresses.find((each) => each.what === "bus")?.url ?? "";
  for (const [i, [id, generator]] of Object.entries(machines).entries()) {
    const args = ["--sensor", `accelerometer=generator:${generator},seed=${i + 1}`];
    const node = await NodeProcess.start({ program, id, url, server: edge.id, args });
    cleanup.add(async () => void (await node.stop()));
    say(`${id}  process ${node.child.pid}, listens to ${generator}`);
  }
  const began = Date.now();
  while (Object.keys(machines).some((id) => edge.core.node(id)?.online !== true)) {
    if (Date.now() - began > 20_000) throw new StepError("not every node has joined", "look into edge.log");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  say(`${edge.core.nodes().length} nodes have joined`);
}

/** Runs the workflow, and tells every change of a step. */
async function runWorkflow(edge: ComputingNode, say: Say): Promise<z.infer<typeof outputs>> {
  const workflow: unknown = parse(readFileSync(file, "utf8"));
  const told = new Set<string>();
  const stopTelling = edge.services.jobs.onChange((job) => {
    if (job.operation !== "task.workflow") return;
    for (const line of endedSteps(job.steps ?? [])) if (!told.has(line)) say(line);
    for (const line of endedSteps(job.steps ?? [])) told.add(line);
  });
  const answer = await edge.core.submit(
    { operation: "task.workflow", arguments: { workflow }, deadlineMs: 900_000 },
    { sender: "operator" },
  );
  stopTelling();
  const failed = failureOf(answer);
  if (failed !== undefined) throw new StepError(failed, "edge.log and the lines above tell more");
  const definition = operationDefinition("task.workflow");
  const result = definition === undefined ? undefined : namedResult(definition, answer);
  const read = outputs.safeParse(result?.["outputs"]);
  if (!read.success) {
    throw new StepError(
      `the workflow ended with other outputs than it should: ${JSON.stringify(result?.["outputs"])}`,
      z.prettifyError(read.error),
    );
  }
  return read.data;
}

/** One line for each step that has ended, with all its runs; runs are called step[0], step[1] … */
function endedSteps(steps: readonly JobStep[]): string[] {
  const byName = new Map<string, JobStep[]>();
  for (const step of steps) {
    const name = step.name.replace(/\[\d+\]$/, "");
    byName.set(name, [...(byName.get(name) ?? []), step]);
  }
  return [...byName].flatMap(([name, runs]) => {
    if (runs.some(({ endedAt }) => endedAt === undefined)) return [];
    const began = Math.min(...runs.map(({ startedAt = "" }) => Date.parse(startedAt)));
    const ms = Math.max(...runs.map(({ endedAt = "" }) => Date.parse(endedAt))) - began;
    const states = [...new Set(runs.map(({ state }) => state))].join(", ");
    const problem = runs.find(({ error }) => error !== undefined)?.error;
    const times = runs.length === 1 ? "" : ` ${runs.length} times`;
    return [`${name.padEnd(14)} ${states}${times}, ${ms} ms${problem === undefined ? "" : `: ${problem}`}`];
  });
}

function failureOf({ error }: Answer): string | undefined {
  if (error === undefined) return undefined;
  return `${errorName(error.code) ?? error.code}${error.field === undefined ? "" : ` in ${error.field}`}: ${error.text ?? ""}`;
}

async function main(): Promise<number> {
  const cleanup = new Cleanup();
  cleanup.onSignals();
  const steps = new Steps(4);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  try {
    const program = await steps.run(
      "compile firmware/app.ts to C, and the C for this machine",
      "`npx tmc doctor` shows what is missing",
      buildMinimalNode,
    );
    const edge = await steps.run("start a complete node", "look into edge.log", async (say) => {
      const node = await startEdge(say);
      cleanup.add(() => node.stop());
      return node;
    });
    await steps.run("start four minimal nodes", "look into edge.log", (say) =>
      startMachines(edge, program, cleanup, say),
    );
    await steps.run("run examples/workflow/workflow.yaml", "look into edge.log", async (say) => {
      const made = await runWorkflow(edge, say);
      say("");
      say(
        `model ${made.model}: accuracy ${made.metrics["accuracy"]?.toFixed(3) ?? "?"} on data it was not trained on`,
      );
      say(
        `deployed on ${made.deployed.join(", ")}; a fresh window of node-3 is "${made.label}", ${made.score.toFixed(3)}`,
      );
      say(`trained again as ${made.retrained}`);
    });
    steps.finish();
    return ExitCode.ok;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    return ExitCode.failed;
  } finally {
    await cleanup.run();
  }
}

process.exitCode = await main();
