/**
 * Variables that an async closure shares with the function around it, and one of them assigns: each becomes an object with
 * one field, which both refer to. Of an async function the object lies in its frame; else it is made where the variable is
 * declared. Variables of loop heads stay as they are: each turn has its own.
 */
import type { ObjectType } from "../hierarchy.js";
import type { ClassDecl, Expr, FuncDecl, LocalVar, LValue, Program, Stmt } from "../nodes.js";
import { VOID } from "../types.js";
import { walkStmts } from "../walk.js";
import { assign, declare, field, initial, loaded, local, stored, storedType } from "./make.js";
import { mapExpr, mapStmts, type StmtMap } from "./rebuild.js";

/** A function with the type parameters around it. */
interface Around {
  readonly f: FuncDecl;
  readonly typeParams: readonly string[];
}

interface Box {
  readonly cls: ClassDecl;
  readonly type: ObjectType;
  /** The reference to the object. */
  readonly ref: LocalVar;
  readonly init: Expr;
}

/** The boxes of an async function, fields of its frame. `here` stands for the frame. */
export interface FrameBoxes {
  readonly here: LocalVar;
  readonly fields: { readonly name: string; readonly type: ObjectType; readonly cls: ClassDecl }[];
}

export interface Boxed {
  /** By module. */
  readonly classes: ReadonlyMap<string, readonly ClassDecl[]>;
  readonly frames: ReadonlyMap<FuncDecl, FrameBoxes>;
  /** The top levels that changed, by module. */
  readonly inits: ReadonlyMap<string, readonly Stmt[]>;
}

/** @param keep is told each function before it is changed. */
export function boxShared(program: Program, all: readonly Around[], keep: (f: FuncDecl) => void): Boxed {
  return new Boxes(program, all, keep).run();
}

class Boxes {
  private readonly boxes = new Map<LocalVar, Box>();
  private readonly classes = new Map<string, ClassDecl[]>();
  private readonly frames = new Map<FuncDecl, FrameBoxes>();
  private readonly inits = new Map<string, readonly Stmt[]>();
  private nextId = 2000000;

  constructor(
    private readonly program: Program,
    private readonly all: readonly Around[],
    private readonly keep: (f: FuncDecl) => void,
  ) {}

  run(): Boxed {
    const shared = new Set<LocalVar>();
    for (const { f } of this.all)
      if (f.isAsync === true && f.kind === "lambda") for (const v of f.captures) if (v.mutable) shared.add(v);
    const { classes, frames, inits } = this;
    if (shared.size === 0) return { classes, frames, inits };
    const changed: FuncDecl[] = [];
    for (const x of this.all) {
      const own = declared(x.f.body, shared);
      for (const p of x.f.params) if (shared.has(p)) own.push(p);
      for (const v of own) this.box(v, x.f.module, x);
    }
    const tops: string[] = [];
    for (const m of this.program.modules)
      for (const v of declared(m.init, shared)) {
        this.box(v, m.path, undefined);
        tops.push(m.path);
      }
    for (const { f } of this.all)
      if (this.mentions(f)) {
        this.keep(f);
        changed.push(f);
      }
    for (const f of changed) this.change(f);
    for (const m of this.program.modules)
      if (tops.includes(m.path)) inits.set(m.path, mapStmts(m.init, this.map));
    return { classes, frames, inits };
  }

  private mentions(f: FuncDecl): boolean {
    if ([...f.captures, ...f.params].some((v) => this.boxes.has(v))) return true;
    return [...this.boxes.keys()].some((v) => declared(f.body, new Set([v])).length > 0);
  }

