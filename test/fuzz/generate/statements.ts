/** Statements: declarations of locals, assignments, every control flow, traps. Loops end: their bounds are constants. */
import type { Generator } from "./generator.js";
import { kinds, type Kind } from "./kinds.js";
import { assignment, condition, index, literal, numeric } from "./numbers.js";
import { anyText, printed, template, text } from "./text.js";
import { list, statement, textOf, tree, type Tree } from "./tree.js";

/** A block's statements, in a scope of their own. */
export function block(g: Generator, depth: number, most = 3): Tree {
  return g.scoped(() => statements(g, depth, g.int(1, most)));
}

/** Statements in the present scope. */
export function statements(g: Generator, depth: number, count: number): Tree {
  const out: Tree[] = [];
  for (let i = 0; i < count; i++) out.push(oneStatement(g, depth));
  return list(out);
}

const expressionDepth = 3;

function oneStatement(g: Generator, depth: number): Tree {
  g.budget -= 2;
  const offers = g.statements();
  const nested = depth > 0 && g.budget > 0;
  return g.weighted<Tree>([
    [8, () => change(g)],
    [offers.length > 0 ? 8 : 0, () => g.take(offers, expressionDepth)],
    [3, () => local(g)],
    [2, () => print(g)],
    [1, () => statement`assert(${condition(g, 2)});`],
    [1, () => statement`if (${condition(g, 2)}) throw new Error("${g.pick(["x", "other"])}");`],
    [g.loops.length > 0 ? 2 : 0, () => jump(g)],
    [nested ? 8 : 0, () => compoundStatement(g, depth - 1)],
  ]);
}

function change(g: Generator): Tree {
  const k = g.pick(kinds);
  const made = assignment(g, k, expressionDepth);
  if (made !== undefined) return statement`${made};`;
  const places = g.places("boolean");
  return places.length === 0 ? print(g) : statement`${g.take(places, 1)} = ${condition(g, expressionDepth)};`;
}

export function print(g: Generator): Tree {
  const values = [printed(g, expressionDepth)];
  while (values.length < 3 && g.chance(50)) values.push(printed(g, expressionDepth - 1));
  if (g.chance(15)) return statement`log(${template(g, expressionDepth - 1)});`;
  return logOf(g, values);
}

function logOf(g: Generator, values: readonly Tree[]): Tree {
  const parts: (string | Tree)[] = [`log("${g.unique("#")}"`];
  for (const v of values) parts.push(", ", v);
  return { sort: "statement", parts: [...parts, ");"] };
}

/** A new variable of this block. */
function local(g: Generator): Tree {
  const k: Kind = g.pick(kinds);
  return g.weighted<Tree>([
    [5, () => localOf(g, k, (hides) => (hides ? tree(k)`${literal(g, k)}` : numeric(g, k, expressionDepth)))],
    [1, () => localOf(g, "boolean", (hides) => (hides ? tree("boolean")`true` : condition(g, 2)))],
    [1, () => localOf(g, "string", (hides) => (hides ? tree("string")`"hidden"` : text(g, 2, true)))],
    [1, () => tuple(g)],
    [1, () => localArray(g)],
  ]);
}

function localOf(g: Generator, type: string, value: (hides: boolean) => Tree): Tree {
  const { name, hides } = g.local("v", "here");
  const init = value(hides);
  const constant = g.chance(25);
  g.variable(type, name, { constant, kept: type === "string" });
  return statement`${constant ? "const" : "let"} ${name}: ${type} = ${init};`;
}

/** Taken apart at once, or kept whole. */
function tuple(g: Generator): Tree {
  const types = [g.pick(kinds), g.pick(kinds)];
  const values = types.map((k) => numeric(g, k, 2));
  const type = `[${types.join(", ")}]`;
  const whole = g.local("pair");
  g.declareName(whole.name);
  types.forEach((k, i) => {
    g.value(k, () => tree(k)`${whole.name}[${i}]`, { name: whole.name });
    g.place(k, () => tree(k)`${whole.name}[${i}]`, { name: whole.name });
  });
  g.statementOf(() => statement`{ const [first, second] = ${whole.name}; log(first, second); }`, {
    name: whole.name,
  });
  return statement`const ${whole.name}: ${type} = [${values[0] ?? "0"}, ${values[1] ?? "0"}];`;
}

function localArray(g: Generator): Tree {
  const k = g.pick(kinds);
  const { name } = g.local("items");
  const values = [numeric(g, k, 1), numeric(g, k, 1), numeric(g, k, 1)];
  arrayOffers(g, k, name, 3);
  return statement`const ${name}: ${k}[] = [${values[0] ?? "0"}, ${values[1] ?? "0"}, ${values[2] ?? "0"}];`;
}

