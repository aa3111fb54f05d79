/**
 * Who can do what a request needs, and who of them does it best. One code path for decisions and for their explanations.
 * It changes nothing: sending is the dispatcher's.
 */
import { operationDefinition } from "../../bus/operations/catalogue.js";
import { errorCodes, type ErrorName } from "../../bus/protocol-keys.js";
import type { Capability, Offer } from "./capability.js";
import { preferred } from "./capability.js";
import type { Candidate } from "./core-service.js";
import type { RequestEnvelope } from "./envelope.js";
import type { NodeEntry } from "./node-entry.js";
import type { Registry } from "./registry.js";
import { scoreParts } from "./score.js";
import { subset, type SubsetDescriptor, type SubsetRequest } from "./subset.js";

/** What a request asks of whoever does it. Text as byte strings. */
export interface Need {
  /** Equal for requests that fit the same abilities. */
  readonly key: string;
  readonly operation: string;
  readonly name: string;
  readonly task: string;
  /** Named in arguments or input; "" when none. */
  readonly sensor: string;
  readonly node: string;
  readonly labels: readonly string[];
  /** Bytes of the message. */
  readonly size: number;
  /** Bytes of the input in it, and of one that is not in it: servers get it in chunks, nodes only what they pull. */
  readonly inline: number;
  readonly beside: number;
  /** Minimal nodes pull what is too large for them. */
  readonly pulled: boolean;
  /** The parsed request, for its descriptors: valid until the next is parsed. */
  readonly request: SubsetRequest;
}

export function needOf(envelope: RequestEnvelope, size: number, beside = 0): Need {
  const { request } = envelope;
  const operation = request.operation();
  const name = request.selector();
  const task = request.task();
  const reference = request.reference();
  let sensor = reference.startsWith("sensor:") ? reference.slice(7) : "";
  if (operation === "data.collect") sensor = request.textArgument(0, "");
  const inline = request.hasBytes ? envelope.itemBytes(7) : 0;
  const labels: string[] = [];
  const count = request.openLabels();
  for (let i = 0; i < Math.min(count, 16); i++) labels.push(request.reader.readText());
  const given = `${envelope.itemText(8)}\n${envelope.itemText(9)}`;
  const key = `${operation}\n${name}\n${task}\n${sensor}\n${reference === "" ? "" : "r"}\n${given}`;
  return {
    key,
    operation,
    name,
    task,
    sensor,
    node: request.selectorNode(),
    labels,
    size,
    inline,
    beside,
    pulled: operationDefinition(operation)?.pulled === true,
    request,
  };
}

/** "" when nodes of these abilities can do it, else where it fails. */
export function misfit(capability: Capability, need: Need): string {
  if (!capability.operations.has(need.operation)) return "operation";
  // A server's record is a summary: what is behind it, it knows better itself.
  if (capability.isServer) return "";
  if (need.sensor !== "" && !capability.sensors.has(need.sensor)) {
    return need.operation === "data.collect" ? "arguments.sensor" : "input";
  }
  switch (need.operation) {
    case "model.infer":
      return offered(capability.models, need);
    case "function.invoke":
      return offered(capability.functions, need);
    default:
      return "";
  }
}

/** The worst of what kept offers from fitting is what matters least; the nearest miss is told. */
function offered(offers: readonly Offer[], need: Need): string {
  let why = need.name !== "" ? "selector.name" : need.task !== "" ? "selector.task" : "selector";
  for (const offer of offers) {
    if (need.name !== "" && need.name !== offer.name && need.name !== offer.qualified) continue;
    if (need.task !== "" && need.task !== offer.task) {
      if (why === "selector.name") why = "selector.task";
      continue;
    }
    const field = descriptorMisfit(offer, need.request);
    if (field === "") return "";
    if (!isDescriptorField(why)) why = field;
  }
  return why;
}

function descriptorMisfit(offer: Offer, request: SubsetRequest): string {
  if (request.hasBytes) {
    const input = anyFits(offer.inputs, (need) => subset.mismatch(request.offered, need));
    if (input !== "") return `input.${input}`;
  }
  const output = anyFits(offer.outputs, (given) => subset.mismatch(given, request.accepted));
  return output === "" ? "" : `accept.${output}`;
}

/** "" when one passes (or none is stated), else what the first lacks. */
function anyFits(list: readonly SubsetDescriptor[], check: (one: SubsetDescriptor) => string): string {
  let first = "";
  for (const one of list) {
    const field = check(one);
    if (field === "") return "";
    if (first === "") first = field;
  }
  return first;
}

const isDescriptorField = (why: string): boolean => why.startsWith("input.") || why.startsWith("accept.");

