/**
 * One attempt of a step: its order, sent; or its job, made and waited for. It keeps what a resumed workflow needs before it
 * goes on, and decides nothing about retries.
 */
import { operationDefinition } from "../../../bus/operations/catalogue.js";
import {
  errorName,
  namedResult,
  type Answer,
  type Descriptor,
  type Selector,
} from "../../../bus/protocol.js";
import { resultOfJob } from "../../operations/job-operation.js";
import { OperationFailure, type Order, type Submit } from "../../operations/operation.js";
import { hasEnded, isNodeStop } from "../create-jobs.js";
import type { Jobs, JobSummary } from "../jobs.js";
import { parseTemplate, resolve } from "./references.js";
import { attemptIdentity, place, type Instance, type RunState } from "./run-state.js";

export interface StepEnvironment {
  readonly submit: Submit;
  readonly jobs: Jobs;
  /** Id of this node. */
  readonly node: string;
  readonly sender: string;
  /** Id of the workflow's job. */
  readonly job: string;
  readonly signal: AbortSignal;
  readonly state: RunState;
  /** Keeps the state; durable when it resolves. */
  keep(): Promise<void>;
  /** Between two looks at a job of another node, ms. */
  readonly pollMs: number;
}

export interface StepOutcome {
  readonly node: string;
  readonly result: Readonly<Record<string, unknown>>;
  readonly output?: Uint8Array | string;
  readonly outputDescriptor?: Partial<Descriptor>;
}

/** Does the attempt that `state` is at. @throws OperationFailure */
export async function runAttempt(env: StepEnvironment, instance: Instance): Promise<StepOutcome> {
  const { step } = instance;
  const definition = operationDefinition(step.operation);
  const state = env.state.of(instance.name);
  const asJob = definition?.job === true && Object.hasOwn(definition.arguments, "detach");
  const end = step.deadlineMs === undefined ? undefined : AbortSignal.timeout(step.deadlineMs);
  if (asJob && state.job !== undefined) return await waitForJob(env, state.job, end);
  const order = orderOf(env.state, instance);
  const identity = attemptIdentity(env.job, instance.name, state.attempts);
  const options = { sender: env.sender, signal: env.signal, identity };
  if (!asJob) return outcomeOf(step.operation, await unlessAborted(env.submit(order, options), env.signal));

  const { deadlineMs: _, ...rest } = order;
  const detached = { ...rest, arguments: { ...rest.arguments, detach: true } };
  // Without the signal: whoever gives up waiting must still learn of the job, to end it.
  const sent = env.submit(detached, { sender: env.sender, identity });
  let answer: Answer;
  try {
    answer = await unlessAborted(sent, env.signal);
  } catch (error) {
    if (!isNodeStop(env.signal)) void sent.then((late) => cancelLate(env, step.operation, late));
    throw error;
  }
  const outcome = outcomeOf(step.operation, answer);
  const id = outcome.result["job"];
  // Some nodes do at once what others make a job of.
  if (typeof id !== "string") return outcome;
  state.job = { id, node: outcome.node };
  await env.keep();
  return await waitForJob(env, state.job, end);
}

/** A request that does not hear the signal is left alone. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** @throws OperationFailure of the answer */
function outcomeOf(operation: string, answer: Answer): StepOutcome {
  const { error, output, outputDescriptor } = answer;
  if (error !== undefined) {
    const { retryAfterMs } = error;
    const details = retryAfterMs === undefined ? {} : { retryAfterMs };
    throw new OperationFailure(errorName(error.code) ?? "internal", error.text ?? "", error.field, details);
  }
  return {
    node: answer.node,
    result: namedResult(operation, answer),
    ...(output === undefined ? {} : { output }),
    ...(outputDescriptor === undefined ? {} : { outputDescriptor }),
  };
}