/** What an array of numbers under that name allows. */
export function arrayOffers(g: Generator, k: Kind, name: string, length: number): void {
  g.declareName(name);
  const element = (d: number): Tree => tree(k)`${name}[${index(g, length, d - 1)}]`;
  g.value(k, element, { name });
  g.place(k, element, { name });
  g.value("i32", () => tree("i32")`${name}.length`, { name });
  g.statementOf((d) => overArray(g, k, name, d), { name, loop: true });
  g.statementOf(() => statement`for (const [at, item] of ${name}.entries()) log(at, item);`, {
    name,
    loop: true,
  });
  g.statementOf(
    (d) =>
      statement`[${name}[${g.int(0, length - 1)}], ${name}[${g.int(0, length - 1)}]] = [${element(d)}, ${element(d)}];`,
    { name },
  );
  g.statementOf(
    (d) => statement`${name}.fill(${numeric(g, k, d - 1)}, ${g.int(-2, 2)}, ${g.int(-1, length + 1)});`,
    { name },
  );
}

function overArray(g: Generator, k: Kind, name: string, depth: number): Tree {
  const v = g.local("v", "inside");
  return g.scoped(() => {
    const constant = g.chance(70);
    g.variable(k, v.name, { constant });
    return statement`for (${constant ? "const" : "let"} ${v.name} of ${name}) {\n${looped(g, depth - 2)}}`;
  });
}

/** The body of a loop. */
export function looped(g: Generator, depth: number, label?: string): Tree {
  g.loops.push({ label });
  try {
    return block(g, Math.min(depth, 1), 2);
  } finally {
    g.loops.pop();
  }
}

function jump(g: Generator): Tree {
  const { label } = g.pick(g.loops);
  return statement`if (${condition(g, 2)}) ${g.pick(["break", "continue"])}${label === undefined ? "" : ` ${label}`};`;
}

function compoundStatement(g: Generator, depth: number): Tree {
  const b = (): Tree => block(g, depth);
  const test = (): Tree => condition(g, 2);
  return g.weighted<Tree>([
    [2, () => statement`if (${test()}) {\n${b()}}`],
    [2, () => statement`if (${test()}) {\n${b()}} else {\n${b()}}`],
    [g.mayLoop ? 2 : 0, () => counted(g, depth)],
    [g.mayLoop ? 1 : 0, () => repeated(g, depth)],
    [2, () => switched(g, depth)],
    [2, () => caught(g, depth)],
    [1, () => statement`{\n${b()}}`],
  ]);
}

function counted(g: Generator, depth: number): Tree {
  const i = g.local("i");
  const label = g.chance(30) ? g.unique("loop") : undefined;
  return g.scoped(() => {
    g.variable("i32", i.name, { constant: true });
    const head = g.pick([
      `let ${i.name} = 0; ${i.name} < ${g.int(1, 3)}; ${i.name}++`,
      `let ${i.name} = ${g.int(1, 3)}; ${i.name} > 0; ${i.name}--`,
      `let ${i.name}: i32 = ${g.int(-2, 0)}; ${i.name} <= 2; ${i.name} += 2`,
    ]);
    return statement`${label === undefined ? "" : `${label}: `}for (${head}) {\n${looped(g, depth, label)}}`;
  });
}

function repeated(g: Generator, depth: number): Tree {
  const n = g.local("n");
  const more = g.scoped(() => {
    g.declareName(n.name);
    return { body: looped(g, depth), test: condition(g, 2) };
  });
  const left = `--${n.name} > 0`;
  return g.chance(50)
    ? statement`{ let ${n.name} = ${g.int(1, 3)}; do {\n${more.body}} while (${left} && ${more.test}); }`
    : statement`{ let ${n.name} = ${g.int(1, 3)}; while (${left} && ${more.test}) {\n${more.body}} }`;
}

/** A name or field in a `switch` would have another type inside its cases, where a comparison may then be an error. */
function unnarrowed(t: Tree): Tree {
  return /^[\w.[\]]+$/.test(textOf(t)) ? tree(t.sort)`${t}.slice(0)` : t;
}

function switched(g: Generator, depth: number): Tree {
  const b = (): Tree => block(g, depth, 2);
  return g.weighted<Tree>([
    [
      2,
      () =>
        statement`switch (${numeric(g, "i32", 2)} & 3) { case 0: {\n${b()}} break; case 1: case 2: {\n${b()}} break; default: {\n${b()}} break; }`,
    ],
    [
      1,
      () =>
        statement`switch (${unnarrowed(anyText(g, 2))}) { case "a": {\n${b()}} break; case "ab": case "": {\n${b()}} break; default: {\n${b()}} break; }`,
    ],
  ]);
}

function caught(g: Generator, depth: number): Tree {
  const tried = block(g, depth);
  const handler = g.scoped(() => statements(g, 0, 1));
  const report = statement`log("caught", e.kind, e.message, e.site);`;
  const ended = (): Tree => {
    const loops = g.loops.splice(0);
    try {
      return g.scoped(() => statements(g, 0, 1));
    } finally {
      g.loops.push(...loops);
    }
  };
  return g.weighted<Tree>([
    [3, () => statement`try {\n${tried}} catch (e) {\n  ${report}\n${handler}}`],
    [1, () => statement`try {\n${tried}} catch {\n${handler}}`],
    [1, () => statement`try {\n${tried}} catch (e) {\n  ${report}\n${handler}} finally {\n${ended()}}`],
    [1, () => statement`try {\n${tried}} finally {\n${ended()}}`],
    [1, () => statement`try {\n${tried}} catch (e) {\n${handler}  if (${condition(g, 1)}) throw e;\n}`],
  ]);
}
