/**
 * The control flow of the borrowed-text analysis: walks the statements of a function in the order of evaluation, branches apart,
 * loops until nothing new comes out, and every state in which a trap may leave a `try`. What expressions do to a state
 * is not known here.
 */
import type { Expr, LocalVar, Stmt } from "./nodes.js";
import { contents, merged, TextState, type Borrow } from "./text-state.js";

interface JumpScope {
  readonly label: string | undefined;
  readonly isLoop: boolean;
  readonly out: TextState[];
  readonly next: TextState[];
}

/** An open body of `finally`: what leaves it comes through the finalizer. */
interface Final {
  /** How many jump scopes are outside of it. */
  readonly depth: number;
  readonly jumps: { readonly scope: number; readonly kind: "break" | "continue" }[];
  readonly returns: { readonly value: Expr; readonly b: Borrow | undefined }[];
  /** It has a return without a value. */
  ends: boolean;
}

export abstract class TextFlow {
  protected state = new TextState();
  /** The expressions of the operands that wait, as many as `state.temps`. */
  protected readonly waiting: Expr[] = [];
  private readonly breaks: JumpScope[] = [];
  private readonly finals: Final[] = [];
  /** Open `try` bodies: every state that a trap may leave them in, with as many operands as waited at their start. */
  private readonly tries: { readonly seen: TextState[]; readonly temps: number }[] = [];

  /** Evaluates; the borrowed text in the value, if there is any. */
  protected abstract expr(e: Expr): Borrow | undefined;
  /** Evaluates, and reads the bytes of every text. */
  protected abstract uses(list: readonly Expr[]): void;
  protected abstract bind(v: LocalVar, b: Borrow | undefined): void;
  /** The method that gives the next value of a `for … of`. */
  protected abstract turn(of: Expr, held: Borrow | undefined, method: string): Borrow | undefined;
  /** The function ends here, with this value. */
  protected abstract returned(value: Expr | undefined, b: Borrow | undefined): void;

  /** A trap may happen now. */
  protected mayTrap(state = this.state): void {
    for (const t of this.tries) {
      const seen = state.copy();
      seen.temps.length = Math.min(seen.temps.length, t.temps);
      t.seen.push(seen);
    }
  }

  // ---- statements ------------------------------------------------------------------------------------------------

  protected stmts(body: readonly Stmt[]): void {
    for (const s of body) {
      if (this.state.ended) return;
      this.stmt(s);
      this.mayTrap();
    }
  }

  protected branch(from: TextState, body: () => void): TextState {
    this.state = from.copy();
    body();
    return this.state;
  }

  protected stmt(s: Stmt): void {
    switch (s.k) {
      case "let":
        this.bind(s.v, s.init === undefined ? undefined : this.expr(s.init));
        return;
      case "expr":
        this.expr(s.e);
        return;
      case "if": {
        this.expr(s.test);
        const before = this.state;
        const then = this.branch(before, () => this.stmts(s.then));
        const other = this.branch(before, () => this.stmts(s.else));
        this.state = merged([then, other]);
        return;
      }
      case "for":
        this.stmts(s.init);
        this.loop(
          s.label,
          () => {
            if (s.test !== undefined) this.expr(s.test);
            return s.test !== undefined;
          },
          () => this.stmts(s.body),
          () => {
            if (s.update !== undefined) this.expr(s.update);
          },
        );
        return;
      case "doWhile":
        this.loop(
          s.label,
          () => false,
          () => this.stmts(s.body),
          () => this.expr(s.test),
          true,
        );
        return;
      case "forOf": {
        const base = this.state.temps.length;
        const of = this.expr(s.of);
        this.state.temps.push(of);
        this.waiting.push(s.of);
        this.loop(
          s.label,
          () => true,
          () => {
            const held = this.state.temps[base];
            this.bind(
              s.v,
              s.get === undefined ? contents(held) : this.turn(s.of, contents(held), s.get.name),
            );
            this.stmts(s.body);
          },
          () => undefined,
        );
        this.state.temps.length = base;
        this.waiting.length = base;
        return;
      }
      case "switch": {
        this.uses([s.subject]);
        const before = this.state;
        const scope: JumpScope = { label: undefined, isLoop: false, out: [], next: [] };
        this.breaks.push(scope);
        const ends = s.cases.map((c) => this.branch(before, () => this.stmts(c.body)));
        this.breaks.pop();
        if (!s.cases.some((c) => c.isDefault)) ends.push(before);
        this.state = merged([...ends, ...scope.out]);
        return;
      }
      case "return": {
        const b = s.value === undefined ? undefined : this.expr(s.value);
        this.leave(s.value, b);
        return;
      }
      case "break":
      case "continue": {
        const { k, label } = s;
        const scope = this.breaks.findLastIndex((x) =>
          label !== undefined ? x.label === label : x.isLoop || k === "break",
        );
        this.jump(scope, k);
        return;
      }
      case "throw":
        this.state.ended = true;
        return;
      case "try": {
        const seen = this.trap(() => this.stmts(s.body));
        const end = this.state;
        const caught = this.branch(merged(seen), () => this.stmts(s.handler));
        this.state = merged([end, caught]);
        return;
      }
      case "finally":
        this.finally(s);
        return;
      case "block":
        this.stmts(s.body);
        return;
      case "initGlobal":
        return;
    }
  }