/** The order of an instance, its references replaced. @throws OperationFailure bad-request */
function orderOf(state: RunState, { step, index, item }: Instance): Order {
  const values = (what: "arguments" | "selector" | "input"): unknown =>
    step[what] === undefined ? undefined : resolve(step[what], state.lookup(item, place(index, what)));
  const input = values("input");
  if (input !== undefined && typeof input !== "string" && !(input instanceof Uint8Array)) {
    throw new OperationFailure("bad-request", "is neither bytes nor a reference", place(index, "input"));
  }
  const descriptor = inputDescriptorOf(state, step.input);
  const args = values("arguments") as Order["arguments"];
  const selector = values("selector") as Selector | undefined;
  return {
    operation: step.operation,
    ...(selector === undefined ? {} : { selector }),
    ...(args === undefined ? {} : { arguments: args }),
    ...(input === undefined ? {} : { input }),
    ...(descriptor === undefined ? {} : { inputDescriptor: descriptor }),
    ...(step.deadlineMs === undefined ? {} : { deadlineMs: step.deadlineMs }),
  };
}

/** Data that comes from a step comes with that step's descriptor. */
function inputDescriptorOf(state: RunState, input: string | undefined): Partial<Descriptor> | undefined {
  const [only, ...more] = parseTemplate(input ?? "");
  if (only === undefined || typeof only === "string" || more.length > 0) return undefined;
  const { reference } = only;
  if (reference?.of !== "steps") return undefined;
  const instances = state.expanded.get(reference.name) ?? [];
  const at = reference.part === "outputs" ? Number(reference.path[0]) : 0;
  const from = instances[at];
  const part = reference.part === "output" || reference.part === "outputs";
  return from === undefined || !part ? undefined : state.of(from.name).outputDescriptor;
}

async function waitForJob(
  env: StepEnvironment,
  job: { readonly id: string; readonly node: string },
  end: AbortSignal | undefined,
): Promise<StepOutcome> {
  const signal = end === undefined ? env.signal : AbortSignal.any([env.signal, end]);
  try {
    const ended =
      job.node === env.node ? await env.jobs.wait(job.id, signal) : await follow(env, job, signal);
    return { node: job.node, result: { ...resultOfJob(ended), job: job.id } };
  } catch (error) {
    if (!signal.aborted) throw error;
    // An interrupted workflow finds its job again; one that ends takes it along.
    if (!isNodeStop(env.signal)) await cancelJob(env, job);
    if (env.signal.aborted) throw error;
    throw new OperationFailure("deadline", `job ${job.id} took too long`);
  }
}

/** A job of another node: looked at until it has ended. While its node is away, it may still be at work. */
async function follow(
  env: StepEnvironment,
  job: { readonly id: string; readonly node: string },
  signal: AbortSignal,
): Promise<JobSummary> {
  for (;;) {
    signal.throwIfAborted();
    const answer = await env.submit(
      {
        operation: "task.status",
        selector: { node: job.node },
        arguments: { job: job.id },
        deadlineMs: 5000,
      },
      { sender: env.sender, signal },
    );
    const name = answer.error === undefined ? undefined : errorName(answer.error.code);
    if (name !== undefined && name !== "no-capable-node" && name !== "deadline" && name !== "busy") {
      throw new OperationFailure(name, answer.error?.text ?? "", answer.error?.field);
    }
    const [summary] = (namedResult("task.status", answer)["jobs"] ?? []) as JobSummary[];
    if (summary !== undefined && hasEnded(summary)) return summary;
    await pause(env.pollMs, signal);
  }
}

async function cancelLate(env: StepEnvironment, operation: string, answer: Answer): Promise<void> {
  const { job } = namedResult(operation, answer);
  if (typeof job === "string") await cancelJob(env, { id: job, node: answer.node });
}

async function cancelJob(
  env: StepEnvironment,
  job: { readonly id: string; readonly node: string },
): Promise<void> {
  if (job.node === env.node) {
    await env.jobs.cancel(job.id).catch(() => undefined);
    return;
  }
  await env.submit(
    { operation: "task.cancel", selector: { node: job.node }, arguments: { job: job.id }, deadlineMs: 3000 },
    { sender: env.sender },
  );
}

/** @throws the signal's reason when it is aborted */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", abort, { once: true });
  });
}
