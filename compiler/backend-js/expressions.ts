/**
 * IR expressions → JavaScript text. Every numeric decision is in the IR; here each is spelled out:
 * `| 0`, `Math.imul`, `Math.fround`, checks. Compound expressions are parenthesised.
 */
import type { Expr, ExprOf, FuncDecl, GlobalVar, Loc, LocalVar, LValue } from "../ir/nodes.js";
import { isTupleDecl, tupleIndex } from "../ir/tuple.js";
import { intRange, isBig, isFloat, typeName, type NumKind, type Type } from "../ir/types.js";
import { bigArith, bigUnary, bigConversion } from "./bigints.js";
import { childrenOf } from "../ir/walk.js";
import { lambdaText } from "./statements.js";

export interface PrintContext {
  readonly checked: boolean;
  /** The text of a local variable. */
  readonly local: (v: LocalVar) => string;
  /** The text by which this module knows an item of a module. */
  readonly refer: (module: string, name: string) => string;
  /** The directory of the module, for assets. */
  readonly assetBase: string;
  /** Texts of the old value inside `update`s, innermost last. */
  readonly holes: string[];
  depth: number;
}

export const rt = "$rt";
const where = (loc: Loc): string => JSON.stringify(`${loc.file}:${loc.line}:${loc.col}`);
const list = (p: PrintContext, args: readonly Expr[]): string => args.map((a) => expr(p, a)).join(", ");

/** Assigned after capture: shared by reference. */
export const isCell = (v: LocalVar): boolean => v.mutable && v.captured;

export function expr(p: PrintContext, e: Expr): string {
  switch (e.k) {
    case "num":
      return number(e.value);
    case "big":
      return e.value < 0n ? `(${e.value}n)` : `${e.value}n`;
    case "bool":
      return String(e.value);
    case "str":
    case "literal":
      return JSON.stringify(e.value);
    case "null":
      return "null";
    case "local":
      return isCell(e.v) ? `${p.local(e.v)}.v` : p.local(e.v);
    case "global":
      return p.refer(e.g.module, e.g.name);
    case "staticField":
      return staticField(p, e.g);
    case "this":
      return "this";
    case "await":
      throw new Error("await outside of an async function");
    case "hole":
      return p.holes.at(-1) ?? "undefined";
    case "funcref":
      return functionName(p, e.f);
    case "lambda":
      return lambdaText(p, e.f);
    case "unary":
      return unary(p, e);
    case "arith":
      return arith(p, e);
    case "compare":
      return `(${expr(p, e.l)} ${compareText[e.op]} ${expr(p, e.r)})`;
    case "isNull":
      return `(${expr(p, e.arg)} == null)`;
    case "instanceof":
      return `(${expr(p, e.arg)} instanceof ${e.of.k === "object" ? className(p, e.of.decl) : "Object"})`;
    case "logical":
      return `(${expr(p, e.l)} ${e.op === "and" ? "&&" : "||"} ${expr(p, e.r)})`;
    case "cond":
      return `(${expr(p, e.test)} ? ${expr(p, e.then)} : ${expr(p, e.else)})`;
    case "bind":
      return `((${p.local(e.v)}) => ${arrowBody(expr(p, e.body))})(${expr(p, e.init)})`;
    case "convert":
      return convert(p, e);
    case "call":
      return e.f.kind === "extern"
        ? `${rt}.extern(${JSON.stringify(e.f.cName ?? "")})(${list(p, e.args)})`
        : `${functionName(p, e.f)}(${callArguments(p, e)})`;
    case "method":
      return method(p, e);
    case "superCall":
      return `super(${list(p, e.args)})`;
    case "callValue":
      return `${expr(p, e.fn)}(${list(p, e.args)})`;
    case "builtin":
      return builtin(p, e);
    case "new":
      return `new ${p.refer(e.cls.module, e.cls.name)}(${list(p, e.args)})`;
    case "newTyped":
      return `new ${typeName(e.type)}(${expr(p, e.length)})`;
    case "newSlots":
      return `new ${rt}.Slots(${expr(p, e.capacity)})`;
    case "filled":
      return `${rt}.filled(${expr(p, e.length)}, ${expr(p, e.value)})`;
    case "arrayLit":
      if (e.spreads !== undefined) return spreadLiteral(p, e);
      return e.type.k === "array" && e.type.typed
        ? `${typeName(e.type)}.of(${list(p, e.elems)})`
        : `[${list(p, e.elems)}]`;
    case "objectLit": {
      if (e.type.k === "object" && isTupleDecl(e.type.decl)) {
        const items = e.fields.map((f) => f.value);
        return `[${list(p, items)}]`;
      }
      // `__proto__: x` would set the prototype.
      const key = (name: string): string => (name === "__proto__" ? '["__proto__"]' : name);
      const fields = e.fields.map((f) => `${key(f.name)}: ${expr(p, f.value)}`).join(", ");
      const decl = e.type.k === "object" ? e.type.decl : "";
      return `${rt}.literal({ ${fields} }, ${JSON.stringify(decl)})`;
    }
    case "field":
      return `${expr(p, e.obj)}${member(e.obj.type, e.name)}`;
    case "index":
      return index(p, e);
    case "length":
      return `${expr(p, e.obj)}.length`;
    case "assign":
      return assign(p, e);
    case "update":
      return update(p, e);
    case "concat":
      return `(${e.parts.map((x) => (x.type.k === "string" || x.type.k === "literals" ? expr(p, x) : `String(${expr(p, x)})`)).join(" + ")})`;
    case "host":
      return host(p, e);
  }
}

