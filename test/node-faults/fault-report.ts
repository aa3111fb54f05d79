/** What a fault did to the requests of all clients, as counts; which promises were broken; and the table of it. */
import { answeredTwice, outcomeOf, type FaultClient, type Outages } from "./fault-client.js";

export interface FaultResult {
  readonly fault: string;
  /** Why it could not be tried here; all counts are 0. */
  readonly skipped?: string;
  /** How many times the fault happened. */
  readonly times: number;
  /** ms from the fault to the first answer after it, the longest; 0 when the node never was away. */
  readonly awayMs: number;
  readonly requests: number;
  /** Sent more than once. */
  readonly repeated: number;
  readonly ok: number;
  /** By name of the error. */
  readonly errors: Readonly<Record<string, number>>;
  readonly twice: number;
  readonly unanswered: number;
  /** Nobody was there until the client lost patience. */
  readonly gaveUp: number;
  readonly acknowledged: number;
  /** Of the acknowledged writes. */
  readonly found: number;
  /** Promises that were broken, as sentences. */
  readonly broken: readonly string[];
}

export interface Evidence {
  readonly fault: string;
  readonly times: number;
  readonly awayMs: number;
  readonly clients: readonly Pick<FaultClient, "requests">[];
  readonly outages: Outages;
  /** What was in the storage afterwards: number of the item → how many of them. */
  readonly found: ReadonlyMap<number, number>;
  /** What was wrong there. */
  readonly wrong: readonly string[];
  /** Errors that the fault may cause for `operation`; every other is a broken promise. */
  readonly allowed: (operation: string) => readonly string[];
  /** Outcomes that must have been seen, or the fault did not happen. */
  readonly expected: readonly string[];
}

export function judge(evidence: Evidence): FaultResult {
  const { outages, found } = evidence;
  const requests = evidence.clients.flatMap((client) => [...client.requests.values()]);
  const count = (of: (request: (typeof requests)[number]) => boolean): number => requests.filter(of).length;
  const errors: Record<string, number> = {};
  const broken = [...evidence.wrong];
  const notAllowed = new Set<string>();
  let ok = 0;
  for (const { done, order } of requests) {
    const [first] = done;
    if (first === undefined) continue;
    const outcome = outcomeOf(first);
    if (outcome === "ok") {
      ok++;
      continue;
    }
    errors[outcome] = (errors[outcome] ?? 0) + 1;
    if (!evidence.allowed(order.operation).includes(outcome))
      notAllowed.add(`${order.operation}: ${outcome} (${first.error?.text ?? ""})`);
  }
  broken.push(...[...notAllowed].map((text) => `not an error of this fault: ${text}`));
  const writes = requests.filter(({ order }) => order.operation === "data.store");
  const acknowledged = writes.filter(({ done }) => done.some((answer) => answer.error === undefined));
  const result = {
    fault: evidence.fault,
    times: evidence.times,
    awayMs: Math.round(evidence.awayMs),
    requests: requests.length,
    repeated: count(({ sends }) => sends > 1),
    ok,
    errors,
    twice: count((request) => answeredTwice(request, outages)),
    unanswered: count(({ fate }) => fate === "unanswered" || fate === "waiting"),
    gaveUp: count(({ fate }) => fate === "gave up"),
    acknowledged: acknowledged.length,
    found: acknowledged.filter(({ n }) => found.has(n)).length,
  };
  if (result.twice > 0) broken.push(`${result.twice} requests were answered twice`);
  if (result.unanswered > 0) broken.push(`${result.unanswered} requests had no answer by their deadline`);
  if (result.found < result.acknowledged)
    broken.push(`${result.acknowledged - result.found} acknowledged writes are lost`);
  const again = [...found].filter(([, times]) => times > 1).length;
  if (again > 0) broken.push(`${again} items are stored more than once`);
  const sent = new Set(writes.map(({ n }) => n));
  const unknown = [...found.keys()].filter((n) => !sent.has(n)).length;
  if (unknown > 0) broken.push(`${unknown} items were never sent`);
  const seen = new Set([...Object.keys(errors), ...(ok > 0 ? ["ok"] : [])]);
  for (const outcome of evidence.expected)
    if (!seen.has(outcome)) broken.push(`no request ended with ${outcome}: the fault proves nothing`);
  return { ...result, broken };
}

export function skippedFault(fault: string, why: string): FaultResult {
  const zero = { times: 0, awayMs: 0, requests: 0, repeated: 0, ok: 0, twice: 0, unanswered: 0, gaveUp: 0 };
  return { fault, skipped: why, ...zero, errors: {}, acknowledged: 0, found: 0, broken: [] };
}

const columns = [
  ["fault", ({ fault }) => fault],
  ["times", ({ times }) => times],
  ["away ms", ({ awayMs }) => awayMs],
  ["requests", ({ requests }) => requests],
  ["repeated", ({ repeated }) => repeated],
  ["ok", ({ ok }) => ok],
  ["twice", ({ twice }) => twice],
  ["unanswered", ({ unanswered }) => unanswered],
  ["gave up", ({ gaveUp }) => gaveUp],
  ["writes", ({ acknowledged }) => acknowledged],
  ["found", ({ found }) => found],
  ["errors", ({ errors }) => errorsText(errors)],
] as const satisfies readonly (readonly [string, (result: FaultResult) => string | number])[];

function errorsText(errors: FaultResult["errors"]): string {
  const parts = Object.entries(errors).map(([name, count]) => `${name} ${count}`);
  return parts.length === 0 ? "-" : parts.join(", ");
}

/** One row for each fault; below it what was skipped and what is broken. */
export function renderFaults(results: readonly FaultResult[]): string {
  const ran = results.filter(({ skipped }) => skipped === undefined);
  const rows = [
    columns.map(([title]): string => title),
    ...ran.map((result) => columns.map(([, cell]) => String(cell(result)))),
  ];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const text = (i: number): boolean => i === 0 || i === columns.length - 1;
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (text(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  for (const { fault, skipped } of results)
    if (skipped !== undefined) lines.push(`skipped: ${fault} (${skipped})`);
  for (const { fault, broken } of results)
    for (const sentence of broken) lines.push(`BROKEN: ${fault}: ${sentence}`);
  return lines.join("\n");
}
