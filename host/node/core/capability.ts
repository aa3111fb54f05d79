/**
 * What nodes can do, once for all nodes that can do the same: the birth record without identity and labels, prepared
 * for matching by the firmware's `mismatch`. It holds the nodes in order of preference and chooses none.
 */
import type { Birth, Descriptor } from "../../bus/protocol.js";
import { elementTypes } from "../../bus/protocol-keys.js";
import { IndexedHeap } from "./indexed-heap.js";
import type { NodeEntry } from "./node-entry.js";
import { byteString, subset, type SubsetDescriptor } from "./subset.js";

/** A model or function as requests are matched with it; text as byte strings. */
export interface Offer {
  readonly name: string;
  /** "name@version" */
  readonly qualified: string;
  readonly task: string;
  /** Any one of these takes the input; none stated: any input. */
  readonly inputs: readonly SubsetDescriptor[];
  readonly outputs: readonly SubsetDescriptor[];
}

/** A birth record's capabilities. */
export type Abilities = Omit<Birth, "node" | "boot" | "labels">;

export class Capability {
  readonly operations: ReadonlySet<string>;
  readonly models: readonly Offer[];
  readonly functions: readonly Offer[];
  readonly sensors: ReadonlySet<string>;
  /** Nodes that are online, the best first. */
  readonly nodes = new IndexedHeap<"heapAt", NodeEntry>("heapAt", preferred);
  /** Nodes that have it, online or not. */
  members = 0;

  constructor(
    /** What it is interned by. */
    readonly key: string,
    readonly record: Abilities,
  ) {
    this.operations = new Set(record.operations);
    this.sensors = new Set((record.sensors ?? []).map((s) => s.name));
    this.models = (record.models ?? []).map((m) => ({
      name: byteString(m.name),
      qualified: byteString(`${m.name}@${m.version}`),
      task: byteString(m.task ?? ""),
      inputs: withReals(m.inputs),
      outputs: withReals(m.outputs),
    }));
    this.functions = (record.functions ?? []).map((f) => ({
      name: byteString(f.name),
      qualified: byteString(`${f.name}@${f.version}`),
      task: "",
      inputs: f.input === undefined ? [] : [descriptorOf(f.input)],
      outputs: f.output === undefined ? [] : [descriptorOf(f.output)],
    }));
  }

  get isServer(): boolean {
    return this.record.kind === 1;
  }
}

/** Lower score first, then the lower id: the same choice on every run. */
export function preferred(a: NodeEntry, b: NodeEntry): boolean {
  return a.score !== b.score ? a.score < b.score : a.id < b.id;
}

/** A quantised tensor of a model also passes as reals of its unit: the node converts. */
function withReals(tensors: readonly Descriptor[]): SubsetDescriptor[] {
  return tensors.flatMap((t) => {
    const own = descriptorOf(t);
    if (t.scale === undefined || t.elementType === elementTypes.f32) return [own];
    const { scale: _, zeroPoint: __, ...rest } = t;
    return [own, descriptorOf({ ...rest, elementType: elementTypes.f32 })];
  });
}

/** The fields that nodes compare. */
export function descriptorOf(d: Partial<Descriptor>): SubsetDescriptor {
  const to = new subset.DataDescriptor();
  if (d.elementType !== undefined) to.setElement(d.elementType);
  for (const size of d.shape ?? []) to.addDimension(size);
  if (d.format !== undefined) to.format = d.format;
  if (d.rate !== undefined) to.setRate(Math.fround(d.rate));
  if (d.unit !== undefined) to.setUnit(byteString(d.unit).slice(0, 15));
  if (d.scale !== undefined) to.setQuantisation(Math.fround(d.scale), d.zeroPoint ?? 0);
  return to;
}
