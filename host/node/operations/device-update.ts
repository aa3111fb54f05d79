/**
 * A signed update on its way to one device: the request is made, the device pulls, and it is made again until the device
 * says how it ended: over restarts of the device and of this node, which both go on where they were. Which device, and
 * what becomes of several, is decided elsewhere.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  isUpdate,
  largestUpdate,
  readUpdate,
  UpdateError,
  type UpdateFile,
  type UpdateKind,
} from "../../../compiler/update/artifact.js";
import type { OperationDefinition } from "../../bus/operations/definition.js";
import { errorName, type Answer } from "../../bus/protocol.js";
import { namedResult } from "../../bus/request-codec.js";
import type { RegisteredNode } from "../core/core-service.js";
import { isNodeStop } from "../jobs/job-endings.js";
import type { JobContext } from "../jobs/jobs.js";
import { digestOf } from "../storage/blob-uses.js";
import type { Report } from "./fan-out.js";
import { serverOf, serversNextTo, updateThere } from "./far-device.js";
import { pause, throwOnError } from "./other-node.js";
import { OperationFailure, type Submit } from "./operation.js";
import { inputOf, type ResolveReference } from "./references.js";

/** ms: how long a device may be silent, the pauses between attempts, and the deadline of one. */
export interface UpdateTimes {
  readonly patienceMs: number;
  readonly pauseMs: number;
  readonly attemptMs: number;
}
/** A device that swaps its firmware is away for minutes. */
export const updateTimes: UpdateTimes = { patienceMs: 600_000, pauseMs: 500, attemptMs: 600_000 };
/** No update takes longer, whatever it is that takes so long. */
const mostMs = 3_600_000;

export interface DeviceUpdateParts {
  readonly submit: Submit;
  readonly nodes: () => readonly RegisteredNode[];
  /** Servers that this one has joined and can reach; default none. */
  readonly neighbours?: () => readonly string[];
  readonly times: UpdateTimes;
  /** Tells a node that what it pulls (SHA-256, hexadecimal) is offered no longer. */
  readonly recall: (node: string, digest: string) => void;
}

export interface DeviceUpdate {
  readonly definition: OperationDefinition;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The whole file. */
  readonly artifact: Uint8Array;
}

/** Of a device that no server next to this one knows. At most 64 bytes. */
export const unknownNextTo = "joined neither here nor next to here: deploy at its own server";

/** Errors after which the same may succeed later: `cancelled`, when the device gave up before this node came back. */
const passing: ReadonlySet<string> = new Set(["busy", "deadline", "no-capable-node", "cancelled"]);

/**
 * The signed update that a request has as its input.
 * @throws OperationFailure bad-request for other content, corrupt, too-large, not-found
 */
export async function updateOf(
  input: unknown,
  kind: UpdateKind,
  resolve: ResolveReference,
): Promise<{ readonly bytes: Uint8Array; readonly file: UpdateFile | undefined }> {
  const given = typeof input === "string" || input instanceof Uint8Array ? input : undefined;
  const { bytes } = await inputOf(given, undefined, resolve, largestUpdate);
  if (!isUpdate(bytes)) return { bytes, file: undefined };
  let file: UpdateFile;
  try {
    file = readUpdate(bytes);
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    throw new OperationFailure("corrupt", error.message, "input");
  }
  if (file.header.kind !== kind) {
    throw new OperationFailure("bad-request", `an update of kind ${file.header.kind}`, "input");
  }
  return { bytes, file };
}

/** What a job remembers of its requests, so that it makes them again as the same ones after a restart. */
export class UpdateRequests {
  private readonly salts: Record<string, string>;

  constructor(private readonly job: Pick<JobContext, "checkpoint" | "resumedFrom" | "id">) {
    const from = job.resumedFrom as { readonly requests?: Record<string, string> } | undefined;
    this.salts = { ...from?.requests };
  }

  /** Was the device asked before? */
  has(target: string): boolean {
    return this.salts[target] !== undefined;
  }

  /** Of the request that the device has, or is to get. */
  async identity(target: string): Promise<{ readonly boot: number; readonly id: number }> {
    const salt = (this.salts[target] ??= randomBytes(8).toString("hex"));
    await this.job.checkpoint({ requests: { ...this.salts } });
    const digest = createHash("sha256").update(`${this.job.id}/${target}/${salt}`).digest();
    return { boot: digest.readUInt32BE(0), id: digest.readUInt32BE(4) };
  }

