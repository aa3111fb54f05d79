/**
 * The nodes of the IR: a typed tree, close to the source, in which every numeric decision is explicit.
 * Both backends print from it; neither decides anything about numbers, overloads, narrowing or defaults.
 *
 * Evaluation order is ECMAScript's: operands left to right, traps included. In `a[i] = f()` the index is checked
 * after `f()` ran; in `a[i] += f()` the read (and its check) comes first.
 */
import type { NumKind, Type } from "./types.js";

/** A place in a source file: `file` is relative to the project, line and column count from 1. */
export interface Loc {
  readonly file: string;
  readonly line: number;
  readonly col: number;
}

export interface LocalVar {
  /** Unique within its function. */
  readonly id: number;
  readonly name: string;
  readonly type: Type;
  /** Assigned after its declaration. */
  mutable: boolean;
  /** Used by a lambda inside the declaring function. A variable both mutable and captured is a cell: shared by reference. */
  captured: boolean;
  /** An f64 only because nothing says otherwise: `let x = 0.5`. */
  defaulted?: boolean;
}

export interface Param extends LocalVar {
  /** Already inserted at IR call sites; kept for host callers. Constant expression. */
  readonly default: Expr | undefined;
  /** `...name`, always the last: call sites pass one array of what it takes. */
  readonly rest?: true;
}

export interface GlobalVar {
  /** `module/path#name` */
  readonly id: string;
  readonly name: string;
  readonly module: string;
  readonly type: Type;
  /** Declared with `let`. */
  readonly mutable: boolean;
  readonly exported: boolean;
  /** As of a local variable. */
  readonly defaulted?: boolean;
  readonly loc: Loc;
}

export type FuncKind = "function" | "method" | "constructor" | "lambda" | "extern";

export interface FuncDecl {
  /** `module/path#name`, `…#Class.method`, `…#outer.lambda1` */
  readonly id: string;
  readonly name: string;
  readonly module: string;
  readonly kind: FuncKind;
  readonly typeParams: readonly string[];
  readonly params: readonly Param[];
  /** Filled in after the body is lowered when it is inferred. */
  ret: Type;
  /** Set for methods, constructors. */
  readonly owner: ClassDecl | undefined;
  readonly isStatic: boolean;
  /** `get name()`: called as a method without arguments; the JS backend prints a property access. */
  readonly isGetter: boolean;
  readonly exported: boolean;
  /** Extern: the C function of the binding (and the host function's key). */
  readonly cName: string | undefined;
  /** Text of the JSDoc comment, without tags; absent when there is none. */
  readonly doc?: string;
  /** Lambda: the variables of enclosing functions it uses, in order of first use; `this` when usesThis. */
  readonly captures: LocalVar[];
  usesThis: boolean;
  /** A method declared to return `this`: of a subclass, the subclass. */
  returnsThis?: boolean;
  /** Written `async`; gone after `async/transform.ts`. `ret` is the promise. */
  isAsync?: boolean;
  body: Stmt[];
  readonly loc: Loc;
}

export interface Field {
  readonly name: string;
  readonly type: Type;
  readonly readonly: boolean;
  readonly optional: boolean;
  readonly loc: Loc;
}

/** A class, or an interface (`isInterface`: fields and method signatures; object literals are instances of it). */
export interface ClassDecl {
  /** `module/path#Name` */
  readonly id: string;
  readonly name: string;
  readonly module: string;
  readonly isInterface: boolean;
  readonly isAbstract: boolean;
  readonly exported: boolean;
  readonly typeParams: readonly string[];
  /** Own fields in declaration order (not the inherited ones). */
  readonly fields: Field[];
  /** Initialisers of fields are in the constructor's body, where ECMAScript runs them. */
  ctor: FuncDecl | undefined;
  readonly methods: FuncDecl[];
  /** Interfaces: method signatures (bodies empty). */
  readonly signatures: FuncDecl[];
  superclass: Type | undefined;
  readonly implements: Type[];
  /** The class declares `[Symbol.iterator]`, and has `length` and `get(i)`: the JS backend adds a real iterator. */
  iterable: boolean;
  /** The frame of an async function: what it is called. */
  readonly frameOf?: string;
  readonly loc: Loc;
}

