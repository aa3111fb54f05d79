/** The reading endpoints of the HTTP API, and control: what is known of the node, its jobs, data and models. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { dataSetSummary } from "../../bus/operations/data.js";
import { operationDefinitions } from "../../bus/operations/catalogue.js";
import { common, objectOf } from "../../bus/operations/definition.js";
import { functionSummary } from "../../bus/operations/function.js";
import { modelSummary, stages } from "../../bus/operations/model.js";
import { nodeSummary } from "../../bus/operations/node.js";
import { jobStates, jobSummary } from "../../bus/operations/task.js";
import type { RegisteredNode } from "../core/core-service.js";
import { summarizeNode } from "../operations/node-summary.js";
import { OperationFailure } from "../operations/operation.js";
import { askSelf, definitionOf, operator, orderOf } from "./calls.js";
import { addEndpoint, check, type Endpoint } from "./endpoint.js";
import { readItems } from "./items.js";
import type { ManagementParts } from "./parts.js";
import * as schemas from "./schemas.js";
import { sliceS, type Traffic } from "./traffic.js";
import { defined, detailsOf, scheduleOf, shownConfig, traceOf } from "./views.js";

const limit = common.limit.optional();
const nodeId = z.object({ id: common.nodeId });

/** Counts of the newest 1000 jobs by state, every state named. */
export async function jobCounts(parts: ManagementParts): Promise<Record<(typeof jobStates)[number], number>> {
  const counts = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<
    (typeof jobStates)[number],
    number
  >;
  for (const job of await parts.jobs.list({ limit: 1000 })) counts[job.state]++;
  return counts;
}

export async function statusOf(
  parts: ManagementParts,
  startedAt: number,
  traffic: Traffic,
): Promise<z.infer<typeof schemas.statusSchema>> {
  const nodes = parts.core.nodes();
  return {
    id: parts.core.id,
    version: parts.version,
    boot: parts.core.boot,
    state: parts.state(),
    startedAt: new Date(startedAt).toISOString(),
    uptimeS: Math.round((Date.now() - startedAt) / 1000),
    labels: parts.config.labels,
    storage: parts.storage.description,
    nodes: { online: nodes.filter((node) => node.online).length, known: nodes.length },
    neighbours: [...parts.core.neighbours()],
    jobs: await jobCounts(parts),
    pending: parts.core.pending(),
    requests: traffic.total,
    connectors: (parts.connectors ?? []).map((each) => ({
      name: each.name,
      sensors: each.sensors().map((sensor) => sensor.description.name),
      actuators: each.actuators().map((actuator) => actuator.name),
    })),
    ...defined({ storageBytes: await parts.storageBytes?.(), brokerClients: parts.brokerClients?.() }),
  };
}

/** This node as it would look to another. */
function self({ core }: ManagementParts, startedAt: number): RegisteredNode {
  const { id, boot } = core;
  return {
    node: id,
    birth: core.birth(),
    state: {
      version: 1,
      node: id,
      boot,
      online: true,
      uptimeS: Math.round((Date.now() - startedAt) / 1000),
      counters: core.counters(),
    },
    online: true,
    inFlight: core.pending(),
    latencyMs: undefined,
    energyClass: 0,
    lastSeenAt: Date.now(),
  };
}

