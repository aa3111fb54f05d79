/** Borrowed text that is used after its bytes may have changed, and what is fine. */
import { describe, expect, it } from "vitest";
import { analyse, codes, texts } from "../../test/support/analyse.js";

const program = (body: string, more = ""): string =>
  `import { TextBuffer, List } from "tmc";
const tb = new TextBuffer(16);
const other = new TextBuffer(16);
class Two { readonly a = new TextBuffer(8); readonly b = new TextBuffer(8); }
const two = new Two();
function fill(out: TextBuffer, text: string): void { out.clear(); out.write(text); }
${more}
export function main(): void {
${body}
}`;
const found = (body: string, more?: string): string[] =>
  codes(program(body, more)).map((c) => c.replace(/^\d+:/, ""));

describe("text used after its bytes changed", () => {
  it.each([
    ["in a variable", 'const s = tb.toString(); tb.clear(); tb.write("x"); log(s);'],
    ["in an operand", 'log(tb.toString(), tb.assign("x"));'],
    ["a slice of it", 'const s = tb.toString().slice(1); tb.write("x"); log(s);'],
    ["through a function", 'const s = tb.toString(); fill(tb, "x"); log(s.charCodeAt(0));'],
    ["of a field", 'const s = two.a.toString(); fill(two.a, "x"); log(s === "y");'],
    ["in one branch", 'const s = tb.toString(); if (tb.length > 2) fill(tb, "x"); log(s);'],
    [
      "in the next turn",
      'let s = ""; for (let i = 0; i < 2; i++) { log(s); s = tb.toString(); tb.write("x"); }',
    ],
    ["in a loop over it", 'const s = tb.toString(); for (let i = 0; i < 2; i++) { log(s); tb.write("x"); }'],
    ["passed on", 'const s = tb.toString(); tb.write("x"); fill(other, s);'],
    ["in a catch", 'const s = tb.toString(); try { tb.write("x"); log(other.length); } catch { log(s); }'],
    ["in a finally", 'const s = tb.toString(); try { tb.write("x"); } finally { log(s); }'],
    ["a choice", 'const s = tb.length > 1 ? tb.toString() : other.toString(); other.write("x"); log(s);'],
  ])("%s", (_name, body) => {
    expect(found(body).map((c) => c.replace(/^\d+ /, ""))).toEqual(["TMC1604"]);
  });

  it.each([
    ["a parameter", "f(tb.toString());", 'function f(s: string): void { tb.write("x"); log(s); }'],
    [
      "a lambda's variable",
      "const s = tb.toString(); each((x) => { tb.write(x); log(s); });",
      'function each(f: (x: string) => void): void { f("a"); }',
    ],
    [
      "what a function returns",
      "log(f());",
      'function f(): string { const s = tb.toString(); tb.write("x"); return s; }',
    ],
    ["bytes", "const s = textView(bytes, 0, 2); bytes[0] = 65; log(s);", "const bytes = new Uint8Array(4);"],
    [
      "bytes through a view",
      "const s = textView(bytes, 0, 2); bytes.subarray(1).fill(65); log(s);",
      "const bytes = new Uint8Array(4);",
    ],
    [
      "in an object",
      'const r = parse(); tb.write("x"); log(r.text);',
      "interface R { text: string; n: i32; } function parse(): R { return { text: tb.toString(), n: 1 }; }",
    ],
  ])("%s", (_name, body, more) => {
    expect(found(body, more).map((c) => c.replace(/^\d+ /, ""))).toEqual(["TMC1604"]);
  });

  it.each([
    ["used before", 'const s = tb.toString(); log(s); tb.clear(); tb.write("x");'],
    ["cleared only", "const s = tb.toString(); tb.clear(); log(s);"],
    ["its length", 'const s = tb.toString(); tb.write("x"); log(s.length);'],
    ["another buffer is written", "const s = tb.toString(); fill(other, s); log(s);"],
    ["another buffer of the same object", "const s = two.a.toString(); fill(two.b, s); log(s);"],
    ["borrowed again", 'let s = tb.toString(); tb.write("x"); s = tb.toString(); log(s);'],
    ["each turn anew", 'for (let i = 0; i < 3; i++) { fill(tb, "x"); const s = tb.toString(); log(s); }'],
    [
      "the branch that writes returns",
      'const s = tb.toString(); if (s.length > 2) { fill(tb, "x"); return; } log(s);',
    ],
    ["copied", 'other.assign(tb.toString()); tb.write("x"); log(other.toString());'],
    ["appended to itself", "tb.write(tb.toString()); log(tb.toString());"],
    ["literals", 'const s = "abc"; tb.write(s); log(s);'],
  ])("is fine: %s", (_name, body) => {
    expect(found(body)).toEqual([]);
  });

  it("shows where it was borrowed and where it changed", () => {
    const { diagnostics } = analyse(program('const s = tb.toString();\nfill(tb, "x");\nlog(s);'));
    expect(texts(diagnostics)).toMatch(
      /^11:5 TMC1604 this text is borrowed \(line 9\), and its bytes may have changed since \(line 10\) \| copy it/,
    );
    expect(diagnostics[0]?.related.map((r) => `${r.loc.line} ${r.message}`)).toEqual([
      "9 borrowed here",
      "10 its bytes may change here",
    ]);
  });

  it.each([
    [
      "returned",
      "log(f());",
      "function f(): string { const b = new Uint8Array(4); return textView(b, 0, 2); }",
    ],
    [
      "of a local buffer",
      "log(f());",
      'function f(): string { const b = new TextBuffer(8); b.write("x"); return b.toString(); }',
    ],
    [
      "of a buffer made below",
      "log(f());",
      'function make(): TextBuffer { return new TextBuffer(8); } function f(): string { const b = make(); b.write("x"); return b.toString(); }',
    ],
    [
      "kept by the function around",
      'let s = ""; each((x) => { const b = new TextBuffer(8); b.write(x); s = b.toString(); }); log(s);',
      'function each(g: (x: string) => void): void { g("a"); }',
    ],
    [
      "in a field of the caller's object",
      'const r: R = { text: "" }; f(r); log(r.text);',
      "interface R { text: string; } function f(r: R): void { const b = new TextBuffer(8); r.text = b.toString(); }",
    ],
    [
      "in a fresh result",
      "log(f().text);",
      "interface R { text: string; } function f(): R { const b = new TextBuffer(8); return { text: b.toString() }; }",
    ],
  ])("text of bytes that end with the function: %s", (_name, body, more) => {
    expect(found(body, more).map((c) => c.replace(/^\d+ /, ""))).toContain("TMC1605");
  });

  it.each([
    [
      "a parameter's text",
      "const b = new TextBuffer(8); log(f(b));",
      'function f(b: TextBuffer): string { b.write("x"); return b.toString(); }',
    ],
    [
      "two buffers of one size",
      'const a = new TextBuffer(8); const b = new TextBuffer(8); const s = a.toString(); b.write("x"); log(s);',
      "",
    ],
    [
      "used inside",
      "log(f());",
      'function f(): i32 { const b = new TextBuffer(8); b.write("x"); return b.toString().length; }',
    ],
  ])("is fine with buffers of a handler: %s", (_name, body, more) => {
    expect(found(body, more)).toEqual([]);
  });

  it("a length that is not constant is shown where the program makes the container", () => {
    const text = program("f(3);", "function f(n: i32): void { const b = new TextBuffer(n); b.clear(); }");
    expect(texts(analyse(text).diagnostics)).toMatch(/^7:\d+ TMC1803 .*main → f → new TextBuffer/);
    const list = program("f(3);", "function f(n: i32): void { const b = new List<i32>(n); b.clear(); }");
    expect(texts(analyse(list).diagnostics)).toMatch(/^7:\d+ TMC1803 the capacity of a container/);
  });
});

