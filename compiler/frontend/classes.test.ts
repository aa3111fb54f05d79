/** Rules between classes, interfaces and their objects. */
import { describe, expect, it } from "vitest";
import { codes, run } from "../../test/support/analyse.js";

describe("an implementation", () => {
  it.each([
    [
      "has the fields of its interface with their types",
      "interface I { x: f64 } class A implements I { x: i32 = 1; }",
      "TMC1244",
    ],
    [
      "declares optional fields too",
      "interface I { x?: i32 } class A implements I { y: i32 = 1; }",
      "TMC1244",
    ],
    [
      "has no getter for a field",
      "interface I { x: i32 } class A implements I { get x(): i32 { return 1; } }",
      "TMC1244",
    ],
    [
      "has no method for a field",
      "interface I { f: () => void } class A implements I { f(): void {} }",
      "TMC1244",
    ],
    [
      "has no field for a method",
      "interface I { f(): void } class A implements I { f: () => void = () => {}; }",
      "TMC1244",
    ],
    [
      "takes every parameter",
      "interface I { f(x: i32): void } class A implements I { f(): void {} }",
      "TMC1245",
    ],
    [
      "takes the same types",
      "interface I { f(x: i32): void } class A implements I { f(x: f64): void {} }",
      "TMC1245",
    ],
    [
      "returns the same type",
      "interface I { f(): i32 } class A implements I { f(): u8 { return 1; } }",
      "TMC1245",
    ],
    [
      "overrides with the same defaults",
      "class B { f(x: i32 = 1): i32 { return x; } } class A extends B { override f(x: i32 = 2): i32 { return x; } }",
      "TMC1245",
    ],
    [
      "keeps the type of an inherited field",
      "class B { x: f64 = 1; } class A extends B { override x: i32 = 1; }",
      "TMC1244",
    ],
    ["is not of a class", "class B { x: i32 = 1; } class A implements B { x: i32 = 1; }", "TMC1141"],
  ])("%s", (_, source, code) => {
    expect(codes(source).map((c) => c.replace(/^\S+ /, ""))).toEqual([code]);
  });
  it("may return a subclass", () => {
    const source = `class S { n(): i32 { return 1; } } class Q extends S { override n(): i32 { return 2; } }
interface Maker { make(): S } const q = new Q();
class M implements Maker { make(): Q { return q; } }
const m: Maker = new M();
export function main(): void { log(m.make().n()); }`;
    expect(run(source).lines).toEqual(["2"]);
  });
  it("of a generic interface is compared with its arguments", () => {
    const generic = "interface Sink<T> { take(x: T): void }";
    expect(codes(`${generic} class A implements Sink<i32> { take(x: i32): void { log(x); } }`)).toEqual([]);
    expect(codes(`${generic} class A implements Sink<i32> { take(x: f32): void { log(x); } }`)).toHaveLength(
      1,
    );
  });
});

describe("a constructor", () => {
  it.each([
    "class A { x: i32; constructor() { this.show(); this.x = 1; } show(): void { log(this.x); } }",
    "class A { f: () => i32; x: i32; constructor() { this.f = () => this.x; log(this.f()); this.x = 1; } }",
    "class A { f: () => i32; x: i32; constructor() { this.f = () => this.x; const g = this.f; this.x = g(); } }",
    "class A { x: i32; constructor() { const g = (): i32 => this.x; log(g()); this.x = 1; } }",
    "class A { c: i32 = 1; constructor() { this.go(); } go(): void {} } class B extends A { y: i32 = 1; override go(): void { log(this.y); } }",
    "class A { } class B extends A { constructor(x: boolean) { if (x) { super(); } else { super(); } } }",
  ])("lets nobody see fields without values: %s", (source) => {
    expect(codes(source).map((c) => c.replace(/^\S+ /, ""))).toEqual(["TMC1246"]);
  });
  it("may keep functions that read fields which get their values later", () => {
    const source = `class A { readonly get = (): i32 => this.n; constructor(public n: i32) {} }
class B { f: () => i32; x: i32; constructor() { this.f = () => this.x; this.x = 1; log(this.f()); } }
const a = new A(4);
export function main(): void { a.n++; log(a.get()); log(b.f()); }
const b = new B();`;
    expect(run(source).lines).toEqual(["1", "5", "1"]);
  });
  it("may call methods when every field has its value", () => {
    const source = `class A { x: i32; constructor(b: boolean) { if (b) { this.x = 1; } else { this.x = 2; } this.show(); } show(): void { log(this.x); } }
export function main(): void { new A(false); }`;
    expect(run(source).lines).toEqual(["2"]);
  });
  it("runs initialisers after super, before its own statements", () => {
    const source = `class A { a: i32 = say("A.a", 1); constructor() { log("A"); } }
class B extends A { b: i32 = say("B.b", 2); constructor(readonly p: i32) { log("before"); super(); log("B", this.b, this.p); } }
function say(text: string, n: i32): i32 { log(text); return n; }
export function main(): void { new B(3); }`;
    expect(run(source.replace('log("before"); ', "")).lines).toEqual(["A.a", "A", "B.b", "B 2 3"]);
  });
  it("is inherited with the superclass's type arguments", () => {
    const source = `class Box<T> { constructor(readonly v: T) {} } class IntBox extends Box<i32> { extra: i32 = 7; }
export function main(): void { const b = new IntBox(4); log(b.v + b.extra); }`;
    expect(run(source).lines).toEqual(["11"]);
  });
});

