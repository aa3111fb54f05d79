/** Calls: functions, methods, function values, `super(...)`, `new`. Functions of core.d.ts are in `core-calls.ts`. */
import { ts } from "ts-morph";
import { skipParentheses } from "../syntax.js";
import {
  argumentMap,
  classOf,
  findField,
  findMethod,
  supertypes,
  type ObjectType,
} from "../../ir/hierarchy.js";
import { frameOfBinding } from "../../ir/async/promise.js";
import type { Expr, FuncDecl } from "../../ir/nodes.js";
import { sameType, substitute, typeName, type Type } from "../../ir/types.js";
import { Abort, isCoreDeclaration, jsDocTag } from "../context.js";
import { hostArguments, hostResult } from "../host-type.js";
import { inferTypeArguments } from "../infer.js";
import { chooseInstance, type KindFunctions } from "../kind-functions.js";
import { onExpr, type Lowerer } from "../lowerer.js";
import { refusedGlobal } from "../refusals.js";
import { typedArrayElement, typeOfNode } from "../type-convert.js";
import { constraintOf, skipBroken } from "./access.js";
import { checkPromise } from "./await.js";
import { coreCall, coreMethod, newCore } from "./core-calls.js";
import { isMapOrSet } from "../../ir/map-type.js";
import { mapCall } from "./maps.js";
import { arrayOfParts, partsOf } from "./spread.js";
import { selfType, thisExpr } from "./names.js";
import { namespaceMember } from "./namespaces.js";

const K = ts.SyntaxKind;

export function registerCalls(): void {
  onExpr(K.CallExpression, ts.isCallExpression, (lw, node, hint) =>
    checkPromise(lw, call(lw, node, hint.want), node),
  );
  onExpr(K.NewExpression, ts.isNewExpression, (lw, node, hint) => newExpr(lw, node, hint.want));
}

function call(lw: Lowerer, node: ts.CallExpression, want: Type | undefined): Expr {
  const callee = skipParentheses(node.expression);
  if (callee.kind === K.SuperKeyword) return superCall(lw, node);
  if (ts.isIdentifier(callee)) {
    const symbol = lw.ctx.symbolOf(callee);
    if (symbol === undefined || (symbol.declarations?.length ?? 0) === 0) lw.raw(callee);
    if (symbol === undefined) throw new Abort("unresolved");
    if (isCoreDeclaration(symbol.declarations?.[0])) return coreCall(lw, node, callee.text, symbol, want);
    const meaning = lw.ctx.meaning(symbol);
    if (meaning?.k === "func") return functionCall(lw, node, meaning.f, want, meaning.kinds);
  }
  if (ts.isPropertyAccessExpression(callee)) {
    const found = memberCall(lw, node, callee, want);
    if (found !== undefined) return found;
  }
  return valueCall(lw, node, lw.raw(callee));
}

function valueCall(lw: Lowerer, node: ts.CallExpression, fn: Expr): Expr {
  if (fn.type.k === "host") {
    return hostResult(lw, node, {
      recv: fn,
      name: "()",
      how: "call",
      args: hostArguments(lw, node.arguments),
    });
  }
  if (fn.type.k === "nullable" && fn.type.of.k === "func") {
    return lw.ctx.fail("TMC1204", node.expression, "this may be null", "test it first: `if (f !== null)`");
  }
  if (fn.type.k !== "func") {
    return lw.ctx.fail(
      "TMC1115",
      node.expression,
      `\`${typeName(fn.type)}\` cannot be called`,
      "call a function, or a method of it",
    );
  }
  const params = fn.type.params;
  const args = node.arguments.map((a, i) => {
    const type = params[i];
    return type === undefined
      ? lw.ctx.fail("TMC1116", a, `there is no parameter ${i + 1}`, "remove the argument")
      : lw.expr(a, type);
  });
  const declared = lw.ctx.checker.getResolvedSignature(node)?.declaration?.parameters ?? [];
  while (args.length < params.length) {
    const type = params[args.length];
    const p = declared[args.length];
    const fallback = p !== undefined && ts.isParameter(p) ? p.initializer : undefined;
    if (type?.k === "nullable" && fallback === undefined) {
      args.push({ k: "null", type, loc: lw.loc(node) });
    } else if (type !== undefined && fallback !== undefined && isConstantText(fallback)) {
      args.push(lw.expr(fallback, type));
    } else {
      return lw.ctx.fail(
        "TMC1116",
        node,
        `${params.length} arguments are needed, ${args.length} given`,
        "give all of them",
      );
    }
  }
  return { k: "callValue", type: fn.type.ret, loc: lw.loc(node), fn, args };
}