const shapes = `interface R { text: string; n: i32; }
interface N { readonly inner: R; }
interface O { readonly cb: () => void; }
class P { constructor(readonly text: string) {} get(): string { return this.text; } }
function run(f: () => void): void { f(); }
function ruin(f: () => void): void { tb.assign("x"); f(); }
function make(): R { tb.assign("y"); return { text: tb.toString(), n: 1 }; }
function fillIn(r: R): void { tb.assign("y"); r.text = tb.toString(); }
function pair(): [string, i32] { return [tb.toString(), 1]; }
function nested(): N { return { inner: make() }; }
function mk(s: string): P { return new P(s); }
function half(r: R): void { r.text = tb.toString(); tb.assign("x"); assert(tb.length > 3); r.text = ""; }
function late(): string { try { return tb.toString(); } finally { tb.assign("x"); } }`;
/** The codes that the body gets, with the declarations above. */
const codesOf = (body: string): string[] => found(body, shapes).map((c) => c.replace(/^\d+ /, ""));

describe("text in functions that captured it, and in objects that handlers make", () => {
  it.each([
    ["captured", 'const s = tb.toString(); const f = (): void => log(s); tb.assign("x"); f();'],
    ["in a function passed down", "const s = tb.toString(); ruin(() => log(s));"],
    [
      "captured by a nested function",
      'const s = tb.toString(); run(() => { tb.assign("x"); run(() => log(s)); });',
    ],
    ["in a captured object", 'const r = make(); const f = (): void => log(r.text); tb.assign("x"); f();'],
    [
      "a function in an object",
      'const s = tb.toString(); const o: O = { cb: () => log(s) }; tb.assign("x"); o.cb();',
    ],
    ["a fresh result", "const a = make(); const b = make(); log(a.text, b.n);"],
    ["in an object inside", 'const r = nested(); tb.assign("x"); log(r.inner.text);'],
    ["in a tuple", 'const [a, n] = pair(); tb.assign("x"); log(a, n);'],
    ["in a field of a class", 'const p = new P(tb.toString()); tb.assign("x"); log(p.get());'],
    [
      "in an object that was filled in",
      'const r: R = { text: "", n: 0 }; fillIn(r); tb.assign("x"); log(r.text);',
    ],
    [
      "in an object with a second name",
      'const r: R = { text: "", n: 0 }; const q = r; fillIn(q); tb.assign("x"); log(r.text);',
    ],
    ["in objects in an array", "const a = [make(), make()]; log(a[0].text);"],
    [
      "in objects in a list",
      'const l = new List<R>(2); l.push(make()); tb.assign("x"); for (const r of l) log(r.text);',
    ],
    ["in a field, after a trap", 'const r: R = { text: "", n: 0 }; try { half(r); } catch { log(r.text); }'],
    ["changed by a finally", "log(late());"],
    [
      "jumping over a finally",
      'const s = tb.toString(); while (true) { try { break; } finally { tb.assign("x"); } } log(s);',
    ],
    [
      "in a switch",
      'const s = tb.toString(); tb.assign("x"); switch (s) { case "a": log(1); break; default: log(2); }',
    ],
  ])("stale: %s", (_name, body) => {
    expect(codesOf(body)).toEqual(["TMC1604"]);
  });

  it.each([
    ["called before", 'const s = tb.toString(); const f = (): void => log(s); f(); tb.assign("x");'],
    ["made anew in each turn", "for (let i = 0; i < 3; i++) { const r = make(); log(r.text); }"],
    [
      "filled in anew in each turn",
      'const r: R = { text: "", n: 0 }; for (let i = 0; i < 3; i++) { fillIn(r); log(r.text); }',
    ],
    [
      "another buffer's object",
      'const p = mk(tb.toString()); const q = mk(other.toString()); other.assign("x"); log(p.text, q.text.length);',
    ],
    [
      "captured in each turn",
      'for (let i = 0; i < 3; i++) { const s = tb.toString(); run(() => log(s)); tb.assign("x"); }',
    ],
    ["another field", "const a = make(); const b = make(); log(a.n, b.text);"],
  ])("is fine: %s", (_name, body) => {
    expect(codesOf(body)).toEqual([]);
  });

  it.each([
    ["assigned by the function", 'let s = ""; run(() => { s = tb.toString(); }); log(s);'],
    ["assigned after it was captured", 'let s = ""; const f = (): void => log(s); s = tb.toString(); f();'],
    ["an object", 'let r: R = { text: "", n: 0 }; run(() => log(r.text)); r = make();'],
    [
      "an object whose field is set",
      'let r: R = { text: "", n: 0 }; run(() => { r = { text: "a", n: 1 }; }); fillIn(r);',
    ],
  ])("variables that functions share hold none: %s", (_name, body) => {
    expect(codesOf(body)).toContain("TMC1607");
  });

  it("a variable that closures of setup share keeps none over a handler", () => {
    const keeper = `interface M { readonly set: () => void; readonly get: () => string; }
function keeper(): M { let last = ""; return { set: () => { last = tb.toString(); }, get: () => last }; }
const m = keeper();`;
    expect(found("m.set(); log(m.get());", keeper).join()).toMatch(/^\d+ TMC1603$/);
  });
});

