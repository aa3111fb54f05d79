/** The table of number rules and its fine print, rule by rule: what a program prints, and what is refused where. */
import { describe, expect, it } from "vitest";
import { codes, logged, run } from "../../test/support/analyse.js";

const declared = `
let i8v: i8 = -5; let u8v: u8 = 200; let i16v: i16 = -300; let u16v: u16 = 65535;
let i32v: i32 = 7; let u32v: u32 = 4000000000; let f32v: f32 = 0.1; let f64v: f64 = 0.1;
let big: i32 = 2147483647; let zero: i32 = 0; let minusOne: i32 = -1; let min: i32 = -2147483648;
let bytes = new Uint8Array(4); let flag = true;
`;
/** `line:col code` of a statement in main, its line counted as 1. */
const refused = (statement: string): string[] =>
  codes(`${declared.replaceAll("\n", " ")} export function main(): void {\n${statement}\n}`).map((c) =>
    c.replace(/^(\d+)/, (line) => String(Number(line) - 1)),
  );
const prints = (statement: string): string => logged(statement, declared);
const traps = (statement: string, checked = true): string | undefined =>
  run(`${declared} export function main(): void { ${statement} }`, { checked }).trap?.kind;

describe("constants", () => {
  it("take the type of what they meet", () => {
    expect(prints("log(f32v + 0.2, f64v + 0.2, u32v + 1, u8v + 1);")).toBe(
      "0.30000001192092896 0.30000000000000004 4000000001 201",
    );
  });
  it("are i32 when whole, f64 when not, and take another type where it is written", () => {
    expect(
      prints("let a = 0; let b = 0.5; a = a + i32v; b = b + f64v; const c: f32 = 1; log(a, b, c);"),
    ).toBe("7 0.6 1");
    expect(refused("let a = 0; a = f64v;")).toEqual(["1:16 TMC1201"]);
    expect(refused("let b = 0.5; const c: f32 = b;")).toEqual(["1:29 TMC1201"]);
  });
  it("are computed exactly before they get a type", () => {
    expect(
      prints("const k = 3000000000 - 2999999999; const h = 1 / 2; log(k, h * f64(2), 1 << 4, ~0, -k);"),
    ).toBe("1 1 16 -1 -1");
    expect(prints("const a: u32 = 0x7fffffff * 2 + 1; log(a);")).toBe("4294967295");
  });
  it("out of range are errors, by whatever name", () => {
    expect(refused("const a: u8 = 256;")).toEqual(["1:15 TMC1203"]);
    expect(refused("const a: u8 = -1;")).toEqual(["1:15 TMC1203"]);
    expect(refused("const K = 70000; const a: u16 = K;")).toEqual(["1:33 TMC1203"]);
    expect(refused("const a: i32 = 0.5;")).toEqual(["1:16 TMC1203"]);
    expect(refused("let a = 3000000000;")).toEqual(["1:5 TMC1203"]);
    expect(refused("log(3000000000);")).toEqual(["1:5 TMC1203"]);
    expect(refused("i32v = i32v + 0.5;")).toEqual(["1:15 TMC1203"]);
  });
  it("keep the low bits under a conversion", () => {
    expect(prints("log(u8(-1), i8(200), u8(256 + 7), u16(-1), i32(4294967295), u32(-1));")).toBe(
      "255 -56 7 65535 -1 4294967295",
    );
  });
  it("of two sides of `?:` are an i32", () => {
    expect(prints("const x = flag ? 1 : 2; const y: u8 = u8(x); log(x, y);")).toBe("1 1");
    expect(refused("const x = flag ? 1 : 2; const y: u8 = x;")).toEqual(["1:39 TMC1201"]);
    expect(refused("const y: u8 = flag ? 1 : 300;")).toEqual(["1:26 TMC1203"]);
  });
  it("come from enums and `as const` objects too", () => {
    const body = "const a: u8 = E.B; const b: f32 = M.half; log(a, b, E.A + 1, M.n << 2);";
    expect(logged(body, "enum E { A, B = 7 } const M = { n: 3, half: 0.5 } as const;")).toBe("7 0.5 1 12");
  });
});

