/** Identifiers and `this`: what a name means, captures of lambdas, narrowing. */
import { ts } from "ts-morph";
import type { Expr, LocalVar } from "../../ir/nodes.js";
import { NULL, type Type } from "../../ir/types.js";
import { untypedExpr } from "../constants.js";
import { Abort, isCoreDeclaration, type FunctionScope, type Meaning } from "../context.js";
import { onExpr, type Lowerer } from "../lowerer.js";
import { isNamespace } from "./namespaces.js";
import { refusedGlobal } from "../refusals.js";

const K = ts.SyntaxKind;

export function registerNames(): void {
  onExpr(K.Identifier, ts.isIdentifier, identifier);
  onExpr(
    K.ThisKeyword,
    (n): n is ts.ThisExpression => n.kind === K.ThisKeyword,
    (lw, node) => thisExpr(lw, node),
  );
}

export function thisExpr(lw: Lowerer, node: ts.Node): Expr {
  const self = lw.fn.self;
  if (self === undefined)
    return lw.ctx.fail(
      "TMC1105",
      node,
      "there is no `this` here",
      "pass the object as a parameter, or make this a method",
    );
  for (let fn: FunctionScope | undefined = lw.fn; fn?.decl.kind === "lambda"; fn = fn.parent)
    fn.decl.usesThis = true;
  return { k: "this", type: selfType(self), loc: lw.loc(node) };
}

export const selfType = (c: NonNullable<FunctionScope["self"]>): Extract<Type, { k: "object" }> => ({
  k: "object",
  decl: c.id,
  args: c.typeParams.map((name) => ({ k: "param", name })),
});

function identifier(lw: Lowerer, node: ts.Identifier): Expr {
  if (node.text === "undefined") return { k: "null", type: NULL, loc: lw.loc(node) };
  if (isNamespace(lw, node)) {
    return lw.ctx.fail(
      "TMC1145",
      node,
      `\`${node.text}\` is a module, not a value`,
      `name what you use of it: \`${node.text}.x\``,
    );
  }
  const symbol = lw.ctx.symbolOf(node);
  const declared = (symbol?.declarations?.length ?? 0) > 0;
  const refusal =
    declared && !isCoreDeclaration(symbol?.declarations?.[0]) ? undefined : refusedGlobal(node.text);
  if (refusal !== undefined && node.text === "arguments") return lw.refuse(refusal, node);
  if (refusal !== undefined && !isValueOfCore(symbol)) return lw.refuse(refusal, node);
  if (symbol === undefined) throw unresolved(lw, node);
  if (isCoreDeclaration(symbol.declarations?.[0])) {
    if (node.text === "NaN") return untypedExpr({ value: NaN, float: true }, lw.loc(node));
    if (node.text === "Infinity") return untypedExpr({ value: Infinity, float: true }, lw.loc(node));
    return lw.ctx.fail(
      "TMC1106",
      node,
      `\`${node.text}\` can only be called`,
      "wrap it in an arrow function",
    );
  }
  const meaning = lw.ctx.meaning(symbol);
  if (meaning === undefined) throw unresolved(lw, node);
  return valueOf(lw, meaning, node);
}

/** `Math`, `log`, `Map`, …: declared as a value by core.d.ts, not only as a type that TypeScript asks for. */
const isValueOfCore = (symbol: ts.Symbol | undefined): boolean =>
  symbol !== undefined &&
  (symbol.flags & ts.SymbolFlags.Value) !== 0 &&
  isCoreDeclaration(symbol.declarations?.[0]) &&
  symbol.name !== "Symbol";

