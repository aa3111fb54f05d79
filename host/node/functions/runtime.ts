/**
 * The Function Runtime: takes in bundles, keeps them, and runs calls in the pool of workers. After a restart what was
 * deployed is there again; a bundle whose key is no longer trusted stays away.
 */
import type { Descriptor } from "../../bus/protocol.js";
import { sha256, type FunctionBundle } from "../../../compiler/function/bundle.js";
import type { FunctionManifest } from "../../../compiler/function/manifest.js";
import type { DescriptorMatch } from "../data/data-descriptor.js";
import { KeyedLock } from "../data/keyed-lock.js";
import type { Log } from "../log.js";
import { OperationFailure } from "../operations/operation.js";
import { Seldom } from "../seldom.js";
import type { BlobUses } from "../storage/blob-uses.js";
import type { Storage } from "../storage/storage.js";
import { admit, type AdmissionRules, type AdmittedBundle } from "./admission.js";
import { BundleStore } from "./bundle-store.js";
import { compileModule, logBytes, outputOf } from "./call-end.js";
import { checkInput, dataText, descriptorOf, outputDescriptor } from "./function-data.js";
import type { FunctionCall, FunctionOutcome, FunctionRuntime, FunctionSummary } from "./function-runtime.js";
import { InlineCalls, inlineFuel } from "./inline-calls.js";
import { compareVersions } from "./versions.js";
import { warmUp } from "./warm-up.js";
import { WorkerPool, type PoolFunction, type PoolResult } from "./worker-pool.js";

export interface FunctionRuntimeOptions extends AdmissionRules {
  readonly storage: Storage;
  /** Shared by all who keep blobs in this storage. */
  readonly uses?: BlobUses;
  readonly match: DescriptorMatch;
  readonly log: Log;
  readonly workers: number;
  /** Calls that wait for a worker; default 256. */
  readonly queue?: number;
  /** Functions kept; default 256. */
  readonly functions?: number;
  /** Instructions of a call on the node's own thread, before a worker takes it; 0: always a worker. */
  readonly inlineFuel?: number;
  /** Calls after which the node's own thread is prepared for a function, beside other work; 0: when it is deployed. Default 1. */
  readonly inlineAfter?: number;
}

/** A deployed function. */
interface Deployed {
  readonly manifest: FunctionManifest;
  readonly qualified: string;
  readonly digest: string;
  readonly signedBy: string;
  readonly bytes: number;
  readonly pool: PoolFunction;
  /** Absent until it is prepared, or when the function is not for this. */
  inline: InlineCalls | undefined;
  /** Until then. */
  bundle: FunctionBundle | undefined;
  calls: number;
  failures: number;
  totalUs: number;
}

/** Functions of an earlier run of the node are there when this resolves. */
export async function createFunctionRuntime(options: FunctionRuntimeOptions): Promise<FunctionRuntime> {
  const runtime = new Runtime(options);
  await warmUp(options.match);
  await runtime.restore();
  return runtime;
}

class Runtime implements FunctionRuntime {
  /** By "name@version". */
  private readonly deployed = new Map<string, Deployed>();
  private readonly byKey = new Map<number, Deployed>();
  private readonly store: BundleStore;
  private readonly pool: WorkerPool;
  private readonly inlineAfter: number;
  private readonly log: Log;
  /** Failures, by function and reason. */
  private readonly seldom = new Seldom();
  /** A version is put in or taken out by one at a time. */
  private readonly changes = new KeyedLock();
  private nextKey = 1;
  private closed = false;

  constructor(private readonly options: FunctionRuntimeOptions) {
    this.log = options.log.child({ module: "functions" });
    this.inlineAfter = options.inlineAfter ?? 1;
    this.store = new BundleStore(options.storage, options.uses);
    this.pool = new WorkerPool({
      workers: options.workers,
      queue: options.queue ?? 256,
      heapMb: 64,
      onLog: (key, text) => this.logged(key, text),
    });
  }

