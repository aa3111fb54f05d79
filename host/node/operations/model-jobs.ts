/** model.train, evaluate, optimize, aggregate: data and models are gathered here, the work is done in a thread. */
import { findBoard } from "../../../compiler/board/board.js";
import { modelAggregate, modelEvaluate, modelOptimize, modelTrain } from "../../bus/operations/model.js";
import type { Fields, OperationDefinition, ValueOf } from "../../bus/operations/definition.js";
import type { Usage } from "../data/data-descriptor.js";
import type { DataSetRecord } from "../data/data-set-records.js";
import type { JobContext } from "../jobs/jobs.js";
import { qualifiedName, type ModelRecord } from "../models/model-records.js";
import { readSamples, requireFitting, type ReadSamples } from "../models/read-samples.js";
import { architectureOf } from "../models/training/network.js";
import type { MeasureResult, ModelTask } from "../models/training/tasks.js";
import { argumentsOf, resultFor } from "./arguments.js";
import { jobOperation } from "./job-operation.js";
import type { ModelContext } from "./model-operations.js";
import { OperationFailure, type LocalOperation, type OperationCall } from "./operation.js";

const defaultBoard = "b_l4s5i_iot01a";
/** Epochs of a training for quantisation or with pruning. */
const tuningEpochs = 5;

type Input = Readonly<Record<string, unknown>>;

/** Arguments of a job: those of the call, checked before the job was kept. */
export function jobArguments<A extends Fields, R extends Fields>(
  _definition: OperationDefinition<A, R>,
  input: Input,
): ValueOf<A> {
  return input as ValueOf<A>;
}

/** What the model tells of itself: regression or, without that, classification. */
export function taskOf({ task }: ModelRecord): ModelTask {
  return task === "regression" ? "regression" : "classification";
}

/** The first of these usages that items have. @throws OperationFailure descriptor-mismatch when there is none */
export function usageOf(set: DataSetRecord, wanted: Usage | undefined, fallbacks: readonly Usage[]): Usage {
  const usages = wanted === undefined ? fallbacks : [wanted];
  const found = usages.find((usage) => (set.usages[usage] ?? 0) > 0);
  if (found === undefined) {
    const names = usages.join(" or ");
    throw new OperationFailure(
      "descriptor-mismatch",
      `${set.name} has no items of usage ${names}`,
      "arguments.usage",
    );
  }
  return found;
}

/** Fails at once, before a job is kept, when model or data set are not there. */
export async function checkSubjects({ models, dataSets }: ModelContext, call: OperationCall): Promise<void> {
  const { model, data, from, against } = call.arguments;
  if (typeof data === "string") await dataSets.get(data, "arguments.data");
  if (typeof model === "string") await models.get(model);
  if (typeof from === "string") await models.get(from, "arguments.from");
  if (typeof against === "string") await models.get(against, "arguments.against");
}

export function trainOperation(context: ModelContext): LocalOperation {
  const { models, dataSets, jobs, runTask, sampleBytes, memoryMb } = context;
  jobs.register({
    operation: modelTrain.name,
    // The same seed gives the same model, so a repetition is no other model; one with a budget may be.
    resume: "again",
    run: async (input, job) => {
      const args = jobArguments(modelTrain, input);
      const { name, data, task = "classification", epochs = 30, from } = args;
      const version = await versionOf(context, name, args.version, job);
      const done = await models.find(`${name}@${version}`);
      if (done?.job === job.id) return trained(done, epochs);
      if (done !== undefined) throw taken(done);
      const set = await dataSets.get(data, "arguments.data");
      const parent = from === undefined ? undefined : await models.get(from, "arguments.from");
      if (parent !== undefined) requireFloat(parent, "arguments.from");
      usageOf(set, "training", []);
      const labels = parent?.labels;
      const base = { task, labelled: true, maxBytes: sampleBytes };
      const training = await readSamples(dataSets, set, { usage: "training" }, { ...base, labels });
      if (task === "classification" && training.labels.length < 2) {
        throw new OperationFailure(
          "descriptor-mismatch",
          "training needs two labels at least",
          "arguments.data",
        );
      }
      const validation = await readSamples(
        dataSets,
        set,
        { usage: "validation" },
        { ...base, labels: training.labels },
      );
      if (validation.samples.count > 0 && validation.samples.shape.join() !== training.samples.shape.join()) {
        throw new OperationFailure("descriptor-mismatch", "the items have several shapes", "arguments.data");
      }
      const result = await runTask(
        {
          kind: "train",
          name,
          task,
          labels: training.labels,
          training: training.samples,
          validation: validation.samples,
          architecture: args.architecture ?? architectureOf(training.samples.shape),
          units: args.units ?? [],
          epochs,
          batchSize: args.batchSize ?? 32,
          learningRate: args.learningRate ?? 0.001,
          seed: args.seed ?? 1,
          patience: args.patience,
          budgetS: args.budgetS,
          from: parent === undefined ? undefined : await models.bytesOf(parent),
        },
        { signal: job.signal, report: (fraction, text) => job.progress(fraction, text), memoryMb },
      );
      const measuredOn = validation.samples.count > 0 ? "validation" : "training";
      const record = await models.store(name, version, result.model, {
        task,
        labels: training.labels,
        parent: parent === undefined ? undefined : qualifiedName(parent),
        data,
        rate: set.descriptor.rate,
        unit: set.descriptor.unit,
        job: job.id,
        metrics: { [`${data}:${measuredOn}`]: result.metrics },
      });
      return trained(record, result.epochs);
    },
  });
  const trained = (record: ModelRecord, epochs: number) => ({
    model: qualifiedName(record),
    metrics: { ...Object.values(record.metrics ?? {})[0] },
    epochs,
  });
  return jobOperation(modelTrain, jobs, ({ name }) => String(name), {
    check: (call) => checkSubjects(context, call),
  });
}

