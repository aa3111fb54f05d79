import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeLine, readTrapSites, type TrapSites } from "./trap-sites.js";

const entries = [
  { site: 1, kind: "index", file: "src/app.ts", line: 8, col: 15 },
  { site: 17, kind: "throw", file: "tmc/core/node.ts", line: 3, col: 1 },
];
const sites: TrapSites = new Map(entries.map((e) => [e.site, e]));

describe("decodeLine", () => {
  it.each([
    ["tmc-trap kind=1 site=1 message=", "tmc-trap kind=1 src/app.ts:8:15 message="],
    ["node: trap throw at site 17: no more", "node: trap throw at tmc/core/node.ts:3:1: no more"],
    ['{"kind":1,"site":17}', '{"kind":1,"site": "tmc/core/node.ts:3:1"}'],
    ["site=1 then site=17", "src/app.ts:8:15 then tmc/core/node.ts:3:1"],
    ["site: 1", "src/app.ts:8:15"],
  ])("%s", (line, decoded) => {
    expect(decodeLine(line, sites)).toBe(decoded);
  });
  it.each(["site=0", "site=99", "website=1", "sites 1", "site=1x", "site=-1", "onsite 17 ", ""])(
    "leaves %j alone",
    (line) => {
      expect(decodeLine(line, sites)).toBe(line);
    },
  );
});

describe("readTrapSites", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tmc-sites-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  it("reads a map", () => {
    const file = join(folder, "sites.json");
    writeFileSync(file, JSON.stringify(entries));
    expect(readTrapSites(file)).toEqual(sites);
  });
  it.each([
    ["gone.json", undefined],
    ["text.json", "trap"],
    ["symbols.json", '{"version":1,"symbols":{}}'],
    ["half.json", '[{"site":1}]'],
  ])("refuses %s", (name, text) => {
    const file = join(folder, name);
    if (text !== undefined) writeFileSync(file, text);
    expect(() => readTrapSites(file)).toThrow(expect.objectContaining({ code: "TMC0060", exitCode: 3 }));
  });
});
