/** Functions, generics, closures: declared in an order without circles of calls. */
import type { Generator } from "./generator.js";
import { kinds, literals, type Kind } from "./kinds.js";
import { condition, index, leaf, numeric, typedLiteral } from "./numbers.js";
import { statements } from "./statements.js";
import { text } from "./text.js";
import { list, statement, tree, type Tree } from "./tree.js";

const declaration = tree("declaration");

export interface Parameter {
  readonly name: string;
  readonly type: string;
}

export const scalarTypes = [...kinds, "boolean", "string"] as const;

export function parameters(g: Generator, most: number): Parameter[] {
  return Array.from({ length: g.int(0, most) }, (_, i) => ({ name: `p${i}`, type: g.pick(scalarTypes) }));
}

/** A value of a scalar type. */
export function scalar(g: Generator, type: string, depth: number): Tree {
  if (type === "boolean") return condition(g, depth);
  if (type === "string") return text(g, depth);
  return numeric(g, type as Kind, depth);
}

export const signature = (list: readonly Parameter[]): string =>
  list.map((p) => `${p.name}: ${p.type}`).join(", ");

export function declareParameters(g: Generator, list: readonly Parameter[]): void {
  for (const p of list) g.variable(p.type, p.name, { constant: p.type === "string" });
}

export function argumentList(g: Generator, list: readonly Parameter[], depth: number): Tree {
  const parts = list.flatMap((p, i) => [...(i === 0 ? [] : [", "]), scalar(g, p.type, depth)]);
  return { sort: "arguments", parts };
}

/** Statements, then `return`; a scalar result. */
export function bodyReturning(g: Generator, ret: string, size: number): Tree {
  const body = statements(g, 2, size);
  const k = ret as Kind;
  const early: Tree[] =
    ret !== "string" && g.chance(25) ? [statement`if (${condition(g, 2)}) return ${scalar(g, ret, 2)};`] : [];
  const result = ret === "string" ? text(g, 1, true) : ret === "boolean" ? condition(g, 3) : numeric(g, k, 3);
  const last = g.chance(10)
    ? statement`try { return ${result}; } finally { ${list([])} log("left"); }`
    : statement`return ${result};`;
  return list([...body.parts.filter((p) => typeof p !== "string"), ...early, last]);
}

export function declareFunction(g: Generator): void {
  const name = g.unique("f");
  const params = parameters(g, 3);
  const ret = g.pick(scalarTypes);
  const { result, indirect } = g.inFunction(false, () => {
    declareParameters(g, params);
    return bodyReturning(g, ret, g.int(1, 4));
  });
  const extra = g.chance(20) ? g.pick(kinds) : undefined;
  const optional =
    extra === undefined
      ? ""
      : `${params.length === 0 ? "" : ", "}extra: ${extra} = ${g.pick(literals[extra])}`;
  g.declare(declaration`function ${name}(${signature(params)}${optional}): ${ret} {\n${result}}`);
  g.value(
    ret,
    (d) => {
      const args = argumentList(g, params, d - 1);
      return extra !== undefined && params.length > 0 && g.chance(40)
        ? tree(ret)`${name}(${args}, ${leaf(g, extra)})`
        : tree(ret)`${name}(${args})`;
    },
    { weight: 3, indirect, kept: false },
  );
  g.statementOf((d) => statement`log("${name}", ${name}(${argumentList(g, params, d - 1)}));`, {
    weight: 2,
    indirect,
  });
}

/** A function without result that changes the module's data. */
export function declareProcedure(g: Generator): void {
  const name = g.unique("act");
  const params = parameters(g, 2);
  const { result, indirect } = g.inFunction(false, () => {
    declareParameters(g, params);
    return statements(g, 2, g.int(2, 4));
  });
  g.declare(declaration`function ${name}(${signature(params)}): void {\n${result}}`);
  g.statementOf((d) => statement`${name}(${argumentList(g, params, d - 1)});`, { weight: 2, indirect });
}

