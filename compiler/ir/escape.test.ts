import { describe, expect, it } from "vitest";
import { analyse } from "../../test/support/analyse.js";
import { compileText } from "../backend-c/testing.js";

/** The messages that a program gets, `line: message`; empty when it is accepted. */
function problems(text: string): string {
  try {
    compileText(text);
    return "";
  } catch (e) {
    return e instanceof Error ? e.message : String(e);
  }
}

const classes = `class P { x: i32 = 0; } class H { p: P | null = null; } const keep = new H(); function make(): P { return new P(); }`;
const inMain = (body: string): string => problems(`${classes}\nexport function main(): void { ${body} }`);

describe("lifetimes of what handlers make", () => {
  it("lets a fresh object go to the caller and no further", () => {
    expect(inMain("const p = make(); log(p.x);")).toBe("");
    expect(inMain("keep.p = make();")).toContain("TMC1601");
    expect(inMain("const h = new H(); h.p = make(); log(h.p === null);")).toBe("");
  });

  it("knows that the next turn of a loop uses the same place", () => {
    expect(inMain("for (let i = 0; i < 3; i++) { const p = make(); log(p.x); }")).toBe("");
    expect(
      inMain("let best = new P(); for (let i = 0; i < 3; i++) { const p = make(); best = p; } log(best.x);"),
    ).toContain("TMC1601");
    expect(inMain("const h = new H(); for (let i = 0; i < 3; i++) { h.p = make(); }")).toContain("TMC1601");
  });

  it("knows which call made an object", () => {
    const loop = "for (let i = 0; i < 3; i++) { const p = make(); log(p.x); }";
    expect(inMain(`const h = new H(); h.p = make(); ${loop}`)).toBe("");
    expect(inMain(`${loop} let best = make(); const p = make(); for (let i = 0; i < 3; i++) best = p;`)).toBe(
      "",
    );
    expect(inMain(`const h = new H(); ${loop} for (let i = 0; i < 3; i++) h.p = make();`)).toContain(
      "TMC1601",
    );
    expect(
      inMain(`let best = make(); for (let i = 0; i < 3; i++) { const p = make(); const q = p; best = q; }`),
    ).toContain("TMC1601");
  });

  it("a call that may give back what it was given is no place of its own", () => {
    const more = `function either(p: P): P { if (p.x > 0) return p; return make(); }`;
    const body = `const h = new H(); const e = either(make()); h.p = e; for (let i = 0; i < 3; i++) { const p = make(); h.p = either(p); }`;
    expect(problems(`${classes} ${more}\nexport function main(): void { ${body} }`)).toContain("TMC1601");
  });

  it("does not let a function with captured variables out of its frame", () => {
    const text = `function later(i: i32): () => i32 { return () => i; }\nexport function main(): void { const f = later(2); log(f()); }`;
    expect(problems(text)).toContain("TMC1602");
  });

  it("a fresh result of a method that is known only at run time goes to the caller too", () => {
    const text = `interface M { make(): P; } class P { x: i32 = 0; } class H { p: P | null = null; } const keep = new H();
      class A implements M { make(): P { return new P(); } }
      class B implements M { make(): P { return new P(); } }
      const all: M[] = [new A(), new B()];
      export function main(): void { for (const m of all) {`;
    expect(problems(`${text} log(m.make().x); } }`)).toBe("");
    expect(problems(`${text} keep.p = m.make(); } }`)).toContain("TMC1601");
  });

  it("refuses a fresh result where the function is known only at run time", () => {
    const text = `class P { x: i32 = 0; }
      const all: (() => P)[] = [() => new P(), () => { const p = new P(); p.x = 1; return p; }];
      export function main(): void { for (const make of all) log(make().x); }`;
    expect(problems(text)).toContain("TMC1601");
  });

  it("shows every step from where the object is made to where it is kept", () => {
    const text = `class P { x: i32 = 0; }
class H { p: P | null = null; }
const keep = new H();
function make(): P { return new P(); }
function put(p: P): void {
  keep.p = p;
}
function pass(p: P): void {
  put(p);
}
export function main(): void {
  const fresh = make();
  pass(fresh);
}`;
    const [found] = analyse(text).diagnostics;
    expect(found?.code).toBe("TMC1601");
    expect(found?.loc.line).toBe(4);
    expect(found?.related.map((r) => `${r.loc.line} ${r.message}`)).toEqual([
      "12 returned by `make`",
      "13 passed to `pass`",
      "9 passed to `put`",
      "6 here",
    ]);
  });
});