/** Where the class that declares it keeps it, by whatever subclass it was named. */
export function staticField(p: PrintContext, g: GlobalVar): string {
  const dot = g.name.indexOf(".");
  return `${p.refer(g.module, g.name.slice(0, dot))}.${g.name.slice(dot + 1)}`;
}

/** A field; of a tuple, an element. */
const member = (t: Type, name: string): string =>
  t.k === "object" && isTupleDecl(t.decl) ? `[${tupleIndex(name)}]` : `.${name}`;

/** An object literal would read as a block. */
const arrowBody = (text: string): string => (text.startsWith("{") ? `(${text})` : text);

function number(v: number): string {
  if (Object.is(v, -0)) return "(-0)";
  return v < 0 ? `(${String(v)})` : String(v);
}

const compareText = { eq: "===", ne: "!==", lt: "<", le: "<=", gt: ">", ge: ">=" } as const;

function className(p: PrintContext, id: string): string {
  const at = id.lastIndexOf("#");
  return p.refer(id.slice(0, at), id.slice(at + 1));
}

function functionName(p: PrintContext, f: FuncDecl): string {
  if (f.owner !== undefined) return `${p.refer(f.owner.module, f.owner.name)}.${f.name}`;
  return p.refer(f.module, f.name);
}

/** What a rest parameter takes is one array in the IR. */
function callArguments(p: PrintContext, e: ExprOf<"call">): string {
  if (e.f.params.at(-1)?.rest !== true) return list(p, e.args);
  return e.args.map((a, i) => `${i === e.args.length - 1 ? "..." : ""}${expr(p, a)}`).join(", ");
}

function method(p: PrintContext, e: ExprOf<"method">): string {
  const recv = e.isSuper ? "super" : expr(p, e.recv);
  return e.f.isGetter ? `${recv}.${e.f.name}` : `${recv}.${e.f.name}(${list(p, e.args)})`;
}

function unary(p: PrintContext, e: ExprOf<"unary">): string {
  const arg = expr(p, e.arg);
  const n: NumKind = e.type.k === "num" ? e.type.n : "i32";
  if (e.op === "not") return `!${arg}`;
  if (isBig(n)) return bigUnary(e.op, n, arg, p.checked && !e.wrap, where(e.loc));
  if (e.op === "bitnot") return n === "u32" ? `(~${arg} >>> 0)` : `(~${arg})`;
  if (isFloat(n)) return `(-${arg})`;
  if (n === "u32") return `(-${arg} >>> 0)`;
  return p.checked && !e.wrap ? `${rt}.negI32(${arg}, ${where(e.loc)})` : `(-${arg} | 0)`;
}

