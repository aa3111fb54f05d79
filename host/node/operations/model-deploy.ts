/**
 * model.deploy and model.undeploy: to this node, to other complete nodes (which get the model first) and to minimal
 * nodes that take packages. Each node succeeds or fails for itself, with a reason.
 */
import { packageModel } from "../../../compiler/model/package/write.js";
import { UserError } from "../../../compiler/diagnostics/user-error.js";
import { modelDeploy, modelUndeploy } from "../../bus/operations/model.js";
import type { RegisteredNode } from "../core/core-service.js";
import type { JobContext, JobStep } from "../jobs/jobs.js";
import { readGraph } from "../models/inspect-model.js";
import { qualifiedName, type ModelRecord } from "../models/model-records.js";
import { argumentsOf, resultFor } from "./arguments.js";
import { jobExtras, jobOperation } from "./job-operation.js";
import { checkSubjects, jobArguments } from "./model-jobs.js";
import { offers } from "./model-manage.js";
import type { ModelContext } from "./model-operations.js";
import { fetchModel, pieceBytes, pushModel, throwOnError } from "./model-transfer.js";
import { OperationFailure, type LocalOperation, type Order } from "./operation.js";

/** A node has so long to take a model, and then so long to offer it. */
const deployMs = 120_000;
const offerMs = 5000;
const atOnce = 8;
const complete = 1;

export function deployOperation(context: ModelContext): LocalOperation {
  const { models, jobs } = context;
  jobs.register({
    operation: modelDeploy.name,
    resume: "again",
    // It waits for other nodes, which may be waiting for this one.
    coordinates: true,
    run: async (input, job) => {
      const { model, nodes, labels, from } = jobArguments(modelDeploy, input);
      const record =
        from === undefined || from === context.node
          ? await models.get(model)
          : await fetchModel(context, model, from, job);
      const signed = input[jobExtras.input];
      const targets = targetsOf(context, nodes, labels);
      const { deployed, failures } = await onEach(targets, job, (target, report) =>
        deployTo(context, record, target, signed, job, report),
      );
      const [first] = failures.values();
      if (deployed.length === 0 && first !== undefined) throw first;
      const failed = Object.fromEntries([...failures].map(([target, { text }]) => [target, text]));
      return { deployed, ...(failures.size === 0 ? {} : { failed }) };
    },
  });
  return jobOperation(
    modelDeploy,
    jobs,
    ({ model, nodes, labels }) => {
      const where = Array.isArray(nodes)
        ? nodes
        : Array.isArray(labels)
          ? labels.map((one) => `:${one}`)
          : ["here"];
      // A newer version for the same nodes supersedes an older one.
      return `${String(model).split("@")[0] ?? ""} on ${[...where].sort().join(" ")}`;
    },
    // A model that comes from another node need not be here.
    { check: (call) => (call.arguments["from"] === undefined ? checkSubjects(context, call) : undefined) },
  );
}

/** @throws OperationFailure no-capable-node when no node has these labels */
function targetsOf(
  { node, nodes: registered, labels: own }: ModelContext,
  nodes: readonly string[] | undefined,
  labels: readonly string[] | undefined,
): string[] {
  if (labels === undefined) return [...new Set(nodes ?? [node])];
  const has = (theirs: readonly string[] | undefined) => labels.every((label) => theirs?.includes(label));
  const others = registered().filter((one) => one.online && has(one.birth.labels));
  const found = [...(has(own) ? [node] : []), ...others.map((one) => one.node), ...(nodes ?? [])];
  if (found.length === 0) {
    throw new OperationFailure("no-capable-node", "no node has these labels", "arguments.labels");
  }
  return [...new Set(found)];
}

/** Some at a time; each ends for itself. */
async function onEach(
  targets: readonly string[],
  job: JobContext,
  work: (target: string, report: (fraction: number) => void) => Promise<void>,
): Promise<{ deployed: string[]; failures: Map<string, OperationFailure> }> {
  const steps = new Map<string, JobStep>(
    targets.map((target) => [target, { name: target, state: "waiting", node: target, attempts: 0 }]),
  );
  const failures = new Map<string, OperationFailure>();
  /** 0..1 of those that are on their way. */
  const parts = new Map<string, number>();
  const waiting = [...targets];
  const show = (target: string, state: JobStep["state"], error?: string): void => {
    steps.set(target, {
      name: target,
      node: target,
      attempts: 1,
      state,
      ...(error === undefined ? {} : { error }),
    });
    parts.delete(target);
    job.setSteps([...steps.values()], ...soFar());
  };
  const soFar = (): [number, string] => {
    const ended = [...steps.values()].filter(
      (step) => step.state === "done" || step.state === "failed",
    ).length;
    const underWay = [...parts.values()].reduce((sum, part) => sum + part, 0);
    return [(ended + underWay) / targets.length, `${ended} of ${targets.length} nodes`];
  };
  const lane = async (): Promise<void> => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      if (job.signal.aborted) throw new OperationFailure("cancelled", "told to stop");
      show(target, "running");
      try {
        await work(target, (part) => {
          parts.set(target, part);
          job.progress(...soFar());
        });
        show(target, "done");
      } catch (error) {
        if (!(error instanceof OperationFailure)) throw error;
        failures.set(target, error);
        show(target, "failed", error.text);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, targets.length) }, lane));
  return { deployed: targets.filter((target) => !failures.has(target)), failures };
}

