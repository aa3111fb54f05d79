/** The operations on tasks: schedule, workflow, status, cancel. Jobs are what they make. */
import { z } from "zod";
import { callers, common, defineOperation, field } from "./definition.js";

export const jobStates = ["queued", "running", "done", "failed", "cancelled", "superseded"] as const;

/** An order that a schedule or a step sends: an operation with named arguments. */
export const orderSchema = z.strictObject({
  operation: common.name,
  selector: z
    .strictObject({
      name: z.string().max(64).optional(),
      task: z.string().max(64).optional(),
      node: common.nodeId.optional(),
      labels: z.array(common.label).max(16).optional(),
    })
    .optional(),
  arguments: z.record(z.string(), z.unknown()).optional(),
  /** A reference such as "sensor:accelerometer" or "data:vibration"; inline bytes have no place here. */
  input: z.string().max(200).optional(),
  deadlineMs: z.number().int().min(1).max(3_600_000).optional(),
});

/** A step of a job, as people follow it. */
export const stepSummary = z.object({
  name: z.string(),
  state: z.enum(["waiting", "running", "done", "failed", "skipped", "cancelled"]),
  node: z.string().optional(),
  attempts: common.count,
  /** Names of the steps it waits for, to draw the graph. */
  after: z.array(z.string()).optional(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  error: z.string().optional(),
});

export const jobSummary = z.object({
  id: common.job,
  /** The operation: "model.train", "task.workflow". */
  operation: z.string(),
  /** What it is about, e.g. the name of the model or of the workflow; a newer wish for it supersedes an older one. */
  subject: z.string(),
  state: z.enum(jobStates),
  /** 0..1. */
  progress: z.number().min(0).max(1),
  text: z.string(),
  sender: z.string(),
  createdAt: z.string(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  error: z.object({ code: z.string(), text: z.string().optional(), field: z.string().optional() }).optional(),
  result: z.record(z.string(), z.unknown()).optional(),
  steps: z.array(stepSummary).optional(),
});

export const taskSchedule = defineOperation({
  name: "task.schedule",
  summary: "Sends an order again and again, or once later; kept over restarts.",
  arguments: {
    name: field(0, common.name, "of the schedule; a schedule of this name is replaced"),
    cron: field(1, z.string().max(64).optional(), 'five or six fields, e.g. "0 */6 * * *"; in UTC'),
    everyS: field(2, z.number().min(1).max(31_536_000).optional(), "seconds from start to start"),
    at: field(3, z.iso.datetime().optional(), "once, then"),
    order: field(4, orderSchema.optional(), "what is sent; absent: the schedule is removed"),
  },
  result: {
    next: field(0, z.string().optional(), "when it is sent next"),
    name: field(1, common.name, "of the schedule"),
  },
  precondition: "exactly one of cron, everyS, at; the order is one that its sender may send",
  idempotent: true,
  errors: { "not-found": "no schedule of this name to remove" },
});

export const taskWorkflow = defineOperation({
  name: "task.workflow",
  summary: "Runs a workflow: a directed acyclic graph of operations, checked before the first step.",
  arguments: {
    workflow: field(0, z.record(z.string(), z.unknown()), "the description; see docs/workflows.md"),
    check: field(1, z.boolean().optional(), "only check, and answer with the findings; default false"),
    inputs: field(
      2,
      z.record(z.string(), z.unknown()).optional(),
      "values of the workflow's inputs, by name",
    ),
    detach: field(15, z.boolean().optional(), "answer as soon as the job is kept; default false"),
  },
  result: {
    job: field(15, common.job.optional(), "absent when only checked"),
    steps: field(0, z.array(stepSummary).optional(), "as they ended"),
    outputs: field(1, z.record(z.string(), z.unknown()).optional(), "what the workflow names as its outputs"),
    findings: field(
      2,
      z.array(z.object({ place: z.string(), code: z.string(), text: z.string() })).optional(),
      "with check: all that is wrong, with its place; empty: nothing",
    ),
  },
  precondition:
    "every step's operation, arguments, references and descriptors fit, and somebody is able to do it",
  idempotent: false,
  job: true,
  errors: {
    "bad-request": "`field` is the place in the workflow",
    "no-capable-node": "`field` is the step that nobody can do",
  },
});

export const taskStatus = defineOperation({
  name: "task.status",
  summary: "Tells how jobs are.",
  arguments: {
    job: field(0, common.job.optional(), "this job; default: all, newest first"),
    state: field(1, z.enum(jobStates).optional(), "only in this state"),
    limit: field(2, common.limit.optional(), "at most; default 50"),
  },
  result: { jobs: field(0, z.array(jobSummary), "newest first") },
  idempotent: true,
  callers: callers.all,
  errors: { "not-found": "no such job" },
});

export const taskCancel = defineOperation({
  name: "task.cancel",
  summary: "Ends a job; steps that run are told to stop.",
  arguments: { job: field(0, common.job, "the job") },
  result: { state: field(0, z.enum(jobStates), "of the job now") },
  idempotent: true,
  errors: { "not-found": "no such job" },
});

export const taskOperations = [taskSchedule, taskWorkflow, taskStatus, taskCancel] as const;