describe("two operands", () => {
  it("narrower than 32 bits widen to i32", () => {
    expect(prints("const s = u8v + u8v; log(s, u8v * i8v, i16v - u16v, u8v + 100);")).toBe(
      "400 -1000 -65835 300",
    );
  });
  it("meet in a type that loses nothing", () => {
    expect(prints("log(u8v + u32v, i16v * f32v, i32v + f64v, f32v + f64v, u16v * f32v);")).toBe(
      "4000000200 -30 7.1 0.20000000149011612 6553.5",
    );
  });
  it("without such a type are an error that names the conversion", () => {
    expect(refused("log(i32v + u32v);")).toEqual(["1:5 TMC1210"]);
    expect(refused("log(i32v + f32v);")).toEqual(["1:5 TMC1210"]);
    expect(refused("log(u32v < i32v);")).toEqual(["1:5 TMC1210"]);
    expect(refused("log(Math.max(f32v, i32v));")).toEqual(["1:5 TMC1210"]);
  });
  it("must be numbers", () => {
    expect(refused("log(flag + 1);")).toEqual(["1:5 TMC1212"]);
    expect(refused("const x: i32 = flag;")).toEqual(["1:16 TMC1201"]);
    expect(prints("log(i32(flag) + 1, f32(flag));")).toBe("2 1");
  });
});

describe("+ - * on i32 and u32", () => {
  it("wrap in unchecked builds", () => {
    const wraps = "log(big + i32v, min - i32v, big * 3, u32v + u32v, u32(0) - u32(i32v), u32v * u32v);";
    expect(run(`${declared} export function main(): void { ${wraps} }`, { checked: false }).lines).toEqual([
      "-2147483642 2147483641 2147483645 3705032704 4294967289 1983905792",
    ]);
  });
  it("trap in checked builds, with the place", () => {
    expect(run(`${declared}export function main(): void {\n  log(big + i32v);\n}`).trap).toMatchObject({
      kind: "overflow",
      where: "main.ts:7:7",
    });
    expect(traps("log(u32(0) - u32v);")).toBe("overflow");
    expect(traps("log(big * 2);")).toBe("overflow");
    expect(traps("log(-min);")).toBe("overflow");
    expect(traps("log(big + 1);", false)).toBeUndefined();
  });
  it("wrap on purpose under `| 0` and `>>> 0`, the whole tree", () => {
    expect(prints("log((big + i32v) | 0, (big * big + big) | 0, (u32v + u32v) >>> 0, (-min) | 0);")).toBe(
      "-2147483642 -2147483648 3705032704 -2147483648",
    );
    expect(traps("log((big + i32v) * 1 | 0, ((big + 1) / 2) | 0);")).toBe("overflow");
  });
});

describe("f32", () => {
  it("rounds every result", () => {
    expect(prints("log(f32v + f32v * f32v, f32v / 3, Math.sqrt(f32v), f32v - 1);")).toBe(
      "0.10999999940395355 0.03333333507180214 0.3162277638912201 -0.8999999761581421",
    );
  });
});

