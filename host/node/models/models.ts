/**
 * The registry of models: immutable versions with their bytes, stages, metrics and lineage, on Local Storage.
 * Crash-safe as data sets are: the bytes first, then one batch of records. It executes no model.
 */
import { decodeRecord, encodeRecord } from "../data/data-set-records.js";
import { KeyedLock } from "../data/keyed-lock.js";
import { OperationFailure } from "../operations/operation.js";
import { withStorage } from "../operations/storage-failure.js";
import type { BlobUses, IncomingBlob } from "../storage/blob-uses.js";
import { digestOf } from "../storage/blob-uses.js";
import type { RecordChange, Storage } from "../storage/storage.js";
import { inspectModelBytes } from "./inspect-model.js";
import {
  collections,
  numberOf,
  qualifiedName,
  splitQualified,
  type Metrics,
  type ModelDetails,
  type ModelRecord,
  type NameRecord,
  type Stage,
} from "./model-records.js";

export interface ModelsOptions {
  readonly storage: Storage;
  readonly uses: BlobUses;
  /** Of all models together. */
  readonly modelBytes: number;
  /** ms since 1970. */
  readonly clock?: () => number;
}

const attempts = 20;

export class Models {
  private readonly lock = new KeyedLock();
  private readonly storage: Storage;
  private readonly uses: BlobUses;
  private readonly clock: () => number;

  constructor(private readonly options: ModelsOptions) {
    this.storage = options.storage;
    this.uses = options.uses;
    this.clock = options.clock ?? Date.now;
  }

  /** "name@version", or of a name the version in production, else the newest that is not retired, else the newest. */
  async find(qualified: string): Promise<ModelRecord | undefined> {
    const [name, version] = splitQualified(qualified);
    if (version !== undefined) return this.read(name, version);
    const { production } = (await this.name(name)).value;
    if (production !== undefined) return this.read(name, production);
    const versions = await this.versions(name);
    return versions.find(({ stage }) => stage !== "retired") ?? versions[0];
  }

  /** @throws OperationFailure not-found */
  async get(qualified: string, field = "arguments.model"): Promise<ModelRecord> {
    const found = await this.find(qualified);
    if (found === undefined) throw new OperationFailure("not-found", `no model ${qualified}`, field);
    return found;
  }

  /** @throws OperationFailure corrupt when the bytes are lost or damaged */
  async bytesOf({ digest }: Pick<ModelRecord, "digest">): Promise<Uint8Array> {
    const bytes = await withStorage(() => this.storage.blobs.get(digest));
    if (bytes === undefined) throw new OperationFailure("corrupt", "the bytes of the model are lost");
    return bytes;
  }

  /** Bytes from `start` up to `end`, as they lie in storage. @throws OperationFailure corrupt when they are lost */
  async pieceOf({ digest }: Pick<ModelRecord, "digest">, start: number, end: number): Promise<Uint8Array> {
    return withStorage(async () => {
      const source = await this.storage.blobs.read(digest, start, end);
      if (source === undefined) throw new OperationFailure("corrupt", "the bytes of the model are lost");
      const pieces: Uint8Array[] = [];
      for await (const piece of source) pieces.push(piece);
      return new Uint8Array(Buffer.concat(pieces));
    });
  }

  /** Versions of a name, the newest first. */
  async versions(name: string): Promise<ModelRecord[]> {
    const records = await this.all(`${name}/`);
    return records.sort((a, b) => b.number - a.number);
  }

  /** By name, the newest version first. */
  async list(
    filter: { readonly prefix?: string; readonly stage?: Stage; readonly task?: string } = {},
  ): Promise<ModelRecord[]> {
    const records = await this.all(filter.prefix ?? "");
    return records
      .filter(({ stage }) => filter.stage === undefined || stage === filter.stage)
      .filter(({ task }) => filter.task === undefined || task === filter.task)
      .sort((a, b) => (a.name === b.name ? b.number - a.number : a.name < b.name ? -1 : 1));
  }

  async totalBytes(): Promise<number> {
    const value = await this.storage.records.get(collections.totals, "bytes");
    return value === undefined ? 0 : decodeRecord<{ bytes: number }>(value).bytes;
  }

  /**
   * A version that is free: one more than the highest number that a version of the name ever began with (after "1" and
   * "1-int8" comes "2"), or `wanted` with ".2", ".3" … when it is taken.
   */
  async freeVersion(name: string, wanted?: string): Promise<string> {
    const taken = new Set((await this.versions(name)).map(({ version }) => version));
    const base = wanted?.slice(0, 28);
    for (let number = wanted === undefined ? highestOf((await this.name(name)).value) + 1 : 1; ; number++) {
      const version = base === undefined ? String(number) : number === 1 ? base : `${base}.${number}`;
      if (!taken.has(version)) return version;
    }
  }

