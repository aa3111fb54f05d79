/** Expressions of text, what is computed from it, and text buffers. */
import type { Generator } from "./generator.js";
import { kinds } from "./kinds.js";
import { condition, numeric } from "./numbers.js";
import { statement, tree, type Tree } from "./tree.js";

const string = tree("string");
const words = ['""', '"a"', '"ab"', '"abc"', '"abd"', '"zz top"', '"0123456789"', '"bcb"'];

/** `kept`: not borrowed from a buffer, so that it may be stored. */
export function text(g: Generator, depth: number, kept = false): Tree {
  g.budget--;
  const known = g.values("string", kept);
  const word = (): Tree => string`${g.pick(words)}`;
  if (depth <= 0 || g.budget <= 0) {
    const leaves = known.filter((o) => o.plain);
    return leaves.length > 0 && g.chance(60) ? g.take(leaves, 0) : word();
  }
  const d = depth - 1;
  const bound = (): Tree => tree("bound")`${g.chance(70) ? g.int(-4, 6) : numeric(g, "i32", 0)}`;
  return g.weighted<Tree>([
    [2, word],
    [known.length > 0 ? 4 : 0, () => g.take(known, d)],
    [2, () => string`${text(g, d, kept)}.slice(${bound()}${g.chance(60) ? string`, ${bound()}` : ""})`],
    [1, () => string`(${condition(g, d)} ? ${text(g, d, kept)} : ${text(g, d, kept)})`],
  ]);
}

/** Text whose type is no literal: TypeScript refuses comparisons of literals that differ. */
export function anyText(g: Generator, depth: number): Tree {
  const known = g.values("string").filter((o) => o.plain);
  return known.length > 0 && g.chance(50) ? g.take(known, 0) : string`${text(g, depth)}.slice(0)`;
}

/** What every program may say about text. */
export function registerText(g: Generator): void {
  const i32 = tree("i32");
  const boolean = tree("boolean");
  const t = (d: number): Tree => text(g, d - 1);
  g.value("i32", (d) => i32`${t(d)}.length`);
  g.value("i32", (d) => i32`${t(d)}.charCodeAt(${g.int(0, 2)})`);
  g.value("i32", (d) => i32`${t(d)}.indexOf(${t(d)}${g.chance(30) ? `, ${g.int(-1, 3)}` : ""})`);
  g.value("boolean", (d) => boolean`${t(d)}.${g.pick(["startsWith", "endsWith", "includes"])}(${t(d)})`);
  g.value(
    "boolean",
    (d) =>
      boolean`(${anyText(g, d - 1)} ${g.pick(["===", "!==", "<", ">", "<=", ">="])} ${anyText(g, d - 1)})`,
  );
}

/** The part of a template literal: a value of any kind that prints. */
export function printed(g: Generator, depth: number): Tree {
  return g.weighted<Tree>([
    [4, () => numeric(g, g.pick(kinds), depth)],
    [1, () => condition(g, depth)],
    [1, () => text(g, depth)],
  ]);
}

export function template(g: Generator, depth: number): Tree {
  const parts: (string | Tree)[] = ["`"];
  for (let i = g.int(1, 3); i > 0; i--)
    parts.push(g.pick(["", "x=", " ", ", "]), "${", printed(g, depth), "}");
  return { sort: "template", parts: [...parts, "`"] };
}

/** A buffer of the module, with what reads and writes it. */
export function declareTextBuffer(g: Generator): void {
  g.imports.add("TextBuffer");
  const name = g.unique("buffer");
  g.declare(tree("declaration")`const ${name} = new TextBuffer(${g.pick([4, 12, 40, 64])});`);
  // Borrowed: used at once, before anything can change the buffer.
  const held = (): Tree => string`${name}.toString()${g.pick(["", "", ".slice(1)", ".slice(-3, 9)"])}`;
  g.value("boolean", () => tree("boolean")`(${held()} ${g.pick(["===", "<", ">="])} ${g.pick(words)})`);
  g.value("i32", () => tree("i32")`${held()}.${g.pick(["length", 'indexOf("a")', "charCodeAt(1)"])}`);
  for (const other of g.buffers)
    g.statementOf(() => statement`${name}.write(${tree("string")`${other}.toString()`});`);
  g.buffers.push(name);
  g.value("i32", () => tree("i32")`${name}.length`);
  g.statementOf((d) => statement`${name}.write(${g.chance(60) ? template(g, d - 1) : text(g, d - 1)});`, {
    weight: 3,
  });
  g.statementOf(() => statement`${name}.clear();`);
  g.value("boolean", (d) => tree("boolean")`${name}.assign(${text(g, d - 1)})`);
  g.statementOf(() => statement`log(${name}.toString(), ${name}.length);`);
}
