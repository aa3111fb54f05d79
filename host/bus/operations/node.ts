/** The operations on nodes: describe, discover, monitor, configure, control, update. */
import { z } from "zod";
import {
  birthKeys,
  counterKeys,
  crashKeys,
  descriptorKeys,
  driftKeys,
  peakKeys,
  trapKeys,
  type Keys,
} from "../protocol-keys.js";
import { callers, common, defineOperation, field, type FieldDefinition, type Fields } from "./definition.js";

/** A node as lists and the web page show it. */
export const nodeSummary = z.object({
  node: common.nodeId,
  online: z.boolean(),
  kind: z.enum(["minimal", "complete"]),
  software: z.string(),
  version: z.string(),
  boot: common.count,
  operations: z.array(z.string()),
  sensors: z.array(z.string()),
  models: z.array(z.string()),
  functions: z.array(z.string()),
  labels: z.array(z.string()),
  /** The server it is joined to. */
  server: common.nodeId,
  /** Requests dispatched to it that are not answered. */
  inFlight: common.count,
  /** Mean round trip of its answers, ms; absent before the first. */
  latencyMs: z.number().optional(),
  resetReason: z.string().optional(),
  uptimeS: z.number().optional(),
  errorFlags: z.number().optional(),
  lastSeen: z.string(),
});

/** The birth record's members but the version: node.describe answers with the record itself. */
const birthFields: Fields = Object.fromEntries(
  Object.entries(birthKeys as Keys).map(([name, of]): [string, FieldDefinition] => {
    const member = { schema: z.unknown(), summary: "as in the birth record" };
    if (typeof of === "number") return [name, { ...member, key: of }];
    return [
      name,
      "map" in of
        ? { ...member, key: of.key, keys: of.map }
        : { ...member, key: of.key, keys: of.list, list: true },
    ];
  }),
);

export const nodeDescribe = defineOperation({
  name: "node.describe",
  summary: "Gives the birth record.",
  arguments: {},
  result: birthFields,
  idempotent: true,
  callers: callers.all,
  minimal: true,
});

export const nodeDiscover = defineOperation({
  name: "node.discover",
  summary: "Lists the nodes of this server that could do something.",
  arguments: {
    operation: field(0, common.name.optional(), "that can do this operation"),
    model: field(1, common.qualified.optional(), "that offer this model"),
    task: field(2, z.string().max(64).optional(), "that offer a model for this task"),
    labels: field(3, z.array(common.label).max(16).optional(), "that have all these labels"),
    input: field(4, z.unknown().optional(), "whose offer fits this input descriptor", descriptorKeys),
    offline: field(5, z.boolean().optional(), "also nodes that are away; default false"),
    limit: field(6, common.limit.optional(), "at most; default 100"),
    node: field(7, common.nodeId.optional(), "this one"),
  },
  result: { nodes: field(0, z.array(nodeSummary), "by id") },
  idempotent: true,
  callers: callers.all,
});

/** What a model decided on a node. */
export const inferenceCounts = z.object({
  /** name@version */
  model: z.string(),
  inferences: common.count,
  /** Mean time of an inference, waiting included, µs. */
  meanUs: z.number(),
  /** Decisions by label, or by number where the model has none: the 16 most frequent. */
  labels: z.record(z.string(), z.number()),
  /** Mean score of the best class over the last hundred or so. */
  recentScore: z.number(),
});

/** Sums of what went into a model, by feature: no sample is in them. */
export const driftSummary = z.object({
  model: z.string(),
  /** The setting `drift.epoch` under which they began. */
  epoch: common.count,
  /** Of each feature. */
  samples: common.count,
  /** [min, max, mean, variance, [count of each bin]] in the model's unit; bins divide its quantised range. */
  features: z
    .array(z.tuple([z.number(), z.number(), z.number(), z.number(), z.array(common.count).max(16)]))
    .max(8),
});

