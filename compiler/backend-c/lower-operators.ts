/** Operators: arithmetic, comparison, `&&`, `||`, `?:`, `instanceof`. */
import type { Expr, ExprOf } from "../ir/nodes.js";
import { isSubclass } from "../ir/monomorphise.js";
import { isBig, type BigKind, type Type } from "../ir/types.js";
import {
  binary,
  call,
  cast,
  dot,
  id,
  lit,
  NULL_PTR,
  unary,
  type CBinaryOp,
  type CExpr,
  type CStmt,
} from "./c-ast.js";
import { decided } from "./decided.js";
import { nullForm } from "./c-types.js";
import { isPure } from "./effects.js";
import { isDroppableExpr } from "./tidy.js";
import type { FuncContext } from "./func-context.js";
import { coerce } from "./lower-convert.js";
import { notExpr } from "./places.js";
import { bigConstant } from "./numbers.js";
import { operands, pair, value } from "./lower-expr.js";

export function lowerUnary(c: FuncContext, e: ExprOf<"unary">): CExpr {
  const arg = value(c, e.arg);
  if (e.op === "not") return notExpr(arg);
  if (e.op === "bitnot") return unary("~", arg);
  const n = e.type.k === "num" ? e.type.n : "f64";
  if (isBig(n)) {
    const zero = bigConstant(n, 0n);
    if (c.unit.checked && !e.wrap) return call(`tmc_sub_${n}_checked`, zero, arg, c.site("overflow", e.loc));
    return n === "u64" ? binary("-", zero, arg) : call("tmc_neg_i64", arg);
  }
  if (n === "f32" || n === "f64") return unary("-", arg);
  if (c.unit.checked && !e.wrap) {
    const zero = lit(n === "u32" ? "0U" : "0");
    return call(
      n === "u32" ? "tmc_sub_u32_checked" : "tmc_sub_i32_checked",
      zero,
      arg,
      c.site("overflow", e.loc),
    );
  }
  return n === "u32" ? binary("-", lit("0U"), arg) : call("tmc_neg_i32", arg);
}

const plainOps: Readonly<Record<string, CBinaryOp>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  and: "&",
  or: "|",
  xor: "^",
};

export function lowerArith(c: FuncContext, e: ExprOf<"arith">): CExpr {
  const [l, r] = pair(c, e.l, e.r);
  const { op, n } = e;
  const plain = plainOps[op];
  if (op === "and" || op === "or" || op === "xor") return binary(plain ?? "&", l, r);
  if (op === "shl" || op === "shr" || op === "ushr") return shift(e, l, r);
  if (n === "f32" || n === "f64") {
    return op === "rem" ? call(`tmc_${n}_rem`, l, r) : binary(plain ?? "+", l, r);
  }
  const sign = n === "u32" || isBig(n) ? n : "i32";
  if (op === "div" || op === "rem") {
    const harmless =
      (e.r.k === "num" && e.r.value !== 0 && e.r.value !== -1) ||
      (e.r.k === "big" && e.r.value !== 0n && e.r.value !== -1n);
    if (harmless) return binary(op === "div" ? "/" : "%", l, r);
    return call(`tmc_${op}_${sign}`, l, r, c.site("division", e.loc));
  }
  if (c.unit.checked && !e.wrap) return call(`tmc_${op}_${sign}_checked`, l, r, c.site("overflow", e.loc));
  return sign === "u32" || sign === "u64" ? binary(plain ?? "+", l, r) : call(`tmc_${op}_${sign}`, l, r);
}

/** The count is not masked: from 64 on nothing is left, and a negative one shifts the other way. */
function bigShift(e: ExprOf<"arith">, n: BigKind, l: CExpr, r: CExpr): CExpr {
  const left = e.op === "shl";
  const count = e.r.k === "big" && e.r.value >= 0n && e.r.value < 64n ? e.r.value : undefined;
  if (count !== undefined && (n === "u64" || !left)) return binary(left ? "<<" : ">>", l, lit(String(count)));
  const by = e.r.type.k === "num" && e.r.type.n === "u64" ? call("tmc_shift_count", r) : r;
  return call(`tmc_${left ? "shl" : "shr"}_${n}`, l, by);
}