/** The version a job makes: chosen once, so that a job that runs again after a restart makes the same. */
async function versionOf(
  { models }: ModelContext,
  name: string,
  wanted: string | undefined,
  job: JobContext,
  base?: string,
): Promise<string> {
  if (wanted !== undefined) return wanted;
  const kept = job.resumedFrom as { readonly version?: string } | undefined;
  if (kept?.version !== undefined) return kept.version;
  const version = await models.freeVersion(name, base);
  await job.checkpoint({ version });
  return version;
}

function taken(record: ModelRecord): OperationFailure {
  return new OperationFailure("forbidden", `${qualifiedName(record)} is there already`, "arguments.version");
}

function requireFloat(record: ModelRecord, field: string): void {
  if (record.form !== "float") {
    throw new OperationFailure(
      "bad-request",
      `${qualifiedName(record)} is ${record.form}: a float model is needed`,
      field,
    );
  }
}

/** Items that fit a model, with its labels. */
export function samplesFor(
  { dataSets, match, sampleBytes }: ModelContext,
  record: ModelRecord,
  set: DataSetRecord,
  usage: Usage,
  labelled: boolean,
): Promise<ReadSamples> {
  requireFitting(match, set, record);
  const { labels = [] } = record;
  return readSamples(
    dataSets,
    set,
    { usage },
    { task: taskOf(record), labels: labels.length > 0 ? labels : undefined, labelled, maxBytes: sampleBytes },
  );
}

/** Measures a model on items, in a thread. */
export async function measureModel(
  context: ModelContext,
  record: ModelRecord,
  { samples, labels }: ReadSamples,
  job: Pick<JobContext, "signal" | "progress">,
): Promise<MeasureResult> {
  const outputs = record.outputs[0]?.shape?.reduce((a, b) => a * b, 1) ?? 0;
  if (taskOf(record) === "classification" && labels.length !== outputs) {
    throw new OperationFailure(
      "descriptor-mismatch",
      `${outputs} outputs, ${labels.length} labels`,
      "arguments.data.labels",
    );
  }
  return context.runTask(
    {
      kind: "measure",
      name: record.name,
      model: await context.models.bytesOf(record),
      task: taskOf(record),
      labels,
      samples,
    },
    {
      signal: job.signal,
      report: (fraction, text) => job.progress(fraction, text),
      memoryMb: context.memoryMb,
    },
  );
}

export function evaluateOperation(context: ModelContext): LocalOperation {
  const { models, dataSets, jobs } = context;
  jobs.register({
    operation: modelEvaluate.name,
    resume: "again",
    run: async (input, job) => {
      const { model, data, usage } = jobArguments(modelEvaluate, input);
      const record = await models.get(model);
      const set = await dataSets.get(data, "arguments.data");
      const measuredOn = usageOf(set, usage, ["test"]);
      const read = await samplesFor(context, record, set, measuredOn, true);
      const { metrics, confusion } = await measureModel(context, record, read, job);
      await models.measured(qualifiedName(record), `${data}:${measuredOn}`, metrics);
      return { metrics, items: read.samples.count, ...(confusion === undefined ? {} : { confusion }) };
    },
  });
  return jobOperation(
    modelEvaluate,
    jobs,
    ({ model, data, usage = "test" }) => `${String(model)} ${String(data)}:${String(usage)}`,
    { check: (call) => checkSubjects(context, call) },
  );
}