  async restore(): Promise<void> {
    for (const { key, digest } of await this.store.list()) {
      try {
        const bytes = await this.store.read(digest);
        if (bytes === undefined) throw new OperationFailure("corrupt", "its bytes are gone");
        const admitted = admit(bytes, this.options);
        const made = await this.prepare(admitted, bytes.length, digest);
        if (made.qualified !== key) throw new OperationFailure("corrupt", "it is another function");
        this.add(made);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.log.warn({ function: key, reason }, "a function that was deployed is not offered");
      }
    }
  }

  async deploy(bytes: Uint8Array): Promise<FunctionSummary> {
    const admitted = admit(bytes, this.options);
    const { manifest } = admitted.bundle;
    const qualified = `${manifest.name}@${manifest.version}`;
    return this.changes.run(qualified, () => this.take(admitted, qualified, bytes));
  }

  private async take(
    admitted: AdmittedBundle,
    qualified: string,
    bytes: Uint8Array,
  ): Promise<FunctionSummary> {
    const { manifest } = admitted.bundle;
    const digest = sha256(bytes);
    const before = this.deployed.get(qualified);
    if (before !== undefined) {
      if (before.digest === digest) return summaryOf(before);
      // A version says what it computes: the same one is never something else.
      if (before.manifest.digest !== manifest.digest) {
        throw new OperationFailure(
          "forbidden",
          "this version has other code here: raise the version",
          "input",
        );
      }
    }
    const most = this.options.functions ?? 256;
    if (before === undefined && this.deployed.size >= most) {
      throw new OperationFailure("no-space", `${most} functions are deployed`);
    }
    const made = await this.prepare(admitted, bytes.length, digest);
    await this.store.keep(qualified, bytes, before?.digest);
    if (before !== undefined) this.forget(before);
    this.add(made);
    this.log.info({ function: qualified, signedBy: made.signedBy, digest }, "function deployed");
    return summaryOf(made);
  }

  async invoke(name: string, call: FunctionCall): Promise<FunctionOutcome> {
    const found = this.select(name);
    if (found === undefined) throw new OperationFailure("not-found", `no function ${name}`, "selector.name");
    const { manifest } = found;
    const input = checkInput(call.input, call.inputDescriptor, manifest.input, this.options.match);
    try {
      const { result, us } = await this.run(found, input, call);
      const output = outputOf(result, manifest);
      found.totalUs += us;
      return {
        function: found.qualified,
        output,
        outputDescriptor: outputDescriptor(manifest.output, output.length),
        executionUs: Math.round(us),
      };
    } catch (error) {
      found.failures++;
      this.failed(found, error);
      throw error;
    } finally {
      found.calls++;
      if (found.calls >= this.inlineAfter && found.bundle !== undefined) {
        // Behind the answer, not before it.
        setImmediate(() => void this.prepareInline(found));
      }
    }
  }

  /** Here when it is short, else in a worker. */
  private run(found: Deployed, input: Uint8Array, call: FunctionCall): PoolResult | Promise<PoolResult> {
    const { timeUs } = found.manifest.bounds;
    const start = performance.now();
    if (found.inline !== undefined && !this.closed && !call.signal.aborted && start < call.deadlineAt) {
      const result = found.inline.call(input);
      const us = (performance.now() - start) * 1000;
      if (result !== undefined && (timeUs === undefined || us <= timeUs)) return { result, us };
    }
    return this.pool.call({
      of: found.pool,
      input,
      signal: call.signal,
      deadlineAt: call.deadlineAt,
      timeUs,
    });
  }

  async remove(name: string): Promise<FunctionSummary> {
    const { qualified } = this.selected(name);
    return this.changes.run(qualified, async () => {
      const found = this.selected(qualified);
      // First what a restart would find: a node that cannot write it keeps the function. Calls that run have their module.
      await this.store.remove({ key: qualified, digest: found.digest });
      this.deployed.delete(qualified);
      this.forget(found);
      this.log.info({ function: qualified }, "function removed");
      return summaryOf(found);
    });
  }

  list(prefix = ""): FunctionSummary[] {
    return [...this.deployed.values()]
      .filter((d) => d.manifest.name.startsWith(prefix))
      .sort((a, b) =>
        a.manifest.name === b.manifest.name
          ? compareVersions(b.manifest.version, a.manifest.version)
          : a.manifest.name < b.manifest.name
            ? -1
            : 1,
      )
      .map(summaryOf);
  }

