/**
 * The heart of lowering: one table of visitors by syntax kind, and the rules of implicit conversion (`coerce`).
 * Visitors live in `expr/` and `stmt/`, one file a construct; `register.ts` fills the table.
 */
import { ts } from "ts-morph";
import { isSubtype } from "../ir/hierarchy.js";
import { isRecordDecl } from "../ir/record.js";
import { isUnionDecl } from "../ir/union.js";
import type { ConvertMode, Expr, Loc, LocalVar, Stmt } from "../ir/nodes.js";
import {
  bigIn,
  BOOL,
  isBig,
  isFloat,
  nullable,
  sameType,
  typeName,
  widensTo,
  type NumKind,
  type Type,
} from "../ir/types.js";
import { constantIn, isUntyped, rangeOf, untypedBigOf, untypedOf } from "./constants.js";
import { shiftInU32 } from "./untyped-shift.js";
import { tryConvert, typeOfNode } from "./type-convert.js";
import { Abort, type Context, type FunctionScope } from "./context.js";
import { refusalText, refusedSyntax, type Refusal } from "./refusals.js";

export interface Hint {
  /** The type the surroundings want, if known: literals and lambdas take it. */
  readonly want: Type | undefined;
  /** Under `(…) | 0` or `(…) >>> 0`: `+ - *` may wrap. */
  readonly wrap: boolean;
}

export type ExprVisitor = (lw: Lowerer, node: ts.Node, hint: Hint) => Expr;
export type StmtVisitor = (lw: Lowerer, node: ts.Node, label: string | undefined) => readonly Stmt[];

export const exprVisitors = new Map<ts.SyntaxKind, ExprVisitor>();
export const stmtVisitors = new Map<ts.SyntaxKind, StmtVisitor>();

/** Registers a visitor with the node type of its kind. */
export function onExpr<N extends ts.Node>(
  kind: ts.SyntaxKind,
  is: (n: ts.Node) => n is N,
  visit: (lw: Lowerer, node: N, hint: Hint) => Expr,
): void {
  exprVisitors.set(kind, (lw, node, hint) => {
    if (!is(node)) throw new Error(`visitor of ${ts.SyntaxKind[kind]} got ${ts.SyntaxKind[node.kind]}`);
    return visit(lw, node, hint);
  });
}

export function onStmt<N extends ts.Node>(
  kind: ts.SyntaxKind,
  is: (n: ts.Node) => n is N,
  visit: (lw: Lowerer, node: N, label: string | undefined) => readonly Stmt[],
): void {
  stmtVisitors.set(kind, (lw, node, label) => {
    if (!is(node)) throw new Error(`visitor of ${ts.SyntaxKind[kind]} got ${ts.SyntaxKind[node.kind]}`);
    return visit(lw, node, label);
  });
}

export class Lowerer {
  constructor(
    readonly ctx: Context,
    readonly fn: FunctionScope,
  ) {}

  loc(node: ts.Node): Loc {
    return this.ctx.loc(node);
  }

  refuse(r: Refusal, node: ts.Node): never {
    return this.ctx.fail(r.code, node, refusalText(r), r.fix);
  }

  /** Lowers; the result is coerced to `want` when given. */
  expr(node: ts.Node, want?: Type, wrap = false): Expr {
    const e = this.raw(node, want, wrap);
    return want === undefined ? e : this.coerce(e, want, node);
  }

  /** Lowers; an untyped constant takes the type it has without surroundings: i32, or f64 with a fraction. */
  settled(node: ts.Node): Expr {
    const e = this.raw(node);
    return untypedOf(e) === undefined ? e : this.coerce(e, e.type, node);
  }

  /** The value that a function returns: in an async one, a promise is waited for. */
  returned(node: ts.Expression, ret: Type | undefined): Expr {
    const e = Lowerer.implicitAwait(this, this.raw(node, ret), node);
    return ret === undefined ? e : this.coerce(e, ret, node);
  }

  /** Set by `register.ts`; avoids a cycle. */
  static implicitAwait: (lw: Lowerer, e: Expr, node: ts.Node) => Expr = (_lw, e) => e;