describe("division", () => {
  it("of integers is written as a truncation", () => {
    expect(refused("log(i32v / 2);")).toEqual(["1:5 TMC1211"]);
    expect(refused("i32v /= 2;")).toEqual(["1:1 TMC1211"]);
    expect(refused("log(Math.floor(i32v / 2));")).toEqual(["1:16 TMC1211"]);
    expect(
      prints("log(Math.trunc(i32v / 2), (i32v / -2) | 0, Math.trunc(u32v / 3), i32v % 4, -i32v % 4);"),
    ).toBe("3 -3 1333333333 3 -3");
  });
  it("has the operands' type", () => {
    expect(
      refused("u32v = Math.trunc(u32v / 3); i32v = (i32v / 3) | 0; const x: i32 = Math.trunc(u32v / u8v);"),
    ).toEqual(["1:68 TMC1201"]);
  });
  it("by zero traps, the least value by -1 wraps, and there is no minus zero", () => {
    expect(traps("log((i32v / zero) | 0);")).toBe("division");
    expect(traps("log(i32v % zero);")).toBe("division");
    expect(traps("log(Math.trunc(u32v / u32(zero)));")).toBe("division");
    expect(prints("log((min / minusOne) | 0, min % minusOne, f64(zero * minusOne), 1 / f64(-zero));")).toBe(
      "-2147483648 0 0 Infinity",
    );
    expect(refused("log(1 % 0);")).toEqual(["1:5 TMC1213"]);
  });
});

describe("conversions", () => {
  it("integer to integer keep the low bits", () => {
    expect(prints("log(u8(i32v * 100), i8(u8v), u16(minusOne), u32(minusOne), i32(u32v), i16(u16v));")).toBe(
      "188 -56 65535 4294967295 -294967296 -1",
    );
  });
  it("float to integer truncate and saturate; NaN is 0", () => {
    const setup = "let a: f64 = -1.9; let b: f64 = 1e20; let c: f64 = NaN; let d: f32 = 255.9;";
    expect(logged("log(i32(a), i32(b), i32(c), u8(d), u8(b), u8(a), i8(b), u32(a), i32(-b));", setup)).toBe(
      "-1 2147483647 0 255 255 0 127 0 -2147483648",
    );
  });
  it("`| 0` and `>>> 0` on floats are ECMAScript's", () => {
    expect(
      logged("log(b | 0, b >>> 0, a | 0, a >>> 0);", "let a: f64 = -1.9; let b: f64 = 4294967297.5;"),
    ).toBe("1 1 -1 4294967295");
  });
  it("`sat` saturates integers", () => {
    expect(
      prints("log(sat.i8(i16v), sat.u8(i16v), sat.u8(u32v), sat.i16(big), sat.u16(minusOne), sat.u8(300));"),
    ).toBe("-128 0 255 32767 0 255");
    expect(refused("log(sat.u8(f32v));")).toEqual(["1:12 TMC1214"]);
  });
});

describe("shifts and bits", () => {
  it("mask their count; `>>` on u32 is an error", () => {
    expect(
      prints("log(1 << i32v, i32v << 33, minusOne >> 1, minusOne >>> 28, u32v >>> 31, i32v >>> 33);"),
    ).toBe("128 14 -1 15 1 3");
    expect(refused("log(u32v >> 1);")).toEqual(["1:5 TMC1215"]);
    expect(refused("log(f32v << 1);")).toEqual(["1:5 TMC1214"]);
  });
  it("give u32 on u32, i32 else", () => {
    expect(prints("log(u32v | 1, u32v ^ u32v, ~u32v, u32v << 1, u8v & 15, ~u8v, u32v & 0xf0000000);")).toBe(
      "4000000001 0 294967295 3705032704 8 -201 3758096384",
    );
    expect(
      prints(
        "const a: i32 = u32v | 0; const b: u32 = i32v >>> 0; const c: u32 = minusOne >>> 1; log(a, b, c);",
      ),
    ).toBe("-294967296 7 2147483647");
    expect(refused("const a: i32 = u32v & 1;")).toEqual([]);
    expect(refused("const a: i32 = u32v | 1;")).toEqual(["1:16 TMC1201"]);
    expect(refused("log(f64v & 1);")).toEqual(["1:5 TMC1214"]);
  });
});