const signs = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  rem: "%",
  and: "&",
  or: "|",
  xor: "^",
  shl: "<<",
  shr: ">>",
  ushr: ">>>",
} as const;

function arith(p: PrintContext, e: ExprOf<"arith">): string {
  const l = expr(p, e.l);
  const r = expr(p, e.r);
  const sign = signs[e.op];
  if (e.n === "f32") return `Math.fround(${l} ${sign} ${r})`;
  if (e.n === "f64") return `(${l} ${sign} ${r})`;
  if (isBig(e.n)) return bigArith(e, e.n, l, r, p.checked && !e.wrap, where(e.loc));
  const unsigned = e.n === "u32";
  const kind = unsigned ? "U32" : "I32";
  switch (e.op) {
    case "div":
    case "rem":
      return `${rt}.${e.op}${kind}(${l}, ${r}, ${where(e.loc)})`;
    case "add":
    case "sub":
    case "mul":
      if (p.checked && !e.wrap) return `${rt}.${e.op}${kind}(${l}, ${r}, ${where(e.loc)})`;
      if (e.op === "mul") return unsigned ? `(Math.imul(${l}, ${r}) >>> 0)` : `Math.imul(${l}, ${r})`;
      return `((${l} ${sign} ${r}) ${unsigned ? ">>> 0" : "| 0"})`;
    case "ushr":
    case "shr":
      return `(${l} ${sign} ${r})`;
    default:
      return unsigned ? `((${l} ${sign} ${r}) >>> 0)` : `(${l} ${sign} ${r})`;
  }
}

function convert(p: PrintContext, e: ExprOf<"convert">): string {
  const arg = expr(p, e.arg);
  switch (e.mode) {
    case "num":
    case "fit": {
      const to: NumKind = e.type.k === "num" ? e.type.n : "f64";
      if (e.arg.type.k === "bool") return isBig(to) ? `(${arg} ? 1n : 0n)` : `(${arg} ? 1 : 0)`;
      const from: NumKind = e.arg.type.k === "num" ? e.arg.type.n : "f64";
      if (e.mode === "fit" && p.checked && !isFloat(to)) {
        const [lo, hi] = intRange[to as "i32"];
        return `${rt}.fit(${arg}, ${lo}, ${hi}, ${where(e.loc)})`;
      }
      return numeric(arg, from, to);
    }
    case "assertNull":
      return `${rt}.notNull(${arg}, ${where(e.loc)})`;
    case "fromHost":
      return `${rt}.fromHost(${arg}, ${JSON.stringify(e.type)}, ${where(e.loc)})`;
    default:
      return arg;
  }
}

function numeric(arg: string, from: NumKind, to: NumKind): string {
  if (from === to) return arg;
  if (isBig(from) || isBig(to)) return bigConversion(arg, from, to);
  if (to === "f64") return arg;
  if (to === "f32") return from === "f64" || from === "i32" || from === "u32" ? `Math.fround(${arg})` : arg;
  if (isFloat(from)) {
    const [lo, hi] = intRange[to];
    return `${rt}.toInt(${arg}, ${lo}, ${hi})`;
  }
  const [lo, hi] = intRange[to];
  const [flo, fhi] = intRange[from];
  if (flo >= lo && fhi <= hi) return arg;
  switch (to) {
    case "i8":
      return `(${arg} << 24 >> 24)`;
    case "u8":
      return `(${arg} & 255)`;
    case "i16":
      return `(${arg} << 16 >> 16)`;
    case "u16":
      return `(${arg} & 65535)`;
    case "i32":
      return `(${arg} | 0)`;
    case "u32":
      return `(${arg} >>> 0)`;
  }
}