export function optimizeOperation(context: ModelContext): LocalOperation {
  const { models, dataSets, jobs, runTask, memoryMb } = context;
  jobs.register({
    operation: modelOptimize.name,
    resume: "again",
    run: async (input, job) => {
      const args = jobArguments(modelOptimize, input);
      const { model, data, method = "int8", sparsity = 0, board = defaultBoard } = args;
      const record = await models.get(model);
      requireFloat(record, "arguments.model");
      const { name } = record;
      const budget = boardBudget(board);
      const version = await versionOf(
        context,
        name,
        args.version,
        job,
        `${record.version.slice(0, 23)}-int8`,
      );
      const done = await models.find(`${name}@${version}`);
      if (done?.job === job.id) return optimized(done);
      if (done !== undefined) throw taken(done);
      const set = await dataSets.get(data, "arguments.data");
      const usage = usageOf(set, args.usage, ["calibration", "training"]);
      const calibration = await samplesFor(context, record, set, usage, false);
      const tunes = method === "int8-qat" || sparsity > 0;
      const hasTraining = (set.usages["training"] ?? 0) > 0;
      const training =
        tunes && hasTraining ? await samplesFor(context, record, set, "training", false) : calibration;
      const result = await runTask(
        {
          kind: "optimize",
          name,
          model: await models.bytesOf(record),
          calibration: calibration.samples,
          training: training.samples,
          labels: record.labels ?? calibration.labels,
          quantizationAware: method === "int8-qat",
          sparsity,
          epochs: tuningEpochs,
        },
        { signal: job.signal, report: (fraction, text) => job.progress(fraction, text), memoryMb },
      );
      const { cost, metrics } = result;
      if (cost.flash > budget.flash || cost.ram > budget.ram) {
        throw new OperationFailure(
          "too-large",
          `${cost.flash} of ${budget.flash} flash, ${cost.ram} of ${budget.ram} RAM`,
          "arguments.board",
        );
      }
      const made = await models.store(name, version, result.model, {
        task: record.task,
        labels: record.labels,
        parent: qualifiedName(record),
        data: record.data,
        rate: record.inputs[0]?.rate,
        unit: record.inputs[0]?.unit,
        job: job.id,
        metrics: { [`${data}:${usage}`]: metrics },
      });
      return optimized(made);
    },
  });
  const optimized = (record: ModelRecord) => ({
    model: qualifiedName(record),
    cost: { ...record.cost },
    metrics: { ...Object.values(record.metrics ?? {})[0] },
  });
  return jobOperation(
    modelOptimize,
    jobs,
    ({ model, board = defaultBoard, method = "int8", version = "" }) =>
      [model, board, method, version].map(String).join(" "),
    {
      check: (call) => {
        boardBudget(argumentsOf(modelOptimize, call).board ?? defaultBoard);
        return checkSubjects(context, call);
      },
    },
  );
}

/** Bytes of flash and RAM. @throws OperationFailure not-found */
function boardBudget(name: string): { readonly flash: number; readonly ram: number } {
  // Boards are also found by path: names of requests are names only.
  if (!/^[a-z0-9_]{1,32}$/.test(name))
    throw new OperationFailure("not-found", "no such board", "arguments.board");
  try {
    const { flash, ram } = findBoard(name).budget;
    return { flash, ram };
  } catch {
    throw new OperationFailure("not-found", `no board ${name}`, "arguments.board");
  }
}

export function aggregateOperation({ models, runTask, memoryMb }: ModelContext): LocalOperation {
  return {
    definition: modelAggregate,
    async run(call) {
      const {
        name,
        models: wanted,
        weights = wanted.map(() => 1),
        version,
      } = argumentsOf(modelAggregate, call);
      if (weights.length !== wanted.length) {
        throw new OperationFailure(
          "bad-request",
          `${wanted.length} models, ${weights.length} weights`,
          "arguments.weights",
        );
      }
      const records: ModelRecord[] = [];
      for (const qualified of wanted) records.push(await models.get(qualified, "arguments.models"));
      for (const record of records) requireFloat(record, "arguments.models");
      const [first] = records;
      if (records.some(({ labels = [] }) => labels.join("\0") !== (first?.labels ?? []).join("\0"))) {
        throw new OperationFailure("descriptor-mismatch", "the models have other labels", "arguments.models");
      }
      const known = version === undefined ? undefined : await models.find(`${name}@${version}`);
      if (known !== undefined) throw taken(known);
      const { model } = await runTask(
        {
          kind: "average",
          name,
          models: await Promise.all(records.map((one) => models.bytesOf(one))),
          weights,
        },
        { signal: call.signal, memoryMb },
      );
      const record = await models.store(name, version ?? (await models.freeVersion(name)), model, {
        task: first?.task,
        labels: first?.labels,
        parent: first === undefined ? undefined : qualifiedName(first),
        rate: first?.inputs[0]?.rate,
        unit: first?.inputs[0]?.unit,
      });
      return { result: resultFor(modelAggregate, { model: qualifiedName(record) }) };
    },
  };
}
