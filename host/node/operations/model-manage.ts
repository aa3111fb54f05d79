/** model.store, retrieve, list, delete, promote: what is done with models without executing them. */
import {
  modelDelete,
  modelList,
  modelPromote,
  modelRetrieve,
  modelStore,
} from "../../bus/operations/model.js";
import type { Birth } from "../../bus/protocol.js";
import { digestOf } from "../storage/blob-uses.js";
import { describeEnd } from "../models/inspect-model.js";
import { qualifiedName, type ModelRecord, type ModelSummary } from "../models/model-records.js";
import { argumentsOf, resultFor } from "./arguments.js";
import type { ModelContext } from "./model-operations.js";
import { OperationFailure, type LocalOperation } from "./operation.js";
import { largestModel } from "./model-transfer.js";
import { inputOf } from "./references.js";

/** Does a node with this birth record offer the model? */
export function offers(
  { models = [] }: Pick<Birth, "models">,
  { name, version }: Pick<ModelRecord, "name" | "version">,
): boolean {
  return models.some((model) => model.name === name && model.version === version);
}

/** Nodes that offer the model now. */
export function nodesWith({ deployed, nodes, node }: ModelContext, record: ModelRecord): string[] {
  const here = deployed.find(qualifiedName(record)) === undefined ? [] : [node];
  const others = nodes().filter(
    (other) => other.online && other.node !== node && offers(other.birth, record),
  );
  return [...here, ...others.map((other) => other.node)];
}

/** A model as lists show it. */
export function summaryOf(context: ModelContext, record: ModelRecord): ModelSummary {
  const { name, version, digest, form, stage, bytes, inputs, outputs, labels = [], metrics = {} } = record;
  const { task, cost, parent, data, createdAt } = record;
  const [{ rate, unit } = {}] = inputs;
  return {
    name,
    version,
    digest,
    form,
    stage,
    bytes,
    inputs: inputs.map(describeEnd),
    outputs: outputs.map(describeEnd),
    labels: [...labels],
    metrics: Object.fromEntries(Object.entries(metrics).map(([key, values]) => [key, { ...values }])),
    createdAt: new Date(createdAt).toISOString(),
    nodes: nodesWith(context, record),
    ...(task === undefined ? {} : { task }),
    ...(cost === undefined ? {} : { cost: { ...cost } }),
    ...(parent === undefined ? {} : { parent }),
    ...(data === undefined ? {} : { data }),
    ...(rate === undefined ? {} : { rate }),
    ...(unit === undefined ? {} : { unit }),
  };
}

export function storeOperation({ models, resolve }: ModelContext): LocalOperation {
  return {
    definition: modelStore,
    async run(call) {
      const { name, version, digest, ...details } = argumentsOf(modelStore, call);
      const { input, inputDescriptor } = call.request;
      const { bytes } = await inputOf(input, inputDescriptor, resolve, largestModel);
      if (digest !== undefined && digest !== digestOf(bytes)) {
        throw new OperationFailure("corrupt", "the bytes have another digest", "arguments.digest");
      }
      const record = await models.store(name, version, bytes, details);
      return { result: resultFor(modelStore, { model: qualifiedName(record), digest: record.digest }) };
    },
  };
}

export function retrieveOperation(context: ModelContext): LocalOperation {
  return {
    definition: modelRetrieve,
    async run(call) {
      const { model, offset = 0, bytes } = argumentsOf(modelRetrieve, call);
      const record = await context.models.get(model);
      const result = resultFor(modelRetrieve, { model: summaryOf(context, record) });
      if (offset === 0 && bytes === undefined) {
        const output = await context.models.bytesOf(record);
        const digest = Buffer.from(record.digest, "hex");
        return { result, output, outputDescriptor: { digest, bytes: output.length } };
      }
      const start = Math.min(offset, record.bytes);
      const end = Math.min(record.bytes, start + (bytes ?? record.bytes));
      // A piece has no digest of its own: whoever asks for pieces checks the whole.
      const output = await context.models.pieceOf(record, start, end);
      return { result, output, outputDescriptor: { bytes: output.length } };
    },
  };
}

export function listOperation(context: ModelContext): LocalOperation {
  return {
    definition: modelList,
    async run(call) {
      const { limit = 100, prefix, stage, task } = argumentsOf(modelList, call);
      const records = await context.models.list({
        ...(prefix === undefined ? {} : { prefix }),
        ...(stage === undefined ? {} : { stage }),
        ...(task === undefined ? {} : { task }),
      });
      const models = records.slice(0, limit).map((record) => summaryOf(context, record));
      return { result: resultFor(modelList, { models }) };
    },
  };
}

export function deleteOperation(context: ModelContext): LocalOperation {
  return {
    definition: modelDelete,
    async run(call) {
      const { model } = argumentsOf(modelDelete, call);
      if (!model.includes("@")) {
        throw new OperationFailure("bad-request", "which version? name@version", "arguments.model");
      }
      const record = await context.models.get(model);
      const [node] = nodesWith(context, record);
      if (node !== undefined) {
        throw new OperationFailure("forbidden", `node ${node} offers it`, "arguments.model");
      }
      await context.models.delete(model);
      return { result: resultFor(modelDelete, { model: qualifiedName(record) }) };
    },
  };
}

export function promoteOperation({ models }: ModelContext): LocalOperation {
  return {
    definition: modelPromote,
    async run(call) {
      const { model: wanted, stage } = argumentsOf(modelPromote, call);
      const { model, retired } = await models.promote(wanted, stage);
      const before = retired === undefined ? {} : { retired: qualifiedName(retired) };
      return { result: resultFor(modelPromote, { model: qualifiedName(model), ...before }) };
    },
  };
}
