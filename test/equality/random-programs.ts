/**
 * Random well-typed functions of the subset, as source text, with fast-check's shrinking: arithmetic of every kind,
 * conversions, arrays, fields, control flow, traps, effects inside expressions, calls. Every function uses the same
 * declarations (see `programText`), so that expressions need no environment. It runs nothing.
 */
import fc, { type Arbitrary } from "fast-check";

const integers = ["i8", "u8", "i16", "u16", "i32", "u32"] as const;
const narrow = ["i8", "u8", "i16", "u16"] as const;
const floats = ["f32", "f64"] as const;
const kinds = [...integers, ...floats] as const;
type Kind = (typeof kinds)[number];

const isFloat = (k: Kind): boolean => k === "f32" || k === "f64";
const isNarrow = (k: Kind): boolean => (narrow as readonly string[]).includes(k);

/** Literals that are values of the kind, as they stand to the right of an operator. */
const literals: Readonly<Record<Kind, readonly string[]>> = {
  i8: ["0", "1", "7", "127", "(-1)", "(-128)"],
  u8: ["0", "1", "7", "128", "255"],
  i16: ["0", "1", "9", "255", "32767", "(-1)", "(-32768)"],
  u16: ["0", "1", "9", "256", "65535"],
  i32: ["0", "1", "2", "3", "10", "255", "65536", "46341", "2147483647", "(-1)", "(-7)", "(-2147483648)"],
  u32: ["0", "1", "2", "10", "255", "65537", "2147483647", "2147483648", "4294967295"],
  f32: ["0", "1", "0.5", "1.5", "0.1", "3", "1e10", "1e-10", "16777217", "3e38", "1e-45", "(-2.25)", "(-1)"],
  f64: [
    "0",
    "1",
    "0.5",
    "0.1",
    "1e-9",
    "3e9",
    "4294967296",
    "1e300",
    "5e-324",
    "9007199254740993",
    "(-0.0)",
    "(-2.5)",
  ],
};

export interface RandomFunction {
  /** Statements of its body. */
  readonly body: string;
  /** With a closure over a local: the local lives in memory and calls change it. */
  readonly closure: boolean;
}

const pick = (...list: readonly string[]): Arbitrary<string> => fc.constantFrom(...list);

/** Joins the parts of a template whose holes are arbitraries. */
function text(parts: TemplateStringsArray, ...holes: readonly Arbitrary<string>[]): Arbitrary<string> {
  return fc.tuple(...holes).map((values) => parts.map((part, i) => part + (values[i] ?? "")).join(""));
}

interface Depths {
  readonly expression: number;
  readonly statement: number;
}

