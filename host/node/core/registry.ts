/**
 * Who is joined to this server and what they can do, from birth and state records. Equal abilities are kept once, and
 * are found by operation and by label without looking at every node. It routes nothing; what records it refuses, it
 * counts.
 */
import { decodeBirth, decodeState, ProtocolError, type Birth } from "../../bus/protocol.js";
import { byteString, subset, type SubsetReader } from "./subset.js";
import { Capability, type Abilities } from "./capability.js";
import { NodeEntry } from "./node-entry.js";
import { energyClassOf } from "./score.js";

export interface RegistryEvents {
  online(node: NodeEntry): void;
  /** Gone, or born again under another boot counter: what it ran is lost. */
  offline(node: NodeEntry): void;
  /** A last will of its present life came: it is dead, or the will is late. */
  will(node: NodeEntry): void;
}

/** Why a record was not taken. */
export type Refusal = "malformed" | "foreign" | "old" | "full";

const mostNodes = 50_000;

export class Registry {
  /** Rises whenever abilities come or go: what was found out about all of them is old then. */
  version = 0;
  private readonly nodes = new Map<string, NodeEntry>();
  private readonly capabilities = new Map<string, Capability>();
  private readonly byOperation = new Map<string, Set<Capability>>();
  private readonly byLabel = new Map<string, Set<NodeEntry>>();
  private readonly labelLists = new Map<string, readonly string[]>();
  private readonly reader: SubsetReader;

  constructor(
    private readonly events: RegistryEvents,
    /** Bytes of the largest record. */
    private readonly capacity: number,
  ) {
    this.reader = new subset.CborReader(capacity);
  }

  node(id: string): NodeEntry | undefined {
    return this.nodes.get(id);
  }

  all(): IterableIterator<NodeEntry> {
    return this.nodes.values();
  }

  /** Each once, of nodes that are online. */
  *abilities(): Generator<Capability, void, undefined> {
    for (const capability of this.capabilities.values()) if (capability.nodes.size > 0) yield capability;
  }

  get size(): number {
    return this.nodes.size;
  }

  /** Those that offer the operation, whoever has them. */
  withOperation(name: string): ReadonlySet<Capability> {
    return this.byOperation.get(name) ?? none;
  }

  /** Nodes that are online and have the label. */
  withLabel(label: string): ReadonlySet<NodeEntry> {
    return this.byLabel.get(label) ?? none;
  }

  /** A birth record on the topic of `id`. Undefined when it was taken. */
  birth(id: string, payload: Uint8Array): Refusal | undefined {
    const parts = this.splitBirth(payload);
    if (parts === undefined) return "malformed";
    if (parts.node !== id) return "foreign";
    const known = this.nodes.get(id);
    // Another life with a lower counter can only follow the end of the one that is known.
    if (known !== undefined && known.online && parts.boot < known.boot) return "old";
    let capability = this.capabilities.get(parts.abilities);
    let labels: readonly string[];
    try {
      const decoded = capability === undefined || parts.labels !== "" ? decodeBirth(payload) : undefined;
      labels = this.internLabels(decoded?.labels ?? []);
      capability ??= this.addCapability(parts.abilities, decoded as Birth);
    } catch (error) {
      if (error instanceof ProtocolError) return "malformed";
      throw error;
    }
    const entry = known ?? this.add(id);
    if (entry === undefined) return "full";
    entry.lastSeenAt = Date.now();
    // The same life again, after a reconnection: what it runs goes on.
    if (entry.online && entry.boot !== parts.boot) this.takeOffline(entry);
    if (entry.online) this.unindex(entry);
    if (entry.capability !== capability) {
      this.release(entry);
      entry.capability = capability;
      capability.members++;
    }
    entry.boot = parts.boot;
    entry.labels = labels;
    entry.energyClass = energyClassOf(labels);
    entry.rescore();
    if (entry.online) this.index(entry);
    this.settle(entry);
    return undefined;
  }

  /** A state record, or a last will, on the topic of `id`. */
  state(id: string, payload: Uint8Array): Refusal | undefined {
    let state;
    try {
      if (payload.length > 1024) return "malformed";
      state = decodeState(payload);
    } catch (error) {
      if (error instanceof ProtocolError) return "malformed";
      throw error;
    }
    if (state.node !== id) return "foreign";
    const entry = this.nodes.get(id) ?? this.add(id);
    if (entry === undefined) return "full";
    // The will of an earlier life that comes late.
    if (state.boot < entry.boot || (entry.boot < 0 && state.boot < entry.stateBoot)) return "old";
    entry.stateBoot = state.boot;
    entry.stateOnline = state.online;
    entry.stateText = Buffer.from(payload).toString("latin1");
    entry.lastSeenAt = Date.now();
    this.settle(entry);
    if (entry.reportedDead) this.events.will(entry);
    return undefined;
  }

