/**
 * The step function of a frame, from the blocks of the body: one `switch` over the states inside a loop. A state is a
 * block; what it does not finish, the next step goes on with. Variables that outlive a wait become fields.
 */
import type { Expr, FuncDecl, LocalVar, Loc, Stmt, SwitchCase } from "../nodes.js";
import { BOOL, type Type } from "../types.js";
import { walkStmts } from "../walk.js";
import type { Block, Caught, End } from "./blocks.js";
import type { Homes } from "./liveness.js";
import {
  assign,
  bool,
  declare,
  DONE,
  field,
  loaded,
  local,
  not,
  number,
  STATE,
  stored,
  storedType,
  toI32,
} from "./make.js";
import { mapExpr, mapStmts, type StmtMap } from "./rebuild.js";
import type { FarJump } from "./split.js";

export interface StepInput {
  readonly blocks: readonly Block[];
  readonly farJumps: ReadonlyMap<Stmt, FarJump>;
  readonly caughtBy: ReadonlyMap<LocalVar, Caught>;
  readonly homes: Homes;
  /** The field of a variable of `homes.kept`. */
  fieldOf(v: LocalVar): string;
  /** Stands for the frame in what the splitter made. */
  readonly frame: LocalVar;
  readonly frameType: Type;
  readonly trapType: Type;
  readonly pollOf: (frame: Expr) => FuncDecl;
  readonly newLocal: (name: string, type: Type) => LocalVar;
  readonly loc: Loc;
}

const loopLabel = "steps";

export function stepBody(input: StepInput): Stmt[] {
  return new Steps(input).body();
}

class Steps {
  constructor(private readonly input: StepInput) {}

  body(): Stmt[] {
    const { loc, homes } = this.input;
    const out: Stmt[] = [];
    for (const v of homes.shared) {
      v.mutable = true;
      out.push(declare(v, undefined, loc));
    }
    const cases = this.input.blocks.map((b): SwitchCase => ({
      tests: [number(b.id, toI32(this.state(b.loc)).type, b.loc)],
      isDefault: false,
      body: this.caseBody(b),
    }));
    cases.push({ tests: [], isDefault: true, body: [{ k: "return", loc, value: bool(true, loc) }] });
    const dispatch: Stmt = { k: "switch", loc, subject: toI32(this.state(loc)), cases };
    out.push({
      k: "for",
      loc,
      label: loopLabel,
      init: [],
      test: undefined,
      update: undefined,
      body: [this.withHandlers(dispatch)],
    });
    return out;
  }

  private self(loc: Loc): Expr {
    return { k: "this", type: this.input.frameType, loc };
  }

  private state(loc: Loc): Expr & { k: "field" } {
    return field(this.self(loc), "state", STATE) as Expr & { k: "field" };
  }

  private setState(id: number, loc: Loc): Stmt {
    return assign(this.state(loc), number(id, STATE, loc));
  }

  private caseBody(b: Block): Stmt[] {
    const out: Stmt[] = [...this.polls(b)];
    out.push(...this.materialised(b));
    out.push(...mapStmts(b.stmts, this.map));
    out.push(...this.end(b.end ?? { k: "return", loc: b.loc }, b));
    return out;
  }

  /** Steps the frames that this one waits for. Several are all stepped; none twice after its end. */
  private polls(b: Block): Stmt[] {
    const { loc } = b;
    const pending: Stmt[] = [{ k: "return", loc, value: bool(false, loc) }];
    const step = (frame: Expr): Expr => {
      const recv = this.expr(frame);
      const f = this.input.pollOf(frame);
      return { k: "method", type: BOOL, loc, recv, f, typeArgs: [], isSuper: false, args: [] };
    };
    const [first, ...more] = b.polls;
    if (first === undefined) return [];
    if (more.length === 0) return [{ k: "if", loc, test: not(step(first)), then: pending, else: [] }];
    const ended = this.input.newLocal("ended", BOOL);
    ended.mutable = true;
    const out: Stmt[] = [declare(ended, step(first), loc)];
    for (const frame of more)
      out.push({
        k: "if",
        loc,
        test: not(step(frame)),
        then: [assign(local(ended, loc), bool(false, loc))],
        else: [],
      });
    out.push({ k: "if", loc, test: not(local(ended, loc)), then: pending, else: [] });
    return out;
  }

  /** What a `catch` was given, made again from what the frame keeps of it. */
  private materialised(b: Block): Stmt[] {
    const mentioned = new Set<LocalVar>();
    walkStmts(b.stmts, {
      expr: (e) => {
        if (e.k === "local") mentioned.add(e.v);
        if (e.k === "lambda") for (const v of e.f.captures) mentioned.add(v);
      },
      stmt: (s) => {
        if (s.k === "throw" && s.rethrow !== undefined) mentioned.add(s.rethrow);
      },
    });
    for (const e of b.end?.k === "branch" ? [b.end.test] : b.end?.k === "switch" ? [b.end.subject] : [])
      mapExpr(e, (x) => {
        if (x.k === "local") mentioned.add(x.v);
        return undefined;
      });
    return [...this.input.caughtBy].flatMap(([v, caught]): Stmt[] => {
      if (!mentioned.has(v)) return [];
      const fields = (["kind", "site", "message"] as const).map((name) => ({
        name,
        value: this.expr(local(caught[name], b.loc)),
      }));
      return [declare(v, { k: "objectLit", type: this.input.trapType, loc: b.loc, fields }, b.loc)];
    });
  }

