/** Emitted JavaScript: what it computes, where it traps, what its source map says; ES modules and functions alike. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { analyse, run, virtualRoot, type Sources } from "../../test/support/analyse.js";
import { runFrontend } from "../frontend/frontend.js";
import type { Module } from "../ir/nodes.js";
import { emitModule, type EmittedModule } from "./module.js";
import * as support from "./support.js";

function modulesOf(sources: Readonly<Record<string, string>>): readonly Module[] {
  const overlay = new Map(
    Object.entries(sources).map(([name, text]) => [path.join(virtualRoot, name), text]),
  );
  const { program, diagnostics } = runFrontend([...overlay.keys()][0] ?? "", virtualRoot, overlay);
  expect(diagnostics).toEqual([]);
  return program.modules;
}

function emitted(
  source: string,
  options: { checked?: boolean; format?: "esm" | "function" } = {},
): EmittedModule {
  const [m] = modulesOf({ "main.ts": source });
  if (m === undefined) throw new Error("no module");
  return emitModule(m, {
    format: options.format ?? "esm",
    checked: options.checked ?? true,
    support: "support",
    specifier: (to) => to,
    sourceText: source,
  });
}

/** `line:col` of the source for the first place of `text` in the emitted code. */
function original(e: EmittedModule, text: string): string {
  const at = e.code.indexOf(text);
  if (at < 0) throw new Error(`${text} is not in:\n${e.code}`);
  const before = e.code.slice(0, at).split("\n");
  const found = new SourceMap(JSON.parse(e.map) as SourceMapPayload).findEntry(
    before.length - 1,
    before.at(-1)?.length ?? 0,
  );
  return "originalLine" in found ? `${found.originalLine + 1}:${found.originalColumn + 1}` : "nothing";
}

describe("the source map", () => {
  const source = `const start: i32 = 11;
class A {
  n: i32 = 22;
  grow(by: i32): i32 {
    this.n += by;
    return this.n * 33;
  }
}
export function main(): void {
  const a = new A();
  const twice = (x: i32): i32 => {
    const y = x * 44;
    return y + 55;
  };
  if (twice(66) > 77) {
    log(a.grow(88));
  }
}
`;
  it.each(["esm", "function"] as const)("leads to the statement (%s)", (format) => {
    const e = emitted(source, { format });
    expect(original(e, "start = 11")).toBe("1:7");
    expect(original(e, "class A")).toBe("2:1");
    expect(original(e, "return $rt.mulI32(this.n")).toBe("6:5");
    expect(original(e, "const a = new")).toBe("10:9");
    expect(original(e, "(a.grow(88)")).toMatch(/^16:/);
  });
  it("leads into functions inside expressions", () => {
    const e = emitted(source);
    expect(original(e, "const y = ")).toBe("12:11");
    expect(original(e, "return $rt.addI32(y")).toBe("13:5");
  });
  it("carries the source", () => {
    const map = JSON.parse(emitted(source).map) as { sources: string[]; sourcesContent: string[] };
    expect(map.sourcesContent).toEqual([source]);
    expect(map.sources[0]).toBe(path.join(virtualRoot, "main.ts"));
  });
  it("is of a file that is not pasted into the code", () => {
    expect(emitted('export function main(): void { log("*/ ` ${x} \\" \\u0001"); }').code).toContain(
      "*/ ` ${x}",
    );
  });
});