/** Text that may stand twice: evaluating it again changes nothing. */
function isSimple(e: Expr): boolean {
  return (
    e.k === "local" ||
    e.k === "global" ||
    e.k === "this" ||
    e.k === "num" ||
    e.k === "big" ||
    (e.k === "field" && isSimple(e.obj))
  );
}

const changing = new Set<Expr["k"]>([
  "call",
  "method",
  "superCall",
  "callValue",
  "new",
  "assign",
  "update",
  "host",
]);

/** Assigns nothing and calls nothing, so that what stands beside it keeps its value. */
function changesNothing(e: Expr): boolean {
  return !changing.has(e.k) && childrenOf(e).every(changesNothing);
}

/** Cannot trap and has no effect: the order of the index check against it does not matter. */
function isQuiet(e: Expr): boolean {
  if (isSimple(e) || e.k === "bool" || e.k === "str" || e.k === "literal" || e.k === "null") return true;
  return (
    e.k === "convert" &&
    (e.mode === "num" || e.mode === "wrapNull" || e.mode === "unwrap" || e.mode === "upcast") &&
    isQuiet(e.arg)
  );
}

function index(p: PrintContext, e: ExprOf<"index">): string {
  const obj = expr(p, e.obj);
  const i = expr(p, e.index);
  if (isSimple(e.obj) && changesNothing(e.index))
    return `${obj}[${rt}.ix(${i}, ${obj}.length, ${where(e.loc)})]`;
  return `${rt}.at(${obj}, ${i}, ${where(e.loc)})`;
}

function assign(p: PrintContext, e: ExprOf<"assign">): string {
  const value = expr(p, e.value);
  if (
    e.target.k === "index" &&
    !(isSimple(e.target.obj) && changesNothing(e.target.index) && isQuiet(e.value))
  ) {
    return `${rt}.put(${expr(p, e.target.obj)}, ${expr(p, e.target.index)}, ${value}, ${where(e.target.loc)})`;
  }
  return `(${expr(p, e.target)} = ${value})`;
}

/** `compute` with the old value's text in place of its hole. */
function computed(p: PrintContext, hole: string, compute: Expr): string {
  p.holes.push(hole);
  const text = expr(p, compute);
  p.holes.pop();
  return text;
}

function update(p: PrintContext, e: ExprOf<"update">): string {
  const t: LValue = e.target;
  const finish = (place: string): string => {
    const set = `${place} = ${computed(p, place, e.compute)}`;
    return e.result === "old" ? `${rt}.first(${place}, (${set}))` : `(${set})`;
  };
  if (t.k === "field" && !isSimple(t.obj)) {
    const o = `$o${p.depth++}`;
    return `((${o}) => ${finish(`${o}${member(t.obj.type, t.name)}`)})(${expr(p, t.obj)})`;
  }
  if (t.k === "index") {
    const n = p.depth++;
    const [o, i] = [`$o${n}`, `$i${n}`];
    const check = `${rt}.ix(${i}, ${o}.length, ${where(t.loc)})`;
    return `((${o}, ${i}) => (${check}, ${finish(`${o}[${i}]`)}))(${expr(p, t.obj)}, ${expr(p, t.index)})`;
  }
  return finish(expr(p, t));
}

