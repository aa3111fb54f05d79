/**
 * The graph that `reachability.ts` solves: which objects and closures an expression of reference type may have.
 * A node stands for a place (variable, field, element, result); objects flow along edges. Inclusion-based, fields
 * apart per object, one context per function instance.
 */
import type { Expr, Loc } from "./nodes.js";
import type { MonoClass, MonoFunc } from "./monomorphise.js";
import type { SnapObject } from "./snapshot.js";
import type { Type } from "./types.js";

/** Something that a reference can refer to. */
export type FlowObject =
  | {
      readonly k: "snapshot";
      readonly id: number;
      readonly object: SnapObject;
      readonly cls: MonoClass | undefined;
    }
  /** Made in the run phase by `expr` in `func` (`new`, a literal), or by a `catch`. */
  | {
      readonly k: "made";
      readonly id: number;
      readonly expr: Expr | undefined;
      readonly func: MonoFunc;
      readonly type: Type;
      readonly cls: MonoClass | undefined;
    }
  /** A function value. `expr`: made in the run phase by a lambda expression. */
  | { readonly k: "closure"; readonly id: number; readonly func: MonoFunc; readonly expr: Expr | undefined }
  /** What the platform passes in. */
  | { readonly k: "external"; readonly id: number; readonly type: Type };

export class FlowNode {
  readonly objects = new Set<FlowObject>();
  readonly #to = new Set<FlowNode>();
  readonly #watchers: ((o: FlowObject) => void)[] = [];

  constructor(private readonly queue: (() => void)[]) {}

  add(o: FlowObject): void {
    if (this.objects.has(o)) return;
    this.objects.add(o);
    for (const n of this.#to) this.queue.push(() => n.add(o));
    for (const w of this.#watchers) this.queue.push(() => w(o));
  }

  /** Everything that is or comes here also flows to `n`. */
  flowsTo(n: FlowNode | undefined): void {
    if (n === undefined || n === this || this.#to.has(n)) return;
    this.#to.add(n);
    for (const o of this.objects) n.add(o);
  }

  /** Calls `w` once for each object that is or comes here. */
  watch(w: (o: FlowObject) => void): void {
    this.#watchers.push(w);
    for (const o of [...this.objects]) this.queue.push(() => w(o));
  }
}

/** A call found while solving. */
export interface CallEdge {
  readonly from: MonoFunc;
  readonly to: MonoFunc;
  readonly loc: Loc;
}