/** What is known of all abilities for one kind of need. */
interface Match {
  readonly version: number;
  /** Nodes' and servers' that can do it. */
  readonly nodes: ReadonlySet<Capability>;
  readonly servers: ReadonlySet<Capability>;
  readonly misfits: ReadonlyMap<Capability, string>;
}

export interface Refused {
  readonly code: ErrorName;
  readonly text: string;
  readonly field?: string;
}

/** What this server knows of an operation. */
export interface AskedOperation {
  /** It is one of the protocol's. */
  readonly known: boolean;
  /** This server's own node offers it, but not to this request. */
  readonly here: boolean;
}

export interface RouterLimits {
  readonly inFlightPerNode: number;
  readonly queuePerNode: number;
}

const mostMatches = 512;
const fewNodes = 64;
/** Of `chunk:` and a digest as an input. */
const referenceBytes = 75;

export class Router {
  private readonly matches = new Map<string, Match>();

  constructor(
    private readonly registry: Registry,
    private readonly limits: RouterLimits,
  ) {}

  /** Requests that the node takes at a time. */
  windowOf(entry: NodeEntry): number {
    const capability = entry.capability;
    if (capability === undefined || capability.isServer) return this.limits.inFlightPerNode * 16;
    return Math.min(this.limits.inFlightPerNode, Math.max(1, capability.record.queue));
  }

  hasRoom(entry: NodeEntry): boolean {
    return entry.inFlight < this.windowOf(entry) || entry.queued < this.limits.queuePerNode;
  }

  /** Is it joined to this server, and no server itself? */
  isHere(id: string): boolean {
    const entry = this.registry.node(id);
    return entry?.online === true && entry.capability?.isServer !== true;
  }

  /** The best node; undefined when none can, or none has room. `servers`: of the servers that are joined to this one. */
  best(need: Need, excluded: readonly string[], servers: boolean): NodeEntry | undefined {
    const match = this.match(need);
    const capabilities = servers ? match.servers : match.nodes;
    const able = (entry: NodeEntry): boolean => this.nodeMisfit(entry, need, excluded) === "";
    if (need.node !== "") {
      const entry = this.registry.node(need.node);
      const capability = entry?.capability;
      return entry !== undefined && capability !== undefined && capabilities.has(capability) && able(entry)
        ? entry
        : undefined;
    }
    const rare = this.rarest(need.labels);
    let best: NodeEntry | undefined;
    if (rare !== undefined && rare.size <= fewNodes) {
      for (const entry of rare) {
        if (
          (best === undefined || preferred(entry, best)) &&
          capabilities.has(entry.capability as Capability)
        ) {
          if (able(entry)) best = entry;
        }
      }
      return best;
    }
    for (const capability of capabilities) {
      const first = capability.nodes.peek();
      if (first === undefined || (best !== undefined && !preferred(first, best))) continue;
      if (able(first)) {
        best = first;
        continue;
      }
      for (const entry of capability.nodes.inOrder()) {
        if (best !== undefined && !preferred(entry, best)) break;
        if (able(entry)) {
          best = entry;
          break;
        }
      }
    }
    return best;
  }

  /** Would this node, which is away, be able, and is there room for what waits for it? */
  wouldFit(entry: NodeEntry, need: Need, excluded: readonly string[]): boolean {
    const { capability } = entry;
    if (capability === undefined || !this.match(need).nodes.has(capability)) return false;
    return entry.queued < this.limits.queuePerNode && this.nodeMisfit(entry, need, excluded, true) === "";
  }

  /** Why this node does not take it, although its abilities fit; "" when it does. */
  private nodeMisfit(entry: NodeEntry, need: Need, excluded: readonly string[], away = false): string {
    if (!entry.online && !away) return "offline";
    if (need.node !== "" && need.node !== entry.id) return "selector.node";
    if (need.labels.length > 0 && !entry.hasLabels(need.labels)) return "selector.labels";
    if (bytesFor(entry, need) > (entry.capability?.record.maxMsg ?? 0)) return "size";
    if (excluded.length > 0 && excluded.includes(entry.id)) return "path";
    return this.hasRoom(entry) ? "" : "busy";
  }

  /** Every node with why it fits or not: those that fit first, in order of preference; at most `most`. */
  candidates(need: Need, excluded: readonly string[], most: number): Candidate[] {
    const match = this.match(need);
    const fit: { entry: NodeEntry; why: string }[] = [];
    const rest: { entry: NodeEntry; why: string }[] = [];
    for (const capability of [...match.nodes, ...match.servers, ...match.misfits.keys()]) {
      const general = match.misfits.get(capability) ?? "";
      let seen = 0;
      for (const entry of capability.nodes.inOrder()) {
        if (seen++ >= most) break;
        const why = general !== "" ? general : this.nodeMisfit(entry, need, excluded);
        (why === "" ? fit : rest).push({ entry, why });
      }
    }
    const server = (e: NodeEntry): number => (e.capability?.isServer === true ? 1 : 0);
    fit.sort((a, b) => server(a.entry) - server(b.entry) || (preferred(a.entry, b.entry) ? -1 : 1));
    rest.sort((a, b) => (a.entry.id < b.entry.id ? -1 : 1));
    return [...fit, ...rest].slice(0, most).map(({ entry, why }) => ({
      node: entry.id,
      kind: server(entry) === 1 ? "server" : "node",
      fits: why === "",
      why,
      score: why === "" ? scoreParts(entry) : undefined,
    }));
  }

