/**
 * Rules between classes, checked when all are known: an implementation has the members of its interface with their
 * very types (C calls them through one signature), and nothing sees an object before its constructor filled it in.
 */
import type { ts } from "ts-morph";
import { allFields, allSupertypes, classOf, findMethod, type ObjectType } from "../ir/hierarchy.js";
import { isSubtype } from "../ir/hierarchy.js";
import type { ClassDecl, Expr, Field, FuncDecl, Stmt } from "../ir/nodes.js";
import { sameType, substitute, typeName, type Type } from "../ir/types.js";
import { walkStmts } from "../ir/walk.js";
import type { ClassNode, Context } from "./context.js";

/** Of classes that an earlier run has checked, only what new subclasses may change is checked again. */
export function checkClasses(ctx: Context): void {
  for (const meaning of ctx.meanings.values()) {
    if (meaning.k !== "class") continue;
    const self = selfOf(meaning.c);
    if (meaning.c.isInterface || ctx.reused.has(meaning.node.getSourceFile())) continue;
    checkImplementation(ctx, meaning.c, meaning.node, self);
    if (meaning.c.ctor !== undefined) checkConstructor(ctx, meaning.c, meaning.c.ctor);
  }
}

/** Constructors of classes that an earlier run has checked: a subclass may be new. */
export function checkKnownConstructors(ctx: Context, known: readonly ClassDecl[]): void {
  const extended = new Set<string>();
  for (const c of ctx.classes.values()) {
    if (c.superclass?.k === "object") extended.add(c.superclass.decl);
  }
  for (const c of known) {
    if (c.ctor !== undefined && extended.has(c.id)) checkConstructor(ctx, c, c.ctor);
  }
}

const selfOf = (c: ClassDecl): ObjectType => ({
  k: "object",
  decl: c.id,
  args: c.typeParams.map((name) => ({ k: "param", name })),
});

function report(
  ctx: Context,
  node: ClassNode,
  name: string,
  code: string,
  message: string,
  fix: string,
): void {
  const member = (node.members as readonly (ts.ClassElement | ts.TypeElement)[]).find(
    (m) => m.name?.getText() === name,
  );
  ctx.report(code, (member ?? node) as Parameters<Context["report"]>[1], message, fix);
}

function checkImplementation(ctx: Context, c: ClassDecl, node: ClassNode, self: ObjectType): void {
  const fields = new Map(allFields(ctx.classes, self).map((f) => [f.field.name, f]));
  for (const above of allSupertypes(ctx.classes, self)) {
    const decl = classOf(ctx.classes, above);
    if (decl === c) continue;
    for (const { field, type } of decl.isInterface ? allFields(ctx.classes, above) : ownFields(decl, above)) {
      checkField(ctx, c, node, decl, field, type, fields.get(field.name), self);
    }
    const map = new Map(
      decl.typeParams.map((p, i) => [p, above.args[i] ?? { k: "param" as const, name: p }]),
    );
    for (const m of [...decl.signatures, ...decl.methods]) {
      if (!m.isStatic) checkMethod(ctx, c, node, decl, m, map, self);
    }
  }
}

const ownFields = (decl: ClassDecl, t: ObjectType): { field: Field; type: Type }[] => {
  const map = new Map(decl.typeParams.map((p, i) => [p, t.args[i] ?? { k: "param" as const, name: p }]));
  return decl.fields.map((field) => ({ field, type: substitute(field.type, map) }));
};

function checkField(
  ctx: Context,
  c: ClassDecl,
  node: ClassNode,
  from: ClassDecl,
  field: Field,
  type: Type,
  own: { readonly field: Field; readonly type: Type } | undefined,
  self: ObjectType,
): void {
  const what = `\`${from.name}\` declares \`${field.name}: ${typeName(type)}\``;
  if (own === undefined) {
    const method = findMethod(ctx.classes, self, field.name);
    // TypeScript reports a field that is missing; an optional one, and a getter in its place, are ours.
    if (method === undefined && !field.optional) return;
    report(
      ctx,
      node,
      field.name,
      "TMC1244",
      method === undefined
        ? `${what} as optional, and \`${c.name}\` has no such field`
        : `${what}, a field; \`${c.name}\` has a ${method.f.isGetter ? "getter" : "method"} of that name`,
      method === undefined
        ? `add it: \`${field.name}?: ${typeName(type.k === "nullable" ? type.of : type)}\``
        : `declare a field, or a method in \`${from.name}\``,
    );
    return;
  }
  // What the class itself declares is compared; inherited fields were compared where they are declared.
  if (!c.fields.includes(own.field) && !from.isInterface) return;
  if (!sameType(own.type, type)) {
    report(
      ctx,
      node,
      field.name,
      "TMC1244",
      `${what}; here it is \`${typeName(own.type)}\``,
      `give it that type: \`${field.name}: ${typeName(type)}\``,
    );
  }
}

