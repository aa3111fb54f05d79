/**
 * Cuts the body of an async function into blocks at its waits. Statements without a wait stay as they are; control
 * flow around one becomes jumps between blocks. Expressions are in `split-expr.ts`, `for … of` in
 * `split-for-of.ts`, `try` and `finally` in `split-try.ts`,
 * jumps out of statements that stay whole in `far-jumps.ts`.
 */
import type { Expr, LocalVar, Loc, LValue, Stmt } from "../nodes.js";
import { I32, type Type } from "../types.js";
import { walkExpr, walkStmts } from "../walk.js";
import type { Block, Caught, End, Handler } from "./blocks.js";
import { assign, declare, local, number } from "./make.js";
import { withFarJumps } from "./far-jumps.js";
import { linear } from "./split-expr.js";
import { splitForOf } from "./split-for-of.js";
import { splitFinally, splitTry } from "./split-try.js";

/** What the splitter asks of the function around it. */
export interface SplitHost {
  /** A variable of the step that no source names. */
  newLocal(name: string, type: Type): LocalVar;
  /** The frame, inside `frame`, of a call: the fields to fill and the frame itself. `slot`: calls that run at once differ. */
  start(call: Expr, slot: number): Started | undefined;
  /** Reports a loop over an iterator. */
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
  /** Instead of filling `places`: what begins the call, with the values of its children. */
  begin?(values: readonly Expr[]): readonly Stmt[];
  /** The class of the receiver for which this frame is meant; undefined: all others. */
  readonly receiver: Type | undefined;
  readonly others: readonly Started[];
}

/** Where a jump leads, through the finalizers between. */
export type Jump =
  | { readonly k: "break" | "continue"; readonly target: LoopScope }
  | { readonly k: "return"; readonly loc: Loc };

interface LoopScope {
  readonly k: "loop" | "switch";
  readonly label: string | undefined;
  readonly after: Block;
  readonly next: Block | undefined;
}

export interface FinallyScope {
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
  /** Of the blocks that are made now. */
  handler: Handler | undefined;
  readonly scopes: (LoopScope | FinallyScope)[] = [];

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

  /** Does control come to what is emitted next? */
  get isOpen(): boolean {
    return this.current.end === undefined;
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

  list(body: readonly Stmt[]): void {
    for (const s of body) {
      if (this.current.end !== undefined) this.enter(this.block(s.loc));
      if (jumps.has(s.k) || this.mustSplit(s)) this.split(s);
      else this.emit(withFarJumps(this, s));
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
        splitForOf(this, s);
        return;
      case "switch":
        this.splitSwitch(s);
        return;
      case "return":
        if (s.value !== undefined) this.setResult(this.expr(s.value));
        this.jump({ k: "return", loc: s.loc });
        return;
      case "try":
        splitTry(this, s);
        return;
      case "finally":
        splitFinally(this, s);
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

  loop(
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

  // ---- jumps ----

  jump(j: Jump): void {
    const { before, to } = this.route(j);
    before.forEach((s) => this.emit(s));
    if (to !== undefined) this.goto(to);
    else this.end({ k: "return", loc: j.k === "return" ? j.loc : this.loc });
  }

  /** Through the innermost finalizer between here and the target, if there is one. */
  route(j: Jump): FarJump {
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

  targetOf(s: Extract<Stmt, { k: "break" | "continue" }>): LoopScope {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const scope = this.scopes[i];
      if (scope === undefined || scope.k === "finally") continue;
      if (s.label !== undefined ? scope.label === s.label : s.k === "break" || scope.k === "loop")
        return scope;
    }
    throw new Error(`${s.k} without a target`);
  }
}

/** Statements after which nothing follows. */
const jumps = new Set<Stmt["k"]>(["return", "break", "continue", "throw"]);

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
