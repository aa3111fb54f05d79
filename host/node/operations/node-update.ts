/**
 * node.update, and function.deploy to minimal nodes: a signed update that comes with the request goes to each of the nodes
 * as a job. Models have their registry beside it: model-deploy.ts. Complete nodes take no update of this kind.
 */
import type { UpdateHeader, UpdateKind } from "../../../compiler/update/artifact.js";
import type { OperationDefinition } from "../../bus/operations/definition.js";
import { nodeUpdate } from "../../bus/operations/node.js";
import type { RegisteredNode } from "../core/core-service.js";
import type { Jobs } from "../jobs/jobs.js";
import { updateDevice, updateOf, UpdateRequests, updateTimes, type UpdateTimes } from "./device-update.js";
import { failedOf, onEach, subjectFor, targetsOf } from "./fan-out.js";
import { jobExtras, jobOperation } from "./job-operation.js";
import { OperationFailure, type LocalOperation, type Submit } from "./operation.js";
import type { ResolveReference } from "./references.js";

export interface DeviceUpdateJobParts {
  readonly jobs: Jobs;
  readonly resolve: ResolveReference;
  readonly submit: Submit;
  /** The nodes that are joined, or were. */
  readonly nodes: () => readonly RegisteredNode[];
  readonly times: UpdateTimes;
  readonly recall: (node: string, digest: string) => void;
  /** Servers that this one has joined and can reach; default none. */
  readonly neighbours?: () => readonly string[];
}

const minimal = 0;

/** The operation as a job for the nodes of its arguments. `told`: of the update, in the result and to the devices. */
export function deviceUpdateJob(
  definition: OperationDefinition,
  kind: UpdateKind,
  parts: DeviceUpdateJobParts,
  told: (header: UpdateHeader) => Readonly<Record<string, unknown>>,
): LocalOperation {
  const { jobs, resolve, nodes: registered } = parts;
  const done = Object.hasOwn(definition.result, "updated") ? "updated" : "deployed";
  jobs.register({
    operation: definition.name,
    resume: "again",
    // It waits for devices.
    coordinates: true,
    run: async (input, job) => {
      const { nodes, labels } = input as { nodes?: readonly string[]; labels?: readonly string[] };
      const { bytes, file } = await updateOf(input[jobExtras.input], kind, resolve);
      if (file === undefined) {
        throw new OperationFailure("bad-request", "devices take signed updates alone: tmc sign", "input");
      }
      const { header } = file;
      checkStated(input, header);
      const all = registered();
      const takers = all.filter((one) => one.birth.kind === minimal);
      const targets = targetsOf(takers, nodes, labels);
      if (targets.length === 0) {
        throw new OperationFailure("no-capable-node", "no minimal node has these labels", "arguments.labels");
      }
      const requests = new UpdateRequests(job);
      const own = Object.fromEntries(
        Object.entries({ version: header.version, digest: header.digest }).filter(
          ([name]) => name in definition.arguments,
        ),
      );
      const update = { definition, arguments: own, artifact: bytes };
      let runs: unknown;
      const end = await onEach(targets, job, async (target, report) => {
        if (all.some(({ node, birth }) => node === target && birth.kind !== minimal)) {
          throw new OperationFailure("no-capable-node", "a complete node takes no such update");
        }
        const result = await updateDevice(parts, update, target, requests, job, report);
        runs = result["version"] ?? runs;
      });
      const version = typeof runs === "string" && "version" in definition.result ? { version: runs } : {};
      return { ...told(header), ...version, [done]: end.done, ...failedOf(end) };
    },
  });
  return jobOperation(
    definition,
    jobs,
    // A newer one for the same nodes supersedes an older one.
    ({ nodes, labels }) => subjectFor(kind, nodes, labels),
    {
      check({ arguments: { nodes, labels } }) {
        if (nodes === undefined && labels === undefined) {
          throw new OperationFailure("bad-request", "which nodes? nodes or labels", "arguments.nodes");
        }
      },
    },
  );
}

/** @throws OperationFailure corrupt when the request states another version or digest than the header */
function checkStated(input: Readonly<Record<string, unknown>>, header: UpdateHeader): void {
  for (const name of ["version", "digest"] as const) {
    if (input[name] !== undefined && input[name] !== header[name]) {
      throw new OperationFailure("corrupt", "not what was signed", `arguments.${name}`);
    }
  }
}

export function nodeUpdateOperation(
  parts: Omit<DeviceUpdateJobParts, "times"> & { readonly times?: UpdateTimes },
): LocalOperation {
  return deviceUpdateJob(
    nodeUpdate,
    "firmware",
    { ...parts, times: parts.times ?? updateTimes },
    ({ version }) => ({
      version,
    }),
  );
}
