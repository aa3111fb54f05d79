/** Data of the module: variables, arrays of every kind, tables that setup computes, containers. */
import type { Generator } from "./generator.js";
import { integerKinds, isFloat, kinds, literals, typedArrays, type Kind } from "./kinds.js";
import { index, literal, numeric } from "./numbers.js";
import { arrayOffers, looped } from "./statements.js";
import { statement, tree, type Tree } from "./tree.js";

const declaration = tree("declaration");

export function declareVariable(g: Generator): void {
  const k = g.pick(kinds);
  const name = g.unique("n");
  g.declare(declaration`let ${name}: ${k} = ${literal(g, k)};`);
  g.variable(k, name, { weight: 2 });
  g.statementOf(() => statement`log("${name}", ${name});`);
}

export function declareFlag(g: Generator): void {
  const name = g.unique("flag");
  g.declare(declaration`let ${name} = ${g.pick(["true", "false"])};`);
  g.variable("boolean", name);
}

export function declareString(g: Generator): void {
  const name = g.unique("s");
  g.declare(declaration`let ${name}: string = ${g.pick(['"start"', '""', '"abcabc"'])};`);
  g.variable("string", name, { kept: true, constant: true });
  g.statementOf(
    (d) =>
      statement`${name} = ${g.take(g.values("string", true), d - 1)}${g.chance(30) ? ".slice(1, 4)" : ""};`,
  );
}

/** Elements as an array literal. */
const elements = (g: Generator, k: Kind, n: number): string =>
  `[${Array.from({ length: n }, () => g.pick(literals[k])).join(", ")}]`;

export function declareTypedArray(g: Generator): void {
  const k = g.pick(kinds);
  const length = g.int(1, 6);
  const name = g.unique("bytes");
  const init = g.chance(50) ? `${length}` : elements(g, k, length);
  g.declare(declaration`const ${name} = new ${typedArrays[k]}(${init});`);
  arrayOffers(g, k, name, length);
  g.statementOf(
    () => statement`${name}.set(${name}.subarray(${g.int(-2, 2)}, ${g.int(0, 3)}), ${g.int(0, 2)});`,
  );
  g.statementOf(
    (d) => {
      const v = g.local("v");
      const from = numeric(g, "i32", 1);
      return g.scoped(() => {
        g.variable(k, v.name, { constant: true });
        return statement`for (const ${v.name} of ${name}.subarray(${from})) {\n${looped(g, d - 2)}}`;
      });
    },
    { loop: true },
  );
}

export function declareArray(g: Generator): void {
  const k = g.pick(kinds);
  const length = g.int(1, 5);
  const name = g.unique("list");
  g.declare(declaration`const ${name}: ${k}[] = ${elements(g, k, length)};`);
  arrayOffers(g, k, name, length);
}

export function declareNested(g: Generator): void {
  const k = g.pick(kinds);
  const name = g.unique("rows");
  const rows = [g.int(1, 3), g.int(1, 3), g.int(1, 3)];
  g.declare(declaration`const ${name}: ${k}[][] = [${rows.map((n) => elements(g, k, n)).join(", ")}];`);
  g.declareName(name);
  const cell = (d: number): Tree => tree(k)`${name}[${index(g, 3, d - 1)}][${index(g, 2, d - 1)}]`;
  g.value(k, cell, { name });
  g.place(k, cell, { name });
  g.statementOf(
    (d) => {
      const row = g.local("row");
      const v = g.local("v");
      return g.scoped(() => {
        g.declareName(row.name);
        g.variable(k, v.name, { constant: true });
        return statement`for (const ${row.name} of ${name}) for (const ${v.name} of ${row.name}) {\n${looped(g, d - 2)}}`;
      });
    },
    { loop: true },
  );
}

/** A table that a loop of setup fills; read-only for handlers now and then. */
export function declareTable(g: Generator): void {
  const k = g.pick(kinds);
  const length = g.pick([2, 5, 9]);
  const name = g.unique("table");
  const term = isFloat(k)
    ? `${k}(Math.${g.pick(["sqrt", "abs", "floor"])}(f64(i) * ${g.pick(["0.37", "1.5", "12345.678"])} - ${g.int(0, 5)}))`
    : `${k}((i * ${g.pick(["37", "1103515245", "-9"])} + ${g.int(0, 300)}) | 0)`;
  const fill = `for (let i = 0; i < ${length}; i++) ${name}[i] = ${term};`;
  if (g.chance(50)) {
    g.declare(declaration`const ${name} = filled(${length}, ${k}(0));\n${fill}`);
    arrayOffers(g, k, name, length);
    return;
  }
  const made = `make_${name}`;
  const body = `const ${name}: ${k}[] = []; for (let i = 0; i < ${length}; i++) ${name}.push(${term}); return ${name}${g.pick(["", ".slice(1)", ".map((x) => x)", ".reverse()"])};`;
  g.declare(declaration`function ${made}(): ${k}[] { ${body} }\nconst ${name}: RomArray<${k}> = ${made}();`);
  g.declareName(name);
  g.value(k, (d) => tree(k)`${name}[${index(g, length - 1, d - 1)}]`, { name });
  g.value("i32", () => tree("i32")`${name}.length`, { name });
}

