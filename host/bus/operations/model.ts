/** The operations on models. A stored model is immutable: name, version, digest; its stage and metrics are not. */
import { z } from "zod";
import { callers, common, defineOperation, field } from "./definition.js";

export const stages = ["candidate", "production", "retired"] as const;

/** A model as lists and the web page show it. */
export const modelSummary = z.object({
  name: common.name,
  version: common.version,
  digest: common.digest,
  /** What it computes with; the bytes are a .tflite file always. */
  form: z.enum(["float", "int8", "int16"]),
  task: z.string().optional(),
  stage: z.enum(stages),
  bytes: common.count,
  /** element type and shape, e.g. "i8 [1, 128, 3]". */
  inputs: z.array(z.string()),
  outputs: z.array(z.string()),
  labels: z.array(z.string()),
  /** With the data they were measured on: { "vibration:test": { accuracy: 0.98 } }. */
  metrics: z.record(z.string(), common.metrics),
  /** flash, ram, stack in bytes, macs. */
  cost: z.record(z.string(), z.number()).optional(),
  parent: z.string().optional(),
  /** The data it was trained on. */
  data: z.string().optional(),
  /** Of the input: Hz, unit. */
  rate: z.number().optional(),
  unit: z.string().optional(),
  createdAt: z.string(),
  /** Nodes that offer it now. */
  nodes: z.array(common.nodeId),
});

const model = field(
  0,
  common.qualified,
  "the model; without a version the newest in production, else the newest",
);
const data = field(1, common.name, "the data set");
const detach = field(
  15,
  z.boolean().optional(),
  "answer with the job's id as soon as the job is kept; default false",
);
const job = field(15, common.job, "the job; task.status tells more");
const usage = (fallback: string) =>
  field(2, common.usage.optional(), `items of this usage; default ${fallback}`);

/** A limit on a metric. */
export const gate = z.strictObject({ min: z.number().optional(), max: z.number().optional() });

export const modelTrain = defineOperation({
  name: "model.train",
  summary: "Trains a classifier or regressor on a data set, and keeps it as a candidate.",
  arguments: {
    name: field(0, common.name, "of the model"),
    data,
    version: field(2, common.version.optional(), "default: the next number"),
    architecture: field(
      3,
      z.enum(["mlp", "conv1d", "conv2d"]).optional(),
      "default: by the shape of the items",
    ),
    units: field(4, z.array(z.number().int().min(1).max(512)).max(6).optional(), "of the hidden layers"),
    epochs: field(5, z.number().int().min(1).max(10_000).optional(), "at most; default 30"),
    batchSize: field(6, z.number().int().min(1).max(4096).optional(), "default 32"),
    learningRate: field(7, z.number().positive().max(1).optional(), "of Adam; default 0.001"),
    seed: field(
      8,
      z.number().int().min(0).max(0xffffffff).optional(),
      "default 1; the same seed gives the same model",
    ),
    patience: field(
      9,
      z.number().int().min(1).optional(),
      "epochs without a better validation loss before it stops; default: never",
    ),
    budgetS: field(
      10,
      z.number().positive().max(86_400).optional(),
      "seconds of training at most; the best weights so far are kept",
    ),
    from: field(11, common.qualified.optional(), "goes on from this model's weights"),
    task: field(12, z.enum(["classification", "regression"]).optional(), "default classification"),
    detach,
  },
  result: {
    model: field(0, common.qualified.optional(), "name@version; absent when detached"),
    metrics: field(1, common.metrics.optional(), "on the validation items"),
    epochs: field(2, common.count.optional(), "done"),
    job,
  },
  precondition:
    "the data set has items of usage training, all of one shape; labels are the classes, or numbers for regression",
  idempotent: false,
  job: true,
  errors: {
    "not-found": "no such data set",
    "descriptor-mismatch": "the data cannot train this: which field",
    "function-failed": "the training diverged",
    forbidden: "the version is there already",
  },
});

export const modelEvaluate = defineOperation({
  name: "model.evaluate",
  summary: "Measures a model on data and keeps the metrics with it.",
  arguments: { model, data, usage: usage("test"), detach },
  result: {
    metrics: field(0, common.metrics.optional(), "accuracy, loss, macro f1 … or mae, rmse"),
    confusion: field(1, z.array(z.array(common.count)).optional(), "rows: true class, columns: predicted"),
    items: field(2, common.count.optional(), "measured"),
    job,
  },
  precondition: "the items fit the model's input in shape, rate and unit; their labels are among the model's",
  idempotent: true,
  job: true,
  errors: { "not-found": "no such model or data set" },
});