  private end(end: End, b: Block): Stmt[] {
    const { loc } = b;
    switch (end.k) {
      case "goto":
        return [this.setState(end.to.id, loc)];
      case "branch":
        return [
          {
            k: "if",
            loc: end.loc,
            test: this.expr(end.test),
            then: [this.setState(end.then.id, end.loc)],
            else: [this.setState(end.else.id, end.loc)],
          },
        ];
      case "switch": {
        const cases: SwitchCase[] = end.cases.map(({ of, to }) => ({
          ...of,
          body: [this.setState(to.id, end.loc)],
        }));
        if (!cases.some((c) => c.isDefault))
          cases.push({ tests: [], isDefault: true, body: [this.setState(end.other.id, end.loc)] });
        return [{ k: "switch", loc: end.loc, subject: this.expr(end.subject), cases }];
      }
      case "suspend":
        return [
          this.setState(end.to.id, end.loc),
          { k: "return", loc: end.loc, value: bool(false, end.loc) },
        ];
      case "return":
        return this.done(end.loc);
      case "none":
        return [];
    }
  }

  private done(loc: Loc): Stmt[] {
    return [this.setState(DONE, loc), { k: "return", loc, value: bool(true, loc) }];
  }

  /** A trap in a state of a `try` goes on in its handler; elsewhere it leaves the step. */
  private withHandlers(dispatch: Stmt): Stmt {
    const { loc, blocks, trapType } = this.input;
    const byHandler = new Map<Block, { readonly caught: Caught; readonly from: Block[] }>();
    for (const b of blocks) {
      if (b.handler === undefined) continue;
      const known = byHandler.get(b.handler.block);
      if (known !== undefined) known.from.push(b);
      else byHandler.set(b.handler.block, { caught: b.handler.caught, from: [b] });
    }
    if (byHandler.size === 0) return dispatch;
    const trap = this.input.newLocal("trap", trapType);
    const cases = [...byHandler].map(([handler, { caught, from }]): SwitchCase => {
      const keep = (["kind", "site", "message"] as const).flatMap((name): Stmt[] => {
        const v = caught[name];
        return this.input.homes.kept.has(v)
          ? [assign(this.place(v, loc), field(local(trap, loc), name, v.type))]
          : [];
      });
      return {
        tests: from.map((b) => number(b.id, toI32(this.state(loc)).type, loc)),
        isDefault: false,
        body: [...keep, this.setState(handler.id, loc)],
      };
    });
    cases.push({
      tests: [],
      isDefault: true,
      body: [{ k: "throw", loc, message: "", rethrow: trap }],
    });
    const handler: Stmt[] = [{ k: "switch", loc, subject: toI32(this.state(loc)), cases }];
    return { k: "try", loc, body: [dispatch], v: trap, handler };
  }

  // ---- variables ----

  private place(v: LocalVar, loc: Loc): Expr & { k: "field" } {
    return field(this.self(loc), this.input.fieldOf(v), storedType(v.type)) as Expr & { k: "field" };
  }

  private readonly map: StmtMap = {
    expr: (e) => this.expr(e),
    stmt: (s) => this.stmt(s),
  };

  private stmt(s: Stmt): readonly Stmt[] | undefined {
    const { homes, farJumps } = this.input;
    const jump = farJumps.get(s);
    if (jump !== undefined) {
      const before = mapStmts(jump.before, this.map);
      if (jump.to === undefined) return [...before, ...this.done(s.loc)];
      return [...before, this.setState(jump.to.id, s.loc), { k: "continue", loc: s.loc, label: loopLabel }];
    }
    if (s.k === "let" && (homes.kept.has(s.v) || homes.shared.has(s.v))) {
      if (s.init === undefined) return [];
      const value = this.expr(s.init);
      return [
        homes.kept.has(s.v)
          ? assign(this.place(s.v, s.loc), stored(value, s.v.type))
          : assign(local(s.v, s.loc), value),
      ].map((x) => ({ ...x, loc: s.loc }));
    }
    return undefined;
  }

  private expr(e: Expr): Expr {
    return mapExpr(e, (x) => this.changed(x));
  }

  private changed(e: Expr): Expr | undefined {
    const { homes, frame } = this.input;
    if (e.k === "local") {
      if (e.v === frame) return this.self(e.loc);
      return homes.kept.has(e.v) ? loaded(this.place(e.v, e.loc), e.type) : undefined;
    }
    if ((e.k === "assign" || e.k === "update") && e.target.k === "local" && homes.kept.has(e.target.v)) {
      const target = this.place(e.target.v, e.loc);
      if (e.k === "update") return { ...e, target, compute: this.expr(e.compute) };
      const value = stored(this.expr(e.value), e.target.v.type);
      return loaded({ ...e, type: target.type, target, value }, e.target.v.type);
    }
    if (e.k === "this" && e.type !== this.input.frameType) return this.outerThis(e);
    if (e.k === "lambda") this.lambda(e.f);
    return undefined;
  }

  /** `this` of the async method itself. */
  private outerThis(e: Expr): Expr {
    return loaded(field(this.self(e.loc), "self", storedType(e.type)), e.type);
  }

  /** A function made inside: its `this` is the frame's, and what the frame keeps is read there. */
  private lambda(f: FuncDecl): void {
    const taken = f.captures.filter((v) => this.input.homes.kept.has(v));
    if (taken.length === 0 && !f.usesThis) return;
    f.usesThis = true;
    f.captures.splice(0, f.captures.length, ...f.captures.filter((v) => !taken.includes(v)));
    f.body = mapStmts(f.body, this.map);
  }
}