export const nodeMonitor = defineOperation({
  name: "node.monitor",
  summary: "Tells how the node is.",
  arguments: {},
  result: {
    uptimeS: field(0, common.count, "s"),
    boot: field(1, common.count, "boot counter"),
    resetReason: field(2, z.number().int().min(0).max(6), "of the last reset"),
    errorFlags: field(
      3,
      common.count,
      "bit 0 a trap since boot, 1 settings unreadable, 2 a sensor missing, 3 the boot before crashed",
    ),
    counters: field(4, z.unknown(), "as in the state record", counterKeys),
    active: field(5, common.count, "background requests now"),
    models: field(
      6,
      z.array(inferenceCounts).max(100).optional(),
      "what the models that it offers decided since they were deployed or the node started (complete nodes)",
    ),
    stackFree: field(7, common.count.optional(), "bytes of stack that were never used since boot"),
    peaks: field(
      8,
      z.object({ jobs: common.count, unsent: common.count, frames: common.count }).optional(),
      "most at once since boot: background requests, answers that wait to be sent, frames in a sensor's ring",
      peakKeys,
    ),
    crash: field(
      9,
      z
        .object({ kind: common.count, site: common.count, boot: common.count, work: z.string().max(23) })
        .optional(),
      "the last of any boot; kind 1-8 an uncaught trap, 16 the watchdog, 17 a fault of the processor",
      crashKeys,
    ),
    trap: field(
      10,
      z.object({ kind: common.count, site: common.count }).optional(),
      "the last since boot that ended a handler or an operation",
      trapKeys,
    ),
    drift: {
      key: 11,
      schema: z.array(driftSummary).max(16).optional(),
      summary: "sums of what went into models; a feature is [min, max, mean, variance, [count of each bin]]",
      keys: driftKeys,
      list: true,
    },
  },
  idempotent: true,
  callers: callers.all,
  minimal: true,
});

const settingValue = z.union([z.number(), z.boolean(), z.string().max(256)]);

export const nodeConfigure = defineOperation({
  name: "node.configure",
  summary: "Sets settings, all or none, and answers with every setting; kept over restarts.",
  arguments: {
    settings: field(0, z.record(z.string(), settingValue).optional(), "name: value; absent: only tells"),
  },
  result: { settings: field(0, z.record(z.string(), settingValue), "name: value") },
  precondition: "every value is in its setting's range",
  idempotent: true,
  minimal: true,
  errors: { "not-found": "no such setting", "bad-request": "`field` is the setting that is out of range" },
});

export const nodeControl = defineOperation({
  name: "node.control",
  summary: "Restarts, drains or shows itself.",
  arguments: {
    action: field(
      0,
      z.enum(["restart", "drain", "resume", "identify"]),
      "drain: finish what runs, take nothing new; resume: take requests again; identify: blink, or log",
    ),
  },
  result: { state: field(0, z.string(), 'now: "running", "draining", "drained", "restarting"') },
  idempotent: true,
  callers: callers.people,
  minimal: true,
});

export const nodeUpdate = defineOperation({
  name: "node.update",
  summary: "Takes in new firmware (minimal nodes), tests it, and returns to the old one when it fails.",
  arguments: {
    version: field(0, common.version, "of the image"),
    digest: field(1, common.digest, "of the image"),
    nodes: field(2, z.array(common.nodeId).max(1000).optional(), "to these (asked of a complete node)"),
    labels: field(3, z.array(common.label).max(16).optional(), "to all minimal nodes with these labels"),
    detach: field(15, z.boolean().optional(), "answer with the job's id as soon as the job is kept"),
  },
  result: {
    version: field(0, common.version.optional(), "that runs now"),
    updated: field(1, z.array(common.nodeId).optional(), "nodes that run it now"),
    failed: field(2, z.record(z.string(), z.string()).optional(), "node: reason"),
    job: field(15, common.job.optional(), "the job; task.status tells more"),
  },
  input: { need: "required", summary: "the signed image (tmc sign)" },
  precondition: "signed for this board, and not older than the rollback counter allows",
  idempotent: true,
  callers: callers.people,
  minimal: true,
  job: true,
  pulled: true,
  errors: { forbidden: "not signed by the node's owner, or older", corrupt: "the digest is wrong" },
});

export const nodeOperations = [
  nodeDescribe,
  nodeDiscover,
  nodeMonitor,
  nodeConfigure,
  nodeControl,
  nodeUpdate,
] as const;
