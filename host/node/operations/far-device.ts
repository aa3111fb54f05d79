/**
 * Updates of devices that are joined to a server next to this one: that server is found by asking, gets the signed file with
 * an order to bring it to the device, and makes a job of its own of it, which is followed here. Servers further away are
 * not looked for.
 */
import { objectOf } from "../../bus/operations/definition.js";
import { nodeDiscover } from "../../bus/operations/node.js";
import { namedResult } from "../../bus/request-codec.js";
import type { JobContext } from "../jobs/jobs.js";
import type { DeviceUpdate, DeviceUpdateParts } from "./device-update.js";
import type { Report } from "./fan-out.js";
import { OperationFailure } from "./operation.js";
import { runThere } from "./other-node.js";

type Job = Pick<JobContext, "sender" | "signal">;
type Parts = Pick<DeviceUpdateParts, "submit" | "nodes" | "neighbours">;

const complete = 1;
/** How long a server may take to say whom it knows, and how many are asked. */
const discoverMs = 5000;
const mostServers = 64;

/** Servers that are joined to this one, and those that this one has joined. */
export function serversNextTo({ nodes, neighbours }: Pick<Parts, "nodes" | "neighbours">): readonly string[] {
  const joined = nodes().filter(({ online, birth }) => online && birth.kind === complete);
  return [...new Set([...joined.map(({ node }) => node), ...(neighbours?.() ?? [])])];
}

/** The one of them that the device is joined to, or else was; undefined when none of them knows it. */
export async function serverOf(parts: Parts, target: string, job: Job): Promise<string | undefined> {
  const asked = serversNextTo(parts).slice(0, mostServers);
  const known = await Promise.all(asked.map((server) => knows(parts, server, target, job)));
  const best = known.indexOf("online");
  return asked[best >= 0 ? best : known.indexOf("offline")];
}

async function knows(
  { submit }: Parts,
  server: string,
  target: string,
  { sender, signal }: Job,
): Promise<"online" | "offline" | undefined> {
  const answer = await submit(
    {
      operation: nodeDiscover.name,
      selector: { node: server },
      arguments: { node: target, offline: true },
      deadlineMs: discoverMs,
    },
    { sender, signal },
  );
  if (answer.error !== undefined) return undefined;
  const { data } = objectOf(nodeDiscover.result).safeParse(namedResult(nodeDiscover, answer));
  const found = data?.nodes.find(({ node, kind }) => node === target && kind === "minimal");
  return found === undefined ? undefined : found.online ? "online" : "offline";
}

/**
 * Gives the result of the server's job. When this job is ended, that one is too, and with it what the device does.
 * @throws OperationFailure why the device did not take it, or the server cannot be asked; forbidden: firmware is people's
 *   business, and a rule of that server has to let this one do it
 */
export async function updateThere(
  { submit, times }: DeviceUpdateParts,
  update: DeviceUpdate,
  server: string,
  target: string,
  job: Job,
  report: Report,
): Promise<Readonly<Record<string, unknown>>> {
  const { patienceMs, pauseMs, attemptMs } = times;
  const { definition, artifact } = update;
  try {
    return await runThere(
      { submit, transfer: { patienceMs, pauseMs } },
      definition,
      {
        arguments: { ...update.arguments, nodes: [target], detach: true },
        input: artifact,
        deadlineMs: attemptMs,
      },
      server,
      job,
      (fraction, text) => report(fraction, text === "" ? `by ${server}` : `${text}, by ${server}`),
    );
  } catch (error) {
    const denied =
      error instanceof OperationFailure && error.code === "forbidden" && error.field === "operation";
    if (!denied) throw error;
    throw new OperationFailure("forbidden", `access of ${server} must allow ${definition.name}`);
  }
}