export function addApi(app: OpenAPIHono, parts: ManagementParts, traffic: Traffic): void {
  const { core, log } = parts;
  const startedAt = Date.now();
  const add = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
  ): void => addEndpoint(app, endpoint, log.log);

  add({
    method: "get",
    path: "/status",
    tag: "node",
    summary: "How the node is.",
    response: schemas.statusSchema,
    handle: () => statusOf(parts, startedAt, traffic),
  });
  add({
    method: "get",
    path: "/nodes",
    tag: "nodes",
    summary: "Nodes that are joined to this server, or were; by id, in pages.",
    query: z.object({
      online: z.boolean().optional(),
      after: common.nodeId.optional().describe("ids behind this one"),
      limit: common.limit.optional().describe("at most; default 1000"),
    }),
    response: z.object({ nodes: z.array(nodeSummary), next: z.string().optional() }),
    handle({ query }) {
      const { online, after = "", limit: most = 1000 } = query;
      const found = core
        .nodes()
        .filter((node) => (online === undefined || node.online === online) && node.node > after)
        .sort((a, b) => (a.node < b.node ? -1 : 1));
      const page = found.slice(0, most);
      const next = found.length > page.length ? page.at(-1)?.node : undefined;
      return { nodes: page.map((node) => summarizeNode(node, core.id)), ...defined({ next }) };
    },
  });
  add({
    method: "get",
    path: "/nodes/{id}",
    tag: "nodes",
    summary: "One node: birth record, state, counters.",
    params: nodeId,
    response: schemas.nodeDetails,
    handle({ params }) {
      const node = core.node(params.id) ?? (params.id === core.id ? self(parts, startedAt) : undefined);
      if (node === undefined) throw new OperationFailure("not-found", "no node of this id was here", "id");
      return detailsOf(node);
    },
  });
  add({
    method: "get",
    path: "/capabilities",
    tag: "nodes",
    summary: "Every operation of the catalogue, and who offers it now.",
    response: z.object({ capabilities: z.array(schemas.capability) }),
    handle() {
      const online = core.nodes().filter((node) => node.online);
      const own = core.birth().operations;
      return {
        capabilities: operationDefinitions.map(({ name, summary, job, input, selector = {} }) => ({
          operation: name,
          summary,
          job,
          input: input.need,
          inputSummary: input.summary,
          selector: Object.keys(selector) as (keyof typeof selector)[],
          nodes: online
            .filter((node) => node.birth.operations.includes(name))
            .map((node) => node.node)
            .sort(),
          local: own.includes(name),
        })),
      };
    },
  });
  addStored(add, parts);
  addJobs(add, parts);
  add({
    method: "get",
    path: "/logs",
    tag: "node",
    summary: "The newest lines of the log, oldest first.",
    query: z.object({
      limit,
      level: z.number().int().min(10).max(60).optional().describe("30 info, 40 warn, 50 error; and above"),
      module: z.string().max(64).optional(),
      text: z.string().max(200).optional().describe("in the message"),
    }),
    response: z.object({ lines: z.array(schemas.logLine) }),
    handle({ query }) {
      const { level = 10, module, text } = query;
      const lines = log
        .recent(1000)
        .filter((line) => line.level >= level && (module === undefined || line.module === module))
        .filter((line) => text === undefined || line.msg.toLowerCase().includes(text.toLowerCase()));
      return { lines: lines.slice(-(query.limit ?? 200)) };
    },
  });
  add({
    method: "get",
    path: "/configuration",
    tag: "node",
    summary: "The configuration in force, without secrets.",
    response: z.record(z.string(), z.unknown()),
    handle: () => shownConfig(parts.config),
  });
  add({
    method: "get",
    path: "/requests",
    tag: "requests",
    summary: "Latencies by operation over the last five minutes, and the newest requests.",
    query: z.object({ limit }),
    response: schemas.traffic,
    handle: ({ query }) => ({
      sliceS,
      endsAt: traffic.endsAt(),
      operations: traffic.operations(),
      recent: traffic.recent(query.limit ?? 50).map(traceOf),
    }),
  });
  add({
    method: "post",
    path: "/route/explain",
    tag: "requests",
    summary: "Where a request would go, and why.",
    body: schemas.explainOrder,
    response: schemas.explanation,
    async handle({ body }) {
      const definition = definitionOf(body.operation);
      if (body.arguments !== undefined) {
        check(objectOf(definition.arguments).partial(), body.arguments, "arguments");
      }
      const found = await core.explain(orderOf(body.operation, body), body.sender ?? operator);
      return {
        decision: found.decision,
        candidates: found.candidates.map(({ score, ...same }) => ({ ...same, ...defined({ score }) })),
        ...defined({ chosen: found.chosen, error: found.error, text: parts.formatExplanation?.(found) }),
      };
    },
  });
  addControl(add, parts);
}

type Add = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, R extends z.ZodType>(
  endpoint: Endpoint<P, Q, B, R>,
) => void;

