import { describe, expect, it } from "vitest";
import { emittedText, runText } from "./testing.js";

/** The output of `main`, run as C. */
const out = (text: string, checked = false): string => runText(text, { checked }).stdout;

describe("expressions", () => {
  it("evaluates operands from left to right, traps included", () => {
    const text = `
      const a = new Int32Array(2);
      function t(x: i32): i32 { log("t", x); return x; }
      export function main(): void {
        log(t(1) + t(2) * t(3));
        let i: i32 = 5;
        log(i + (i = 7) + i);
        a[t(0)] = t(9);
        a[i - 7] += t(1);
        log(a[0]);
        let k: i32 = 0;
        while (t(k) < 2 && a[k] >= 0) k++;
        a[t(5)] = t(6);
      }`;
    const run = runText(text);
    expect(run.stdout).toBe("t 1\nt 2\nt 3\n7\n19\nt 0\nt 9\nt 1\n10\nt 0\nt 1\nt 2\nt 5\nt 6\n");
    expect(run.trap).toMatch(/^kind=1 /);
  });

  it("keeps an operand that a later one changes", () => {
    const text = `
      let g: i32 = 1;
      function bump(): i32 { g += 10; return g; }
      export function main(): void {
        log(g + bump());
        let x: i32 = 2;
        const add = (): i32 => { x += 5; return x; };
        log(x + add(), x);
        x += add();
        log(x);
      }`;
    expect(out(text)).toBe("12\n9 7\n19\n");
  });

  it("wraps without --checked and traps with it", () => {
    const text = `
      let big: i32 = 2147483647;
      let small: u8 = 250;
      export function main(): void { small += 10; log(small); big += 1; log(big); }`;
    expect(out(text)).toBe("4\n-2147483648\n");
    const checked = runText(text, { checked: true });
    expect(checked.stdout).toBe("");
    expect(checked.trap).toMatch(/^kind=4 /);
  });

  it("has no warnings for comparisons that types decide", () => {
    const text = `
      let u: u8 = 3;
      let w: u32 = 3;
      export function main(): void { log(u >= 0, w < 0, u < 256, u === u, (w & 4) === 3); }`;
    expect(out(text)).toBe("true false true true false\n");
  });
});

describe("control flow", () => {
  it("leaves labelled loops and switches", () => {
    const text = `
      function f(s: string): i32 {
        switch (s) { case "a": { for (let i = 0; i < 9; i++) if (i === 2) return i; break; } case "b": return 7; default: break; }
        outer: for (let i = 0; i < 4; i++) {
          for (let j = 0; j < 4; j++) {
            if (j === 2) continue outer;
            if (i === 2) break outer;
            switch (j) { case 0: continue; default: break; }
            log(i, j);
          }
        }
        return -1;
      }
      export function main(): void { log(f("a"), f("b"), f("c")); }`;
    expect(out(text)).toBe("0 1\n1 1\n2 7 -1\n");
  });

  it("runs the update after continue when the condition needs statements", () => {
    const text = `
      const a = new Int32Array(4);
      function at(i: i32): i32 { log("at", i); return a[i]; }
      export function main(): void {
        for (let i = 0; i < 4 && at(i) + at(0) === 0; i++) { if (i === 1) continue; log("body", i); }
      }`;
    expect(out(text)).toBe("at 0\nat 0\nbody 0\nat 1\nat 0\nat 2\nat 0\nbody 2\nat 3\nat 0\nbody 3\n");
  });

  it("unwinds to the nearest try, through return, break and continue", () => {
    const text = `
      function fail(): void { throw new Error("boom"); }
      function f(n: i32): i32 {
        let r: i32 = 0;
        for (let i = 0; i < 4; i++) {
          try {
            r += 1;
            if (i === 0) continue;
            if (n === 1) return r;
            if (i === 2) break;
            fail();
          } catch (e) { log(e.kind, e.message, r); r += 100; }
        }
        try { try { fail(); } catch (e) { throw e; } } catch { r += 1000; }
        return r;
      }
      export function main(): void { log(f(0), f(1)); fail(); }`;
    const run = runText(text);
    expect(run.stdout).toBe("throw boom 2\n1103 2\n");
    expect(run.trap).toMatch(/^kind=6 .* message=boom$/);
  });
});

