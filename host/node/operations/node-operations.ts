/** The operations on the node itself: describe, discover, monitor, configure, control. Firmware is not its business. */
import type { Descriptor } from "../../bus/protocol.js";
import type { OperationDefinition } from "../../bus/operations/definition.js";
import {
  nodeConfigure,
  nodeControl,
  nodeDescribe,
  nodeDiscover,
  nodeMonitor,
} from "../../bus/operations/node.js";
import type { CoreService, RegisteredNode } from "../core/core-service.js";
import type { Log } from "../log.js";
import type { InferenceCounts } from "../models/deployed-models.js";
import type { NodeSettings, SettingValue } from "../settings.js";
import { summarizeNode } from "./node-summary.js";
import type { LocalOperation, OperationCall, OperationResult } from "./operation.js";

/** Models that node.monitor tells of: its answer is one message. */
const mostModels = 100;

export type ControlAction = "restart" | "drain" | "resume" | "identify";

export interface NodeOperationParts {
  readonly core: Pick<CoreService, "id" | "boot" | "nodes" | "birth" | "counters" | "pending">;
  readonly settings: NodeSettings;
  readonly log: Log;
  /** Does it, and tells the state that follows: "running", "draining", "drained", "restarting". */
  readonly control: (action: ControlAction) => Promise<string>;
  /** Does the offer of a model or sensor satisfy the need? "" or the field; as everywhere, firmware's. */
  readonly mismatch: (offer: Partial<Descriptor>, need: Partial<Descriptor>) => string;
  /** What the models that this node offers decided. */
  readonly inferences: () => readonly InferenceCounts[];
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
}

export function createNodeOperations(parts: NodeOperationParts): LocalOperation[] {
  const { core, settings } = parts;
  const serve = (
    definition: OperationDefinition,
    run: (call: OperationCall) => Promise<OperationResult>,
  ): LocalOperation => ({
    definition,
    run,
    // A request for another node's is that node's: only a selector that names nobody, or this node, is served here.
    canServe: (request) => request.selector?.node === undefined || request.selector.node === core.id,
  });
  return [
    serve(nodeDescribe, async () => ({ result: { ...core.birth() } })),
    serve(nodeDiscover, async (call) => ({ result: { nodes: discover(parts, call.arguments) } })),
    serve(nodeMonitor, async () => ({
      result: {
        uptimeS: Math.floor((performance.now() - parts.startedAt) / 1000),
        boot: core.boot,
        resetReason: 3, // software: a process has no other
        errorFlags: settings.unreadable ? 2 : 0,
        counters: core.counters(),
        active: core.pending(),
        models: parts.inferences().slice(0, mostModels),
      },
    })),
    serve(nodeConfigure, async (call) => {
      const wanted = call.arguments["settings"] as Readonly<Record<string, SettingValue>> | undefined;
      if (wanted !== undefined) await settings.change(wanted);
      return { result: { settings: await settings.values() } };
    }),
    serve(nodeControl, async (call) => {
      const action = call.arguments["action"] as ControlAction;
      if (action === "identify")
        parts.log.warn({ sender: call.sender }, "identify: this is the node you look for");
      return { result: { state: await parts.control(action) } };
    }),
  ];
}

interface DiscoverArguments {
  readonly operation?: string;
  readonly model?: string;
  readonly task?: string;
  readonly labels?: readonly string[];
  readonly input?: Partial<Descriptor>;
  readonly offline?: boolean;
  readonly limit?: number;
  readonly node?: string;
}

function discover(parts: NodeOperationParts, wanted: DiscoverArguments): ReturnType<typeof summarizeNode>[] {
  return parts.core
    .nodes()
    .filter((node) => (node.online || wanted.offline === true) && matches(parts, node, wanted))
    .sort((a, b) => (a.node < b.node ? -1 : 1))
    .slice(0, wanted.limit ?? 100)
    .map((node) => summarizeNode(node, parts.core.id));
}

function matches(
  parts: NodeOperationParts,
  { node, birth }: RegisteredNode,
  wanted: DiscoverArguments,
): boolean {
  const models = birth.models ?? [];
  const { operation, model, task, labels = [], input } = wanted;
  return (
    (wanted.node === undefined || wanted.node === node) &&
    (operation === undefined || birth.operations.includes(operation)) &&
    (model === undefined || models.some((m) => m.name === model || `${m.name}@${m.version}` === model)) &&
    (task === undefined || models.some((m) => m.task === task)) &&
    labels.every((label) => birth.labels?.includes(label) === true) &&
    (input === undefined ||
      models.some((m) => m.inputs.some((need) => parts.mismatch(input, need as Partial<Descriptor>) === "")))
  );
}
