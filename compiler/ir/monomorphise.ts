/**
 * Closed instances of functions and classes: type parameters replaced, one `MonoFunc` per function and set of type
 * arguments, one `MonoClass` per class and set of type arguments. It makes instances on demand; which ones a program
 * needs is decided in `reachability.ts`.
 */
import { UserError } from "../diagnostics/user-error.js";
import { cloneBody, type CloneScope } from "./clone.js";
import type { ClassDecl, FuncDecl, Loc, LocalVar, Module, Param, Program, Stmt } from "./nodes.js";
import { allFields, classOf } from "./hierarchy.js";
import { substitute, typeKey, unionMembers, type ObjectType, type Type } from "./types.js";
import { checkMember } from "./type-parameter-members.js";
import { lengthParameters, withLengths } from "./constant-lengths.js";
import { lambdasOf } from "./walk.js";

export type { ObjectType } from "./types.js";
export type FuncType = Extract<Type, { k: "func" }>;
type TypeMap = ReadonlyMap<string, Type>;

export interface MonoField {
  readonly name: string;
  readonly type: Type;
  readonly readonly: boolean;
  /** The class that declares it. */
  readonly declaredIn: MonoClass;
}

export interface MonoClass {
  /** `typeKey` of its type. */
  readonly key: string;
  readonly type: ObjectType;
  readonly decl: ClassDecl;
  readonly superclass: MonoClass | undefined;
  /** Own fields with closed types. */
  readonly ownFields: readonly MonoField[];
  /** Inherited fields first. */
  readonly fields: readonly MonoField[];
  /** Keys of itself, its superclasses and every interface they implement; see `isSubclass`. */
  readonly ancestors: ReadonlySet<string>;
  /** Of a union: what it is one of. */
  readonly members: readonly MonoClass[] | undefined;
}

export interface MonoFunc {
  /** Unique in the program, independent of the order of discovery. */
  readonly key: string;
  readonly decl: FuncDecl;
  /** The class instance a method or constructor belongs to. */
  readonly owner: MonoClass | undefined;
  /** The type parameters in scope → their arguments. */
  readonly typeMap: TypeMap;
  readonly params: readonly Param[];
  /** Lambda: its own copies of the captured variables, in the order of `decl.captures`. */
  readonly captures: readonly LocalVar[];
  readonly ret: Type;
  readonly body: readonly Stmt[];
  /** The functions it is called with, of a copy that was made for them; else empty. */
  readonly madeFor: string;
  /** Of such a copy: the parameters and captured variables that hold a known function, with its key. */
  readonly closures: ReadonlyMap<LocalVar, string>;
  /** Of a constructor that was copied for one `new`: the parameters whose value is known there. */
  readonly constants: ReadonlyMap<LocalVar, number>;
  /** The instance's copy of a variable of the declaration. */
  local(v: LocalVar): LocalVar;
}

/** Is every object of class `a` one of class (interface, union) `b`? */
export function isSubclass(a: MonoClass, b: MonoClass): boolean {
  if (a.ancestors.has(b.key)) return true;
  if (a.members !== undefined) return a.members.every((m) => isSubclass(m, b));
  return b.members?.some((m) => isSubclass(a, m)) ?? false;
}

const noTypes: TypeMap = new Map();

/** A module that the frontend kept from an earlier run is walked once. */
const lambdas = new WeakMap<Module, readonly (readonly [FuncDecl, FuncDecl])[]>();

/** Every lambda of a module in a function, with the function around it. */
function lambdasIn(m: Module): readonly (readonly [FuncDecl, FuncDecl])[] {
  const known = lambdas.get(m);
  if (known !== undefined) return known;
  const found: (readonly [FuncDecl, FuncDecl])[] = [];
  const visit = (f: FuncDecl): void => {
    for (const l of lambdasOf(f.body)) {
      found.push([l, f]);
      visit(l);
    }
  };
  m.functions.forEach(visit);
  for (const c of m.classes) {
    c.methods.forEach(visit);
    if (c.ctor !== undefined) visit(c.ctor);
  }
  for (const l of lambdasOf(m.init)) visit(l);
  lambdas.set(m, found);
  return found;
}

