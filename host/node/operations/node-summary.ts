/** A registered node in the words of node.discover, the HTTP API and the web page. */
import type { z } from "zod";
import type { nodeSummary } from "../../bus/operations/node.js";
import { resetReasons } from "../../bus/protocol-keys.js";
import type { RegisteredNode } from "../core/core-service.js";

export type NodeSummary = z.infer<typeof nodeSummary>;

const names = (list: readonly { readonly name: string }[] | undefined): string[] =>
  (list ?? []).map((each) => each.name);
const qualified = (
  list: readonly { readonly name: string; readonly version: string }[] | undefined,
): string[] => (list ?? []).map((each) => `${each.name}@${each.version}`);

/** `server`: the one it is joined to. */
export function summarizeNode(registered: RegisteredNode, server: string): NodeSummary {
  const { birth, state } = registered;
  const optional = {
    latencyMs: registered.latencyMs,
    resetReason: state?.resetReason === undefined ? undefined : resetReasons[state.resetReason],
    uptimeS: state?.uptimeS,
    errorFlags: state?.errorFlags,
  };
  return {
    node: registered.node,
    online: registered.online,
    kind: birth.kind === 0 ? "minimal" : "complete",
    software: birth.software,
    version: birth.softwareVersion,
    boot: birth.boot,
    operations: [...birth.operations],
    sensors: names(birth.sensors),
    models: qualified(birth.models),
    functions: qualified(birth.functions),
    labels: [...(birth.labels ?? [])],
    server,
    inFlight: registered.inFlight,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    lastSeen: new Date(registered.lastSeenAt).toISOString(),
  };
}
