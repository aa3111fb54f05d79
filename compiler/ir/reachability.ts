/**
 * What the run phase can reach: starting from the snapshot's entries, it follows calls, virtual calls (to the classes
 * that can really arrive there) and calls of function values (to the closures that can really arrive there), and
 * records what may be written. The constraints of each expression are in `flow-constraints.ts`. It reports nothing
 * but recursion; other rules about run-phase code are checked by passes over the result.
 */
import { ArrayLengths } from "./array-length.js";
import { FlowConstraints } from "./flow-constraints.js";
import type { FlowObject } from "./flow-graph.js";
import { Monomorphiser, type MonoClass, type MonoFunc } from "./monomorphise.js";
import type { Expr, FuncDecl, GlobalVar, LocalVar, Loc, Program } from "./nodes.js";
import type { Entry, Snapshot } from "./snapshot.js";
import { typeName, type Type } from "./types.js";

export interface ReachedEntry {
  readonly entry: Entry;
  readonly func: MonoFunc;
}

export interface CallStep {
  readonly func: MonoFunc;
  /** Where the step before calls it; undefined for the entry. */
  readonly loc: Loc | undefined;
}

/** A target of a call expression; `receivers` are the classes for which a method call goes there. */
export interface CallTarget {
  readonly func: MonoFunc;
  readonly receivers: ReadonlySet<MonoClass>;
}

export interface ReachableProgram {
  readonly program: Program;
  readonly snapshot: Snapshot;
  readonly mono: Monomorphiser;
  /** Everything the run phase can call, without externs, in source order. */
  readonly functions: readonly MonoFunc[];
  /** The externs it can call. */
  readonly externs: readonly MonoFunc[];
  /** Classes (and interfaces, for object literals) of which an object exists in the run phase. */
  readonly classes: readonly MonoClass[];
  /** Globals it reads or writes. */
  readonly globals: readonly GlobalVar[];
  readonly entries: readonly ReachedEntry[];
  /** From the entry to `f`, the shortest that was found first. */
  callPath(f: MonoFunc): readonly CallStep[];
  /** Targets of a call, method, callValue, new or superCall; empty when none can happen. */
  targets(e: Expr): readonly CallTarget[];
  /** What an expression of reference type may refer to; undefined for other expressions. */
  objectsOf(e: Expr): ReadonlySet<FlowObject> | undefined;
  objectsOfLocal(v: LocalVar): ReadonlySet<FlowObject>;
  objectsOfThis(f: MonoFunc): ReadonlySet<FlowObject>;
  /** What a function may return. */
  objectsOfResult(f: MonoFunc): ReadonlySet<FlowObject>;
  objectsOfField(o: FlowObject, name: string): ReadonlySet<FlowObject>;
  objectsOfElements(o: FlowObject): ReadonlySet<FlowObject>;
  /** May run-phase code assign this field of this object? */
  isFieldWritten(o: FlowObject, name: string): boolean;
  /** May run-phase code write an element of this array or slots? */
  isArrayWritten(o: FlowObject): boolean;
  isGlobalWritten(g: GlobalVar): boolean;
  /** A variable that closures of setup captured and assign: it keeps its value from one handler to the next. */
  isSetupCell(v: LocalVar): boolean;
  /** Held by a place that may be read before it has a value: what is read there may be a zero instead. */
  isLate(o: FlowObject): boolean;
  /** How many elements the array or slots made by `e` has; undefined when that is not constant. */
  madeLength(e: Expr): number | undefined;
  lengthOf(o: FlowObject): number | undefined;
  /** How many elements every array or slots that `e` may be has; undefined when they differ or are not known. */
  commonLength(e: Expr): number | undefined;
  /** The flow object of an object of the snapshot. */
  flowObject(o: Extract<FlowObject, { k: "snapshot" }>["object"]): FlowObject;
}

export interface RecursionFound {
  readonly code: "TMC1901";
  /** The call that closes the cycle. */
  readonly loc: Loc;
  readonly message: string;
  readonly fix: string;
  /** The functions of the cycle, each with the place where the one before calls it. */
  readonly cycle: readonly CallStep[];
}

export interface Reached {
  readonly reachable: ReachableProgram;
  readonly recursion: readonly RecursionFound[];
}

/**
 * `each(a, (x) => each(b, (y) => …))` looks like recursion while all calls of `each` are one: the functions of a circle
 * that take functions get a copy for each one they are called with. What is a circle then, is one.
 */
export function reach(program: Program, snapshot: Snapshot): Reached {
  const copied = new Set<FuncDecl>();
  for (let round = 0; ; round++) {
    const found = reachWith(program, snapshot, copied);
    const before = copied.size;
    for (const s of found.recursion.flatMap((r) => r.cycle)) {
      if (s.func.params.some((p) => takesFunction(p.type))) copied.add(s.func.decl);
    }
    if (copied.size === before || round === mostRounds) return found;
  }
}

/** Circles that only show when others are gone: more than anyone nests. */
const mostRounds = 4;

const takesFunction = (t: Type): boolean => t.k === "func" || (t.k === "nullable" && takesFunction(t.of));