  /** Its will was late: it has proved since that it lives. */
  lives(entry: NodeEntry): void {
    if (!entry.reportedDead || this.nodes.get(entry.id) !== entry) return;
    entry.stateOnline = true;
    entry.stateText = "";
    entry.lastSeenAt = Date.now();
    this.settle(entry);
  }

  /** As if it had never been here. */
  forget(id: string): void {
    const entry = this.nodes.get(id);
    if (entry === undefined) return;
    if (entry.online) this.takeOffline(entry);
    this.release(entry);
    this.nodes.delete(id);
  }

  /** Online is who has announced both what it can do and that it lives, in the same life. */
  private settle(entry: NodeEntry): void {
    const online = entry.capability !== undefined && entry.stateOnline && entry.stateBoot === entry.boot;
    if (online === entry.online) return;
    if (!online) {
      this.takeOffline(entry);
      return;
    }
    entry.online = true;
    this.index(entry);
    this.events.online(entry);
  }

  private takeOffline(entry: NodeEntry): void {
    entry.online = false;
    this.unindex(entry);
    this.events.offline(entry);
  }

  private index(entry: NodeEntry): void {
    entry.capability?.nodes.push(entry);
    for (const label of entry.labels) {
      const nodes = this.byLabel.get(label) ?? new Set();
      this.byLabel.set(label, nodes.add(entry));
    }
  }

  private unindex(entry: NodeEntry): void {
    entry.capability?.nodes.remove(entry);
    for (const label of entry.labels) {
      const nodes = this.byLabel.get(label);
      nodes?.delete(entry);
      if (nodes?.size === 0) this.byLabel.delete(label);
    }
  }

  private add(id: string): NodeEntry | undefined {
    if (this.nodes.size >= mostNodes && !this.evict()) return undefined;
    const entry = new NodeEntry(id);
    this.nodes.set(id, entry);
    return entry;
  }

  /** Makes room by the node that came first of those that are away. */
  private evict(): boolean {
    for (const entry of this.nodes.values()) {
      if (!entry.online) {
        this.forget(entry.id);
        return true;
      }
    }
    return false;
  }

  private release(entry: NodeEntry): void {
    const { capability } = entry;
    entry.capability = undefined;
    if (capability === undefined || --capability.members > 0) return;
    this.capabilities.delete(capability.key);
    for (const operation of capability.operations) {
      const set = this.byOperation.get(operation);
      set?.delete(capability);
      if (set?.size === 0) this.byOperation.delete(operation);
    }
    this.version++;
  }

  private addCapability(key: string, birth: Birth): Capability {
    const { node: _, boot: __, labels: ___, ...abilities } = birth;
    const capability = new Capability(key, abilities satisfies Abilities);
    this.capabilities.set(key, capability);
    for (const operation of capability.operations) {
      const set = this.byOperation.get(operation) ?? new Set();
      this.byOperation.set(operation, set.add(capability));
    }
    this.version++;
    return capability;
  }

  private internLabels(labels: readonly string[]): readonly string[] {
    const key = JSON.stringify(labels);
    let list = this.labelLists.get(key);
    if (list === undefined) {
      list = labels.map(byteString);
      // Only a cache: lists that were given out stay as they are.
      if (this.labelLists.size >= 1000) this.labelLists.clear();
      this.labelLists.set(key, list);
    }
    return list;
  }

  /** Identity apart from abilities, without reading more than the top level. */
  private splitBirth(
    payload: Uint8Array,
  ): { node: string; boot: number; abilities: string; labels: string } | undefined {
    if (payload.length > this.capacity) return undefined;
    const reader = this.reader;
    reader.load(payload);
    let node = "";
    let boot = -1;
    let abilities = "";
    let labels = "";
    const pairs = reader.readMap();
    for (let i = 0; i < pairs && !reader.failed; i++) {
      const start = reader.at;
      const key = reader.readInt();
      if (key === 1) node = reader.readText();
      else if (key === 2) boot = reader.readUint();
      else reader.skip();
      const text = (): string => Buffer.from(reader.bytesAt(start, reader.at)).toString("latin1");
      if (key === 12) labels = text();
      else if (key !== 1 && key !== 2) abilities += text();
    }
    return reader.finished() && boot >= 0 ? { node, boot, abilities, labels } : undefined;
  }
}

const none: ReadonlySet<never> = new Set();
