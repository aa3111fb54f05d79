/**
 * Cuts the body of an async function into blocks at its waits. Statements without a wait stay as they are; control
 * flow around one becomes jumps between blocks. Expressions are in `split-expr.ts`.
 */
import type { Expr, LocalVar, Loc, LValue, Stmt, SwitchCase } from "../nodes.js";
import { BOOL, I32, STRING, type Type } from "../types.js";
import { walkExpr, walkStmts } from "../walk.js";
import type { Block, Caught, End, Handler } from "./blocks.js";
import { assign, declare, field, local, number } from "./make.js";
import { linear } from "./split-expr.js";

/** What the splitter asks of the function around it. */
export interface SplitHost {
  /** A variable of the step that no source names. */
  newLocal(name: string, type: Type): LocalVar;
  /** The frame, inside `frame`, of a call: the fields to fill and the frame itself. `slot`: calls that run at once differ. */
  start(call: Expr, slot: number): Started | undefined;
  /** Reports a loop over something that has no index. */
  refuseLoop(loc: Loc): void;
  /** One step of a frame: true when it has ended. */
  poll(frame: Expr): Expr;
  /** The value of a getter. */
  getter(recv: Expr, name: string, loc: Loc): Expr;
  /** The result of the function; undefined when it has none. */
  readonly result: LocalVar | undefined;
  readonly trapType: Type;
}

export interface Started {
  /** Undefined: the call only gives the processor back until the next step. */
  readonly frame: Expr | undefined;
  /** The places of the arguments in the frame, the receiver's first. */
  readonly places: readonly LValue[];
  /** A value as what a place holds. */
  wrap(value: Expr, place: Type): Expr;
  readonly result: Expr | undefined;
  /** The class of the receiver for which this frame is meant; undefined: all others. */
  readonly receiver: Type | undefined;
  readonly others: readonly Started[];
}

/** Where a jump leads, through the finalizers between. */
type Jump =
  | { readonly k: "break" | "continue"; readonly target: LoopScope }
  | { readonly k: "return"; readonly loc: Loc };

interface LoopScope {
  readonly k: "loop" | "switch";
  readonly label: string | undefined;
  readonly after: Block;
  readonly next: Block | undefined;
}

interface FinallyScope {
  readonly k: "finally";
  readonly entry: Block;
  /** Which way control goes on after the finalizer: 0 the next statement, 1 the trap again, then `exits`. */
  readonly way: LocalVar;
  readonly exits: Jump[];
}

/** Stands for a jump inside a statement that was not cut: what happens before it, and where it leads. */
export interface FarJump {
  readonly before: readonly Stmt[];
  /** Undefined: the function ends. */
  readonly to: Block | undefined;
}

export class Splitter {
  readonly blocks: Block[] = [];
  readonly farJumps = new Map<Stmt, FarJump>();
  /** The variable of a catch → where what it tells is kept. */
  readonly caughtBy = new Map<LocalVar, Caught>();
  private current: Block;
  private handler: Handler | undefined;
  private readonly scopes: (LoopScope | FinallyScope)[] = [];

  constructor(
    readonly host: SplitHost,
    readonly loc: Loc,
  ) {
    this.current = this.block(loc);
  }

  run(body: readonly Stmt[]): void {
    this.list(body);
    this.end({ k: "return", loc: this.loc });
  }

  // ---- building blocks ----

  block(loc: Loc): Block {
    const b: Block = {
      id: this.blocks.length,
      polls: [],
      loc,
      stmts: [],
      end: undefined,
      handler: this.handler,
    };
    this.blocks.push(b);
    return b;
  }

  emit(s: Stmt): void {
    this.current.stmts.push(s);
  }

  /** Ends the block that is being filled; what follows without a new one is never reached. */
  end(end: End): void {
    this.current.end ??= end;
  }

  goto(to: Block): void {
    this.end({ k: "goto", to });
  }

  enter(b: Block): void {
    this.current = b;
  }

  /** Goes on in a new block, which begins with waiting for these frames. */
  poll(frames: readonly Expr[], loc: Loc): void {
    const next = this.block(loc);
    next.polls = frames;
    this.goto(next);
    this.enter(next);
  }

  suspend(loc: Loc): void {
    const next = this.block(loc);
    this.end({ k: "suspend", to: next, loc });
    this.enter(next);
  }

  expr(e: Expr): Expr {
    return linear(this, e);
  }

  // ---- statements ----

