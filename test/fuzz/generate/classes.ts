/** Classes: fields of every kind, inheritance, interfaces, virtual calls, null, instanceof; objects of setup and of handlers. */
import type { Generator } from "./generator.js";
import {
  argumentList,
  bodyReturning,
  declareParameters,
  parameters,
  signature,
  type Parameter,
} from "./functions.js";
import { kinds, literals, type Kind } from "./kinds.js";
import { condition, index, leaf, numeric } from "./numbers.js";
import { block, statements } from "./statements.js";
import { list, statement, tree, type Tree } from "./tree.js";

interface Field {
  readonly name: string;
  readonly kind: Kind;
}

interface Method {
  readonly name: string;
  readonly params: readonly Parameter[];
  readonly ret: string;
}

interface Shape {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly methods: readonly Method[];
  /** Kinds of the constructor's parameters. */
  readonly takes: readonly Kind[];
}

const methodResults = [...kinds, "boolean"] as const;

function methods(g: Generator, prefix: string): Method[] {
  return Array.from({ length: g.int(1, 2) }, (_, i) => ({
    name: `${prefix}${i}`,
    params: parameters(g, 2),
    ret: g.pick(methodResults),
  }));
}

function fields(g: Generator, prefix: string): Field[] {
  return Array.from({ length: g.int(1, 3) }, (_, i) => ({ name: `${prefix}${i}`, kind: g.pick(kinds) }));
}

/** What the object under that name allows; `may be` constant, `this` or any expression. */
function memberOffers(g: Generator, object: (depth: number) => string | Tree, s: Shape, name?: string): void {
  const choice = name === undefined ? {} : { name };
  for (const f of s.fields) {
    const of = tree(f.kind);
    g.value(f.kind, (d) => of`${object(d)}.${f.name}`, { ...choice, weight: 2 });
    g.place(f.kind, (d) => of`${object(d)}.${f.name}`, { ...choice, weight: 2 });
  }
  if (name === "this") return;
  for (const m of s.methods) {
    const call = (d: number): Tree =>
      tree(m.ret)`${object(d)}.${m.name}(${argumentList(g, m.params, d - 1)})`;
    g.value(m.ret, call, { ...choice, weight: 2 });
    g.statementOf((d) => statement`log("${m.name}", ${call(d)});`, choice);
  }
}

function methodText(g: Generator, m: Method, s: Shape, modifier: string, superCall: boolean): Tree {
  const { result } = g.inFunction(true, () => {
    declareParameters(g, m.params);
    memberOffers(g, () => "this", s, "this");
    if (superCall) {
      g.value(m.ret, (d) => tree(m.ret)`super.${m.name}(${argumentList(g, m.params, d - 1)})`, { weight: 6 });
    }
    return bodyReturning(g, m.ret, g.int(0, 2));
  });
  return tree("member")`${modifier}${m.name}(${signature(m.params)}): ${m.ret} {\n${result}}`;
}

const fieldText = (g: Generator, f: Field): string => `${f.name}: ${f.kind} = ${g.pick(literals[f.kind])};`;

/** A base, one to three classes of it, objects of them in an array, a variable and the stack. */
export function declareHierarchy(g: Generator): void {
  const id = g.unique("");
  const base: Shape = {
    name: `Base${id}`,
    fields: fields(g, "b"),
    methods: methods(g, `act${id}_`),
    takes: [g.pick(kinds)],
  };
  const abstract = g.chance(50) ? base.methods[0] : undefined;
  const implemented = g.chance(40) ? `Face${id}` : undefined;
  if (implemented !== undefined) {
    const members = base.methods.map((m) => `${m.name}(${signature(m.params)}): ${m.ret};`).join(" ");
    g.declare(tree("declaration")`interface ${implemented} { ${members} }`);
  }
  const first = base.fields[0]?.name ?? "";
  const firstKind = base.fields[0]?.kind ?? "i32";
  const baseBody: Tree[] = [
    tree("member")`static made: i32 = 0;`,
    ...base.fields.map((f) => tree("member")`${fieldText(g, f)}`),
    tree("member")`next: ${base.name} | null = null;`,
    tree(
      "member",
    )`constructor(x: ${base.takes[0] ?? "i32"}) { this.${first} = ${firstKind}(x); ${base.name}.made++; }`,
    tree("member")`link(to: ${base.name} | null): void { this.next = to; }`,
    ...base.methods.map((m) =>
      m === abstract
        ? tree("member")`abstract ${m.name}(${signature(m.params)}): ${m.ret};`
        : methodText(g, m, base, "", false),
    ),
  ];
  const head = implemented === undefined ? "" : ` implements ${implemented}`;
  g.declare(
    tree(
      "declaration",
    )`${abstract === undefined ? "" : "abstract "}class ${base.name}${head} {\n${list(baseBody)}}`,
  );
  const derived = Array.from({ length: g.int(1, 3) }, (_, i) => derive(g, `Kind${id}_${i}`, base, abstract));
  declareObjects(g, id, base, derived, implemented, abstract !== undefined);
}

