/** runtime-c against Node.js: number text, floats, strings; on the host with both compilers and sanitizers, and in QEMU. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { runExecutable } from "../../compiler/board/run.js";
import { buildExecutable, type BuildOptions } from "../../compiler/board/toolchain.js";
import { doubleOf, hex32, hex64, hexF32, TestValues } from "./test-values.js";

const here = dirname(fileURLToPath(import.meta.url));
let folder = "";
let serial = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-runtime-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

type Variant = [name: string, board: string, count: number, options: Partial<BuildOptions>];
const variants: Variant[] = [
  ["host gcc -O2", "host", 1_000_000, {}],
  ["host gcc -O0, sanitizers", "host", 20_000, { opt: "-O0", sanitize: true }],
  ["host clang -O2, sanitizers", "host", 20_000, { cc: "clang", sanitize: true }],
  ["Cortex-M4F", "qemu_cortex_m4", 20_000, {}],
];

async function output(
  source: string,
  boardName: string,
  count: number,
  options: Partial<BuildOptions>,
): Promise<string[]> {
  const board = findBoard(boardName);
  const { elf } = await buildExecutable({
    board,
    name: "test",
    sources: [join(here, source)],
    defines: [`TEST_COUNT=${count}`],
    outDir: join(folder, `out-${serial++}`),
    cacheDir: join(folder, "cache"),
    port: "program",
    warningsAreErrors: true,
    ...options,
  });
  const result = await runExecutable({ board, elf, timeoutMs: 100_000 });
  expect(result).toMatchObject({ exitCode: 0, trap: undefined, fault: undefined, stderr: "" });
  return result.stdout.split("\n");
}

/** Like toEqual, but shows the first difference only: the lists are long. */
function expectSameLines(actual: readonly string[], expected: readonly string[]): void {
  const line = expected.findIndex((text, index) => actual[index] !== text);
  expect(line < 0 ? "equal" : `line ${line}: ${actual[line]}`).toBe(
    line < 0 ? "equal" : `line ${line}: ${expected[line]}`,
  );
  expect(actual.length).toBe(expected.length);
}

describe("number text equals String(x) of Node.js", () => {
  const special = [
    0,
    -0,
    5e-324,
    -5e-324,
    1.5e-323,
    2.2250738585072014e-308,
    2.225073858507201e-308,
    1.7976931348623157e308,
    1e21,
    1e20,
    999999999999999900000,
    123456789012345680000,
    1e-6,
    1e-7,
    1.5e-7,
    0.000001234,
    9007199254740991,
    9007199254740992,
    9007199254740994,
    4294967296,
    1e23,
    9.5,
    0.1,
    Math.fround(0.1),
    100,
    4.35,
  ];
  it.each(variants)("%s", async (_, board, count, options) => {
    const values = new TestValues();
    const expected: string[] = [];
    for (let i = 0; i < count; i++) {
      const text = String(values.next(i));
      expected.push(i % 8 === 0 ? `${text} ${values.state | 0} ${values.state}` : text);
    }
    expected.push(...special.map(String));
    expected.push("Infinity -Infinity NaN -2147483648 2147483647 4294967295 true false  end", "");
    expectSameLines(await output("number-text.c", board, count, options), expected);
  });
});

describe("float functions equal Node.js bit for bit", () => {
  const f32 = Math.fround;
  const saturate = (v: number, low: number, high: number): number =>
    Number.isNaN(v) ? 0 : Math.min(Math.max(Math.trunc(v), low), high);
  const line = (a: number, b: number): string => {
    const [x, y] = [f32(a), f32(b)];
    const i = saturate(a, -(2 ** 31), 2 ** 31 - 1);
    return [
      ...[
        a % b,
        Math.min(a, b),
        Math.max(a, b),
        Math.round(a),
        Math.floor(a),
        Math.ceil(a),
        Math.trunc(a),
      ].map(hex64),
      ...[Math.sqrt(Math.abs(a)), Math.sqrt(a), Math.sign(a)].map(hex64),
      ...[
        x % y,
        Math.min(x, y),
        Math.max(x, y),
        Math.round(x),
        Math.floor(x),
        Math.ceil(x),
        Math.trunc(x),
      ].map(hexF32),
      ...[Math.sqrt(Math.abs(x)), Math.sqrt(x), Math.sign(x)].map(hexF32),
      ...[
        i,
        saturate(a, 0, 2 ** 32 - 1),
        saturate(x, -(2 ** 31), 2 ** 31 - 1),
        saturate(x, 0, 2 ** 32 - 1),
      ].map(hex32),
      ...[saturate(x, -128, 127), Math.clz32(i)].map(hex32),
    ].join("");
  };
  const special = [
    0x00000000, 0x80000000, 0x3fe00000, 0xbfe00000, 0x3ff00000, 0xbff00000, 0x7ff00000, 0xfff00000,
    0x7ff80000, 0x00100000, 0x000fffff, 0x43300000, 0x41dfffff, 0x41e00000, 0xc1e00000, 0x41efffff,
    0x41f00000, 0x3fdfffff, 0x7fefffff, 0x40080000,
  ];
  it.each(variants)("%s", async (_, board, count, options) => {
    const pairs = Math.min(count, 100_000);
    const expected: string[] = [];
    for (const [i, high] of special.entries()) {
      for (const other of special) {
        expected.push(line(doubleOf(high, i % 2 === 0 ? 0 : 0xffffffff), doubleOf(other, 0)));
      }
    }
    const values = new TestValues();
    for (let i = 0; i < pairs; i++) {
      const a = values.next(i);
      const b = values.next(Math.floor(i / 8));
      expected.push(line(a, b));
    }
    expected.push("");
    expectSameLines(await output("floats.c", board, pairs, options), expected);
  });
});

describe("string functions equal String.prototype", () => {
  const words = ["", "a", "ab", "abc", "b", "abab", "ABAB", "a b", "bab"];
  const range = (low: number, high: number): number[] =>
    Array.from({ length: high - low + 1 }, (_, index) => low + index);
  it.each(variants)("%s", async (_, board, __, options) => {
    const expected: string[] = [];
    for (const a of words) {
      for (const b of words) {
        const order = a < b ? -1 : a > b ? 1 : 0;
        const found = range(-1, 5).map((from) => a.indexOf(b, from));
        expected.push([a === b, order, a.startsWith(b), a.endsWith(b), ...found].join(" "));
      }
      for (const start of range(-6, 6)) {
        const slices = range(-6, 6).map((end) => a.slice(start, end));
        const code = start >= 0 && start < a.length ? a.charCodeAt(start) : "index";
        expected.push([...slices, code].join(" "));
      }
    }
    expected.push("false true yz", "");
    expectSameLines(await output("strings.c", board, 1, options), expected);
  });
});