export class Monomorphiser {
  readonly #funcs = new Map<string, MonoFunc>();
  readonly #classes = new Map<string, MonoClass>();
  /** Lambda → the function around it. */
  readonly #outer = new Map<FuncDecl, FuncDecl>();

  constructor(readonly program: Program) {
    for (const m of program.modules) for (const [l, f] of lambdasIn(m)) this.#outer.set(l, f);
  }

  /** The names of the type parameters that a function's body may mention, outermost first. */
  typeParamsInScope(f: FuncDecl): readonly string[] {
    const own = f.typeParams;
    if (f.kind === "lambda") {
      const outer = this.#outer.get(f);
      return outer === undefined ? own : [...this.typeParamsInScope(outer), ...own];
    }
    return f.owner !== undefined && !f.isStatic ? [...f.owner.typeParams, ...own] : own;
  }

  /** A plain function, or a static method. */
  func(f: FuncDecl, typeArgs: readonly Type[]): MonoFunc {
    return this.#instance(f, bind(f.typeParams, typeArgs), undefined);
  }

  /** A method or constructor of a class instance; `owner` is the class that declares it. */
  method(f: FuncDecl, owner: MonoClass, typeArgs: readonly Type[]): MonoFunc {
    const map = new Map([...bind(owner.decl.typeParams, owner.type.args), ...bind(f.typeParams, typeArgs)]);
    return this.#instance(f, map, owner);
  }

  /** A lambda inside an instance of the function around it. */
  lambda(f: FuncDecl, outer: MonoFunc): MonoFunc {
    const plain = this.#instance(f, outer.typeMap, undefined);
    if (outer.madeFor === "") return plain;
    const known = f.captures.map((v) => outer.closures.get(outer.local(v)));
    return this.#copy(plain, outer.madeFor, (made) => made.captures, known);
  }

  /** A copy of `f` for calls with these functions as arguments; `f` itself when none is known. */
  withClosures(f: MonoFunc, functions: readonly (string | undefined)[]): MonoFunc {
    if (functions.every((t) => t === undefined)) return f;
    const madeFor = functions.map((t) => t ?? "").join(",");
    // A function that passes ever new functions to itself has no last copy: it is recursive.
    return madeFor.length > longestMadeFor ? f : this.#copy(f, madeFor, (made) => made.params, functions);
  }

  /**
   * A copy of a constructor for one `new` (or `super(…)`) in `from`, with the arguments that are constant there: the
   * arrays it makes have a known length, and are other objects than those of any other place. The constructor itself
   * when no length depends on an argument.
   */
  constructorAt(ctor: MonoFunc, values: readonly (number | undefined)[], from: MonoFunc, loc: Loc): MonoFunc {
    const lengths = lengthParameters(this, ctor);
    if (!ctor.params.some((p, i) => lengths.has(p) && values[i] !== undefined)) return ctor;
    const at = `${from.key} ${loc.file}:${loc.line}:${loc.col}`;
    const key = `${ctor.key}@(${values.map((v) => v ?? "").join(",")} at ${at})`;
    const known = this.#funcs.get(key);
    if (known !== undefined) return known;
    const constants = new Map<LocalVar, number>();
    const plain = substituted(this.program.classes, ctor.decl, key, ctor.typeMap, ctor.owner, ctor.madeFor);
    plain.params.forEach((p, i) => {
      const v = values[i];
      if (v !== undefined && !p.mutable) constants.set(p, v);
    });
    const made: MonoFunc = { ...plain, constants, body: withLengths(plain.body, constants) };
    this.#funcs.set(key, made);
    return made;
  }

