/**
 * What a symbol declares: functions, classes, interfaces, module variables, enums. Made on first use, so that
 * modules may refer to each other; bodies are lowered later (`ctx.pending`).
 */
import { ts } from "ts-morph";
import type { ClassDecl, Expr, Field, FuncDecl, FuncKind, GlobalVar, Stmt } from "../ir/nodes.js";
import { nullable, VOID, type Type } from "../ir/types.js";
import { constantMeaning } from "./const-declarations.js";
import { jsDocTag, type ClassNode, type Context, type FunctionScope, type Meaning } from "./context.js";
import { selfType } from "./expr/names.js";
import { inferReturn, lowerParams, refuseModifiers } from "./functions.js";
import { Lowerer } from "./lowerer.js";
import { variableType } from "./stmt/simple.js";
import { typeOfNode } from "./type-convert.js";

const K = ts.SyntaxKind;

export class Declarations {
  /** Initialisers of globals whose type was inferred from them: lowered once. */
  readonly globalInits = new Map<GlobalVar, Expr>();
  readonly moduleScopes = new Map<string, FunctionScope>();
  readonly globals = new Map<string, GlobalVar[]>();
  readonly functionsOf = new Map<string, FuncDecl[]>();
  readonly classesOf = new Map<string, ClassDecl[]>();

  constructor(readonly ctx: Context) {
    ctx.declareSymbol = (symbol) => this.declare(symbol);
    ctx.returnType = (f, at) => this.returnType(f, at);
    ctx.classes.set("tmc/core#Trap", trapClass());
  }

  moduleScope(sf: ts.SourceFile): FunctionScope {
    const module = this.ctx.project.moduleName(sf);
    let scope = this.moduleScopes.get(module);
    if (scope === undefined) {
      const decl = this.func(`${module}#setup`, "setup", module, "function", sf);
      scope = { decl, parent: undefined, self: undefined, nextId: 0, ret: VOID, returns: [], isModule: true };
      this.moduleScopes.set(module, scope);
    }
    return scope;
  }