/** A function of any number of arguments. */
export function declareRest(g: Generator): void {
  const name = g.unique("all");
  const k = g.pick(kinds);
  const item = { name: "item", type: k };
  const made = g.inFunction(false, () => {
    g.variable(k, "item", { constant: true });
    g.variable("i32", "count", { constant: true });
    return numeric(g, k, 2);
  });
  g.declare(
    declaration`function ${name}(count: i32, ...items: ${k}[]): ${k} { let last: ${k} = ${g.pick(literals[k])}; for (const ${item.name} of items) last = ${made.result}; return items.length > count ? last : ${k}(items.length); }`,
  );
  g.value(
    k,
    (d) => {
      const items = Array.from({ length: g.int(0, 3) }, () => numeric(g, k, d - 1));
      const parts = items.flatMap((t) => [", ", t]);
      return { sort: k, parts: [`${name}(${g.int(0, 2)}`, ...parts, ")"] };
    },
    { weight: 2, indirect: made.indirect },
  );
}

/** An arrow function of that type; its body may use what is around it. */
export function arrow(g: Generator, params: readonly Parameter[], ret: string, depth: number): Tree {
  return g.inFunction(true, () => {
    const names = params.map((p) => ({ ...p, name: g.local("x").name }));
    const distinct = names.map((p, i) => ({ ...p, name: `${p.name}_${i}` }));
    declareParameters(g, distinct);
    const head = `(${g.chance(50) ? signature(distinct) : distinct.map((p) => p.name).join(", ")})`;
    const sort = tree(`arrow ${ret}`);
    if (ret === "void") return sort`${head} => {\n${statements(g, 0, g.int(1, 2))}}`;
    if (g.chance(60)) return sort`${head} => ${scalar(g, ret, Math.min(depth, 2))}`;
    return sort`${head} => {\n${bodyReturning(g, ret, 1)}}`;
  }).result;
}

export interface FunctionType {
  readonly params: readonly Parameter[];
  readonly ret: string;
  readonly alias: string;
}

/** A named function type with stored closures of it, and functions that take one. */
export function declareClosures(g: Generator): void {
  const alias = g.unique("Step");
  const params = parameters(g, 2).filter((p) => p.type !== "string");
  const ret = g.pick([...kinds, "boolean", "void"] as const);
  const type = { params, ret, alias };
  g.declare(declaration`type ${alias} = (${signature(params)}) => ${ret};`);
  const count = g.int(1, 3);
  const stored = g.unique("steps");
  const items = Array.from({ length: count }, () => arrow(g, params, ret, 2));
  const parts = items.flatMap((t, i) => [...(i === 0 ? [] : [", "]), t]);
  g.declare({ sort: "declaration", parts: [`const ${stored}: ${alias}[] = [`, ...parts, "];"] });
  if (g.chance(60)) {
    // Per-iteration captures, and one shared by all.
    const inner = `const own = i * 3; ${stored}.push((${params.map((p) => p.name).join(", ")}) => { shared_${stored} += own + i; ${
      ret === "void" ? "" : `return ${valueOfCapture(ret)};`
    } });`;
    g.declare(declaration`let shared_${stored} = 1;\nfor (let i = 0; i < 2; i++) { ${inner} }`);
    g.value("i32", () => tree("i32")`shared_${stored}`, { weight: 2 });
  }
  const current = g.unique("now");
  g.declare(declaration`let ${current}: ${alias} = ${stored}[0];`);
  g.statementOf((d) => statement`${current} = ${stored}[${index(g, count, d - 1)}];`);
  offerCalls(g, current, type);
  offerCalls(g, `${stored}[${g.int(0, count - 1)}]`, type);
  declareTaker(g, type);
}

const valueOfCapture = (ret: string): string => (ret === "boolean" ? "own > i" : `${ret}(own)`);

export function offerCalls(g: Generator, callee: string, { params, ret }: FunctionType, name?: string): void {
  const choice = { indirect: true, weight: 2, ...(name === undefined ? {} : { name }) };
  if (ret === "void") {
    g.statementOf((d) => statement`${callee}(${argumentList(g, params, d - 1)});`, choice);
  } else {
    g.value(ret, (d) => tree(ret)`${callee}(${argumentList(g, params, d - 1)})`, choice);
  }
}