function checkMethod(
  ctx: Context,
  c: ClassDecl,
  node: ClassNode,
  from: ClassDecl,
  m: FuncDecl,
  map: ReadonlyMap<string, Type>,
  self: ObjectType,
): void {
  const own = c.methods.find((x) => x.name === m.name && !x.isStatic);
  if (own === undefined || own === m) {
    const field =
      own === undefined ? allFields(ctx.classes, self).find((f) => f.field.name === m.name) : undefined;
    if (field !== undefined) {
      report(
        ctx,
        node,
        m.name,
        "TMC1244",
        `\`${m.name}\` is a method in \`${from.name}\`, and a field here`,
        "write a method",
      );
    }
    return;
  }
  if (own.isGetter !== m.isGetter) return;
  const expected = m.params.map((p) => substitute(p.type, map));
  const actual = own.params.map((p) => p.type);
  const generic = own.typeParams.length === m.typeParams.length;
  const rename = new Map(
    m.typeParams.map((p, i) => [p, { k: "param" as const, name: own.typeParams[i] ?? p }]),
  );
  const same =
    generic &&
    expected.length === actual.length &&
    expected.every((t, i) => sameType(substitute(t, rename), actual[i] ?? t));
  const text = `(${expected.map((t, i) => `${m.params[i]?.name ?? "x"}: ${typeName(t)}`).join(", ")})`;
  if (!same) {
    report(
      ctx,
      node,
      m.name,
      "TMC1245",
      `\`${m.name}\` has other parameters than in \`${from.name}\``,
      `take exactly \`${text}\``,
    );
    return;
  }
  const ret = substitute(substitute(m.ret, map), rename);
  if (!sameType(own.ret, ret) && !isUpcast(ctx, own.ret, ret)) {
    report(
      ctx,
      node,
      m.name,
      "TMC1245",
      `\`${m.name}\` returns \`${typeName(own.ret)}\`, in \`${from.name}\` it returns \`${typeName(ret)}\``,
      `return \`${typeName(ret)}\``,
    );
    return;
  }
  if (own.params.some((p, i) => !sameDefault(p.default, m.params[i]?.default))) {
    report(
      ctx,
      node,
      m.name,
      "TMC1245",
      `\`${m.name}\` has other default values than in \`${from.name}\``,
      "give both the same: the caller fills them in, from the type it knows",
    );
  }
}

function isUpcast(ctx: Context, from: Type, to: Type): boolean {
  const a = from.k === "nullable" ? from.of : from;
  const b = to.k === "nullable" ? to.of : to;
  if (from.k === "nullable" && to.k !== "nullable") return false;
  return a.k === "object" && b.k === "object" && isSubtype(ctx.classes, a, b);
}

const constantText = (e: Expr | undefined): string => {
  if (e === undefined) return "";
  if (e.k === "convert") return constantText(e.arg);
  if (e.k === "num" || e.k === "big" || e.k === "str" || e.k === "literal" || e.k === "bool")
    return String(e.value);
  return e.k === "global" ? e.g.id : e.k;
};
const sameDefault = (a: Expr | undefined, b: Expr | undefined): boolean =>
  constantText(a) === constantText(b);

// ---- constructors --------------------------------------------------------------------------------------------------

/** `this` as a whole leaves the constructor only when every field has its value. */
function checkConstructor(ctx: Context, c: ClassDecl, ctor: FuncDecl): void {
  const unset = new Set(c.fields.filter((f) => f.type.k !== "nullable").map((f) => f.name));
  const known = new Set<Expr>();
  // Arrow functions with `this` that became fields: nobody else has them yet, so they run only where a field is read.
  const closures = new Set<string>();
  const stored = new Set<Expr>();
  const check = (s: Stmt): void => {
    const assigned: string[] = [];
    walkStmts([s], {
      expr: (e) => {
        if (e.k === "field" && e.obj.k === "this") {
          known.add(e.obj);
          const field = [...unset][0];
          if (closures.has(e.name) && !stored.has(e) && field !== undefined) early(ctx, c, e, field);
        }
        if (e.k === "assign" && e.target.k === "field" && e.target.obj.k === "this") {
          known.add(e.target.obj);
          assigned.push(e.target.name);
          // An arrow function cannot run before the field that it becomes has it.
          if (e.value.k === "lambda") {
            unset.delete(e.target.name);
            stored.add(e.value);
            stored.add(e.target);
            if (e.value.f.usesThis) closures.add(e.target.name);
          }
        }
        const leaks =
          (e.k === "this" && !known.has(e)) || (e.k === "lambda" && e.f.usesThis && !stored.has(e));
        const first = [...unset][0];
        if (leaks && first !== undefined) early(ctx, c, e, first);
        if (e.k === "method" && e.recv.k === "this" && !e.isSuper) overridden(ctx, c, e);
      },
    });
    for (const name of assigned) unset.delete(name);
  };
  for (const s of ctor.body) check(s);
}

function early(ctx: Context, c: ClassDecl, e: Expr, field: string): void {
  reportAt(
    ctx,
    c,
    e,
    "TMC1246",
    `\`this\` is used before \`${field}\` has its value`,
    `assign \`this.${field}\` first, or give it a value where it is declared`,
  );
}

/** A method that a subclass replaces would see the subclass's fields before they have values. */
function overridden(ctx: Context, c: ClassDecl, e: Extract<Expr, { k: "method" }>): void {
  for (const d of ctx.classes.values()) {
    if (d === c || d.fields.length === 0 || !d.methods.some((m) => m.name === e.f.name && !m.isStatic))
      continue;
    if (!allSupertypes(ctx.classes, selfOf(d)).some((s) => s.decl === c.id)) continue;
    reportAt(
      ctx,
      c,
      e,
      "TMC1246",
      `the constructor calls \`${e.f.name}\`, which \`${d.name}\` replaces: its fields have no values yet`,
      "call it after the object is made",
    );
    return;
  }
}

function reportAt(ctx: Context, c: ClassDecl, e: Expr, code: string, message: string, fix: string): void {
  ctx.diagnostics.push({
    code,
    severity: "error",
    loc: e.loc.file === c.module ? e.loc : c.loc,
    length: 1,
    message,
    fix,
    related: [],
  });
}
