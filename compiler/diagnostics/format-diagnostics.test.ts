import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { colored, plain, styleFor } from "./colors.js";
import type { Diagnostic } from "./diagnostic.js";
import { formatDiagnostics, summarize } from "./format-diagnostics.js";

const example: Diagnostic = {
  code: "TMC1203",
  severity: "error",
  loc: { file: "a.ts", line: 2, col: 2 },
  length: 5,
  message: "what is wrong",
  fix: "what to do",
  related: [{ loc: { file: "a.ts", line: 1, col: 1 }, message: "declared here" }],
};

describe("formatDiagnostics", () => {
  let root = "";
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "tmc-diagnostics-"));
    writeFileSync(join(root, "a.ts"), "let x = 1;\n\tx + y;\n");
  });
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  it("prints place, message, line, marks, fix, related place, summary", () => {
    expect(formatDiagnostics([example], { root, cwd: root })).toBe(
      [
        "a.ts:2:2 - error TMC1203: what is wrong",
        "  2 | \tx + y;",
        "    | \t^~~~~",
        "  fix: what to do",
        "  a.ts:1:1 - note: declared here",
        "",
        "1 error",
        "",
      ].join("\n"),
    );
  });
  it("keeps the marks on the line and copes with a file that is gone", () => {
    const long = formatDiagnostics([{ ...example, length: 500 }], { root, cwd: root });
    expect(long).toContain("    | \t^~~~~~\n");
    const gone = formatDiagnostics([{ ...example, loc: { file: "b.ts", line: 1, col: 1 } }], {
      root,
      cwd: root,
    });
    expect(gone).toContain("b.ts:1:1 - error TMC1203: what is wrong\n  fix: what to do");
  });
  it("shows a part of a very long line, with the marks under what they mean", () => {
    const line = `${"a".repeat(300)}WRONG${"b".repeat(300)}`;
    writeFileSync(join(root, "long.ts"), line);
    const text = formatDiagnostics(
      [{ ...example, loc: { file: "long.ts", line: 1, col: 301 }, length: 5, related: [] }],
      { root, cwd: root },
    );
    const [, source, marks] = text.split("\n");
    expect(source?.length).toBeLessThan(200);
    expect(source?.indexOf("WRONG")).toBe(marks?.indexOf("^~~~~"));
    expect(source).toMatch(/^  1 \| …a+WRONGb+…$/);
  });
  it("has colours for a terminal, and none where they are forbidden", () => {
    const text = formatDiagnostics([example], { root, cwd: root, style: colored });
    expect(text).toContain("\u001b[36ma.ts\u001b[39m:\u001b[33m2\u001b[39m:");
    expect(text).toContain("\u001b[31m^~~~~\u001b[39m");
    // Without the colours it is the same text.
    expect(text.replace(/\u001b\[\d+m/g, "")).toBe(formatDiagnostics([example], { root, cwd: root }));
    expect(styleFor({ isTTY: true }, {})).toBe(colored);
    expect(styleFor({ isTTY: true }, { NO_COLOR: "1" })).toBe(plain);
    expect(styleFor({ isTTY: true }, { TERM: "dumb" })).toBe(plain);
    expect(styleFor({}, {})).toBe(plain);
  });
  it("counts errors and warnings", () => {
    expect(summarize([])).toBe("0 errors");
    expect(summarize([example, example, { ...example, severity: "warning" }])).toBe("2 errors, 1 warning");
    expect(formatDiagnostics([], { root })).toBe("");
  });
});
