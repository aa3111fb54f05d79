/**
 * Lengths of arrays and slots that are known when compiling: of what an expression makes, and of everything that an
 * expression may refer to. Read from the solved flow; lengths that constructors compute are in `constant-lengths.ts`.
 */
import type { FlowObject } from "./flow-graph.js";
import type { Expr } from "./nodes.js";

interface Flow {
  objectsOf(e: Expr): ReadonlySet<FlowObject> | undefined;
  isLate(o: FlowObject): boolean;
}

export class ArrayLengths {
  /** Of literals with spread arrays; undefined while being found, too: an array that is spread into itself has none. */
  readonly #spread = new Map<Expr, number | undefined>();

  constructor(private readonly flow: Flow) {}

  /** Of the array or slots that `e` makes; undefined when it is not constant, or `e` makes none. */
  made(e: Expr): number | undefined {
    if (e.k === "arrayLit") return e.spreads === undefined ? e.elems.length : this.#literal(e, e.spreads);
    const length =
      e.k === "newTyped" || e.k === "filled" ? e.length : e.k === "newSlots" ? e.capacity : undefined;
    return length?.k === "num" ? length.value : undefined;
  }

  /** Of every array or slots that `e` may be, when it is the same for all. */
  common(e: Expr): number | undefined {
    let common: number | undefined;
    for (const o of this.flow.objectsOf(e) ?? []) {
      const length = this.flow.isLate(o) ? undefined : this.of(o);
      if (length === undefined || (common !== undefined && common !== length)) return undefined;
      common = length;
    }
    return common;
  }

  /** Of an object of the flow; what the platform passes in and views (`subarray`) have none. */
  of(o: FlowObject): number | undefined {
    if (o.k === "made") return o.expr === undefined ? undefined : this.made(o.expr);
    if (o.k !== "snapshot" || (o.object.k !== "array" && o.object.k !== "slots")) return undefined;
    return o.object.elems.length;
  }

  #literal(e: Expr & { k: "arrayLit" }, spreads: readonly boolean[]): number | undefined {
    if (this.#spread.has(e)) return this.#spread.get(e);
    this.#spread.set(e, undefined);
    let sum: number | undefined = 0;
    e.elems.forEach((x, i) => {
      const length = spreads[i] === true ? this.common(x) : 1;
      sum = sum === undefined || length === undefined ? undefined : sum + length;
    });
    this.#spread.set(e, sum);
    return sum;
  }
}
