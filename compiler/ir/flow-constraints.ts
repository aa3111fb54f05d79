/**
 * Turns reachable function bodies into constraints of the flow graph and solves them: calls resolved on the fly,
 * reachable functions visited once each. No diagnostics here.
 */
import { FlowNode, type FlowObject } from "./flow-graph.js";
import type { MonoClass, MonoFunc, Monomorphiser } from "./monomorphise.js";
import type { Expr, ExprOf, FuncDecl, GlobalVar, LocalVar, Loc, LValue, Program, Stmt } from "./nodes.js";
import { constantInteger } from "./constant-lengths.js";
import { isMapOrSet, mapFields } from "./map-type.js";
import type { CallTarget } from "./reachability.js";
import type { Entry, Snapshot, SnapObject, SnapValue } from "./snapshot.js";
import type { Type } from "./types.js";
import { childrenOf, exprsOf, stmtsOf } from "./walk.js";

/** Types whose values refer to something that can be written or called. */
function isTracked(t: Type): boolean {
  return (
    t.k === "object" ||
    t.k === "array" ||
    t.k === "slots" ||
    t.k === "func" ||
    (t.k === "nullable" && isTracked(t.of))
  );
}

type Closure = Extract<SnapValue, { k: "closure" }>;

export class FlowConstraints {
  readonly reached = new Set<MonoFunc>();
  readonly firstCall = new Map<MonoFunc, { readonly from: MonoFunc; readonly loc: Loc }>();
  readonly calls = new Map<MonoFunc, Map<MonoFunc, Loc>>();
  readonly globals = new Set<GlobalVar>();
  readonly writtenFields = new Map<FlowObject, Set<string>>();
  readonly writtenArrays = new Set<FlowObject>();
  readonly writtenGlobals = new Set<string>();

  readonly #queue: (() => void)[] = [];
  readonly #nodes = new Map<unknown, FlowNode>();
  readonly #thisNodes = new Map<MonoFunc, FlowNode>();
  readonly #fieldNodes = new Map<FlowObject, Map<string, FlowNode>>();
  readonly #exprNodes = new Map<Expr, FlowNode>();
  readonly #targets = new Map<Expr, Map<MonoFunc, Set<MonoClass>>>();
  readonly #snapObjects = new Map<SnapObject, FlowObject>();
  readonly #closures = new Map<SnapValue, FlowObject>();
  readonly #made: FlowObject[] = [];
  readonly #unsetLocals: LocalVar[] = [];
  #nextId = 0;

  constructor(
    private readonly program: Program,
    private readonly snapshot: Snapshot,
    private readonly mono: Monomorphiser,
    /** Functions that get a copy for each function they are called with. */
    private readonly copied: ReadonlySet<FuncDecl>,
  ) {}

