/** The operations on functions: deploy, invoke, migrate, remove, list. */
import { z } from "zod";
import { callers, common, defineOperation, field } from "./definition.js";

/** A function as lists and the web page show it. */
export const functionSummary = z.object({
  name: common.name,
  version: common.version,
  digest: common.digest.optional(),
  kind: z.enum(["built-in", "wasm", "worker", "slot"]),
  /** element type and shape, e.g. "f32 [128, 3]". */
  input: z.string(),
  output: z.string(),
  imports: z.array(z.string()),
  bytes: common.count,
  calls: common.count,
  failures: common.count,
  /** Mean execution time, µs; 0 before the first call. */
  meanUs: z.number(),
  signedBy: z.string().optional(),
});

const named = field(0, common.qualified, "the function; without a version the newest");

export const functionDeploy = defineOperation({
  name: "function.deploy",
  summary:
    "Takes in a bundle made by `tmc function build`, at once; or brings a signed function to minimal nodes, as a job.",
  arguments: {
    digest: field(0, common.digest.optional(), "that the bundle must have"),
    nodes: field(1, z.array(common.nodeId).max(1000).optional(), "to these minimal nodes, as a job"),
    labels: field(2, z.array(common.label).max(16).optional(), "to all minimal nodes with these labels"),
    detach: field(
      15,
      z.boolean().optional(),
      "of a job: answer with its id as soon as it is kept; here, without nodes and labels, there is none",
    ),
  },
  result: {
    function: field(0, common.qualified.optional(), "name@version"),
    digest: field(1, common.digest.optional(), "of the bundle"),
    deployed: field(2, z.array(common.nodeId).optional(), "minimal nodes that offer it now"),
    failed: field(3, z.record(z.string(), z.string()).optional(), "node: reason"),
    job: field(15, common.job.optional(), "the job; task.status tells more"),
  },
  input: {
    need: "required",
    summary: "the bundle, inline or by reference; for minimal nodes the signed function (tmc sign)",
  },
  precondition: "signature by a trusted key, ABI, imports and bounds are acceptable here",
  idempotent: true,
  minimal: true,
  job: true,
  pulled: true,
  errors: {
    forbidden: "unsigned, signed by an unknown key, or an import that is not allowed",
    corrupt: "tampered",
  },
});

export const functionInvoke = defineOperation({
  name: "function.invoke",
  summary: "Calls a function once.",
  arguments: {},
  result: { function: field(0, common.qualified, "name@version that ran") },
  selector: {
    name: '"name" or "name@version" of the function',
    node: "this node and no other",
    labels: "nodes with all these labels",
  },
  input: { need: "optional", summary: "bytes with a descriptor that fits the function's input" },
  output: "what the function returned, with its descriptor",
  precondition: "input descriptor fits the function's input, its output fits the accepted output",
  idempotent: false,
  callers: callers.all,
  minimal: true,
  errors: {
    "not-found": "no such function",
    "function-failed": "trap, deadline of the instance, or memory cap",
  },
});

export const functionMigrate = defineOperation({
  name: "function.migrate",
  summary: "Deploys a function to another node, and removes it here once it is offered there.",
  arguments: { function: named, to: field(1, common.nodeId, "the node") },
  result: {
    function: field(0, common.qualified, "name@version"),
    node: field(1, common.nodeId, "that offers it now"),
  },
  precondition: "the other node takes functions of this kind",
  idempotent: true,
  errors: {
    "not-found": "no such function here",
    "no-capable-node": "the other node is away or takes no functions",
  },
});

export const functionRemove = defineOperation({
  name: "function.remove",
  summary: "Removes a function; calls that run are finished.",
  arguments: { function: named },
  result: { function: field(0, common.qualified, "name@version") },
  precondition: "not built in",
  idempotent: true,
  minimal: true,
  errors: { "not-found": "no such function", forbidden: "built in" },
});

export const functionList = defineOperation({
  name: "function.list",
  summary: "Lists functions.",
  arguments: { prefix: field(0, z.string().max(32).optional(), "names that begin so") },
  result: { functions: field(0, z.array(functionSummary), "by name, newest version first") },
  idempotent: true,
  callers: callers.all,
});

export const functionOperations = [
  functionDeploy,
  functionInvoke,
  functionMigrate,
  functionRemove,
  functionList,
] as const;
