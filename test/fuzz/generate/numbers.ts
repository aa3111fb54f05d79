/** Expressions of the number kinds and of boolean, with effects inside (assignments, calls). */
import type { Generator } from "./generator.js";
import { isFloat, isNarrow, kinds, literals, narrowKinds, nonZeroLiterals, type Kind } from "./kinds.js";
import { textOf, tree, type Tree } from "./tree.js";

const boolean = tree("boolean");
const comparable = ["i32", "u32", "f32", "f64"] as const;

/** A variable, element or field of the kind; undefined when there is none to write. */
function place(g: Generator, k: Kind, depth: number): Tree | undefined {
  const offers = g.places(k);
  return offers.length === 0 ? undefined : g.take(offers, depth - 1);
}

/** A literal that takes its type from where it stands. */
export function literal(g: Generator, k: Kind): string {
  return g.pick(literals[k]);
}

export function typedLiteral(g: Generator, k: Kind): Tree {
  return tree(k)`${k}(${literal(g, k)})`;
}

/** To the right of an operator: a constant may stand there. */
function right(g: Generator, k: Kind, depth: number): Tree {
  return g.chance(33) ? { sort: `operand ${k}`, parts: [literal(g, k)] } : numeric(g, k, depth);
}

/** `<<` or `>>` and its right side. After `<<`, TypeScript's parser takes `a<b>(c)` for the end of type arguments. */
function shift(g: Generator, k: "i32" | "u32", operators: readonly string[], depth: number): Tree {
  const left = numeric(g, k, depth);
  const by = right(g, "i32", depth);
  const safe = textOf(by).includes(">(") ? typedLiteral(g, "i32") : by;
  return tree(k)`(${left} ${g.pick(operators)} ${safe})`;
}

function divisor(g: Generator, k: Kind, depth: number): Tree {
  return g.chance(50) ? { sort: `operand ${k}`, parts: [g.pick(nonZeroLiterals(k))] } : numeric(g, k, depth);
}

/** An index of an array of `length` elements: mostly inside. */
export function index(g: Generator, length: number, depth: number): Tree {
  const at = tree("index");
  const power = 1 << Math.floor(Math.log2(Math.max(1, length)));
  return g.weighted([
    [4, () => at`${g.int(0, length - 1)}`],
    [3, () => at`(${numeric(g, "i32", depth)} & ${power - 1})`],
    [1, () => at`${length}`],
    [1, () => numeric(g, g.pick(["u8", "i8", "i32"] as const), 0)],
  ]);
}

function compound(g: Generator, k: Kind, depth: number): Tree | undefined {
  const target = place(g, k, depth);
  if (target === undefined) return undefined;
  const x = tree(k);
  const value = (): Tree => numeric(g, isNarrow(k) ? "i32" : k, depth);
  const plain = isFloat(k) ? ["+", "-", "*", "/", "%"] : ["+", "-", "*", "&", "|", "^"];
  return g.weighted<Tree>([
    [3, () => x`(${target} ${g.pick(plain)}= ${value()})`],
    [1, () => x`${target}${g.pick(["++", "--"])}`],
    [1, () => x`${g.pick(["++", "--"])}${target}`],
    [
      isFloat(k) ? 0 : 1,
      () => x`(${target} ${g.pick(["<<", k === "u32" ? ">>>" : ">>"])}= ${numeric(g, "i32", depth)})`,
    ],
    [isFloat(k) ? 0 : 1, () => x`(${target} %= ${g.chance(50) ? value() : g.pick(nonZeroLiterals(k))})`],
  ]);
}

/** Changes a place of the kind; undefined when there is none. Also a statement. */
export function assignment(g: Generator, k: Kind, depth: number): Tree | undefined {
  if (g.chance(50)) return compound(g, k, depth);
  const target = place(g, k, depth);
  return target === undefined ? undefined : tree(k)`(${target} = ${numeric(g, k, depth)})`;
}

export function leaf(g: Generator, k: Kind, depth = 0): Tree {
  const offers = g.values(k).filter((o) => depth > 0 || o.plain);
  return offers.length === 0 || g.chance(15) ? typedLiteral(g, k) : g.take(offers, depth - 1);
}

/** An expression of exactly this kind; never an untyped constant. */
export function numeric(g: Generator, k: Kind, depth: number): Tree {
  g.budget--;
  if (depth <= 0 || g.budget <= 0) return leaf(g, k);
  const x = tree(k);
  const d = depth - 1;
  const e = (kind: Kind): Tree => numeric(g, kind, d);
  const general: (readonly [number, () => Tree])[] = [
    [7, () => leaf(g, k, depth)],
    [1, () => x`${k}(${e(g.pick(kinds.filter((from) => from !== k)))})`],
    [1, () => x`(${condition(g, d)} ? ${e(k)} : ${e(k)})`],
    [2, () => assignment(g, k, d) ?? leaf(g, k)],
  ];
  return g.weighted<Tree>([...general, ...(specific(g, k, d) ?? [])]);
}

