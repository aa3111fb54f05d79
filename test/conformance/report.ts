/** The results of a run for people (a table), for programs (JSON), for build servers (JUnit). */
import type { RuleResult } from "./kit.js";

export interface TargetResult {
  readonly target: string;
  readonly results: readonly RuleResult[];
}

export function failures({ results }: TargetResult): RuleResult[] {
  return results.filter(({ outcome }) => outcome === "fail");
}

export function renderTable({ target, results }: TargetResult): string {
  const width = Math.max(...results.map(({ rule }) => rule.id.length));
  const lines = results.map(({ rule, outcome, reason, ms }) => {
    const mark = { pass: "pass", fail: "FAIL", "not applicable": "n/a " }[outcome];
    const why = reason === "" ? "" : `\n${" ".repeat(width + 8)}${reason}`;
    return `${rule.id.padEnd(width)}  ${mark}  ${rule.text} (${rule.clause}; ${ms} ms)${why}`;
  });
  return [`${target}:`, ...lines, summary({ target, results })].join("\n");
}

export function summary({ target, results }: TargetResult): string {
  const count = (outcome: RuleResult["outcome"]): number =>
    results.filter((result) => result.outcome === outcome).length;
  return `${target}: ${results.length} rules, ${count("pass")} passed, ${count("fail")} failed, ${count("not applicable")} not applicable`;
}

export function renderJson(targets: readonly TargetResult[]): string {
  return JSON.stringify(
    {
      targets: targets.map(({ target, results }) => ({
        target,
        ok: results.every(({ outcome }) => outcome !== "fail"),
        rules: results.map(({ rule, outcome, reason, ms }) => ({ ...rule, outcome, reason, ms })),
      })),
    },
    null,
    2,
  );
}

export function renderJUnit(targets: readonly TargetResult[]): string {
  const escape = (text: string): string =>
    text.replace(/[<>&"\p{Cc}]/gu, (char) => `&#${char.codePointAt(0) ?? 32};`);
  const suites = targets.map((each) => {
    const cases = each.results.map(({ rule, outcome, reason, ms }) => {
      const inner = { pass: "", fail: "failure", "not applicable": "skipped" }[outcome];
      const body = inner === "" ? "" : `<${inner} message="${escape(reason)}"/>`;
      return `    <testcase classname="${escape(each.target)}" name="${escape(rule.id)}" time="${ms / 1000}">${body}</testcase>`;
    });
    const counts = `tests="${each.results.length}" failures="${failures(each).length}"`;
    return [`  <testsuite name="${escape(each.target)}" ${counts}>`, ...cases, "  </testsuite>"].join("\n");
  });
  return ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", ...suites, "</testsuites>", ""].join(
    "\n",
  );
}
