/** One piece of work for each of several nodes, some at a time, as the steps of a job. Each ends for itself, with a reason. */
import type { RegisteredNode } from "../core/core-service.js";
import type { JobContext, JobStep } from "../jobs/jobs.js";
import { OperationFailure } from "./operation.js";

const atOnce = 8;

/** How far one of them is, 0..1, and what it does, for people. */
export type Report = (fraction: number, text?: string) => void;

export interface FanOutEnd {
  /** Nodes whose work was done. */
  readonly done: string[];
  readonly failures: ReadonlyMap<string, OperationFailure>;
}

/** The nodes that are named, and those that are online and have all these labels. `self`: this node, where it counts too. */
export function targetsOf(
  registered: readonly RegisteredNode[],
  nodes: readonly string[] | undefined,
  labels: readonly string[] | undefined,
  self?: { readonly id: string; readonly labels: readonly string[] },
): string[] {
  if (labels === undefined) return [...new Set(nodes ?? [])];
  const has = (theirs: readonly string[] | undefined) => labels.every((label) => theirs?.includes(label));
  const others = registered.filter((one) => one.online && has(one.birth.labels));
  const own = self !== undefined && has(self.labels) ? [self.id] : [];
  return [...new Set([...own, ...others.map((one) => one.node), ...(nodes ?? [])])];
}

/** What a job for nodes is about: a newer one of the same subject supersedes an older one. */
export function subjectFor(what: string, nodes: unknown, labels: unknown): string {
  const where = Array.isArray(nodes)
    ? nodes.map(String)
    : Array.isArray(labels)
      ? labels.map((one) => `:${String(one)}`)
      : ["here"];
  return `${what} on ${where.sort().join(" ")}`;
}

/** @throws OperationFailure cancelled; what the first one failed with when all failed */
export async function onEach(
  targets: readonly string[],
  job: JobContext,
  work: (target: string, report: Report) => Promise<void>,
): Promise<FanOutEnd> {
  const steps = new Map<string, JobStep>(
    targets.map((target) => [target, { name: target, state: "waiting", node: target, attempts: 0 }]),
  );
  const failures = new Map<string, OperationFailure>();
  /** Those that are on their way. */
  const parts = new Map<string, { readonly fraction: number; readonly text: string | undefined }>();
  const waiting = [...targets];
  const show = (target: string, state: JobStep["state"], error?: string): void => {
    steps.set(target, {
      name: target,
      node: target,
      attempts: 1,
      state,
      ...(error === undefined ? {} : { error }),
    });
    parts.delete(target);
    job.setSteps([...steps.values()], ...soFar());
  };
  const soFar = (): [number, string] => {
    const ended = [...steps.values()].filter(
      (step) => step.state === "done" || step.state === "failed",
    ).length;
    const underWay = [...parts.values()];
    const sum = underWay.reduce((total, { fraction }) => total + fraction, 0);
    const [first] = underWay;
    const text =
      targets.length === 1 && first?.text !== undefined ? first.text : `${ended} of ${targets.length} nodes`;
    return [(ended + sum) / targets.length, text];
  };
  const lane = async (): Promise<void> => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      if (job.signal.aborted) throw new OperationFailure("cancelled", "told to stop");
      show(target, "running");
      const of = target;
      try {
        await work(target, (fraction, text) => {
          parts.set(of, { fraction, text });
          job.progress(...soFar());
        });
        show(target, "done");
      } catch (error) {
        if (!(error instanceof OperationFailure)) throw error;
        failures.set(target, error);
        show(target, "failed", error.text);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, targets.length) }, lane));
  const done = targets.filter((target) => !failures.has(target));
  const [first] = failures.values();
  if (done.length === 0 && first !== undefined) throw first;
  return { done, failures };
}

/** As results tell failures: node: reason. Absent when there is none. */
export function failedOf({ failures }: FanOutEnd): { readonly failed?: Record<string, string> } {
  if (failures.size === 0) return {};
  return { failed: Object.fromEntries([...failures].map(([target, { text }]) => [target, text])) };
}
