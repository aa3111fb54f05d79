/** What a running workflow keeps: its state by instance, a step or one item of a step with `each`. It runs nothing. */
import { createHash } from "node:crypto";
import type { ErrorName } from "../../../bus/protocol-keys.js";
import type { Descriptor } from "../../../bus/protocol.js";
import { OperationFailure } from "../../operations/operation.js";
import type { JobStep } from "../jobs.js";
import type { CheckedWorkflow } from "./check.js";
import { runsSeveralTimes, type WorkflowStep } from "./description.js";
import { follow, resolve, type Lookup } from "./references.js";

export interface InstanceState {
  state: JobStep["state"];
  /** The attempt that runs, or ran last. */
  attempts: number;
  /** Between two attempts: nothing is being executed. */
  idle?: boolean;
  startedAt?: string;
  endedAt?: string;
  error?: string;
  node?: string;
  /** The job that does it, and where. */
  job?: { readonly id: string; readonly node: string };
  result?: Readonly<Record<string, unknown>>;
  output?: Uint8Array | string;
  outputDescriptor?: Partial<Descriptor>;
}

export interface Instance {
  readonly step: WorkflowStep;
  /** Of the step in the description. */
  readonly index: number;
  /** "train", "collect[2]" */
  readonly name: string;
  readonly item: unknown;
}

const mostInstances = 1000;

export class RunState {
  /** By name of the instance. */
  readonly instances: Record<string, InstanceState>;
  /** Why the workflow fails, once a step did. */
  failure: { readonly code: ErrorName; readonly text: string; readonly field?: string } | undefined;
  /** Of the steps that have begun, by name of the step. */
  readonly expanded = new Map<string, readonly Instance[]>();

  constructor(
    readonly checked: CheckedWorkflow,
    kept: unknown,
  ) {
    // What this class kept before: bytes of this node's own storage.
    const { instances = {}, failure } = (kept ?? {}) as Partial<RunState>;
    this.instances = instances;
    this.failure = failure;
    for (const state of Object.values(this.instances)) {
      // Told to stop, and the node ended before the workflow did: nobody knows how far it came.
      if (state.state === "cancelled") state.state = "running";
    }
  }

  kept(): unknown {
    return { instances: this.instances, failure: this.failure };
  }

  of(name: string): InstanceState {
    return (this.instances[name] ??= { state: "waiting", attempts: 0 });
  }

  /** "waiting" until its instances are known; then what they are together. */
  stepState(step: WorkflowStep): JobStep["state"] {
    const instances = this.expanded.get(step.name);
    if (instances === undefined)
      return this.instances[step.name]?.state === "skipped" ? "skipped" : "waiting";
    const states = instances.map((instance) => this.of(instance.name).state);
    for (const state of ["failed", "cancelled", "running", "waiting"] as const) {
      if (states.includes(state)) return state;
    }
    return states.every((state) => state === "skipped") && states.length > 0 ? "skipped" : "done";
  }

  /** The instances of a step whose needs are done. @throws OperationFailure when `each` is no list, or there are too many */
  expand(step: WorkflowStep, index: number): readonly Instance[] {
    const instances = this.#instancesOf(step, index);
    this.expanded.set(step.name, instances);
    const all = [...this.expanded.values()].reduce((sum, some) => sum + some.length, 0);
    if (all > mostInstances) throw tooMany(index);
    return instances;
  }

  #instancesOf(step: WorkflowStep, index: number): readonly Instance[] {
    if (!runsSeveralTimes(step)) return [{ step, index, name: step.name, item: undefined }];
    const { each = [undefined], times = 1 } = step;
    const items = resolve(each, this.lookup(undefined, place(index, "each")));
    if (!Array.isArray(items))
      throw new OperationFailure("bad-request", "is not a list", place(index, "each"));
    if (items.length * times > mostInstances) throw tooMany(index);
    // All items once, then again: neighbours in time are different nodes.
    return Array.from({ length: items.length * times }, (_, i) => {
      const item: unknown = items[i % items.length];
      return { step, index, name: `${step.name}[${String(i)}]`, item };
    });
  }

  /** Values of references, now. What a skipped step would have given is undefined when `lenient`. @throws OperationFailure */
  lookup(item: unknown, field: string, lenient = false): Lookup {
    return (reference, { text }) => {
      let found: { readonly value: unknown } | undefined;
      if (reference.of === "inputs") {
        found = follow(this.checked.inputs[reference.name], reference.path);
      } else if (reference.of === "each") {
        found = follow(item, reference.path);
      } else {
        const value = this.#valueOf(reference.name, reference.part);
        found = value === undefined ? undefined : follow(value, reference.path);
        if (found === undefined && lenient) return { value: null };
      }
      if (found === undefined) throw new OperationFailure("bad-request", `${text} gave nothing`, field);
      return found;
    };
  }

  #valueOf(name: string, part: string): unknown {
    const all = (this.expanded.get(name) ?? []).map((instance) => this.of(instance.name));
    const one = all[0];
    switch (part) {
      case "result":
        return one?.result;
      case "output":
        return one?.output;
      case "node":
        return one?.node;
      case "results":
        return all.map((instance) => instance.result ?? null);
      case "outputs":
        return all.map((instance) => instance.output ?? null);
      default:
        return all.map((instance) => instance.node ?? null);
    }
  }

  /** As people follow it: in the order of the description. */
  summaries(): JobStep[] {
    return this.checked.workflow.steps.flatMap((step) => {
      const names = this.expanded.get(step.name)?.map((instance) => instance.name) ?? [step.name];
      return names.map((name) => {
        const { state, attempts, startedAt, endedAt, error, node } = this.of(name);
        const optional = Object.entries({ node, startedAt, endedAt, error }).filter(
          ([, value]) => value !== undefined,
        );
        return { name, state, attempts, ...Object.fromEntries(optional) };
      });
    });
  }
}

const tooMany = (index: number) =>
  new OperationFailure(
    "too-large",
    `more than ${String(mostInstances)} steps and items`,
    place(index, "each"),
  );

export const place = (index: number, ...rest: readonly string[]): string =>
  [`steps[${String(index)}]`, ...rest].join(".");

/**
 * The same for the same attempt, also after a restart: who has executed it already answers again instead. The boot is not
 * this node's own, so that its numbers cannot meet those of other requests.
 */
export function attemptIdentity(
  job: string,
  instance: string,
  attempt: number,
): { boot: number; id: number } {
  const digest = createHash("sha256")
    .update(`${job}\0${instance}\0${String(attempt)}`)
    .digest();
  return { boot: digest.readUInt32BE(0), id: digest.readUInt32BE(4) };
}