export type ArithOp = "add" | "sub" | "mul" | "div" | "rem" | "and" | "or" | "xor" | "shl" | "shr" | "ushr";
export type CompareOp = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/**
 * Conversions.
 * - `num`: arg.type → type, both numbers (or bool → number 0/1). Integer → integer keeps the low bits; float → integer
 *   truncates and saturates, NaN → 0; to f32 rounds. Widening is a `num` too.
 * - `fit`: integer → narrower integer at the end of a compound assignment: keeps the low bits; traps `overflow` in
 *   checked builds when the value does not fit.
 * - `wrapNull`: T → T | null. `unwrap`: T | null → T, proven by narrowing. `assertNull`: `x!`, traps `null`.
 * - `upcast`/`downcast`: object reference to a base / to a type that narrowing proved.
 * - `text`: string-literal union → string. `literals`: union → wider union (same bits).
 * - `readonly`: T[] → RomArray<T>.
 * - `fromHost`: setup only; the value is checked against the type at build time.
 */
export type ConvertMode =
  | "num"
  | "fit"
  | "wrapNull"
  | "unwrap"
  | "assertNull"
  | "upcast"
  | "downcast"
  | "text"
  | "literals"
  | "readonly"
  | "fromHost";

/** Operations with a fixed meaning in both backends. `num` in the node is the operand kind where it matters. */
export type BuiltinName =
  // Math, result has the operand's kind; on integers only abs (wraps), min, max, sign
  | "abs"
  | "min"
  | "max"
  | "floor"
  | "ceil"
  | "trunc"
  | "round"
  | "sign"
  | "sqrt"
  | "imul"
  | "clz32" // i32 (clz32 takes u32)
  | "toInt32"
  | "toUint32" // f32/f64 → i32/u32 modulo 2^32 (ECMAScript's ToInt32: `x | 0`, `x >>> 0` on floats)
  | "sat" // integer → type, saturating
  | "f32Bits"
  | "f32FromBits"
  | "f64Bits"
  | "f64FromBits"
  // strings
  | "charCodeAt"
  | "strSlice"
  | "strIndexOf"
  | "startsWith"
  | "endsWith"
  | "strIncludes"
  | "textView"
  // arrays (args[0] is the array)
  | "arrayFill" // array, value, start, end (i32, clamped as in ECMAScript); the value is the array
  | "arraySet" // typed array, source, offset: traps index when it does not fit; memmove
  | "subarray" // typed array, start, end
  // Map and Set (args[0]; made in setup, see map-type.ts), key
  | "mapGet" // the value, or null
  | "mapHas"
  | "mapSize"
  // the number of an entry in the order of insertion; made by the transformation of async functions, always below mapSize
  | "mapKeyAt"
  | "mapValueAt"
  // slots
  | "slotsGet"
  | "slotsSet"
  | "slotsCapacity"
  | "assert"
  | "sequence" // `a, b`: all are evaluated in order, the value is the last one's, never a reference
  | "trapCapacity" // no arguments: traps with kind capacity at this place
  // text out: args are of printable types (num, bool, string, literals), joined by a space. An argument may be a
  // `concat` (a template literal): its parts are all evaluated in order, then printed without separators.
  | "log";

interface ExprBase {
  readonly type: Type;
  readonly loc: Loc;
}