  /** Operands of an open optional chain: already evaluated, known not to be null. */
  readonly overrides = new Map<ts.Node, Expr>();
  /** Ends of optional chains being lowered (set by `expr/optional.ts`). */
  readonly openChains = new Set<ts.Node>();
  /** Lowers an optional chain (set by `expr/optional.ts` through `register.ts`; avoids a cycle). */
  static lowerChain: (lw: Lowerer, node: ts.Expression) => Expr = () => {
    throw new Error("visitors are not registered");
  };

  /** Lowers without conversion to `want`, which is only a hint. */
  raw(node: ts.Node, want?: Type, wrap = false): Expr {
    const known = this.overrides.get(node);
    if (known !== undefined) return known;
    if (ts.isOptionalChain(node) && !this.insideChain(node)) return Lowerer.lowerChain(this, node);
    const visit = exprVisitors.get(node.kind);
    if (visit === undefined) {
      const refusal = refusedSyntax(node.kind);
      if (refusal !== undefined) return this.refuse(refusal, node);
      return this.ctx.fail(
        "TMC1001",
        node,
        `${describeKind(node)} is not part of the subset`,
        "see docs/language.md for what is",
      );
    }
    return visit(this, node, { want, wrap });
  }

  /** A link of a chain whose end is being lowered. */
  private insideChain(node: ts.Expression): boolean {
    for (let at: ts.Node = node; ts.isOptionalChain(at); at = at.parent) {
      if (this.openChains.has(at)) return true;
    }
    return false;
  }

  /** A condition: boolean only, no truthiness. */
  condition(node: ts.Expression): Expr {
    const e = this.raw(node, BOOL);
    if (e.type.k === "bool") return e;
    if (e.type.k === "host") return this.convert("fromHost", e, BOOL);
    const fix =
      e.type.k === "num"
        ? `compare it: \`x !== ${isBig(e.type.n) ? "0n" : "0"}\``
        : e.type.k === "nullable"
          ? "compare it: `x !== null`"
          : e.type.k === "string"
            ? "compare it: `s.length > 0`"
            : "write a comparison";
    return this.ctx.fail(
      "TMC1202",
      node,
      `a condition must be a boolean, this is \`${typeName(e.type)}\``,
      fix,
      typeName(e.type),
    );
  }

  convert(mode: ConvertMode, arg: Expr, type: Type): Expr {
    return { k: "convert", type, loc: arg.loc, mode, arg };
  }

  /** The implicit conversions: lossless ones, T to T | null, upwards in a hierarchy, constants. */
  coerce(e: Expr, to: Type, node: ts.Node): Expr {
    const from = e.type;
    if (to.k === "nullable") {
      if (from.k === "null") return { k: "null", type: to, loc: e.loc };
      if (from.k !== "nullable" && from.k !== "host")
        return this.convert("wrapNull", this.coerce(e, to.of, node), to);
    }
    const constant = untypedOf(e);
    if (constant !== undefined && to.k === "num") {
      const value = constantIn(constant.value, to.n);
      if (value === undefined) {
        return this.ctx.fail(
          "TMC1203",
          node,
          `the constant ${constant.value} is not a value of ${to.n}`,
          isBig(to.n)
            ? Number.isInteger(constant.value)
              ? `write \`${constant.value}n\``
              : `\`${to.n}(${constant.value})\` truncates it`
            : Number.isInteger(constant.value)
              ? `\`${to.n}(${constant.value})\` keeps the low bits`
              : `use an integer, or \`${to.n}(${constant.value})\` to truncate it`,
        );
      }
      return { k: "num", type: to, loc: e.loc, value };
    }
    const big = untypedBigOf(e);
    if (big !== undefined && to.k === "num") {
      if (!isBig(to.n))
        return this.ctx.fail(
          "TMC1201",
          node,
          `${big}n is a \`bigint\`, and ${to.n} a \`number\``,
          `write \`${big}\``,
        );
      if (bigIn(big, to.n)) return { k: "big", type: to, loc: e.loc, value: big };
      return this.ctx.fail(
        "TMC1203",
        node,
        `the constant ${big}n is not a value of ${to.n}`,
        `\`${to.n}(${big}n)\` keeps the low bits`,
      );
    }
    if (sameType(from, to)) return e;
    if (from.k === "num" && to.k === "num") return this.coerceNum(e, from.n, to.n, node);
    if (from.k === "host") return this.convert("fromHost", e, to);
    if (to.k === "host") return e;
    if (from.k === "literals") {
      if (to.k === "string") return this.convert("text", e, to);
      if (to.k === "literals" && from.values.every((v) => to.values.includes(v)))
        return e.k === "literal" ? { ...e, type: to } : this.convert("literals", e, to);
    }
    const text = to.k === "literals" ? this.knownText(e, node) : undefined;
    if (text !== undefined && to.k === "literals" && to.values.includes(text)) {
      return { k: "literal", type: to, loc: e.loc, value: text };
    }
    if (from.k === "object" && to.k === "object" && isSubtype(this.ctx.classes, from, to)) {
      return this.convert("upcast", e, to);
    }
    if (from.k === "nullable" && to.k === "nullable") {
      const a = from.of;
      const b = to.of;
      if (a.k === "object" && b.k === "object" && isSubtype(this.ctx.classes, a, b))
        return this.convert("upcast", e, to);
      if (a.k === "literals" && b.k === "literals" && a.values.every((v) => b.values.includes(v))) {
        return this.convert("literals", e, to);
      }
      if (a.k === "array" && b.k === "array" && b.readonly && sameType({ ...a, readonly: true }, b)) {
        return this.convert("readonly", e, to);
      }
    }
    if (from.k === "array" && to.k === "array" && to.readonly && sameType({ ...from, readonly: true }, to)) {
      return this.convert("readonly", e, to);
    }
    return this.mismatch(from, to, node);
  }

