/** Type parameters that list number kinds: what each instance computes, and what is refused for which kind. */
import { describe, expect, it } from "vitest";
import { analyse, codes, logged } from "../../test/support/analyse.js";

const refused = (declaration: string): string[] => codes(`${declaration}\nexport function main(): void {}`);
const messages = (source: string): string[] => analyse(source).diagnostics.map((d) => d.message);

describe("a function over number kinds", () => {
  it("computes as each kind does", () => {
    expect(
      logged(
        "log(twice<f32>(0.1), twice(i32(7)), twice<u32>(2000000000), twice(u64(5)));",
        "function twice<T extends i32 | u32 | f32 | u64>(x: T): T { const y = x; return y; }",
      ),
    ).toBe("0.10000000149011612 7 2000000000 5");
  });
  it("takes the kind that an argument widens to", () => {
    const add = "function add<T extends i32 | f32>(x: T, y: T): T { return (x + y) as T; }";
    expect(logged("const b: u8 = 200; log(add(b, 100), add<f32>(0.1, b));", add)).toBe(
      "300 200.10000610351562",
    );
    expect(codes(`${add} export function main(): void { log(add(true, false)); }`)).toContain(
      "1:110 TMC1119",
    );
    expect(messages(`${add} export function main(): void { log(add(1)); }`)).toEqual([
      "`add` needs 2 arguments, 1 given",
    ]);
  });
});

describe("what one of the kinds does not permit", () => {
  it.each([
    ["function f<T extends i32 | f32>(x: T): T { return (x / 2) as T; }", "1:52 TMC1211"],
    ["function f<T extends u8 | i32>(x: T): T { return (x + 1) as T; }", "1:50 TMC1206"],
    ["function f<T extends u32 | i32>(x: T): T { return (-x) as T; }", "1:52 TMC1220"],
    ["function f<T extends i32 | f32>(x: T): T { return (x * 0.5) as T; }", "1:56 TMC1203"],
    ["function f<T extends i32 | f32>(x: T): T { return (x & 1) as T; }", "1:52 TMC1214"],
    ["function f<T extends number>(x: T): T { return (x * x) as T; }", "1:49 TMC1212"],
    ["function f<T>(x: T, y: T): boolean { return x + y > 0; }", "1:45 TMC1212"],
    ["function f<T extends i32 | f32>(x: T): T { return x + x; }", "1:44 TMC1000"],
  ])("%s", (declaration, expected) => {
    expect(refused(declaration)).toEqual([expected]);
  });
  it("is said once, with the kind", () => {
    expect(messages("function f<T extends u8 | i16 | u16>(x: T): T { return (x * x) as T; }")).toEqual([
      "`as u8` would only rename a `i32`, not convert it (where `T` is u8)",
    ]);
  });
  it("has the fix where TypeScript asks for `as T`", () => {
    const { diagnostics } = analyse("function f<T extends i32 | f32>(x: T): T { return x + x; }");
    expect(diagnostics.map((d) => d.fix)).toEqual(["say that it is one: `(…) as T`"]);
  });
  it("and too many combinations", () => {
    const kinds = "i8 | u8 | i16 | u16 | i32 | u32";
    expect(refused(`function f<T extends ${kinds}, U extends ${kinds}>(x: T, y: U): void {}`)).toEqual([
      "1:10 TMC1119",
    ]);
  });
});
