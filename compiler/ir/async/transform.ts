/**
 * Async functions → plain ones: each becomes a class of frames with a step function, its call in setup a new frame,
 * and `await` the embedded frame of the function waited for. Runs once, after the frontend: both backends, setup and
 * every analysis see the result. Reports what cannot be a static state machine.
 */
import type { Diagnostic } from "../../diagnostics/diagnostic.js";
import { findMethod, type ObjectType } from "../hierarchy.js";
import type { Expr, FuncDecl, LocalVar, Loc, Program, Stmt } from "../nodes.js";
import { BOOL, substitute, type Type } from "../types.js";
import { lambdasOf, walkStmts } from "../walk.js";
import type { Block } from "./blocks.js";
import { boxShared, type FrameBoxes } from "./boxes.js";
import { Calls } from "./calls.js";
import { declare, local } from "./make.js";
import { Frame } from "./frames.js";
import { homes } from "./liveness.js";
import { Splitter } from "./split.js";
import { stepBody } from "./step.js";
import { prune } from "./prune.js";
import { asAsync, ValueCalls } from "./value-calls.js";

export interface Transformed {
  readonly program: Program;
  readonly diagnostics: readonly Diagnostic[];
}

/** What the frontend made of a function: modules are taken over from run to run, and transformed in each. */
interface Original {
  readonly body: Stmt[];
  readonly captures: readonly LocalVar[];
  readonly usesThis: boolean;
  readonly isAsync: boolean;
}
const originals = new WeakMap<FuncDecl, Original>();

/** The function as it was before an earlier run changed it. */
export function asWritten(f: FuncDecl): void {
  const known = originals.get(f);
  if (known === undefined) return;
  f.captures.splice(0, f.captures.length, ...known.captures);
  Object.assign(f, { body: known.body, usesThis: known.usesThis, isAsync: known.isAsync });
}

/** Before a function is changed, with those made in it. */
function keepOriginal(f: FuncDecl): void {
  if (!originals.has(f))
    originals.set(f, {
      body: f.body,
      captures: [...f.captures],
      usesThis: f.usesThis,
      isAsync: f.isAsync === true,
    });
  lambdasOf(f.body).forEach(keepOriginal);
}

interface Found {
  readonly f: FuncDecl;
  readonly typeParams: readonly string[];
  readonly self: Type | undefined;
}

const trapType: ObjectType = { k: "object", decl: "tmc/core#Trap", args: [] };

export function transformAsync(program: Program): Transformed {
  return new Transformation(program).run();
}

class Transformation {
  private readonly diagnostics: Diagnostic[] = [];
  private readonly frames = new Map<FuncDecl, Frame>();
  private readonly added = new Map<string, Frame[]>();
  private calls: ValueCalls | undefined;
  /** What stands for the frame, where statements mention it already. */
  private readonly places = new Map<Frame, LocalVar>();
  /** Functions that are called as one of several values. */
  private readonly slotted = new Set<FuncDecl>();

  constructor(private readonly program: Program) {}

