/** Types of choices: string-literal unions, enums, discriminated unions; and records: literals, spread, patterns, fresh results. */
import type { Generator } from "./generator.js";
import { kinds, literals, type Kind } from "./kinds.js";
import { condition, index, literal, numeric } from "./numbers.js";
import { block, statements } from "./statements.js";
import { statement, tree, type Tree } from "./tree.js";

const declaration = tree("declaration");

/** A union of literals or an enum, with a table and a variable of it, switches, and a function that makes one. */
export function declareChoice(g: Generator): void {
  const id = g.unique("");
  const type = `Choice${id}`;
  const count = g.int(2, 4);
  const isEnum = g.chance(40);
  const names = ["red", "green", "blue", "none"].slice(0, count);
  const members = names.map((n) => (isEnum ? `${type}.${n}` : `"${n}"`));
  const values = ["", " = 7", "", " = -2"];
  g.declare(
    isEnum
      ? declaration`enum ${type} { ${names.map((n, i) => n + (values[i] ?? "")).join(", ")} }`
      : declaration`type ${type} = ${members.join(" | ")};`,
  );
  const table = `choices${id}`;
  const current = `choice${id}`;
  const make = `choose${id}`;
  g.declare(declaration`const ${table}: RomArray<${type}> = [${members.join(", ")}];`);
  g.declare(declaration`function ${make}(i: i32): ${type} { return ${table}[(i & 65535) % ${count}]; }`);
  g.declare(declaration`let ${current}: ${type} = ${make}(${g.int(0, 5)});`);
  const of = tree(type);
  const any = (d: number): Tree =>
    g.weighted<Tree>([
      [3, () => of`${current}`],
      [2, () => of`${make}(${numeric(g, "i32", d - 1)})`],
      [1, () => of`${table}[${index(g, count, d - 1)}]`],
      [d > 1 ? 1 : 0, () => of`(${condition(g, d - 1)} ? ${current} : ${make}(${g.int(0, 3)}))`],
    ]);
  g.statementOf((d) => statement`${current} = ${make}(${numeric(g, "i32", d - 1)});`);
  g.value("boolean", (d) => tree("boolean")`(${any(d)} ${g.pick(["===", "!=="])} ${make}(${g.int(0, 3)}))`);
  if (isEnum) {
    g.value("i32", (d) => tree("i32")`i32(${any(d)})`);
  } else {
    g.value("i32", (d) => tree("i32")`${any(d)}.length`);
    g.value("string", any, { kept: true });
  }
  g.statementOf((d) => statement`log("${type}", ${any(d)});`);
  g.statementOf((d) => {
    // A switch narrows the variable for its cases: no switch on it inside.
    if (g.narrowed.has(current) || g.chance(40)) {
      return exhaustive(g, of`${make}(${numeric(g, "i32", d - 1)})`, members, g.chance(30));
    }
    g.narrowed.add(current);
    const written = exhaustive(g, of`${current}`, members, g.chance(30));
    g.narrowed.delete(current);
    return written;
  });
}

/** A switch with a case for each member, or with a default. */
function exhaustive(g: Generator, value: Tree, members: readonly string[], shortened: boolean): Tree {
  const cases = shortened ? members.slice(1) : members;
  const parts: (string | Tree)[] = ["switch (", value, ") {"];
  for (const m of cases) parts.push(` case ${m}: {\n`, block(g, 0, 2), "} break;");
  if (shortened) parts.push(" default: {\n", block(g, 0, 1), "} break;");
  return { sort: "statement", parts: [...parts, " }"] };
}

interface Variant {
  readonly name: string;
  readonly tag: string;
  readonly fields: readonly { readonly name: string; readonly kind: Kind }[];
}

export function declareUnion(g: Generator): void {
  const id = g.unique("");
  const type = `Union${id}`;
  const variants: Variant[] = ["a", "b", "c"].slice(0, g.int(2, 3)).map((tag) => ({
    name: `${type}${tag}`,
    tag,
    fields: Array.from({ length: g.int(0, 2) }, (_, i) => ({ name: `${tag}${i}`, kind: g.pick(kinds) })),
  }));
  for (const v of variants) {
    const fields = v.fields.map((f) => `${f.name}: ${f.kind}`);
    g.declare(declaration`interface ${v.name} { ${[`kind: "${v.tag}"`, ...fields].join("; ")} }`);
  }
  g.declare(declaration`type ${type} = ${variants.map((v) => v.name).join(" | ")};`);
  const of = (v: Variant): string =>
    `{ ${[`kind: "${v.tag}"`, ...v.fields.map((f) => `${f.name}: ${literal(g, f.kind)}`)].join(", ")} }`;
  const table = `unions${id}`;
  g.declare(declaration`const ${table}: ${type}[] = [${variants.map(of).join(", ")}];`);
  const any = (d: number): Tree => tree(type)`${table}[${index(g, variants.length, d - 1)}]`;
  g.statementOf((d) => {
    const { name } = g.local("union");
    const from = any(d);
    return g.scoped(() => {
      g.declareName(name);
      const parts: (string | Tree)[] = [];
      for (const v of variants) parts.push(` case "${v.tag}": {\n`, inVariant(g, name, v), "} break;");
      const cases: Tree = { sort: "cases", parts };
      return statement`{ const ${name} = ${from}; switch (${name}.kind) {${cases} } }`;
    });
  });
  g.statementOf((d) => {
    const { name } = g.local("union");
    const from = any(d);
    const v = g.pick(variants);
    return g.scoped(() => {
      g.declareName(name);
      return statement`{ const ${name} = ${from}; if (${name}.kind === "${v.tag}") {\n${inVariant(g, name, v)}} else log(${name}.kind); }`;
    });
  });
  const k = g.pick(kinds);
  const measure = `measure${id}`;
  const returns = variants.map((v) => {
    const made = g.inFunction(true, () => {
      fieldOffers(g, "u", v);
      return numeric(g, k, 2);
    }).result;
    return tree("case")` case "${v.tag}": return ${made};`;
  });
  g.declare({
    sort: "declaration",
    parts: [`function ${measure}(u: ${type}): ${k} { switch (u.kind) {`, ...returns, " } }"],
  });
  g.value(k, (d) => tree(k)`${measure}(${any(d)})`, { weight: 2 });
}

