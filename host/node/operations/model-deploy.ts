/**
 * model.deploy and model.undeploy: to this node, to other complete nodes (which get the model first) and to minimal
 * nodes that take packages. Each node succeeds or fails for itself, with a reason.
 */
import { packageModel } from "../../../compiler/model/package/write.js";
import { elementCount, tensorAt, type Graph } from "../../../compiler/model/graph.js";
import { contentFacts } from "../../../compiler/update/content.js";
import { UserError } from "../../../compiler/diagnostics/user-error.js";
import { modelDeploy, modelUndeploy } from "../../bus/operations/model.js";
import type { RegisteredNode } from "../core/core-service.js";
import type { JobContext } from "../jobs/jobs.js";
import { readGraph } from "../models/inspect-model.js";
import { qualifiedName, type ModelRecord } from "../models/model-records.js";
import { argumentsOf, resultFor } from "./arguments.js";
import { updateDevice, updateOf, UpdateRequests } from "./device-update.js";
import { serversNextTo } from "./far-device.js";
import { failedOf, onEach, subjectFor, targetsOf, type Report } from "./fan-out.js";
import { jobExtras, jobOperation } from "./job-operation.js";
import { checkSubjects, jobArguments } from "./model-jobs.js";
import { offers } from "./model-manage.js";
import type { ModelContext } from "./model-operations.js";
import { fetchModel, pieceBytes, pushModel } from "./model-transfer.js";
import { OperationFailure, type LocalOperation, type Order } from "./operation.js";
import { throwOnError } from "./other-node.js";

/** A node has so long to take a model, and then so long to offer it. */
const deployMs = 120_000;
const offerMs = 5000;
const complete = 1;

export function deployOperation(context: ModelContext): LocalOperation {
  const { models, jobs } = context;
  jobs.register({
    operation: modelDeploy.name,
    resume: "again",
    // It waits for other nodes, which may be waiting for this one.
    coordinates: true,
    run: async (input, job) => {
      const { model, nodes, labels, from } = jobArguments(modelDeploy, input);
      const given = input[jobExtras.input];
      const record =
        from !== undefined && from !== context.node
          ? await fetchModel(context, model, from, job)
          : given === undefined
            ? await models.get(model)
            : await models.find(model);
      const version =
        given === undefined && record !== undefined
          ? registryVersion(context, record)
          : await givenVersion(context, model, given, record);
      const order: DeployOrder = { model, record, version, requests: new UpdateRequests(job) };
      const self = { id: context.node, labels: context.labels };
      const targets =
        labels === undefined && nodes === undefined
          ? [context.node]
          : targetsOf(context.nodes(), nodes, labels, self);
      if (targets.length === 0) {
        throw new OperationFailure("no-capable-node", "no node has these labels", "arguments.labels");
      }
      const end = await onEach(targets, job, (target, report) =>
        deployTo(context, order, target, job, report),
      );
      return { deployed: end.done, ...failedOf(end) };
    },
  });
  return jobOperation(
    modelDeploy,
    jobs,
    // A newer version for the same nodes supersedes an older one.
    ({ model, nodes, labels }) => subjectFor(String(model).split("@")[0] ?? "", nodes, labels),
    {
      // A model that comes from another node, or with the request, need not be here.
      check: (call) =>
        call.arguments["from"] === undefined && call.request.input === undefined
          ? checkSubjects(context, call)
          : undefined,
    },
  );
}

/** What is to be deployed. */
interface DeployOrder {
  /** As it was asked for. */
  readonly model: string;
  /** Of the registry; undefined: only devices can have it, from the request. */
  readonly record: ModelRecord | undefined;
  readonly version: DeviceVersion;
  readonly requests: UpdateRequests;
}

/** The model as devices get it. */
interface DeviceVersion {
  readonly name: string;
  readonly version: string;
  /** It came with the request: what the device has of this name may be another. */
  readonly given: boolean;
  /** @throws OperationFailure */
  artifact(): Promise<Uint8Array>;
}

/** A package of the registry's model, signed by this node; made when the first device wants it. */
function registryVersion(context: ModelContext, record: ModelRecord): DeviceVersion {
  const { name, version } = record;
  let made: Promise<Uint8Array> | undefined;
  const make = async (): Promise<Uint8Array> =>
    context.signer.sign({ kind: "model", name, version }, await packageOf(context, record));
  return { name, version, given: false, artifact: () => (made ??= make()) };
}

/** The package that came with the request: signed, or to be signed by this node. @throws OperationFailure */
async function givenVersion(
  context: ModelContext,
  model: string,
  input: unknown,
  record: ModelRecord | undefined,
): Promise<DeviceVersion> {
  const { bytes, file } = await updateOf(input, "model", context.resolve);
  const [name = "", wanted] = model.split("@");
  if (file !== undefined) {
    const { header } = file;
    if (header.name !== name || (wanted !== undefined && header.version !== wanted)) {
      throw new OperationFailure(
        "bad-request",
        `signed as ${header.name}@${header.version}`,
        "arguments.model",
      );
    }
    return { name, version: header.version, given: true, artifact: () => Promise.resolve(bytes) };
  }
  if (contentFacts(bytes)?.kind !== "model") {
    throw new OperationFailure("bad-request", "neither signed nor a package of a model", "input");
  }
  const version = wanted ?? record?.version;
  if (version === undefined) throw new OperationFailure("bad-request", "name@version", "arguments.model");
  const artifact = await context.signer.sign({ kind: "model", name, version }, bytes);
  return { name, version, given: true, artifact: () => Promise.resolve(artifact) };
}

