/** Classes and interfaces: fields, methods, constructors with their initialisers, static members. */
import { ts } from "ts-morph";
import type { ClassDecl, Expr, Field, FuncDecl, FuncKind, GlobalVar, Stmt } from "../ir/nodes.js";
import { allSupertypes, argumentMap } from "../ir/hierarchy.js";
import { nullable, substitute, VOID, type Type } from "../ir/types.js";
import type { ClassNode, Context, FunctionScope, Meaning } from "./context.js";
import {
  hasModifier,
  isExported,
  isPlainName,
  memberName,
  typeParamsOf,
  type Declarations,
} from "./declare.js";
import { selfType } from "./expr/names.js";
import { lowerParams, refuseDecorators, refuseModifiers } from "./functions.js";
import { Lowerer } from "./lowerer.js";
import { typeOfNode } from "./type-convert.js";

const K = ts.SyntaxKind;

export class ClassDeclarations {
  private readonly ctx: Context;

  constructor(private readonly declarations: Declarations) {
    this.ctx = declarations.ctx;
  }

  declare(symbol: ts.Symbol, node: ClassNode): Meaning {
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
    const meaning = this.declarations.set(symbol, { k: "class", c, node });
    this.ctx.classes.set(c.id, c);
    const list = this.declarations.classesOf.get(module) ?? [];
    list.push(c);
    this.declarations.classesOf.set(module, list);
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
            return this.ctx.fail(
              "TMC1141",
              t,
              "only classes and interfaces can be extended",
              "name a class or an interface",
            );
          const target = this.ctx.classes.get(type.decl);
          if (allSupertypes(this.ctx.classes, type).some((s) => s.decl === c.id)) {
            return this.ctx.fail("TMC1141", t, `\`${c.name}\` would extend itself`, "break the circle");
          }
          if (!c.isInterface && clause.token === K.ExtendsKeyword) c.superclass = type;
          else if (target?.isInterface === false) {
            return this.ctx.fail(
              "TMC1141",
              t,
              `\`${target.name}\` is a class: ${c.isInterface ? "an interface extends interfaces" : "a class implements interfaces"}`,
              c.isInterface ? "declare an interface with its members" : `write \`extends ${target.name}\``,
            );
          } else c.implements.push(type);
          return undefined;
        });
      }
    }
  }

  private interfaceMembers(c: ClassDecl, node: ts.InterfaceDeclaration | ts.TypeLiteralNode): void {
    const scope = this.declarations.moduleScope(node.getSourceFile());
    for (const m of node.members) {
      const ok = this.ctx.guard(() => {
        if (ts.isPropertySignature(m) && m.type !== undefined && isPlainName(m.name)) {
          c.fields.push(this.field(m, memberName(m.name), typeOfNode(this.ctx, m.type)));
        } else if (ts.isMethodSignature(m) && isPlainName(m.name)) {
          const f = this.methodDecl(c, memberName(m.name), m, "method");
          const lw = new Lowerer(this.ctx, {
            decl: f,
            parent: scope,
            self: c,
            nextId: 0,
            ret: undefined,
            returns: [],
            prologue: [],
            isModule: false,
          });
          refuseModifiers(this.ctx, m);
          Object.assign(f, {
            params: lowerParams(lw, m),
            ret: m.type === undefined ? VOID : typeOfNode(this.ctx, m.type),
          });
          this.declarations.annotated.add(f);
          c.signatures.push(f);
        } else if (ts.isGetAccessorDeclaration(m) && m.type !== undefined) {
          c.fields.push(this.field(m, memberName(m.name), typeOfNode(this.ctx, m.type)));
        } else {
          this.ctx.fail(
            "TMC1142",
            m,
            "an interface has fields and methods only",
            "write a field or a method",
          );
        }
      });
      if (!ok && m.name !== undefined) this.ctx.brokenMembers.add(`${c.id}.${memberName(m.name)}`);
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
    return Object.assign(this.declarations.func(`${c.id}.${name}`, name, c.module, kind, node), {
      owner: c,
      typeParams: typeParamsOf(node),
    });
  }

  private classMembers(c: ClassDecl, node: ts.ClassDeclaration): void {
    const ctx = this.ctx;
    const scope = this.declarations.moduleScope(node.getSourceFile());
    const initialisers: (() => Stmt[])[] = [];
    const ctorNode = node.members.find(
      (m): m is ts.ConstructorDeclaration => ts.isConstructorDeclaration(m) && m.body !== undefined,
    );
    ctx.guard(() => {
      const decorated = ts.getDecorators(node)?.[0];
      if (decorated !== undefined)
        ctx.fail("TMC1007", decorated, "decorators are not part of the subset", "call a function in setup");
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
        if (p.type === undefined)
          return ctx.fail("TMC1127", p, `the parameter \`${name}\` needs a type`, `write \`${name}: i32\``);
        c.fields.push(this.field(p, name, typeOfNode(ctx, p.type)));
        return undefined;
      });
    }
    const later: (() => void)[] = [];
    for (const m of node.members) {
      const ok = ctx.guard(() => {
        if (ts.isPropertyDeclaration(m)) this.property(c, m, scope, initialisers);
        else if (ts.isMethodDeclaration(m)) this.method(c, m, scope, later);
        else if (ts.isGetAccessorDeclaration(m)) {
          if (!isPlainName(m.name))
            ctx.fail("TMC1242", m.name, "a getter's name must be plain", "write letters and digits");
          if (hasModifier(m, K.StaticKeyword))
            ctx.fail("TMC1143", m, "static getters are not part of the subset", "write a static method");
          refuseModifiers(ctx, m);
          const f = Object.assign(this.methodDecl(c, memberName(m.name), m, "method"), { isGetter: true });
          (hasModifier(m, K.AbstractKeyword) ? c.signatures : c.methods).push(f);
          later.push(() => this.declarations.bodyOf(f, m, c, scope));
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
      if (!ok && m.name !== undefined) ctx.brokenMembers.add(`${c.id}.${memberName(m.name)}`);
    }
    if (ctorNode !== undefined || initialisers.length > 0)
      this.constructorOf(c, node, ctorNode, scope, initialisers, later);
    later.forEach((run) => run());
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
    const name = memberName(m.name);
    refuseDecorators(ctx, m);
    if (m.exclamationToken !== undefined) {
      return ctx.fail(
        "TMC1131",
        m,
        `\`${name}!\` promises a value that nothing checks`,
        `give it one: \`${name} = …\`, or declare it \`| null\``,
      );
    }
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
        prologue: [],
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
    const lw = new Lowerer(this.ctx, this.declarations.moduleScope(m.getSourceFile()));
    const annotated = m.type === undefined ? undefined : typeOfNode(this.ctx, m.type);
    const init = m.initializer === undefined ? undefined : lw.expr(m.initializer, annotated);
    const type = annotated ?? init?.type;
    if (type === undefined)
      return this.ctx.fail("TMC1127", m, `the field \`${name}\` needs a type`, `write \`${name}: i32\``);
    const g: GlobalVar = {
      id: `${c.id}.${name}`,
      name: `${c.name}.${name}`,
      module: c.module,
      type,
      mutable: !hasModifier(m, K.ReadonlyKeyword),
      exported: false,
      loc: this.ctx.loc(m),
    };
    if (init !== undefined) this.declarations.globalInits.set(g, init);
    this.statics.push({ c, g, init });
    this.ctx.meanings.set(symbol, { k: "global", g });
  }
  /** The static fields of a class get their values where the class stands, as in ECMAScript. */
  staticInits(node: ts.ClassDeclaration): Stmt[] {
    const symbol = node.name === undefined ? undefined : this.ctx.checker.getSymbolAtLocation(node.name);
    const meaning = symbol === undefined ? undefined : this.ctx.meaning(symbol);
    if (meaning?.k !== "class") return [];
    return this.statics
      .filter((s) => s.c === meaning.c)
      .map((s) => ({ k: "initGlobal", loc: s.g.loc, g: s.g, init: s.init }));
  }
  readonly statics: { readonly c: ClassDecl; readonly g: GlobalVar; readonly init: Expr | undefined }[] = [];

  private method(c: ClassDecl, m: ts.MethodDeclaration, scope: FunctionScope, later: (() => void)[]): void {
    if (!isPlainName(m.name))
      this.ctx.fail("TMC1242", m.name, "a method's name must be plain", "write letters and digits");
    refuseModifiers(this.ctx, m);
    const isStatic = hasModifier(m, K.StaticKeyword);
    const name = memberName(m.name);
    const abstract = hasModifier(m, K.AbstractKeyword);
    const f = Object.assign(this.methodDecl(c, name, m, "method"), { isStatic });
    if (abstract) c.signatures.push(f);
    else c.methods.push(f);
    const symbol = this.ctx.checker.getSymbolAtLocation(m.name);
    if (isStatic && symbol !== undefined) this.ctx.meanings.set(symbol, { k: "func", f, node: m });
    later.push(() => this.declarations.bodyOf(f, m, isStatic ? undefined : c, scope));
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
      if (ctorNode !== undefined) this.declarations.bodyOf(f, ctorNode, c, scope);
      else {
        this.declarations.annotated.add(f);
        this.declarations.register(f);
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
        if (c.superclass !== undefined && ctorNode !== undefined && !f.body.some(isSuper)) {
          ctx.report(
            "TMC1246",
            ctorNode,
            "`super(…)` is a statement of its own, at the top of the constructor",
            "choose its arguments in an expression: `super(x ? 1 : 2)`",
          );
        }
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
    const map = argumentMap(this.ctx.classes, superclass);
    const params = (base?.ctor?.params ?? []).map((p, i) => ({ ...p, id: i, type: substitute(p.type, map) }));
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

export function trapClass(): ClassDecl {
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
