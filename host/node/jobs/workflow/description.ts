/**
 * What a workflow is, as a value: the schema of workflow files and of the argument of task.workflow. References are
 * strings (references.ts); whether the parts fit together is check.ts's business. docs/workflows.md explains it to people.
 */
import { z } from "zod";
import { common } from "../../../bus/operations/definition.js";

const stepName = z
  .string()
  .regex(/^[a-z0-9_-]{1,32}$/, "1-32 characters of a-z 0-9 _ -")
  .describe("name of the step; references use it");

const reference = z.string().max(200);
const scalar = z.union([z.string(), z.number(), z.boolean()]);

const condition = z
  .strictObject({
    value: z.union([scalar, z.null()]).describe('what is looked at, e.g. "${steps.validate.result.passed}"'),
    equals: scalar.optional().describe("it is this"),
    not: scalar.optional().describe("it is anything but this"),
    min: z.number().optional().describe("it is at least this"),
    max: z.number().optional().describe("it is at most this"),
  })
  .refine(
    ({ equals, not, min, max }) => [equals, not, min, max].some((part) => part !== undefined),
    "needs one of equals, not, min, max",
  );

const step = z.strictObject({
  name: stepName,
  operation: common.name.describe("e.g. model.train; docs/operations.md lists them"),
  selector: z
    .strictObject({
      name: reference.optional().describe("of a model or function, with @version or without"),
      task: reference.optional(),
      node: reference.optional().describe("this node and no other"),
      labels: z.array(reference).max(16).optional().describe("nodes with all these labels"),
    })
    .optional()
    .describe("which node, model or function; any value may be a reference"),
  arguments: z.record(z.string(), z.unknown()).optional().describe("by name; any value may be a reference"),
  input: z
    .string()
    .max(500)
    .optional()
    .describe(
      'a reference to data, e.g. "data:vibration", "sensor:accelerometer", or "${steps.NAME.output}"',
    ),
  needs: z
    .array(stepName)
    .max(200)
    .optional()
    .describe("steps that must be done before, beside those that are referred to"),
  each: z
    .union([z.array(z.unknown()).min(1).max(1000), z.string().max(500)])
    .optional()
    .describe("runs the step once for each item, in parallel; ${each} is the item"),
  times: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe("runs the step so many times, or so many times for each item"),
  when: condition.optional().describe("skips the step, and those that need it, when it does not hold"),
  retries: z
    .strictObject({
      attempts: z.number().int().min(1).max(20).describe("in all"),
      backoffMs: z
        .number()
        .int()
        .min(0)
        .max(3_600_000)
        .default(1000)
        .describe("before the second; doubled each time"),
    })
    .optional()
    .describe(
      "after busy and no-capable-node; after deadline and internal where the operation may be repeated",
    ),
  deadlineMs: z
    .number()
    .int()
    .min(1)
    .max(30 * 86_400_000)
    .optional()
    .describe("of one attempt; default: of a job none, of other operations the node's default"),
  repeat: z
    .boolean()
    .optional()
    .describe("may be done again when the node ended while it ran, although its operation is not idempotent"),
});

const input = z.strictObject({
  type: z.enum(["string", "number", "integer", "boolean", "list", "object"]),
  default: z.unknown().optional().describe("absent: the input must be given"),
  description: z.string().max(500).optional(),
});

export const workflowSchema = z.strictObject({
  workflow: common.name.describe("name; a newer run of this name supersedes an older one"),
  description: z.string().max(2000).optional(),
  inputs: z.record(stepName, input).optional(),
  deadlineMs: z
    .number()
    .int()
    .min(1)
    .max(30 * 86_400_000)
    .optional()
    .describe("of the whole; default 24 hours"),
  parallel: z
    .number()
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe("steps that run at a time, at most; default 8"),
  steps: z.array(step).min(1).max(200),
  outputs: z.record(stepName, z.unknown()).optional().describe("what the workflow gives, by name"),
});

export type Workflow = z.infer<typeof workflowSchema>;
export type WorkflowStep = Workflow["steps"][number];
export type WorkflowInputType = z.infer<typeof input>["type"];

/** Has it `results`, a list, and not one `result`? */
export const runsSeveralTimes = (step: WorkflowStep): boolean =>
  step.each !== undefined || step.times !== undefined;

export const defaultWorkflowDeadlineMs = 86_400_000;
export const defaultParallel = 8;