function shift(e: ExprOf<"arith">, l: CExpr, r: CExpr): CExpr {
  if (isBig(e.n)) return bigShift(e, e.n, l, r);
  const unsigned = e.n === "u32" || e.op === "ushr";
  const left = e.op === "ushr" && e.n === "i32" ? cast("uint32_t", l) : l;
  const count = e.r.k === "num" ? ((e.r.value % 32) + 32) % 32 : undefined;
  if (count !== undefined && (unsigned || e.op === "shr")) {
    return binary(e.op === "shl" ? "<<" : ">>", left, lit(String(count)));
  }
  const right = e.r.type.k === "num" && e.r.type.n === "u32" ? cast("int32_t", r) : r;
  const name = `tmc_${e.op === "shl" ? "shl" : "shr"}_${unsigned ? "u32" : "i32"}`;
  return call(name, left, right);
}

const compareOps: Readonly<Record<string, CBinaryOp>> = {
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

export function lowerCompare(c: FuncContext, e: ExprOf<"compare">): CExpr {
  const op = compareOps[e.op] ?? "==";
  if (e.r.k === "null" || e.l.k === "null") {
    const test = isNull(c, e.r.k === "null" ? e.l : e.r);
    return e.op === "ne" ? notExpr(test) : test;
  }
  const t = e.l.type;
  const of = t.k === "nullable" ? t.of : t;
  if (t.k === "nullable" && nullForm(of).k === "optional") return compareOptional(c, e, of);
  const [l, r] = pair(c, e.l, e.r);
  switch (of.k) {
    case "string":
      if (op === "==" || op === "!=") {
        const same = call(
          t.k === "nullable" || e.r.type.k === "nullable" ? "tmc_str_same" : "tmc_str_equal",
          l,
          r,
        );
        return op === "==" ? same : notExpr(same);
      }
      return binary(op, call("tmc_str_compare", l, r), lit("0"));
    case "object": {
      const same = c.type(e.l.type) === c.type(e.r.type);
      const known = decidedValue(c, e, l, r);
      if (known !== undefined) return known;
      return same ? binary(op, l, r) : binary(op, cast("const void *", l), cast("const void *", r));
    }
    case "array":
    case "slots":
      return decidedValue(c, e, l, r) ?? binary(op, dot(l, "ptr"), dot(r, "ptr"));
    case "func": {
      const a = c.temp(c.type(t), l);
      const b = c.temp(c.type(t), r);
      const same = binary(
        "&&",
        binary("==", dot(a, "fn"), dot(b, "fn")),
        binary("==", dot(a, "env"), dot(b, "env")),
      );
      return op === "==" ? same : notExpr(same);
    }
    default:
      return decidedValue(c, e, l, r) ?? binary(op, l, r);
  }
}

/** `true` or `false` when the comparison always gives that; operands with effects still run. */
function decidedValue(c: FuncContext, e: ExprOf<"compare">, l: CExpr, r: CExpr): CExpr | undefined {
  const known = decided(e, l, r);
  if (known === undefined) return undefined;
  for (const side of [l, r]) if (!isDroppableExpr(side)) c.emit({ k: "expr", e: cast("void", side) });
  return lit(String(known));
}

/** Nullable numbers, bools and literals: equal when both are null, or neither is and the values are equal. */
function compareOptional(c: FuncContext, e: ExprOf<"compare">, of: Type): CExpr {
  const [l, r] = operands(c, [
    { e: e.l, as: "twice" },
    { e: e.r, as: "twice" },
  ]).map((o) => o.value);
  if (l === undefined || r === undefined) throw new Error("two operands expected");
  const equal = binary("==", dot(l, "value"), dot(r, "value"));
  const same = binary(
    "&&",
    binary("==", dot(l, "has"), dot(r, "has")),
    binary("||", notExpr(dot(l, "has")), equal),
  );
  if (e.op !== "eq" && e.op !== "ne") throw new Error(`${e.op} on nullable ${of.k}`);
  return e.op === "eq" ? same : notExpr(same);
}

export function isNull(c: FuncContext, arg: Expr): CExpr {
  const t = arg.type;
  if (t.k !== "nullable") {
    const v = value(c, arg);
    if (!isPure(c.unit.effects.of(arg))) c.emit({ k: "expr", e: cast("void", v) });
    return lit(t.k === "null" ? "true" : "false");
  }
  const form = nullForm(t.of);
  const v = value(c, arg);
  if (form.k === "pointer") return binary("==", v, NULL_PTR);
  if (form.k === "member") return binary("==", dot(v, form.name), NULL_PTR);
  return notExpr(dot(v, "has"));
}

export function lowerInstanceof(c: FuncContext, e: ExprOf<"instanceof">): CExpr {
  const { unit } = c;
  const from = unit.classOfType(e.arg.type);
  const to = unit.classOfType(e.of);
  if (from === undefined || to === undefined) throw new Error("instanceof of something else than objects");
  const possible = unit.types.concreteOf(from);
  const yes = possible.filter((x) => isSubclass(x, to));
  const [made] = operands(c, [{ e: e.arg, as: "twice" }]);
  const arg = made?.value ?? NULL_PTR;
  const notNull = e.arg.type.k === "nullable" ? binary("!=", arg, NULL_PTR) : undefined;
  if (yes.length === 0) return lit("false");
  if (yes.length === possible.length) return notNull ?? lit("true");
  const tests = yes.map((x) => binary("==", call("tmc_class_of", arg), lit(String(unit.layouts.classId(x)))));
  const any = tests.reduce((a, b) => binary("||", a, b));
  return notNull === undefined ? any : binary("&&", notNull, any);
}

export function lowerLogical(c: FuncContext, e: ExprOf<"logical">): CExpr {
  const l = value(c, e.l);
  const name = c.names.take("t");
  const right = branch(c, e.r, e.type);
  if (right.before.length === 0) {
    c.names.release(name);
    return binary(e.op === "and" ? "&&" : "||", l, right.value);
  }
  const t = id(name);
  c.emit({ k: "decl", type: "bool", name, init: l });
  const then: CStmt[] = [...right.before, { k: "assign", target: t, value: right.value }];
  c.emit({ k: "if", test: e.op === "and" ? t : notExpr(t), then, else: [] });
  return t;
}

/** An operand that is evaluated only sometimes: its statements in a scope of their own, and its value. */
function branch(
  c: FuncContext,
  e: Expr,
  to: Type,
): { readonly before: readonly CStmt[]; readonly value: CExpr } {
  let made: CExpr | undefined;
  const before = c.block(() => {
    made = coerce(c, value(c, e), e.type, to);
  });
  if (made === undefined) throw new Error("no value");
  return { before, value: made };
}

export function lowerCond(c: FuncContext, e: ExprOf<"cond">): CExpr {
  const test = value(c, e.test);
  const name = c.names.take("t");
  const then = branch(c, e.then, e.type);
  const other = branch(c, e.else, e.type);
  if (then.before.length === 0 && other.before.length === 0) {
    c.names.release(name);
    return { k: "cond", test, then: then.value, else: other.value };
  }
  const t = id(name);
  c.emit({ k: "decl", type: c.type(e.type), name });
  c.emit({
    k: "if",
    test,
    then: [...then.before, { k: "assign", target: t, value: then.value }],
    else: [...other.before, { k: "assign", target: t, value: other.value }],
  });
  return t;
}
