/**
 * The classes of frames: one for each async function, with its arguments, the variables that outlive a wait, the
 * frames of what it waits for, and its result. Fills them in and makes their constructors; the step is in `step.ts`.
 */
import type { ObjectType } from "../hierarchy.js";
import type {
  ClassDecl,
  Expr,
  Field,
  FuncDecl,
  GlobalVar,
  Loc,
  LocalVar,
  LValue,
  Program,
  Stmt,
} from "../nodes.js";
import { BOOL, VOID, type Type } from "../types.js";
import { assign, field, initial, isVoid, loaded, number, STATE, stored, storedType } from "./make.js";
import { promised, promiseDecl, promiseOf } from "./promise.js";

export class Frame {
  readonly cls: ClassDecl;
  readonly type: ObjectType;
  readonly poll: FuncDecl;
  private readonly value: FuncDecl;
  /** The type of the function's `this`; undefined when it has none. */
  readonly self: Type | undefined;
  readonly result: LocalVar | undefined;
  /**
   * Parameters and captures: `v` in the function, `arg` what the frame was given. They differ where the body assigns
   * the parameter: a second run begins with the first value.
   */
  readonly parameters: readonly { readonly v: LocalVar; readonly arg: LocalVar; readonly field: string }[];
  /** Frames embedded in this one, with the place of the first call. */
  readonly inner = new Map<string, { readonly frame: Frame; readonly type: ObjectType; readonly loc: Loc }>();
  private readonly names = new Set(["state", "self", "poll", "value", "restart", "constructor", "result"]);
  private readonly fields = new Map<LocalVar, string>();
  private nextId = 1000000;

  constructor(
    readonly f: FuncDecl,
    typeParams: readonly string[],
    name: string,
    self: Type | undefined,
    readonly program: Program,
  ) {
    const id = `${f.module}#${name}`;
    const { loc } = f;
    const result = promised(f.ret) ?? VOID;
    this.cls = {
      id,
      name,
      module: f.module,
      isInterface: false,
      isAbstract: false,
      exported: false,
      typeParams: [...typeParams],
      fields: [],
      ctor: undefined,
      methods: [],
      signatures: [],
      superclass: promiseOf(result),
      implements: [],
      iterable: false,
      frameOf: f.id.slice(f.id.lastIndexOf("#") + 1),
      loc,
    };
    this.type = { k: "object", decl: id, args: typeParams.map((p) => ({ k: "param", name: p })) };
    this.poll = this.method("poll", "method");
    this.poll.ret = BOOL;
    this.value = this.method("value", "method");
    this.value.ret = result;
    this.cls.methods.push(this.poll, this.value);
    this.self = self;
    if (self !== undefined) this.addField("self", storedType(self), loc);
    this.result = isVoid(result) ? undefined : this.newLocal("result", result);
    if (this.result !== undefined) {
      this.fields.set(this.result, "result");
      this.addField("result", storedType(result), loc);
    }
    this.parameters = [...f.params, ...f.captures].map((v) => {
      const arg = v.mutable ? { ...this.newLocal(v.name, v.type), name: v.name } : v;
      return { v, arg, field: this.fieldOf(arg) };
    });
  }

  private method(name: string, kind: "method" | "constructor"): FuncDecl {
    return {
      id: `${this.cls.id}.${name}`,
      name,
      module: this.f.module,
      kind,
      typeParams: [],
      params: [],
      ret: VOID,
      owner: this.cls,
      isStatic: false,
      isGetter: false,
      exported: false,
      cName: undefined,
      captures: [],
      usesThis: false,
      body: [],
      loc: this.f.loc,
    };
  }

  newLocal(name: string, type: Type): LocalVar {
    return {
      id: this.nextId,
      name: `${name} ${this.nextId++ - 999999}`,
      type,
      mutable: false,
      captured: false,
    };
  }

  private addField(name: string, type: Type, loc: Loc, isReadonly = false): void {
    const made: Field = { name, type, readonly: isReadonly, optional: false, loc };
    this.cls.fields.push(made);
  }

  private freeName(wanted: string): string {
    const base = wanted.replace(/[^A-Za-z0-9_$]+/g, "_");
    let name = base;
    for (let i = 2; this.names.has(name); i++) name = `${base}_${i}`;
    this.names.add(name);
    return name;
  }

  /** The field of a variable, made on first use. */
  fieldOf(v: LocalVar): string {
    const known = this.fields.get(v);
    if (known !== undefined) return known;
    const name = this.freeName(v.name);
    this.fields.set(v, name);
    this.addField(name, storedType(v.type), this.f.loc);
    return name;
  }

