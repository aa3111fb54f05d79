/**
 * Runs a checked workflow as a job: steps as soon as what they need is done, a bounded number at a time. What a step gave is
 * kept before the next one starts, so a workflow that is resumed repeats nothing that was done. A failed step ends the
 * others and the workflow.
 */
import { setMaxListeners } from "node:events";
import { operationDefinition } from "../../../bus/operations/catalogue.js";
import type { ErrorName } from "../../../bus/protocol-keys.js";
import { OperationFailure, type Submit } from "../../operations/operation.js";
import { isNodeStop } from "../create-jobs.js";
import type { JobContext, JobKind, Jobs } from "../jobs.js";
import { checkWorkflow, type CheckedWorkflow } from "./check.js";
import { defaultParallel, type WorkflowStep } from "./description.js";
import { resolve } from "./references.js";
import { pause, runAttempt, type StepEnvironment, type StepOutcome } from "./run-step.js";
import { place, RunState, type Instance } from "./run-state.js";

export interface WorkflowParts {
  readonly submit: Submit;
  readonly jobs: Jobs;
  /** Id of this node. */
  readonly node: string;
  /** Between two looks at a job of another node, ms; default 500. */
  readonly pollMs?: number;
  /** How long after a restart nodes may take to join again: until then their absence fails no step, ms; default 30,000. */
  readonly rejoinMs?: number;
}

const rejoinPauseMs = 500;
const longestBackoffMs = 3_600_000;

/** The kind of job behind task.workflow: register it before the jobs are started. */
export function workflowKind(parts: WorkflowParts): JobKind {
  return {
    operation: "task.workflow",
    resume: "again",
    coordinates: true,
    async run({ workflow, inputs }, context) {
      const given = typeof inputs === "object" && inputs !== null ? { ...inputs } : {};
      const { checked, findings } = checkWorkflow(workflow, given);
      if (checked === undefined) {
        // Checked when it was made; another version of this software may see it otherwise.
        const [first] = findings;
        throw new OperationFailure("bad-request", first?.text ?? "is no workflow", first?.place);
      }
      return await new WorkflowRun(parts, checked, context).run();
    },
  };
}

class WorkflowRun {
  readonly #state: RunState;
  readonly #stop = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  readonly #env: StepEnvironment;
  #failure: Error | undefined;
  /** On the clock of performance.now(). */
  readonly #rejoinUntil: number;
  /** Attempts that do not count, by instance: the node was not back yet. */
  readonly #absences = new Map<string, number>();

  constructor(
    parts: WorkflowParts,
    private readonly checked: CheckedWorkflow,
    private readonly context: JobContext,
  ) {
    // Each of the parallel steps listens.
    setMaxListeners(0, this.#stop.signal);
    this.#state = new RunState(checked, context.resumedFrom);
    const resumed = context.resumedFrom !== undefined;
    this.#rejoinUntil = resumed ? performance.now() + (parts.rejoinMs ?? 30_000) : 0;
    this.#env = {
      ...parts,
      pollMs: parts.pollMs ?? 500,
      sender: context.sender,
      job: context.id,
      signal: this.#stop.signal,
      state: this.#state,
      keep: () => this.#keep(),
    };
  }

