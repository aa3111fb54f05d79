/**
 * What a symbol declares: functions, classes, interfaces, module variables, enums. Made on first use, so that
 * modules may refer to each other; bodies are lowered later (`ctx.pending`).
 */
import { ts } from "ts-morph";
import { mapClasses } from "../ir/map-type.js";
import { promised, promiseOf } from "../ir/async/promise.js";
import type { ClassDecl, Expr, FuncDecl, FuncKind, GlobalVar, Stmt } from "../ir/nodes.js";
import { VOID, type Type } from "../ir/types.js";
import { constantMeaning } from "./const-declarations.js";
import { jsDocTag, type Context, type FunctionScope, type Meaning } from "./context.js";
import { ClassDeclarations, trapClass } from "./declare-classes.js";
import { checkEnd, inferReturn, isAsync, lowerParams, refuseModifiers } from "./functions.js";
import { selfType } from "./expr/names.js";
import { combinations, kindParams, withKinds, type KindFunctions } from "./kind-functions.js";
import { Lowerer } from "./lowerer.js";
import { isDefaultedFloat, variableType } from "./stmt/simple.js";
import { typeOfNode } from "./type-convert.js";

const K = ts.SyntaxKind;

/** The JSDoc text of a function: for the header of the generated C. */
function docOf(node: ts.FunctionDeclaration): { doc?: string } {
  const text = ts
    .getJSDocCommentsAndTags(node)
    .flatMap((d) => (ts.isJSDoc(d) ? [ts.getTextOfJSDocComment(d.comment)?.trim() ?? ""] : []))
    .join("\n")
    .trim();
  return text === "" ? {} : { doc: text };
}

export class Declarations {
  /** Initialisers of globals whose type was inferred from them: lowered once. */
  readonly globalInits = new Map<GlobalVar, Expr>();
  readonly moduleScopes = new Map<string, FunctionScope>();
  readonly globals = new Map<string, GlobalVar[]>();
  readonly functionsOf = new Map<string, FuncDecl[]>();
  readonly classesOf = new Map<string, ClassDecl[]>();
  readonly classes: ClassDeclarations;

  constructor(readonly ctx: Context) {
    this.classes = new ClassDeclarations(this);
    ctx.declareSymbol = (symbol) => this.declare(symbol);
    ctx.returnType = (f, at) => this.returnType(f, at);
    ctx.classes.set("tmc/core#Trap", trapClass());
    for (const c of mapClasses()) ctx.classes.set(c.id, c);
  }

  moduleScope(sf: ts.SourceFile): FunctionScope {
    const module = this.ctx.project.moduleName(sf);
    let scope = this.moduleScopes.get(module);
    if (scope === undefined) {
      const decl = this.func(`${module}#setup`, "setup", module, "function", sf);
      scope = {
        decl,
        parent: undefined,
        self: undefined,
        nextId: 0,
        ret: VOID,
        returns: [],
        prologue: [],
        isModule: true,
      };
      this.moduleScopes.set(module, scope);
    }
    return scope;
  }

  func(id: string, name: string, module: string, kind: FuncKind, node: ts.Node): FuncDecl {
    return {
      id,
      name,
      module,
      kind,
      typeParams: [],
      params: [],
      ret: VOID,
      owner: undefined,
      isStatic: false,
      isGetter: false,
      exported: false,
      cName: undefined,
      captures: [],
      usesThis: false,
      body: [],
      loc: ts.isSourceFile(node) ? { file: module, line: 1, col: 1 } : this.ctx.loc(node),
    };
  }

