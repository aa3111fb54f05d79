/** 64-bit integers: variables and arrays of the module, expressions, what converts from and to other kinds. */
import type { Generator } from "./generator.js";
import { kinds } from "./kinds.js";
import { condition, index, numeric } from "./numbers.js";
import { statement, tree, type Tree } from "./tree.js";

const wideKinds = ["i64", "u64"] as const;
type Wide = (typeof wideKinds)[number];

const literals: Readonly<Record<Wide, readonly string[]>> = {
  i64: [
    "0n",
    "1n",
    "10n",
    "4294967296n",
    "9223372036854775807n",
    "(-1n)",
    "(-7n)",
    "(-9223372036854775808n)",
  ],
  u64: ["0n", "1n", "3n", "255n", "4294967295n", "9007199254740993n", "18446744073709551615n"],
};

const other = (k: Wide): Wide => (k === "i64" ? "u64" : "i64");

/** An expression of the kind. */
function wide(g: Generator, k: Wide, depth: number): Tree {
  g.budget--;
  const x = tree(k);
  const leaf = (): Tree => {
    const offers = g.values(k);
    return offers.length === 0 || g.chance(20) ? x`${k}(${g.pick(literals[k])})` : g.take(offers, 0);
  };
  if (depth <= 0 || g.budget <= 0) return leaf();
  const e = (): Tree => wide(g, k, depth - 1);
  const right = (): Tree => (g.chance(40) ? { sort: `operand ${k}`, parts: [g.pick(literals[k])] } : e());
  const divisor = (): Tree =>
    g.chance(60) ? { sort: `operand ${k}`, parts: [g.pick(literals[k].slice(1))] } : e();
  const exact = k === "i64" ? "BigInt.asIntN" : "BigInt.asUintN";
  return g.weighted<Tree>([
    [4, leaf],
    [4, () => x`(${e()} ${g.pick(["+", "-", "*", "&", "|", "^"])} ${right()})`],
    [2, () => x`(${e()} ${g.pick(["/", "%"])} ${divisor()})`],
    [2, () => x`(${e()} ${g.pick(["<<", ">>"])} ${g.pick(["0n", "1n", "31n", "32n", "63n", "64n", "70n"])})`],
    [2, () => x`${exact}(64, ${e()} ${g.pick(["+", "-", "*"])} ${right()})`],
    [1, () => x`(~${e()})`],
    [k === "i64" ? 1 : 0, () => x`(-${e()})`],
    [2, () => x`${k}(${numeric(g, g.pick(kinds), depth - 1)})`],
    [1, () => x`${k}(${wide(g, other(k), depth - 1)})`],
    [1, () => x`(${condition(g, depth - 1)} ? ${e()} : ${e()})`],
  ]);
}

function offers(g: Generator, k: Wide, name: string, place: (depth: number) => Tree): void {
  g.value(k, place, { name, weight: 2 });
  g.statementOf((d) => statement`${place(d)} = ${wide(g, k, d - 1)};`, { name, weight: 2 });
  g.statementOf(
    (d) => statement`${place(d)} ${g.pick(["+", "-", "*", "&", "|", "^"])}= ${wide(g, k, d - 1)};`,
    { name },
  );
  g.statementOf((d) => statement`${place(d)}${g.pick(["++", "--"])};`, { name });
}

export function declareWide(g: Generator): void {
  const k = g.pick(wideKinds);
  const name = g.unique("w");
  g.declare(tree("declaration")`let ${name}: ${k} = ${g.pick(literals[k])};`);
  g.declareName(name);
  offers(g, k, name, () => tree(k)`${name}`);
  if (g.chance(50)) {
    const items = g.unique("wide");
    const length = g.int(1, 4);
    g.declare(
      tree("declaration")`const ${items} = new Big${k === "i64" ? "Int" : "Uint"}64Array(${length});`,
    );
    g.declareName(items);
    offers(g, k, items, (d) => tree(k)`${items}[${index(g, length, d - 2)}]`);
  }
  for (const to of kinds) g.value(to, (d) => tree(to)`${to}(${wide(g, k, d - 1)})`);
  g.value("boolean", (d) => {
    const test = g.pick(["<", "<=", ">", ">=", "===", "!=="]);
    return tree("boolean")`(${wide(g, k, d - 1)} ${test} ${wide(g, k, d - 1)})`;
  });
  g.statementOf((d) => statement`log("${name}", ${name}, ${wide(g, k, d - 1)});`, { weight: 2 });
  const made = g.unique("far");
  const body = g.inFunction(true, () => {
    g.variable("i32", "x");
    return wide(g, k, 2);
  }).result;
  g.declare(tree("declaration")`function ${made}(x: i32): ${k} { return ${body}; }`);
  g.value(k, (d) => tree(k)`${made}(${numeric(g, "i32", d - 1)})`);
}