export type Expr =
  /** A number, already in the range of its kind (f32: already rounded; NaN and infinities are allowed). */
  | (ExprBase & { readonly k: "num"; readonly value: number })
  /** An i64 or u64, in the range of its kind. */
  | (ExprBase & { readonly k: "big"; readonly value: bigint })
  | (ExprBase & { readonly k: "bool"; readonly value: boolean })
  | (ExprBase & { readonly k: "str"; readonly value: string })
  /** A member of a string-literal union. */
  | (ExprBase & { readonly k: "literal"; readonly value: string })
  /** type is nullable */
  | (ExprBase & { readonly k: "null" })
  | (ExprBase & { readonly k: "local"; readonly v: LocalVar })
  | (ExprBase & { readonly k: "global"; readonly g: GlobalVar })
  | (ExprBase & { readonly k: "this" })
  /** A declared function as a value. */
  | (ExprBase & { readonly k: "funcref"; readonly f: FuncDecl; readonly typeArgs: readonly Type[] })
  | (ExprBase & { readonly k: "lambda"; readonly f: FuncDecl })
  /** neg: `wrap` as in arith; bitnot: i32/u32/i64/u64; not: bool */
  | (ExprBase & {
      readonly k: "unary";
      readonly op: "neg" | "bitnot" | "not";
      readonly arg: Expr;
      readonly wrap: boolean;
    })
  /**
   * Both operands have kind `n` (i32, u32, i64, u64, f32 or f64); shifts: the right one is i32 or u32, its count masked.
   * 64-bit shifts are `<<` and `>>` of BigInt: the count is signed (i64) or u64, never masked; the result wraps.
   * `wrap`: exempt from the overflow check of checked builds. ushr on i32 operands gives u32; else type = n.
   */
  | (ExprBase & {
      readonly k: "arith";
      readonly op: ArithOp;
      readonly n: NumKind;
      readonly wrap: boolean;
      readonly l: Expr;
      readonly r: Expr;
    })
  /** Both operands have the same type: num, bool, string, literals, object, func, param, or nullable of these. */
  | (ExprBase & { readonly k: "compare"; readonly op: CompareOp; readonly l: Expr; readonly r: Expr })
  /** `x === null` */
  | (ExprBase & { readonly k: "isNull"; readonly arg: Expr })
  | (ExprBase & { readonly k: "instanceof"; readonly arg: Expr; readonly of: Type })
  /** Operands are bool. */
  | (ExprBase & { readonly k: "logical"; readonly op: "and" | "or"; readonly l: Expr; readonly r: Expr })
  /** Evaluates `init` into `v`, then `body`, in which `v` is known; `v` is never captured. */
  | (ExprBase & { readonly k: "bind"; readonly v: LocalVar; readonly init: Expr; readonly body: Expr })
  | (ExprBase & { readonly k: "cond"; readonly test: Expr; readonly then: Expr; readonly else: Expr })
  | (ExprBase & { readonly k: "convert"; readonly mode: ConvertMode; readonly arg: Expr })
  | (ExprBase & {
      readonly k: "call";
      readonly f: FuncDecl;
      readonly typeArgs: readonly Type[];
      readonly args: readonly Expr[];
    })
  /** `f` is the declaration found statically; `isSuper`: not dispatched. The receiver's type carries the class's type arguments. */
  | (ExprBase & {
      readonly k: "method";
      readonly recv: Expr;
      readonly f: FuncDecl;
      readonly typeArgs: readonly Type[];
      readonly isSuper: boolean;
      readonly args: readonly Expr[];
    })
  /** `super(...)`: first statement of a constructor. */
  | (ExprBase & {
      readonly k: "superCall";
      readonly f: FuncDecl | undefined;
      readonly superclass: Type;
      readonly args: readonly Expr[];
    })
  | (ExprBase & { readonly k: "callValue"; readonly fn: Expr; readonly args: readonly Expr[] })
  | (ExprBase & {
      readonly k: "builtin";
      readonly name: BuiltinName;
      readonly n: NumKind | undefined;
      readonly args: readonly Expr[];
    })
  /** type is the object type made; ctor may be undefined (nothing to run). */
  | (ExprBase & {
      readonly k: "new";
      readonly cls: ClassDecl;
      readonly args: readonly Expr[];
      /** Evaluated in setup only; a handler that came here would trap. */
      readonly inSetup?: boolean;
    })
  /** `new Uint8Array(n)`: zeroed. Run phase: n must be constant. */
  | (ExprBase & { readonly k: "newTyped"; readonly length: Expr })
  | (ExprBase & { readonly k: "newSlots"; readonly capacity: Expr })
  /** `filled(n, value)` @setup */
  | (ExprBase & { readonly k: "filled"; readonly length: Expr; readonly value: Expr })
  /**
   * An array literal, also as the argument of a typed array's constructor. `spreads` (as long as `elems`, when given):
   * which of them are arrays of the same element type whose elements stand here.
   */
  | (ExprBase & {
      readonly k: "arrayLit";
      readonly elems: readonly Expr[];
      readonly spreads?: readonly boolean[] | undefined;
    })
  /** In source order (evaluation order); every field of the interface is there, optional absent ones as null. */
  | (ExprBase & {
      readonly k: "objectLit";
      readonly fields: readonly { readonly name: string; readonly value: Expr }[];
    })
  | (ExprBase & { readonly k: "field"; readonly obj: Expr; readonly name: string })
  | (ExprBase & { readonly k: "staticField"; readonly cls: ClassDecl; readonly g: GlobalVar })
  | (ExprBase & { readonly k: "index"; readonly obj: Expr; readonly index: Expr })
  /** Of an array or a string. */
  | (ExprBase & { readonly k: "length"; readonly obj: Expr })
  /** type = target.type; the value of the expression is the assigned value. */
  | (ExprBase & { readonly k: "assign"; readonly target: LValue; readonly value: Expr })
  /** `x += v`, `x++`: `compute` is the new value, in which `hole` is the old one. */
  | (ExprBase & {
      readonly k: "update";
      readonly target: LValue;
      readonly compute: Expr;
      readonly result: "old" | "new";
    })
  | (ExprBase & { readonly k: "hole" })
  /**
   * Calls of async functions (`call`, `method`), waited for: one, or with `all` every one of `Promise.all`, and then the
   * value is a tuple. Gone after `async/transform.ts`.
   */
  | (ExprBase & { readonly k: "await"; readonly calls: readonly Expr[]; readonly all: boolean })
  /** Setup only: a string built from parts. */
  | (ExprBase & { readonly k: "concat"; readonly parts: readonly Expr[] })
  /** Setup only: a host method or function by name (`recv` undefined: a global). */
  | (ExprBase & {
      readonly k: "host";
      readonly recv: Expr | undefined;
      readonly name: string;
      readonly how: "call" | "get" | "new";
      readonly args: readonly Expr[];
    });

