/**
 * Calls in the flow graph: which functions an expression calls, the functions reached by them, and what flows into
 * their parameters and `this`. Which copy of a function a call takes is decided here.
 */
import { constantInteger } from "./constant-lengths.js";
import type { FlowNode } from "./flow-graph.js";
import { FlowPlaces, isTracked } from "./flow-places.js";
import type { MonoClass, MonoFunc, Monomorphiser } from "./monomorphise.js";
import type { Expr, ExprOf, FuncDecl, Loc } from "./nodes.js";
import type { CallTarget } from "./reachability.js";
import type { Snapshot } from "./snapshot.js";
import type { Type } from "./types.js";

export abstract class FlowCalls extends FlowPlaces {
  readonly reached = new Set<MonoFunc>();
  readonly firstCall = new Map<MonoFunc, { readonly from: MonoFunc; readonly loc: Loc }>();
  readonly calls = new Map<MonoFunc, Map<MonoFunc, Loc>>();
  readonly #targets = new Map<Expr, Map<MonoFunc, Set<MonoClass>>>();

  constructor(
    snapshot: Snapshot,
    mono: Monomorphiser,
    /** Functions that get a copy for each function they are called with. */
    private readonly copied: ReadonlySet<FuncDecl>,
  ) {
    super(snapshot, mono);
  }

  /** Adds the constraints of a function's body. */
  protected abstract body(f: MonoFunc): void;

  targetsOf(e: Expr): CallTarget[] {
    const found = [...(this.#targets.get(e) ?? [])].map(([func, receivers]) => ({ func, receivers }));
    return found.sort((a, b) => (a.func.key < b.func.key ? -1 : 1));
  }

  protected reach(f: MonoFunc): void {
    if (this.reached.has(f)) return;
    this.reached.add(f);
    this.queue.push(() => this.body(f));
  }

  protected call(from: MonoFunc, e: Expr, to: MonoFunc, receiver: MonoClass | undefined): void {
    let targets = this.#targets.get(e);
    if (targets === undefined) this.#targets.set(e, (targets = new Map<MonoFunc, Set<MonoClass>>()));
    let receivers = targets.get(to);
    if (receivers === undefined) targets.set(to, (receivers = new Set<MonoClass>()));
    if (receiver !== undefined) receivers.add(receiver);
    let known = this.calls.get(from);
    if (known === undefined) this.calls.set(from, (known = new Map<MonoFunc, Loc>()));
    if (!known.has(to)) known.set(to, e.loc);
    if (!this.reached.has(to)) this.firstCall.set(to, { from, loc: e.loc });
    this.reach(to);
  }

  protected pass(args: readonly (FlowNode | undefined)[], to: MonoFunc): void {
    to.params.forEach((p, i) => args[i]?.flowsTo(this.localNode(p)));
  }

  protected copyFor(to: MonoFunc, args: readonly Expr[], from: MonoFunc): MonoFunc {
    if (!this.copied.has(to.decl)) return to;
    return this.mono.withClosures(
      to,
      to.params.map((_, i) => {
        const a = args[i];
        return a === undefined ? undefined : this.#knownFunction(a, from);
      }),
    );
  }

  /** The key of the function that an argument always is, when it is written there or passed on. */
  #knownFunction(e: Expr, from: MonoFunc): string | undefined {
    switch (e.k) {
      case "lambda":
        return this.mono.lambda(e.f, from).key;
      case "funcref":
        return this.mono.func(e.f, e.typeArgs).key;
      case "local":
        return from.closures.get(e.v);
      case "convert":
        return this.#knownFunction(e.arg, from);
      default:
        return undefined;
    }
  }

  /** A call by name on whatever objects come to `recv`. */
  protected dispatch(
    site: Expr,
    name: string,
    typeArgs: readonly Type[],
    from: MonoFunc,
    args: readonly (FlowNode | undefined)[],
    recv: FlowNode | undefined,
    result: FlowNode | undefined,
  ): void {
    recv?.watch((o) => {
      const cls = o.k === "snapshot" || o.k === "made" ? o.cls : undefined;
      const found = cls === undefined ? undefined : this.mono.findMethod(cls, name);
      if (cls === undefined || found === undefined) return;
      const plain = this.mono.method(found.f, found.owner, typeArgs);
      const to = site.k === "method" ? this.copyFor(plain, site.args, from) : plain;
      this.call(from, site, to, cls);
      this.pass(args, to);
      this.thisNode(to).add(o);
      if (isTracked(to.ret)) this.resultNode(to).flowsTo(result);
    });
  }

  /** The constructor, or a copy of it in which the lengths of its arrays are constant. */
  protected ctorFor(
    ctor: MonoFunc | undefined,
    e: ExprOf<"new"> | ExprOf<"superCall">,
    from: MonoFunc,
  ): MonoFunc | undefined {
    if (ctor === undefined) return undefined;
    const values = e.args.map((a) => constantInteger(a, from.constants));
    return this.mono.constructorAt(ctor, values, from, e.loc);
  }
}