function grammar(depths: Depths): Arbitrary<string> {
  const arbs = fc.letrec<Record<string, string>>((tie) => {
    const e = (k: Kind | "bool"): Arbitrary<string> => tie(k);
    const lit = (k: Kind): Arbitrary<string> => pick(...literals[k]);
    const nonZero = (k: Kind): Arbitrary<string> =>
      pick(...literals[k].filter((x) => Number(x.replace(/[()]/g, "")) !== 0));
    const index = fc.oneof(
      { weight: 3, arbitrary: pick("0", "1", "2", "3") },
      { weight: 3, arbitrary: text`(${e("i32")} & 3)` },
      { weight: 1, arbitrary: pick("a_u8", "b_i32", "(a_i8 % 5)", "4") },
    );
    const fields: Readonly<Partial<Record<Kind, string>>> = {
      i32: "acc.n",
      u8: "acc.b",
      f32: "acc.f",
      u32: "acc.u",
    };
    const place = (k: Kind): Arbitrary<string> =>
      fc.oneof(
        { weight: 4, arbitrary: pick(`a_${k}`, `b_${k}`, ...(fields[k] === undefined ? [] : [fields[k]])) },
        { weight: 1, arbitrary: text`g_${pick(k)}[${index}]` },
      );
    const compound = (k: Kind): Arbitrary<string> => {
      const value = isNarrow(k) ? e("i32") : e(k);
      const plain = isFloat(k) ? ["+", "-", "*", "/", "%"] : ["+", "-", "*", "&", "|", "^"];
      const all = [
        text`(${place(k)} ${pick(...plain)}= ${value})`,
        text`${place(k)}${pick("++", "--")}`,
        text`${pick("++", "--")}${place(k)}`,
      ];
      if (!isFloat(k)) {
        all.push(text`(${place(k)} ${pick("<<=", k === "u32" ? ">>>=" : ">>=")} ${e("i32")})`);
        all.push(text`(${place(k)} %= ${fc.oneof(value, nonZero(k))})`);
      }
      return fc.oneof(...all);
    };
    const assignment = (k: Kind): Arbitrary<string> => fc.oneof(text`(${place(k)} = ${e(k)})`, compound(k));
    const convert = (k: Kind): Arbitrary<string> =>
      fc.oneof(
        ...kinds.filter((from) => from !== k).map((from) => text`${pick(k)}(${e(from)})`),
        text`${pick(k)}(${e("bool")})`,
      );
    /** A left operand that is no constant, and a right one that may be. */
    const right = (k: Kind): Arbitrary<string> =>
      fc.oneof({ weight: 2, arbitrary: e(k) }, { weight: 1, arbitrary: lit(k) });
    const select = (k: Kind): Arbitrary<string> => text`(${e("bool")} ? ${e(k)} : ${e(k)})`;
    const leaf = (k: Kind): Arbitrary<string> =>
      fc.oneof({ weight: 4, arbitrary: place(k) }, { weight: 1, arbitrary: text`${pick(k)}(${lit(k)})` });
    const choose = (
      k: string,
      leaves: Arbitrary<string>,
      ...more: readonly Arbitrary<string>[]
    ): Arbitrary<string> =>
      fc.oneof(
        { maxDepth: depths.expression, depthIdentifier: "expression", withCrossShrink: true },
        leaves,
        ...more,
      );

    const narrowKind = (k: Kind): Arbitrary<string> =>
      choose(
        k,
        leaf(k),
        convert(k),
        text`sat.${pick(k)}(${e("i32")})`,
        text`${pick(k)}(${e("i32")})`,
        select(k),
        assignment(k),
      );
    const float = (k: Kind): Arbitrary<string> =>
      choose(
        k,
        leaf(k),
        text`(${e(k)} ${pick("+", "-", "*", "/", "%")} ${right(k)})`,
        text`(${e(k)} ${pick("+", "-", "*", "/")} ${e(k)})`,
        text`(- ${e(k)})`,
        text`Math.${pick("abs", "floor", "ceil", "trunc", "round", "sign", "sqrt")}(${e(k)})`,
        text`Math.${pick("min", "max")}(${e(k)}, ${right(k)})`,
        convert(k),
        select(k),
        assignment(k),
        k === "f32" ? text`f32FromBits(${e("u32")})` : text`h_f64(${e("i32")}, ${e("f64")})`,
      );

    const statement = (loop: boolean): Arbitrary<string> => {
      const block = tie(loop ? "loopBlock" : "block");
      const inner = tie("loopBlock");
      const jumps = [
        ...(loop ? [text`if (${e("bool")}) ${pick("break", "continue")};`] : []),
        text`if (${e("bool")}) throw new Error("${pick("x", "other")}");`,
        text`assert(${e("bool")});`,
      ];
      const simple = fc.oneof(
        ...kinds.map((k) => text`${assignment(k)};`),
        text`${pick("p", "q")} = ${e("bool")};`,
        text`log(${pick("1", '"s"')}, ${fc.oneof(...kinds.map((k) => e(k)))}, ${e("bool")});`,
        text`g_${pick("i32", "u8")}.fill(${pick("1", "7")}, ${pick("0", "1", "-1")}, ${pick("2", "-1", "9")});`,
        fc.oneof(...jumps),
      );
      return fc.oneof(
        { maxDepth: depths.statement, depthIdentifier: "statement", withCrossShrink: true },
        { weight: 5, arbitrary: simple },
        { weight: 1, arbitrary: text`if (${e("bool")}) ${block}` },
        { weight: 1, arbitrary: text`if (${e("bool")}) ${block} else ${block}` },
        { weight: 1, arbitrary: text`for (let k = 0; k < ${pick("1", "2", "3")}; k++) ${inner}` },
        { weight: 1, arbitrary: text`{ let n = 3; do ${inner} while (--n > 0 && ${e("bool")}); }` },
        { weight: 1, arbitrary: text`for (const v of g_${pick("i32", "u16")}) { a_i32 += v; ${inner} }` },
        {
          weight: 1,
          arbitrary: text`switch (${e("i32")} & 3) { case 0: ${block} break; case 1: case 2: ${block} break; default: ${block} break; }`,
        },
        {
          weight: 1,
          arbitrary: text`try ${block} catch (e) { log("caught", e.kind, e.message); ${tie("simple")} }`,
        },
      );
    };
    const list = (loop: boolean): Arbitrary<string> =>
      fc.array(statement(loop), { minLength: 1, maxLength: 3 }).map((s) => `{ ${s.join(" ")} }`);

    return {
      i8: narrowKind("i8"),
      u8: narrowKind("u8"),
      i16: narrowKind("i16"),
      u16: narrowKind("u16"),
      i32: choose(
        "i32",
        fc.oneof(
          { weight: 4, arbitrary: leaf("i32") },
          { weight: 1, arbitrary: fc.oneof(...narrow.map(place)) },
        ),
        text`(${e("i32")} ${pick("+", "-", "*", "&", "|", "^")} ${right("i32")})`,
        text`(${e("i32")} ${pick("+", "-", "*")} ${e("i32")})`,
        text`(${e("i32")} ${pick("<<", ">>")} ${right("i32")})`,
        text`Math.trunc(${e("i32")} / ${fc.oneof(e("i32"), nonZero("i32"))})`,
        text`((${e("i32")} / ${fc.oneof(e("i32"), nonZero("i32"))}) | 0)`,
        text`(${e("i32")} % ${fc.oneof(e("i32"), nonZero("i32"))})`,
        text`((${e("i32")} ${pick("+", "-", "*")} ${e("i32")}) | 0)`,
        text`(${e("u32")} | 0)`,
        text`${pick("-", "~")}${leaf("i32")}`,
        text`Math.${pick("min", "max", "imul")}(${e("i32")}, ${e("i32")})`,
        text`Math.${pick("abs", "sign")}(${e("i32")})`,
        text`Math.clz32(${e("u32")})`,
        convert("i32"),
        select("i32"),
        assignment("i32"),
        text`h_i32(${e("i32")}, ${e("u32")})`,
        text`acc.add(${e("i32")})`,
      ),
      u32: choose(
        "u32",
        leaf("u32"),
        text`(${e("u32")} ${pick("+", "-", "*", "&", "^")} ${right("u32")})`,
        // `| 0` would make an i32 of it.
        text`(${e("u32")} | ${fc.oneof(e("u32"), nonZero("u32"))})`,
        text`(${e("u32")} ${pick("<<", ">>>")} ${right("i32")})`,
        text`(${e("i32")} >>> ${right("i32")})`,
        text`Math.trunc(${e("u32")} / ${fc.oneof(e("u32"), nonZero("u32"))})`,
        text`(${e("u32")} % ${fc.oneof(e("u32"), nonZero("u32"))})`,
        text`((${e("u32")} ${pick("+", "-", "*")} ${e("u32")}) >>> 0)`,
        text`(~${e("u32")})`,
        text`Math.${pick("min", "max")}(${e("u32")}, ${e("u32")})`,
        text`f32Bits(${e("f32")})`,
        convert("u32"),
        select("u32"),
        assignment("u32"),
      ),
      f32: float("f32"),
      f64: float("f64"),
      bool: choose(
        "bool",
        pick("p", "q"),
        ...(["i32", "u32", "f32", "f64"] as const).map(
          (k) => text`(${e(k)} ${pick("<", "<=", ">", ">=", "===", "!==")} ${right(k)})`,
        ),
        text`(${e("bool")} ${pick("&&", "||")} ${e("bool")})`,
        text`(!${e("bool")})`,
      ),
      simple: fc.oneof(...kinds.map((k) => text`${assignment(k)};`)),
      block: list(false),
      loopBlock: list(true),
      body: fc.array(statement(false), { minLength: 1, maxLength: 5 }).map((s) => s.join("\n  ")),
    };
  });
  return arbs["body"] ?? fc.constant("");
}