/** Data sets, models, functions: what their operations tell. */
function addStored(add: Add, parts: ManagementParts): void {
  const prefix = z.string().max(32).optional();
  add({
    method: "get",
    path: "/data",
    tag: "data",
    summary: "Data sets by name.",
    query: z.object({ prefix, after: z.string().max(32).optional(), limit }),
    response: z.object({ dataSets: z.array(dataSetSummary), next: z.string().optional() }),
    async handle({ query, signal }) {
      const { result } = await askSelf(parts, "data.list", query, signal);
      return result as { dataSets: z.infer<typeof dataSetSummary>[]; next?: string };
    },
  });
  add({
    method: "get",
    path: "/data/{name}/items",
    tag: "data",
    summary: "Items of a data set as numbers, to look at them.",
    params: z.object({ name: common.name }),
    query: z.object({
      offset: common.count.optional(),
      limit: z.number().int().min(1).max(100).optional(),
      usage: common.usage.optional(),
      label: common.label.optional(),
    }),
    response: schemas.dataItems,
    handle: ({ params, query, signal }) => readItems(parts, params.name, query, signal),
  });
  add({
    method: "get",
    path: "/models",
    tag: "models",
    summary: "Models with stage, metrics and lineage.",
    query: z.object({ prefix, stage: z.enum(stages).optional(), limit }),
    response: z.object({ models: z.array(modelSummary) }),
    async handle({ query, signal }) {
      const { result } = await askSelf(parts, "model.list", query, signal);
      return result as { models: z.infer<typeof modelSummary>[] };
    },
  });
  add({
    method: "get",
    path: "/functions",
    tag: "functions",
    summary: "Functions that can be invoked here.",
    query: z.object({ prefix }),
    response: z.object({ functions: z.array(functionSummary) }),
    handle: ({ query }) => ({ functions: parts.functions?.list(query.prefix) ?? [] }),
  });
}

function addJobs(add: Add, parts: ManagementParts): void {
  const { core, jobs } = parts;
  const id = z.object({ id: common.job });
  const query = z.object({ state: z.enum(jobStates).optional(), limit });
  const list = z.object({ jobs: z.array(jobSummary) });
  add({
    method: "get",
    path: "/jobs",
    tag: "jobs",
    summary: "Jobs, newest first.",
    query,
    response: list,
    handle: async ({ query: asked }) => ({
      jobs: await jobs.list({ limit: asked.limit ?? 50, ...defined({ state: asked.state }) } as object),
    }),
  });
  add({
    method: "get",
    path: "/jobs/{id}",
    tag: "jobs",
    summary: "One job with its steps.",
    params: id,
    response: jobSummary,
    async handle({ params }) {
      const job = await jobs.get(params.id);
      if (job === undefined) throw new OperationFailure("not-found", "no job of this id", "id");
      return job;
    },
  });
  add({
    method: "post",
    path: "/jobs/{id}/cancel",
    tag: "jobs",
    summary: "Ends a job; steps that run are told to stop.",
    params: id,
    response: jobSummary,
    async handle({ params }) {
      // The rules of access are asked; the way through the bus is not gone, which is closed while the node drains.
      const order = { operation: "task.cancel", arguments: { job: params.id }, selector: { node: core.id } };
      const { error } = await core.explain(order, operator);
      if (error?.code === "forbidden") throw new OperationFailure("forbidden", error.text);
      const job = await jobs.cancel(params.id);
      if (job === undefined) throw new OperationFailure("not-found", "no job of this id", "id");
      return job;
    },
  });
  add({
    method: "get",
    path: "/workflows",
    tag: "jobs",
    summary: "Runs of workflows, newest first, with their steps.",
    query,
    response: list,
    async handle({ query: asked }) {
      const all = await jobs.list({ limit: 1000, ...defined({ state: asked.state }) } as object);
      return { jobs: all.filter((job) => job.operation === "task.workflow").slice(0, asked.limit ?? 50) };
    },
  });
  add({
    method: "get",
    path: "/schedules",
    tag: "jobs",
    summary: "Schedules by name.",
    response: z.object({ schedules: z.array(schemas.scheduleSummary) }),
    handle: () => ({ schedules: (parts.schedules?.list() ?? []).map(scheduleOf) }),
  });
}

function addControl(add: Add, parts: ManagementParts): void {
  const response = z.object({ state: schemas.nodeState });
  add({
    method: "post",
    path: "/control/drain",
    tag: "node",
    summary: "Takes nothing new, finishes what runs. Answers at once; the status tells when it is drained.",
    response,
    handle() {
      parts.log.log.info({ module: "management" }, "drain asked for");
      parts.drain().catch((error: unknown) => parts.log.log.error({ err: error }, "drain failed"));
      return { state: parts.state() };
    },
  });
  add({
    method: "post",
    path: "/control/resume",
    tag: "node",
    summary: "Takes requests again.",
    response,
    async handle() {
      parts.log.log.info({ module: "management" }, "resume asked for");
      await parts.resume();
      return { state: parts.state() };
    },
  });
  add({
    method: "post",
    path: "/control/stop",
    tag: "node",
    summary: "Ends the node in good order.",
    response,
    handle() {
      parts.log.log.info({ module: "management" }, "stop asked for");
      // After this answer has been written.
      setTimeout(() => parts.stop(), 100).unref();
      return { state: "stopping" as const };
    },
  });
}
