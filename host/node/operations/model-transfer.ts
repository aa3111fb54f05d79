/**
 * Models on their way between complete nodes, in pieces: whoever needs the model asks for one piece after the other, so a
 * lost connection costs one piece, memory holds one, and the digest decides at the end. A node that brings a model to
 * another lets that one fetch it, and watches. What is kept and offered is decided elsewhere.
 */
import { modelDeploy, modelRetrieve } from "../../bus/operations/model.js";
import type { JobContext } from "../jobs/jobs.js";
import { qualifiedName, type ModelRecord, type ModelSummary } from "../models/model-records.js";
import type { ModelContext } from "./model-operations.js";
import { OperationFailure } from "./operation.js";
import { askerOf, runThere } from "./other-node.js";

/** Bytes of a piece: a few messages on the bus. A model of no more goes as one input. */
export const pieceBytes = 1024 * 1024;
/** Most bytes of a model. */
export const largestModel = 256 * 1024 * 1024;

type Job = Pick<JobContext, "sender" | "signal" | "progress">;

/**
 * Brings a model of another node into the registry of this one; a version that is here with these bytes is not fetched.
 * @throws OperationFailure not-found, too-large, no-space, forbidden (here it has other bytes), corrupt (wrong pieces or
 *   digest, no model), and whatever keeps the other node from answering
 */
export async function fetchModel(
  context: ModelContext,
  qualified: string,
  from: string,
  job: Job,
): Promise<ModelRecord> {
  const ask = askerOf(context, from, job);
  const piece = async (
    model: string,
    offset: number,
    first: boolean,
  ): Promise<{ readonly model: ModelSummary; readonly bytes: Uint8Array }> => {
    const { result, output } = await ask(first)(modelRetrieve, {
      arguments: { model, offset, bytes: pieceBytes },
    });
    return { model: result.model, bytes: output instanceof Uint8Array ? output : new Uint8Array(0) };
  };
  const { model, bytes: beginning } = await piece(qualified, 0, true);
  const { name, version, digest, bytes: total, labels, ...rest } = model;
  if (total > largestModel) {
    throw new OperationFailure("too-large", `${total} of ${largestModel} bytes`, "arguments.model");
  }
  const known = await context.models.find(`${name}@${version}`);
  if (known?.digest === digest) return known;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < total;) {
      const next = at === 0 ? { model, bytes: beginning } : await piece(`${name}@${version}`, at, false);
      if (next.model.digest !== digest || next.bytes.length !== Math.min(pieceBytes, total - at)) {
        throw new OperationFailure("corrupt", `${from} gave another piece at ${at} of ${total}`);
      }
      at += next.bytes.length;
      yield next.bytes;
      job.progress(at / total, `${at} of ${total} bytes from ${from}`);
    }
  }
  const { task, parent, data, rate, unit } = rest;
  return context.models.receive(
    name,
    version,
    { digest, bytes: total, source: pieces() },
    { task, parent, data, rate, unit, labels: labels.length === 0 ? undefined : labels },
  );
}

/**
 * Lets another complete node fetch a model from this one and offer it; `report` follows it (0..1). What is lost on the
 * way is asked for again; when this job is ended, that of the other node is too.
 * @throws OperationFailure why it did not get it
 */
export async function pushModel(
  context: ModelContext,
  record: ModelRecord,
  target: string,
  job: JobContext,
  report: (fraction: number) => void,
): Promise<void> {
  const order = { arguments: { model: qualifiedName(record), from: context.node, detach: true } };
  await runThere(context, modelDeploy, order, target, job, report);
}