function builtin(p: PrintContext, e: ExprOf<"builtin">): string {
  const a = e.args.map((x) => expr(p, x));
  const all = a.join(", ");
  const [x = "", y = ""] = a;
  const at = where(e.loc);
  switch (e.name) {
    case "abs":
      return e.n === "i32" ? `(Math.abs(${x}) | 0)` : `Math.abs(${x})`;
    case "sqrt":
      return e.n === "f32" ? `Math.fround(Math.sqrt(${x}))` : `Math.sqrt(${x})`;
    case "min":
    case "max":
    case "floor":
    case "ceil":
    case "trunc":
    case "round":
    case "sign":
    case "imul":
    case "clz32":
      return `Math.${e.name}(${all})`;
    case "toInt32":
      return `(${x} | 0)`;
    case "toUint32":
      return `(${x} >>> 0)`;
    case "sat": {
      const n = e.type.k === "num" ? e.type.n : "i32";
      const [lo, hi] = intRange[n as "i32"];
      if (e.n !== undefined && isBig(e.n)) return `${rt}.clampBig(${x}, ${lo}n, ${hi}n)`;
      return `${rt}.clamp(${x}, ${lo}, ${hi})`;
    }
    case "charCodeAt":
      return `${rt}.charCodeAt(${all}, ${at})`;
    case "strSlice":
      return `${x}.slice(${a.slice(1).join(", ")})`;
    case "strIndexOf":
      return `${x}.indexOf(${a.slice(1).join(", ")})`;
    case "startsWith":
    case "endsWith":
      return `${x}.${e.name}(${y})`;
    case "strIncludes":
      return `${x}.includes(${y})`;
    case "arrayFill":
      return `${x}.fill(${a.slice(1).join(", ")})`;
    case "arraySet":
      return `${rt}.arraySet(${all}, ${at})`;
    case "subarray":
      return `${x}.subarray(${a.slice(1).join(", ")})`;
    case "mapGet":
      return `(${x}.get(${y}) ?? null)`;
    case "mapHas":
      return `${x}.has(${y})`;
    case "mapKeyAt":
      return `${rt}.entryAt(${x}.keys(), ${y}, ${at})`;
    case "mapValueAt":
      return `${rt}.entryAt(${x}.values(), ${y}, ${at})`;
    case "mapSize":
      return `${x}.size`;
    case "slotsGet":
      return `${x}.get(${y}, ${at})`;
    case "slotsSet":
      return `${x}.set(${a.slice(1).join(", ")}, ${at})`;
    case "slotsCapacity":
      return `${x}.capacity`;
    case "assert":
      return `${rt}.assert(${x}, ${at})`;
    case "sequence":
      return `(${all})`;
    case "trapCapacity":
      return `${rt}.trap("capacity", ${at})`;
    case "f32Bits":
    case "f32FromBits":
    case "f64Bits":
    case "f64FromBits":
    case "textView":
    case "log":
      return `${rt}.${e.name}(${all})`;
  }
}

const operators: Readonly<Record<string, string>> = { ...signs, ...compareText };

function spreadLiteral(p: PrintContext, e: ExprOf<"arrayLit">): string {
  const parts = e.elems.map((x, i) => (e.spreads?.[i] === true ? `...${expr(p, x)}` : expr(p, x)));
  const all = `[${parts.join(", ")}]`;
  return e.type.k === "array" && e.type.typed ? `new ${typeName(e.type)}(${all})` : all;
}

function host(p: PrintContext, e: ExprOf<"host">): string {
  const args = list(p, e.args);
  if (e.recv !== undefined) {
    const recv = e.recv.k === "num" ? `(${expr(p, e.recv)})` : expr(p, e.recv);
    if (e.name === "[]") return `${recv}[${args}]`;
    if (e.name === "()") return `${recv}(${args})`;
    return e.how === "get" ? `${recv}.${e.name}` : `${recv}.${e.name}(${args})`;
  }
  if (e.how === "new") return `new ${e.name}(${args})`;
  if (e.name.startsWith("op:")) {
    const [l, r] = e.args;
    const sign = operators[e.name.slice(3)] ?? "+";
    return l === undefined || r === undefined ? "undefined" : `(${expr(p, l)} ${sign} ${expr(p, r)})`;
  }
  if (e.name.startsWith("setup:"))
    return `${rt}.extern(${JSON.stringify(e.name)})(${args}${e.args.length > 0 ? ", " : ""}${JSON.stringify(p.assetBase)})`;
  if (e.name === "assetText" || e.name === "assetBytes") {
    return `${rt}.extern(${JSON.stringify(`setup:${e.name}`)})(${args}, ${JSON.stringify(p.assetBase)})`;
  }
  if (e.name === "entry") return `${rt}.entry(${args})`;
  return `${e.name}(${args})`;
}