/** `times(n, f)`: calls what it is given, a closure with captures of its caller as a rule. */
function declareTaker(g: Generator, type: FunctionType): void {
  const name = g.unique("take");
  const { params, ret, alias } = type;
  const { result } = g.inFunction(false, () => {
    g.variable("i32", "n", { constant: true });
    const args = (): Tree => argumentList(g, params, 1);
    if (ret === "void") {
      return list([statement`for (let i = 0; i < n; i++) f(${args()});`, statement`f(${args()});`]);
    }
    return list([
      statement`let last: ${ret} = f(${args()});`,
      statement`for (let i = 0; i < n; i++) { if (i > 2) break; last = f(${args()}); }`,
      statement`return last;`,
    ]);
  });
  g.declare(declaration`function ${name}(n: i32, f: ${alias}): ${ret} {\n${result}}`);
  const passed = (d: number): Tree => arrow(g, params, ret, d - 1);
  if (ret === "void") {
    g.statementOf((d) => statement`${name}(${g.int(0, 3)}, ${passed(d)});`, { indirect: true, weight: 3 });
  } else {
    g.value(ret, (d) => tree(ret)`${name}(${g.int(0, 3)}, ${passed(d)})`, { indirect: true, weight: 3 });
  }
}

/** Generic functions and a generic class, used with several types. */
export function declareGenerics(g: Generator): void {
  const id = g.unique("");
  const [choose, or, fold, box] = [`choose${id}`, `or${id}`, `fold${id}`, `Box${id}`];
  g.declare(declaration`function ${choose}<T>(first: boolean, a: T, b: T): T { return first ? a : b; }`);
  g.declare(
    declaration`function ${or}<T>(value: T | null, other: T): T { return value === null ? other : value; }`,
  );
  g.declare(
    declaration`function ${fold}<T, S>(list: readonly T[], start: S, f: (sum: S, item: T) => S): S { let sum = start; for (const item of list) sum = f(sum, item); return sum; }`,
  );
  g.declare(
    declaration`class ${box}<T> { count: i32 = 0; constructor(public value: T) {} swap(v: T): T { const old = this.value; this.value = v; this.count++; return old; } with<U>(f: (v: T) => U): U { return f(this.value); } }`,
  );
  for (const k of [g.pick(kinds), g.pick(kinds), "boolean" as const]) {
    const sort = tree(k);
    const e = (d: number): Tree => scalar(g, k, d - 1);
    g.value(k, (d) => sort`${choose}<${k}>(${condition(g, d - 1)}, ${e(d)}, ${e(d)})`);
    g.value(k, (d) => sort`${or}<${k}>(${g.chance(50) ? "null" : e(d)}, ${e(d)})`);
    const held = g.unique("box");
    const start = k === "boolean" ? "true" : g.pick(literals[k]);
    g.declare(declaration`const ${held} = new ${box}<${k}>(${start});`);
    g.value(k, () => sort`${held}.value`);
    g.place(k, () => sort`${held}.value`);
    g.value(k, (d) => sort`${held}.swap(${e(d)})`);
    g.value("i32", () => tree("i32")`${held}.count`);
    const to = g.pick(kinds);
    g.value(to, (d) => tree(to)`${held}.with<${to}>(${arrow(g, [{ name: "v", type: k }], to, d - 1)})`, {
      indirect: true,
    });
    if (k !== "boolean") {
      g.value(
        to,
        (d) =>
          tree(to)`${fold}<${k}, ${to}>([${typedLiteral(g, k)}, ${leaf(g, k)}], ${leaf(g, to)}, ${arrow(
            g,
            [
              { name: "sum", type: to },
              { name: "item", type: k },
            ],
            to,
            d - 1,
          )})`,
        { indirect: true },
      );
    }
  }
}

/** A closure of a function that counts in its captures; declared where a local may be. */
export function localClosure(g: Generator): Tree {
  const { name } = g.local("bump");
  if (g.direct) return statement`log("no closure");`;
  const k = g.pick(kinds);
  const params = [{ name: "d", type: k }];
  const body = arrow(g, params, "i32", 2);
  g.declareName(name);
  offerCalls(g, name, { params, ret: "i32", alias: "" }, name);
  return statement`const ${name}: (d: ${k}) => i32 = ${body};`;
}