function fieldOffers(g: Generator, name: string, v: Variant): void {
  g.declareName(name);
  for (const f of v.fields) {
    g.value(f.kind, () => tree(f.kind)`${name}.${f.name}`, { name, weight: 4 });
    g.place(f.kind, () => tree(f.kind)`${name}.${f.name}`, { name, weight: 4 });
  }
}

function inVariant(g: Generator, name: string, v: Variant): Tree {
  return g.scoped(() => {
    fieldOffers(g, name, v);
    return statements(g, 0, g.int(1, 2));
  });
}

/** An interface of data: literals, spread, patterns, optional fields, results in the caller's frame. */
export function declareRecord(g: Generator): void {
  const id = g.unique("");
  const type = `Record${id}`;
  const [a, b, c] = [g.pick(kinds), g.pick(kinds), g.pick(kinds)];
  const fields = { a, b } as const;
  g.declare(declaration`interface ${type} { a: ${a}; b: ${b}; readonly name: string; c?: ${c} }`);
  const held = `record${id}`;
  const whole = `{ a: ${literal(g, a)}, b: ${literal(g, b)}, name: "${g.pick(["n", ""])}"`;
  g.declare(
    declaration`const ${held}: ${type} = ${whole}${g.chance(50) ? `, c: ${g.pick(literals[c])}` : ""} };`,
  );
  const offers = (name: string, at?: string): void => {
    const choice = at === undefined ? {} : { name: at };
    for (const [field, k] of Object.entries(fields)) {
      g.value(k, () => tree(k)`${name}.${field}`, choice);
      g.place(k, () => tree(k)`${name}.${field}`, choice);
    }
    g.value("string", () => tree("string")`${name}.name`, { ...choice, kept: true });
    g.value(c, (d) => tree(c)`(${name}.c ?? ${numeric(g, c, d - 1)})`, choice);
  };
  offers(held);
  const e = (k: Kind, d: number): Tree => numeric(g, k, d);
  // In a function of its own: where it is assigned, it is not null for TypeScript.
  g.declare(declaration`function give${id}(c: ${c}): void { ${held}.c = c; }`);
  g.statementOf((d) => statement`give${id}(${e(c, d - 1)});`);
  const make = `make${id}`;
  const made = g.inFunction(true, () => {
    g.variable(a, "x");
    g.variable(b, "y");
    const early = g.chance(50) ? `if (x > y) return { ...${held}, b: y };` : "";
    return tree(
      "body",
    )`${early.replace("x > y", () => "f64(x) > f64(y)")} return { a: ${e(a, 2)}, b: ${e(b, 2)}, name: "made" };`;
  }).result;
  g.declare(declaration`function ${make}(x: ${a}, y: ${b}): ${type} { ${made} }`);
  g.value(a, (d) => tree(a)`${make}(${e(a, d - 1)}, ${e(b, d - 1)}).a`);
  const sum = `sum${id}`;
  g.declare(declaration`function ${sum}({ a, b: other }: ${type}): f64 { return f64(a) * 2 - f64(other); }`);
  g.value("f64", () => tree("f64")`${sum}(${held})`);
  g.value("f64", (d) => tree("f64")`${sum}({ a: ${e(a, d - 1)}, b: ${e(b, d - 1)}, name: "" })`);
  g.statementOf((d) => {
    const { name } = g.local("r");
    const init = g.weighted<Tree>([
      [1, () => tree(type)`${make}(${e(a, d - 1)}, ${e(b, d - 1)})`],
      [1, () => tree(type)`{ ...${held}, a: ${e(a, d - 1)} }`],
      [1, () => tree(type)`{ a: ${e(a, d - 1)}, b: ${e(b, d - 1)}, name: "local" }`],
      [1, () => tree(type)`${held}`],
    ]);
    return g.scoped(() => {
      g.declareName(name);
      const inside = g.scoped(() => {
        offers(name, name);
        return statements(g, 0, 2);
      }, true);
      return statement`{ const ${name}: ${type} = ${init};\n${inside}  const { a, b: second, name: text } = ${name}; log(a, second, text, ${name} === ${held}); }`;
    });
  });
  const pair = `both${id}`;
  g.declare(declaration`function ${pair}(x: ${a}, y: ${b}): [${b}, ${a}] { return [y, x]; }`);
  g.statementOf(
    (d) => statement`{ const [p, q] = ${pair}(${e(a, d - 1)}, ${e(b, d - 1)}); log("${pair}", p, q); }`,
  );
}