function unresolved(lw: Lowerer, node: ts.Identifier): Abort {
  // TypeScript reports unknown names itself (TMC1000).
  const symbol = lw.ctx.checker.getSymbolAtLocation(node);
  const declaration = symbol?.declarations?.[0];
  if (symbol === undefined || isUnresolvedImport(lw, symbol)) return new Abort("unresolved");
  // A pattern with an error: reported where it stands.
  if (declaration !== undefined && ts.isBindingElement(declaration)) return new Abort("unresolved");
  if (declaration !== undefined && ts.isVariableDeclaration(declaration) && contains(declaration, node)) {
    lw.ctx.report(
      "TMC1901",
      node,
      `recursion: \`${node.text}\` uses itself`,
      "use a loop with an explicit, bounded stack (an array and an index)",
    );
  } else if (declaration !== undefined && ts.isVariableDeclaration(declaration)) {
    lw.ctx.report(
      "TMC1148",
      node,
      `\`${node.text}\` is used before it is declared`,
      "move the declaration up, before the function that uses it",
    );
  } else {
    lw.ctx.report(
      "TMC1106",
      node,
      `\`${node.text}\` has no value at run time`,
      "use a variable or a function",
    );
  }
  return new Abort("unresolved");
}

const contains = (outer: ts.Node, inner: ts.Node): boolean =>
  outer.getSourceFile() === inner.getSourceFile() && outer.pos <= inner.pos && inner.end <= outer.end;

/** An import of a missing module, a default import: reported where it stands. */
function isUnresolvedImport(lw: Lowerer, symbol: ts.Symbol): boolean {
  if ((symbol.flags & ts.SymbolFlags.Alias) === 0) return false;
  const target = lw.ctx.checker.getAliasedSymbol(symbol);
  const declaration = symbol.declarations?.[0];
  return (
    (target.declarations?.length ?? 0) === 0 || (declaration !== undefined && ts.isImportClause(declaration))
  );
}

export function valueOf(lw: Lowerer, meaning: Meaning, node: ts.Node): Expr {
  const loc = lw.loc(node);
  switch (meaning.k) {
    case "const":
      return untypedExpr(meaning.value, loc);
    case "global":
      return lw.narrow({ k: "global", type: meaning.g.type, loc, g: meaning.g }, node);
    case "local":
      capture(lw, meaning.v, meaning.fn, node);
      return lw.narrow({ k: "local", type: meaning.v.type, loc, v: meaning.v }, node);
    case "func": {
      const f = meaning.f;
      if (f.typeParams.length > 0) {
        return lw.ctx.fail(
          "TMC1107",
          node,
          "a generic function has no value of its own",
          "wrap the call in an arrow function",
        );
      }
      if (f.params.at(-1)?.rest === true) {
        return lw.ctx.fail(
          "TMC1107",
          node,
          "a function with a rest parameter has no value of its own",
          "wrap the call in an arrow function",
        );
      }
      if (f.kind === "extern") {
        return lw.ctx.fail(
          "TMC1107",
          node,
          "a bound C function has no value of its own",
          "wrap the call in an arrow function",
        );
      }
      const type: Type = { k: "func", params: f.params.map((p) => p.type), ret: lw.ctx.returnType(f, node) };
      return { k: "funcref", type, loc, f, typeArgs: [] };
    }
    case "class":
      return lw.ctx.fail("TMC1108", node, "a class is not a value", "create an instance with `new`");
    case "constObject":
      return lw.ctx.fail(
        "TMC1109",
        node,
        "an `as const` object has no storage",
        "use its properties: `x.name`",
      );
    case "poisoned":
      throw new Abort("poisoned");
  }
}

/** Notes that this lambda (and those between) uses a variable of an outer function. */
function capture(lw: Lowerer, v: LocalVar, owner: FunctionScope, node: ts.Node): void {
  if (lw.fn !== owner && lw.ctx.unset.has(v)) {
    lw.ctx.fail(
      "TMC1131",
      node,
      `\`${v.name}\` is used by a function, and has no value where it is declared`,
      `give it one: \`let ${v.name} = …\``,
    );
  }
  for (let fn: FunctionScope | undefined = lw.fn; fn !== undefined && fn !== owner; fn = fn.parent) {
    v.captured = true;
    if (!fn.decl.captures.includes(v)) fn.decl.captures.push(v);
  }
}