  run(): Transformed {
    const all: Found[] = [];
    const visit = (f: FuncDecl, outer: readonly string[], self: Type | undefined): void => {
      asWritten(f);
      const typeParams = [...outer, ...f.typeParams];
      // Inside out: a function around a lambda sees what became of it.
      for (const l of lambdasOf(f.body)) visit(l, typeParams, self);
      all.push({ f, typeParams, self });
    };
    for (const m of this.program.modules) {
      for (const l of lambdasOf(m.init)) visit(l, [], undefined);
      for (const f of m.functions) visit(f, [], undefined);
      for (const c of m.classes) {
        const self: Type = {
          k: "object",
          decl: c.id,
          args: c.typeParams.map((name) => ({ k: "param", name })),
        };
        for (const f of [...c.methods, ...(c.ctor === undefined ? [] : [c.ctor])])
          visit(f, f.isStatic ? [] : c.typeParams, f.isStatic ? undefined : self);
      }
    }
    const found = all.filter(({ f }) => f.isAsync === true);
    for (const { f } of found) keepOriginal(f);
    found.push(...this.valueCalls(all));
    const boxed = boxShared(this.program, all, keepOriginal);
    for (const { f, typeParams, self } of found) this.declare(f, typeParams, self, boxed.frames.get(f));
    if (this.frames.size === 0) return { program: this.program, diagnostics: [] };
    for (const f of this.slotted) this.frames.get(f)?.slot();
    for (const frame of this.frames.values()) this.transform(frame);
    for (const frame of this.frames.values()) frame.finish();
    this.checkRecursion();
    const modules = this.program.modules.map((m) => {
      const more = this.added.get(m.path) ?? [];
      const boxes = boxed.classes.get(m.path) ?? [];
      if (more.length === 0 && boxes.length === 0) return m;
      const slots = more.map((frame) => frame.usedSlot).filter((g) => g !== undefined);
      const empty = slots.map((g): Stmt => ({
        k: "initGlobal",
        loc: g.loc,
        g,
        init: { k: "null", type: g.type, loc: g.loc },
      }));
      return {
        ...m,
        classes: [...m.classes, ...boxes, ...more.map((frame) => frame.cls)],
        globals: [...m.globals, ...slots],
        init: [...empty, ...(boxed.inits.get(m.path) ?? m.init)],
      };
    });
    const classes = new Map(this.program.classes);
    const functions = new Map(this.program.functions);
    const made = [...this.frames.values()].map((frame) => frame.cls);
    for (const cls of [...made, ...[...boxed.classes.values()].flat()]) {
      classes.set(cls.id, cls);
      for (const f of [...cls.methods, ...(cls.ctor === undefined ? [] : [cls.ctor])]) functions.set(f.id, f);
    }
    return { program: { ...this.program, modules, classes, functions }, diagnostics: this.diagnostics };
  }

  /**
   * What function values may be called and waited for; gives functions that are waited for in this way without being
   * written `async`.
   */
  private valueCalls(all: readonly Found[]): Found[] {
    const known = new Map(all.map((x) => [x.f, x]));
    const more: Found[] = [];
    const visit = (f: FuncDecl): void => {
      walkStmts(f.body, {
        expr: (e) => {
          if (e.k !== "await") return;
          for (const c of e.calls) {
            if (c.k !== "callValue") continue;
            if (this.calls === undefined) {
              this.calls = new ValueCalls(this.program);
              for (const x of all) this.calls.note(x.f);
            }
            const callee = this.calls.callee(c, f);
            for (const g of callee?.k === "known" ? [callee.f] : (callee?.all ?? [])) {
              if (callee?.k === "several") this.slotted.add(g);
              const found = known.get(g);
              if (g.isAsync === true || found === undefined || g.kind === "extern") continue;
              keepOriginal(g);
              asAsync(g);
              more.push(found);
              visit(g);
            }
          }
        },
      });
    };
    for (const { f } of all) if (f.isAsync === true) visit(f);
    return more;
  }

  private report(
    code: string,
    loc: Loc,
    message: string,
    fix: string,
    related: Diagnostic["related"] = [],
  ): void {
    this.diagnostics.push({ code, severity: "error", loc, length: 1, message, fix, related });
  }

  private declare(
    f: FuncDecl,
    typeParams: readonly string[],
    around: Type | undefined,
    boxes: FrameBoxes | undefined,
  ): void {
    const path = f.id.slice(f.id.lastIndexOf("#") + 1).replace(/[^A-Za-z0-9_$]+/g, "$");
    const usesThis = f.kind === "method" ? !f.isStatic : f.kind === "lambda" && f.usesThis;
    const frame = new Frame(f, typeParams, `${path}$frame`, usesThis ? around : undefined, this.program);
    for (const b of boxes?.fields ?? []) frame.addBox(b.name, b.type, b.cls);
    if (boxes !== undefined) this.places.set(frame, boxes.here);
    for (const v of f.captures) {
      if (!v.mutable) continue;
      this.report(
        "TMC1707",
        f.loc,
        `\`${v.name}\` of the head of a loop is assigned and shared with an async function, which has a frame of its own`,
        `copy it in the loop: \`const own = ${v.name}\`, or declare it before the loop`,
      );
    }
    this.frames.set(f, frame);
    const list = this.added.get(f.module) ?? [];
    list.push(frame);
    this.added.set(f.module, list);
  }

  /** What calls inside `frame` wait for. */
  private callsOf(frame: Frame, self: Expr): Calls {
    return new Calls({
      program: this.program,
      frame,
      self,
      frames: this.frames,
      values: this.calls,
      refuse: (call) =>
        this.report(
          "TMC1706",
          call.loc,
          "which async function is waited for is not known when compiling, and with it the size of its frame",
          "call an `async` function or method by its name, or a function value that is not generic",
        ),
    });
  }