/** @throws OperationFailure why this node did not get it */
async function deployTo(
  context: ModelContext,
  order: DeployOrder,
  target: string,
  job: JobContext,
  report: Report,
): Promise<void> {
  const { version } = order;
  const found = context.nodes().find(({ node }) => node === target);
  const isNeighbour = found === undefined && context.neighbours().includes(target);
  if (target !== context.node && !isNeighbour && found?.birth.kind !== complete) {
    if (found?.online === true && !version.given && offers(found.birth, version)) return;
    const update = {
      definition: modelDeploy,
      arguments: { model: `${version.name}@${version.version}` },
      artifact: await artifactFor(context, order, target, found),
    };
    const parts = { ...context, times: context.updateTimes };
    await updateDevice(parts, update, target, order.requests, job, report);
    // Of another server's device that server has waited for the birth record.
    if (!context.nodes().some(({ node }) => node === target)) return;
  } else {
    await deployToComplete(context, order, target, found, job, report);
    if (found === undefined) return;
  }
  await untilOffered(context, version, target, job.signal);
}

/** Nothing is made for a node that would not take it. @throws OperationFailure */
function artifactFor(
  context: ModelContext,
  { version, requests }: DeployOrder,
  target: string,
  found: RegisteredNode | undefined,
): Promise<Uint8Array> {
  const refuse = (text: string): never => {
    throw new OperationFailure("no-capable-node", text);
  };
  if (!requests.has(target)) {
    if (found === undefined) {
      if (serversNextTo(context).length === 0) refuse("unknown node");
    } else if (!found.online) refuse("not online");
    else if (!found.birth.operations.includes(modelDeploy.name)) refuse("the node takes no models");
  }
  return version.artifact();
}

/** This node, a complete one that is joined, or a server that this one has joined. @throws OperationFailure */
async function deployToComplete(
  context: ModelContext,
  { model, record }: DeployOrder,
  target: string,
  found: RegisteredNode | undefined,
  job: JobContext,
  report: Report,
): Promise<void> {
  if (record === undefined) throw new OperationFailure("not-found", model, "arguments.model");
  if (target === context.node) {
    await context.deployed.deploy(record);
    return;
  }
  if (found === undefined) {
    // It tells no birth record here: what it has it knows itself, and its answer says that it offers the model.
    await pushModel(context, record, target, job, report);
    return;
  }
  if (!found.online) throw new OperationFailure("no-capable-node", "not online");
  if (offers(found.birth, record)) return;
  if (!found.birth.operations.includes(modelDeploy.name)) {
    throw new OperationFailure("no-capable-node", "the node takes no models");
  }
  if (record.bytes > pieceBytes) {
    await pushModel(context, record, target, job, report);
    return;
  }
  const ask = async (order: Omit<Order, "selector" | "deadlineMs">): Promise<void> => {
    const answer = await context.submit(
      { ...order, selector: { node: target }, deadlineMs: deployMs },
      { sender: job.sender, signal: job.signal },
    );
    throwOnError(answer);
  };
  const { name, version, digest, task, labels, parent } = record;
  const [{ rate, unit } = {}] = record.inputs;
  await ask({
    operation: "model.store",
    arguments: { name, version, digest, ...stated({ task, labels, parent, rate, unit }) },
    input: await context.models.bytesOf(record),
  });
  await ask({ operation: modelDeploy.name, arguments: { model: qualifiedName(record) } });
}

function stated(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** @throws OperationFailure descriptor-mismatch for a model that no package can hold */
async function packageOf({ models }: ModelContext, record: ModelRecord): Promise<Uint8Array> {
  if (record.form !== "int8") {
    throw new OperationFailure("descriptor-mismatch", "devices take int8 models: use model.optimize");
  }
  try {
    const graph = readGraph(await models.bytesOf(record), record.name);
    const [{ rate = 0, unit = "" } = {}] = record.inputs;
    const { name, task = "", labels = [], digest } = record;
    return packageModel(graph, {
      name,
      golden: goldenFor(graph),
      about: { task, labels, unit, rate, digest },
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new OperationFailure("descriptor-mismatch", `${error.code}: ${error.message}`);
  }
}

/** An input for the self-test of devices: any will do that moves every layer; the same for the same model. */
function goldenFor(graph: Graph): Int8Array[] {
  let state = 1;
  return graph.inputs.map((tensor) =>
    new Int8Array(elementCount(tensorAt(graph, tensor).shape)).map(() => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  );
}

/** The node has said that it has the model; its birth record follows. */
async function untilOffered(
  { nodes }: ModelContext,
  version: Pick<ModelRecord, "name" | "version">,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + offerMs;
  while (performance.now() < end && !signal.aborted) {
    const found = nodes().find(({ node }) => node === target);
    if (found !== undefined && offers(found.birth, version)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function undeployOperation(context: ModelContext): LocalOperation {
  return {
    definition: modelUndeploy,
    async run(call) {
      const { model, nodes = [context.node] } = argumentsOf(modelUndeploy, call);
      const removed: string[] = [];
      let failure: OperationFailure | undefined;
      for (const target of new Set(nodes)) {
        if (target === context.node) {
          if ((await context.deployed.undeploy(model)) !== undefined) removed.push(target);
          continue;
        }
        try {
          const deadlineMs = Math.max(1, Math.floor(call.deadlineAt - performance.now()));
          throwOnError(
            await context.submit(
              { operation: modelUndeploy.name, selector: { node: target }, arguments: { model }, deadlineMs },
              { sender: call.sender, signal: call.signal },
            ),
          );
          removed.push(target);
        } catch (error) {
          if (!(error instanceof OperationFailure)) throw error;
          failure ??= error;
        }
      }
      if (removed.length === 0) {
        throw failure ?? new OperationFailure("not-found", "no node of these offers it", "arguments.model");
      }
      return { result: resultFor(modelUndeploy, { removed }) };
    },
  };
}