/** A literal, the same wherever it stands. */
function isConstantText(node: ts.Expression): boolean {
  if (ts.isPrefixUnaryExpression(node)) return isConstantText(node.operand);
  return (
    ts.isNumericLiteral(node) ||
    ts.isStringLiteral(node) ||
    ts.isBigIntLiteral(node) ||
    node.kind === K.TrueKeyword ||
    node.kind === K.FalseKeyword ||
    node.kind === K.NullKeyword
  );
}

/** Arguments in order; defaults of the callee filled in. `map`: the owner's type parameters. */
export function lowerArguments(
  lw: Lowerer,
  f: FuncDecl,
  nodes: readonly ts.Expression[],
  map: ReadonlyMap<string, Type>,
  at: ts.Node,
  lowered?: ReadonlyMap<number, Expr>,
): Expr[] {
  if (lw.ctx.broken.has(f)) throw new Abort("broken function");
  const args: Expr[] = [];
  f.params.forEach((p, i) => {
    const node = nodes[i];
    const type = substitute(p.type, map);
    if (p.rest === true && type.k === "array") {
      const parts = partsOf(lw, nodes.slice(i), type.elem);
      args.push(arrayOfParts(lw, at, parts, type));
      return;
    }
    if (node !== undefined && ts.isSpreadElement(node)) refuseSpread(lw, node);
    const known = lowered?.get(i);
    // Lowering again would take twice as long at each level of nesting.
    if (node !== undefined && known !== undefined && sameType(known.type, type))
      args.push(lw.coerce(known, type, node));
    else if (p.default !== undefined && (node === undefined || isUndefined(node))) args.push(p.default);
    else if (node !== undefined) args.push(lw.expr(node, type));
    else
      lw.ctx.fail(
        "TMC1116",
        at,
        `\`${shownName(f)}\` needs ${f.params.length} arguments, ${nodes.length} given`,
        `\`${p.name}: ${typeName(type)}\` is missing`,
      );
  });
  const extra = nodes[f.params.length];
  if (extra !== undefined && f.params.at(-1)?.rest !== true)
    lw.ctx.fail("TMC1116", extra, `\`${shownName(f)}\` takes ${f.params.length} arguments`, "remove it");
  return args;
}

/** As the program calls it, without the kinds of an instance (`kind-functions.ts`). */
const shownName = (f: FuncDecl): string => f.name.replace(/(\$[iuf](8|16|32|64))+$/, "");

function refuseSpread(lw: Lowerer, node: ts.Node): never {
  return lw.ctx.fail(
    "TMC1003",
    node,
    "how many arguments this is, is not known here",
    "pass them one by one, or let the function take an array",
  );
}

/** `f(undefined)`: the default is meant. */
const isUndefined = (node: ts.Expression): boolean => ts.isIdentifier(node) && node.text === "undefined";

function functionCall(
  lw: Lowerer,
  node: ts.CallExpression,
  declared: FuncDecl,
  want: Type | undefined,
  kinds?: KindFunctions,
): Expr {
  const loc = lw.loc(node);
  if (lw.ctx.broken.has(declared)) throw new Abort("broken function");
  const { params, ret } = declared;
  const inferred = inferTypeArguments(lw, declared.typeParams, params, ret, node, want, new Map());
  const { lowered } = inferred;
  const { f, typeArgs } =
    kinds === undefined
      ? { f: declared, typeArgs: inferred.typeArgs }
      : chooseInstance(lw, kinds, declared, inferred.typeArgs, node);
  const map = new Map(f.typeParams.map((p, i) => [p, typeArgs[i] ?? { k: "param" as const, name: p }]));
  const args = lowerArguments(lw, f, node.arguments, map, node, lowered);
  const type = substitute(lw.ctx.returnType(f, node), map);
  if (f.kind === "extern" && f.cName?.startsWith("setup:") === true) {
    return hostResult(lw, node, { recv: undefined, name: f.cName, how: "call", args });
  }
  const only = args[0];
  // A promise is the frame.
  if (f.kind === "extern" && f.cName === frameOfBinding && only !== undefined) return only;
  if (f.kind === "extern" && f.cName === "tmc_trap_capacity") {
    return { k: "builtin", type, loc, name: "trapCapacity", n: undefined, args };
  }
  return { k: "call", type, loc, f, typeArgs, args };
}

/** Declared by the program, not by core.d.ts. */
const isProgramName = (symbol: ts.Symbol | undefined): boolean =>
  symbol?.declarations?.[0] !== undefined && !isCoreDeclaration(symbol.declarations[0]);