  /** Does any server that is joined to this one offer the operation? */
  hasServers(need: Need): boolean {
    return [...this.match(need).servers].some((c) => c.nodes.size > 0);
  }

  /** The error for a need that no node fits: the nearest miss. */
  refusal(need: Need, excluded: readonly string[], operation: AskedOperation): Refused {
    const match = this.match(need);
    let why = "operation";
    let rank = 0;
    const consider = (found: string): void => {
      const r = rankOf(found);
      if (r > rank || (r === rank && found < why)) [why, rank] = [found, r];
    };
    for (const [capability, field] of match.misfits) if (capability.nodes.size > 0) consider(field);
    if (rank < rankOf("busy")) {
      for (const capability of match.nodes) {
        let looked = 0;
        for (const entry of capability.nodes.inOrder()) {
          if (looked++ >= fewNodes) break;
          consider(this.nodeMisfit(entry, need, excluded));
        }
      }
    }
    return refusalFor(why, need, operation);
  }

  private match(need: Need): Match {
    const known = this.matches.get(need.key);
    if (known !== undefined && known.version === this.registry.version) return known;
    const nodes = new Set<Capability>();
    const servers = new Set<Capability>();
    const misfits = new Map<Capability, string>();
    for (const capability of this.registry.withOperation(need.operation)) {
      const why = misfit(capability, need);
      if (why !== "") misfits.set(capability, why);
      else (capability.isServer ? servers : nodes).add(capability);
    }
    const match = { version: this.registry.version, nodes, servers, misfits };
    // The oldest goes; a need that is asked for again is found out again.
    if (this.matches.size >= mostMatches) this.matches.delete(this.matches.keys().next().value as string);
    this.matches.delete(need.key);
    this.matches.set(need.key, match);
    return match;
  }

  private rarest(labels: readonly string[]): ReadonlySet<NodeEntry> | undefined {
    let rarest: ReadonlySet<NodeEntry> | undefined;
    for (const label of labels) {
      const nodes = this.registry.withLabel(label);
      if (rarest === undefined || nodes.size < rarest.size) rarest = nodes;
    }
    return rarest;
  }
}

/** Bytes of the message that this node gets. */
function bytesFor({ capability }: NodeEntry, { size, inline, beside, pulled }: Need): number {
  if (capability?.isServer === true) return size - inline;
  const whole = size + beside;
  return pulled && whole > (capability?.record.maxMsg ?? 0) ? size - inline + referenceBytes : whole;
}

/** How near a miss is. */
function rankOf(why: string): number {
  if (isDescriptorField(why)) return 8;
  switch (why) {
    case "busy":
      return 9;
    case "size":
      return 7;
    case "selector.name":
    case "arguments.sensor":
    case "input":
      return 5;
    case "operation":
      return 0;
    default:
      return 3;
  }
}

function refusalFor(why: string, need: Need, { known, here }: AskedOperation): Refused {
  if (isDescriptorField(why)) {
    return { code: "descriptor-mismatch", text: "no node takes or gives such data", field: why };
  }
  switch (why) {
    case "busy":
      return { code: "busy", text: "every node that fits has a full queue" };
    case "size":
      return { code: "too-large", text: "more than the nodes that fit take in a message", field: "input" };
    case "selector.name":
      return { code: "not-found", text: "no node offers it", field: why };
    case "arguments.sensor":
    case "input":
      return { code: "not-found", text: "no node has this sensor", field: why };
    case "operation":
      return known
        ? { code: "no-capable-node", text: nobodyText(need, here), field: why }
        : { code: "unknown-operation", text: "", field: why };
    default:
      return {
        code: "no-capable-node",
        text: why === "selector.node" ? nobodyText(need, here) : "no node of the selector can do it",
        field: why,
      };
  }
}

/** "No node offers it" would be untrue where only a name is misspelt. At most 64 bytes go into an answer. */
function nobodyText(need: Need, here: boolean): string {
  if (need.node !== "") return `node ${need.node} is not here, or does not offer it`;
  return here
    ? "no node here has such a sensor, model or function, or such input"
    : "no node offers this operation";
}

export const codeOf = (name: ErrorName): number => errorCodes[name];
