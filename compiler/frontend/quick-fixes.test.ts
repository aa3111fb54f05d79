/** Fixes as edits: what each makes of its statement, and where there is none because only a person knows. */
import { describe, expect, it } from "vitest";
import { edited } from "../cli/fix-files.js";
import { catalogue } from "./catalogue.js";
import { analyse } from "../../test/support/analyse.js";
import { fixableCodes } from "../diagnostics/fixable-codes.js";

const declarations = `class A { x: i32 = 1; }
const a: A | null = new A(); let n: i32 = 7; let u: u32 = 9; const s = text(); const f: f32 = 0.5; const xs: i32[] = [1];
function text(): string { return "abc"; }
`;

/** `statement` after the fix of its first finding: `automatic` or `offered: …`. */
function mended(statement: string): string {
  const source = `${declarations}export function main(): void {\n${statement}\n}`;
  const [first] = analyse(source).diagnostics;
  if (first?.quickFix === undefined) return `none for ${first?.code ?? "no error"}`;
  const line = edited(source, first.quickFix.edits).split("\n")[4] ?? "";
  return first.quickFix.automatic ? line : `offered: ${line}`;
}

describe("fixes", () => {
  it.each([
    ["log(n / 2);", "log(Math.trunc(n / 2));"],
    ["const h: i32 = (n + 1) / 2;", "const h: i32 = Math.trunc((n + 1) / 2);"],
    ["const h: f32 = n / 2;", "offered: const h: f32 = Math.trunc(n / 2);"],
    ["n /= n + 1;", "n = Math.trunc(n / (n + 1));"],
    ["xs[n] /= 2;", "none for TMC1211"],
    ["log(u >> 2);", "log(u >>> 2);"],
    ["u >>= 2;", "u >>>= 2;"],
    ["log(n == 1);", "log(n === 1);"],
    ["log(a != null);", "log(a !== null);"],
    ["if (n) log(1);", "if (n !== 0) log(1);"],
    ["if (n % 2 && u) log(1);", "if ((n % 2) !== 0 && u) log(1);"],
    ["if (!n) log(1);", "if (n === 0) log(1);"],
    ["log(!n === true);", "log((n === 0) === true);"],
    ["while (s) n++;", 'while (s !== "") n++;'],
    ["log(a ? 1 : 2);", "log(a !== null ? 1 : 2);"],
    ["if (f) log(1);", "none for TMC1202"],
    ["log(n as u8);", "offered: log(u8(n));"],
    ["log(xs[f]);", "offered: log(xs[i32(f)]);"],
    ["var x = 1;", "let x = 1;"],
    ['log("µ");', 'log(utf8("µ"));'],
    ["log(`µ${n}`);", "none for TMC1104"],
    ['console.log("x", n);', 'log("x", n);'],
    ["console.table(n);", "none for TMC1018"],
    ["log(n /\n2);", "none for TMC1211"],
  ])("%s", (statement, expected) => {
    expect(mended(statement)).toBe(expected);
  });

  it("exist for codes of the catalogue", () => {
    const known = new Set(catalogue.map((e) => e.code));
    expect(fixableCodes.filter((code) => !known.has(code))).toEqual([]);
  });
});
