/** What the subset has not: each construct gives its own code at its place, once, and names a fix. */
import { describe, expect, it } from "vitest";
import { analyse, codes } from "../../test/support/analyse.js";

/** Statement of main (its line counts as 1) → the findings. */
const inMain = (statement: string, before = ""): string[] =>
  codes(`${before}export function main(): void {\n${statement}\n}`).map((c) => c.replace(/^2:/, "1:"));

describe("expressions that are refused", () => {
  it.each([
    ["const r = /a+/;", "1:11 TMC1012"],
    ["const a: i32[] = [1]; delete a[0];", "1:23 TMC1010"],
    ["const n: i32 = 1; log(typeof n);", "1:23 TMC1013"],
    ["const s = void 0;", "1:11 TMC1001"],
    ["const C = class {};", "1:11 TMC1001"],
    ["let i = 2; log(i ** 3);", "1:16 TMC1001"],
    ["let s = utf8('a'); s = (log(1), s);", "1:25 TMC1001"],
    ['const has = "x" in {};', "1:13 TMC1014"],
    ["const x = <i32>5;", "1:11 TMC1001"],
    ["const t = log`x`;", "1:11 TMC1001"],
    ['const m = import("./x.js");', "1:11 TMC1001"],
    ["const n: i32 = 1; log(n == 1);", "1:25 TMC1216"],
    ["const n: i32 = 1; log(n != 1);", "1:25 TMC1216"],
    ["const x: any = 1;", "1:10 TMC1101"],
    ["const n: i32 = 1; const m = n as u8;", "1:29 TMC1206"],
    ['const s = "µ";', "1:11 TMC1104"],
    ['const s = "abc"; log(s[0]);', "1:22 TMC1112"],
  ])("%s", (statement, expected) => {
    expect(inMain(statement)).toEqual([expected]);
  });
});

describe("statements that are refused", () => {
  it.each([
    ["var x = 1;", "1:1 TMC1130"],
    ["const a: i32[] = [1]; for (const k in a) {}", "1:23 TMC1014"],
    ["debugger;", "1:1 TMC1002"],
    ["const o: i32 = 1; with (o) {}", "1:19 TMC1011"],
    ["x: { break x; }", "1:1 TMC1002"],
    ["function inner(): void {}", "1:1 TMC1129"],
    ["class Inner {}", "1:1 TMC1129"],
    ["interface Inner { x: i32 }", "1:1 TMC1129"],
    ["type Inner = { x: i32 };", "1:1 TMC1129"],
    ['throw "text";', "1:1 TMC1122"],
    ["const n: i32 = 1; if (n) {}", "1:23 TMC1202"],
    ['const s = "a"; while (s) {}', "1:23 TMC1202"],
    ["const n: i32 = 1; log(!n);", "1:24 TMC1202"],
  ])("%s", (statement, expected) => {
    expect(inMain(statement)).toEqual([expected]);
  });
});

describe("names of JavaScript's library", () => {
  it.each([
    ['eval("1");', "1:1 TMC1009"],
    ['const f = new Function("x");', "1:15 TMC1009"],
    ["const d = new Date();", "1:15 TMC1017"],
    ["const d = Date.now();", "1:11 TMC1017"],
    ['console.log("x");', "1:1 TMC1018"],
    ["setTimeout(() => {}, 1);", "1:1 TMC1018"],
    ["const p = Math.random();", "1:11 TMC1018"],
    ["const k = Object.keys(1);", "1:11 TMC1015"],
    ["const a: i32[] = []; log(a.prototype);", "1:28 TMC1015"],
    ["log(arguments.length);", "1:5 TMC1016"],
    ['const n = parseInt("1");', "1:11 TMC1018"],
    ['const s = "abc".substring(1);', "1:11 TMC1018"],
    ["const a: i32[] = [1]; const b = a.find((x) => x > 0);", "1:33 TMC1018"],
    ["const m = new WeakMap();", "1:15 TMC1018"],
    ['throw new TypeError("x");', "1:1 TMC1122"],
  ])("%s", (statement, expected) => {
    expect(inMain(statement)).toEqual([expected]);
  });
  it("belong to the program when it declares them", () => {
    const source = `function parseInt(x: i32): i32 { return x; } class Date { y: i32 = 1; }
export function main(): void { log(parseInt(3), new Date().y); }`;
    expect(codes(source)).toEqual([]);
  });
});

