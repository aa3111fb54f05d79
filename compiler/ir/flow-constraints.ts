/**
 * Turns reachable function bodies into constraints of the flow graph and solves them: calls resolved on the fly,
 * reachable functions visited once each. No diagnostics here. Places: `flow-places.ts`, calls: `flow-calls.ts`.
 */
import { FlowCalls } from "./flow-calls.js";
import { FlowNode, type FlowObject } from "./flow-graph.js";
import { isTracked } from "./flow-places.js";
import { isMapOrSet, mapFields } from "./map-type.js";
import type { MonoFunc } from "./monomorphise.js";
import type { Expr, ExprOf, LocalVar, LValue, Stmt } from "./nodes.js";
import type { Entry } from "./snapshot.js";
import { childrenOf, exprsOf, stmtsOf } from "./walk.js";

export class FlowConstraints extends FlowCalls {
  readonly writtenFields = new Map<FlowObject, Set<string>>();
  readonly writtenArrays = new Set<FlowObject>();
  readonly writtenGlobals = new Set<string>();
  readonly #exprNodes = new Map<Expr, FlowNode>();

  addEntry(entry: Entry): MonoFunc {
    const closure = this.closure(entry.closure);
    for (const p of closure.params) {
      if (isTracked(p.type)) this.localNode(p).add({ k: "external", id: this.nextId++, type: p.type });
    }
    this.reach(closure);
    return closure;
  }

  protected body(f: MonoFunc): void {
    this.#stmts(f.body, f);
  }

  objectsOf(e: Expr): ReadonlySet<FlowObject> | undefined {
    return this.#exprNodes.get(e)?.objects;
  }

  #stmts(body: readonly Stmt[], f: MonoFunc): void {
    for (const s of body) this.#stmt(s, f);
  }

  #stmt(s: Stmt, f: MonoFunc): void {
    switch (s.k) {
      case "let":
        if (s.init !== undefined) this.#expr(s.init, f)?.flowsTo(this.localNode(s.v));
        else if (isTracked(s.v.type)) this.unsetLocals.push(s.v);
        return;
      case "return":
        if (s.value !== undefined) this.#expr(s.value, f)?.flowsTo(this.resultNode(f));
        return;
      case "forOf":
        this.#forOf(s, f);
        break;
      case "try":
        if (s.v !== undefined) this.localNode(s.v).add(this.make(undefined, f, s.v.type));
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
    this.dispatch(s.of, s.get.name, [], f, [], of, this.localNode(s.v));
    if (s.lengthOf === "method") this.dispatch(s.of, "length", [], f, [], of, undefined);
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
    return isTracked(e.type) ? new FlowNode(this.queue) : undefined;
  }

  #constrain(e: Expr, f: MonoFunc): FlowNode | undefined {
    switch (e.k) {
      case "local":
        return isTracked(e.type) ? this.localNode(e.v) : undefined;
      case "global":
      case "staticField": {
        const n = this.globalNode(e.g);
        return isTracked(e.type) ? n : undefined;
      }
      case "this":
        return this.thisNode(f);
      case "funcref": {
        const n = new FlowNode(this.queue);
        n.add({ k: "closure", id: this.nextId++, func: this.mono.func(e.f, e.typeArgs), expr: e });
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
          const ctor = this.ctorFor(this.mono.ctorOf(this.mono.classOf(e.superclass)), e, f);
          if (ctor !== undefined) {
            this.call(f, e, ctor, undefined);
            this.pass(args, ctor);
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
          this.call(f, e, o.func, undefined);
          this.pass(args, o.func);
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
    const result = new FlowNode(this.queue);
    arg.watch((o) => {
      const cls = o.k === "snapshot" || o.k === "made" ? o.cls : undefined;
      if (cls === undefined || this.mono.isSubtype(cls, to)) result.add(o);
    });
    return result;
  }

  #lambda(e: ExprOf<"lambda">, f: MonoFunc): FlowNode {
    const inner = this.mono.lambda(e.f, f);
    const n = new FlowNode(this.queue);
    n.add({ k: "closure", id: this.nextId++, func: inner, expr: e });
    if (e.f.usesThis) this.thisNode(f).flowsTo(this.thisNode(inner));
    e.f.captures.forEach((captured, i) => {
      const there = inner.captures[i];
      const here = f.local(captured);
      if (there === undefined || there === here) return;
      if (this.setupCells.has(here)) this.setupCells.add(there);
      this.localNode(here).flowsTo(this.localNode(there));
      if (captured.mutable) this.localNode(there).flowsTo(this.localNode(here));
    });
    return n;
  }

  #directCall(e: ExprOf<"call">, f: MonoFunc): FlowNode | undefined {
    const args = this.#all(e.args, f);
    const to = this.copyFor(this.mono.func(e.f, e.typeArgs), e.args, f);
    this.call(f, e, to, undefined);
    const result = this.#fresh(e);
    if (to.decl.kind === "extern") {
      // The platform may write into any array that its signature does not protect.
      e.args.forEach((arg, i) => {
        if (arg.type.k === "array" && !arg.type.readonly) args[i]?.watch((o) => this.writtenArrays.add(o));
      });
      result?.add({ k: "external", id: this.nextId++, type: e.type });
      return result;
    }
    this.pass(args, to);
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
      const to = this.copyFor(this.mono.method(found.f, found.owner, e.typeArgs), e.args, f);
      this.call(f, e, to, undefined);
      this.pass(args, to);
      recv?.flowsTo(this.thisNode(to));
      this.resultNode(to).flowsTo(result);
      return result;
    }
    this.dispatch(e, e.f.name, e.typeArgs, f, args, recv, result);
    return result;
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
        const view = new FlowNode(this.queue);
        array?.flowsTo(view);
        view.add({ k: "external", id: this.nextId++, type: e.type });
        return view;
      }
      case "mapGet": {
        const result = this.#fresh(e);
        if (result !== undefined) this.#tableElements(array, mapFields.values, result);
        return result;
      }
      case "mapKeyAt":
      case "mapValueAt": {
        const result = this.#fresh(e);
        const table = e.name === "mapKeyAt" ? mapFields.keys : mapFields.values;
        if (result !== undefined) this.#tableElements(array, table, result);
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
    const n = new FlowNode(this.queue);
    if (e.type.k !== "object" || e.inSetup === true) return n;
    const o = this.make(e, f, e.type);
    n.add(o);
    const ctor = this.ctorFor(this.mono.ctorOf(this.mono.classOf(e.type)), e, f);
    if (ctor !== undefined) {
      this.call(f, e, ctor, undefined);
      this.pass(args, ctor);
      this.thisNode(ctor).add(o);
    }
    return n;
  }

  #literal(e: Expr, f: MonoFunc): FlowNode {
    const n = new FlowNode(this.queue);
    const o = this.make(e, f, e.type);
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
        value?.flowsTo(this.globalNode(t.g));
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