export type LValue = Extract<Expr, { k: "local" | "global" | "field" | "index" | "staticField" }>;
export type ExprOf<K extends Expr["k"]> = Extract<Expr, { k: K }>;

interface StmtBase {
  readonly loc: Loc;
}

export interface SwitchCase {
  /** Constants (num, big, str, literal, bool); empty for a pure `default`. */
  readonly tests: readonly Expr[];
  readonly isDefault: boolean;
  /** Never falls through into the next: the frontend made sure. A trailing `break` is removed. */
  readonly body: readonly Stmt[];
}

export type Stmt =
  | (StmtBase & { readonly k: "let"; readonly v: LocalVar; readonly init: Expr | undefined })
  | (StmtBase & { readonly k: "expr"; readonly e: Expr })
  | (StmtBase & {
      readonly k: "if";
      readonly test: Expr;
      readonly then: readonly Stmt[];
      readonly else: readonly Stmt[];
    })
  /** for, while (`init`, `update` empty) */
  | (StmtBase & {
      readonly k: "for";
      readonly label: string | undefined;
      readonly init: readonly Stmt[];
      readonly test: Expr | undefined;
      readonly update: Expr | undefined;
      readonly body: readonly Stmt[];
    })
  | (StmtBase & {
      readonly k: "doWhile";
      readonly label: string | undefined;
      readonly body: readonly Stmt[];
      readonly test: Expr;
    })
  /**
   * Over an array, or an object with `length` and `get(i)` (`get`, `lengthOf` set): by index, the length read on every
   * turn. Setup: over any host iterable. Map and Set (`map…`): in insertion order; `v` is the key, of `mapValues` the
   * value; `mapEntries` has the value in `second`.
   */
  | (StmtBase & {
      readonly k: "forOf";
      readonly label: string | undefined;
      readonly v: LocalVar;
      readonly of: Expr;
      readonly second?: LocalVar | undefined;
      readonly get: FuncDecl | undefined;
      readonly lengthOf: "array" | "field" | "method" | "host" | "mapKeys" | "mapValues" | "mapEntries";
      readonly body: readonly Stmt[];
    })
  | (StmtBase & { readonly k: "switch"; readonly subject: Expr; readonly cases: readonly SwitchCase[] })
  | (StmtBase & { readonly k: "return"; readonly value: Expr | undefined })
  | (StmtBase & { readonly k: "break"; readonly label: string | undefined })
  | (StmtBase & { readonly k: "continue"; readonly label: string | undefined })
  /** `throw new Error("literal")`; `rethrow`: `throw e` of a caught trap. */
  | (StmtBase & { readonly k: "throw"; readonly message: string; readonly rethrow: LocalVar | undefined })
  /** `v` is of the object type Trap: fields kind (literals), site (i32), message (string). */
  | (StmtBase & {
      readonly k: "try";
      readonly body: readonly Stmt[];
      readonly v: LocalVar | undefined;
      readonly handler: readonly Stmt[];
    })
  /**
   * Runs `finalizer` after `body`, however control leaves it (end, jump, return with its value evaluated before, trap),
   * then goes on where the body went. No jump leaves `finalizer`; a trap in it replaces what was under way.
   * `try … catch … finally` is a `finally` around a `try`.
   */
  | (StmtBase & {
      readonly k: "finally";
      readonly body: readonly Stmt[];
      readonly finalizer: readonly Stmt[];
    })
  | (StmtBase & { readonly k: "block"; readonly body: readonly Stmt[] })
  /** Assignment of a global by its declaration: `const x = …` at the top level of a module. */
  | (StmtBase & { readonly k: "initGlobal"; readonly g: GlobalVar; readonly init: Expr | undefined });