  /**
   * Keeps a version as a candidate. A version that is there with the same bytes stays as it is.
   * @throws OperationFailure corrupt (no model, or too many labels for it), forbidden (the version has other bytes), no-space
   */
  async store(
    name: string,
    version: string,
    bytes: Uint8Array,
    details: ModelDetails = {},
  ): Promise<ModelRecord> {
    const offer = offerOf(name, bytes, details);
    return withStorage(() => this.uses.hold([bytes], () => this.keep(name, version, offer, details)));
  }

  /**
   * Keeps a version whose bytes come in pieces; they are looked at when all are here and have the digest.
   * @throws OperationFailure as `store`; no-space and forbidden before the first piece, corrupt for another digest, and
   *   what the source throws. Nothing of it is left then.
   */
  async receive(
    name: string,
    version: string,
    incoming: IncomingBlob,
    details: ModelDetails = {},
  ): Promise<ModelRecord> {
    const known = await this.read(name, version);
    if (known !== undefined && known.digest !== incoming.digest) throw otherBytes(known);
    this.requireRoom(await this.totalBytes(), incoming.bytes);
    return withStorage(() =>
      this.uses.hold([incoming], async ([digest = ""]) => {
        const offer = offerOf(name, await this.bytesOf({ digest }), details);
        return this.keep(name, version, offer, details);
      }),
    );
  }

  /** The blob is held. */
  private keep(name: string, version: string, offer: Offer, details: ModelDetails): Promise<ModelRecord> {
    return this.change(name, async (names, growth) => {
      const known = await this.read(name, version);
      if (known !== undefined) {
        if (known.digest === offer.digest) return { result: known };
        throw otherBytes(known);
      }
      growth(offer.bytes);
      const record: ModelRecord = {
        ...Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined)),
        ...offer,
        name,
        version,
        number: names.last + 1,
        stage: "candidate",
        createdAt: this.clock(),
      };
      return {
        names: {
          ...names,
          last: record.number,
          highest: Math.max(highestOf(names), numberOf(version)),
        },
        changes: [this.put(record), this.uses.add(record.digest, ownerOf(record))],
        result: record,
      };
    });
  }
  /** @throws OperationFailure not-found, forbidden (in production) */
  async delete(qualified: string): Promise<ModelRecord> {
    const { name, version } = await this.get(qualified);
    const removed = await this.change(name, async (names, growth) => {
      const record = await this.get(`${name}@${version}`);
      if (record.stage === "production") {
        throw new OperationFailure(
          "forbidden",
          "in production: promote another, or retire it",
          "arguments.model",
        );
      }
      growth(-record.bytes);
      return {
        names,
        changes: [
          { collection: collections.models, key: keyOf(record), value: undefined },
          this.uses.drop(record.digest, ownerOf(record)),
        ],
        result: record,
      };
    });
    await withStorage(() => this.uses.release([removed.digest]));
    return removed;
  }

  /**
   * Moves a version to a stage; one in production before is retired.
   * @throws OperationFailure not-found; forbidden to production without a passed validation
   */
  async promote(
    qualified: string,
    stage: Stage,
  ): Promise<{ readonly model: ModelRecord; readonly retired: ModelRecord | undefined }> {
    const { name, version } = await this.get(qualified);
    return this.change(name, async (names) => {
      const record = await this.get(`${name}@${version}`);
      if (stage === "production" && record.validated?.passed !== true) {
        throw new OperationFailure(
          "forbidden",
          record.validated === undefined ? "never validated" : "its last validation failed",
          "arguments.model",
        );
      }
      const { production, ...rest } = names;
      const before =
        stage === "production" && production !== undefined && production !== version
          ? await this.read(name, production)
          : undefined;
      const model: ModelRecord = { ...record, stage };
      const retired: ModelRecord | undefined =
        before === undefined ? undefined : { ...before, stage: "retired" };
      const own = production === version ? undefined : production;
      const next = stage === "production" ? version : own;
      return {
        names: { ...rest, ...(next === undefined ? {} : { production: next }) },
        changes: [this.put(model), ...(retired === undefined ? [] : [this.put(retired)])],
        result: { model, retired },
      };
    });
  }

  /** Keeps metrics with the data they were measured on ("vibration:test"), and what a validation decided. */
  async measured(qualified: string, data: string, metrics: Metrics, passed?: boolean): Promise<ModelRecord> {
    const { name, version } = await this.get(qualified);
    return this.change(name, async (names) => {
      const record = await this.get(`${name}@${version}`);
      const model: ModelRecord = {
        ...record,
        metrics: { ...record.metrics, [data]: metrics },
        ...(passed === undefined ? {} : { validated: { passed, at: this.clock(), data } }),
      };
      return { names, changes: [this.put(model)], result: model };
    });
  }

  // ---- inside ------------------------------------------------------------------------------------------------

  private async all(prefix: string): Promise<ModelRecord[]> {
    const records: ModelRecord[] = [];
    for (let after: string | undefined; ;) {
      const page = await this.storage.records.list(collections.models, {
        prefix,
        ...(after === undefined ? {} : { after }),
      });
      records.push(...page.map(({ value }) => decodeRecord<ModelRecord>(value)));
      after = page.at(-1)?.key;
      if (after === undefined || page.length < 1000) return records;
    }
  }

  private async read(name: string, version: string): Promise<ModelRecord | undefined> {
    const value = await this.storage.records.get(collections.models, `${name}/${version}`);
    return value === undefined ? undefined : decodeRecord<ModelRecord>(value);
  }

  private async name(name: string): Promise<{ stored: Uint8Array | undefined; value: NameRecord }> {
    const stored = await this.storage.records.get(collections.names, name);
    return { stored, value: stored === undefined ? { last: 0 } : decodeRecord<NameRecord>(stored) };
  }

  private requireRoom(total: number, more: number): void {
    if (total + more <= this.options.modelBytes) return;
    throw new OperationFailure("no-space", `all models have at most ${this.options.modelBytes} bytes`);
  }

  private put(record: ModelRecord): RecordChange {
    return { collection: collections.models, key: keyOf(record), value: encodeRecord(record) };
  }

  /**
   * `work` says what becomes of a name and its versions; that is written with the total in one batch. When somebody else
   * changed the name meanwhile, `work` is asked again. Without `names` nothing is written.
   */
  private async change<T>(
    name: string,
    work: (
      names: NameRecord,
      growth: (bytes: number) => void,
    ) => Promise<{ names?: NameRecord; changes?: readonly RecordChange[]; result: T }>,
  ): Promise<T> {
    // One lock for all names: they share the total, and models are few.
    return this.lock.run("models", async () => {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const { stored, value } = await this.name(name);
        let more = 0;
        const { names, changes = [], result } = await work(value, (bytes) => (more += bytes));
        if (names === undefined) return result;
        const total = await this.storage.records.get(collections.totals, "bytes");
        const bytes = (total === undefined ? 0 : decodeRecord<{ bytes: number }>(total).bytes) + more;
        if (more > 0) this.requireRoom(bytes, 0);
        const written = await withStorage(() =>
          this.storage.records.write([
            {
              collection: collections.names,
              key: name,
              value: encodeRecord({ ...names, revision: (value.revision ?? 0) + 1 }),
              expect: stored ?? null,
            },
            {
              collection: collections.totals,
              key: "bytes",
              value: encodeRecord({ bytes: Math.max(0, bytes) }),
              expect: total ?? null,
            },
            ...changes,
          ]),
        );
        if (written) return result;
      }
      throw new OperationFailure("busy", `model ${name} is changed by many`, undefined, {
        retryAfterMs: 100,
      });
    });
  }
}