function memberCall(
  lw: Lowerer,
  node: ts.CallExpression,
  callee: ts.PropertyAccessExpression,
  want: Type | undefined,
): Expr | undefined {
  const loc = lw.loc(node);
  const name = callee.name.text;
  if (callee.expression.kind === K.SuperKeyword) {
    const self = lw.fn.self;
    const base = self === undefined ? undefined : supertypes(lw.ctx.classes, selfType(self))[0];
    const found = base === undefined ? undefined : findMethod(lw.ctx.classes, base, name);
    if (found === undefined)
      return lw.ctx.fail(
        "TMC1111",
        callee.name,
        `the superclass has no method \`${name}\``,
        "correct the name, or declare it",
      );
    const recv = thisExpr(lw, callee);
    const args = lowerArguments(lw, found.f, node.arguments, found.map, node);
    const type = substitute(lw.ctx.returnType(found.f, node), found.map);
    return {
      k: "method",
      type,
      loc,
      recv: lw.coerce(recv, found.on, callee),
      f: found.f,
      typeArgs: [],
      isSuper: true,
      args,
    };
  }
  const exported = namespaceMember(lw, callee);
  if (exported !== undefined) {
    return exported.k === "func"
      ? functionCall(lw, node, exported.f, want)
      : valueCall(lw, node, lw.raw(callee));
  }
  const memberSymbol = lw.ctx.symbolOf(callee.name);
  const declaration = memberSymbol?.declarations?.[0];
  // Static methods and members of `Math`, `sat`, `JSON`: no object to evaluate.
  if (
    declaration !== undefined &&
    ts.isMethodDeclaration(declaration) &&
    ts.getModifiers(declaration)?.some((m) => m.kind === K.StaticKeyword) === true
  ) {
    const meaning = memberSymbol === undefined ? undefined : lw.ctx.meaning(memberSymbol);
    if (meaning?.k === "func") return functionCall(lw, node, meaning.f, want);
  }
  if (ts.isIdentifier(callee.expression)) {
    const base = lw.ctx.symbolOf(callee.expression);
    if (base !== undefined && isCoreDeclaration(base.declarations?.[0])) {
      const inSetup =
        base.declarations?.[0] !== undefined && jsDocTag(base.declarations[0], "setup") !== undefined;
      const full = `${callee.expression.text}.${name}`;
      if (inSetup && memberSymbol !== undefined) {
        const args = hostArguments(lw, node.arguments);
        return hostResult(lw, node, { recv: undefined, name: full, how: "call", args });
      }
      return coreCall(lw, node, full, memberSymbol, want);
    }
  }
  const obj = lw.raw(callee.expression);
  if (obj.type.k === "nullable")
    return lw.ctx.fail("TMC1204", callee.expression, "this may be null", "test it first: `if (x !== null)`");
  if (isMapOrSet(obj.type)) return mapCall(lw, node, obj, name);
  if (obj.type.k === "object") return objectCall(lw, node, callee, obj, obj.type, want);
  if (obj.type.k === "param") {
    return objectCall(lw, node, callee, obj, constraintOf(lw, obj, callee.expression, name), want);
  }
  if (obj.type.k === "host" || (declaration !== undefined && jsDocTag(declaration, "setup") !== undefined)) {
    return hostResult(lw, node, { recv: obj, name, how: "call", args: hostArguments(lw, node.arguments) });
  }
  return coreMethod(lw, node, obj, name);
}

function objectCall(
  lw: Lowerer,
  node: ts.CallExpression,
  callee: ts.PropertyAccessExpression,
  obj: Expr,
  t: ObjectType,
  want: Type | undefined,
): Expr {
  const name = callee.name.text;
  const found = findMethod(lw.ctx.classes, t, name);
  if (found === undefined || found.f.isGetter) {
    const field = findField(lw.ctx.classes, t, name);
    if (field !== undefined || found !== undefined) return valueCall(lw, node, lw.raw(callee));
    skipBroken(lw, t, name);
    return lw.ctx.fail(
      "TMC1111",
      callee.name,
      `\`${classOf(lw.ctx.classes, t).name}\` has no method \`${name}\``,
      "correct the name, or declare it",
    );
  }
  const f = found.f;
  const { typeArgs, lowered } = inferTypeArguments(lw, f.typeParams, f.params, f.ret, node, want, found.map);
  const map = new Map([
    ...found.map,
    ...f.typeParams.map((p, i) => [p, typeArgs[i] ?? { k: "param" as const, name: p }] as const),
  ]);
  const first = node.arguments[0];
  if (
    f.owner?.id === textBufferId &&
    name === "write" &&
    first !== undefined &&
    ts.isTemplateExpression(first)
  ) {
    return lw.ctx.fail(
      "TMC1117",
      first,
      "a template literal is written by a statement of its own",
      "write `out.write(`…`);` as a statement",
    );
  }
  const args = lowerArguments(lw, f, node.arguments, map, node, lowered);
  const type = substitute(lw.ctx.returnType(f, node), map);
  const made: Expr = { k: "method", type, loc: lw.loc(node), recv: obj, f, typeArgs, isSuper: false, args };
  // `this` of a subclass is one of it.
  return f.returnsThis === true && obj.type.k === "object" && !sameType(type, t)
    ? lw.convert("downcast", made, t)
    : made;
}