describe("borrowed text in arrays that handlers make", () => {
  const program = (body: string): string =>
    `import { TextBuffer } from "tmc"; const out = new TextBuffer(8); const names: RomArray<string> = ["a", "b"];
export function main(): void {
${body}
}`;
  it("is refused: nobody follows text through elements", () => {
    expect(
      codes(program('out.write("abc"); const a = [out.toString(), "x"]; out.clear(); log(a[0]);')),
    ).toEqual(["3:30 TMC1603"]);
    expect(codes(program('const a = ["x", "y"]; a[0] = out.toString(); out.clear(); log(a[0]);'))).toEqual([
      "3:23 TMC1603",
    ]);
  });
  it("containers of text hold none; the place is where the program puts it", () => {
    const list = "const list = new List<string>(2);";
    const body = "list.push(out.toString()); log(list.get(0));";
    const text = (inside: string, before: string): string =>
      program(inside).replace("TextBuffer }", "TextBuffer, List }").replace("export", `${before}export`);
    expect(codes(text(`${list} ${body}`, "")).join()).toMatch(/^3:\d+ TMC1603$/);
    expect(codes(text(body, list)).join()).toMatch(/^3:\d+ TMC1603$/);
  });
  it("text that does not change may stand there", () => {
    expect(codes(program('const a = ["x", names[1]!.slice(0, 1)]; log(a[0], a[1]);'))).toEqual([]);
  });
});