  /** A field with an object of `cls`. */
  addBox(name: string, type: ObjectType, cls: ClassDecl): void {
    this.names.add(name);
    this.boxes.set(name, { type, cls });
    this.addField(name, type, this.f.loc, true);
  }

  private readonly boxes = new Map<string, { readonly type: ObjectType; readonly cls: ClassDecl }>();

  /** The field for calls of one function; calls that run at once have one each. */
  innerFrame(key: string, frame: Frame, type: ObjectType, loc: Loc): string {
    for (const [name, known] of this.inner) if (this.innerKeys.get(name) === key) return known && name;
    const name = this.freeName(frame.f.kind === "lambda" ? "lambda" : frame.f.name);
    this.inner.set(name, { frame, type, loc });
    this.innerKeys.set(name, key);
    this.addField(name, type, loc, true);
    return name;
  }
  private readonly innerKeys = new Map<string, string>();

  /** When all fields are known. */
  finish(): void {
    const { cls } = this;
    const ctor = this.method("constructor", "constructor");
    const { loc } = this.f;
    const self: Expr = { k: "this", type: this.type, loc };
    const base = this.program.classes.get(promiseDecl)?.ctor;
    const superclass = cls.superclass ?? promiseOf(VOID);
    const body: Stmt[] = [
      { k: "expr", loc, e: { k: "superCall", type: VOID, loc, f: base, superclass, args: [] } },
    ];
    for (const f of cls.fields) {
      const inner = this.inner.get(f.name);
      const own = this.boxes.get(f.name) ?? (inner && { type: inner.type, cls: inner.frame.cls });
      const value: Expr =
        own === undefined ? initial(f.type, loc) : { k: "new", type: own.type, loc, cls: own.cls, args: [] };
      body.push(assign(field(self, f.name, f.type), value));
    }
    ctor.body = body;
    cls.ctor = ctor;
    const { result } = this;
    if (result === undefined) return;
    const place = field(self, "result", storedType(result.type));
    this.value.body = [{ k: "return", loc, value: loaded(place, result.type) }];
  }

  /**
   * For calls of the function as a value: where the caller leaves the frame to use, before such a call. Null in setup.
   */
  slot(): GlobalVar {
    this.slotMade ??= {
      id: `${this.cls.id}.slot`,
      name: `${this.cls.name}.slot`,
      module: this.f.module,
      type: { k: "nullable", of: this.type },
      mutable: true,
      exported: false,
      loc: this.f.loc,
    };
    return this.slotMade;
  }

  /** The slot, when there is one. */
  get usedSlot(): GlobalVar | undefined {
    return this.slotMade;
  }

  private slotMade: GlobalVar | undefined;

  slotPlace(loc: Loc): LValue {
    const g = this.slot();
    return { k: "staticField", type: g.type, loc, cls: this.cls, g };
  }

  /** What a call of the function does in setup: a new frame with the arguments. As a value it may have one already. */
  starter(): Stmt[] {
    const { loc } = this.f;
    const made: Expr = { k: "new", type: this.type, loc, cls: this.cls, args: [] };
    const out: Stmt[] = [];
    let frame: Expr;
    if (this.slotMade === undefined) {
      const v = this.newLocal("frame", this.type);
      frame = { k: "local", type: this.type, loc, v };
      out.push({ k: "let", loc, v, init: made });
    } else {
      const v = this.newLocal("frame", this.slotMade.type);
      v.mutable = true;
      const place: LValue = { k: "local", type: v.type, loc, v };
      frame = loaded(place, this.type);
      out.push(
        { k: "let", loc, v, init: this.slotPlace(loc) },
        {
          k: "if",
          loc,
          test: { k: "isNull", type: BOOL, loc, arg: place },
          then: [assign(place, stored({ ...made, inSetup: true }, this.type))],
          else: [],
        },
        assign(field(frame, "state", STATE), number(0, STATE, loc)),
      );
    }
    if (this.self !== undefined) {
      const self: Expr = { k: "this", type: this.self, loc };
      out.push(assign(field(frame, "self", storedType(this.self)), stored(self, this.self)));
    }
    for (const p of this.parameters) {
      const value: Expr = { k: "local", type: p.v.type, loc, v: p.v };
      out.push(assign(field(frame, p.field, storedType(p.v.type)), stored(value, p.v.type)));
    }
    const given: Expr = { k: "convert", type: this.f.ret, loc, mode: "upcast", arg: frame };
    out.push({ k: "return", loc, value: given });
    return out;
  }
}