type Choices = (readonly [number, () => Tree])[];

function specific(g: Generator, k: Kind, d: number): Choices {
  switch (k) {
    case "i32":
      return signed(g, d);
    case "u32":
      return unsigned(g, d);
    case "f32":
    case "f64":
      return float(g, k, d);
    default:
      return [
        [1, () => tree(k)`sat.${k}(${numeric(g, "i32", d)})`],
        [2, () => tree(k)`${k}(${numeric(g, "i32", d)})`],
        [1, () => tree(k)`${k}(${condition(g, d)})`],
      ];
  }
}

function signed(g: Generator, d: number): Choices {
  const x = tree("i32");
  const e = (): Tree => numeric(g, "i32", d);
  const by = (): Tree => divisor(g, "i32", d);
  return [
    [3, () => x`(${e()} ${g.pick(["+", "-", "*", "&", "|", "^"])} ${right(g, "i32", d)})`],
    [1, () => shift(g, "i32", ["<<", ">>"], d)],
    [1, () => x`Math.trunc(${e()} / ${by()})`],
    [1, () => x`((${e()} / ${by()}) | 0)`],
    [1, () => x`(${e()} % ${by()})`],
    [2, () => x`((${e()} ${g.pick(["+", "-", "*"])} ${e()}) | 0)`],
    [1, () => x`(${numeric(g, "u32", d)} | 0)`],
    [1, () => x`${g.pick(["-", "~"])}${leaf(g, "i32")}`],
    [1, () => x`Math.${g.pick(["min", "max", "imul"])}(${e()}, ${e()})`],
    [1, () => x`Math.${g.pick(["abs", "sign"])}(${e()})`],
    [1, () => x`Math.clz32(${numeric(g, "u32", d)})`],
    [
      1,
      () =>
        x`(${numeric(g, g.pick(narrowKinds), d)} ${g.pick(["+", "-", "*"])} ${numeric(g, g.pick(narrowKinds), d)})`,
    ],
    [1, () => x`i32(${condition(g, d)})`],
  ];
}

function unsigned(g: Generator, d: number): Choices {
  const x = tree("u32");
  const e = (): Tree => numeric(g, "u32", d);
  const by = (): Tree => divisor(g, "u32", d);
  return [
    [3, () => x`(${e()} ${g.pick(["+", "-", "*", "&", "^"])} ${right(g, "u32", d)})`],
    // `| 0` would make an i32 of it.
    [1, () => x`(${e()} | ${by()})`],
    [1, () => shift(g, "u32", ["<<", ">>>"], d)],
    [1, () => x`(${numeric(g, "i32", d)} >>> ${right(g, "i32", d)})`],
    [1, () => x`Math.trunc(${e()} / ${by()})`],
    [1, () => x`(${e()} % ${by()})`],
    [2, () => x`((${e()} ${g.pick(["+", "-", "*"])} ${e()}) >>> 0)`],
    [1, () => x`(~${e()})`],
    [1, () => x`Math.${g.pick(["min", "max"])}(${e()}, ${e()})`],
    [1, () => x`f32Bits(${numeric(g, "f32", d)})`],
  ];
}

function float(g: Generator, k: "f32" | "f64", d: number): Choices {
  const x = tree(k);
  const e = (): Tree => numeric(g, k, d);
  const unary = ["abs", "floor", "ceil", "trunc", "round", "sign", "sqrt"];
  return [
    [3, () => x`(${e()} ${g.pick(["+", "-", "*", "/", "%"])} ${right(g, k, d)})`],
    [1, () => x`(- ${e()})`],
    [1, () => x`Math.${g.pick(unary)}(${e()})`],
    [1, () => x`Math.${g.pick(["min", "max"])}(${e()}, ${right(g, k, d)})`],
    [1, () => (k === "f32" ? x`f32FromBits(${numeric(g, "u32", d)})` : e())],
  ];
}

/** A boolean. */
export function condition(g: Generator, depth: number): Tree {
  g.budget--;
  const known = g.values("boolean").filter((o) => depth > 0 || o.plain);
  const k = g.pick(comparable);
  const compare = (): Tree =>
    boolean`(${numeric(g, k, depth - 1)} ${g.pick(["<", "<=", ">", ">=", "===", "!=="])} ${right(g, k, depth - 1)})`;
  if (depth <= 0 || g.budget <= 0) {
    if (known.length > 0) return g.take(known, 0);
    return boolean`(${leaf(g, "i32")} < ${g.pick(["0", "9", "100"])})`;
  }
  const d = depth - 1;
  return g.weighted<Tree>([
    [4, () => (known.length === 0 ? compare() : g.take(known, d))],
    [5, compare],
    [1, () => boolean`(${condition(g, d)} ${g.pick(["&&", "||"])} ${condition(g, d)})`],
    [1, () => boolean`(!${condition(g, d)})`],
  ]);
}
