/** Control flow: switch, loops, narrowing, closures, values that may be missing. */
import { describe, expect, it } from "vitest";
import { analyse, codes, logged, run, texts } from "../../test/support/analyse.js";

const only = (source: string): string[] => codes(source).map((c) => c.replace(/^\S+ /, ""));

describe("switch", () => {
  const enums = 'enum E { A, B, C = 10 } enum S { On = "on", Off = "off" } type M = "a" | "b"; ';
  it.each([
    ["an enum is covered", "function f(e: E): void { switch (e) { case E.A: break; } }", ["TMC1136"]],
    [
      "an enum of texts is covered",
      "function f(s: S): void { switch (s) { case S.On: break; } }",
      ["TMC1136"],
    ],
    [
      "a union of texts is covered",
      'function f(m: M): void { switch (m) { case "a": break; } }',
      ["TMC1136"],
    ],
    [
      "a default covers",
      "function f(e: E): i32 { switch (e) { case E.A: return 1; default: return 2; } }",
      [],
    ],
    [
      "all members cover",
      "function f(e: E): i32 { switch (e) { case E.A: case E.B: return 1; case E.C: return 2; } }",
      [],
    ],
    [
      "no falling through",
      "function f(n: i32): void { switch (n) { case 1: log(1); case 2: log(2); } }",
      ["TMC1135"],
    ],
    [
      "each case once",
      "function f(n: i32): void { switch (n) { case 1: break; case 1: break; } }",
      ["TMC1149"],
    ],
    ["constant cases", "function f(n: i32, m: i32): void { switch (n) { case m: break; } }", ["TMC1137"]],
    ["not on floats", "function f(n: f32): void { switch (n) { case 1: break; } }", ["TMC1134"]],
    [
      "a scope for each case",
      "function f(n: i32): void { switch (n) { case 1: let x = 1; log(x); break; case 2: x = 2; break; } }",
      ["TMC1148"],
    ],
  ])("%s", (_, source, expected) => {
    expect(only(enums + source)).toEqual(expected);
  });
  it("says that a case inside another switch never happens", () => {
    const source =
      'type K = "a" | "b" | "c"; export function f(k: K): i32 { switch (k) { case "a": return 1; default: switch (k) { case "a": return 2; case "b": return 3; case "c": return 4; } } }';
    expect(texts(analyse(source).diagnostics)).toContain(
      'the value is `"b" | "c"` here: this case never happens',
    );
  });
  it("runs the case, with names of its own", () => {
    const source = `function f(n: i32): i32 { switch (n) { case 1: { const x = 10; return x; } case 2: { const x = 20; log(x); break; } case 3: let x = 5; { let x = 6; log(x); } log(x); break; default: return -1; } return 0; }
export function main(): void { log(f(1), f(2), f(3), f(4)); }`;
    expect(run(source).lines).toEqual(["20", "6", "5", "10 0 0 -1"]);
  });
});

describe("loops", () => {
  it("with labels", () => {
    const body =
      "a: for (let i = 0; i < 3; i++) { for (let j = 0; ; j++) { if (j === 2) continue a; if (i === 2) break a; log(i, j); } }";
    expect(logged(body)).toBe("0 0|0 1|1 0|1 1");
  });
  it("give a function of each turn its own variable, as ECMAScript does", () => {
    const source = `const fs: (() => i32)[] = [];
for (let i = 0; i < 3; i++) fs.push(() => i);
for (let i = 0; i < 6; i++) { fs.push(() => i); i += 2; }
for (const v of [7, 8]) fs.push(() => v);
for (let v of [1, 2]) { v *= 100; fs.push(() => v); }
let j = 0; while (j < 2) { const q = j; fs.push(() => q + 50); j++; }
export function main(): void { for (const f of fs) log(f()); }`;
    const shown = [];
    const fs: (() => number)[] = [];
    for (let i = 0; i < 3; i++) fs.push(() => i);
    for (let i = 0; i < 6; i++) {
      fs.push(() => i);
      i += 2;
    }
    for (const v of [7, 8]) fs.push(() => v);
    for (let v of [1, 2]) {
      v *= 100;
      fs.push(() => v);
    }
    for (let j = 0; j < 2; j++) {
      const q = j;
      fs.push(() => q + 50);
    }
    for (const f of fs) shown.push(String(f()));
    expect(run(source).lines).toEqual(shown);
  });
  it("of containers may declare the variable's name again inside", () => {
    const source = `class L { readonly length: i32 = 2; get(i: i32): i32 { return i * 10; } declare readonly [Symbol.iterator]: () => IterableIterator<i32>; }
const l = new L();
export function main(): void { for (const x of l) { log(x); const y = x; { const x = y + 1; log(x); } } }`;
    expect(run(source).lines).toEqual(["0", "1", "10", "11"]);
  });
});

