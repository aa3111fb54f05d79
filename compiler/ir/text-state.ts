/** What `stale-text.ts` knows at one point of a function: which text is borrowed, from which bytes, and whether they changed. */
import type { FlowObject } from "./flow-graph.js";
import type { Loc, LocalVar } from "./nodes.js";

export interface Borrow {
  /** The byte arrays it may be a view of. */
  readonly sources: ReadonlySet<FlowObject>;
  readonly at: Loc;
  /** Where the bytes may have changed since. */
  readonly stale: Loc | undefined;
}

export class TextState {
  readonly vars = new Map<LocalVar, Borrow>();
  /** Operands that are evaluated and wait for the others. */
  readonly temps: (Borrow | undefined)[] = [];
  /** Control does not come here. */
  ended = false;

  copy(): TextState {
    const made = new TextState();
    for (const [v, b] of this.vars) made.vars.set(v, b);
    made.temps.push(...this.temps);
    made.ended = this.ended;
    return made;
  }

  /** These arrays may be written now. */
  invalidate(written: ReadonlySet<FlowObject>, loc: Loc): void {
    const after = (b: Borrow): Borrow =>
      b.stale === undefined && [...b.sources].some((o) => written.has(o)) ? { ...b, stale: loc } : b;
    for (const [v, b] of this.vars) this.vars.set(v, after(b));
    this.temps.forEach((b, i) => {
      if (b !== undefined) this.temps[i] = after(b);
    });
  }

  sameAs(other: TextState): boolean {
    if (this.vars.size !== other.vars.size) return false;
    for (const [v, b] of this.vars) {
      const there = other.vars.get(v);
      if (there === undefined || there.sources.size !== b.sources.size) return false;
      if ((there.stale === undefined) !== (b.stale === undefined)) return false;
    }
    return true;
  }
}

function joined(a: Borrow | undefined, b: Borrow | undefined): Borrow | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a === b) return a;
  return { sources: new Set([...a.sources, ...b.sources]), at: a.at, stale: a.stale ?? b.stale };
}

/** The state after one of these; those that ended do not count. */
export function merged(states: readonly TextState[]): TextState {
  const alive = states.filter((s) => !s.ended);
  const [first, ...rest] = alive;
  if (first === undefined) {
    const none = states[0]?.copy() ?? new TextState();
    none.ended = true;
    return none;
  }
  const made = first.copy();
  for (const s of rest) {
    for (const [v, b] of s.vars) {
      const both = joined(made.vars.get(v), b);
      if (both !== undefined) made.vars.set(v, both);
    }
    s.temps.forEach((b, i) => {
      made.temps[i] = joined(made.temps[i], b);
    });
  }
  return made;
}
