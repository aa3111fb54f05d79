/** Logical assignment, comma, `**`, rest parameters, spread, defaults in patterns, enums: what is refused, with which fix. */
import { describe, expect, it } from "vitest";
import { analyse, codes, logged } from "../../test/support/analyse.js";

const declared = `
interface P { x?: i32; y: i32 | null; z: i32 } enum E { A, B } const O = { a: 1, b: "t" } as const;
let n: i32 | null = null; let i: i32 = 3; let flag = true; let p: P = { y: 1, z: 2 }; let items: i32[] = [1, 2];
function rest(a: i32, ...xs: i32[]): i32 { return a + xs.length; } function two(a: i32, b: i32): i32 { return a + b; }
const pair: [i32, i32] = [1, 2]; const bytes = new Uint8Array(4); class Kept { xs: i32[] = [1]; }
`;
const refused = (statement: string): string[] =>
  codes(`${declared.replaceAll("\n", " ")} export function main(): void {\n${statement}\n}`).map((c) =>
    c.replace(/^2:/, ""),
  );
const fixes = (statement: string): string[] =>
  analyse(`${declared} export function main(): void { ${statement} }`).diagnostics.map((d) => d.fix);

describe("forms that are refused", () => {
  it.each([
    ["i ??= 1;", "1 TMC1217"],
    ["i ||= 1;", "1 TMC1202"],
    ["n &&= 1;", "1 TMC1202"],
    ["i = n ??= 1;", "7 TMC1117"],
    ["n ??= 1.5;", "7 TMC1203"],
    ["log(i ** 2);", "5 TMC1001"],
    ["i **= 2;", "3 TMC1001"],
    ["log(2 ** -1);", "5 TMC1001"],
    ["log(2 ** 60);", "5 TMC1001"],
    ["log(rest(1, ...(flag ? items : [1])));", "17 TMC1805"],
    ["log(two(...pair));", "9 TMC1003"],
    ["log(rest(1, true));", "13 TMC1201"],
    ["const f = rest; log(f(1));", "11 TMC1107"],
    ["let a = [...items, 1]; a = [...a];", "32 TMC1805"],
    ["const view = bytes.subarray(1); const a = [...view]; log(a[0]);", "47 TMC1805"],
    ["const a = [...new Kept().xs]; log(a[0]);", "15 TMC1805"],
    ["const a: f32[] = [...items];", "19 TMC1124"],
    ["const a: [i32, i32] = [...pair, 1];", "23 TMC1124"],
    ["const { z = 3 } = p; log(z);", "13 TMC1217"],
    ["const { y = 3 } = p; log(y);", "13 TMC1217"],
    ["log(E[0]);", "5 TMC1112"],
    ["log(E[i]);", "5 TMC1112"],
    ["log(O[i === 1 ? 'a' : 'b']);", "5 TMC1112"],
  ])("%s", (statement, expected) => {
    expect(refused(statement)).toEqual([expected]);
  });
  it("each with a fix", () => {
    expect(fixes("i = n ??= 1;")).toEqual(["write it as a statement of its own"]);
    expect(fixes("const { y = 3 } = p; log(y);")).toEqual(["write `x.y ?? value`"]);
    expect(fixes("log(two(...pair));")).toEqual(["pass them one by one, or let the function take an array"]);
    expect(fixes("log(rest(1, ...(flag ? items : [1])));")).toEqual([
      "make an array as long as it may get, and copy the elements in a loop",
    ]);
    expect(fixes("log(i ** 2);")[0]).toContain("`x * x`");
  });
});

describe("spread of arrays in handlers", () => {
  const messages = (text: string): string =>
    analyse(text)
      .diagnostics.map((d) => d.message)
      .join();
  it("says which lengths come there", () => {
    expect(
      messages(`function f(a: i32[]): i32 { return [...a].length; }
        export function main(): void { log(f([1]), f([1, 2, 3])); }`),
    ).toContain("arrays of different lengths come here (1, 3)");
  });
  it("does not go around a wait", () => {
    expect(
      messages(`const xs: i32[] = [1]; async function g(): Promise<i32> { return 1; }
        async function f(): Promise<void> { const a = [...xs, await g()]; log(a[0]); }
        export function main(): void { log(1); }`),
    ).toContain("an array is not spread before an `await`");
  });
});

describe("forms that are allowed", () => {
  it("mean what they mean in JavaScript", () => {
    expect(
      logged(
        "n ??= 4; n ??= 5; flag &&= i > 3; flag ||= i > 2; const { x = 9 } = p; log(n, flag, x, rest(1, ...pair, 5), rest(1));",
        declared,
      ),
    ).toBe("4 true 9 4 1");
    expect(logged("log(E['B'], O['a'], 2 ** 10, (i++, i * 2), i);", declared)).toBe("1 1 1024 8 4");
  });
});
