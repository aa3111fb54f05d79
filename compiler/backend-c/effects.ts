/**
 * What evaluating an expression does and depends on, so that lowering knows when two operands must not be reordered:
 * C leaves the order of operands open, ECMAScript does not.
 */
import type { Expr, GlobalVar, LocalVar } from "../ir/nodes.js";
import { isFloat } from "../ir/types.js";
import { childrenOf } from "../ir/walk.js";

export interface Effects {
  /** Writes memory other than plain locals, calls, prints. */
  writes: boolean;
  /** May unwind. */
  traps: boolean;
  /** Depends on memory that a write or call may change. */
  reads: boolean;
  /** Plain mutable locals it depends on / assigns. */
  readLocals: ReadonlySet<LocalVar>;
  writtenLocals: ReadonlySet<LocalVar>;
}

/** Most expressions concern no local or those of one operand: sets are shared, never changed. */
const noLocals: ReadonlySet<LocalVar> = new Set();

function union(a: ReadonlySet<LocalVar>, b: ReadonlySet<LocalVar>): ReadonlySet<LocalVar> {
  if (b.size === 0 || a === b) return a;
  return a.size === 0 ? b : new Set([...a, ...b]);
}

const including = (a: ReadonlySet<LocalVar>, v: LocalVar): ReadonlySet<LocalVar> =>
  a.has(v) ? a : new Set([...a, v]);

/** A variable that only its own function can change. */
export const isPlainLocal = (v: LocalVar): boolean => !(v.mutable && v.captured);

export class EffectAnalysis {
  readonly #cache = new WeakMap<Expr, Effects>();

  /** `checked`: integer arithmetic may trap. */
  constructor(
    private readonly checked: boolean,
    private readonly isGlobalWritten: (g: GlobalVar) => boolean,
  ) {}

  of(e: Expr): Effects {
    const known = this.#cache.get(e);
    if (known !== undefined) return known;
    const x: Effects = {
      writes: false,
      traps: false,
      reads: false,
      readLocals: noLocals,
      writtenLocals: noLocals,
    };
    for (const c of childrenOf(e)) {
      const y = this.of(c);
      x.writes ||= y.writes;
      x.traps ||= y.traps;
      x.reads ||= y.reads;
      x.readLocals = union(x.readLocals, y.readLocals);
      x.writtenLocals = union(x.writtenLocals, y.writtenLocals);
    }
    if (e.k === "global" || e.k === "staticField") x.reads = this.isGlobalWritten(e.g);
    else own(e, x, this.checked);
    this.#cache.set(e, x);
    return x;
  }
}

function own(e: Expr, x: Effects, checked: boolean): void {
  switch (e.k) {
    case "local":
      if (!e.v.mutable) return;
      if (isPlainLocal(e.v)) x.readLocals = including(x.readLocals, e.v);
      else x.reads = true;
      return;
    case "hole":
      x.reads = true;
      return;
    case "field":
    case "length":
      x.reads = true;
      return;
    case "index":
      x.reads = true;
      x.traps = true;
      return;
    case "arith":
      if ((e.op === "div" || e.op === "rem") && !isFloat(e.n)) {
        x.traps ||= !((e.r.k === "num" && e.r.value !== 0) || (e.r.k === "big" && e.r.value !== 0n));
      }
      if (checked && !e.wrap && (e.op === "add" || e.op === "sub" || e.op === "mul")) {
        x.traps ||= !isFloat(e.n);
      }
      return;
    case "unary":
      if (checked && e.op === "neg" && !e.wrap) x.traps = true;
      return;
    case "convert":
      if (e.mode === "assertNull" || (checked && e.mode === "fit")) x.traps = true;
      return;
    case "assign":
    case "update":
      if (e.target.k === "local" && isPlainLocal(e.target.v)) {
        x.writtenLocals = including(x.writtenLocals, e.target.v);
        if (e.k === "update") x.readLocals = including(x.readLocals, e.target.v);
      } else {
        x.writes = true;
        x.reads ||= e.k === "update";
        x.traps ||= e.target.k === "index";
      }
      return;
    case "call":
    case "method":
    case "superCall":
    case "callValue":
    case "new":
    case "host":
      x.writes = x.traps = x.reads = true;
      return;
    case "newTyped":
    case "newSlots":
    case "filled":
    case "arrayLit":
    case "objectLit":
    case "lambda":
      x.reads ||= e.k === "arrayLit" && e.spreads !== undefined;
      // Storage that a second evaluation would use again.
      x.writes = true;
      return;
    case "builtin":
      switch (e.name) {
        case "charCodeAt":
        case "slotsGet":
        case "assert":
          x.reads = x.traps = true;
          return;
        case "slotsSet":
        case "arraySet":
          x.writes = x.reads = x.traps = true;
          return;
        case "arrayFill":
        case "log":
          x.writes = x.reads = true;
          return;
        case "mapGet":
        case "mapHas":
        case "mapKeyAt":
        case "mapValueAt":
        case "strSlice":
        case "strIndexOf":
        case "startsWith":
        case "endsWith":
        case "strIncludes":
          x.reads = true; // the bytes may be those of a mutable array
          return;
        default:
          return;
      }
    case "compare":
      if (e.l.type.k === "string" || (e.l.type.k === "nullable" && e.l.type.of.k === "string"))
        x.reads = true;
      return;
    default:
      return;
  }
}

/** Must `first` be evaluated into a temporary because `second` comes after it? */
export function mustPrecede(first: Effects, second: Effects): boolean {
  if (second.writes && (first.writes || first.traps || first.reads)) return true;
  if (first.writes && (second.traps || second.reads)) return true;
  if (first.traps && second.traps) return true;
  for (const v of second.writtenLocals)
    if (first.readLocals.has(v) || first.writtenLocals.has(v)) return true;
  for (const v of first.writtenLocals) if (second.readLocals.has(v)) return true;
  // A trap must find (or not find) what the other assigned.
  return (first.traps && second.writtenLocals.size > 0) || (second.traps && first.writtenLocals.size > 0);
}

export const isPure = (x: Effects): boolean => !x.writes && !x.traps && x.writtenLocals.size === 0;