export const randomFunction: Arbitrary<RandomFunction> = fc.record({
  body: grammar({ expression: 3, statement: 2 }),
  closure: fc.boolean(),
});

const edgeCalls: readonly (readonly [x: string, u: string, r: string])[] = [
  ["0", "0", "0"],
  ["-2147483648", "4294967295", "-0.5"],
  ["2147483647", "2147483648", "1e300"],
  ["-7", "9", "NaN"],
  ["130", "40000", "3000000000.75"],
];

const typedArray: Readonly<Record<Kind, string>> = {
  i8: "Int8Array",
  u8: "Uint8Array",
  i16: "Int16Array",
  u16: "Uint16Array",
  i32: "Int32Array",
  u32: "Uint32Array",
  f32: "Float32Array",
  f64: "Float64Array",
};

const prelude = `class Acc {
  n: i32 = 0;
  b: u8 = 0;
  f: f32 = 0;
  u: u32 = 0;
  add(x: i32): i32 {
    this.n = (this.n + x) | 0;
    this.b = u8(this.b + 1);
    return this.n;
  }
}
const acc = new Acc();
${kinds.map((k) => `const g_${k} = new ${typedArray[k]}(4);`).join("\n")}
function h_i32(a: i32, b: u32): i32 {
  g_i32[1] = (g_i32[1] + a) | 0;
  acc.u = (acc.u + b) >>> 0;
  return a ^ g_u8[2];
}
function h_f64(a: i32, b: f64): f64 {
  g_f64[0] = b;
  return f64(a) * 0.5 - b;
}
function reset(): void {
  acc.n = 3;
  acc.b = 250;
  acc.f = 0.75;
  acc.u = 4000000000;
${kinds.map((k) => `  g_${k}[0] = ${k}(1);\n  g_${k}[1] = ${k}(-5);\n  g_${k}[2] = ${k}(200);\n  g_${k}[3] = ${k}(2147483647);`).join("\n")}
}
function show(): void {
  log(acc.n, acc.b, acc.f, acc.u);
${kinds.map((k) => `  log(g_${k}[0], g_${k}[1], g_${k}[2], g_${k}[3]);`).join("\n")}
}
`;