export interface ImportItem {
  /** Resolved module (Module.path). */
  readonly from: string;
  readonly names: readonly { readonly imported: string; readonly local: string }[];
}

export interface Module {
  /** Relative to the project root, `/`-separated, with extension; the library is `tmc/…`. */
  readonly path: string;
  /** Absolute file name. */
  readonly file: string;
  /** Only what is used at run time (not types). */
  readonly imports: readonly ImportItem[];
  readonly reexports: readonly {
    readonly from: string;
    readonly names: readonly { readonly imported: string; readonly exported: string }[];
  }[];
  readonly globals: readonly GlobalVar[];
  /** Untyped constants, enums and `as const` objects: no storage on the device, kept for host importers. */
  readonly constants: readonly {
    readonly name: string;
    readonly exported: boolean;
    readonly value: number | bigint | Readonly<Record<string, number | bigint | string | boolean>>;
  }[];
  readonly functions: readonly FuncDecl[];
  readonly classes: readonly ClassDecl[];
  /** The top level in source order; part of setup. */
  readonly init: readonly Stmt[];
}

export interface Program {
  /** In evaluation order (imports first). */
  readonly modules: readonly Module[];
  readonly classes: ReadonlyMap<string, ClassDecl>;
  readonly functions: ReadonlyMap<string, FuncDecl>;
  readonly entryModule: string;
}