  #copy(
    f: MonoFunc,
    madeFor: string,
    holders: (made: MonoFunc) => readonly LocalVar[],
    functions: readonly (string | undefined)[],
  ): MonoFunc {
    const key = `${f.key}@(${madeFor})`;
    const known = this.#funcs.get(key);
    if (known !== undefined) return known;
    const closures = new Map<LocalVar, string>();
    const made = substituted(this.program.classes, f.decl, key, f.typeMap, f.owner, madeFor, closures);
    holders(made).forEach((v, i) => {
      const held = functions[i];
      if (held !== undefined && !v.mutable) closures.set(v, held);
    });
    this.#funcs.set(key, made);
    return made;
  }

  /** The function of a closure of the snapshot. For a lambda `typeArgs` binds every parameter in scope. */
  closure(f: FuncDecl, typeArgs: readonly Type[]): MonoFunc {
    return f.kind === "lambda"
      ? this.#instance(f, bind(this.typeParamsInScope(f), typeArgs), undefined)
      : this.func(f, typeArgs);
  }

  #instance(f: FuncDecl, scope: TypeMap, owner: MonoClass | undefined): MonoFunc {
    const names = this.typeParamsInScope(f);
    const map: TypeMap =
      names.length === 0 ? noTypes : new Map([...scope].filter(([name]) => names.includes(name)));
    const key = map.size === 0 ? f.id : `${f.id}<${[...map.values()].map(typeKey).join(",")}>`;
    const known = this.#funcs.get(key);
    if (known !== undefined) return known;
    refuseDepth(f, [...map.values()]);
    const made =
      map.size === 0 ? closedFunc(f, key, owner) : substituted(this.program.classes, f, key, map, owner);
    this.#funcs.set(key, made);
    return made;
  }

  classOf(type: ObjectType): MonoClass {
    const key = typeKey(type);
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    const decl = classOf(this.program.classes, type);
    const map = bind(decl.typeParams, type.args);
    const superType = decl.superclass === undefined ? undefined : substitute(decl.superclass, map);
    const above = superType?.k === "object" ? this.classOf(superType) : undefined;
    const superclass = decl.isInterface ? undefined : above;
    const ancestors = new Set([key, ...(above?.ancestors ?? [])]);
    for (const i of decl.implements) {
      const closed = substitute(i, map);
      if (closed.k === "object") for (const a of this.classOf(closed).ancestors) ancestors.add(a);
    }
    const ownFields: MonoField[] = [];
    const fields: MonoField[] = [...(superclass?.fields ?? [])];
    const members = unionMembers(type)?.map((m) => this.classOf(m));
    const made: MonoClass = { key, type, decl, superclass, ownFields, fields, ancestors, members };
    const declare = (name: string, fieldType: Type, isReadonly: boolean): void => {
      // A field that a subclass declares again is the same storage.
      if (fields.some((f) => f.name === name)) return;
      const field: MonoField = { name, type: fieldType, readonly: isReadonly, declaredIn: made };
      ownFields.push(field);
      fields.push(field);
    };
    if (decl.isInterface) {
      for (const i of [decl.superclass, ...decl.implements]) {
        const closed = i === undefined ? undefined : substitute(i, map);
        if (closed?.k !== "object") continue;
        for (const f of this.classOf(closed).fields) declare(f.name, f.type, f.readonly);
      }
    }
    if (members !== undefined) {
      for (const f of allFields(this.program.classes, type)) declare(f.field.name, f.type, f.field.readonly);
    }
    for (const f of decl.fields) declare(f.name, substitute(f.type, map), f.readonly);
    this.#classes.set(key, made);
    return made;
  }

  isSubtype(a: MonoClass, b: MonoClass): boolean {
    return isSubclass(a, b);
  }

  /** The method a receiver of class `c` runs for `name`: its own or the nearest inherited one. */
  findMethod(c: MonoClass, name: string): { readonly f: FuncDecl; readonly owner: MonoClass } | undefined {
    for (let at: MonoClass | undefined = c; at !== undefined; at = at.superclass) {
      const f = at.decl.methods.find((m) => m.name === name && !m.isStatic);
      if (f !== undefined && !(at.decl.isAbstract && f.body.length === 0 && isAbstractMethod(f))) {
        return { f, owner: at };
      }
    }
    return undefined;
  }

  /** The instance of the class that declares `f`, seen from a receiver type. */
  ownerOf(f: FuncDecl, receiver: MonoClass): MonoClass {
    for (let at: MonoClass | undefined = receiver; at !== undefined; at = at.superclass) {
      if (at.decl === f.owner) return at;
    }
    return receiver;
  }

  /** The constructor that `new` of this class runs: its own or the nearest inherited one. */
  ctorOf(c: MonoClass): MonoFunc | undefined {
    for (let at: MonoClass | undefined = c; at !== undefined; at = at.superclass) {
      if (at.decl.ctor !== undefined) return this.method(at.decl.ctor, at, []);
    }
    return undefined;
  }
}