describe("traps", () => {
  const trapOf = (body: string, before = ""): string => {
    const { trap } = run(`${before}\nexport function main(): void {\n  ${body}\n}`);
    return trap === undefined ? "none" : `${trap.kind} ${trap.where}`;
  };
  it.each([
    ["const a: i32[] = [1]; log(a[n]);", "let n: i32 = 5;", "index main.ts:3:29"],
    ["const a: i32[] = [1]; log(a[n]);", "let n: i32 = -1;", "index main.ts:3:29"],
    ["a[n] = 1;", "let n: i32 = 4; const a = new Uint8Array(4);", "index main.ts:3:3"],
    ['log("abc".charCodeAt(n));', "let n: i32 = 3;", "index main.ts:3:7"],
    ["log(s!.length);", "let s: string | null = null;", "null main.ts:3:7"],
    ["log(1 + ((1 / n) | 0));", "let n: i32 = 0;", "division main.ts:3:13"],
    ["log(n + 1);", "let n: i32 = 2147483647;", "overflow main.ts:3:7"],
    ["n *= 2;", "let n: u8 = 200;", "overflow main.ts:3:3"],
    ["assert(n > 5);", "let n: i32 = 1;", "assert main.ts:3:3"],
    ['throw new Error("boom");', "", "throw main.ts:3:3"],
    ["a.set(b, 3);", "const a = new Uint8Array(4); const b = new Uint8Array(2);", "index main.ts:3:3"],
  ])("%s with %s", (body, before, expected) => {
    expect(trapOf(body, before)).toBe(expected);
  });
  it("are caught with kind and message, and may be thrown again", () => {
    const source = `let n: i32 = 9; const a: i32[] = [1];
export function main(): void {
  try { log(a[n]); } catch (e) { log(e.kind, e.message.length); }
  try { throw new Error("text"); } catch (e) { log(e.kind, e.message); }
  try { try { log(a[n]); } catch (e) { throw e; } } catch (e) { log("again", e.kind); }
  try { log(a[n]); } catch { log("bare"); }
  try { throw new Error("out"); } catch (e) { throw e; }
}`;
    expect(run(source)).toMatchObject({
      lines: ["index 0", "throw text", "again index", "bare"],
      trap: { kind: "throw", where: "main.ts:7:9", text: "out" },
    });
  });
});

describe("checked and unchecked builds", () => {
  const source =
    "let a: i32 = 2147483647; let b: u8 = 255; export function main(): void { log(a + 1); b++; log(b, a * 2, -a); }";
  it("differ in overflow only", () => {
    expect(run(source, { checked: false }).lines).toEqual(["-2147483648", "0 -2 -2147483647"]);
    expect(run(source, { checked: true })).toMatchObject({ lines: [], trap: { kind: "overflow" } });
  });
  it("spell out wrapping", () => {
    const text =
      "let a: i32 = 1; let u: u32 = 1; export function main(): void { log(a + 1, a * 3, u - 1, u * 3); }";
    const code = emitted(text, { checked: false }).code;
    expect(code).toContain("((a + 1) | 0)");
    expect(code).toContain("Math.imul(a, 3)");
    expect(code).toContain("((u - 1) >>> 0)");
    expect(code).toContain("(Math.imul(u, 3) >>> 0)");
    expect(emitted(text, { checked: true }).code).toContain("$rt.addI32(a, 1,");
  });
});

describe("f32", () => {
  it("rounds after every operation", () => {
    const source = `const a: f32 = 0.1; let b: f32 = 16777216;
export function main(): void { let s: f32 = 0; for (let i = 0; i < 10; i++) s += a; b = b + 1; const q = new Float32Array(1); q[0] = a * a; log(s, b, q[0] === a * a, f64(a) * 3); }`;
    let s = 0;
    for (let i = 0; i < 10; i++) s = Math.fround(s + Math.fround(0.1));
    expect(run(source).lines).toEqual([`${s} 16777216 true ${Math.fround(0.1) * 3}`]);
  });
});

describe("evaluation order", () => {
  it("is left to right, the index checked after the value, the array taken before", () => {
    const source = `let a: i32[] = [1, 2]; const other: i32[] = [7, 8, 9];
function say(n: i32): i32 { log("say", n); return n; }
function swap(): i32 { a = other; return 0; }
export function main(): void {
  log(say(1) - say(2) * say(3));
  const old = a;
  a[swap()] = say(5);
  log(old[0], other[0]);
  a = old;
  log(a[swap()]);
  a = old;
  a[say(1)] += say(4);
  log(old[1]);
  const t = say(0) > 0 ? say(8) : say(9);
  log(t, say(1) > 5 && say(6) > 0, say(1) > 0 || say(7) > 0);
  a[say(3)] = say(4);
}`;
    const { lines, trap } = run(source);
    expect(lines.filter((l) => !l.startsWith("say"))).toEqual(["-5", "5 7", "5", "6", "9 false true"]);
    expect(lines.slice(-2)).toEqual(["say 3", "say 4"]);
    expect(trap?.kind).toBe("index");
  });
});