export const textBufferId = "tmc/std/text-buffer.ts#TextBuffer";

function superCall(lw: Lowerer, node: ts.CallExpression): Expr {
  const self = lw.fn.self;
  const superclass = self?.superclass;
  if (self === undefined || superclass?.k !== "object")
    return lw.ctx.fail("TMC1105", node, "there is no superclass here", "remove it, or add `extends`");
  const f = constructorOf(lw, superclass);
  const map = argumentMap(lw.ctx.classes, superclass);
  const args = f === undefined ? [] : lowerArguments(lw, f, node.arguments, map, node);
  return { k: "superCall", type: { k: "void" }, loc: lw.loc(node), f, superclass, args };
}

/** The constructor that runs for `new t(...)`: its own, or the nearest inherited one. */
function constructorOf(lw: Lowerer, t: ObjectType): FuncDecl | undefined {
  const c = classOf(lw.ctx.classes, t);
  return c.ctor ?? (c.superclass?.k === "object" ? constructorOf(lw, c.superclass) : undefined);
}

function newExpr(lw: Lowerer, node: ts.NewExpression, want: Type | undefined): Expr {
  const loc = lw.loc(node);
  const symbol = lw.ctx.symbolOf(node.expression);
  const nodes = node.arguments ?? [];
  if (ts.isIdentifier(node.expression) && !isProgramName(symbol)) {
    const refusal = refusedGlobal(node.expression.text);
    if (refusal !== undefined) return lw.refuse(refusal, node.expression);
  }
  if (symbol !== undefined && isCoreDeclaration(symbol.declarations?.[0])) {
    const element = typedArrayElement(symbol.name);
    return newCore(lw, node, symbol.name, element, want);
  }
  const meaning = symbol === undefined ? undefined : lw.ctx.meaning(symbol);
  if (meaning?.k === "poisoned") throw new Abort("poisoned");
  if (meaning?.k !== "class" || meaning.c.isInterface) {
    if (symbol === undefined) throw new Abort("unresolved");
    return lw.ctx.fail(
      "TMC1118",
      node.expression,
      "`new` needs a class",
      meaning?.k === "class" ? "write an object literal: `const x: T = { … }`" : "declare a class",
    );
  }
  const c = meaning.c;
  const wanted = want?.k === "nullable" ? want.of : want;
  const ctor = constructorOf(lw, {
    k: "object",
    decl: c.id,
    args: c.typeParams.map((name) => ({ k: "param", name })),
  });
  let args: readonly Type[];
  let known: ReadonlyMap<number, Expr> | undefined;
  if (c.typeParams.length === 0) args = [];
  else if (node.typeArguments !== undefined) args = node.typeArguments.map((t) => typeOfNode(lw.ctx, t));
  else if (wanted?.k === "object" && wanted.decl === c.id) args = wanted.args;
  else {
    const inferred = inferTypeArguments(
      lw,
      c.typeParams,
      ctor?.params ?? [],
      { k: "void" },
      node,
      undefined,
      new Map(),
    );
    args = inferred.typeArgs;
    known = inferred.lowered;
  }
  const type: ObjectType = { k: "object", decl: c.id, args };
  // An inherited constructor speaks of its own class's parameters.
  const map =
    ctor?.owner === undefined || ctor.owner === c
      ? argumentMap(lw.ctx.classes, type)
      : inheritedMap(lw, type, ctor.owner.id);
  const lowered = ctor === undefined ? [] : lowerArguments(lw, ctor, nodes, map, node, known);
  if (ctor === undefined && nodes[0] !== undefined)
    lw.ctx.fail("TMC1116", nodes[0], `the constructor of \`${c.name}\` takes no arguments`, "remove it");
  return { k: "new", type, loc, cls: c, args: lowered };
}

function inheritedMap(lw: Lowerer, t: ObjectType, owner: string): ReadonlyMap<string, Type> {
  for (let s: ObjectType | undefined = t; s !== undefined;) {
    if (s.decl === owner) return argumentMap(lw.ctx.classes, s);
    const c = classOf(lw.ctx.classes, s);
    const next: Type | undefined =
      c.superclass === undefined ? undefined : substitute(c.superclass, argumentMap(lw.ctx.classes, s));
    s = next?.k === "object" ? next : undefined;
  }
  return new Map();
}