/** Characters of `madeFor`: some levels of nested functions. */
const longestMadeFor = 1000;

/** Deeper than anyone writes: a generic function that calls itself with ever larger type arguments. */
const deepest = 12;

function depth(t: Type): number {
  switch (t.k) {
    case "nullable":
      return depth(t.of);
    case "array":
    case "slots":
      return 1 + depth(t.elem);
    case "object":
      return 1 + Math.max(0, ...t.args.map(depth));
    default:
      return 0;
  }
}

function refuseDepth(f: FuncDecl, args: readonly Type[]): void {
  if (!args.some((a) => depth(a) > deepest)) return;
  throw new UserError(
    "TMC1902",
    `${f.loc.file}:${f.loc.line}:${f.loc.col}: \`${f.name}\` needs itself with ever larger type arguments`,
    "use a type argument that does not grow, or a loop",
  );
}

/** Abstract methods are signatures too: declared, never run. */
function isAbstractMethod(f: FuncDecl): boolean {
  return f.owner?.signatures.includes(f) ?? false;
}

function bind(names: readonly string[], args: readonly Type[]): Map<string, Type> {
  const map = new Map<string, Type>();
  names.forEach((name, i) => {
    const arg = args[i];
    if (arg !== undefined) map.set(name, arg);
  });
  return map;
}

function closedFunc(f: FuncDecl, key: string, owner: MonoClass | undefined): MonoFunc {
  return {
    key,
    decl: f,
    owner,
    typeMap: noTypes,
    params: f.params,
    captures: f.captures,
    ret: f.ret,
    body: f.body,
    madeFor: "",
    closures: new Map(),
    constants: new Map(),
    local: (v) => v,
  };
}

function substituted(
  classes: Program["classes"],
  f: FuncDecl,
  key: string,
  typeMap: TypeMap,
  owner: MonoClass | undefined,
  madeFor = "",
  closures: ReadonlyMap<LocalVar, string> = new Map(),
): MonoFunc {
  const vars = new Map<LocalVar, LocalVar>();
  const local = (v: LocalVar): LocalVar => {
    const known = vars.get(v);
    if (known !== undefined) return known;
    const made: LocalVar = { ...v, type: substitute(v.type, typeMap) };
    vars.set(v, made);
    return made;
  };
  const type = (t: Type): Type => substitute(t, typeMap);
  const scope: CloneScope = {
    type,
    local,
    member: (e, actual) => {
      checkMember(classes, e, actual, type);
    },
  };
  const params = f.params.map((p): Param => {
    const made: Param = { ...p, type: substitute(p.type, typeMap) };
    vars.set(p, made);
    return made;
  });
  let body: readonly Stmt[] | undefined;
  return {
    key,
    decl: f,
    owner,
    typeMap,
    params,
    captures: f.captures.map(local),
    ret: substitute(f.ret, typeMap),
    madeFor,
    closures,
    constants: new Map(),
    get body() {
      return (body ??= cloneBody(f.body, scope));
    },
    local,
  };
}