  solve(): void {
    for (let step = this.#queue.pop(); step !== undefined; step = this.#queue.pop()) step();
  }

  addEntry(entry: Entry): MonoFunc {
    const closure = this.#closure(entry.closure);
    for (const p of closure.params) {
      if (isTracked(p.type)) this.localNode(p).add({ k: "external", id: this.#nextId++, type: p.type });
    }
    this.#reach(closure);
    return closure;
  }

  // ---- nodes -------------------------------------------------------------------------------------------------

  #node(key: unknown): FlowNode {
    let n = this.#nodes.get(key);
    if (n === undefined) this.#nodes.set(key, (n = new FlowNode(this.#queue)));
    return n;
  }

  localNode(v: LocalVar): FlowNode {
    return this.#node(v);
  }

  thisNode(f: MonoFunc): FlowNode {
    let n = this.#thisNodes.get(f);
    if (n === undefined) this.#thisNodes.set(f, (n = new FlowNode(this.#queue)));
    return n;
  }

  resultNode(f: MonoFunc): FlowNode {
    return this.#node(f);
  }

  #globalNode(g: GlobalVar): FlowNode {
    this.globals.add(g);
    const known = this.#nodes.get(g.id);
    if (known !== undefined) return known;
    const n = this.#node(g.id);
    const initial = this.snapshot.globals.get(g.id);
    if (initial !== undefined) this.#seed(n, initial.value);
    return n;
  }

  /** Elements of arrays and slots are the field `[]`; the value of a cell is the field `value`. */
  fieldNode(o: FlowObject, name: string): FlowNode {
    let fields = this.#fieldNodes.get(o);
    if (fields === undefined) this.#fieldNodes.set(o, (fields = new Map<string, FlowNode>()));
    const known = fields.get(name);
    if (known !== undefined) return known;
    const n = new FlowNode(this.#queue);
    fields.set(name, n);
    if (o.k === "snapshot") {
      const s = o.object;
      if (s.k === "object") {
        const v = s.fields.get(name);
        if (v !== undefined) this.#seed(n, v);
      } else if (s.k === "cell") {
        this.#seed(n, s.value);
      } else if (name === "[]") {
        for (const v of s.elems) if (v !== undefined) this.#seed(n, v);
      }
    }
    return n;
  }

  elementNode(o: FlowObject): FlowNode {
    return this.fieldNode(o, "[]");
  }

  #seed(n: FlowNode, v: SnapValue): void {
    if (v.k === "ref") n.add(this.snapshotObject(v.to));
    if (v.k === "closure") n.add(this.#closureObject(v));
  }

  // ---- objects -----------------------------------------------------------------------------------------------

  snapshotObject(s: SnapObject): FlowObject {
    let o = this.#snapObjects.get(s);
    if (o === undefined) {
      const cls = s.k === "object" ? this.mono.classOf(s.type) : undefined;
      o = { k: "snapshot", id: this.#nextId++, object: s, cls };
      this.#snapObjects.set(s, o);
    }
    return o;
  }

  #closureObject(c: Closure): FlowObject {
    let o = this.#closures.get(c);
    if (o === undefined) {
      o = { k: "closure", id: this.#nextId++, func: this.#closure(c), expr: undefined };
      this.#closures.set(c, o);
    }
    return o;
  }

  /** The function of a closure of the snapshot, with its captures and `this` connected. */
  #closure(c: Closure): MonoFunc {
    const f = this.mono.closure(c.f, c.typeArgs);
    if (c.self !== undefined) this.#seed(this.thisNode(f), c.self);
    f.captures.forEach((v, i) => {
      const value = c.env[i];
      if (value === undefined) return;
      if (value.k === "ref" && value.to.k === "cell") {
        const cell = this.fieldNode(this.snapshotObject(value.to), "value");
        cell.flowsTo(this.localNode(v));
        this.localNode(v).flowsTo(cell);
      } else {
        this.#seed(this.localNode(v), value);
      }
    });
    return f;
  }

  #make(expr: Expr | undefined, func: MonoFunc, type: Type): FlowObject {
    const cls = type.k === "object" ? this.mono.classOf(type) : undefined;
    const o: FlowObject = { k: "made", id: this.#nextId++, expr, func, type, cls };
    this.#made.push(o);
    return o;
  }

  instantiatedClasses(): MonoClass[] {
    const found = new Map<string, MonoClass>();
    for (const s of this.snapshot.objects) {
      if (s.k === "object") {
        const c = this.mono.classOf(s.type);
        found.set(c.key, c);
      }
    }
    for (const o of this.#made) if (o.k === "made" && o.cls !== undefined) found.set(o.cls.key, o.cls);
    return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  // ---- results -----------------------------------------------------------------------------------------------

  targetsOf(e: Expr): CallTarget[] {
    const found = [...(this.#targets.get(e) ?? [])].map(([func, receivers]) => ({ func, receivers }));
    return found.sort((a, b) => (a.func.key < b.func.key ? -1 : 1));
  }

  objectsOf(e: Expr): ReadonlySet<FlowObject> | undefined {
    return this.#exprNodes.get(e)?.objects;
  }

  /**
   * Everything that is held by a place which may be read before it has a value: a field of an object made in the run
   * phase, a slot, a variable declared without a value.
   */
  lateObjects(): Set<FlowObject> {
    const found = new Set<FlowObject>();
    const add = (n: FlowNode): void => n.objects.forEach((o) => found.add(o));
    for (const [o, fields] of this.#fieldNodes) {
      const isSlots = o.k === "snapshot" ? o.object.k === "slots" : o.k === "made" && o.type.k === "slots";
      if (isSlots || (o.k === "made" && o.cls !== undefined)) fields.forEach(add);
    }
    for (const v of this.#unsetLocals) add(this.localNode(v));
    return found;
  }

  // ---- functions ---------------------------------------------------------------------------------------------

  #reach(f: MonoFunc): void {
    if (this.reached.has(f)) return;
    this.reached.add(f);
    this.#queue.push(() => this.#stmts(f.body, f));
  }

  #call(from: MonoFunc, e: Expr, to: MonoFunc, receiver: MonoClass | undefined): void {
    let targets = this.#targets.get(e);
    if (targets === undefined) this.#targets.set(e, (targets = new Map<MonoFunc, Set<MonoClass>>()));
    let receivers = targets.get(to);
    if (receivers === undefined) targets.set(to, (receivers = new Set<MonoClass>()));
    if (receiver !== undefined) receivers.add(receiver);
    let known = this.calls.get(from);
    if (known === undefined) this.calls.set(from, (known = new Map<MonoFunc, Loc>()));
    if (!known.has(to)) known.set(to, e.loc);
    if (!this.reached.has(to)) this.firstCall.set(to, { from, loc: e.loc });
    this.#reach(to);
  }

  #pass(args: readonly (FlowNode | undefined)[], to: MonoFunc): void {
    to.params.forEach((p, i) => args[i]?.flowsTo(this.localNode(p)));
  }

  #stmts(body: readonly Stmt[], f: MonoFunc): void {
    for (const s of body) this.#stmt(s, f);
  }

  #stmt(s: Stmt, f: MonoFunc): void {
    switch (s.k) {
      case "let":
        if (s.init !== undefined) this.#expr(s.init, f)?.flowsTo(this.localNode(s.v));
        else if (isTracked(s.v.type)) this.#unsetLocals.push(s.v);
        return;
      case "return":
        if (s.value !== undefined) this.#expr(s.value, f)?.flowsTo(this.resultNode(f));
        return;
      case "forOf":
        this.#forOf(s, f);
        break;
      case "try":
        if (s.v !== undefined) this.localNode(s.v).add(this.#make(undefined, f, s.v.type));
        break;
      default:
        for (const e of exprsOf(s)) this.#expr(e, f);
    }
    this.#stmts(stmtsOf(s), f);
  }

  #forOf(s: Extract<Stmt, { k: "forOf" }>, f: MonoFunc): void {
    const of = this.#expr(s.of, f);
    if (isMapOrSet(s.of.type)) {
      const from = s.lengthOf === "mapValues" ? mapFields.values : mapFields.keys;
      this.#fromTable(of, from, s.v);
      if (s.second !== undefined) this.#fromTable(of, mapFields.values, s.second);
      return;
    }
    if (s.get === undefined) {
      of?.watch((o) => {
        if (isTracked(s.v.type)) this.elementNode(o).flowsTo(this.localNode(s.v));
      });
      return;
    }
    this.#dispatch(s.of, s.get.name, [], f, [], of, this.localNode(s.v));
    if (s.lengthOf === "method") this.#dispatch(s.of, "length", [], f, [], of, undefined);
  }

  /** What a table of a Map or Set holds flows to a variable. */
  #fromTable(map: FlowNode | undefined, field: string, to: LocalVar): void {
    if (isTracked(to.type)) this.#tableElements(map, field, this.localNode(to));
  }

  #tableElements(map: FlowNode | undefined, field: string, to: FlowNode): void {
    map?.watch((o) => this.fieldNode(o, field).watch((table) => this.elementNode(table).flowsTo(to)));
  }