  /** `around`: the function that declares it; undefined: the top level. */
  private box(v: LocalVar, module: string, around: Around | undefined): void {
    if (this.boxes.has(v)) return;
    const n = this.nextId++;
    const loc = around?.f.loc ?? { file: module, line: 1, col: 1 };
    const name = `${v.name.replace(/[^A-Za-z0-9_$]+/g, "_")}$box${n - 1999999}`;
    const typeParams = around?.typeParams ?? [];
    const cls: ClassDecl = {
      id: `${module}#${name}`,
      name,
      module,
      isInterface: false,
      isAbstract: false,
      exported: false,
      typeParams: [...typeParams],
      fields: [{ name: "value", type: storedType(v.type), readonly: false, optional: false, loc }],
      ctor: undefined,
      methods: [],
      signatures: [],
      superclass: undefined,
      implements: [],
      iterable: false,
      loc,
    };
    const type: ObjectType = {
      k: "object",
      decl: cls.id,
      args: typeParams.map((p) => ({ k: "param", name: p })),
    };
    cls.ctor = {
      id: `${cls.id}.constructor`,
      name: "constructor",
      module,
      kind: "constructor",
      typeParams: [],
      params: [],
      ret: VOID,
      owner: cls,
      isStatic: false,
      isGetter: false,
      exported: false,
      cName: undefined,
      captures: [],
      usesThis: false,
      body: [
        assign(
          field({ k: "this", type, loc }, "value", storedType(v.type)),
          initial(storedType(v.type), loc),
        ),
      ],
      loc,
    };
    const list = this.classes.get(module) ?? [];
    this.classes.set(module, [...list, cls]);
    // A parameter is there beside its box.
    const own = around?.f.params.some((p) => p === v) === true ? `${v.name} box` : v.name;
    const ref: LocalVar = { id: n, name: own, type, mutable: false, captured: v.captured };
    this.boxes.set(v, { cls, type, ref, init: this.place(cls, type, around) });
  }

  /** Where the object is. */
  private place(cls: ClassDecl, type: ObjectType, around: Around | undefined): Expr {
    const { loc } = cls;
    if (around?.f.isAsync !== true) return { k: "new", type, loc, cls, args: [] };
    const here: LocalVar = { id: this.nextId++, name: "frame", type: VOID, mutable: false, captured: false };
    const known = this.frames.get(around.f) ?? { here, fields: [] };
    this.frames.set(around.f, known);
    known.fields.push({ name: cls.name, type, cls });
    return field(local(known.here, loc), cls.name, type);
  }

  private change(f: FuncDecl): void {
    const params: Stmt[] = f.params.flatMap((p) => {
      const box = this.boxes.get(p);
      return box === undefined ? [] : this.declaration(p, box, local(p, f.loc));
    });
    f.body = [...params, ...mapStmts(f.body, this.map)];
    const captures = f.captures.map((v) => this.boxes.get(v)?.ref ?? v);
    f.captures.splice(0, f.captures.length, ...captures);
  }

  private declaration(v: LocalVar, box: Box, init: Expr | undefined): Stmt[] {
    const { loc } = box.cls;
    const made = declare(box.ref, box.init, init?.loc ?? loc);
    return init === undefined ? [made] : [made, assign(this.value(v, box, init), stored(init, v.type))];
  }

  private value(v: LocalVar, box: Box, at: Expr): LValue {
    return field(local(box.ref, at.loc), "value", storedType(v.type));
  }

  private readonly map: StmtMap = {
    expr: (e) => this.expr(e),
    stmt: (s) => {
      const box = s.k === "let" ? this.boxes.get(s.v) : undefined;
      if (s.k !== "let" || box === undefined) return undefined;
      return this.declaration(s.v, box, s.init === undefined ? undefined : this.expr(s.init));
    },
  };

  private expr(e: Expr): Expr {
    return mapExpr(e, (x) => {
      if (x.k === "local") {
        const box = this.boxes.get(x.v);
        return box === undefined ? undefined : loaded(this.value(x.v, box, x), x.type);
      }
      if ((x.k !== "assign" && x.k !== "update") || x.target.k !== "local") return undefined;
      const { v } = x.target;
      const box = this.boxes.get(v);
      if (box === undefined) return undefined;
      const target = this.value(v, box, x);
      if (x.k === "update") return { ...x, target, compute: this.expr(x.compute) };
      const value = stored(this.expr(x.value), v.type);
      return loaded({ ...x, type: target.type, target, value }, v.type);
    });
  }
}

/** Those of `wanted` that statements declare by `let`, not in the head of a loop. */
function declared(body: readonly Stmt[], wanted: ReadonlySet<LocalVar>): LocalVar[] {
  const heads = new Set<Stmt>();
  const found: LocalVar[] = [];
  walkStmts(body, {
    stmt: (s) => {
      if (s.k === "for") s.init.forEach((x) => heads.add(x));
      if (s.k === "let" && wanted.has(s.v) && !heads.has(s)) found.push(s.v);
    },
  });
  return found;
}
