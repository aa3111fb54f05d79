/** SARIF documents have what schema 2.1.0 requires of the objects that tmc writes; nothing else is in them. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Diagnostic } from "./diagnostic.js";
import { toSarif } from "./sarif.js";

// Of sarif-schema-2.1.0.json: required properties, enumerations, ranges of the objects in use.
const message = z.strictObject({ text: z.string().min(1) });
const artifactLocation = z.strictObject({
  uri: z.string().regex(/^[\w.~:/?#[\]@!$&'()*+,;=%-]+$/),
  uriBaseId: z.string().optional(),
});
const place = z.int().min(1);
const region = z.strictObject({
  startLine: place,
  startColumn: place,
  endLine: place.optional(),
  endColumn: place.optional(),
});
const physicalLocation = z.strictObject({ artifactLocation, region });
const location = z.strictObject({
  id: z.int().min(0).optional(),
  physicalLocation,
  message: message.optional(),
});
const replacement = z.strictObject({
  deletedRegion: region,
  insertedContent: z.strictObject({ text: z.string() }),
});
const fix = z.strictObject({
  description: message,
  artifactChanges: z
    .array(z.strictObject({ artifactLocation, replacements: z.array(replacement).min(1) }))
    .min(1),
});
const result = z.strictObject({
  ruleId: z.string(),
  ruleIndex: z.int().min(0),
  level: z.enum(["none", "note", "warning", "error"]),
  message,
  locations: z.array(location),
  relatedLocations: z.array(location).optional(),
  fixes: z.array(fix).min(1).optional(),
});
const rule = z.strictObject({
  id: z.string(),
  shortDescription: message,
  fullDescription: message,
  help: message,
});
const driver = z.strictObject({
  name: z.string(),
  semanticVersion: z.string().regex(/^\d+\.\d+\.\d+/),
  rules: z.array(rule),
});
const run = z.strictObject({
  tool: z.strictObject({ driver }),
  columnKind: z.enum(["utf16CodeUnits", "unicodeCodePoints"]),
  originalUriBaseIds: z.record(z.string(), z.strictObject({ uri: z.string().endsWith("/") })),
  results: z.array(result),
});
const log = z.strictObject({
  $schema: z.url(),
  version: z.literal("2.1.0"),
  runs: z.array(run),
});

describe("toSarif", () => {
  const finding: Diagnostic = {
    code: "TMC1216",
    severity: "error",
    loc: { file: "src/ä b.ts", line: 2, col: 3 },
    length: 2,
    message: "`==` converts its operands",
    fix: "write `===`",
    related: [{ loc: { file: "tmc/std/list.ts", line: 7, col: 1 }, message: "declared here" }],
    quickFix: { title: "write `===`", automatic: true, edits: [{ line: 2, col: 3, endCol: 5, text: "===" }] },
  };
  it.each([
    ["nothing", []],
    [
      "findings with fixes and related places",
      [finding, { ...finding, severity: "note" as const, code: "TMC9" }],
    ],
  ])("of %s is valid", (_, list) => {
    const document: unknown = JSON.parse(
      JSON.stringify(toSarif(list, { root: "/p", base: "/p", version: "1.2.3", catalogue: [] })),
    );
    expect(log.safeParse(document).error?.issues ?? []).toEqual([]);
    const indices = log
      .parse(document)
      .runs.flatMap((r) => r.results.map((x) => r.tool.driver.rules[x.ruleIndex]?.id === x.ruleId));
    expect(indices).toEqual(list.map(() => true));
  });
});
