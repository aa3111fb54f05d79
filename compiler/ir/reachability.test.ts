import { describe, expect, it } from "vitest";
import { compileText } from "../backend-c/testing.js";
import { functionName } from "./reachability.js";

const reached = (text: string): string[] => compileText(text).reachable.functions.map(functionName);

describe("run-phase reachability", () => {
  it("follows only the classes and closures that really arrive", () => {
    const text = `
      interface S { go(): void; }
      class A implements S { go(): void { log("a"); } }
      class B implements S { go(): void { log("b"); } }
      const unused: S = new B();
      const used: S = new A();
      const f = (): void => { log("f"); };
      const never = (): void => { log("never"); };
      const list = [f];
      export function main(): void { used.go(); for (const g of list) g(); }`;
    const names = reached(text);
    expect(names).toContain("A.go");
    expect(names).not.toContain("B.go");
    expect(names.filter((n) => n.includes("lambda"))).toHaveLength(1);
  });

  it("makes one instance for each set of type arguments", () => {
    const text = `
      function id<T>(x: T): T { return x; }
      export function main(): void { log(id<i32>(1), id<i32>(2), id<string>("s")); }`;
    expect(reached(text).filter((n) => n.startsWith("id"))).toEqual(["id<i32>", "id<string>"]);
  });

  it("gives the path from the entry", () => {
    const text = `function c(): void { log(1); } function b(): void { c(); } export function main(): void { b(); }`;
    const { reachable } = compileText(text);
    const c = reachable.functions.find((f) => f.decl.name === "c");
    expect(c === undefined ? [] : reachable.callPath(c).map((s) => functionName(s.func))).toEqual([
      "main",
      "b",
      "c",
    ]);
  });

  it("reports recursion with its cycle, judged on real targets", () => {
    expect(() =>
      compileText(
        `function a(n: i32): void { if (n > 0) b(n - 1); } function b(n: i32): void { a(n); } export function main(): void { a(3); }`,
      ),
    ).toThrow(/TMC1901 recursion: a → b → a/);
    const notRecursive = `
      type F = () => void;
      class Runner { f: F; constructor(f: F) { this.f = f; } run(): void { this.f(); } }
      const inner = new Runner(() => { log("inner"); });
      class Outer { f: F; constructor(f: F) { this.f = f; } run(): void { this.f(); } }
      const outer = new Outer(() => { inner.run(); });
      export function main(): void { outer.run(); }`;
    expect(reached(notRecursive)).toContain("Runner.run");
  });

  it("a function that is passed another function each time it is nested does not call itself", () => {
    const each =
      "function each(a: RomArray<i32>, f: (x: i32) => void): void { for (const x of a) f(x); } const a: RomArray<i32> = [1];";
    const nested = `${each} export function main(): void { each(a, (x) => { each(a, (y) => { log(x, y); }); }); }`;
    expect(reached(nested).filter((n) => n === "each")).toHaveLength(2);
    const flat = `${each} export function main(): void { each(a, (x) => log(x)); each(a, (x) => log(-x)); }`;
    expect(reached(flat).filter((n) => n === "each")).toHaveLength(1);
  });

  it.each([
    [
      "the same function again",
      "function again(n: i32, f: (x: i32) => void): void { if (n > 0) again(n - 1, f); else f(n); } export function main(): void { again(3, (x) => log(x)); }",
    ],
    [
      "a new function each time",
      "function again(n: i32, f: (x: i32) => void): void { if (n > 0) again(n - 1, (x) => f(x)); else f(n); } export function main(): void { again(3, (x) => log(x)); }",
    ],
    [
      "a function that calls the one around",
      "function each(f: (x: i32) => void): void { f(1); } function walk(): void { each((x) => { if (x > 1) walk(); }); } export function main(): void { walk(); }",
    ],
  ])("recursion through functions stays an error: %s", (_name, text) => {
    expect(() => compileText(text)).toThrow(/TMC1901 recursion: /);
  });
});
