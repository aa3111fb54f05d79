import { describe, expect, it } from "vitest";
import { allAgree, formatDisagreement, formatTrap, type TargetOutcome } from "./exec-report.js";

const outcome = (target: string, stdout: string, place?: string): TargetOutcome => ({
  target,
  stdout,
  trap: place === undefined ? undefined : { kind: "index", place, message: "" },
  instructions: undefined,
});

describe("comparison of targets", () => {
  it("agrees when output and ending are the same", () => {
    expect(allAgree([outcome("node", "1\n"), outcome("host", "1\n")])).toBe(true);
    expect(allAgree([outcome("node", "1\n", "a.ts:1:1"), outcome("host", "1\n", "a.ts:1:1")])).toBe(true);
    expect(allAgree([outcome("node", "1\n")])).toBe(true);
  });
  it("differs by a byte, by a trap, by the place of a trap", () => {
    expect(allAgree([outcome("node", "1\n"), outcome("host", "1")])).toBe(false);
    expect(allAgree([outcome("node", "1\n"), outcome("host", "1\n", "a.ts:1:1")])).toBe(false);
    expect(allAgree([outcome("node", "1\n", "a.ts:1:1"), outcome("host", "1\n", "a.ts:2:1")])).toBe(false);
  });
  it("shows the difference of each target against the first", () => {
    const text = formatDisagreement([
      outcome("node", "1\n2\n"),
      outcome("host", "1\n2\n"),
      outcome("qemu_cortex_m4", "1\n3\n", "a.ts:9:2"),
    ]);
    expect(text).toBe(
      [
        "host: same as node",
        "qemu_cortex_m4 differs from node:",
        "--- node",
        "+++ qemu_cortex_m4",
        "  1",
        "- 2",
        "+ 3",
        "+ trap index at a.ts:9:2",
        "",
      ].join("\n"),
    );
  });
  it("names a trap by kind, place and message", () => {
    expect(formatTrap({ kind: "throw", place: "a.ts:1:2", message: "no" })).toBe(
      "trap throw at a.ts:1:2: no",
    );
    expect(formatTrap({ kind: "stack", place: "", message: "" })).toBe("trap stack");
  });
});