describe("narrowing", () => {
  const p = "class P { v: i32 = 1; next: P | null = null; } const root = new P(); root.next = new P(); ";
  it("by tests, early returns, && and ||", () => {
    const functions = `function early(p: P | null): i32 { if (p === null) return 0; return p.v; }
function both(p: P | null): boolean { return p !== null && p.v > 0; }
function either(p: P | null): i32 { if (p === null || p.v > 100) return -1; return p.v; }
function count(): i32 { let n = 0; for (let p: P | null = root; p !== null; p = p.next) n++; return n; }
function undef(p?: P): i32 { return p === undefined ? 0 : p.v; }
`;
    const body =
      "log(early(null), early(root), both(null), both(root), either(null), either(root), count(), undef(), undef(root));";
    expect(logged(body, p + functions)).toBe("0 1 false true -1 1 2 0 1");
  });
  it("is asked for", () => {
    expect(only(`${p} function f(x: P | null): i32 { return x.v; }`)).toEqual(["TMC1204"]);
    expect(only(`${p} function f(x: i32 | null): i32 { return x + 1; }`)).toEqual(["TMC1204"]);
    expect(only(`${p} function f(x: P): boolean { return x === null; }`)).toEqual(["TMC1217"]);
  });
  it("of what a function changes is tested again", () => {
    const body =
      "let p: P | null = new P(); if (p !== null) { for (let i = 0; i < 2; i++) { log(p.v); const clear = (): void => { p = null; }; clear(); } }";
    expect(run(`${p} export function main(): void { ${body} }`)).toMatchObject({
      lines: ["1"],
      trap: { kind: "null" },
    });
  });
  it("by instanceof holds for constants and parameters", () => {
    const classes =
      "class S {} class Q extends S { side: i32 = 4; } class C extends S { r: i32 = 2; } const all: S[] = [new Q(), new C(), new S()]; ";
    expect(
      logged(
        'for (const s of all) { if (s instanceof Q) log(s.side); else if (s instanceof C && s.r > 1) log(s.r); else log("none"); }',
        classes,
      ),
    ).toBe("4|2|none");
    expect(only(`${classes} function f(): i32 { return all[0] instanceof Q ? all[0].side : 0; }`)).toEqual([
      "TMC1207",
    ]);
    expect(
      only(
        `${classes} function f(): void { let t: S = all[0]; if (t instanceof Q) { const g = (): void => { t = all[1]; }; g(); log(t.side); } }`,
      ),
    ).toEqual(["TMC1207"]);
  });
  it("of texts", () => {
    const source = `type M = "on" | "off"; function say(m: M): void { log(m); }
export function main(): void { const a = "on"; say(a); let s: string = "off"; if (s === "off") say(s); s = "x"; }`;
    expect(run(source).lines).toEqual(["on", "off"]);
  });
});