function derive(g: Generator, name: string, base: Shape, abstract: Method | undefined): Shape {
  const own = fields(g, `d${name.at(-1) ?? ""}_`);
  const more = g.pick(kinds);
  const all: Field[] = [...base.fields, ...own, { name: "more", kind: more }];
  const s: Shape = { name, fields: all, methods: base.methods, takes: [...base.takes, more] };
  const overridden = base.methods.filter((m) => m === abstract || g.chance(60));
  const body = [
    ...own.map((f) => tree("member")`${fieldText(g, f)}`),
    tree(
      "member",
    )`constructor(x: ${base.takes[0] ?? "i32"}, public more: ${more}) { super(x); this.${own[0]?.name ?? "more"} = ${own[0]?.kind ?? more}(more); }`,
    ...overridden.map((m) => methodText(g, m, s, m === abstract ? "" : "override ", m !== abstract)),
  ];
  g.declare(tree("declaration")`class ${name} extends ${base.name} {\n${list(body)}}`);
  return s;
}

function declareObjects(
  g: Generator,
  id: string,
  base: Shape,
  derived: readonly Shape[],
  face: string | undefined,
  isAbstract: boolean,
): void {
  const shapes = [...derived, ...(isAbstract ? [] : [base])];
  const make = (s: Shape): string => `new ${s.name}(${s.takes.map((k) => g.pick(literals[k])).join(", ")})`;
  const objects = `objects${id}`;
  const made = [...shapes, g.pick(shapes)];
  g.declare(tree("declaration")`const ${objects}: ${base.name}[] = [${made.map(make).join(", ")}];`);
  g.declare(tree("declaration")`${objects}[0].link(${objects}[${made.length - 1}]);`);
  const current = `current${id}`;
  g.declare(tree("declaration")`let ${current}: ${base.name} = ${objects}[0];`);
  const any = (d: number): Tree =>
    tree(base.name)`${objects}[${d > 1 ? index(g, made.length, d - 1) : g.int(0, made.length - 1)}]`;
  const object = (d: number): Tree => (g.chance(50) ? tree(base.name)`${current}` : any(d));
  memberOffers(g, object, base);
  g.value("i32", () => tree("i32")`${base.name}.made`);
  g.statementOf((d) => statement`${current} = ${any(d)};`);
  g.statementOf((d) => statement`${object(d)}.link(${g.chance(30) ? "null" : any(d)});`);
  optionalOffers(g, object, base);
  for (const s of derived) {
    // In a function of its own: TypeScript would narrow what it tests.
    g.declare(
      tree("declaration")`function is_${s.name}(o: ${base.name}): boolean { return o instanceof ${s.name}; }`,
    );
    g.value("boolean", (d) => tree("boolean")`is_${s.name}(${object(d)})`);
    g.statementOf((d) => narrowed(g, object, s, d));
    g.statementOf((d) => fresh(g, s, d), { weight: 1 });
  }
  if (g.chance(40)) declarePool(g, id, base, make(g.pick(derived)));
  const field = base.fields[0];
  if (field !== undefined) {
    g.statementOf(
      () =>
        statement`for (const one of ${objects}) log("${field.name}", one.${field.name}, one.next === null);`,
    );
  }
  const m = base.methods[0];
  if (face !== undefined && m !== undefined) {
    g.declare(
      tree("declaration")`const faces${id}: ${face}[] = [${objects}[0], ${objects}[${made.length - 1}]];`,
    );
    g.value(
      m.ret,
      (d) => tree(m.ret)`faces${id}[${g.int(0, 1)}].${m.name}(${argumentList(g, m.params, d - 1)})`,
    );
  }
}

