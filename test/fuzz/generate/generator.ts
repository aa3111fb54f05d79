/**
 * What a generator of programs knows while it writes one: random choices, what can be used where (by type), which names
 * are taken. What there is to write is in the other files of this folder, which register it here.
 */
import type fc from "fast-check";
import { list, textOf, type Tree } from "./tree.js";

/** Writes an expression, a place or a statement; `depth`: how many levels may still stand below. */
export type Make = (depth: number) => Tree;

export interface Offer {
  readonly make: Make;
  readonly weight: number;
  /** The variable it is about: an inner one of that name hides it. */
  readonly name?: string;
  /** Calls a function value, or something that does: not for closures and methods, lest there be a circle of calls. */
  readonly indirect: boolean;
  /** A name and nothing below it: where a program must stop growing. */
  readonly plain: boolean;
  /** Lives in static storage: may be kept. */
  readonly kept: boolean;
  /** Loops over its statements: not inside two others. */
  readonly loop: boolean;
}

export type OfferChoice = Partial<Omit<Offer, "make">>;

class Frame {
  readonly values = new Map<string, Offer[]>();
  readonly places = new Map<string, Offer[]>();
  readonly statements: Offer[] = [];
  readonly names = new Set<string>();
  /** Nothing from outside was used in it. */
  fresh = true;
}

export class Generator {
  /** Shrinks as the program grows; below zero only leaves are written. */
  budget: number;
  /** Inside a closure or method: see Offer.indirect. */
  direct = false;
  /** What the function being written uses: see Offer.indirect. */
  usedIndirect = false;
  /** Labels and kinds of the loops around. */
  readonly loops: { readonly label: string | undefined }[] = [];
  /** Module variables that TypeScript knows more of here than their type says. */
  readonly narrowed = new Set<string>();
  /** Writing `main`, which nothing calls. */
  inMain = false;
  /** Text buffers of the module. */
  readonly buffers: string[] = [];
  readonly imports = new Set<string>();
  readonly declarations: Tree[] = [];
  private readonly frames: Frame[] = [new Frame()];
  private serial = 0;

  constructor(
    private readonly random: fc.Random,
    size: number,
  ) {
    this.budget = size;
  }

  // ---- choices ----

  int(from: number, to: number): number {
    return this.random.nextInt(from, to);
  }

  chance(percent: number): boolean {
    return this.int(1, 100) <= percent;
  }

  pick<T>(options: readonly T[]): T {
    const found = options[this.int(0, options.length - 1)];
    if (found === undefined) throw new Error("nothing to pick from");
    return found;
  }

  weighted<T>(options: readonly (readonly [weight: number, make: () => T])[]): T {
    let at = this.int(0, options.reduce((sum, [w]) => sum + w, 0) - 1);
    for (const [w, make] of options) {
      at -= w;
      if (at < 0) return make();
    }
    throw new Error("nothing to choose from");
  }

  /** A name that no other declaration of the module has. */
  unique(prefix: string): string {
    return `${prefix}${this.serial++}`;
  }

  /**
   * A name of a local. Names repeat in other functions and blocks, and now and then hide one of a block around: where
   * nothing of the block was used yet (`"here"`), or in a block that is to come (`"inside"`).
   */
  local(
    prefix: string,
    hide: "no" | "here" | "inside" = "no",
  ): { readonly name: string; readonly hides: boolean } {
    const own = hide === "here" && this.frame.fresh ? this.frame.names : new Set<string>();
    const mayHide = hide === "inside" || (hide === "here" && this.frame.fresh);
    const outer = mayHide ? this.frames.slice(2).flatMap((f) => [...f.names]) : [];
    const hidable = outer.filter((n) => n.startsWith(prefix) && !own.has(n));
    if (hidable.length > 0 && this.chance(25)) return { name: this.pick(hidable), hides: true };
    let i = 0;
    while (this.frames.some((f) => f.names.has(`${prefix}${i}`))) i++;
    return { name: `${prefix}${i}`, hides: false };
  }

  // ---- scopes ----