export const modelValidate = defineOperation({
  name: "model.validate",
  summary: "Decides whether a model may go on: gates on metrics, on cost, and against another model.",
  arguments: {
    model,
    data,
    usage: usage("validation, or test when there is none"),
    gates: field(3, z.record(z.string(), gate), "by metric (accuracy, loss …) or cost (flash, ram, macs)"),
    against: field(4, common.qualified.optional(), "must not be worse than this model on any gated metric"),
    detach,
  },
  result: {
    passed: field(0, z.boolean().optional(), "all gates hold"),
    failures: field(1, z.array(z.string()).optional(), '"accuracy 0.81 < 0.9"'),
    metrics: field(2, common.metrics.optional(), "measured"),
    job,
  },
  precondition: "as model.evaluate",
  idempotent: true,
  job: true,
  errors: { "not-found": "no such model or data set" },
});

export const modelOptimize = defineOperation({
  name: "model.optimize",
  summary: "Makes a quantised (and pruned) model for a board, with its cost.",
  arguments: {
    model,
    data: field(1, common.name, "data set for calibration"),
    usage: usage("calibration, or training when there is none"),
    version: field(3, common.version.optional(), 'default: the version with "-int8"'),
    board: field(4, z.string().max(32).optional(), "whose budget and kernels count; default b_l4s5i_iot01a"),
    method: field(
      5,
      z.enum(["int8", "int8-qat"]).optional(),
      "after training, or trained for it; default int8",
    ),
    sparsity: field(
      6,
      z.number().min(0).max(0.95).optional(),
      "share of channels pruned in each layer but the last; default 0",
    ),
    detach,
  },
  result: {
    model: field(0, common.qualified.optional(), "name@version"),
    cost: field(1, common.metrics.optional(), "flash, ram in bytes, macs"),
    metrics: field(2, common.metrics.optional(), "agreement with the float model on the calibration items"),
    job,
  },
  precondition: "the model is a float model whose operators the compiler has; the data fits its input",
  idempotent: false,
  job: true,
  errors: {
    "not-found": "no such model or data set",
    "too-large": "above the board's budget",
    forbidden: "the version is there already",
  },
});

export const modelStore = defineOperation({
  name: "model.store",
  summary: "Keeps a model.",
  arguments: {
    name: field(0, common.name, "of the model"),
    version: field(1, common.version, "a version that is there already must have the same digest"),
    task: field(2, z.string().max(64).optional(), 'e.g. "classification"'),
    labels: field(3, z.array(common.label).max(1000).optional(), "of the classes"),
    parent: field(4, common.qualified.optional(), "the model it was made of"),
    digest: field(5, common.digest.optional(), "that the bytes must have"),
    rate: field(6, z.number().positive().optional(), "Hz of the input"),
    unit: field(7, z.string().max(15).optional(), "of the input"),
  },
  result: {
    model: field(0, common.qualified, "name@version"),
    digest: field(1, common.digest, "of the bytes"),
  },
  input: { need: "required", summary: "a .tflite file" },
  precondition: "the bytes are a model whose operators the compiler has",
  idempotent: true,
  errors: {
    corrupt: "not a model, or not the stated digest",
    forbidden: "the version is there with other bytes",
  },
});

export const modelRetrieve = defineOperation({
  name: "model.retrieve",
  summary: "Gives a model's bytes, or a piece of them, and what is known of it.",
  arguments: {
    model,
    offset: field(1, common.count.optional(), "bytes to leave out; default 0"),
    bytes: field(2, z.number().int().min(1).optional(), "at most; default: all that follow"),
  },
  result: { model: field(0, modelSummary, "what is known of it") },
  output: "the bytes; a reference when larger than a message",
  idempotent: true,
  callers: callers.all,
  errors: {
    "not-found": "no such model",
    "too-large": "more than goes over the bus at once: ask for pieces",
  },
});

export const modelList = defineOperation({
  name: "model.list",
  summary: "Lists models.",
  arguments: {
    prefix: field(0, z.string().max(32).optional(), "names that begin so"),
    stage: field(1, z.enum(stages).optional(), "only of this stage"),
    task: field(2, z.string().max(64).optional(), "only for this task"),
    limit: field(3, common.limit.optional(), "at most; default 100"),
  },
  result: { models: field(0, z.array(modelSummary), "by name, newest version first") },
  idempotent: true,
  callers: callers.all,
});

export const modelDelete = defineOperation({
  name: "model.delete",
  summary: "Removes a version of a model.",
  arguments: { model: field(0, common.qualified, "name@version") },
  result: { model: field(0, common.qualified, "removed") },
  precondition: "not in production, and no node offers it",
  idempotent: true,
  errors: { "not-found": "no such model", forbidden: "in production or in use" },
});

