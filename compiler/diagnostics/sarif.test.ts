import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../board/package-root.js";
import type { Diagnostic } from "./diagnostic.js";
import { formatGithub } from "./github.js";
import { toSarif, type SarifOptions } from "./sarif.js";

const finding: Diagnostic = {
  code: "TMC1203",
  severity: "error",
  loc: { file: "src/a b.ts", line: 2, col: 3 },
  length: 99,
  message: "100 % wrong: `a, b`",
  fix: "write this",
  related: [{ loc: { file: "tmc/std/list.ts", line: 7, col: 1 }, message: "declared here" }],
};
const note: Diagnostic = { ...finding, code: "TMC1001", severity: "note", fix: "", related: [] };

let base = "";
let options: SarifOptions;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "tmc-sarif-"));
  options = {
    root: base,
    base,
    version: "1.2.3",
    catalogue: [{ code: "TMC1203", title: "narrowing", rule: "It loses bits.", wrong: "w", right: "r" }],
  };
});
afterAll(() => {
  rmSync(base, { recursive: true });
});

describe("toSarif", () => {
  it("has one run with the rules that occur and a result for each finding", () => {
    const log = toSarif([finding, note, finding], options);
    expect(log.version).toBe("2.1.0");
    const [run] = log.runs;
    expect(run?.tool.driver).toMatchObject({ name: "tmc", semanticVersion: "1.2.3" });
    expect(run?.tool.driver.rules.map((r) => r.id)).toEqual(["TMC1001", "TMC1203"]);
    expect(run?.tool.driver.rules[1]).toEqual({
      id: "TMC1203",
      shortDescription: { text: "narrowing" },
      fullDescription: { text: "It loses bits." },
      help: { text: "It loses bits.\n\nwrong:\nw\n\nright:\nr" },
    });
    expect(run?.results.map((r) => [r.ruleId, r.ruleIndex, r.level])).toEqual([
      ["TMC1203", 1, "error"],
      ["TMC1001", 0, "note"],
      ["TMC1203", 1, "error"],
    ]);
    expect(run?.results[0]?.message.text).toBe("100 % wrong: `a, b`\nfix: write this");
    expect(run?.results[1]).not.toHaveProperty("relatedLocations");
    expect(run?.originalUriBaseIds["%SRCROOT%"].uri).toBe(`${pathToFileURL(base).href}/`);
  });
  it("places are URIs below the base, or whole ones outside; regions end on their line", () => {
    const place = () => toSarif([finding], options).runs[0]?.results[0];
    expect(place()?.locations[0]?.physicalLocation).toEqual({
      artifactLocation: { uri: "src/a%20b.ts", uriBaseId: "%SRCROOT%" },
      region: { startLine: 2, startColumn: 3, endColumn: 102 },
    });
    expect(place()?.relatedLocations).toEqual([
      {
        id: 0,
        physicalLocation: {
          artifactLocation: { uri: pathToFileURL(packagePath("firmware", "std", "list.ts")).href },
          region: { startLine: 7, startColumn: 1 },
        },
        message: { text: "declared here" },
      },
    ]);
    writeFileSync(join(base, "a.ts"), "first\nsecond;\n");
    const clipped = toSarif([{ ...finding, loc: { file: "a.ts", line: 2, col: 3 } }], options);
    expect(clipped.runs[0]?.results[0]?.locations[0]?.physicalLocation.region.endColumn).toBe(8);
  });
  it("carries fixes as replacements", () => {
    const quickFix = {
      title: "write `===`",
      automatic: true,
      edits: [{ line: 2, col: 5, endCol: 7, text: "===" }],
    };
    const [result] = toSarif([{ ...finding, quickFix }], options).runs[0]?.results ?? [];
    expect(result?.fixes).toEqual([
      {
        description: { text: "write `===`" },
        artifactChanges: [
          {
            artifactLocation: { uri: "src/a%20b.ts", uriBaseId: "%SRCROOT%" },
            replacements: [
              {
                deletedRegion: { startLine: 2, startColumn: 5, endLine: 2, endColumn: 7 },
                insertedContent: { text: "===" },
              },
            ],
          },
        ],
      },
    ]);
  });
  it("of nothing is a document without results, which closes former alerts", () => {
    expect(toSarif([], options).runs[0]).toMatchObject({ results: [], tool: { driver: { rules: [] } } });
  });
});

describe("formatGithub", () => {
  it("prints one escaped command a finding", () => {
    expect(formatGithub([finding, note], { root: base, base })).toMatch(
      /^::error file=src\/a b\.ts,line=2,col=3,endColumn=102,title=TMC1203::100 %25 wrong: `a, b`%0Afix: write this%0A.*firmware\/std\/list\.ts:7:1: declared here\n::notice file=src\/a b\.ts,line=2,col=3,endColumn=102,title=TMC1001::100 %25 wrong: `a, b`\n$/,
    );
    expect(formatGithub([], { root: base, base })).toBe("");
  });
  it("escapes what separates properties", () => {
    const odd = { ...note, loc: { file: "a,b:c%.ts", line: 1, col: 1 } };
    expect(formatGithub([odd], { root: base, base })).toContain("file=a%2Cb%3Ac%25.ts,");
  });
});
