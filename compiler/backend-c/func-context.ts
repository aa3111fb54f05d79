/**
 * The state of lowering one function: the statements made so far, names and storage of variables, temporaries, and
 * the open loops and try bodies. The lowering itself is in `lower-*.ts` and `places.ts`.
 */
import type { MonoFunc } from "../ir/monomorphise.js";
import type { Expr, Loc, LocalVar } from "../ir/nodes.js";
import type { FlowObject } from "../ir/flow-graph.js";
import type { Type } from "../ir/types.js";
import { deref, dot, id, lit, member, type CDecl, type CExpr, type CInit, type CStmt } from "./c-ast.js";
import { sameExpr } from "./c-references.js";
import { isCell, type Env } from "./closures.js";
import type { CountedLoop } from "./counted-loops.js";
import type { Frame, Frames } from "./frames.js";
import { LocalNames } from "./names.js";
import { constantOf } from "./static-data.js";
import type { TrapSiteKind, Unit } from "./unit.js";

/** How a variable is stored in C. */
export type VarForm =
  /** A C variable of the variable's type (for a captured variable, `place` is a member of the environment). */
  | { readonly k: "value"; readonly place: CExpr }
  /** A C array; the variable is the whole of it. */
  | { readonly k: "array"; readonly ptr: CExpr; readonly length: number }
  /** A C struct; the variable refers to it. */
  | { readonly k: "object"; readonly place: CExpr };

export interface LoopScope {
  readonly label: string | undefined;
  /** `switch` lowered to a C switch: a plain C `break` inside leaves the switch. */
  readonly kind: "loop" | "switch" | "chain";
  /** Goto targets, made when needed. */
  breakLabel: string | undefined;
  continueLabel: string | undefined;
  /** A C `continue` would skip the update. */
  readonly continueByGoto: boolean;
  /** How many try bodies were open outside. */
  readonly tryDepth: number;
}

/** A way out of the body of a `finally` other than its end; its number is its index + 1. */
export type FinallyExit =
  { readonly k: "return" } | { readonly k: "break" | "continue"; readonly label: string | undefined };

/** An open try body. */
export interface TryScope {
  /** Name of its boundary. */
  readonly boundary: string;
  /** Set for a `finally`: jumps out of the body go to `label` first, with their number in `exit`. */
  readonly finally:
    { readonly label: string; readonly exit: CExpr; readonly exits: FinallyExit[] } | undefined;
}

export class FuncContext {
  readonly names: LocalNames;
  readonly hoisted: CDecl[] = [];
  readonly vars = new Map<LocalVar, VarForm>();
  readonly loops: LoopScope[] = [];
  /** The loops around that prove an index. */
  readonly counted: CountedLoop[] = [];
  /** The try bodies around the current statement, outermost first. */
  readonly tries: TryScope[] = [];
  /** Where a `return` inside a `finally` keeps its value; made when needed. */
  result: CExpr | undefined;
  /** Catch variables → the boundary that caught. */
  readonly caught = new Map<LocalVar, string>();
  readonly holes: CExpr[] = [];
  readonly cName: string;
  /** Variables that must be volatile: a try body assigns them. */
  volatileLocals: ReadonlySet<LocalVar> = new Set();
  env: { readonly env: Env; readonly name: string } | undefined;
  #out: CStmt[] = [];
  #loc: Loc | undefined;

  constructor(
    readonly unit: Unit,
    readonly func: MonoFunc,
    readonly frames: Frames,
    readonly frame: Frame | undefined,
  ) {
    this.names = new LocalNames(unit.names);
    this.cName = unit.functionName(func);
  }

  // ---- statements ------------------------------------------------------------------------------------------------

  /** The next C statement stands at this place of the source. */
  mark(loc: Loc): void {
    this.#loc = loc;
  }

  emit(s: CStmt): void {
    if (s.k === "assign" && sameExpr(s.target, s.value)) return; // `x = x`
    const loc = this.#loc;
    this.#loc = undefined;
    this.#out.push(loc === undefined || s.k === "label" ? s : { ...s, loc });
  }

  /** The statements that `f` emits, in a C scope of their own. */
  block(f: () => void): CStmt[] {
    const outer = this.#out;
    const loc = this.#loc;
    this.#out = [];
    this.#loc = undefined;
    this.names.enter();
    f();
    this.names.leave();
    const made = this.#out;
    this.#out = outer;
    this.#loc = loc;
    return made;
  }

  /** The statements that `f` emits, in the current C scope, and its result. */
  collect<T>(f: () => T): { readonly stmts: CStmt[]; readonly result: T } {
    const outer = this.#out;
    const loc = this.#loc;
    this.#out = [];
    this.#loc = undefined;
    const result = f();
    const stmts = this.#out;
    this.#out = outer;
    this.#loc = loc;
    return { stmts, result };
  }

  append(stmts: readonly CStmt[]): void {
    for (const s of stmts) {
      if (s.loc === undefined) this.emit(s);
      else this.#out.push(s);
    }
  }

  // ---- temporaries and storage -----------------------------------------------------------------------------------

  /** A constant temporary with a value. */
  temp(type: string, value: CExpr, wanted = "t"): CExpr {
    const name = this.names.take(wanted);
    this.emit({ k: "decl", type: constantOf(type), name, init: value });
    return id(name);
  }

  /** A temporary that is assigned later. */
  variable(type: string, wanted = "t", init?: CInit): CExpr {
    const name = this.names.take(wanted);
    this.emit({ k: "decl", type, name, init });
    return id(name);
  }

  /** Storage that lives as long as the call: a variable at the top of the function. */
  hoist(type: string, wanted: string, length?: number): CExpr {
    const name = this.names.takeForFunction(wanted);
    this.hoisted.push({ k: "decl", type, name, length });
    return id(name);
  }

  /** Storage of what an expression makes: in the caller's frame when it outlives the call. */
  storage(e: Expr, type: string, wanted: string, length?: number): CExpr {
    const inFrame = this.frame?.members.get(e);
    if (inFrame !== undefined) {
      return member(deref(id("frame")), inFrame.name);
    }
    return this.hoist(type, wanted, length);
  }

  site(kind: TrapSiteKind, loc: Loc): CExpr {
    return lit(String(this.unit.site(kind, loc)));
  }

  type(t: Type): string {
    return this.unit.types.type(t);
  }

  objects(e: Expr): ReadonlySet<FlowObject> | undefined {
    return this.unit.reachable.objectsOf(e);
  }

  // ---- variables -------------------------------------------------------------------------------------------------

  varForm(v: LocalVar): VarForm {
    const known = this.vars.get(v);
    if (known !== undefined) return known;
    const captured = this.env?.env.members.find((m) => m.v === v);
    if (this.env !== undefined && captured !== undefined) {
      const place = member(deref(id(this.env.name)), captured.name);
      return { k: "value", place: isCell(v) ? deref(place) : place };
    }
    throw new Error(`${this.func.key}: variable ${v.name} is not declared`);
  }

  /** `this` as a pointer. */
  self(): CExpr {
    if (this.env !== undefined && this.func.decl.kind === "lambda") {
      return member(deref(id(this.env.name)), "self");
    }
    return id("self");
  }

  /** A member of a struct value. */
  part(value: CExpr, name: string): CExpr {
    return dot(value, name);
  }
}