  private list(body: readonly Stmt[]): void {
    for (const s of body) {
      if (this.current.end !== undefined) this.enter(this.block(s.loc));
      if (jumps.has(s.k) || this.mustSplit(s)) this.split(s);
      else this.emit(this.withFarJumps(s));
    }
  }

  private mustSplit(s: Stmt): boolean {
    let found = false;
    const isWait = (e: Expr): boolean | void => {
      if (e.k === "await") found = true;
      return !found;
    };
    // A trap in a finalizer on the way of a jump must find the state of the place it comes from.
    const stmt = (x: Stmt): void => {
      if (x.k === "finally" && this.handler !== undefined && leaves(x)) found = true;
    };
    walkStmts([s], { expr: isWait, stmt });
    return found;
  }

  private split(s: Stmt): void {
    switch (s.k) {
      case "let":
        this.emit(declare(s.v, s.init === undefined ? undefined : this.expr(s.init), s.loc));
        return;
      case "expr":
        this.effect(this.expr(s.e), s.loc);
        return;
      case "block":
        this.list(s.body);
        return;
      case "if":
        this.splitIf(s);
        return;
      case "for":
        this.list(s.init);
        this.loop(s, s.test, s.update, false, () => this.list(s.body));
        return;
      case "doWhile":
        this.loop(s, s.test, undefined, true, () => this.list(s.body));
        return;
      case "forOf":
        this.splitForOf(s);
        return;
      case "switch":
        this.splitSwitch(s);
        return;
      case "return":
        if (s.value !== undefined) this.setResult(this.expr(s.value));
        this.jump({ k: "return", loc: s.loc });
        return;
      case "try":
        this.splitTry(s);
        return;
      case "finally":
        this.splitFinally(s);
        return;
      case "break":
      case "continue":
        this.jump({ k: s.k, target: this.targetOf(s) });
        return;
      case "throw":
        this.emit(s);
        this.end({ k: "none" });
        return;
      default:
        this.emit(s);
    }
  }

  private effect(e: Expr, loc: Loc): void {
    const isPlain = e.k === "local" || e.k === "num" || e.k === "bool" || e.k === "field" || e.k === "null";
    if (!isPlain) this.emit({ k: "expr", loc, e });
  }

  private setResult(value: Expr): void {
    const { result } = this.host;
    if (result !== undefined) this.emit(assign(local(result, value.loc), value));
    else this.effect(value, value.loc);
  }

  branch(test: Expr, then: Block, other: Block): void {
    this.end({ k: "branch", test, then, else: other, loc: test.loc });
  }

  private splitIf(s: Extract<Stmt, { k: "if" }>): void {
    const test = this.expr(s.test);
    const then = this.block(s.loc);
    const after = this.block(s.loc);
    const other = s.else.length === 0 ? after : this.block(s.loc);
    this.branch(test, then, other);
    this.enter(then);
    this.list(s.then);
    this.goto(after);
    if (other !== after) {
      this.enter(other);
      this.list(s.else);
      this.goto(after);
    }
    this.enter(after);
  }

  private loop(
    s: Extract<Stmt, { k: "for" | "doWhile" | "forOf" }>,
    test: Expr | undefined,
    update: Expr | undefined,
    testLast: boolean,
    body: () => void,
  ): void {
    const turn = this.block(s.loc);
    const after = this.block(s.loc);
    const head = test === undefined ? turn : this.block(s.loc);
    const next = update === undefined ? head : this.block(s.loc);
    this.goto(testLast ? turn : head);
    if (test !== undefined) {
      this.enter(head);
      this.branch(this.expr(test), turn, after);
    }
    if (update !== undefined) {
      this.enter(next);
      this.effect(this.expr(update), s.loc);
      this.goto(head);
    }
    this.scopes.push({ k: "loop", label: s.label, after, next });
    this.enter(turn);
    body();
    this.goto(next);
    this.scopes.pop();
    this.enter(after);
  }