describe("objects", () => {
  it("dispatches by class, and reads fields through interfaces", () => {
    const text = `
      interface Shape { name: string; area(): i32; }
      class Square implements Shape { name: string = "square"; constructor(private readonly a: i32) {} area(): i32 { return this.a * this.a; } }
      class Disc implements Shape { r: i32 = 2; name: string = "disc"; area(): i32 { return 3 * this.r * this.r; } }
      abstract class Base { protected n: i32 = 1; abstract step(): void; run(): i32 { this.step(); this.step(); return this.n; } }
      class Twice extends Base { override step(): void { this.n *= 2; } }
      class Plus extends Base { override step(): void { this.n += 5; } }
      const shapes: Shape[] = [new Square(3), new Disc()];
      const steps: Base[] = [new Twice(), new Plus()];
      export function main(): void {
        for (const s of shapes) { log(s.name, s.area(), s instanceof Disc); s.name = "x"; log(s.name); }
        for (const s of steps) log(s.run());
      }`;
    expect(out(text)).toBe("square 9 false\nx\ndisc 12 true\nx\n4\n11\n");
  });

  it("makes objects and arrays in the frame, anew on every turn", () => {
    const text = `
      class P { x: i32 = 1; readonly seen = new Uint8Array(3); constructor(readonly y: i32) {} bump(): i32 { this.seen[1] += 1; return this.x++ + this.y + this.seen[1]; } }
      export function main(): void {
        for (let i = 0; i < 3; i++) {
          const p = new P(i);
          const a = [i, i + 1];
          const z = new Int32Array(2);
          log(p.bump(), p.bump(), a[1], z[1]);
          z[1] = 9;
          a[1] = 7;
        }
      }`;
    expect(out(text)).toBe("2 4 1 0\n3 5 2 0\n4 6 3 0\n");
  });

  it("calls closures that setup stored, and passes new ones down", () => {
    const text = `
      type F = (x: i32) => i32;
      const all: F[] = [];
      function counter(n: i32): F { let calls: i32 = 0; return (x) => { calls++; return x + n + calls; }; }
      all.push(counter(1), counter(10), (x) => x * 2);
      function twice(f: F, x: i32): i32 { return f(f(x)); }
      class Acc { sum: i32 = 0; each(f: (x: i32) => void): void { for (let i = 0; i < 3; i++) f(i); } total(): i32 { this.each((x) => { this.sum += x; }); return this.sum; } }
      const acc = new Acc();
      export function main(): void {
        for (const f of all) log(f(1), twice(f, 2));
        let n: i32 = 0;
        acc.each((x) => { n += x * 2; });
        log(n, acc.total(), acc.total());
      }`;
    expect(out(text)).toBe("3 9\n12 27\n2 8\n6 3 6\n");
  });

  it("returns fresh objects and arrays in the caller's frame", () => {
    const text = `
      interface Parsed { ok: boolean; value: i32; }
      class P { x: i32; readonly seen = new Uint8Array(3); constructor(x: i32) { this.x = x; } bump(): i32 { this.seen[1] += 1; return this.x++ + this.seen[1]; } }
      function parse(i: i32): Parsed { return { ok: i > 0, value: i * 2 }; }
      function outer(i: i32): Parsed { const r = parse(i); r.value += 1; if (i > 5) return r; return parse(i + 100); }
      function make(i: i32): P { const p = new P(i); p.bump(); return p; }
      function pair(a: i32, b: i32): i32[] { return [a, b]; }
      function maybe(i: i32): Parsed | null { return i > 2 ? parse(i) : null; }
      export function main(): void {
        const r = parse(4), s = parse(-1), o = outer(7), o2 = outer(1), p = make(3), q = make(10), w = pair(1, 2);
        log(r.ok, r.value, s.ok, s.value, o.value, o2.value, p.bump(), q.bump(), p.bump(), w[0] + w[1]);
        const m = maybe(3);
        if (m !== null) log(m.value, maybe(1) === null);
      }`;
    expect(out(text)).toBe("true 8 false -2 15 202 6 13 8 3\n6 true\n");
  });

  it("instantiates generics", () => {
    const text = `
      class Box<T> { private readonly items: Slots<T>; private n: i32 = 0; constructor(cap: i32) { this.items = new Slots<T>(cap); } push(x: T): void { this.items.set(this.n++, x); } get(i: i32): T { return this.items.get(i); } get length(): i32 { return this.n; } }
      const numbers = new Box<u8>(4);
      const words = new Box<string>(2);
      function apply<T>(x: T, f: (y: T) => T): T { return f(f(x)); }
      export function main(): void {
        numbers.push(7); words.push("w");
        log(numbers.get(0), words.get(0), numbers.length, apply<i32>(3, (y) => y * y), apply<string>("q", (y) => y));
        log(numbers.get(9));
      }`;
    const run = runText(text);
    expect(run.stdout).toBe("7 w 1 81 q\n");
    expect(run.trap).toMatch(/^kind=1 /);
  });

  it("represents null of every kind of type", () => {
    const text = `
      class P { x: i32 = 4; }
      let n: i32 | null = null;
      let s: string | null = null;
      let p: P | null = null;
      const made = new P();
      export function main(): void {
        log(n === null, s === null, p === null);
        n = 0; s = ""; p = made;
        log(n, s === "", p.x);
      }`;
    expect(out(text)).toBe("true true true\n0 true 4\n");
  });
});

describe("the generated file", () => {
  const text = `
    const table = new Uint8Array(16);
    for (let i = 0; i < 16; i++) table[i] = i * i & 0xff;
    class Counter { private n: i32 = 0; readonly buffer = new Uint8Array(8); add(x: u8): void { this.buffer[this.n & 7] = x; this.n++; } }
    const counter = new Counter();
    const limit: i32 = 3;
    export function main(): void { counter.add(table[limit]); }`;

  it("puts what nothing writes in flash, and lengths into types", () => {
    const c = emittedText(text);
    expect(c).toContain("static const uint8_t table[16] = {0, 1, 4, 9,");
    expect(c).toContain("uint8_t buffer[8];");
    expect(c).toContain("static Counter counter;");
    expect(c).toContain("static const int32_t program_limit = 3;");
  });

  it("keeps names and lines, and is the same every time", () => {
    const c = emittedText(text);
    expect(c).toContain("static void Counter_add(uint8_t x) {");
    expect(c).toContain('#line 4 "program.ts"');
    expect(c).toContain("carries no licence of tmc");
    expect(emittedText(text)).toBe(c);
  });

  it("runs the same when clang compiles it", () => {
    const program = `export function main(): void { let s: f32 = 0; for (let i = 0; i < 9; i++) s = s * 1.5 + f32(i); log(s); }`;
    expect(runText(program, { cc: "clang" })).toEqual(runText(program));
  });
});
