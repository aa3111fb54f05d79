/**
 * Which functions a function value may be, before setup runs: needed where an async function value is called and waited
 * for, since the frame of each has its place in the frame of the caller. Flow-insensitive: variables, fields by name,
 * parameters and results are kept apart; what lies in arrays and containers is one pool. It never leaves one out.
 */
import type { ClassDecl, Expr, FuncDecl, GlobalVar, LocalVar, LValue, Program, Stmt } from "../nodes.js";
import type { Type } from "../types.js";
import { childrenOf, lambdasOf, walkStmts } from "../walk.js";

/** A place: a variable, or the name of several that are not told apart. */
type Place = LocalVar | GlobalVar | string;

/** Array elements, containers, and whatever is not followed further. */
const pool = "pool";
/** Arguments and results of calls of function values. */
const valueArguments = "value(";
const valueResults = "value)";

export class FunctionValues {
  /** What flows into a place: functions and other places. */
  private readonly from = new Map<Place, Set<Place | FuncDecl>>();

  constructor(private readonly program: Program) {
    const visit = (f: FuncDecl): void => {
      if (f.kind === "method") f.params.forEach((p, i) => this.flow(`${f.name}(${i}`, p));
      this.body(f.body, f);
      lambdasOf(f.body).forEach(visit);
    };
    for (const m of program.modules) {
      this.body(m.init, undefined);
      lambdasOf(m.init).forEach(visit);
      m.functions.forEach(visit);
      for (const c of m.classes) [...c.methods, ...(c.ctor === undefined ? [] : [c.ctor])].forEach(visit);
    }
  }

  /** The functions that `e` may be, in the order of their places in the source. */
  of(e: Expr): readonly FuncDecl[] {
    const found = new Set<FuncDecl>();
    const seen = new Set<Place>();
    const queue: (Place | FuncDecl)[] = [...this.value(e)];
    for (let x = queue.pop(); x !== undefined; x = queue.pop()) {
      if (isFunction(x)) found.add(x);
      else if (!seen.has(x)) {
        seen.add(x);
        queue.push(...(this.from.get(x) ?? []));
      }
    }
    const key = (f: FuncDecl): string => f.id;
    return [...found].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }

  private flow(what: Place | FuncDecl, to: Place): void {
    const known = this.from.get(to);
    if (known === undefined) this.from.set(to, new Set([what]));
    else known.add(what);
  }

  private put(e: Expr | undefined, to: Place): void {
    if (e === undefined || !mayBeFunction(e.type)) return;
    for (const x of this.value(e)) this.flow(x, to);
  }

  /** Where the value of `e` comes from. */
  private value(e: Expr): readonly (Place | FuncDecl)[] {
    switch (e.k) {
      case "lambda":
      case "funcref":
        return [e.f];
      case "null":
        return [];
      case "local":
        return [e.v];
      case "global":
      case "staticField":
        return [e.g];
      case "field":
        return [`.${e.name}`];
      case "call":
        return [`${e.f.id})`];
      case "method":
        return [`${e.f.name})`];
      case "callValue":
        return [valueResults];
      case "cond":
        return [...this.value(e.then), ...this.value(e.else)];
      case "logical":
        return [...this.value(e.l), ...this.value(e.r)];
      case "bind":
        return this.value(e.body);
      case "convert":
        return this.value(e.arg);
      case "assign":
        return this.value(e.value);
      default:
        return [pool];
    }
  }

  private body(body: readonly Stmt[], f: FuncDecl | undefined): void {
    walkStmts(body, {
      expr: (e) => this.expr(e),
      stmt: (s) => {
        if (s.k === "let") this.put(s.init, s.v);
        else if (s.k === "initGlobal") this.put(s.init, s.g);
        else if (s.k === "return" && f !== undefined) {
          this.put(s.value, `${f.id})`);
          if (f.kind === "method") this.put(s.value, `${f.name})`);
        } else if (s.k === "forOf") {
          this.flow(s.get === undefined ? pool : `${s.get.name})`, s.v);
          this.flow(pool, s.v);
          if (s.second !== undefined) this.flow(pool, s.second);
        }
      },
    });
  }

  private expr(e: Expr): void {
    switch (e.k) {
      case "lambda":
      case "funcref":
        for (const p of e.f.params) this.flow(valueArguments, p);
        this.flow(`${e.f.id})`, valueResults);
        return;
      case "bind":
        this.put(e.init, e.v);
        return;
      case "assign":
        this.put(e.value, targetOf(e.target));
        return;
      case "update":
        this.put(e.compute, targetOf(e.target));
        return;
      case "call":
        this.arguments(e.args, e.f);
        return;
      case "method":
        e.args.forEach((a, i) => this.put(a, `${e.f.name}(${i}`));
        return;
      case "new":
        this.arguments(e.args, this.constructorOf(e.cls));
        return;
      case "superCall":
        this.arguments(e.args, e.f);
        return;
      case "objectLit":
        for (const x of e.fields) this.put(x.value, `.${x.name}`);
        return;
      case "callValue":
        for (const a of e.args) this.put(a, valueArguments);
        return;
      case "field":
      case "cond":
      case "logical":
      case "convert":
      case "await":
        return;
      default:
        for (const x of childrenOf(e)) this.put(x, pool);
    }
  }

  private arguments(args: readonly Expr[], f: FuncDecl | undefined): void {
    args.forEach((a, i) => this.put(a, f?.params[i] ?? pool));
  }

  /** The constructor that runs. */
  private constructorOf(c: ClassDecl): FuncDecl | undefined {
    if (c.ctor !== undefined) return c.ctor;
    const above = c.superclass?.k === "object" ? this.program.classes.get(c.superclass.decl) : undefined;
    return above === undefined ? undefined : this.constructorOf(above);
  }
}

const isFunction = (x: Place | FuncDecl): x is FuncDecl => typeof x !== "string" && "body" in x;

function targetOf(t: LValue): Place {
  switch (t.k) {
    case "local":
      return t.v;
    case "global":
    case "staticField":
      return t.g;
    case "field":
      return `.${t.name}`;
    default:
      return pool;
  }
}

function mayBeFunction(t: Type): boolean {
  switch (t.k) {
    case "func":
    case "param":
      return true;
    case "nullable":
      return mayBeFunction(t.of);
    default:
      return false;
  }
}
