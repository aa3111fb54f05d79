/**
 * What lowering shares: the checker, what each symbol was declared as, and where diagnostics go.
 * A finding inside a statement unwinds (`Abort`) to that statement, so that the next ones are still checked.
 */
import { ts } from "ts-morph";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { ClassDecl, Expr, FuncDecl, GlobalVar, Loc, LocalVar, Stmt } from "../ir/nodes.js";
import type { Type } from "../ir/types.js";
import type { KindFunctions } from "./kind-functions.js";
import type { LoadedProject } from "./project.js";
import { quickFixOf } from "./quick-fixes.js";

/** Unwinds to the statement being lowered; its diagnostic is already reported. */
export class Abort extends Error {}

/** An untyped constant: takes the type of the other operand. `float`: written with a fraction or an exponent. */
export interface UntypedConst {
  readonly value: number;
  readonly float: boolean;
}

/** A member of an `as const` object. */
export type ConstMember = UntypedConst | bigint | string | boolean;

/** What a TypeScript symbol means to us. */
export type Meaning =
  | { readonly k: "const"; readonly value: UntypedConst | bigint }
  | { readonly k: "global"; readonly g: GlobalVar }
  | {
      readonly k: "func";
      readonly f: FuncDecl;
      readonly node: ts.FunctionLikeDeclaration;
      /** Set when it is compiled once for each number kind: `f` is only its signature. */
      kinds?: KindFunctions;
    }
  | { readonly k: "class"; readonly c: ClassDecl; readonly node: ClassNode }
  | { readonly k: "local"; readonly v: LocalVar; readonly fn: FunctionScope }
  /** `as const` object: its properties. */
  | { readonly k: "constObject"; readonly members: ReadonlyMap<string, ConstMember> }
  /** Declared by a statement that had an error. */
  | { readonly k: "poisoned" };

export type ClassNode = ts.ClassDeclaration | ts.InterfaceDeclaration | ts.TypeLiteralNode;

/** Modules that an earlier run has lowered. */
export interface Reused {
  has(sf: ts.SourceFile): boolean;
  /** What a declaration in one of them means. */
  meaning(symbol: ts.Symbol): Meaning | undefined;
}

/** The function whose body is being lowered. */
export interface FunctionScope {
  readonly decl: FuncDecl;
  /** The function around a lambda; undefined for declared functions. */
  readonly parent: FunctionScope | undefined;
  /** The class whose `this` is meant, with its own type parameters as arguments. */
  readonly self: ClassDecl | undefined;
  nextId: number;
  /** Undefined while it is being inferred from the body. */
  ret: Type | undefined;
  /** The `return` statements, to be converted when the type is inferred. */
  readonly returns: { readonly stmt: { value: Expr | undefined }; readonly node: ts.Node }[];
  /** Statements that take destructured parameters apart, before the body. */
  readonly prologue: Stmt[];
  /** True for the top level of a module: always setup. */
  readonly isModule: boolean;
}

export class Context {
  readonly diagnostics: Diagnostic[] = [];
  readonly meanings = new Map<ts.Symbol, Meaning>();
  readonly classes = new Map<string, ClassDecl>();
  readonly functions = new Map<string, FuncDecl>();
  /** Bodies that are still to be lowered, by function. */
  readonly pending = new Map<FuncDecl, () => void>();
  /** Conversions that narrowing of a variable allowed: wrong when a function changes the variable in between. */
  readonly narrowed: { readonly v: LocalVar; readonly expr: Expr; readonly node: ts.Node }[] = [];
  /** Variables declared without a value: reading one in a function could come before the first assignment. */
  readonly unset = new WeakSet<LocalVar>();
  /** Functions whose signature has an error: calls of them are not reported on top. */
  readonly broken = new WeakSet<FuncDecl>();
  /** Members of classes that have an error, `class id.name`: uses of them are not reported on top. */
  readonly brokenMembers = new Set<string>();
  /** Return types being inferred, to find cycles. */
  readonly inferring = new Set<FuncDecl>();
  /** Type parameters that stand for a number kind in the function being lowered. */
  boundTypes: ReadonlyMap<ts.Symbol, Type> = new Map();
  /** Makes declarations of a symbol on first use (set by declare.ts; avoids a cycle of imports). */
  declareSymbol: (symbol: ts.Symbol) => Meaning | undefined = () => undefined;