  private leave(value: Expr | undefined, b: Borrow | undefined): void {
    const around = this.finals.at(-1);
    if (around === undefined) this.returned(value, b);
    else if (value === undefined) around.ends = true;
    else around.returns.push({ value, b });
    this.state.ended = true;
  }

  private jump(scope: number, kind: "break" | "continue"): void {
    const around = this.finals.at(-1);
    const to = this.breaks[scope];
    if (around !== undefined && scope < around.depth) around.jumps.push({ scope, kind });
    else (kind === "break" ? to?.out : to?.next)?.push(this.state.copy());
    this.state.ended = true;
  }

  private finally(s: Extract<Stmt, { k: "finally" }>): void {
    const final: Final = { depth: this.breaks.length, jumps: [], returns: [], ends: false };
    this.finals.push(final);
    const seen = this.trap(() => this.stmts(s.body));
    this.finals.pop();
    const ended = this.state.ended;
    this.state = merged([this.state, ...seen]);
    const base = this.state.temps.length;
    for (const r of final.returns) {
      this.state.temps.push(r.b);
      this.waiting.push(r.value);
    }
    this.stmts(s.finalizer);
    const values = this.state.temps.splice(base);
    this.waiting.length = base;
    if (this.state.ended) return;
    const after = this.state;
    for (const j of final.jumps) {
      this.state = after.copy();
      this.jump(j.scope, j.kind);
    }
    final.returns.forEach((r, i) => {
      this.state = after.copy();
      this.leave(r.value, values[i]);
    });
    if (final.ends) {
      this.state = after.copy();
      this.leave(undefined, undefined);
    }
    this.state = after;
    this.state.ended = ended;
  }

  /** Runs a body; every state that it may be left in. */
  private trap(body: () => void): TextState[] {
    const seen = [this.state.copy()];
    this.tries.push({ seen, temps: this.state.temps.length });
    body();
    this.tries.pop();
    return seen;
  }

  /** `head` says whether the loop may end before a turn. Turns are walked until nothing new comes out. */
  protected loop(
    label: string | undefined,
    head: () => boolean,
    body: () => void,
    update: () => void,
    first = false,
  ): void {
    let before = this.state;
    const base = before.temps.length;
    for (;;) {
      const scope: JumpScope = { label, isLoop: true, out: [], next: [] };
      this.breaks.push(scope);
      this.state = before.copy();
      const exits: TextState[] = [];
      if (head()) exits.push(this.state.copy());
      body();
      this.state = merged([this.state, ...scope.next]);
      if (!this.state.ended) update();
      this.breaks.pop();
      const again = this.state;
      if (first) exits.push(again);
      const next = merged([before, again]);
      const settled = next.sameAs(before);
      this.state = merged([...exits, ...scope.out]);
      this.state.temps.length = base;
      if (settled) return;
      before = next;
    }
  }
}