  /** The device has answered: what follows is another request. */
  answered(target: string): void {
    this.salts[target] = randomBytes(8).toString("hex");
  }
}

type Job = Pick<JobContext, "sender" | "signal">;

/**
 * Gives the result of the device's answer, or of the server that brings it to the device. When this gives up, the device
 * does: it keeps what it has.
 * @throws OperationFailure no-capable-node for a node that is unknown, away or takes no such update; what the device
 *   refuses it with; cancelled
 */
export async function updateDevice(
  parts: DeviceUpdateParts,
  update: DeviceUpdate,
  target: string,
  requests: UpdateRequests,
  job: Job,
  report: Report,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const isHere = parts.nodes().some(({ node }) => node === target);
    const server = isHere ? undefined : await serverOf(parts, target, job);
    if (server !== undefined) return await updateThere(parts, update, server, target, job, report);

    const answer = await untilAnswered(parts, update, target, requests, job, report);
    return namedResult(update.definition, answer) ?? {};
  } catch (error) {
    // After a restart of this node it goes on.
    if (!isNodeStop(job.signal)) parts.recall(target, digestOf(update.artifact));
    throw error;
  }
}

async function untilAnswered(
  parts: DeviceUpdateParts,
  update: DeviceUpdate,
  target: string,
  requests: UpdateRequests,
  job: Job,
  report: Report,
): Promise<Answer> {
  const { patienceMs, pauseMs, attemptMs } = parts.times;
  const end = performance.now() + mostMs;
  let heardAt = performance.now();
  let fraction = 0;
  /** Undefined: before the first attempt, the node must be there. */
  let failure: OperationFailure | undefined = requests.has(target)
    ? new OperationFailure("no-capable-node", "not online")
    : undefined;
  for (;;) {
    const node = parts.nodes().find((one) => one.node === target);
    const misfit = misfitOf(node, update.definition.name, parts);
    if (misfit !== undefined && (failure === undefined || node?.online === true)) throw misfit;
    if (misfit === undefined) {
      const answer = await parts.submit(
        {
          operation: update.definition.name,
          arguments: update.arguments,
          selector: { node: target },
          input: update.artifact,
          deadlineMs: Math.max(1, Math.min(attemptMs, Math.floor(end - performance.now()))),
        },
        {
          sender: job.sender,
          signal: job.signal,
          identity: await requests.identity(target),
          elsewhere: true,
          onAccepted: () => (heardAt = performance.now()),
          onPulled: (offset, total) => {
            heardAt = performance.now();
            fraction = (offset / total) * 0.95;
            report(fraction, `${offset} of ${total} bytes at ${target}`);
          },
        },
      );
      if (answer.error === undefined) return answer;
      if (answer.node === target) {
        requests.answered(target);
        heardAt = performance.now();
      }
      failure = failureOf(answer);
      if (job.signal.aborted || !passing.has(failure.code)) throw failure;
      report(fraction, `${target}: ${failure.text === "" ? failure.code : failure.text}`);
    }
    const now = performance.now();
    if (now >= end || now - heardAt > patienceMs)
      throw failure ?? misfit ?? new OperationFailure("deadline", "");
    await pause(failure?.details.retryAfterMs ?? pauseMs, job.signal);
  }
}

function misfitOf(
  node: RegisteredNode | undefined,
  operation: string,
  parts: Pick<DeviceUpdateParts, "nodes" | "neighbours">,
): OperationFailure | undefined {
  if (node === undefined) {
    const isAlone = serversNextTo(parts).length === 0;
    return new OperationFailure("no-capable-node", isAlone ? "unknown node" : unknownNextTo);
  }
  if (!node.online) return new OperationFailure("no-capable-node", "not online");
  if (!node.birth.operations.includes(operation)) {
    return new OperationFailure("no-capable-node", `the node has no ${operation}`);
  }
  return undefined;
}

function failureOf(answer: Answer): OperationFailure {
  try {
    throwOnError(answer);
  } catch (error) {
    if (error instanceof OperationFailure) {
      const retryAfterMs = answer.error?.retryAfterMs;
      return retryAfterMs === undefined
        ? error
        : new OperationFailure(error.code, error.text, error.field, { retryAfterMs });
    }
  }
  return new OperationFailure("internal", errorName(answer.error?.code ?? 0) ?? "");
}