  /** The return type of a function, inferred from its body when not annotated (set by declare.ts). */
  returnType: (f: FuncDecl, at: ts.Node) => Type = (f) => f.ret;

  constructor(
    readonly project: LoadedProject,
    readonly reused: Reused,
  ) {}

  get checker(): ts.TypeChecker {
    return this.project.checker;
  }

  loc(node: ts.Node): Loc {
    const sf = node.getSourceFile();
    const { line, character } = sf.getLineAndCharacterOfPosition(node.getStart(sf));
    return { file: this.project.moduleName(sf), line: line + 1, col: character + 1 };
  }

  /** `type`: the name of the node's type where lowering knows more than TypeScript (`n % 2` is an i32). */
  report(
    code: string,
    node: ts.Node,
    message: string,
    fix: string,
    related: Diagnostic["related"] = [],
    type?: string,
  ): void {
    const sf = node.getSourceFile();
    const length = Math.max(1, node.getEnd() - node.getStart(sf));
    const quickFix = quickFixOf(this.checker, code, node, type);
    this.diagnostics.push({
      ...{ code, severity: "error", loc: this.loc(node), length, message, fix, related },
      ...(quickFix === undefined ? {} : { quickFix }),
    });
  }

  /** Reports and unwinds to the statement. */
  fail(code: string, node: ts.Node, message: string, fix: string, type?: string): never {
    this.report(code, node, message, fix, [], type);
    throw new Abort(message);
  }

  note(code: string, node: ts.Node, message: string, fix: string): void {
    const sf = node.getSourceFile();
    const length = Math.max(1, node.getEnd() - node.getStart(sf));
    this.diagnostics.push({ code, severity: "note", loc: this.loc(node), length, message, fix, related: [] });
  }

  /** The symbol behind a name, through import and export aliases. */
  symbolOf(node: ts.Node): ts.Symbol | undefined {
    const symbol = ts.isShorthandPropertyAssignment(node.parent)
      ? this.checker.getShorthandAssignmentValueSymbol(node.parent)
      : this.checker.getSymbolAtLocation(node);
    return symbol === undefined ? undefined : this.resolveAlias(symbol);
  }

  resolveAlias(symbol: ts.Symbol): ts.Symbol {
    return (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? this.checker.getAliasedSymbol(symbol) : symbol;
  }

  meaning(symbol: ts.Symbol): Meaning | undefined {
    return this.meanings.get(symbol) ?? this.#reusedMeaning(symbol) ?? this.declareSymbol(symbol);
  }

  #reusedMeaning(symbol: ts.Symbol): Meaning | undefined {
    const found = this.reused.meaning(symbol);
    if (found !== undefined) this.meanings.set(symbol, found);
    return found;
  }

  /** Runs `f`; an Abort inside is swallowed (its diagnostic stands). */
  guard(f: () => void): boolean {
    try {
      f();
      return true;
    } catch (e) {
      if (e instanceof Abort) return false;
      throw e;
    }
  }
}

/** True when the declaration stands in `core.d.ts`. */
export function isCoreDeclaration(node: ts.Node | undefined): boolean {
  return node !== undefined && /[\\/]core\.d\.ts$/.test(node.getSourceFile().fileName);
}

/** The declaration carries the JSDoc tag. */
export function jsDocTag(node: ts.Node, tag: string): string | undefined {
  for (const t of ts.getJSDocTags(node)) {
    if (t.tagName.text === tag) {
      return typeof t.comment === "string"
        ? t.comment.trim()
        : (ts.getTextOfJSDocComment(t.comment) ?? "").trim();
    }
  }
  return undefined;
}
