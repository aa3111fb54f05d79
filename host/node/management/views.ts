/** The node's own values as the API shows them: nodes, traces, the configuration without its secrets. */
import type { z } from "zod";
import { birthKeys, errorCodes, resetReasons } from "../../bus/protocol-keys.js";
import type { NodeConfig } from "../config.js";
import type { RegisteredNode, RequestTrace } from "../core/core-service.js";
import type { Schedule } from "../jobs/schedules.js";
import { fromDescriptor, jsonValue } from "./json-values.js";
import type { nodeDetails, requestTrace, scheduleSummary } from "./schemas.js";

const iso = (ms: number): string => new Date(ms).toISOString();

/** Without members that are undefined, as JSON has them. */
export function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}

/** Digests as hexadecimal, descriptors with names, counters of errors by name. */
export function detailsOf(node: RegisteredNode): z.infer<typeof nodeDetails> {
  const { models, ...rest } = node.birth;
  const record = jsonValue(
    Object.fromEntries(
      Object.entries(rest).filter(([key]) => Object.hasOwn(birthKeys, key) && key !== "version"),
    ),
  ) as Record<string, unknown>;
  if (models !== undefined) {
    record["models"] = models.map((model) =>
      defined({
        ...model,
        digest: model.digest === undefined ? undefined : Buffer.from(model.digest).toString("hex"),
        inputs: model.inputs.map(fromDescriptor),
        outputs: model.outputs.map(fromDescriptor),
      }),
    );
  }
  const { state } = node;
  return {
    node: node.node,
    online: node.online,
    energyClass: node.energyClass,
    inFlight: node.inFlight,
    ...defined({ latencyMs: node.latencyMs }),
    lastSeen: iso(node.lastSeenAt),
    birth: record,
    ...(state === undefined
      ? {}
      : {
          state: defined({
            boot: state.boot,
            online: state.online,
            uptimeS: state.uptimeS,
            errorFlags: state.errorFlags,
            resetReason: state.resetReason === undefined ? undefined : resetReasons[state.resetReason],
            counters:
              state.counters === undefined
                ? undefined
                : { ...state.counters, errors: errorsByName(state.counters.errors) },
          }),
        }),
  };
}

function errorsByName(errors: ReadonlyMap<number, number>): Record<string, number> {
  const names = Object.entries(errorCodes);
  return Object.fromEntries(
    [...errors].map(([code, count]) => [names.find(([, n]) => n === code)?.[0] ?? String(code), count]),
  );
}

export function traceOf(trace: RequestTrace): z.infer<typeof requestTrace> {
  const { request, at, error, ...same } = trace;
  return { ...request, ...same, at: iso(at), ...defined({ error }) };
}

/** A schedule as lists show it. */
export function scheduleOf(schedule: Schedule): z.infer<typeof scheduleSummary> {
  const { name, cron, everyS, at, order, sender, nextAt, sentAt, last } = schedule;
  return {
    name,
    when: cron ?? (everyS === undefined ? `at ${at ?? "?"}` : `every ${everyS} s`),
    order,
    sender,
    ...defined({
      next: Number.isFinite(nextAt) ? iso(nextAt) : undefined,
      last: sentAt === undefined ? undefined : iso(sentAt),
      lastError: last === undefined || last === "done" ? undefined : last,
    }),
  };
}

/** The configuration in force. Passwords inside of URLs are taken out; other secrets are files and variables by name. */
export function shownConfig(config: NodeConfig): Record<string, unknown> {
  return withoutPasswords(config) as Record<string, unknown>;
}

function withoutPasswords(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/^([a-z0-9+.-]+:\/\/)[^/@\s]*@/i, "$1***@");
  if (Array.isArray(value)) return value.map(withoutPasswords);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutPasswords(each)]));
  }
  return value;
}