export const modelPromote = defineOperation({
  name: "model.promote",
  summary: "Moves a model to a stage; one version of a name is in production, the one before is retired.",
  arguments: { model, stage: field(1, z.enum(stages), "the new stage") },
  result: {
    model: field(0, common.qualified, "name@version"),
    retired: field(1, common.qualified.optional(), "that was in production before"),
  },
  precondition: "to production: the model was validated, and passed",
  idempotent: true,
  errors: {
    "not-found": "no such model",
    forbidden: "its last model.validate did not pass, or there was none",
  },
});

export const modelDeploy = defineOperation({
  name: "model.deploy",
  summary: "Brings a model to nodes, and waits until they offer it.",
  arguments: {
    model,
    nodes: field(1, z.array(common.nodeId).max(1000).optional(), "to these; default: to this node"),
    labels: field(2, z.array(common.label).max(16).optional(), "to all nodes with these labels"),
    from: field(3, common.nodeId.optional(), "complete node that gives the model, when this one has it not"),
    detach,
  },
  result: {
    deployed: field(0, z.array(common.nodeId).optional(), "nodes that offer it now"),
    failed: field(1, z.record(z.string(), z.string()).optional(), "node: reason"),
    job,
  },
  input: {
    need: "optional",
    summary:
      "for minimal nodes: the signed package (tmc sign); default: made of the model, signed by this node",
  },
  precondition: "the node has the kernels, flash and RAM that the model needs",
  idempotent: true,
  minimal: true,
  job: true,
  pulled: true,
  errors: {
    "no-capable-node": "no node of these takes models",
    "no-space": "the node's slot is too small",
    forbidden: "not signed by the node's owner, or older than what it has",
    corrupt: "the digest is wrong, or its self-test failed",
  },
});

export const modelUndeploy = defineOperation({
  name: "model.undeploy",
  summary: "Takes a model off nodes.",
  arguments: {
    model,
    nodes: field(1, z.array(common.nodeId).max(1000).optional(), "off these; default: off this node"),
  },
  result: { removed: field(0, z.array(common.nodeId), "nodes that offered it") },
  idempotent: true,
  minimal: true,
  errors: { "not-found": "no node of these offers it" },
});

export const modelInfer = defineOperation({
  name: "model.infer",
  summary: "One inference.",
  arguments: {
    rate: field(0, z.number().positive().optional(), "Hz of a sensor window; default: the model's"),
  },
  result: {
    label: field(0, z.string(), 'of the best class; "" when the model has none'),
    score: field(1, z.number(), "of the best class, dequantised"),
    index: field(2, common.count, "of the best class"),
    model: field(3, z.string(), "name@version"),
    lost: field(4, common.count.optional(), "frames lost while the window was taken"),
  },
  selector: {
    name: '"name" or "name@version" of the model; default: any that fits',
    task: "any model for this task",
    node: "this node and no other",
    labels: "nodes with all these labels",
  },
  input: {
    need: "required",
    summary: 'bytes (i8 in the model\'s quantisation, or f32 in its unit), or "sensor:<name>"',
  },
  output: "the output tensor: i8, or f32 when the accepted output says so",
  precondition: "input descriptor fits the model's input, the model's output fits the accepted output",
  idempotent: true,
  callers: callers.all,
  minimal: true,
  errors: { "not-found": "no such model or sensor" },
});

export const modelAggregate = defineOperation({
  name: "model.aggregate",
  summary: "Averages the weights of models of one architecture (federated averaging).",
  arguments: {
    name: field(0, common.name, "of the new model"),
    models: field(1, z.array(common.qualified).min(2).max(100), "float models"),
    weights: field(
      2,
      z.array(z.number().positive()).max(100).optional(),
      "e.g. items each was trained on; default equal",
    ),
    version: field(3, common.version.optional(), "default: the next number"),
  },
  result: { model: field(0, common.qualified, "name@version") },
  precondition: "all models have the same layers, shapes and labels",
  idempotent: false,
  errors: {
    "not-found": "no such model",
    "descriptor-mismatch": "layers or labels differ",
    forbidden: "the version is there already",
  },
});

export const modelOperations = [
  modelTrain,
  modelEvaluate,
  modelValidate,
  modelOptimize,
  modelStore,
  modelRetrieve,
  modelList,
  modelDelete,
  modelPromote,
  modelDeploy,
  modelUndeploy,
  modelInfer,
  modelAggregate,
] as const;
