/** The rules of i64 and u64: what a program prints, what traps, what is refused where. */
import { describe, expect, it } from "vitest";
import { analyse, codes, logged, run } from "../../test/support/analyse.js";

const declared = `
let a: i64 = 7n; let b: u64 = 9n; let i: i32 = 5; let f: f64 = 0.5; let most: i64 = 9223372036854775807n;
let items = [1, 2]; let least: i64 = -9223372036854775808n; let all: u64 = 18446744073709551615n;
function takesI32(v: i32): i32 { return v; }
`;
/** `col code` of a statement in main. */
const refused = (statement: string): string[] =>
  codes(`${declared.replaceAll("\n", " ")} export function main(): void {\n${statement}\n}`).map((c) =>
    c.replace(/^2:/, ""),
  );
const prints = (statement: string): string => logged(statement, declared);
const traps = (statement: string, checked = true): string | undefined =>
  run(`${declared} export function main(): void { ${statement} }`, { checked }).trap?.kind;
const fixes = (statement: string): string[] =>
  analyse(`${declared} export function main(): void { ${statement} }`).diagnostics.map((d) => d.fix);

describe("constants of 64 bits", () => {
  it("take the kind of what they meet, i64 where nothing else decides", () => {
    expect(prints("const k = (1n << 63n) - 1n; let x = 5n; x = a; log(k, b + 1n, x, 0xffn, -k - 1n);")).toBe(
      "9223372036854775807 10 7 255 -9223372036854775808",
    );
    expect(prints("const u: u64 = 1n << 63n; log(u, a > 0n ? b : 0n);")).toBe("9223372036854775808 9");
  });
  it("out of range are errors", () => {
    expect(refused("const x: i64 = 9223372036854775808n;")).toEqual(["16 TMC1203"]);
    expect(refused("const x: u64 = -1n;")).toEqual(["16 TMC1203"]);
    expect(refused("let x = 18446744073709551615n;")).toEqual(["5 TMC1203"]);
    expect(refused("log(b + -1n);")).toEqual(["9 TMC1203"]);
    expect(refused("log(1n << 9000n);")).toEqual(["5 TMC1203"]);
    expect(refused("log(5n / 0n);")).toEqual(["5 TMC1213"]);
  });
  it("may be members of `as const` objects", () => {
    expect(prints('const o = { x: 5n, y: "z" } as const; log(o.x * a, o.y);')).toBe("35 z");
  });
});

describe("i64 and u64 never mix with numbers, nor with each other", () => {
  it.each([
    ["a = b;", "5 TMC1201"],
    ["a = i;", "5 TMC1201"],
    ["i = a;", "5 TMC1201"],
    ["const q: f64 = a;", "16 TMC1201"],
    ["const q: i64 = 5;", "16 TMC1203"],
    ["const q: i32 = 5n;", "16 TMC1201"],
    ["log(takesI32(a));", "14 TMC1201"],
    ["log(a + b);", "5 TMC1210"],
    ["log(a + i);", "5 TMC1210"],
    ["log(f * a);", "5 TMC1210"],
    ["log(a + 1);", "5 TMC1210"],
    ["log(i + 1n);", "5 TMC1210"],
    ["log(a & 1);", "5 TMC1210"],
    ["log(a << 1);", "5 TMC1210"],
    ["log(a < 5);", "5 TMC1210"],
    ["log(a === i);", "5 TMC1210"],
    ["log(a < b);", "5 TMC1210"],
    ["a += i;", "1 TMC1210"],
    ["log(i === 3 ? 1n : 2);", "15 TMC1201"],
    ["const x: RomArray<i64> = [1];", "27 TMC1203"],
    ["log(items[a]);", "11 TMC1113"],
    ["const x = new BigInt64Array(a);", "29 TMC1201"],
  ])("%s", (statement, expected) => {
    expect(refused(statement)).toEqual([expected]);
  });
  it("and the fix is in the message", () => {
    expect(fixes("log(a + 1);")).toEqual(["write `1n`"]);
    expect(fixes("const x: i32 = 5n;")).toEqual(["write `5`"]);
    expect(fixes("i = a;")).toEqual(["convert it: `i32(…)`"]);
  });
});

describe("what has no meaning on a bigint", () => {
  it.each([
    ["log(Math.abs(a));", "14 TMC1223"],
    ["log(Math.min(a, a));", "14 TMC1223"],
    ["log(Math.trunc(a / 2n));", "16 TMC1223"],
    ["log((a / 2n) | 0);", "5 TMC1212"],
    ["log(a | 0);", "5 TMC1212"],
    ["log(a >>> 1n);", "5 TMC1215"],
    ["log(-b);", "5 TMC1220"],
    ["log(+a);", "5 TMC1212"],
    ["if (a) log(1);", "5 TMC1202"],
    ["log(a ** 2n);", "5 TMC1001"],
    ["log(BigInt(5));", "5 TMC1018"],
    ["log(BigInt.asIntN(65, a));", "19 TMC1120"],
    ["log(BigInt.asIntN(i, a));", "19 TMC1120"],
    ["log(BigInt.asUintN(64, i));", "24 TMC1212"],
    ["const x: bigint = 4n;", "10 TMC1102"],
    ["const f = (x: bigint): i64 => x;", "15 TMC1102"],
    ["const x: 5n = 5n;", "10 TMC1103"],
    ["const x = a as i32;", "11 TMC1206"],
    ["switch (a) { case 1: break; default: break; }", "19 TMC1203"],
    ["switch (a) { case 1n: break; case 1n: break; default: break; }", "35 TMC1149"],
  ])("%s", (statement, expected) => {
    expect(refused(statement)).toEqual([expected]);
  });
});

describe("operators of 64 bits", () => {
  it("wrap modulo 2^64, and trap in checked builds where that is not said", () => {
    const wrapped = run(
      `${declared} export function main(): void { log(most + 1n, all + 1n, least / -1n); }`,
      {
        checked: false,
      },
    );
    expect(wrapped.lines).toEqual(["-9223372036854775808 0 -9223372036854775808"]);
    expect(traps("log(most + 1n);")).toBe("overflow");
    expect(traps("log(0n - b);")).toBe("overflow");
    expect(traps("log(-least);")).toBe("overflow");
    expect(traps("all++;")).toBe("overflow");
    expect(traps("log(most + 1n);", false)).toBeUndefined();
    expect(
      traps("log(BigInt.asIntN(64, most * 3n + 1n), BigInt.asUintN(64, -all), least / -1n, most << 3n);"),
    ).toBeUndefined();
  });
  it("trap at a zero divisor", () => {
    expect(traps("log(a / (b === 9n ? 0n : 1n));", false)).toBe("division");
    expect(traps("log(b % 0n);", false)).toBe("division");
  });
  it("shift as BigInt does: the count is not masked", () => {
    expect(prints("log(a << 64n, a << 65n, all >> 64n, least >> 200n, 1n << a, a << -1n, a >> -1n);")).toBe(
      "0 0 0 -1 128 3 14",
    );
  });
});

describe("values of setup", () => {
  it("are checked against their type", () => {
    const program = (list: string): string =>
      `const x: RomArray<u64> = [${list}].map((n) => n * 2n); export function main(): void { log(x[0]); }`;
    expect(run(program("3n")).lines).toEqual(["6"]);
    expect(codes(program("-3n"))).toEqual(["1:26 TMC2001"]);
  });
});