describe("functions", () => {
  it.each([
    ["function f(x: i32) { if (x > 0) return 1; }", ["TMC1128"]],
    ["function f(x: i32): i32 | undefined { if (x > 0) return 1; }", ["TMC1128"]],
    ["const f = (x: i32) => { if (x > 0) return 1; };", ["TMC1128"]],
    ['type M = "a" | "b"; function f(m: M) { switch (m) { case "a": return 1; case "b": return 2; } }', []],
    ["function f(x: i32): i32 { while (true) { if (x > 3) return x; x++; } }", []],
    ['function f(x: i32): i32 { if (x > 0) { throw new Error("x"); } else { return 2; } }', []],
    ["function f(x: i32) { if (x > 0) return; log(1); }", []],
  ])("end with a value on every path: %s", (source, expected) => {
    expect(only(source)).toEqual(expected);
  });
  it("fill in defaults, also for undefined", () => {
    const source = `let base: i32 = 5; base = 9; const k: i32 = base;
function f(a: i32, b: i32 = k, c = 1.5, d?: i32): void { log(a, b, c, d === undefined); }
export function main(): void { const k: i32 = 1; f(k); f(1, 2); f(1, undefined, 3); f(1, 2, 3, 4); }`;
    expect(run(source).lines).toEqual(["1 9 1.5 true", "1 2 1.5 true", "1 9 3 true", "1 2 3 false"]);
  });
  it("take as many arguments as they say", () => {
    expect(only("function f(a: i32): void {} f();")).toEqual(["TMC1116"]);
    expect(only("function f(a: i32): void {} f(1, 2);")).toEqual(["TMC1116"]);
    expect(only("const f = (a: i32): void => {}; f();")).toEqual(["TMC1116"]);
  });
});

describe("closures", () => {
  it("share what they change", () => {
    const body =
      "let n: i32 = 0; const inc = (): void => { n += 1; }; inc(); inc(); const outer = (k: i32): i32 => { const inner = (j: i32): i32 => j + k + n; return inner(1); }; log(n, outer(10));";
    expect(logged(body)).toBe("2 13");
  });
  it("read no variable before it has a value", () => {
    expect(
      only("export function main(): void { let x: i32; const f = (): i32 => x; x = 5; log(f()); }"),
    ).toEqual(["TMC1131"]);
    expect(only("export function main(): void { let x!: i32; log(x); }")).toEqual(["TMC1131"]);
    expect(
      only("export function main(): void { const f = (): i32 => late; const late: i32 = 1; log(f()); }"),
    ).toEqual(["TMC1148"]);
  });
});

describe("recursion", () => {
  it.each([
    "function f(n: i32): i32 { return n <= 1 ? 1 : n * f(n - 1); } export function main(): void { log(f(5)); }",
    "export function main(): void { const g = (n: i32): i32 => (n > 0 ? g(n - 1) : 0); log(g(3)); }",
    "class A { b: B | null = null; f(n: i32): i32 { const b = this.b; return b === null ? 0 : b.g(n); } } class B { constructor(readonly a: A) {} g(n: i32): i32 { return this.a.f(n - 1); } } const a = new A(); a.b = new B(a); export function main(): void { log(a.f(3)); }",
  ])("%s", (source) => {
    expect(only(source)).toEqual(["TMC1901"]);
  });
  it("of setup is nobody's business", () => {
    expect(
      run(
        "function f(n: i32): i32 { return n <= 1 ? 1 : n * f(n - 1); } const x: i32 = f(5); export function main(): void { log(x); }",
      ).lines,
    ).toEqual(["120"]);
  });
});

describe("finally", () => {
  const inLoop = (finalizer: string): string =>
    `function f(): void { for (;;) { try { log(1); } finally { ${finalizer} } } }`;
  it.each([
    ["return", inLoop("return;"), ["TMC1160"]],
    ["break", inLoop("break;"), ["TMC1160"]],
    ["continue in a switch", inLoop("switch (1 as i32) { default: continue; }"), ["TMC1160"]],
    [
      "break of a label around",
      `${inLoop("")} function g(): void { a: for (;;) { try { log(1); } finally { for (;;) { break a; } } } }`,
      ["TMC1160"],
    ],
    ["jumps inside", inLoop("a: for (;;) { for (;;) { break a; } }"), []],
    ["break of a switch inside", inLoop("switch (1 as i32) { default: break; }"), []],
    ["return of a function inside", inLoop("const g = (): i32 => { return 1; }; log(g());"), []],
    ["throw", inLoop('throw new Error("x");'), []],
  ])("%s", (_name, source, expected) => {
    expect(only(source)).toEqual(expected);
  });
});
