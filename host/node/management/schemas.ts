/** What the HTTP API answers with, where that is not already a summary of host/bus/operations. */
import { z } from "zod";
import { common } from "../../bus/operations/definition.js";
import { orderSchema } from "../../bus/operations/task.js";
import { errorCodes, type ErrorName } from "../../bus/protocol-keys.js";
import { jsonDescriptor, jsonInput } from "./json-values.js";

const errorName = z.enum(Object.keys(errorCodes) as [ErrorName, ...ErrorName[]]);
const decision = z.enum(["local", "dispatch", "forward", "refuse"]);

export const nodeState = z.enum(["running", "draining", "drained", "stopping"]);

export const statusSchema = z.object({
  /** Id of this server. */
  id: common.nodeId,
  version: z.string(),
  boot: common.count,
  state: nodeState,
  startedAt: z.string(),
  uptimeS: z.number(),
  labels: z.array(z.string()),
  storage: z.string(),
  storageBytes: z.record(z.string(), z.number()).optional(),
  nodes: z.object({ online: common.count, known: common.count }),
  neighbours: z.array(z.object({ id: z.string(), connected: z.boolean() })),
  jobs: z.record(z.string(), z.number()),
  /** Requests that wait or run, dispatched ones included. */
  pending: common.count,
  /** Requests that ended, since the start. */
  requests: common.count,
  brokerClients: common.count.optional(),
  connectors: z.array(
    z.object({ name: z.string(), sensors: z.array(z.string()), actuators: z.array(z.string()) }),
  ),
});

/** One node with everything that it announced. */
export const nodeDetails = z.object({
  node: common.nodeId,
  online: z.boolean(),
  energyClass: z.number(),
  inFlight: common.count,
  latencyMs: z.number().optional(),
  lastSeen: z.string(),
  birth: z.record(z.string(), z.unknown()).describe("the birth record"),
  state: z.record(z.string(), z.unknown()).optional().describe("the newest state record"),
});

export const capability = z.object({
  operation: z.string(),
  summary: z.string(),
  job: z.boolean(),
  input: z.enum(["none", "optional", "required"]),
  inputSummary: z.string(),
  /** Parts of the selector that mean something. */
  selector: z.array(z.enum(["name", "task", "node", "labels"])),
  /** Ids of nodes that are online and offer it. */
  nodes: z.array(z.string()),
  /** This server serves it itself. */
  local: z.boolean(),
});

export const scheduleSummary = z.object({
  name: common.name,
  /** "0 4 * * *", "every 60 s", "at 2026-01-01T00:00:00Z". */
  when: z.string(),
  next: z.string().optional(),
  last: z.string().optional(),
  lastError: z.string().optional(),
  order: orderSchema,
  sender: z.string(),
});

export const dataItems = z.object({
  name: common.name,
  total: common.count,
  offset: common.count,
  elementType: z.string().optional(),
  /** Of one item. */
  shape: z.array(z.number()),
  rate: z.number().optional(),
  unit: z.string().optional(),
  items: z.array(
    z.object({
      label: z.string().optional(),
      /** In order of memory; at most 4096 of an item, the rest is cut off. */
      values: z.array(z.number().nullable()),
    }),
  ),
});

export const logLine = z.looseObject({
  time: z.number(),
  level: z.number(),
  module: z.string().optional(),
  msg: z.string(),
});

export const requestTrace = z.object({
  operation: z.string(),
  sender: z.string(),
  id: z.number(),
  boot: z.number(),
  origin: z.enum(["bus", "local"]),
  node: z.string(),
  decision,
  attempts: z.number(),
  error: z.string().optional(),
  totalMs: z.number(),
  queueUs: z.number(),
  executionUs: z.number(),
  at: z.string(),
});

/** Latencies of an operation over the last minutes. */
export const operationTraffic = z.object({
  operation: z.string(),
  count: common.count,
  errors: common.count,
  p50Ms: z.number().optional(),
  p99Ms: z.number().optional(),
  /** By slice of time, oldest first; null where nothing ended. */
  series: z.object({
    perS: z.array(z.number()),
    errorsPerS: z.array(z.number()),
    p50Ms: z.array(z.number().nullable()),
    p99Ms: z.array(z.number().nullable()),
  }),
});

export const traffic = z.object({
  /** Seconds of a slice. */
  sliceS: z.number(),
  /** End of the last slice, ms since 1970. */
  endsAt: z.number(),
  operations: z.array(operationTraffic),
  recent: z.array(requestTrace),
});

export const selectorSchema = z
  .strictObject({
    name: z.string().max(64).optional(),
    task: z.string().max(64).optional(),
    node: common.nodeId.optional(),
    labels: z.array(common.label).max(16).optional(),
  })
  .meta({ id: "Selector" });

/** What is called, but for the operation and its arguments. */
export const callFields = {
  selector: selectorSchema.optional(),
  input: jsonInput.optional(),
  inputDescriptor: jsonDescriptor.optional(),
  acceptedOutput: jsonDescriptor.optional(),
  deadlineMs: z.number().int().min(1).max(3_600_000).optional(),
  priority: z.number().int().min(0).max(255).optional(),
} as const;

/** What every call answers with, but for the result. */
export const answerFields = {
  /** That executed it. */
  node: z.string(),
  output: z
    .union([z.object({ base64: z.string() }), z.object({ reference: z.string() })])
    .optional()
    .describe("inline bytes, or a reference: GET /api/v1/blobs/{digest}"),
  outputDescriptor: jsonDescriptor.optional(),
  queueUs: z.number().optional(),
  executionUs: z.number().optional(),
  totalMs: z.number(),
} as const;

export const explainOrder = z.strictObject({
  operation: common.name,
  arguments: z.record(z.string(), z.unknown()).optional(),
  ...callFields,
  /** As whom; default: the operator. */
  sender: common.nodeId.optional(),
});

export const explanation = z.object({
  decision,
  chosen: z.string().optional(),
  error: z.object({ code: z.string(), text: z.string(), field: z.string().optional() }).optional(),
  candidates: z.array(
    z.object({
      node: z.string(),
      kind: z.enum(["self", "node", "server"]),
      fits: z.boolean(),
      why: z.string(),
      score: z.object({ total: z.number(), parts: z.record(z.string(), z.number()) }).optional(),
    }),
  ),
  /** For people. */
  text: z.string().optional(),
});

export const blobInfo = z.object({ digest: common.digest, bytes: common.count, reference: z.string() });

export { decision as decisionSchema, errorName as errorNameSchema };