/** Objects that are lent: taken, used, mostly given back. */
function declarePool(g: Generator, id: string, base: Shape, made: string): void {
  g.imports.add("Pool");
  const pool = `pool${id}`;
  g.declare(tree("declaration")`const ${pool} = new Pool<${base.name}>(${g.int(1, 3)}, () => ${made});`);
  g.value("i32", () => tree("i32")`${pool}.free`);
  g.statementOf(() => {
    const { name } = g.local("lent");
    return g.scoped(() => {
      g.declareName(name);
      const inside = g.scoped(() => {
        memberOffers(g, () => name, base, name);
        return statements(g, 0, 2);
      });
      const back = g.chance(70) ? `${pool}.give(${name});` : `if (${pool}.free > 0) ${pool}.give(${name});`;
      return statement`{ const ${name} = ${pool}.take(); if (${name} === null) log("none"); else {\n${inside}  ${back} } }`;
    });
  });
}

function optionalOffers(g: Generator, object: (d: number) => Tree, base: Shape): void {
  for (const f of base.fields) {
    const of = tree(f.kind);
    g.value(f.kind, (d) => of`(${object(d)}.next?.${f.name} ?? ${leaf(g, f.kind)})`);
    g.value(f.kind, (d) => of`(${object(d)}.next?.next?.${f.name} ?? ${numeric(g, f.kind, d - 1)})`);
    // A null trap, now and then.
    g.value(f.kind, (d) => of`${object(d)}.next!.${f.name}`);
  }
  for (const m of base.methods) {
    const call = (d: number): Tree =>
      tree(m.ret)`${object(d)}.next?.${m.name}(${argumentList(g, m.params, d - 1)})`;
    g.statementOf((d) => statement`${call(d)};`);
    g.value(
      m.ret,
      (d) => tree(m.ret)`(${call(d)} ?? ${m.ret === "boolean" ? "false" : leaf(g, m.ret as Kind)})`,
    );
  }
  g.statementOf((d) => {
    const { name } = g.local("near");
    const from = object(d);
    return g.scoped(() => {
      g.declareName(name);
      const inside = g.scoped(() => {
        memberOffers(g, () => name, base, name);
        return statements(g, 0, 2);
      });
      return statement`{ const ${name} = ${from}.next; if (${name} !== null) {\n${inside}} else {\n${block(g, 0, 1)}} }`;
    });
  });
}

function narrowed(g: Generator, object: (d: number) => Tree, s: Shape, depth: number): Tree {
  const { name } = g.local("as");
  const from = object(depth);
  return g.scoped(() => {
    g.declareName(name);
    const inside = g.scoped(() => {
      memberOffers(g, () => name, s, name);
      return statements(g, 0, 2);
    });
    return statement`{ const ${name} = ${from}; if (${name} instanceof ${s.name}) {\n${inside}} }`;
  });
}

/** An object on the stack. */
function fresh(g: Generator, s: Shape, depth: number): Tree {
  const { name } = g.local("fresh");
  const parts = s.takes.flatMap((k, i) => [...(i === 0 ? [] : [", "]), numeric(g, k, depth - 1)]);
  const args: Tree = { sort: "arguments", parts };
  return g.scoped(() => {
    g.declareName(name);
    const inside = g.scoped(() => {
      memberOffers(g, () => name, s, name);
      return statements(g, 0, 2);
    }, true);
    const test = condition(g, 1);
    return statement`{ const ${name} = new ${s.name}(${args});\n${inside}  if (${test}) log(${name}.more); }`;
  });
}