export function declareContainer(g: Generator): void {
  const k = g.pick(kinds);
  const name = g.unique("held");
  const capacity = g.int(1, 5);
  const value = (d: number): Tree => numeric(g, k, d - 1);
  const other = g.pick(literals[k]);
  const of = tree(k);
  g.declareName(name);
  if (g.chance(50)) {
    const type = g.pick(["List", "Ring"]);
    g.imports.add(type);
    g.declare(declaration`const ${name} = new ${type}<${k}>(${capacity});`);
    g.statementOf((d) => statement`${name}.push(${value(d)});`, { weight: 3 });
    g.value(k, (d) => of`(${name}.${type === "List" ? "pop" : "shift"}() ?? ${value(d)})`);
    g.value(k, (d) => of`${name}.get(${index(g, capacity, d - 1)})`);
    if (type === "List")
      g.statementOf((d) => statement`${name}.set(${index(g, capacity, d - 1)}, ${value(d)});`);
    g.value("i32", () => tree("i32")`${name}.length`);
    g.statementOf(() => statement`${name}.clear();`);
    g.statementOf(
      (d) => {
        const v = g.local("v");
        return g.scoped(() => {
          g.variable(k, v.name, { constant: true });
          return statement`for (const ${v.name} of ${name}) {\n${looped(g, d - 2)}}`;
        });
      },
      { loop: true },
    );
    return;
  }
  g.imports.add("FixedMap");
  const key = g.pick([...integerKinds, "string"] as const);
  const keyOf = (d: number): Tree =>
    key === "string" ? tree(key)`${g.pick(['"a"', '"b"', '"ab".slice(0, 1)'])}` : numeric(g, key, d - 2);
  g.declare(declaration`const ${name} = new FixedMap<${key}, ${k}>(${capacity});`);
  g.statementOf((d) => statement`${name}.set(${keyOf(d)}, ${value(d)});`, { weight: 3 });
  g.value(k, (d) => of`(${name}.get(${keyOf(d)}) ?? ${g.chance(50) ? `${k}(${other})` : value(d)})`);
  g.value("boolean", (d) => tree("boolean")`${name}.${g.pick(["has", "delete"])}(${keyOf(d)})`);
  g.value("i32", () => tree("i32")`${name}.size`);
}

/** A map and a set that setup fills and handlers read. */
export function declareLookup(g: Generator): void {
  const k = g.pick(kinds);
  const key = g.pick([...integerKinds, "string"] as const);
  const map = g.unique("map");
  const set = g.unique("set");
  const keys = key === "string" ? ['"a"', '"ab"', '""', '"zz"'] : [...literals[key]];
  const put = keys
    .slice(0, g.int(1, 4))
    .map((x) => `${map}.set(${x}, ${g.pick(literals[k])}); ${set}.add(${x});`);
  g.declare(
    declaration`const ${map} = new Map<${key}, ${k}>();\nconst ${set} = new Set<${key}>();\n${put.join(" ")}`,
  );
  g.declareName(map);
  g.declareName(set);
  const asked = (d: number): Tree =>
    key === "string" ? tree(key)`${g.pick(['"a"', '"zz"', '"abc".slice(0, 2)'])}` : numeric(g, key, d - 1);
  g.value(k, (d) => tree(k)`(${map}.get(${asked(d)}) ?? ${numeric(g, k, d - 1)})`, { weight: 2 });
  g.value("boolean", (d) => tree("boolean")`${g.pick([map, set])}.has(${asked(d)})`, { weight: 2 });
  g.value("i32", () => tree("i32")`${g.pick([map, set])}.size`);
  g.statementOf(
    (d) => {
      const v = g.local("v");
      return g.scoped(() => {
        g.variable(k, v.name, { constant: true });
        return statement`for (const [key, ${v.name}] of ${map}) {\n  log(key, ${set}.has(key));\n${looped(g, d - 2)}}`;
      });
    },
    { loop: true },
  );
  g.statementOf(() => statement`for (const item of ${set}) log("${set}", item);`, { loop: true });
}