  find(name: string):
    | {
        readonly summary: FunctionSummary;
        readonly input: Partial<Descriptor>;
        readonly output: Partial<Descriptor>;
      }
    | undefined {
    const found = this.select(name);
    if (found === undefined) return undefined;
    const { input, output } = found.manifest;
    return { summary: summaryOf(found), input: descriptorOf(input), output: descriptorOf(output) };
  }

  async bundle(name: string): Promise<Uint8Array | undefined> {
    const found = this.select(name);
    return found === undefined ? undefined : this.store.read(found.digest);
  }

  close(): Promise<void> {
    this.closed = true;
    return this.pool.close();
  }

  /** By "name@version", or the newest of this name. */
  private select(name: string): Deployed | undefined {
    if (name.includes("@")) return this.deployed.get(name);
    let newest: Deployed | undefined;
    for (const one of this.deployed.values()) {
      if (one.manifest.name !== name) continue;
      if (newest === undefined || compareVersions(one.manifest.version, newest.manifest.version) > 0)
        newest = one;
    }
    return newest;
  }

  /** @throws OperationFailure not-found, of an operation's argument */
  private selected(name: string): Deployed {
    const found = this.select(name);
    if (found === undefined)
      throw new OperationFailure("not-found", `no function ${name}`, "arguments.function");
    return found;
  }

  private async prepare(admitted: AdmittedBundle, bytes: number, digest: string): Promise<Deployed> {
    const { bundle, signedBy } = admitted;
    const { manifest } = bundle;
    // The engine's verdict on the code as it came, before anything is made of it.
    const module =
      manifest.kind === "wasm" ? await compileModule(bundle) : new TextDecoder().decode(bundle.code);
    const key = this.nextKey++;
    const limits = { outputBytes: manifest.output.bytes, logBytes };
    const made: Deployed = {
      manifest,
      qualified: `${manifest.name}@${manifest.version}`,
      digest,
      signedBy,
      bytes,
      pool: { key, module, limits },
      inline: undefined,
      bundle: manifest.kind === "wasm" ? bundle : undefined,
      calls: 0,
      failures: 0,
      totalUs: 0,
    };
    if (this.inlineAfter === 0) await this.prepareInline(made);
    return made;
  }

  /** Once: compiling with a meter is not what the first caller waits for. */
  private async prepareInline(found: Deployed): Promise<void> {
    const { bundle, pool } = found;
    if (bundle === undefined) return;
    found.bundle = undefined;
    const fuel = this.options.inlineFuel ?? inlineFuel;
    found.inline = await InlineCalls.create(bundle, pool.limits, fuel, (text) => this.logged(pool.key, text));
  }

  private add(made: Deployed): void {
    this.deployed.set(made.qualified, made);
    this.byKey.set(made.pool.key, made);
  }

  private forget(one: Deployed): void {
    this.byKey.delete(one.pool.key);
    this.pool.unload(one.pool.key);
  }

  /** What a function did wrong is in the log, once in a while; what others did is not. */
  private failed({ qualified }: Deployed, error: unknown): void {
    if (!(error instanceof OperationFailure)) return;
    const { code, text: reason, details } = error;
    if (code !== "function-failed" && code !== "deadline") return;
    const more = this.seldom.tell(`${qualified} ${code} ${details.site ?? 0}`);
    if (more !== undefined) this.log.warn({ function: qualified, code, reason, more }, "function failed");
  }

  private logged(key: number, text: string): void {
    const name = this.byKey.get(key)?.qualified;
    if (name !== undefined) this.log.info({ function: name, text: text.trimEnd() }, "function logged");
  }
}

function summaryOf(d: Deployed): FunctionSummary {
  const { manifest } = d;
  const done = d.calls - d.failures;
  return {
    name: manifest.name,
    version: manifest.version,
    digest: d.digest,
    kind: manifest.kind,
    input: dataText(manifest.input),
    output: dataText(manifest.output),
    imports: [...manifest.imports],
    bytes: d.bytes,
    calls: d.calls,
    failures: d.failures,
    meanUs: done > 0 ? Math.round(d.totalUs / done) : 0,
    signedBy: d.signedBy,
  };
}
