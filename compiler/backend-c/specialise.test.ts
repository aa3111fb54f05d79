/** What the emitted C says of specialisation: lengths, single instances, proven indices, what is not emitted at all. */
import { describe, expect, it } from "vitest";
import { emittedText, runText } from "./testing.js";

/** The definition of a C function, to its closing brace, without `#line`. */
function bodyOf(c: string, name: string): string {
  const text = c.replace(/^#line.*\n/gm, "");
  const at = text.search(new RegExp(`^[\\w *]*\\b${name}\\([^;{]*\\) \\{$`, "m"));
  if (at < 0) throw new Error(`${name} is not defined`);
  return text.slice(at, text.indexOf("\n}\n", at));
}

const windowClass = `
  class Window {
    private readonly data: Int32Array;
    private at = 0;
    constructor(n: i32) { this.data = new Int32Array(n); }
    push(x: i32): void { this.data[this.at] = x; this.at = (this.at + 1) % this.data.length; }
    sum(): i32 { let s = 0; for (let i = 0; i < this.data.length; i++) s += this.data[i]; return s; }
  }`;

describe("instances", () => {
  it("makes a class with one instance global variables with constant lengths", () => {
    const c = emittedText(`${windowClass}
      const w = new Window(12);
      export function main(): void { for (let i = 0; i < 20; i++) w.push(i); log(w.sum()); }`);
    expect(bodyOf(c, "Window_sum")).toContain("i < 12;");
    expect(bodyOf(c, "Window_sum")).toMatch(/w\.data\[tmc_index\(i, 12, \d+\)\]/);
    expect(bodyOf(c, "Window_push")).toMatch(/tmc_rem_i32\(.*, 12, \d+\)/);
    expect(c).toContain("int32_t data[12];");
    expect(c).toContain("static void Window_push(int32_t x);");
    expect(c).not.toContain("self->");
  });

  it("keeps constant lengths when several instances have the same", () => {
    const c = emittedText(`${windowClass}
      const a = new Window(12), b = new Window(12);
      export function main(): void { a.push(1); b.push(2); log(a.sum(), b.sum()); }`);
    expect(bodyOf(c, "Window_sum")).toContain("i < 12;");
    expect(bodyOf(c, "Window_sum")).toContain("self->data[");
    expect(c).toContain("int32_t data[12];");
  });

  it("reads lengths at run time when instances differ", () => {
    const text = `${windowClass}
      const a = new Window(2), b = new Window(5);
      export function main(): void {
        for (let i = 0; i < 9; i++) { a.push(i); b.push(i); }
        log(a.sum(), b.sum());
      }`;
    expect(bodyOf(emittedText(text), "Window_sum")).toMatch(/i < .*data\.len;/);
    expect(runText(text).stdout).toBe("15 30\n");
  });

  it("puts what the constructor fixed and nothing writes into the code", () => {
    const c = emittedText(`
      class Limit { constructor(readonly low: i32, public high: i32) {} has(x: i32): boolean { return x >= this.low && x < this.high; } }
      const limit = new Limit(17, 29);
      export function main(): void { log(limit.has(20)); limit.high++; log(limit.has(29)); }`);
    expect(bodyOf(c, "Limit_has")).toContain("x >= 17");
    expect(bodyOf(c, "Limit_has")).toContain("limit.high");
  });
});

describe("what is not reached", () => {
  const c = emittedText(`
    class Used { n = 1; get(): i32 { return this.n; } unused(): i32 { return hidden[this.n]; } }
    class Unused { readonly table = new Uint8Array(77); }
    const hidden: i32[] = [1234567, 2];
    const spare = new Unused();
    const used = new Used();
    function never(): i32 { return spare.table[0]; }
    export function main(): void { log(used.get()); }`);

  it("is not emitted: functions, methods, objects and types", () => {
    expect(c).toContain("Used_get");
    expect(c).not.toMatch(/unused|never|spare|Unused|1234567|\[77\]/);
  });
});

describe("indices", () => {
  it("are not checked where a loop counts through the array or string", () => {
    const c = emittedText(`
      const a = new Int32Array(3), b = new Int32Array(4);
      function sum(x: Int32Array): i32 { let s = 0; for (let i = 0; i < x.length; i++) s += x[i]; return s; }
      function letters(t: string): i32 { let s = 0; for (let i = 0; i < t.length; i++) s += t.charCodeAt(i); return s; }
      export function main(): void { log(sum(a), sum(b), letters("abc")); }`);
    expect(bodyOf(c, "program_sum")).toContain("x.ptr[i]");
    expect(bodyOf(c, "program_letters")).toContain("t.ptr[i]");
    expect(c).not.toMatch(/tmc_index|char_code_at/);
  });

  it("are checked where the body changes the index, or counts through another array", () => {
    const c = emittedText(`
      const a = new Int32Array(3), b = new Int32Array(4);
      function jumps(x: Int32Array): i32 { let s = 0; for (let i = 0; i < x.length; i++) { i++; s += x[i]; } return s; }
      function other(x: Int32Array, y: Int32Array): i32 { let s = 0; for (let i = 0; i < x.length; i++) s += y[i]; return s; }
      export function main(): void { log(jumps(a), jumps(b), other(a, b), other(b, a)); }`);
    expect(bodyOf(c, "program_jumps")).toContain("tmc_index(");
    expect(bodyOf(c, "program_other")).toContain("tmc_index(");
  });
});

describe("inlining", () => {
  it("keeps functions with nested loops apart, and asks for it where texts are returned", () => {
    const c = emittedText(`
      const a = new Int32Array(9);
      function work(n: i32): i32 { let s = 0; for (let i = 0; i < n; i++) for (let k = 0; k < 9; k++) s += a[k] * i; return s; }
      function tail(t: string): string { return t.slice(t.indexOf(":") + 1); }
      export function main(): void { log(work(3), work(4), tail("a:b"), tail("c")); }`);
    expect(c).toContain("TMC_NOINLINE static int32_t program_work(int32_t n) {");
    expect(c).toContain("static inline tmc_str program_tail(tmc_str t) {");
  });
});

describe("the machinery of a node", () => {
  const c = emittedText(`
    import { CborWriter } from "tmc";
    const writer = new CborWriter(16);
    function twice(x: i32): i32 { return x + x; }
    export function main(): void { writer.writeInt(twice(3)); log(writer.length); }`);
  it("is compiled to be small, the program is not", () => {
    expect(c).toContain("TMC_SMALL static void CborWriter_writeInt(");
    expect(c).toMatch(/^static inline int32_t \w*twice\(/m);
    expect(c).not.toMatch(/^TMC_SMALL [^\n]*twice/m);
  });
});
