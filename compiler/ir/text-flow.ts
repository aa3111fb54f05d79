/**
 * The control flow of `stale-text.ts`: walks the statements of a function in the order of evaluation, branches apart,
 * loops until nothing new comes out, and every state in which a trap may leave a `try`. What expressions do to a state
 * is not known here.
 */
import type { Expr, LocalVar, Stmt } from "./nodes.js";
import { merged, TextState, type Borrow } from "./text-state.js";

export abstract class TextFlow {
  protected state = new TextState();
  private readonly breaks: {
    label: string | undefined;
    isLoop: boolean;
    out: TextState[];
    next: TextState[];
  }[] = [];
  /** Open `try` bodies: every state that a trap may leave them in. */
  private readonly tries: TextState[][] = [];

  /** Evaluates; the text that the expression gives, if it is borrowed. */
  protected abstract expr(e: Expr): Borrow | undefined;
  protected abstract bind(v: LocalVar, b: Borrow | undefined): void;
  /** The method that gives the next value of a `for … of`. */
  protected abstract turn(of: Expr, method: string): Borrow | undefined;
  protected abstract returned(value: Expr, b: Borrow): void;

  // ---- statements ------------------------------------------------------------------------------------------------

  protected stmts(body: readonly Stmt[]): void {
    for (const s of body) {
      if (this.state.ended) return;
      this.stmt(s);
      for (const t of this.tries) t.push(this.state.copy());
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
        this.expr(s.of);
        this.loop(
          s.label,
          () => true,
          () => {
            if (s.get !== undefined) this.bind(s.v, this.turn(s.of, s.get.name));
            this.stmts(s.body);
          },
          () => undefined,
        );
        return;
      }
      case "switch": {
        this.expr(s.subject);
        const before = this.state;
        const scope = { label: undefined, isLoop: false, out: [] as TextState[], next: [] as TextState[] };
        this.breaks.push(scope);
        const ends = s.cases.map((c) => this.branch(before, () => this.stmts(c.body)));
        this.breaks.pop();
        if (!s.cases.some((c) => c.isDefault)) ends.push(before);
        this.state = merged([...ends, ...scope.out]);
        return;
      }
      case "return": {
        const b = s.value === undefined ? undefined : this.expr(s.value);
        if (b !== undefined && s.value !== undefined) this.returned(s.value, b);
        this.state.ended = true;
        return;
      }
      case "break":
      case "continue": {
        const scope = [...this.breaks]
          .reverse()
          .find((x) => (s.label !== undefined ? x.label === s.label : x.isLoop || s.k === "break"));
        (s.k === "break" ? scope?.out : scope?.next)?.push(this.state.copy());
        this.state.ended = true;
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
      case "finally": {
        const seen = this.trap(() => this.stmts(s.body));
        const ended = this.state.ended;
        this.state = merged([this.state, ...seen]);
        this.stmts(s.finalizer);
        this.state.ended ||= ended;
        return;
      }
      case "block":
        this.stmts(s.body);
        return;
      case "initGlobal":
        return;
    }
  }

  /** Runs a body; every state that it may be left in. */
  protected trap(body: () => void): TextState[] {
    const seen = [this.state.copy()];
    this.tries.push(seen);
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
    for (let turn = 0; turn < 4; turn++) {
      const scope = { label, isLoop: true, out: [] as TextState[], next: [] as TextState[] };
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
      if (settled) return;
      before = next;
    }
  }
}