  declare(symbol: ts.Symbol): Meaning | undefined {
    const node = symbol.declarations?.find((d) => !ts.isTypeParameterDeclaration(d));
    if (node === undefined) return undefined;
    this.refuseMerging(symbol);
    const value = symbol.declarations?.find((d) => ts.isVariableDeclaration(d) && isTopLevel(d));
    if (value !== undefined && ts.isTypeAliasDeclaration(node)) {
      // `const Mode = { … } as const; type Mode = …`: one name for a value and a type.
      return this.declareGlobal(symbol, value as ts.VariableDeclaration);
    }
    if (ts.isFunctionDeclaration(node)) return this.declareFunction(symbol, node);
    if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node))
      return this.classes.declare(symbol, node);
    if (ts.isTypeAliasDeclaration(node) && ts.isTypeLiteralNode(node.type))
      return this.classes.declare(symbol, node.type);
    if (ts.isVariableDeclaration(node) && isTopLevel(node)) return this.declareGlobal(symbol, node);
    if (ts.isEnumMember(node)) {
      const value = this.ctx.checker.getConstantValue(node);
      if (typeof value !== "number") return undefined;
      return this.set(symbol, { k: "const", value: { value, float: false } });
    }
    if (ts.isPropertyDeclaration(node) || ts.isMethodDeclaration(node)) {
      // Static members are declared with their class.
      const owner = this.ctx.checker.getSymbolAtLocation(
        (node.parent as ts.ClassDeclaration).name ?? node.parent,
      );
      if (owner !== undefined) this.ctx.meaning(owner);
      return this.ctx.meanings.get(symbol);
    }
    return undefined;
  }

  /** Declarations that TypeScript would merge into one. */
  private refuseMerging(symbol: ts.Symbol): void {
    const all = (symbol.declarations ?? []).filter(
      (d) =>
        ts.isInterfaceDeclaration(d) ||
        ts.isClassDeclaration(d) ||
        ts.isEnumDeclaration(d) ||
        ts.isModuleDeclaration(d) ||
        (ts.isTypeAliasDeclaration(d) && ts.isTypeLiteralNode(d.type)) ||
        ((ts.isVariableDeclaration(d) || ts.isFunctionDeclaration(d)) &&
          !(symbol.declarations ?? []).every((x) => x.kind === d.kind || ts.isTypeAliasDeclaration(x))),
    );
    const second = all[1];
    if (second === undefined) return;
    this.ctx.report(
      "TMC1147",
      second,
      `\`${symbol.name}\` is declared twice, and declarations are not merged`,
      "write one declaration, or use two names",
    );
  }

  set(symbol: ts.Symbol, m: Meaning): Meaning {
    this.ctx.meanings.set(symbol, m);
    return m;
  }

  register(f: FuncDecl): void {
    this.ctx.functions.set(f.id, f);
    const list = this.functionsOf.get(f.module) ?? [];
    list.push(f);
    this.functionsOf.set(f.module, list);
  }

  // ---- functions ----

  private declareFunction(symbol: ts.Symbol, first: ts.FunctionDeclaration): Meaning {
    const node =
      (symbol.declarations ?? []).filter(ts.isFunctionDeclaration).find((d) => d.body !== undefined) ?? first;
    const sf = node.getSourceFile();
    const module = this.ctx.project.moduleName(sf);
    const name = symbol.name;
    const extern = node.body === undefined;
    const binding = extern ? jsDocTag(node, "binding") : undefined;
    const f: FuncDecl = Object.assign(
      this.func(`${module}#${name}`, name, module, extern ? "extern" : "function", node),
      {
        typeParams: typeParamsOf(node),
        exported: isExported(node),
        cName: binding,
        ...docOf(node),
      },
    );
    const meaning: Meaning = { k: "func", f, node };
    this.set(symbol, meaning);
    const ok = this.ctx.guard(() => {
      refuseModifiers(this.ctx, node);
      if ((symbol.declarations?.length ?? 0) > 1) {
        this.ctx.fail(
          "TMC1138",
          first,
          "overloads are not part of the subset",
          "write one function for each signature",
        );
      }
      if (extern && binding === undefined) {
        this.ctx.fail(
          "TMC1139",
          node,
          "a declared function needs its C name",
          "add `/** @binding c_function */`",
        );
      }
      if (binding !== undefined && !/^(setup:)?[A-Za-z_]\w*$/.test(binding)) {
        this.ctx.fail(
          "TMC1139",
          node,
          `\`${binding}\` cannot be the name of a C function`,
          "add `/** @binding c_function */`",
        );
      }
      if (extern && node.type === undefined)
        this.ctx.fail("TMC1139", node, "a declared function needs a return type", "add it: `: void`");
    });
    const params = ok && !extern ? kindParams(this.ctx, node) : [];
    if (params.length > 0) meaning.kinds = this.kindFunctions(f, node, params);
    else if (ok) this.bodyOf(f, node, undefined, this.moduleScope(sf));
    else this.ctx.broken.add(f);
    return meaning;
  }

  /** One function for each combination of kinds; `f` itself is never called. */
  private kindFunctions(
    f: FuncDecl,
    node: ts.FunctionDeclaration,
    params: KindFunctions["params"],
  ): KindFunctions {
    const { ctx } = this;
    const scope = this.moduleScope(node.getSourceFile());
    const instances = new Map<string, FuncDecl>();
    const all = combinations(params);
    this.annotated.add(f);
    this.signature(f, node, undefined, scope);
    this.register(f);
    const instead = `${f.name} is compiled for each number kind: a host test calls a function that calls it`;
    ctx.pending.set(f, () => {
      f.body = [{ k: "throw", loc: f.loc, message: instead, rethrow: undefined }];
    });
    if (all === undefined) {
      ctx.report(
        "TMC1119",
        node.name ?? node,
        "this would be compiled more than 32 times",
        "name fewer kinds",
      );
      ctx.broken.add(f);
    }
    if (ctx.broken.has(f) || all === undefined) return { params, instances };
    const seen = new Set<string>();
    for (const kinds of all) {
      const name = `${f.name}$${kinds.join("$")}`;
      const typeParams = f.typeParams.filter((t) => !params.some((p) => p.name === t));
      const made: FuncDecl = { ...f, id: `${f.module}#${name}`, name, typeParams, params: [], body: [] };
      instances.set(kinds.join(","), made);
      withKinds(ctx, params, kinds, seen, () => {
        this.bodyOf(made, node, undefined, scope);
      });
      // Each instance has parameters of its own: the names mean them again when its body is lowered.
      const meanings = parameterSymbols(ctx, node).map((s) => [s, ctx.meanings.get(s)] as const);
      const body = ctx.pending.get(made);
      if (body === undefined) continue;
      ctx.pending.set(made, () => {
        for (const [s, m] of meanings) if (m !== undefined) ctx.meanings.set(s, m);
        withKinds(ctx, params, kinds, seen, body);
      });
    }
    return { params, instances };
  }

  /** Lowers parameters now and the body later. */
  private signature(
    f: FuncDecl,
    node: ts.FunctionLikeDeclaration,
    self: ClassDecl | undefined,
    parent: FunctionScope,
  ): void {
    const scope: FunctionScope = {
      decl: f,
      parent,
      self,
      nextId: 0,
      ret: undefined,
      returns: [],
      prologue: [],
      isModule: false,
    };
    if (isAsync(node)) f.isAsync = true;
    const lw = new Lowerer(this.ctx, scope);
    const ok = this.ctx.guard(() => {
      Object.assign(f, { params: lowerParams(lw, node) });
      if (node.type !== undefined) {
        if (node.type.kind === K.ThisType && self !== undefined) {
          f.returnsThis = true;
          f.ret = selfType(self);
        } else f.ret = typeOfNode(this.ctx, node.type);
        scope.ret = f.isAsync === true ? promised(f.ret) : f.ret;
      } else if (f.kind === "constructor") scope.ret = VOID;
    });
    if (!ok) {
      this.ctx.broken.add(f);
      // Parameters that failed are poisoned: the body is not reported on top.
      for (const p of node.parameters) {
        const s = this.ctx.checker.getSymbolAtLocation(p.name);
        if (s !== undefined && !this.ctx.meanings.has(s)) this.ctx.meanings.set(s, { k: "poisoned" });
      }
      scope.ret ??= VOID;
    }
    const body = node.body;
    if (body === undefined || !ts.isBlock(body)) return;
    this.ctx.pending.set(f, () => {
      f.body = [...f.body, ...scope.prologue, ...lw.statements(body.statements)];
      if (f.kind !== "constructor") checkEnd(this.ctx, node, scope.ret ?? f.ret, scope.ret === undefined);
      if (scope.ret === undefined) {
        this.ctx.guard(() => {
          scope.ret = inferReturn(lw);
          f.ret = f.isAsync === true ? promiseOf(scope.ret) : scope.ret;
        });
      }
    });
  }

  private returnType(f: FuncDecl, at: ts.Node): Type {
    if (this.annotated.has(f)) return f.ret;
    if (this.ctx.inferring.has(f)) {
      return this.ctx.fail(
        "TMC1140",
        at,
        `the return type of \`${f.name}\` depends on itself`,
        "annotate it",
      );
    }
    this.runBody(f);
    return f.ret;
  }
  /** Functions whose return type is written, or known without their body. */
  readonly annotated = new Set<FuncDecl>();

  runBody(f: FuncDecl): void {
    const body = this.ctx.pending.get(f);
    if (body === undefined) return;
    this.ctx.pending.delete(f);
    this.ctx.inferring.add(f);
    try {
      body();
    } finally {
      this.ctx.inferring.delete(f);
    }
  }

  bodyOf(
    f: FuncDecl,
    node: ts.FunctionLikeDeclaration,
    c: ClassDecl | undefined,
    scope: FunctionScope,
  ): void {
    if (node.type !== undefined || f.kind === "constructor" || node.body === undefined) this.annotated.add(f);
    this.signature(f, node, c, scope);
    this.register(f);
  }

  // ---- module variables ----

  private declareGlobal(symbol: ts.Symbol, d: ts.VariableDeclaration): Meaning {
    const sf = d.getSourceFile();
    const module = this.ctx.project.moduleName(sf);
    const lw = new Lowerer(this.ctx, this.moduleScope(sf));
    const name = ts.isIdentifier(d.name) ? d.name.text : d.name.getText();
    const list = d.parent as ts.VariableDeclarationList;
    const isConst = (list.flags & ts.NodeFlags.Const) !== 0;
    // A name that refers to itself while its type is inferred ends here.
    this.ctx.meanings.set(symbol, { k: "poisoned" });
    const constant = isConst ? constantMeaning(lw, d) : undefined;
    if (constant !== undefined) return this.set(symbol, constant);
    let init: Expr | undefined;
    let type: Type | undefined;
    let defaulted = false;
    const ok = this.ctx.guard(() => {
      if (d.exclamationToken !== undefined) {
        this.ctx.fail(
          "TMC1131",
          d,
          `\`${name}!\` promises a value that nothing checks`,
          `give it one: \`let ${name} = …\``,
        );
      }
      if (d.type !== undefined) type = typeOfNode(this.ctx, d.type);
      else if (d.initializer !== undefined) {
        init = lw.raw(d.initializer);
        type = variableType(lw, init, d);
        defaulted = isDefaultedFloat(init);
        init = lw.coerce(init, type, d);
      } else this.ctx.fail("TMC1131", d, `\`${name}\` needs a type or a value`, `write \`let ${name} = …\``);
    });
    if (!ok || type === undefined) return { k: "poisoned" };
    const g: GlobalVar = {
      id: `${module}#${name}`,
      name,
      module,
      type,
      mutable: !isConst,
      exported: isExported(list.parent),
      ...(defaulted ? { defaulted } : {}),
      loc: this.ctx.loc(d),
    };
    if (init !== undefined) this.globalInits.set(g, init);
    const all = this.globals.get(module) ?? [];
    all.push(g);
    this.globals.set(module, all);
    return this.set(symbol, { k: "global", g });
  }

  /** `const x = …;` at the top level, as a statement of setup. */
  initStatement(d: ts.VariableDeclaration): Stmt[] {
    const symbol = this.ctx.checker.getSymbolAtLocation(d.name);
    const meaning = symbol === undefined ? undefined : this.ctx.meaning(symbol);
    if (meaning?.k !== "global") return [];
    const lw = new Lowerer(this.ctx, this.moduleScope(d.getSourceFile()));
    const known = this.globalInits.get(meaning.g);
    let init = known;
    if (known === undefined && d.initializer !== undefined) {
      const node = d.initializer;
      const ok = this.ctx.guard(() => {
        init = lw.expr(node, meaning.g.type);
      });
      if (!ok) return [];
    }
    return [{ k: "initGlobal", loc: this.ctx.loc(d), g: meaning.g, init }];
  }
}