  private transform(frame: Frame): void {
    const { f } = frame;
    const { loc } = f;
    const self: LocalVar = this.places.get(frame) ?? frame.newLocal("frame", frame.type);
    Object.assign(self, { type: frame.type });
    const splitter = new Splitter(
      {
        newLocal: (name, type) => frame.newLocal(name, type),
        result: frame.result,
        trapType,
        start: (call, slot) => this.callsOf(frame, local(self, call.loc)).start(call, slot),
        refuseLoop: (at) =>
          this.report(
            "TMC1708",
            at,
            "a loop over an iterator cannot wait: its place in it is not a value that a frame can keep",
            "loop over the array, Map or Set itself: `for (const k of map.keys())`",
          ),
        poll: (inner) => ({
          k: "method",
          type: BOOL,
          loc: inner.loc,
          recv: inner,
          f: frame.poll,
          typeArgs: [],
          isSuper: false,
          args: [],
        }),
        getter: (recv, name, at) => this.getter(recv, name, at),
      },
      loc,
    );
    const body: Stmt[] = frame.parameters
      .filter((p) => p.arg !== p.v)
      .map((p) => declare(p.v, local(p.arg, loc), loc));
    splitter.run([...body, ...(this.calls?.withoutConstants(f) ?? f.body)]);
    const blocks = prune(splitter.blocks, splitter.farJumps);
    uniqueNames(blocks);
    const always = new Set(frame.parameters.map((p) => p.arg));
    if (frame.result !== undefined) always.add(frame.result);
    const kept = homes(blocks, splitter.farJumps, splitter.caughtBy, always);
    frame.poll.body = stepBody({
      blocks,
      farJumps: splitter.farJumps,
      caughtBy: splitter.caughtBy,
      homes: kept,
      fieldOf: (v) => frame.fieldOf(v),
      frame: self,
      frameType: frame.type,
      trapType,
      pollOf: () => frame.poll,
      newLocal: (name, type) => frame.newLocal(name, type),
      loc,
    });
    f.body = frame.starter();
    f.isAsync = false;
  }

  // ---- rules ----

  /** A frame contains those of what it waits for: none contains itself. */
  private checkRecursion(): void {
    const done = new Set<Frame>();
    const visit = (frame: Frame, path: readonly { readonly frame: Frame; readonly loc: Loc }[]): void => {
      const start = path.findIndex((p) => p.frame === frame);
      if (start >= 0) {
        const cycle = path.slice(start);
        const names = [...cycle.map((p) => p.frame.cls.frameOf ?? ""), frame.cls.frameOf ?? ""].join(" → ");
        const last = cycle.at(-1);
        this.report(
          "TMC1709",
          last?.loc ?? frame.f.loc,
          `an async function waits for itself: ${names}`,
          "write a loop in one async function",
          cycle.map((p) => ({ loc: p.loc, message: "waited for here" })),
        );
        return;
      }
      if (done.has(frame)) return;
      for (const inner of frame.inner.values()) visit(inner.frame, [...path, { frame, loc: inner.loc }]);
      done.add(frame);
    };
    for (const frame of this.frames.values()) visit(frame, []);
  }

  private getter(recv: Expr, name: string, loc: Loc): Expr {
    const found = recv.type.k === "object" ? findMethod(this.program.classes, recv.type, name) : undefined;
    if (found === undefined) throw new Error(`no ${name}`);
    return {
      k: "method",
      type: substitute(found.f.ret, found.map),
      loc,
      recv,
      f: found.f,
      typeArgs: [],
      isSuper: false,
      args: [],
    };
  }
}

/** Scopes of the source are one scope in a step: variables of one name get different ones. */
function uniqueNames(blocks: readonly Block[]): void {
  const taken = new Map<string, LocalVar>();
  for (const b of blocks) {
    for (const s of b.stmts) {
      if (s.k !== "let") continue;
      const { v } = s;
      let name = v.name;
      for (let i = 2; taken.has(name) && taken.get(name) !== v; i++) name = `${v.name} ${i}`;
      taken.set(name, v);
      Object.assign(v, { name });
    }
  }
}