function functionText({ body, closure }: RandomFunction, name: string): string {
  const locals = kinds.map(
    (k) => `  let a_${k}: ${k} = ${k}(x);\n  let b_${k}: ${k} = ${k}(${isFloat(k) ? "r" : "u"});\n`,
  );
  const bump = `  const bump = (d: i32): i32 => {
    a_i32 = (a_i32 + d) | 0;
    b_f32 = b_f32 * 0.5;
    return a_i32;
  };
  b_i32 = a_i32 - bump(1);
`;
  const shown = kinds.flatMap((k) => [`a_${k}`, `b_${k}`]).join(", ");
  return `function ${name}(x: i32, u: u32, r: f64): void {
${locals.join("")}  let p = x > 0;
  let q = r < 0.5;
${closure ? bump : ""}  ${body}
${closure ? "  bump(2);\n" : ""}  log("${name}", ${shown}, p, q);
}
`;
}

/** A program that calls every function with edge values and prints all that they changed. Names: t0, t1, …  */
export function programText(functions: readonly RandomFunction[]): string {
  const calls = functions.flatMap((_, i) =>
    edgeCalls.map(
      ([x, u, r]) =>
        `  reset();\n  try {\n    t${i}(${x}, ${u}, ${r});\n  } catch (e) {\n    log("t${i}", e.kind, e.message);\n  }\n  show();\n`,
    ),
  );
  const bodies = functions.map((f, i) => functionText(f, `t${i}`));
  return `${prelude}\n${bodies.join("\n")}\nexport function main(): void {\n${calls.join("")}}\n`;
}