  /** By index, the length read on every turn. */
  private splitForOf(s: Extract<Stmt, { k: "forOf" }>): void {
    const { loc } = s;
    if (s.lengthOf !== "array" && s.lengthOf !== "field" && s.lengthOf !== "method") {
      this.host.refuseLoop(loc);
      return;
    }
    const list = this.host.newLocal(`list of ${s.v.name}`, s.of.type);
    const i = this.host.newLocal(`index of ${s.v.name}`, I32);
    this.emit(declare(list, this.expr(s.of), loc));
    this.emit(declare(i, number(0, I32, loc), loc));
    const of = local(list, loc);
    const at = local(i, loc);
    const length: Expr =
      s.lengthOf === "field"
        ? field(of, "length", I32)
        : s.lengthOf === "method"
          ? this.host.getter(of, "length", loc)
          : { k: "length", type: I32, loc, obj: of };
    const item: Expr =
      s.get === undefined
        ? { k: "index", type: s.v.type, loc, obj: of, index: at }
        : { k: "method", type: s.v.type, loc, recv: of, f: s.get, typeArgs: [], isSuper: false, args: [at] };
    const step: Expr = {
      k: "update",
      type: I32,
      loc,
      target: at,
      compute: {
        k: "arith",
        type: I32,
        loc,
        op: "add",
        n: "i32",
        wrap: true,
        l: { k: "hole", type: I32, loc },
        r: number(1, I32, loc),
      },
      result: "new",
    };
    this.loop(s, { k: "compare", type: BOOL, loc, op: "lt", l: at, r: length }, step, false, () => {
      this.emit(declare(s.v, item, loc));
      this.list(s.body);
    });
  }

  private splitSwitch(s: Extract<Stmt, { k: "switch" }>): void {
    const subject = this.expr(s.subject);
    const after = this.block(s.loc);
    const cases = s.cases.map((of) => ({ of, to: this.block(s.loc) }));
    const other = cases.find((c) => c.of.isDefault)?.to ?? after;
    this.end({ k: "switch", subject, cases, other, loc: s.loc });
    this.scopes.push({ k: "switch", label: undefined, after, next: undefined });
    for (const c of cases) {
      this.enter(c.to);
      this.list(c.of.body);
      this.goto(after);
    }
    this.scopes.pop();
    this.enter(after);
  }

  // ---- try and finally ----

  private newCaught(): Caught {
    const { host } = this;
    const kinds: Type = {
      k: "literals",
      values: ["assert", "capacity", "division", "index", "null", "overflow", "stack", "throw"],
    };
    return {
      kind: host.newLocal("trap kind", kinds),
      site: host.newLocal("trap site", I32),
      message: host.newLocal("trap message", STRING),
    };
  }

  /** The block that a trap inside goes to; blocks made by `inside` have it as their handler. */
  private guarded(loc: Loc, inside: () => void): { readonly entry: Block; readonly caught: Caught } {
    const entry = this.block(loc);
    const caught = this.newCaught();
    const outer = this.handler;
    this.handler = { block: entry, caught };
    const first = this.block(loc);
    this.goto(first);
    this.enter(first);
    inside();
    this.handler = outer;
    return { entry, caught };
  }

  private splitTry(s: Extract<Stmt, { k: "try" }>): void {
    const after = this.block(s.loc);
    const { entry, caught } = this.guarded(s.loc, () => {
      this.list(s.body);
      this.goto(after);
    });
    if (s.v !== undefined) this.caughtBy.set(s.v, caught);
    this.enter(entry);
    this.list(s.handler);
    this.goto(after);
    this.enter(after);
  }

  private splitFinally(s: Extract<Stmt, { k: "finally" }>): void {
    const { loc } = s;
    const way = this.host.newLocal("way out", I32);
    const setWay = (n: number): void => this.emit(assign(local(way, loc), number(n, I32, loc)));
    const finalizer = this.block(loc);
    const after = this.block(loc);
    const scope: FinallyScope = { k: "finally", entry: finalizer, way, exits: [] };
    const { entry, caught } = this.guarded(loc, () => {
      this.scopes.push(scope);
      this.list(s.body);
      if (this.current.end === undefined) setWay(0);
      this.goto(finalizer);
      this.scopes.pop();
    });
    this.enter(entry);
    setWay(1);
    this.goto(finalizer);
    this.enter(finalizer);
    this.list(s.finalizer);
    const ways = [0, 1, ...scope.exits.map((_, i) => i + 2)].map((n) => {
      const of: SwitchCase = { tests: [number(n, I32, loc)], isDefault: n === 0, body: [] };
      return { of, to: n === 0 ? after : this.block(loc) };
    });
    this.end({ k: "switch", subject: local(way, loc), cases: ways, other: after, loc });
    ways.slice(1).forEach(({ to }, i) => {
      this.enter(to);
      const exit = scope.exits[i - 1];
      if (exit !== undefined) this.jump(exit);
      else this.throwAgain(caught, loc);
    });
    this.enter(after);
  }

  private throwAgain(caught: Caught, loc: Loc): void {
    const trap = this.host.newLocal("trap", this.host.trapType);
    this.caughtBy.set(trap, caught);
    this.emit({ k: "throw", loc, message: "", rethrow: trap });
    this.end({ k: "none" });
  }

