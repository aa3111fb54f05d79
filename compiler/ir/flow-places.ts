/**
 * The places of the flow graph and the objects in them: nodes of variables, fields, elements, results and globals, seeded
 * with what setup left there, and what handlers make. Which place flows to which is in `flow-constraints.ts`.
 */
import { FlowNode, type FlowObject } from "./flow-graph.js";
import type { MonoClass, MonoFunc, Monomorphiser } from "./monomorphise.js";
import type { Expr, GlobalVar, LocalVar } from "./nodes.js";
import type { Snapshot, SnapObject, SnapValue } from "./snapshot.js";
import type { Type } from "./types.js";

/** Types whose values refer to something that can be written or called. */
export function isTracked(t: Type): boolean {
  return (
    t.k === "object" ||
    t.k === "array" ||
    t.k === "slots" ||
    t.k === "func" ||
    (t.k === "nullable" && isTracked(t.of))
  );
}

type Closure = Extract<SnapValue, { k: "closure" }>;

export class FlowPlaces {
  readonly globals = new Set<GlobalVar>();
  /** Variables that closures of setup share. */
  readonly setupCells = new Set<LocalVar>();

  protected readonly queue: (() => void)[] = [];
  /** Variables declared without a value. */
  protected readonly unsetLocals: LocalVar[] = [];
  protected nextId = 0;
  readonly #nodes = new Map<unknown, FlowNode>();
  readonly #thisNodes = new Map<MonoFunc, FlowNode>();
  readonly #fieldNodes = new Map<FlowObject, Map<string, FlowNode>>();
  readonly #snapObjects = new Map<SnapObject, FlowObject>();
  readonly #closures = new Map<SnapValue, FlowObject>();
  readonly #made: FlowObject[] = [];

  constructor(
    protected readonly snapshot: Snapshot,
    protected readonly mono: Monomorphiser,
  ) {}

  solve(): void {
    for (let step = this.queue.pop(); step !== undefined; step = this.queue.pop()) step();
  }

  // ---- nodes -------------------------------------------------------------------------------------------------

  protected node(key: unknown): FlowNode {
    let n = this.#nodes.get(key);
    if (n === undefined) this.#nodes.set(key, (n = new FlowNode(this.queue)));
    return n;
  }

  localNode(v: LocalVar): FlowNode {
    return this.node(v);
  }

  thisNode(f: MonoFunc): FlowNode {
    let n = this.#thisNodes.get(f);
    if (n === undefined) this.#thisNodes.set(f, (n = new FlowNode(this.queue)));
    return n;
  }

  resultNode(f: MonoFunc): FlowNode {
    return this.node(f);
  }

  protected globalNode(g: GlobalVar): FlowNode {
    this.globals.add(g);
    const known = this.#nodes.get(g.id);
    if (known !== undefined) return known;
    const n = this.node(g.id);
    const initial = this.snapshot.globals.get(g.id);
    if (initial !== undefined) this.seed(n, initial.value);
    return n;
  }

  /** Elements of arrays and slots are the field `[]`; the value of a cell is the field `value`. */
  fieldNode(o: FlowObject, name: string): FlowNode {
    let fields = this.#fieldNodes.get(o);
    if (fields === undefined) this.#fieldNodes.set(o, (fields = new Map<string, FlowNode>()));
    const known = fields.get(name);
    if (known !== undefined) return known;
    const n = new FlowNode(this.queue);
    fields.set(name, n);
    if (o.k === "snapshot") {
      const s = o.object;
      if (s.k === "object") {
        const v = s.fields.get(name);
        if (v !== undefined) this.seed(n, v);
      } else if (s.k === "cell") {
        this.seed(n, s.value);
      } else if (name === "[]") {
        for (const v of s.elems) if (v !== undefined) this.seed(n, v);
      }
    }
    return n;
  }

  elementNode(o: FlowObject): FlowNode {
    return this.fieldNode(o, "[]");
  }

  protected seed(n: FlowNode, v: SnapValue): void {
    if (v.k === "ref") n.add(this.snapshotObject(v.to));
    if (v.k === "closure") n.add(this.closureObject(v));
  }

  // ---- objects -----------------------------------------------------------------------------------------------

  snapshotObject(s: SnapObject): FlowObject {
    let o = this.#snapObjects.get(s);
    if (o === undefined) {
      const cls = s.k === "object" ? this.mono.classOf(s.type) : undefined;
      o = { k: "snapshot", id: this.nextId++, object: s, cls };
      this.#snapObjects.set(s, o);
    }
    return o;
  }

  protected closureObject(c: Closure): FlowObject {
    let o = this.#closures.get(c);
    if (o === undefined) {
      o = { k: "closure", id: this.nextId++, func: this.closure(c), expr: undefined };
      this.#closures.set(c, o);
    }
    return o;
  }

  /** The function of a closure of the snapshot, with its captures and `this` connected. */
  protected closure(c: Closure): MonoFunc {
    const f = this.mono.closure(c.f, c.typeArgs);
    if (c.self !== undefined) this.seed(this.thisNode(f), c.self);
    f.captures.forEach((v, i) => {
      const value = c.env[i];
      if (value === undefined) return;
      if (value.k === "ref" && value.to.k === "cell") {
        this.setupCells.add(v);
        const cell = this.fieldNode(this.snapshotObject(value.to), "value");
        cell.flowsTo(this.localNode(v));
        this.localNode(v).flowsTo(cell);
      } else {
        this.seed(this.localNode(v), value);
      }
    });
    return f;
  }

  protected make(expr: Expr | undefined, func: MonoFunc, type: Type): FlowObject {
    const cls = type.k === "object" ? this.mono.classOf(type) : undefined;
    const o: FlowObject = { k: "made", id: this.nextId++, expr, func, type, cls };
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
    for (const v of this.unsetLocals) add(this.localNode(v));
    return found;
  }
}