  // ---- expressions -------------------------------------------------------------------------------------------

  /** The node of an expression's value; undefined when its type is not tracked. */
  #expr(e: Expr, f: MonoFunc): FlowNode | undefined {
    const n = this.#constrain(e, f);
    if (n !== undefined) this.#exprNodes.set(e, n);
    return n;
  }

  #all(list: readonly Expr[], f: MonoFunc): (FlowNode | undefined)[] {
    return list.map((e) => this.#expr(e, f));
  }

  #fresh(e: Expr): FlowNode | undefined {
    return isTracked(e.type) ? new FlowNode(this.#queue) : undefined;
  }

  #constrain(e: Expr, f: MonoFunc): FlowNode | undefined {
    switch (e.k) {
      case "local":
        return isTracked(e.type) ? this.localNode(e.v) : undefined;
      case "global":
      case "staticField": {
        const n = this.#globalNode(e.g);
        return isTracked(e.type) ? n : undefined;
      }
      case "this":
        return this.thisNode(f);
      case "funcref": {
        const n = new FlowNode(this.#queue);
        n.add({ k: "closure", id: this.#nextId++, func: this.mono.func(e.f, e.typeArgs), expr: e });
        return n;
      }
      case "lambda":
        return this.#lambda(e, f);
      case "cond": {
        this.#expr(e.test, f);
        const n = this.#fresh(e);
        for (const side of [e.then, e.else]) {
          const from = this.#expr(side, f);
          if (n !== undefined) from?.flowsTo(n);
        }
        return n;
      }
      case "bind": {
        const init = this.#expr(e.init, f);
        if (isTracked(e.v.type)) init?.flowsTo(this.localNode(e.v));
        return this.#expr(e.body, f);
      }
      case "convert":
        return this.#convert(e, f);
      case "call":
        return this.#directCall(e, f);
      case "method":
        return this.#method(e, f);
      case "superCall": {
        const args = this.#all(e.args, f);
        if (e.f !== undefined && e.superclass.k === "object") {
          const ctor = this.#ctorFor(this.mono.ctorOf(this.mono.classOf(e.superclass)), e, f);
          if (ctor !== undefined) {
            this.#call(f, e, ctor, undefined);
            this.#pass(args, ctor);
            this.thisNode(f).flowsTo(this.thisNode(ctor));
          }
        }
        return undefined;
      }
      case "callValue": {
        const fn = this.#expr(e.fn, f);
        const args = this.#all(e.args, f);
        const result = this.#fresh(e);
        fn?.watch((o) => {
          if (o.k !== "closure") return;
          this.#call(f, e, o.func, undefined);
          this.#pass(args, o.func);
          this.resultNode(o.func).flowsTo(result);
        });
        return result;
      }
      case "builtin":
        return this.#builtin(e, f);
      case "new":
        return this.#new(e, f);
      case "newTyped":
      case "newSlots":
      case "filled":
      case "arrayLit":
      case "objectLit":
        return this.#literal(e, f);
      case "field": {
        const obj = this.#expr(e.obj, f);
        const result = this.#fresh(e);
        if (result !== undefined) obj?.watch((o) => this.fieldNode(o, e.name).flowsTo(result));
        return result;
      }
      case "index": {
        const obj = this.#expr(e.obj, f);
        this.#expr(e.index, f);
        const result = this.#fresh(e);
        if (result !== undefined) obj?.watch((o) => this.elementNode(o).flowsTo(result));
        return result;
      }
      case "assign": {
        const target = this.#targetObjects(e.target, f);
        const value = this.#expr(e.value, f);
        this.#store(e.target, target, value);
        return value;
      }
      case "update": {
        const target = this.#targetObjects(e.target, f);
        this.#store(e.target, target, this.#expr(e.compute, f));
        return undefined;
      }
      default:
        for (const c of childrenOf(e)) this.#expr(c, f);
        return undefined;
    }
  }

  #convert(e: ExprOf<"convert">, f: MonoFunc): FlowNode | undefined {
    const arg = this.#expr(e.arg, f);
    if (arg === undefined || e.mode !== "downcast" || e.type.k !== "object") return arg;
    const to = this.mono.classOf(e.type);
    const result = new FlowNode(this.#queue);
    arg.watch((o) => {
      const cls = o.k === "snapshot" || o.k === "made" ? o.cls : undefined;
      if (cls === undefined || this.mono.isSubtype(cls, to)) result.add(o);
    });
    return result;
  }

  #lambda(e: ExprOf<"lambda">, f: MonoFunc): FlowNode {
    const inner = this.mono.lambda(e.f, f);
    const n = new FlowNode(this.#queue);
    n.add({ k: "closure", id: this.#nextId++, func: inner, expr: e });
    if (e.f.usesThis) this.thisNode(f).flowsTo(this.thisNode(inner));
    e.f.captures.forEach((captured, i) => {
      const there = inner.captures[i];
      const here = f.local(captured);
      if (there === undefined || there === here) return;
      this.localNode(here).flowsTo(this.localNode(there));
      if (captured.mutable) this.localNode(there).flowsTo(this.localNode(here));
    });
    return n;
  }

  #directCall(e: ExprOf<"call">, f: MonoFunc): FlowNode | undefined {
    const args = this.#all(e.args, f);
    const to = this.#copyFor(this.mono.func(e.f, e.typeArgs), e.args, f);
    this.#call(f, e, to, undefined);
    const result = this.#fresh(e);
    if (to.decl.kind === "extern") {
      // The platform may write into any array that its signature does not protect.
      e.args.forEach((arg, i) => {
        if (arg.type.k === "array" && !arg.type.readonly) args[i]?.watch((o) => this.writtenArrays.add(o));
      });
      result?.add({ k: "external", id: this.#nextId++, type: e.type });
      return result;
    }
    this.#pass(args, to);
    this.resultNode(to).flowsTo(result);
    return result;
  }

  #method(e: ExprOf<"method">, f: MonoFunc): FlowNode | undefined {
    const recv = this.#expr(e.recv, f);
    const args = this.#all(e.args, f);
    const result = this.#fresh(e);
    if (e.isSuper) {
      const owner =
        f.owner?.superclass ?? (e.recv.type.k === "object" ? this.mono.classOf(e.recv.type) : undefined);
      const found = owner === undefined ? undefined : this.mono.findMethod(owner, e.f.name);
      if (found === undefined) return result;
      const to = this.#copyFor(this.mono.method(found.f, found.owner, e.typeArgs), e.args, f);
      this.#call(f, e, to, undefined);
      this.#pass(args, to);
      recv?.flowsTo(this.thisNode(to));
      this.resultNode(to).flowsTo(result);
      return result;
    }
    this.#dispatch(e, e.f.name, e.typeArgs, f, args, recv, result);
    return result;
  }

  #copyFor(to: MonoFunc, args: readonly Expr[], from: MonoFunc): MonoFunc {
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
  #dispatch(
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
      const to = site.k === "method" ? this.#copyFor(plain, site.args, from) : plain;
      this.#call(from, site, to, cls);
      this.#pass(args, to);
      this.thisNode(to).add(o);
      if (isTracked(to.ret)) this.resultNode(to).flowsTo(result);
    });
  }

  #builtin(e: ExprOf<"builtin">, f: MonoFunc): FlowNode | undefined {
    const args = this.#all(e.args, f);
    const array = args[0];
    switch (e.name) {
      case "arrayFill":
      case "slotsSet": {
        const value = args[e.name === "arrayFill" ? 1 : 2];
        array?.watch((o) => {
          this.writtenArrays.add(o);
          value?.flowsTo(this.elementNode(o));
        });
        return e.name === "arrayFill" ? array : undefined;
      }
      case "arraySet":
        array?.watch((o) => this.writtenArrays.add(o));
        return undefined;
      case "subarray": {
        // The same storage, but not the whole of it: a second object keeps anyone from taking it for the array.
        const view = new FlowNode(this.#queue);
        array?.flowsTo(view);
        view.add({ k: "external", id: this.#nextId++, type: e.type });
        return view;
      }
      case "mapGet": {
        const result = this.#fresh(e);
        if (result !== undefined) this.#tableElements(array, mapFields.values, result);
        return result;
      }
      case "slotsGet": {
        const result = this.#fresh(e);
        if (result !== undefined) array?.watch((o) => this.elementNode(o).flowsTo(result));
        return result;
      }
      default:
        return undefined;
    }
  }

  #new(e: ExprOf<"new">, f: MonoFunc): FlowNode {
    const args = this.#all(e.args, f);
    const n = new FlowNode(this.#queue);
    if (e.type.k !== "object") return n;
    const o = this.#make(e, f, e.type);
    n.add(o);
    const ctor = this.#ctorFor(this.mono.ctorOf(this.mono.classOf(e.type)), e, f);
    if (ctor !== undefined) {
      this.#call(f, e, ctor, undefined);
      this.#pass(args, ctor);
      this.thisNode(ctor).add(o);
    }
    return n;
  }

  /** The constructor, or a copy of it in which the lengths of its arrays are constant. */
  #ctorFor(
    ctor: MonoFunc | undefined,
    e: ExprOf<"new"> | ExprOf<"superCall">,
    from: MonoFunc,
  ): MonoFunc | undefined {
    if (ctor === undefined) return undefined;
    const values = e.args.map((a) => constantInteger(a, from.constants));
    return this.mono.constructorAt(ctor, values, from, e.loc);
  }

  #literal(e: Expr, f: MonoFunc): FlowNode {
    const n = new FlowNode(this.#queue);
    const o = this.#make(e, f, e.type);
    n.add(o);
    if (e.k === "objectLit") {
      for (const field of e.fields) this.#expr(field.value, f)?.flowsTo(this.fieldNode(o, field.name));
    } else {
      childrenOf(e).forEach((c, i) => {
        const part = this.#expr(c, f);
        if (e.k !== "arrayLit" || e.spreads?.[i] !== true) part?.flowsTo(this.elementNode(o));
        else part?.watch((from) => this.elementNode(from).flowsTo(this.elementNode(o)));
      });
    }
    return n;
  }

  // ---- stores ------------------------------------------------------------------------------------------------

  /** Evaluates the operands of a target; the node of the object or array that is written into. */
  #targetObjects(t: LValue, f: MonoFunc): FlowNode | undefined {
    if (t.k === "index") {
      const obj = this.#expr(t.obj, f);
      this.#expr(t.index, f);
      return obj;
    }
    return t.k === "field" ? this.#expr(t.obj, f) : undefined;
  }

  #store(t: LValue, into: FlowNode | undefined, value: FlowNode | undefined): void {
    switch (t.k) {
      case "local":
        value?.flowsTo(this.localNode(t.v));
        return;
      case "global":
      case "staticField":
        this.writtenGlobals.add(t.g.id);
        value?.flowsTo(this.#globalNode(t.g));
        this.globals.add(t.g);
        return;
      case "field":
        into?.watch((o) => {
          let fields = this.writtenFields.get(o);
          if (fields === undefined) this.writtenFields.set(o, (fields = new Set<string>()));
          fields.add(t.name);
          if (value !== undefined) value.flowsTo(this.fieldNode(o, t.name));
        });
        return;
      case "index":
        into?.watch((o) => {
          this.writtenArrays.add(o);
          if (value !== undefined) value.flowsTo(this.elementNode(o));
        });
        return;
    }
  }
}