  /** `begun`: the block has statements before what is written, which may use names from outside. */
  scoped<T>(write: () => T, begun = false): T {
    const frame = new Frame();
    frame.fresh = !begun;
    this.frames.push(frame);
    try {
      return write();
    } finally {
      this.frames.pop();
    }
  }

  /** A function body: `direct` as in the field; returns what it used, too. */
  inFunction<T>(direct: boolean, write: () => T): { readonly result: T; readonly indirect: boolean } {
    const before = {
      direct: this.direct,
      used: this.usedIndirect,
      loops: this.loops.splice(0),
      main: this.inMain,
    };
    this.inMain = false;
    this.direct = direct || before.direct;
    this.usedIndirect = false;
    try {
      const result = this.scoped(write);
      return { result, indirect: this.usedIndirect };
    } finally {
      this.direct = before.direct;
      this.inMain = before.main;
      this.usedIndirect = before.used || this.usedIndirect;
      this.loops.splice(0, this.loops.length, ...before.loops);
    }
  }

  private get frame(): Frame {
    const top = this.frames.at(-1);
    if (top === undefined) throw new Error("no scope");
    return top;
  }

  declareName(name: string): void {
    this.frame.names.add(name);
  }

  value(type: string, make: Make, choice: OfferChoice = {}): void {
    add(this.frame.values, type, offer(make, choice));
  }

  place(type: string, make: Make, choice: OfferChoice = {}): void {
    add(this.frame.places, type, offer(make, choice));
  }

  statementOf(make: Make, choice: OfferChoice = {}): void {
    this.frame.statements.push(offer(make, choice));
  }

  /** A variable, by name: a value, and a place unless it is constant. */
  variable(type: string, name: string, choice: OfferChoice & { readonly constant?: boolean } = {}): void {
    this.declareName(name);
    const make: Make = () => ({ sort: type, parts: [name] });
    this.value(type, make, { weight: 3, plain: true, ...choice, name });
    if (choice.constant !== true) this.place(type, make, { weight: 3, plain: true, ...choice, name });
  }

  private visible(select: (f: Frame) => readonly Offer[], kept: boolean): Offer[] {
    const hidden = new Set<string>();
    const out: Offer[] = [];
    for (const f of this.frames.toReversed()) {
      for (const o of select(f)) {
        if (o.name !== undefined && hidden.has(o.name)) continue;
        if ((o.indirect && this.direct) || (kept && !o.kept) || (o.loop && !this.mayLoop)) continue;
        out.push(o);
      }
      for (const n of f.names) hidden.add(n);
    }
    return out;
  }

  /** What runs stays short: loops are at most two deep, and one in a function. */
  get mayLoop(): boolean {
    return this.loops.length < (this.inMain ? 2 : 1);
  }

  values(type: string, kept = false): Offer[] {
    return this.visible((f) => f.values.get(type) ?? [], kept);
  }

  places(type: string): Offer[] {
    return this.visible((f) => f.places.get(type) ?? [], false);
  }

  statements(): Offer[] {
    return this.visible((f) => f.statements, false);
  }

  /** One of the offers, written. */
  take(offers: readonly Offer[], depth: number): Tree {
    for (const f of this.frames) f.fresh = false;
    return this.weighted(
      offers.map(
        (o) =>
          [
            o.weight,
            () => {
              this.budget--;
              if (o.indirect) this.usedIndirect = true;
              return o.make(depth);
            },
          ] as const,
      ),
    );
  }

  declare(t: Tree): void {
    this.declarations.push(t);
  }

  /** The module: what was imported and declared, and nothing else. */
  module(): Tree {
    const imports: Tree[] =
      this.imports.size === 0
        ? []
        : [{ sort: "import", parts: [`import { ${[...this.imports].sort().join(", ")} } from "tmc";`] }];
    return { sort: "module", parts: [...imports.flatMap((t) => [textOf(t), "\n"]), list(this.declarations)] };
  }
}

function offer(make: Make, choice: OfferChoice): Offer {
  return { make, weight: 1, indirect: false, plain: false, kept: false, loop: false, ...choice };
}

function add(map: Map<string, Offer[]>, type: string, o: Offer): void {
  const found = map.get(type);
  if (found === undefined) map.set(type, [o]);
  else found.push(o);
}