describe("static fields", () => {
  it("get their values where the class stands", () => {
    const source = `const base: i32 = [1, 2].length;
class A { static x: i32 = base + 1; static y: i32 = A.x * 2; }
export function main(): void { log(A.x, A.y); }`;
    expect(run(source).lines).toEqual(["3 6"]);
  });
  it("are one, by whatever subclass they are named", () => {
    const source = `class A { static n: i32 = 1; } class LongName extends A {}
export function main(): void { LongName.n = 5; log(A.n, LongName.n); }`;
    expect(run(source).lines).toEqual(["5 5"]);
  });
});

describe("object literals", () => {
  it("evaluate in source order, whatever the order of the fields", () => {
    const source = `interface P { x: i32; y: i32 } function say(n: i32): i32 { log(n); return n; }
export function main(): void { const p: P = { y: say(1), x: say(2) }; log(p.x, p.y); }`;
    expect(run(source).lines).toEqual(["1", "2", "2 1"]);
  });
  it.each([
    ["interface P { x: i32 } const p: P = { };", "TMC1243"],
    ["interface P { x: i32 } const p: P = { x: 1, z: 2 };", "TMC1111"],
    ["const p = { x: null };", "TMC1240"],
    ["const p = { f() {} };", "TMC1240"],
    ["interface P { x: i32 } const a = { x: 1 }; const p: P = a;", "TMC1205"],
    ["type T = { next: { t: T } | null } | { t: null; u: T }; function f(t: T): void {}", "TMC1103"],
    ["class P { x: i32 = 1; } const p: P = { x: 1 };", "TMC1205"],
    ["interface P { f(): void } const p: P = { f() {} };", "TMC1241"],
    ['interface P { "a-b": i32 } const p: P = { "a-b": 1 };', "TMC1142"],
  ])("%s", (source, code) => {
    expect(codes(source)[0]?.replace(/^\S+ /, "")).toBe(code);
  });
  it("may have fields that JavaScript gives a meaning", () => {
    const source = `interface P { __proto__: i32; constructor: i32; toString: i32 }
const p: P = { __proto__: 1, constructor: 2, toString: 3 };
export function main(): void { log(p.__proto__, p.constructor, p.toString); }`;
    expect(codes(source).every((c) => /TMC1015|TMC1000/.test(c))).toBe(true);
  });
});

describe("references are nominal", () => {
  it("between classes of the same shape", () => {
    expect(codes("class A { x: i32 = 1; } class B { x: i32 = 1; } const a: A = new B();")).toEqual([
      "1:62 TMC1205",
    ]);
  });
  it("upwards only", () => {
    expect(
      codes("class A { x: i32 = 1; } class B extends A {} const a: A = new B(); const b: B = a;"),
    ).toEqual(["1:81 TMC1205"]);
  });
});

describe("generics", () => {
  it("are inferred from arguments, through lambdas", () => {
    const source = `class Box<T> { constructor(readonly v: T) {} map<U>(f: (x: T) => U): U { return f(this.v); } }
function pair<A, B>(a: A, b: B, f: (a: A, b: B) => i32): i32 { return f(a, b); }
export function main(): void { const b = new Box(4); log(b.map((x) => x > 2), pair(1, true, (n, yes) => (yes ? n : 0))); }`;
    expect(run(source).lines).toEqual(["true 1"]);
  });
  it("nested deeply are lowered once a level", () => {
    const nested = "id(".repeat(24) + "5" + ")".repeat(24);
    expect(
      run(`function id<T>(x: T): T { return x; } export function main(): void { log(${nested}); }`).lines,
    ).toEqual(["5"]);
  });
  it("that grow without end are an error", () => {
    const source = `class W<T> { constructor(readonly v: T) {} }
function f<T>(x: T, n: i32): i32 { return n === 0 ? 0 : f(new W(x), n - 1); }
export function main(): void { log(f(1, 3)); }`;
    expect(codes(source)).toEqual(["2:1 TMC1902"]);
  });
});

describe("circles", () => {
  it.each(["class A extends A {}", "class A extends B {} class B extends A {}", "interface A extends A {}"])(
    "%s",
    (source) => {
      expect(codes(source).some((c) => /TMC1141|TMC1000/.test(c))).toBe(true);
    },
  );
  it("of types without a name in between", () => {
    expect(codes("type F = () => G; type G = F | null; const f: F = () => null;")[0]).toMatch(/TMC1103/);
  });
});