  private func(id: string, name: string, module: string, kind: FuncKind, node: ts.Node): FuncDecl {
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
    if (ts.isFunctionDeclaration(node)) return this.declareFunction(symbol, node);
    if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node))
      return this.declareClass(symbol, node);
    if (ts.isTypeAliasDeclaration(node) && ts.isTypeLiteralNode(node.type))
      return this.declareClass(symbol, node.type);
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

  private set(symbol: ts.Symbol, m: Meaning): Meaning {
    this.ctx.meanings.set(symbol, m);
    return m;
  }

  private register(f: FuncDecl): void {
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
      },
    );
    const meaning = this.set(symbol, { k: "func", f, node });
    this.ctx.guard(() => {
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
      if (extern && node.type === undefined)
        this.ctx.fail("TMC1139", node, "a declared function needs a return type", "");
    });
    this.bodyOf(f, node, undefined, this.moduleScope(sf));
    return meaning;
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
      isModule: false,
    };
    const lw = new Lowerer(this.ctx, scope);
    const ok = this.ctx.guard(() => {
      Object.assign(f, { params: lowerParams(lw, node) });
      if (node.type !== undefined) {
        if (node.type.kind === K.ThisType)
          this.ctx.fail("TMC1103", node.type, "the type `this` has no representation", "name the class");
        scope.ret = typeOfNode(this.ctx, node.type);
        f.ret = scope.ret;
      } else if (f.kind === "constructor") scope.ret = VOID;
    });
    if (!ok) {
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
      f.body = [...f.body, ...lw.statements(body.statements)];
      if (scope.ret === undefined) {
        this.ctx.guard(() => {
          f.ret = inferReturn(lw);
          scope.ret = f.ret;
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
  private readonly annotated = new Set<FuncDecl>();

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

  // ---- classes and interfaces ----

  private declareClass(symbol: ts.Symbol, node: ClassNode): Meaning {
    const sf = node.getSourceFile();
    const module = this.ctx.project.moduleName(sf);
    const name = symbol.name;
    const holder = ts.isTypeLiteralNode(node) ? (node.parent as ts.TypeAliasDeclaration) : node;
    const isInterface = !ts.isClassDeclaration(node);
    const c: ClassDecl = {
      id: `${module}#${name}`,
      name,
      module,
      isInterface,
      isAbstract: !isInterface && hasModifier(node, K.AbstractKeyword),
      exported: isExported(holder),
      typeParams: (holder.typeParameters ?? []).map((p) => p.name.text),
      fields: [],
      ctor: undefined,
      methods: [],
      signatures: [],
      superclass: undefined,
      implements: [],
      iterable: false,
      loc: this.ctx.loc(holder),
    };
    const meaning = this.set(symbol, { k: "class", c, node });
    this.ctx.classes.set(c.id, c);
    const list = this.classesOf.get(module) ?? [];
    list.push(c);
    this.classesOf.set(module, list);
    if (!ts.isTypeLiteralNode(node)) this.heritage(c, node);
    if (isInterface) this.interfaceMembers(c, node as ts.InterfaceDeclaration | ts.TypeLiteralNode);
    else this.classMembers(c, node);
    return meaning;
  }

  private heritage(c: ClassDecl, node: ts.ClassDeclaration | ts.InterfaceDeclaration): void {
    for (const clause of node.heritageClauses ?? []) {
      for (const t of clause.types) {
        this.ctx.guard(() => {
          const type = typeOfNode(this.ctx, t);
          if (type.k !== "object")
            return this.ctx.fail("TMC1141", t, "only classes and interfaces can be extended", "");
          if (!c.isInterface && clause.token === K.ExtendsKeyword) c.superclass = type;
          else c.implements.push(type);
          return undefined;
        });
      }
    }
  }

  private interfaceMembers(c: ClassDecl, node: ts.InterfaceDeclaration | ts.TypeLiteralNode): void {
    const scope = this.moduleScope(node.getSourceFile());
    for (const m of node.members) {
      this.ctx.guard(() => {
        if (ts.isPropertySignature(m) && m.type !== undefined && isPlainName(m.name)) {
          c.fields.push(
            this.field(m, m.name.getText().replaceAll(/["']/g, ""), typeOfNode(this.ctx, m.type)),
          );
        } else if (ts.isMethodSignature(m) && isPlainName(m.name)) {
          const f = this.methodDecl(c, m.name.getText(), m, "method");
          const lw = new Lowerer(this.ctx, {
            decl: f,
            parent: scope,
            self: c,
            nextId: 0,
            ret: undefined,
            returns: [],
            isModule: false,
          });
          refuseModifiers(this.ctx, m);
          Object.assign(f, {
            params: lowerParams(lw, m),
            ret: m.type === undefined ? VOID : typeOfNode(this.ctx, m.type),
          });
          this.annotated.add(f);
          c.signatures.push(f);
        } else if (ts.isGetAccessorDeclaration(m) && m.type !== undefined) {
          c.fields.push(this.field(m, m.name.getText(), typeOfNode(this.ctx, m.type)));
        } else {
          this.ctx.fail("TMC1142", m, "an interface has fields and methods only", "");
        }
      });
    }
  }

  private field(
    m: ts.PropertySignature | ts.PropertyDeclaration | ts.GetAccessorDeclaration | ts.ParameterDeclaration,
    name: string,
    type: Type,
  ): Field {
    const optional = "questionToken" in m && m.questionToken !== undefined;
    return {
      name,
      type: optional ? nullable(type) : type,
      readonly: hasModifier(m, K.ReadonlyKeyword) || ts.isGetAccessorDeclaration(m),
      optional,
      loc: this.ctx.loc(m),
    };
  }

  private methodDecl(c: ClassDecl, name: string, node: ts.SignatureDeclaration, kind: FuncKind): FuncDecl {
    return Object.assign(this.func(`${c.id}.${name}`, name, c.module, kind, node), {
      owner: c,
      typeParams: typeParamsOf(node),
    });
  }

  private classMembers(c: ClassDecl, node: ts.ClassDeclaration): void {
    const ctx = this.ctx;
    const scope = this.moduleScope(node.getSourceFile());
    const initialisers: (() => Stmt[])[] = [];
    const ctorNode = node.members.find(
      (m): m is ts.ConstructorDeclaration => ts.isConstructorDeclaration(m) && m.body !== undefined,
    );
    ctx.guard(() => {
      const decorated = ts.getDecorators(node)?.[0];
      if (decorated !== undefined)
        ctx.fail("TMC1004", decorated, "decorators are not part of the subset", "call a function in setup");
    });
    // Fields of parameter properties come first, as TypeScript declares them.
    for (const p of ctorNode?.parameters ?? []) {
      if (
        !ts.isParameterPropertyDeclaration(p, ctorNode as ts.ConstructorDeclaration) ||
        !ts.isIdentifier(p.name)
      )
        continue;
      const name = p.name.text;
      ctx.guard(() => {
        if (p.type === undefined) return ctx.fail("TMC1127", p, `the parameter \`${name}\` needs a type`, "");
        c.fields.push(this.field(p, name, typeOfNode(ctx, p.type)));
        return undefined;
      });
    }
    const later: (() => void)[] = [];
    for (const m of node.members) {
      ctx.guard(() => {
        if (ts.isPropertyDeclaration(m)) this.property(c, m, scope, initialisers);
        else if (ts.isMethodDeclaration(m)) this.method(c, m, scope, later);
        else if (ts.isGetAccessorDeclaration(m)) {
          const f = Object.assign(this.methodDecl(c, m.name.getText(), m, "method"), { isGetter: true });
          c.methods.push(f);
          later.push(() => this.bodyOf(f, m, c, scope));
        } else if (ts.isSetAccessorDeclaration(m)) {
          ctx.fail("TMC1143", m, "setters are not part of the subset", "write a method `setX(value)`");
        } else if (ts.isClassStaticBlockDeclaration(m)) {
          ctx.fail(
            "TMC1143",
            m,
            "static blocks are not part of the subset",
            "do it at the top level of the module",
          );
        } else if (ts.isIndexSignatureDeclaration(m)) {
          ctx.fail("TMC1142", m, "index signatures are not part of the subset", "use an array or a FixedMap");
        }
      });
    }
    if (ctorNode !== undefined || initialisers.length > 0)
      this.constructorOf(c, node, ctorNode, scope, initialisers, later);
    later.forEach((run) => run());
  }

  private bodyOf(
    f: FuncDecl,
    node: ts.FunctionLikeDeclaration,
    c: ClassDecl | undefined,
    scope: FunctionScope,
  ): void {
    if (node.type !== undefined || f.kind === "constructor" || node.body === undefined) this.annotated.add(f);
    this.signature(f, node, c, scope);
    this.register(f);
  }

  private property(
    c: ClassDecl,
    m: ts.PropertyDeclaration,
    scope: FunctionScope,
    initialisers: (() => Stmt[])[],
  ): void {
    const ctx = this.ctx;
    if (ts.isComputedPropertyName(m.name) && m.name.getText() === "[Symbol.iterator]") {
      c.iterable = true;
      return;
    }
    if (!isPlainName(m.name))
      ctx.fail("TMC1242", m.name, "a field's name must be plain", "use `private` instead of `#`");
    const name = m.name.getText();
    if (hasModifier(m, K.StaticKeyword)) {
      this.staticField(c, m, name);
      return;
    }
    const init = m.initializer;
    let type: Type | undefined = m.type === undefined ? undefined : typeOfNode(ctx, m.type);
    if (type === undefined) {
      if (init === undefined)
        return ctx.fail("TMC1127", m, `the field \`${name}\` needs a type`, `write \`${name}: i32\``);
      const lw = new Lowerer(ctx, { ...scope, self: c });
      const value = lw.raw(init);
      type = value.type.k === "num" || value.type.k !== "null" ? value.type : undefined;
      if (type === undefined)
        return ctx.fail("TMC1131", m, "the type of `null` alone is not known", "annotate the field");
      if (type.k === "literals" && value.k === "literal") type = { k: "string" };
    }
    const field = this.field(m, name, type);
    c.fields.push(field);
    if (init === undefined) {
      if (field.type.k === "nullable") {
        initialisers.push(() => [assignField(c, field, { k: "null", type: field.type, loc: field.loc })]);
      }
      return;
    }
    initialisers.push(() => {
      const ctor = c.ctor;
      if (ctor === undefined) return [];
      const lw = new Lowerer(ctx, {
        decl: ctor,
        parent: scope,
        self: c,
        nextId: 100000 + c.fields.indexOf(field) * 100,
        ret: VOID,
        returns: [],
        isModule: false,
      });
      let stmt: Stmt | undefined;
      ctx.guard(() => {
        stmt = assignField(c, field, lw.expr(init, field.type));
      });
      return stmt === undefined ? [] : [stmt];
    });
  }

  private staticField(c: ClassDecl, m: ts.PropertyDeclaration, name: string): void {
    const symbol = this.ctx.checker.getSymbolAtLocation(m.name);
    if (symbol === undefined) return;
    const lw = new Lowerer(this.ctx, this.moduleScope(m.getSourceFile()));
    const annotated = m.type === undefined ? undefined : typeOfNode(this.ctx, m.type);
    const init = m.initializer === undefined ? undefined : lw.expr(m.initializer, annotated);
    const type = annotated ?? init?.type;
    if (type === undefined) return this.ctx.fail("TMC1127", m, `the field \`${name}\` needs a type`, "");
    const g: GlobalVar = {
      id: `${c.id}.${name}`,
      name: `${c.name}.${name}`,
      module: c.module,
      type,
      mutable: !hasModifier(m, K.ReadonlyKeyword),
      exported: false,
      loc: this.ctx.loc(m),
    };
    if (init !== undefined) this.globalInits.set(g, init);
    this.statics.push({ c, g, init });
    this.ctx.meanings.set(symbol, { k: "global", g });
  }
  readonly statics: { readonly c: ClassDecl; readonly g: GlobalVar; readonly init: Expr | undefined }[] = [];

  private method(c: ClassDecl, m: ts.MethodDeclaration, scope: FunctionScope, later: (() => void)[]): void {
    if (!isPlainName(m.name)) this.ctx.fail("TMC1242", m.name, "a method's name must be plain", "");
    refuseModifiers(this.ctx, m);
    const isStatic = hasModifier(m, K.StaticKeyword);
    const name = m.name.getText();
    const abstract = hasModifier(m, K.AbstractKeyword);
    const f = Object.assign(this.methodDecl(c, name, m, "method"), { isStatic });
    if (abstract) c.signatures.push(f);
    else c.methods.push(f);
    const symbol = this.ctx.checker.getSymbolAtLocation(m.name);
    if (isStatic && symbol !== undefined) this.ctx.meanings.set(symbol, { k: "func", f, node: m });
    later.push(() => this.bodyOf(f, m, isStatic ? undefined : c, scope));
  }

  private constructorOf(
    c: ClassDecl,
    node: ts.ClassDeclaration,
    ctorNode: ts.ConstructorDeclaration | undefined,
    scope: FunctionScope,
    initialisers: readonly (() => Stmt[])[],
    later: (() => void)[],
  ): void {
    const ctx = this.ctx;
    const f = this.methodDecl(
      c,
      "constructor",
      ctorNode ?? (node as ts.Node as ts.SignatureDeclaration),
      "constructor",
    );
    Object.assign(f, { typeParams: [] });
    c.ctor = f;
    later.push(() => {
      if (ctorNode !== undefined) this.bodyOf(f, ctorNode, c, scope);
      else {
        this.annotated.add(f);
        this.register(f);
        ctx.pending.set(f, () => undefined);
        this.inheritParams(c, f);
      }
      const body = ctx.pending.get(f);
      ctx.pending.set(f, () => {
        body?.();
        const prologue = [
          ...initialisers.flatMap((run) => run()),
          ...(ctorNode === undefined ? [] : this.parameterProperties(c, f, ctorNode)),
        ];
        const isSuper = (s: Stmt): boolean => s.k === "expr" && s.e.k === "superCall";
        const at = f.body.findIndex(isSuper) + 1;
        f.body = [...f.body.slice(0, at), ...prologue, ...f.body.slice(at)];
      });
    });
  }

  /** A class without a constructor, with initialisers and a superclass: takes and passes on its parameters. */
  private inheritParams(c: ClassDecl, f: FuncDecl): void {
    const superclass = c.superclass;
    if (superclass?.k !== "object") return;
    let base = this.ctx.classes.get(superclass.decl);
    while (base !== undefined && base.ctor === undefined && base.superclass?.k === "object")
      base = this.ctx.classes.get(base.superclass.decl);
    const params = (base?.ctor?.params ?? []).map((p, i) => ({ ...p, id: i }));
    Object.assign(f, { params });
    f.body = [
      {
        k: "expr",
        loc: c.loc,
        e: {
          k: "superCall",
          type: VOID,
          loc: c.loc,
          f: base?.ctor,
          superclass,
          args: params.map((v) => ({ k: "local", type: v.type, loc: c.loc, v })),
        },
      },
    ];
  }

  private parameterProperties(c: ClassDecl, f: FuncDecl, node: ts.ConstructorDeclaration): Stmt[] {
    const out: Stmt[] = [];
    node.parameters.forEach((p, i) => {
      if (!ts.isParameterPropertyDeclaration(p, node)) return;
      const v = f.params[i];
      const field = c.fields.find((x) => x.name === v?.name);
      if (v === undefined || field === undefined) return;
      out.push(assignField(c, field, { k: "local", type: v.type, loc: field.loc, v }));
    });
    return out;
  }

  // ---- module variables ----

  private declareGlobal(symbol: ts.Symbol, d: ts.VariableDeclaration): Meaning {
    const sf = d.getSourceFile();
    const module = this.ctx.project.moduleName(sf);
    const lw = new Lowerer(this.ctx, this.moduleScope(sf));
    const list = d.parent as ts.VariableDeclarationList;
    const isConst = (list.flags & ts.NodeFlags.Const) !== 0;
    // A name that refers to itself while its type is inferred ends here.
    this.ctx.meanings.set(symbol, { k: "poisoned" });
    const constant = isConst ? constantMeaning(lw, d) : undefined;
    if (constant !== undefined) return this.set(symbol, constant);
    let init: Expr | undefined;
    let type: Type | undefined;
    const ok = this.ctx.guard(() => {
      if (d.type !== undefined) type = typeOfNode(this.ctx, d.type);
      else if (d.initializer !== undefined) {
        init = lw.raw(d.initializer);
        type = variableType(lw, init, d);
        init = lw.coerce(init, type, d);
      } else this.ctx.fail("TMC1131", d, `\`${d.name.getText()}\` needs a type or a value`, "");
    });
    if (!ok || type === undefined) return { k: "poisoned" };
    const g: GlobalVar = {
      id: `${module}#${d.name.getText()}`,
      name: d.name.getText(),
      module,
      type,
      mutable: !isConst,
      exported: isExported(list.parent),
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

function assignField(c: ClassDecl, field: Field, value: Expr): Stmt {
  const obj: Expr = { k: "this", type: selfType(c), loc: field.loc };
  return {
    k: "expr",
    loc: field.loc,
    e: {
      k: "assign",
      type: field.type,
      loc: field.loc,
      target: { k: "field", type: field.type, loc: field.loc, obj, name: field.name },
      value,
    },
  };
}

function trapClass(): ClassDecl {
  const loc = { file: "tmc/core.d.ts", line: 1, col: 1 };
  const kinds = ["assert", "capacity", "division", "index", "null", "overflow", "stack", "throw"];
  const field = (name: string, type: Type): Field => ({ name, type, readonly: true, optional: false, loc });
  return {
    id: "tmc/core#Trap",
    name: "Trap",
    module: "tmc/core",
    isInterface: true,
    isAbstract: false,
    exported: false,
    typeParams: [],
    fields: [
      field("kind", { k: "literals", values: kinds }),
      field("site", { k: "num", n: "i32" }),
      field("message", { k: "string" }),
    ],
    ctor: undefined,
    methods: [],
    signatures: [],
    superclass: undefined,
    implements: [],
    iterable: false,
    loc,
  };
}

export const isPlainName = (n: ts.PropertyName): boolean => ts.isIdentifier(n) || ts.isStringLiteral(n);

const typeParamsOf = (node: ts.SignatureDeclaration): string[] =>
  (node.typeParameters ?? []).map((p) => p.name.text);

export function hasModifier(node: ts.Node, kind: ts.SyntaxKind): boolean {
  return ts.canHaveModifiers(node) && ts.getModifiers(node)?.some((m) => m.kind === kind) === true;
}

export const isExported = (node: ts.Node): boolean => hasModifier(node, K.ExportKeyword);

/** `const x` directly in a module, not in a block of it. */
export function isTopLevel(d: ts.VariableDeclaration): boolean {
  return ts.isVariableStatement(d.parent.parent) && ts.isSourceFile(d.parent.parent.parent);
}
