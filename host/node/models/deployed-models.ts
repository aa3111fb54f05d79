/**
 * The models that this node offers: kept over restarts, loaded when they are first asked, executed exactly. It counts
 * what it decided, so that a drift of the data shows. It decides nothing about other nodes.
 */
import { decodeRecord, encodeRecord } from "../data/data-set-records.js";
import { withStorage } from "../operations/storage-failure.js";
import type { Storage } from "../storage/storage.js";
import { inferModel, multiplicationsOf, type Inferred } from "./infer-model.js";
import type { InferThread, ThreadModel } from "./infer-thread.js";
import { readGraph } from "./inspect-model.js";
import { collections, qualifiedName, type ModelRecord } from "./model-records.js";
import type { Models } from "./models.js";

/** Since the model was deployed here or the node started. */
export interface InferenceCounts {
  readonly model: string;
  readonly inferences: number;
  /** Mean time of an inference, with its wait for the thread of large models. */
  readonly meanUs: number;
  /** Decisions by label, or by number where the model has none: the most frequent ones. */
  readonly labels: Readonly<Record<string, number>>;
  /** Mean score of the best class over the last hundred or so. */
  readonly recentScore: number;
}

/** Moves the recent score by one part in so many. */
const scoreMemory = 100;

/** A model may have thousands of classes: whoever watches a node sees the most frequent ones. */
const shownLabels = 16;

/** Multiplications of an inference that is quick enough for the node's own thread: a few milliseconds. */
const quick = 1_000_000;

interface Loaded {
  readonly run: (
    input: Uint8Array,
    elementType: number,
    signal: AbortSignal | undefined,
  ) => Inferred | Promise<Inferred>;
}

interface Deployed {
  readonly record: ModelRecord;
  loaded: Promise<Loaded> | undefined;
  counts: { inferences: number; us: number; labels: Map<string, number>; score: number };
}

export class DeployedModels {
  /** By name: one version of a name at a time. */
  private readonly byName = new Map<string, Deployed>();
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly storage: Storage,
    private readonly models: Models,
    /** Id of this node: the storage may be shared. */
    private readonly node: string,
    /** Where models infer that take long; absent: here, like the others. */
    private readonly thread?: InferThread,
  ) {}

  /** Reads what was deployed before the node was restarted. */
  async start(): Promise<void> {
    const prefix = `${this.node}/`;
    for (const { key, value } of await this.storage.records.list(collections.deployed, { prefix })) {
      const { version } = decodeRecord<{ version: string }>(value);
      const record = await this.models.find(`${key.slice(prefix.length)}@${version}`);
      if (record !== undefined) this.byName.set(record.name, fresh(record));
    }
  }

  /** By name. */
  list(): ModelRecord[] {
    return [...this.byName.values()].map(({ record }) => record);
  }

  /** Kept when it resolves; another version of the name goes. @throws OperationFailure corrupt */
  async deploy(record: ModelRecord): Promise<void> {
    const deployed = fresh(record);
    // A model that cannot be executed is refused now, not at its first inference.
    await this.load(deployed);
    await this.write(record.name, encodeRecord({ version: record.version }));
    this.byName.set(record.name, deployed);
    this.changed();
  }

  /** "name" or "name@version"; undefined when this node does not offer it. */
  async undeploy(qualified: string): Promise<ModelRecord | undefined> {
    const found = this.find(qualified);
    if (found === undefined) return undefined;
    await this.write(found.name, undefined);
    this.byName.delete(found.name);
    this.changed();
    return found;
  }

  find(qualified: string): ModelRecord | undefined {
    const record = this.byName.get(qualified.split("@")[0] ?? "")?.record;
    const fits = record !== undefined && (!qualified.includes("@") || qualifiedName(record) === qualified);
    return fits ? record : undefined;
  }

  /** Called when the list has changed: the birth record is another one then. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * One inference. The input has the model's elements, f32 in its unit or in the model's own type. The signal ends the
   * waiting of one that takes long. @throws OperationFailure corrupt; busy, cancelled, deadline, no-space of the thread
   */
  async infer(
    record: ModelRecord,
    input: Uint8Array,
    elementType: number,
    signal?: AbortSignal,
  ): Promise<Inferred> {
    const deployed = this.byName.get(record.name) ?? fresh(record);
    const { run } = await this.load(deployed);
    const start = performance.now();
    const inferred = await run(input, elementType, signal);
    const { counts } = deployed;
    const label = record.labels?.[inferred.index] ?? String(inferred.index);
    counts.score += (inferred.score - counts.score) / Math.min(scoreMemory, counts.inferences + 1);
    counts.inferences++;
    counts.us += (performance.now() - start) * 1000;
    counts.labels.set(label, (counts.labels.get(label) ?? 0) + 1);
    return inferred;
  }

  counts(): InferenceCounts[] {
    return [...this.byName.values()].map(({ record, counts }) => ({
      model: qualifiedName(record),
      inferences: counts.inferences,
      meanUs: counts.inferences === 0 ? 0 : counts.us / counts.inferences,
      labels: Object.fromEntries([...counts.labels].sort(([, a], [, b]) => b - a).slice(0, shownLabels)),
      recentScore: counts.score,
    }));
  }

  private async load(deployed: Deployed): Promise<Loaded> {
    deployed.loaded ??= this.loadedOf(deployed.record);
    try {
      return await deployed.loaded;
    } catch (error) {
      // Storage may be back the next time.
      deployed.loaded = undefined;
      throw error;
    }
  }

  /** Ready to infer: a model that cannot be executed is found out here. */
  private async loadedOf(record: ModelRecord): Promise<Loaded> {
    const { models, thread } = this;
    const graph = readGraph(await models.bytesOf(record), record.name);
    if (thread === undefined || multiplicationsOf(graph) <= quick) return { run: inferModel(graph) };
    const model: ThreadModel = {
      key: record.digest,
      name: record.name,
      bytes: () => models.bytesOf(record),
    };
    await thread.load(model);
    return { run: (input, elementType, signal) => thread.infer(model, input, elementType, signal) };
  }

  private async write(name: string, value: Uint8Array | undefined): Promise<void> {
    const key = `${this.node}/${name}`;
    await withStorage(() => this.storage.records.write([{ collection: collections.deployed, key, value }]));
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

function fresh(record: ModelRecord): Deployed {
  return { record, loaded: undefined, counts: { inferences: 0, us: 0, labels: new Map(), score: 0 } };
}