/** Names that were kept before numbers were counted apart go on after what they had: no number is given twice. */
function highestOf({ highest, last }: NameRecord): number {
  return highest ?? last;
}

function keyOf({ name, version }: ModelRecord): string {
  return `${name}/${version}`;
}

function ownerOf(record: ModelRecord): string {
  return `model/${qualifiedName(record)}`;
}

/** What the bytes of a model say, with what is known of them besides. */
type Offer = Pick<ModelRecord, "digest" | "bytes" | "form" | "inputs" | "outputs" | "cost">;

/** @throws OperationFailure corrupt (no model), bad-request (labels that are not its outputs) */
function offerOf(name: string, bytes: Uint8Array, details: ModelDetails): Offer {
  const { form, inputs, outputs, cost } = inspectModelBytes(bytes, name);
  const classes = outputs[0]?.shape?.reduce((product, dimension) => product * dimension, 1) ?? 0;
  const { rate, unit, labels = [] } = details;
  if (labels.length > 0 && labels.length !== classes) {
    throw new OperationFailure(
      "bad-request",
      `${labels.length} labels, ${classes} outputs`,
      "arguments.labels",
    );
  }
  const input = {
    ...inputs[0],
    ...(rate === undefined ? {} : { rate }),
    ...(unit === undefined ? {} : { unit }),
  };
  return {
    digest: digestOf(bytes),
    bytes: bytes.length,
    form,
    inputs: [input],
    outputs: [{ ...outputs[0], ...(labels.length === 0 ? {} : { labels: [...labels] }) }],
    ...(cost === undefined ? {} : { cost }),
  };
}

function otherBytes(known: ModelRecord): OperationFailure {
  return new OperationFailure("forbidden", `${qualifiedName(known)} has other bytes`, "arguments.version");
}