/** @throws OperationFailure why this node did not get it */
async function deployTo(
  context: ModelContext,
  record: ModelRecord,
  target: string,
  signed: unknown,
  job: JobContext,
  report: (fraction: number) => void,
): Promise<void> {
  if (target === context.node) {
    await context.deployed.deploy(record);
    return;
  }
  const found = context.nodes().find(({ node }) => node === target);
  if (found === undefined && context.neighbours().includes(target)) {
    // It tells no birth record here: what it has it knows itself, and its answer says that it offers the model.
    await pushModel(context, record, target, job, report);
    return;
  }
  if (found === undefined || !found.online) {
    throw new OperationFailure("no-capable-node", found === undefined ? "unknown node" : "not online");
  }
  if (offers(found.birth, record)) return;
  if (!found.birth.operations.includes(modelDeploy.name)) {
    throw new OperationFailure("no-capable-node", "the node takes no models");
  }
  const ask = async (order: Omit<Order, "selector" | "deadlineMs">): Promise<void> => {
    const answer = await context.submit(
      { ...order, selector: { node: target }, deadlineMs: deployMs },
      { sender: job.sender, signal: job.signal },
    );
    throwOnError(answer);
  };
  const args = { model: qualifiedName(record) };
  if (found.birth.kind === complete && record.bytes > pieceBytes) {
    await pushModel(context, record, target, job, report);
  } else if (found.birth.kind === complete) {
    const { name, version, digest, task, labels, parent } = record;
    const [{ rate, unit } = {}] = record.inputs;
    await ask({
      operation: "model.store",
      arguments: { name, version, digest, ...stated({ task, labels, parent, rate, unit }) },
      input: await context.models.bytesOf(record),
    });
    await ask({ operation: modelDeploy.name, arguments: args });
  } else {
    const input =
      signed instanceof Uint8Array || typeof signed === "string"
        ? signed
        : await packageOf(context, record, found);
    await ask({ operation: modelDeploy.name, arguments: args, input });
  }
  await untilOffered(context, record, target, job.signal);
}

function stated(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** @throws OperationFailure descriptor-mismatch for a model that no package can hold */
async function packageOf(
  { models }: ModelContext,
  record: ModelRecord,
  { node }: RegisteredNode,
): Promise<Uint8Array> {
  if (record.form !== "int8") {
    throw new OperationFailure("descriptor-mismatch", `${node} takes int8 models: use model.optimize`);
  }
  try {
    return packageModel(readGraph(await models.bytesOf(record), record.name), { name: record.name });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new OperationFailure("descriptor-mismatch", `${error.code}: ${error.message}`);
  }
}

/** The node has said that it has the model; its birth record follows. */
async function untilOffered(
  { nodes }: ModelContext,
  record: ModelRecord,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + offerMs;
  while (performance.now() < end && !signal.aborted) {
    const found = nodes().find(({ node }) => node === target);
    if (found !== undefined && offers(found.birth, record)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function undeployOperation(context: ModelContext): LocalOperation {
  return {
    definition: modelUndeploy,
    async run(call) {
      const { model, nodes = [context.node] } = argumentsOf(modelUndeploy, call);
      const removed: string[] = [];
      let failure: OperationFailure | undefined;
      for (const target of new Set(nodes)) {
        if (target === context.node) {
          if ((await context.deployed.undeploy(model)) !== undefined) removed.push(target);
          continue;
        }
        try {
          const deadlineMs = Math.max(1, Math.floor(call.deadlineAt - performance.now()));
          throwOnError(
            await context.submit(
              { operation: modelUndeploy.name, selector: { node: target }, arguments: { model }, deadlineMs },
              { sender: call.sender, signal: call.signal },
            ),
          );
          removed.push(target);
        } catch (error) {
          if (!(error instanceof OperationFailure)) throw error;
          failure ??= error;
        }
      }
      if (removed.length === 0) {
        throw failure ?? new OperationFailure("not-found", "no node of these offers it", "arguments.model");
      }
      return { result: resultFor(modelUndeploy, { removed }) };
    },
  };
}
