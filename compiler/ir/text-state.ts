/**
 * What the borrowed-text analysis knows at one point of a function: which values hold borrowed text, from which bytes,
 * and whether those may have changed since. No rules: those are in `stale-text.ts` and `text-calls.ts`.
 */
import type { FlowObject } from "./flow-graph.js";
import type { Loc, LocalVar } from "./nodes.js";

/** One borrowed text. */
export interface View {
  /** The byte arrays it may be a view of. */
  readonly sources: ReadonlySet<FlowObject>;
  readonly at: Loc;
  /** Where the bytes may have changed since. */
  readonly stale: Loc | undefined;
}

/**
 * Where in a value a text is: `itself` of a text; `.name` for fields of that name, of an object or of any that it leads
 * to; a variable for what a function captured in it.
 */
export type Part = string | LocalVar;
export const itself = "";
export const fieldPart = (name: string): Part => `.${name}`;

/** The borrowed text in a value; a value without any has none (undefined), never an empty one. */
export type Borrow = ReadonlyMap<Part, View>;

/** What holds a value: a variable, `this` of the function, or an object into which text was stored in this call. */
export type Holder = LocalVar | FlowObject | "this";

export const textOf = (view: View): Borrow => new Map([[itself, view]]);

/** The text in the fields of an object and in what it leads to. */
export function contents(b: Borrow | undefined): Borrow | undefined {
  if (b === undefined || !b.has(itself)) return b;
  return filled([...b].filter(([part]) => part !== itself));
}

/** A value with these texts. */
export function filled(parts: Iterable<readonly [Part, View]>): Borrow | undefined {
  const made = new Map(parts);
  return made.size === 0 ? undefined : made;
}

function both(a: View, b: View): View {
  if (a === b) return a;
  return { sources: new Set([...a.sources, ...b.sources]), at: a.at, stale: a.stale ?? b.stale };
}

/** One of these values, or (of an object) all of them in it. */
export function joined(...list: readonly (Borrow | undefined)[]): Borrow | undefined {
  let first: Borrow | undefined;
  let made: Map<Part, View> | undefined;
  for (const b of list) {
    if (b === undefined || b === first) continue;
    if (first === undefined) {
      first = b;
      continue;
    }
    made ??= new Map(first);
    for (const [part, view] of b) {
      const known = made.get(part);
      made.set(part, known === undefined ? view : both(known, view));
    }
  }
  return made ?? first;
}

/** The value after these arrays may have been written; the same when that does not matter to it. */
export function afterWrite(b: Borrow, written: ReadonlySet<FlowObject>, loc: Loc): Borrow {
  const hit = (v: View): boolean => v.stale === undefined && [...v.sources].some((o) => written.has(o));
  if (![...b.values()].some(hit)) return b;
  return new Map([...b].map(([part, v]) => [part, hit(v) ? { ...v, stale: loc } : v]));
}

export class TextState {
  readonly held = new Map<Holder, Borrow>();
  /** Operands that are evaluated and wait for the others. */
  readonly temps: (Borrow | undefined)[] = [];
  /** Control does not come here. */
  ended = false;

  copy(): TextState {
    const made = new TextState();
    for (const [v, b] of this.held) made.held.set(v, b);
    made.temps.push(...this.temps);
    made.ended = this.ended;
    return made;
  }

  put(h: Holder, b: Borrow | undefined): void {
    if (b === undefined) this.held.delete(h);
    else this.held.set(h, b);
  }

  /** More text in what a holder has. */
  add(h: Holder, b: Borrow | undefined): void {
    this.put(h, joined(this.held.get(h), b));
  }

  /** These arrays may be written now. */
  invalidate(written: ReadonlySet<FlowObject>, loc: Loc): void {
    for (const [v, b] of this.held) this.held.set(v, afterWrite(b, written, loc));
    this.temps.forEach((b, i) => {
      if (b !== undefined) this.temps[i] = afterWrite(b, written, loc);
    });
  }

  sameAs(other: TextState): boolean {
    if (this.held.size !== other.held.size) return false;
    for (const [v, b] of this.held) if (!same(b, other.held.get(v))) return false;
    return this.temps.every((b, i) => same(b, other.temps[i]));
  }
}

function same(a: Borrow | undefined, b: Borrow | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.size !== b.size) return false;
  for (const [part, view] of a) {
    const known = b.get(part);
    if (known === undefined || known.sources.size !== view.sources.size) return false;
    if ((known.stale === undefined) !== (view.stale === undefined)) return false;
  }
  return true;
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
    for (const [v, b] of s.held) made.held.set(v, joined(made.held.get(v), b) ?? b);
    s.temps.forEach((b, i) => {
      made.temps[i] = joined(made.temps[i], b);
    });
  }
  return made;
}