/** What the names in the parameters of a function declare. */
function parameterSymbols(ctx: Context, node: ts.FunctionDeclaration): ts.Symbol[] {
  const found: ts.Symbol[] = [];
  const visit = (n: ts.Node): void => {
    const symbol = ts.isIdentifier(n) ? ctx.checker.getSymbolAtLocation(n) : undefined;
    if (symbol !== undefined) found.push(symbol);
    ts.forEachChild(n, visit);
  };
  for (const p of node.parameters) visit(p.name);
  return found;
}

/** A name that C and JavaScript can write after a dot. */
export const isPlainName = (n: ts.PropertyName): n is ts.Identifier | ts.StringLiteral =>
  (ts.isIdentifier(n) || ts.isStringLiteral(n)) && /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(n.text);

/** The name of a class member, without quotes and escapes. */
export const memberName = (n: ts.PropertyName): string =>
  ts.isIdentifier(n) || ts.isStringLiteral(n) || ts.isPrivateIdentifier(n) ? n.text : n.getText();

export const typeParamsOf = (node: ts.SignatureDeclaration): string[] =>
  (node.typeParameters ?? []).map((p) => p.name.text);

export function hasModifier(node: ts.Node, kind: ts.SyntaxKind): boolean {
  return ts.canHaveModifiers(node) && ts.getModifiers(node)?.some((m) => m.kind === kind) === true;
}

export const isExported = (node: ts.Node): boolean => hasModifier(node, K.ExportKeyword);

/** `const x` directly in a module, not in a block of it. */
export function isTopLevel(d: ts.VariableDeclaration): boolean {
  return ts.isVariableStatement(d.parent.parent) && ts.isSourceFile(d.parent.parent.parent);
}