function reachWith(program: Program, snapshot: Snapshot, copied: ReadonlySet<FuncDecl>): Reached {
  const mono = new Monomorphiser(program);
  const flow = new FlowConstraints(snapshot, mono, copied);
  const entries = snapshot.entries.map((entry) => ({ entry, func: flow.addEntry(entry) }));
  flow.solve();
  const late = flow.lateObjects();
  const isLate = (o: FlowObject): boolean => late.has(o);
  const lengths = new ArrayLengths({ objectsOf: (e) => flow.objectsOf(e), isLate });
  const order = new Map(program.modules.map((m, i) => [m.path, i]));
  const functions = [...flow.reached].sort(bySource(order));
  return {
    reachable: {
      program,
      snapshot,
      mono,
      functions: functions.filter((f) => f.decl.kind !== "extern"),
      externs: functions.filter((f) => f.decl.kind === "extern"),
      classes: flow.instantiatedClasses(),
      globals: [...flow.globals].sort((a, b) => a.id.localeCompare(b.id)),
      entries,
      callPath: (f) => callPath(f, flow.firstCall),
      targets: (e) => flow.targetsOf(e),
      objectsOf: (e) => flow.objectsOf(e),
      objectsOfLocal: (v) => flow.localNode(v).objects,
      objectsOfThis: (f) => flow.thisNode(f).objects,
      objectsOfResult: (f) => flow.resultNode(f).objects,
      objectsOfField: (o, name) => flow.fieldNode(o, name).objects,
      objectsOfElements: (o) => flow.elementNode(o).objects,
      isFieldWritten: (o, name) => flow.writtenFields.get(o)?.has(name) ?? false,
      isArrayWritten: (o) => flow.writtenArrays.has(o),
      isGlobalWritten: (g) => flow.writtenGlobals.has(g.id),
      isSetupCell: (v) => flow.setupCells.has(v),
      isLate,
      madeLength: (e) => lengths.made(e),
      lengthOf: (o) => lengths.of(o),
      commonLength: (e) => lengths.common(e),
      flowObject: (o) => flow.snapshotObject(o),
    },
    recursion: findRecursion(functions, flow.calls),
  };
}

function bySource(order: ReadonlyMap<string, number>) {
  return (a: MonoFunc, b: MonoFunc): number =>
    (order.get(a.decl.module) ?? 0) - (order.get(b.decl.module) ?? 0) ||
    a.decl.loc.line - b.decl.loc.line ||
    a.decl.loc.col - b.decl.loc.col ||
    (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

type FirstCall = ReadonlyMap<MonoFunc, { readonly from: MonoFunc; readonly loc: Loc }>;

function callPath(f: MonoFunc, first: FirstCall): CallStep[] {
  const path: CallStep[] = [];
  for (let at: MonoFunc | undefined = f; at !== undefined && path.length < 1000;) {
    const via: { readonly from: MonoFunc; readonly loc: Loc } | undefined = first.get(at);
    path.unshift({ func: at, loc: via?.loc });
    at = via?.from;
  }
  return path;
}

/** The name of a function instance for messages: `List<u8>.push`, `dispatch`. */
export function functionName(f: MonoFunc): string {
  const args = f.decl.typeParams.map((p) => f.typeMap.get(p)).filter((t) => t !== undefined);
  const own = args.length === 0 ? "" : `<${args.map(typeName).join(", ")}>`;
  if (f.decl.kind === "lambda") return f.decl.id.slice(f.decl.id.lastIndexOf("#") + 1);
  if (f.owner === undefined) {
    return (f.decl.owner === undefined ? "" : `${f.decl.owner.name}.`) + f.decl.name + own;
  }
  const frame = f.owner.decl.frameOf;
  // The step of an async function is what it is to whoever wrote it.
  if (frame !== undefined) {
    const types = f.owner.type.args.length === 0 ? "" : `<${f.owner.type.args.map(typeName).join(", ")}>`;
    return f.decl.name === "poll" ? frame + types : `${frame}${types}.${f.decl.name}`;
  }
  return f.decl.kind === "constructor"
    ? `new ${typeName(f.owner.type)}`
    : `${typeName(f.owner.type)}.${f.decl.name}${own}`;
}

/** One finding for each group of functions that can call themselves. */
function findRecursion(
  functions: readonly MonoFunc[],
  calls: ReadonlyMap<MonoFunc, ReadonlyMap<MonoFunc, Loc>>,
): RecursionFound[] {
  const found: RecursionFound[] = [];
  const reported = new Set<MonoFunc>();
  for (const f of functions) {
    if (reported.has(f)) continue;
    const cycle = shortestCycle(f, calls);
    if (cycle === undefined || cycle.some((s) => reported.has(s.func))) continue;
    for (const s of cycle) reported.add(s.func);
    const names = cycle.map((s) => functionName(s.func)).join(" → ");
    found.push({
      code: "TMC1901",
      loc: cycle[cycle.length - 1]?.loc ?? f.decl.loc,
      message: `recursion: ${names}`,
      fix: "use a loop with an explicit, bounded stack (an array and an index)",
      cycle,
    });
  }
  return found;
}

function shortestCycle(
  start: MonoFunc,
  calls: ReadonlyMap<MonoFunc, ReadonlyMap<MonoFunc, Loc>>,
): CallStep[] | undefined {
  const via = new Map<MonoFunc, { readonly from: MonoFunc; readonly loc: Loc }>();
  const queue = [start];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    for (const [to, loc] of calls.get(at) ?? []) {
      if (to === start) {
        const path: CallStep[] = [{ func: start, loc }];
        for (let step = at; step !== start;) {
          const before = via.get(step);
          path.unshift({ func: step, loc: before?.loc });
          step = before?.from ?? start;
        }
        return [{ func: start, loc: undefined }, ...path];
      }
      if (!via.has(to)) {
        via.set(to, { from: at, loc });
        queue.push(to);
      }
    }
  }
  return undefined;
}