  async run(): Promise<Readonly<Record<string, unknown>>> {
    const { failure } = this.#state;
    if (failure !== undefined) throw new OperationFailure(failure.code, failure.text, failure.field);
    const abort = () => this.#stop.abort(this.context.signal.reason);
    if (this.context.signal.aborted) abort();
    this.context.signal.addEventListener("abort", abort, { once: true });
    try {
      for (;;) {
        // What is not kept is not shown, and is kept with the next: a failure here decides nothing.
        if (this.#start()) void this.#keep().catch(() => undefined);
        if (this.#running.size === 0) break;
        await Promise.race(this.#running.values());
      }
    } finally {
      this.context.signal.removeEventListener("abort", abort);
    }
    if (this.#stop.signal.aborted && this.#failure === undefined) throw this.#stop.signal.reason as Error;
    if (this.#failure !== undefined) throw this.#failure;
    const open = this.checked.workflow.steps.filter((step) => !settled.has(this.#state.stepState(step)));
    if (open.length > 0) throw new Error(`steps were left over: ${open.map(({ name }) => name).join(", ")}`);
    const outputs = resolve(
      this.checked.workflow.outputs ?? {},
      this.#state.lookup(undefined, "outputs", true),
    );
    return { steps: this.#state.summaries(), outputs };
  }

  /** Starts what can start now. Steps that cannot run any more become skipped. True when steps were decided about. */
  #start(): boolean {
    let decided = false;
    const { steps, parallel = defaultParallel } = this.checked.workflow;
    // Skipping a step may decide about those behind it: until nothing changes.
    for (let changed = true; changed;) {
      changed = false;
      for (const [index, step] of steps.entries()) {
        if (this.#state.expanded.has(step.name) || this.#state.stepState(step) === "skipped") continue;
        if (this.#stop.signal.aborted) continue;
        changed = this.#decide(step, index) || changed;
      }
      decided ||= changed;
    }
    for (const instances of this.#state.expanded.values()) {
      for (const instance of instances) {
        if (this.#stop.signal.aborted || this.#running.size >= parallel) return decided;
        const { state } = this.#state.of(instance.name);
        if (state !== "waiting" && (state !== "running" || this.#running.has(instance.name))) continue;
        const work = this.#instance(instance)
          .catch((error: unknown) => {
            this.#fail(error, instance);
            // With the end of the workflow at the latest.
            return this.#keep().catch(() => undefined);
          })
          .finally(() => this.#running.delete(instance.name));
        this.#running.set(instance.name, work);
      }
    }
    return decided;
  }

  /** True when the step was expanded or skipped. */
  #decide(step: WorkflowStep, index: number): boolean {
    const needed = (this.checked.needs.get(step.name) ?? []).map((name) => {
      const other = this.checked.workflow.steps.find((one) => one.name === name);
      return other === undefined ? "done" : this.#state.stepState(other);
    });
    try {
      if (needed.includes("skipped")) this.#skip(step);
      else if (needed.some((state) => state !== "done")) return false;
      else if (!this.#holds(step, index)) this.#skip(step);
      else this.#state.expand(step, index);
    } catch (error) {
      this.#state.of(step.name).state = "failed";
      this.#fail(error, undefined);
    }
    return true;
  }

  #skip(step: WorkflowStep): void {
    this.#state.of(step.name).state = "skipped";
  }

  #holds(step: WorkflowStep, index: number): boolean {
    if (step.when === undefined) return true;
    const { equals, not, min, max } = step.when;
    const value = resolve(step.when.value, this.#state.lookup(undefined, place(index, "when"), true));
    return (
      (equals === undefined || value === equals) &&
      (not === undefined || value !== not) &&
      (min === undefined || (typeof value === "number" && value >= min)) &&
      (max === undefined || (typeof value === "number" && value <= max))
    );
  }

  /** One instance, with its retries, until it is done and that is kept. */
  async #instance(instance: Instance): Promise<void> {
    const { index } = instance;
    const state = this.#state.of(instance.name);
    const resumed = state.state === "running";
    if (resumed && state.idle !== true && !this.#mayGoOn(instance)) {
      const { operation } = instance.step;
      const why =
        `ran when the node ended, so nobody knows whether ${operation} was done, and done twice it would not be the same: ` +
        "run the workflow again, or give the step `repeat: true` if it may be done twice";
      throw new OperationFailure("internal", why, place(index));
    }
    let isNew = !resumed || state.idle === true;
    for (;;) {
      if (isNew) {
        state.state = "running";
        state.attempts += 1;
        state.startedAt ??= new Date().toISOString();
        delete state.idle;
        delete state.job;
        // Before it is sent: after a restart it must be known that it may have been done.
        await this.#keep();
      }
      isNew = true;
      let outcome: StepOutcome;
      try {
        outcome = await runAttempt(this.#env, instance);
      } catch (error) {
        const wait = this.#waitBefore(instance, state.attempts, error);
        if (wait === undefined || this.#stop.signal.aborted) throw error;
        state.idle = true;
        state.error = error instanceof Error ? error.message : String(error);
        await this.#keep();
        await pause(wait, this.#stop.signal);
        continue;
      }
      Object.assign(state, outcome, { state: "done", endedAt: new Date().toISOString() });
      delete state.error;
      // Not within the attempt: what was done must not be tried again because it cannot be kept.
      await this.#keep();
      return;
    }
  }

  /** May an attempt that was running when the node ended be made again, under its identity? */
  #mayGoOn({ step, name }: Instance): boolean {
    const definition = operationDefinition(step.operation);
    // A job is found again: by its id, or by the identity of the request that made it.
    const asJob = definition?.job === true && Object.hasOwn(definition.arguments, "detach");
    return (
      asJob ||
      this.#state.of(name).job !== undefined ||
      definition?.idempotent === true ||
      step.repeat === true
    );
  }

  /** ms until the next attempt; undefined: there is none. */
  #waitBefore({ step, name }: Instance, made: number, error: unknown): number | undefined {
    if (!(error instanceof OperationFailure)) return undefined;
    const absences = this.#absences.get(name) ?? 0;
    if (error.code === "no-capable-node" && performance.now() < this.#rejoinUntil) {
      this.#absences.set(name, absences + 1);
      return rejoinPauseMs;
    }
    const attempts = made - absences;
    if (attempts >= (step.retries?.attempts ?? 1)) return undefined;
    const definition = operationDefinition(step.operation);
    const again = definition?.idempotent === true || definition?.job === true || step.repeat === true;
    if (!neverDone.has(error.code) && !(again && mayPass.has(error.code))) return undefined;
    const backoff = (step.retries?.backoffMs ?? 1000) * 2 ** (attempts - 1);
    return Math.min(longestBackoffMs, Math.max(backoff, error.details.retryAfterMs ?? 0));
  }

  /** The first failure decides; the other steps are told to stop. */
  #fail(error: unknown, instance: Instance | undefined): void {
    const interrupted = this.#stop.signal.aborted;
    if (interrupted && isNodeStop(this.context.signal)) return;
    if (instance !== undefined) {
      const state = this.#state.of(instance.name);
      state.state = interrupted ? "cancelled" : "failed";
      state.endedAt = new Date().toISOString();
      state.error = error instanceof Error ? error.message : String(error);
    }
    if (interrupted) return;
    this.#failure = instance === undefined ? asError(error) : inStep(error, instance);
    if (this.#failure instanceof OperationFailure) {
      const { code, text, field } = this.#failure;
      this.#state.failure = { code, text, ...(field === undefined ? {} : { field }) };
    }
    this.#stop.abort(new OperationFailure("cancelled", "another step failed"));
  }

  /** Keeps the state, and how it looks, in one: what is shown is what a resumed workflow goes on with. */
  #keep(): Promise<void> {
    const steps = this.#state.summaries();
    const ended = steps.filter(({ state }) => state === "done" || state === "skipped").length;
    const running = steps.filter(({ state }) => state === "running").map(({ name }) => name);
    const now =
      running.length === 0 ? "" : `: ${running.slice(0, 5).join(", ")}${running.length > 5 ? " …" : ""}`;
    const text = `${String(ended)} of ${String(steps.length)} steps${now}`;
    this.context.setSteps(steps, ended / steps.length, text);
    return this.context.checkpoint(this.#state.kept());
  }
}

/** Errors after which nothing was executed. */
const neverDone: ReadonlySet<ErrorName> = new Set<ErrorName>(["busy", "no-capable-node"]);
/** Errors that may not come again, where it may be executed again. */
const mayPass: ReadonlySet<ErrorName> = new Set<ErrorName>(["deadline", "internal", "hops-exhausted"]);

const settled: ReadonlySet<string> = new Set(["done", "skipped"]);

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** The failure of a step as the workflow's: the place tells which step. */
function inStep(error: unknown, { step, index }: Instance): Error {
  if (!(error instanceof OperationFailure)) return asError(error);
  const field =
    error.field?.startsWith("steps[") === true
      ? error.field
      : place(index, ...(error.field?.split(".") ?? []));
  return new OperationFailure(error.code, `${step.name}: ${error.text}`, field, error.details);
}