describe("names", () => {
  it("of the program never meet those of emitted code", () => {
    const source = `const process: i32 = 3; function Uint8Array(n: i32): i32 { return n; } const $rt = 7.5; let $exports: i32 = 1;
function f(Math: i32, String: i32, NaN: i32, $e: i32, $i0: i32, exports: i32): i32 {
  const a: f32 = 1.5;
  const b: f32 = a * a;
  try { log(b, \`\${Math}\`, $e, NaN); throw new Error("x"); } catch { log($e); }
  return Math + String + $i0 + exports;
}
export function main(): void { const Object: i32 = 4; const $m0 = 3; $exports++; log(f(1, 2, 3, 4, 5, 6), Uint8Array(4), process, Object, $m0, $rt, $exports); }`;
    expect(run(source).lines).toEqual(["2.25 1 4 3", "4", "14 4 3 4 3 7.5 2"]);
  });
  it("of C and strict JavaScript are names like any other", () => {
    const source = `const int: i32 = 1; let auto: i32 = 4; class signed { unsigned: i32 = 1; short(): i32 { return this.unsigned; } }
function register(volatile: i32, main: i32): i32 { return volatile + main; }
export function main(): void { const NULL = 5; const errno: i32 = 6; const package$: i32 = 7; log(int, auto, register(1, 2), new signed().short(), NULL, errno, package$); }`;
    expect(run(source).lines).toEqual(["1 4 3 1 5 6 7"]);
  });
  it("of locals do not hide a module's constant inside a default value", () => {
    const source = `let x: i32 = 1; x = 8; const base: i32 = x; function f(n: i32 = base): i32 { return n; }
function g(base: i32): i32 { return f() + base; } export function main(): void { log(g(100)); }`;
    expect(run(source).lines).toEqual(["108"]);
  });
});

describe("formats", () => {
  const sources: Sources = {
    "main.ts": `import { counter, bump as up, Shape, K } from "./b.js";
export { again } from "./b.js";
export * from "./c.js";
class Square extends Shape { constructor(readonly s: i32) { super(); } override area(): i32 { return this.s * this.s; } }
const shape: Shape = new Square(K);
let total: i32 = 0;
export { total as sum };
export function main(): void { up(); up(); total += counter; log(counter, shape.area(), total); }`,
    "b.ts": `import { two } from "./c.js";
export let counter: i32 = 10; export const K = 4;
export function bump(): void { counter += two(); }
export function again(): i32 { return counter; }
export class Shape { area(): i32 { return 0; } }`,
    "c.ts": "export function two(): i32 { return 2; }",
  };
  it("agree: ES modules print what functions print", async () => {
    const expected = run(sources).lines;
    expect(expected).toEqual(["14 16 14"]);
    const folder = mkdtempSync(path.join(tmpdir(), "tmc-esm-"));
    try {
      const supportFile = path.join(folder, "support.mjs");
      Object.assign(globalThis, { tmcTestSupport: support });
      const names = Object.keys(support).join(", ");
      writeFileSync(supportFile, `export const { ${names} } = globalThis.tmcTestSupport;`);
      for (const m of modulesOf(sources)) {
        const { code } = emitModule(m, {
          format: "esm",
          checked: true,
          support: pathToFileURL(supportFile).href,
          specifier: (to) => pathToFileURL(path.join(folder, to.replace(/\.ts$/, ".mjs"))).href,
          sourceText: "",
        });
        writeFileSync(path.join(folder, m.path.replace(/\.ts$/, ".mjs")), code);
      }
      const lines: string[] = [];
      const before = support.setLogSink((line) => lines.push(line));
      const main: unknown = await import(pathToFileURL(path.join(folder, "main.mjs")).href);
      try {
        if (typeof main !== "object" || main === null) throw new Error("no module");
        expect(Object.keys(main).sort()).toEqual(expect.arrayContaining(["again", "main", "sum", "two"]));
        const entry: unknown = Reflect.get(main, "main");
        if (typeof entry === "function") entry();
        expect(Reflect.get(main, "sum")).toBe(14);
      } finally {
        support.setLogSink(before);
      }
      expect(lines).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  it("give every test the same text", () => {
    const source = "export function main(): void { log(1); }";
    expect(emitted(source)).toEqual(emitted(source));
    expect(analyse(source).diagnostics).toEqual([]);
  });
});