  // ---- jumps ----

  private jump(j: Jump): void {
    const { before, to } = this.route(j);
    before.forEach((s) => this.emit(s));
    if (to !== undefined) this.goto(to);
    else this.end({ k: "return", loc: j.k === "return" ? j.loc : this.loc });
  }

  /** Through the innermost finalizer between here and the target, if there is one. */
  private route(j: Jump): FarJump {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const scope = this.scopes[i];
      if (scope === undefined) break;
      if (scope.k === "finally") {
        const loc = j.k === "return" ? j.loc : this.loc;
        const same = scope.exits.findIndex(
          (x) => x.k === j.k && (j.k === "return" || (x.k !== "return" && x.target === j.target)),
        );
        const n = same >= 0 ? same : scope.exits.push(j) - 1;
        return { before: [assign(local(scope.way, loc), number(n + 2, I32, loc))], to: scope.entry };
      }
      if (j.k !== "return" && scope === j.target)
        return { before: [], to: j.k === "break" ? scope.after : scope.next };
    }
    return { before: [], to: undefined };
  }

  private targetOf(s: Extract<Stmt, { k: "break" | "continue" }>): LoopScope {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const scope = this.scopes[i];
      if (scope === undefined || scope.k === "finally") continue;
      if (s.label !== undefined ? scope.label === s.label : s.k === "break" || scope.k === "loop")
        return scope;
    }
    throw new Error(`${s.k} without a target`);
  }

  /** A statement that is not cut, in which jumps out of it lead to blocks. */
  private withFarJumps(s: Stmt): Stmt {
    const [only] = this.far(s, { breaks: false, continues: false, labels: [] });
    return only ?? { k: "block", loc: s.loc, body: [] };
  }

  private far(s: Stmt, inside: Inside): Stmt[] {
    const list = (body: readonly Stmt[], within: Inside = inside): Stmt[] =>
      body.flatMap((x) => this.far(x, within));
    switch (s.k) {
      case "return": {
        const { result } = this.host;
        const { before, to } = this.route({ k: "return", loc: s.loc });
        const value: Stmt[] =
          s.value === undefined
            ? []
            : [
                result === undefined
                  ? { k: "expr", loc: s.loc, e: s.value }
                  : assign(local(result, s.loc), s.value),
              ];
        return [this.farJump(s.loc, { before: [...value, ...before], to })];
      }
      case "break":
      case "continue": {
        const stays =
          s.label !== undefined
            ? inside.labels.includes(s.label)
            : s.k === "break"
              ? inside.breaks
              : inside.continues;
        if (stays) return [s];
        return [this.farJump(s.loc, this.route({ k: s.k, target: this.targetOf(s) }))];
      }
      case "if":
        return [{ ...s, then: list(s.then), else: list(s.else) }];
      case "block":
        return [{ ...s, body: list(s.body) }];
      case "for":
      case "doWhile":
      case "forOf": {
        const labels = s.label === undefined ? inside.labels : [...inside.labels, s.label];
        return [{ ...s, body: list(s.body, { breaks: true, continues: true, labels }) }];
      }
      case "switch": {
        const within = { ...inside, breaks: true };
        return [{ ...s, cases: s.cases.map((c) => ({ ...c, body: list(c.body, within) })) }];
      }
      case "try":
        return [{ ...s, body: list(s.body), handler: list(s.handler) }];
      case "finally":
        return [{ ...s, body: list(s.body), finalizer: list(s.finalizer) }];
      default:
        return [s];
    }
  }

  private farJump(loc: Loc, jump: FarJump): Stmt {
    const mark: Stmt = { k: "block", loc, body: [] };
    this.farJumps.set(mark, jump);
    return mark;
  }
}

/** Statements after which nothing follows. */
const jumps = new Set<Stmt["k"]>(["return", "break", "continue", "throw"]);

/** What unlabelled jumps mean inside a statement that is not cut. */
interface Inside {
  readonly breaks: boolean;
  readonly continues: boolean;
  readonly labels: readonly string[];
}

/** Contains a jump that may leave the statement. */
function leaves(s: Stmt): boolean {
  let found = false;
  walkStmts([s], {
    stmt: (x) => {
      if (x.k === "return" || x.k === "break" || x.k === "continue") found = true;
    },
  });
  return found;
}

/** Contains a wait, itself or inside. */
export function waits(e: Expr): boolean {
  let found = false;
  walkExpr(e, {
    expr: (x) => {
      if (x.k === "await") found = true;
    },
  });
  return found;
}