  /** The text of a literal, of a `const` of one, or of a variable that a test compared with one. */
  private knownText(e: Expr, node: ts.Node): string | undefined {
    if (e.k === "str") return e.value;
    if (e.type.k !== "string" || e.k !== "local" || (e.v.captured && e.v.mutable)) return undefined;
    const t = this.ctx.checker.getTypeAtLocation(node);
    return t.isStringLiteral() ? t.value : undefined;
  }

  private coerceNum(e: Expr, from: NumKind, to: NumKind, node: ts.Node): Expr {
    const target: Type = { k: "num", n: to };
    if (isBig(from) !== isBig(to)) {
      return this.ctx.fail(
        "TMC1201",
        node,
        `${from} and ${to} never mix: one is a \`bigint\`, the other a \`number\``,
        `convert it: \`${to}(…)\``,
      );
    }
    if (widensTo[from].includes(to)) return this.convert("num", e, target);
    const shifted = from === "i32" && to === "u32" ? shiftInU32(e, node) : undefined;
    if (shifted !== undefined) return shifted;
    const range = rangeOf(e);
    if (
      range !== undefined &&
      !isFloat(to) &&
      constantIn(range[0], to) !== undefined &&
      constantIn(range[1], to) !== undefined
    ) {
      return this.convert("num", e, target);
    }
    const saturate = !isFloat(from) && (to === "i8" || to === "u8" || to === "i16" || to === "u16");
    return this.ctx.fail(
      "TMC1201",
      node,
      `${from} does not always fit ${to}`,
      `convert it: \`${to}(…)\`${isFloat(to) ? " rounds" : isFloat(from) ? " truncates" : " keeps the low bits"}${saturate ? `, \`sat.${to}(…)\` saturates` : ""}`,
    );
  }

  private mismatch(from: Type, to: Type, node: ts.Node): never {
    if (from.k === "nullable" && sameType(from.of, to)) {
      return this.ctx.fail(
        "TMC1204",
        node,
        `this may be null, and \`${typeName(to)}\` is needed`,
        "test it first: `if (x !== null)`",
      );
    }
    if (from.k === "object" && to.k === "object") {
      return this.ctx.fail(
        "TMC1205",
        node,
        `an object of \`${typeName(from)}\` is not a \`${typeName(to)}\`: references are nominal`,
        isRecordDecl(from.decl)
          ? `declare it with that type: \`const x: ${typeName(to)} = { … }\``
          : `declare it: \`${typeName(from)} implements ${typeName(to)}\` (or \`extends\`)`,
      );
    }
    if (from.k === "bool" && to.k === "num") {
      return this.ctx.fail(
        "TMC1201",
        node,
        `a boolean is not a ${to.n}`,
        `convert it: \`${to.n}(…)\` gives 0 or 1`,
      );
    }
    const fix =
      from.k === "string" && to.k === "literals"
        ? `declare it with that type: \`const x: ${typeName(to)} = …\``
        : to.k === "num"
          ? "give a number"
          : "declare both with the same type";
    return this.ctx.fail(
      "TMC1201",
      node,
      `\`${typeName(from)}\` is not assignable to \`${typeName(to)}\``,
      fix,
    );
  }

  newLocal(name: string, type: Type, mutable: boolean): LocalVar {
    return { id: this.fn.nextId++, name, type, mutable, captured: false };
  }

  declareLocal(name: ts.Identifier, type: Type, mutable: boolean): LocalVar {
    const v = this.newLocal(name.text, type, mutable);
    const symbol = this.ctx.checker.getSymbolAtLocation(name);
    if (symbol !== undefined) this.ctx.meanings.set(symbol, { k: "local", v, fn: this.fn });
    return v;
  }

  /** Statements of a block; an error in one does not hide errors in the next. */
  statements(list: readonly ts.Statement[]): Stmt[] {
    const out: Stmt[] = [];
    for (const s of list) out.push(...this.statement(s));
    return out;
  }

  statement(node: ts.Statement, label?: string): readonly Stmt[] {
    const visit = stmtVisitors.get(node.kind);
    try {
      if (visit === undefined) {
        const refusal = refusedSyntax(node.kind);
        if (refusal !== undefined) return this.refuse(refusal, node);
        return this.ctx.fail(
          "TMC1002",
          node,
          `${describeKind(node)} is not part of the subset`,
          "see docs/language.md for what is",
        );
      }
      return visit(this, node, label);
    } catch (e) {
      if (e instanceof RangeError) {
        this.ctx.report("TMC1006", node, "this is nested too deeply", "divide it into several statements");
      } else if (!(e instanceof Abort)) throw e;
      this.poison(node);
      return [];
    }
  }

  /** A body: a block, or a single statement without braces. */
  body(node: ts.Statement): Stmt[] {
    return ts.isBlock(node) ? this.statements(node.statements) : [...this.statement(node)];
  }

  /** Variables of a failed statement: their uses are not reported again. */
  private poison(node: ts.Statement): void {
    if (!ts.isVariableStatement(node)) return;
    for (const d of node.declarationList.declarations) {
      const symbol = this.ctx.checker.getSymbolAtLocation(d.name);
      if (symbol === undefined || this.ctx.meanings.has(symbol)) continue;
      this.ctx.meanings.set(symbol, { k: "poisoned" });
      // With a type of its own the variable is known, whatever is wrong with its value.
      const { name, type } = d;
      const before = this.ctx.diagnostics.length;
      if (type !== undefined && ts.isIdentifier(name))
        this.ctx.guard(() => void this.declareLocal(name, typeOfNode(this.ctx, type), false));
      this.ctx.diagnostics.length = before;
    }
  }

  /** A subclass that `instanceof` proved here. Only of locals: a field may have changed since the test. */
  private narrowObject(e: Expr, node: ts.Node): Expr {
    const root = e.k === "convert" && e.mode === "unwrap" ? e.arg : e;
    if (e.type.k !== "object" || root.k !== "local" || (root.v.captured && root.v.mutable)) return e;
    const { decl } = e.type;
    const isSuper = (t: Type | undefined): boolean => t?.k === "object" && t.decl === decl;
    const classes = this.ctx.classes;
    const narrows =
      isUnionDecl(decl) ||
      [...classes.values()].some((c) => isSuper(c.superclass) || c.implements.some(isSuper));
    if (!narrows) return e;
    const found = tryConvert(this.ctx, this.ctx.checker.getTypeAtLocation(node), node);
    if (found?.k !== "object" || sameType(found, e.type) || !isSubtype(classes, found, e.type)) return e;
    const narrowed = this.convert("downcast", e, found);
    this.ctx.narrowed.push({ v: root.v, expr: narrowed, node });
    return narrowed;
  }

  /** `T | null` at `node` that TypeScript's flow analysis proved not null here, and other narrowed types. */
  narrow(e: Expr, node: ts.Node): Expr {
    if (e.type.k === "object") return this.narrowObject(e, node);
    if (e.type.k !== "nullable" && e.type.k !== "literals") return e;
    const t = this.ctx.checker.getTypeAtLocation(node);
    if ((t.flags & ts.TypeFlags.Never) !== 0) return e;
    if (e.type.k === "nullable") {
      const members = t.isUnion() ? t.types : [t];
      const nullish = ts.TypeFlags.Null | ts.TypeFlags.Undefined | ts.TypeFlags.Void | ts.TypeFlags.Unknown;
      if (members.some((m) => (m.flags & nullish) !== 0)) {
        // Narrowed to exactly null: keep the nullable type.
        return e;
      }
      // A field, global or captured variable may have changed since the test: checked again, cheaply.
      const stable = e.k === "local" && !(e.v.captured && e.v.mutable);
      const inner = this.convert(stable ? "unwrap" : "assertNull", e, e.type.of);
      if (e.k === "local") this.ctx.narrowed.push({ v: e.v, expr: inner, node });
      return this.narrow(inner, node);
    }
    if (e.type.k === "literals") {
      const members = t.isUnion() ? t.types : [t];
      const values = members.flatMap((m) =>
        (m.flags & ts.TypeFlags.StringLiteral) !== 0 ? [(m as ts.StringLiteralType).value] : [],
      );
      const all = e.type.values;
      if (
        values.length === members.length &&
        values.length < all.length &&
        values.every((v) => all.includes(v))
      ) {
        return this.convert("literals", e, { k: "literals", values: [...new Set(values)].sort() });
      }
    }
    return e;
  }

  /** Two types meet (`?:`, inferred returns): the one both convert to, or undefined. */
  join(a: Expr, b: Expr): Type | undefined {
    if (untypedBigOf(a) !== undefined && b.type.k === "num") return b.type;
    if (untypedBigOf(b) !== undefined && a.type.k === "num") return a.type;
    if (untypedOf(a) !== undefined && untypedOf(b) !== undefined) {
      return a.type.k === "num" && b.type.k === "num" && (isFloat(a.type.n) || isFloat(b.type.n))
        ? { k: "num", n: "f64" }
        : { k: "num", n: "i32" };
    }
    if (isUntyped(a) && (b.type.k === "num" || (b.type.k === "nullable" && b.type.of.k === "num")))
      return b.type;
    if (isUntyped(b) && (a.type.k === "num" || (a.type.k === "nullable" && a.type.of.k === "num")))
      return a.type;
    return this.joinTypes(a.type, b.type);
  }

  joinTypes(a: Type, b: Type): Type | undefined {
    if (sameType(a, b)) return a;
    if (a.k === "null") return b.k === "void" ? undefined : nullable(b);
    if (b.k === "null") return a.k === "void" ? undefined : nullable(a);
    if (a.k === "nullable" || b.k === "nullable") {
      const inner = this.joinTypes(a.k === "nullable" ? a.of : a, b.k === "nullable" ? b.of : b);
      return inner === undefined ? undefined : nullable(inner);
    }
    if (a.k === "num" && b.k === "num") {
      const n = commonKind(a.n, b.n);
      return n === undefined ? undefined : { k: "num", n };
    }
    if (a.k === "string" && b.k === "literals") return a;
    if (a.k === "literals" && b.k === "string") return b;
    if (a.k === "literals" && b.k === "literals") {
      return { k: "literals", values: [...new Set([...a.values, ...b.values])].sort() };
    }
    if (a.k === "object" && b.k === "object") {
      if (isSubtype(this.ctx.classes, a, b)) return b;
      if (isSubtype(this.ctx.classes, b, a)) return a;
    }
    if (a.k === "array" && b.k === "array" && sameType({ ...a, readonly: true }, { ...b, readonly: true })) {
      return { ...a, readonly: true };
    }
    if (a.k === "host") return a;
    if (b.k === "host") return b;
    return undefined;
  }
}

/** The kind two operands compute in: lossless conversion first, then two narrow integers are i32. */
export function commonKind(a: NumKind, b: NumKind): NumKind | undefined {
  const narrow = (n: NumKind): boolean => n === "i8" || n === "u8" || n === "i16" || n === "u16";
  if (narrow(a) && narrow(b)) return "i32";
  if (a === b) return a;
  if (widensTo[a].includes(b)) return b;
  if (widensTo[b].includes(a)) return a;
  return undefined;
}

/** What a user calls the construct, for those that have no entry in `refusals.ts`. */
function describeKind(node: ts.Node): string {
  const words = (ts.SyntaxKind[node.kind] ?? "construct").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return /^[aeiou]/.test(words) ? `an ${words}` : `a ${words}`;
}