describe("narrowing", () => {
  it("needs a conversion", () => {
    expect(refused("bytes[0] = i32v + 1;")).toEqual(["1:12 TMC1201"]);
    expect(refused("u8v = u16v;")).toEqual(["1:7 TMC1201"]);
    expect(refused("u32v = i32v;")).toEqual(["1:8 TMC1201"]);
    expect(refused("f32v = i32v;")).toEqual(["1:8 TMC1201"]);
    expect(refused("f32v = f64v;")).toEqual(["1:8 TMC1201"]);
  });
  it("is implied where the range fits", () => {
    expect(
      refused(
        "bytes[0] = i32v & 0xff; bytes[1] = u32v >>> 24; bytes[2] = u32v % 10; u16v = u8v; u8v = flag ? 1 : 2; " +
          "i8v = i32v % 100; u16v = u8v * u8v; i16v = u8v - u8v; u32v = u8v + u16v;",
      ),
    ).toEqual([]);
    expect(refused("u8v = i32v % 10;")).toEqual(["1:7 TMC1201"]);
    expect(refused("u8v = u32v % 257;")).toEqual(["1:7 TMC1201"]);
  });
});

describe("compound assignment", () => {
  it("converts back to the target's type", () => {
    const body =
      "u8v += 100; i8v -= 124; u16v++; bytes[1]--; u8v <<= 1; f32v += 1; log(u8v, i8v, u16v, bytes[1], f32v);";
    expect(run(`${declared} export function main(): void { ${body} }`, { checked: false }).lines).toEqual([
      "88 127 0 255 1.100000023841858",
    ]);
  });
  it("traps on loss in checked builds", () => {
    expect(traps("u8v += 100;")).toBe("overflow");
    expect(traps("u16v++;")).toBe("overflow");
    expect(traps("bytes[0]--;")).toBe("overflow");
    expect(traps("u8v += 55;")).toBeUndefined();
  });
  it("gives the old or the new value", () => {
    expect(prints("const a = i32v++; const b = ++i32v; const c = (i32v -= 2); log(a, b, c, i32v);")).toBe(
      "7 9 7 7",
    );
  });
  it("never drops a fraction silently", () => {
    expect(refused("i32v += f64v;")).toEqual(["1:1 TMC1201"]);
    expect(refused("i32v += 0.5;")).toEqual(["1:9 TMC1203"]);
  });
});

describe("Math", () => {
  it("is exact, in the operand's type", () => {
    expect(
      prints(
        "log(Math.abs(i16v), Math.min(u8v, i32v), Math.max(f32v, 0), Math.floor(-f64v), Math.sign(i8v));",
      ),
    ).toBe("300 7 0.10000000149011612 -1 -1");
    expect(
      prints(
        "log(Math.abs(min), Math.imul(big, big), Math.clz32(u32v), Math.round(-f64v * 25), Math.ceil(-f64v));",
      ),
    ).toBe("-2147483648 1 0 -2 0");
    expect(refused("log(Math.sqrt(i32v));")).toEqual(["1:15 TMC1222"]);
    expect(refused("log(Math.max(i32v));")).toEqual(["1:5 TMC1120"]);
  });
  it("of the host is for setup only", () => {
    expect(refused("log(Math.sin(f64v));")).toEqual(["1:5 TMC1801"]);
    expect(logged("log(table[1]);", "const table: f32[] = [0, f32(Math.sin(0.5))];")).toBe(
      "0.4794255495071411",
    );
  });
});

describe("order of evaluation", () => {
  it("checks the index after the value was computed", () => {
    const source = `const a: i32[] = [1];
function f(): i32 { log("f"); return 5; }
export function main(): void { a[7] = f(); }`;
    expect(run(source)).toMatchObject({ lines: ["f"], trap: { kind: "index", where: "main.ts:3:32" } });
  });
  it("reads before it evaluates the operand of a compound assignment", () => {
    const source = `let n: i32 = 1; const a: i32[] = [1];
function f(): i32 { n = 10; log("f"); return 5; }
export function main(): void { n += f(); log(n); a[7] += f(); }`;
    expect(run(source)).toMatchObject({ lines: ["f", "6"], trap: { kind: "index" } });
  });
});