describe("declarations that are refused", () => {
  it.each([
    ["function* g(): IterableIterator<i32> { yield 1; }", "1:9 TMC1004"],
    ["function f<T>(...xs: T[]): void {}", "1:15 TMC1005"],
    ["class A { f(...xs: i32[]): void {} }", "1:13 TMC1005"],
    ["const f = (...xs: i32[]): void => {};", "1:12 TMC1005"],
    ["function f(x): void {}", "1:12 TMC1127"],
    ["let x: i32 = 0; function f(a: i32 = x + 1): void {}", "1:37 TMC1126"],
    ["function f(): i32; function f(): i32 { return 1; }", "1:1 TMC1138"],
    ["declare function f(): void;", "1:1 TMC1139"],
    ["declare const x: i32;", "1:1 TMC1139"],
    ["export default function f(): void {}", "1:8 TMC1144"],
    ["interface A { x: i32 } interface A { y: i32 }", "1:24 TMC1147"],
    ["class A { set x(v: i32) {} }", "1:11 TMC1143"],
    ["class A { static { log(1); } }", "1:11 TMC1143"],
    ["class A { #x: i32 = 1; }", "1:11 TMC1242"],
    ["class A { x!: i32; }", "1:11 TMC1131"],
    ["interface A { (x: i32): void }", "1:15 TMC1142"],
    ["let x: 1 | 2 = 1;", "1:8 TMC1103"],
    ["const x: { [name: string]: i32 } = { y: 1 };", "1:10 TMC1103"],
    ["function f(x: unknown): void {}", "1:15 TMC1103"],
    ["let x: bigint;", "1:8 TMC1102"],
    ["enum E { A = 0.5 }", "1:10 TMC1150"],
    ['enum E { A, B = "b" }', "1:13 TMC1150"],
    ["enum E { A } enum E { B = 1 }", "1:19 TMC1147"],
    ["namespace N { export const x = 1; }", "1:1 TMC1002"],
    ["function f(x: i32): x is i32 { return true; }", "1:21 TMC1003"],
  ])("%s", (declaration, expected) => {
    expect(codes(declaration)).toEqual([expected]);
  });
});

describe("several errors", () => {
  it("of a file are reported in one run, in order", () => {
    expect(
      codes(`export function main(): void {
  const a: u8 = 300;
  let b: i32 = "x";
  b = b / 2;
  if (b) {
    var c = 1;
  }
  log(unknownName);
}`),
    ).toEqual(["2:17 TMC1203", "3:16 TMC1201", "4:7 TMC1211", "5:7 TMC1202", "8:7 TMC1000"]);
  });
  it("of all modules are reported in one run", () => {
    expect(
      codes({
        "main.ts": 'import { f } from "./b.js";\nexport function main(): void { f(1); const x: u8 = -1; }',
        "b.ts": "export function f(n: i32): void { if (n) {} }",
      }),
    ).toEqual(["b.ts:1:39 TMC1202", "2:52 TMC1203"]);
  });
  it("that only follow from another are left out", () => {
    expect(
      codes("function f<T>(...xs: T[]): void {}\nexport function main(): void { f(1, 2); f(3); }"),
    ).toEqual(["1:15 TMC1005"]);
    expect(
      codes(
        "class A { #x: i32 = 1; f(): i32 { return this.#x; } }\nexport function main(): void { log(new A().f()); }",
      ),
    ).toEqual(["1:11 TMC1242"]);
    expect(inMain("const x = /a/; log(x); const y = x;")).toEqual(["1:11 TMC1012"]);
  });
  it("of syntax hide the others", () => {
    expect(codes("export function main(): void { let x = ; const y: u8 = 300; }")).toEqual(["1:40 TMC1000"]);
  });
  it("each name a fix", () => {
    const { diagnostics } = analyse(
      "export function main(): void { var x = 1; for (const k in [1]) {} eval('1'); }",
    );
    expect(diagnostics.map((d) => d.fix === "")).toEqual([false, false, false]);
  });
});
