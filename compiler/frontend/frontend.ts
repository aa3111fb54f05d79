/**
 * TypeScript → IR: loads the program, walks every module once, reports everything it finds.
 * The result exists also when there are errors (then it must not be emitted).
 */
import { ts } from "ts-morph";
import { sortDiagnostics, type Diagnostic } from "../diagnostics/diagnostic.js";
import { transformAsync, type Transformed } from "../ir/async/transform.js";
import type { ImportItem, Module, Program, Stmt } from "../ir/nodes.js";
import { Context, type UntypedConst } from "./context.js";
import { Declarations, isExported } from "./declare.js";
import { Lowerer } from "./lowerer.js";
import { loadProject, type LoadedProject, type Overlay } from "./project.js";
import { registerVisitors } from "./register.js";
import { FrontendCache } from "./reuse.js";
import { checkClasses, checkKnownConstructors } from "./class-rules.js";
import { syntaxErrors, typescriptDiagnostics } from "./typescript-diagnostics.js";

export interface FrontendResult {
  readonly program: Program;
  readonly diagnostics: readonly Diagnostic[];
  readonly project: LoadedProject;
}

/**
 * @param root module names are relative to it.
 * @param cache what earlier runs over this root left; made for one root.
 */
export function runFrontend(
  entryFile: string,
  root: string,
  overlay?: Overlay,
  cache: FrontendCache = new FrontendCache(),
): FrontendResult {
  registerVisitors();
  const project = loadProject(entryFile, root, overlay, cache.sources);
  const reused = cache.reusable(project);
  const ctx = new Context(project, reused);
  const syntax = syntaxErrors(ctx);
  if (syntax.length > 0)
    return { program: noProgram(project), diagnostics: sortDiagnostics(syntax), project };
  const declarations = new Declarations(ctx);
  const inits = new Map<ts.SourceFile, Stmt[]>();
  reused.restore(ctx);
  const fresh = project.files.filter((sf) => !reused.has(sf));
  for (const sf of fresh) declareAll(ctx, sf);
  for (const sf of fresh) inits.set(sf, topLevel(ctx, declarations, sf));
  // Lowering a body can declare more functions (of classes seen late): until none is left.
  while (ctx.pending.size > 0) for (const f of [...ctx.pending.keys()]) declarations.runBody(f);

  recheckNarrowing(ctx);
  checkClasses(ctx);
  checkKnownConstructors(ctx, reused.classes);

  const modules = project.files.map((sf): Module => {
    const known = reused.module(sf);
    if (known !== undefined) return known;
    const path = project.moduleName(sf);
    const statics = declarations.classes.statics.filter((s) => s.g.module === path);
    return {
      path,
      file: sf.fileName,
      imports: importsOf(ctx, sf),
      reexports: reexportsOf(ctx, sf),
      constants: constantsOf(ctx, sf),
      globals: [...(declarations.globals.get(path) ?? []), ...statics.map((s) => s.g)],
      functions: (declarations.functionsOf.get(path) ?? []).filter((f) => f.owner === undefined),
      classes: declarations.classesOf.get(path) ?? [],
      init: inits.get(sf) ?? [],
    };
  });
  const program: Program = {
    modules,
    classes: ctx.classes,
    functions: ctx.functions,
    entryModule: project.moduleName(project.entry),
  };
  const own = ctx.diagnostics;
  const found = sortDiagnostics([...reused.diagnostics, ...own, ...typescriptDiagnostics(ctx, fresh, own)]);
  cache.keep(ctx, modules, found);
  const async = withoutAsync(program, found);
  return { program: async.program, diagnostics: sortDiagnostics([...found, ...async.diagnostics]), project };
}

/** A program with errors may be too odd to transform; then what was found is enough. */
function withoutAsync(program: Program, found: readonly Diagnostic[]): Transformed {
  try {
    return transformAsync(program);
  } catch (e) {
    if (found.some((d) => d.severity === "error")) return { program, diagnostics: [] };
    throw e;
  }
}

/** Every declaration of the module, used or not: unused code is checked too. */
function declareAll(ctx: Context, sf: ts.SourceFile): void {
  const visit = (name: ts.Node | undefined): void => {
    if (name === undefined) return;
    const symbol = ctx.checker.getSymbolAtLocation(name);
    if (symbol !== undefined) ctx.guard(() => void ctx.meaning(symbol));
  };
  for (const s of sf.statements) {
    if (ts.isFunctionDeclaration(s) || ts.isClassDeclaration(s) || ts.isInterfaceDeclaration(s))
      visit(s.name);
    else if (ts.isTypeAliasDeclaration(s) && ts.isTypeLiteralNode(s.type)) visit(s.name);
    else if (ts.isEnumDeclaration(s)) checkEnum(ctx, s);
    else if (ts.isVariableStatement(s)) {
      for (const d of s.declarationList.declarations) {
        if (ts.isIdentifier(d.name)) visit(d.name);
      }
    }
  }
}

/** Members are i32 constants, or all of them text. */
function checkEnum(ctx: Context, s: ts.EnumDeclaration): void {
  const symbol = ctx.checker.getSymbolAtLocation(s.name);
  if (symbol?.declarations?.[0] !== undefined && symbol.declarations[0] !== s) {
    ctx.report(
      "TMC1147",
      s.name,
      `\`${s.name.text}\` is declared twice, and declarations are not merged`,
      "write one declaration, or use two names",
    );
  }
  const values = s.members.map((m) => ctx.checker.getConstantValue(m));
  s.members.forEach((m, i) => {
    const value = values[i];
    if (value === undefined) {
      ctx.report("TMC1150", m, "the value of an enum member is a constant", "write a number or a text");
    } else if (typeof value === "string" ? typeof values[0] !== "string" : typeof values[0] === "string") {
      ctx.report("TMC1150", m, "an enum is of numbers or of texts, not of both", "declare two enums");
    } else if (typeof value === "number" && (value | 0) !== value) {
      ctx.report(
        "TMC1150",
        m,
        `${value} is not a value of i32, which numbers of enums are`,
        "use module constants: `const A: u32 = …`",
      );
    }
  });
}

function topLevel(ctx: Context, declarations: Declarations, sf: ts.SourceFile): Stmt[] {
  const lw = new Lowerer(ctx, declarations.moduleScope(sf));
  const out: Stmt[] = [];
  for (const s of sf.statements) {
    if (ts.isFunctionDeclaration(s) || ts.isInterfaceDeclaration(s)) {
      checkDefault(ctx, s);
      continue;
    }
    if (ts.isClassDeclaration(s)) {
      checkDefault(ctx, s);
      out.push(...declarations.classes.staticInits(s));
      continue;
    }
    if (ts.isTypeAliasDeclaration(s) || ts.isEnumDeclaration(s) || ts.isImportDeclaration(s)) {
      if (ts.isImportDeclaration(s)) checkImport(ctx, s);
      continue;
    }
    if (ts.isExportDeclaration(s)) continue;
    if (ts.isExportAssignment(s)) {
      ctx.guard(() =>
        ctx.fail("TMC1144", s, "default exports are not part of the subset", "export it by name"),
      );
      continue;
    }
    if (ts.isVariableStatement(s)) {
      out.push(...globalsOf(ctx, declarations, s));
      continue;
    }
    out.push(...lw.statement(s));
  }
  return out;
}

function globalsOf(ctx: Context, declarations: Declarations, s: ts.VariableStatement): Stmt[] {
  const list = s.declarationList;
  if (s.modifiers?.some((m) => m.kind === ts.SyntaxKind.DeclareKeyword) === true) {
    ctx.guard(() =>
      ctx.fail("TMC1139", s, "only functions can be bound to C", "declare a function with `@binding`"),
    );
    return [];
  }
  if ((list.flags & ts.NodeFlags.BlockScoped) === 0) {
    ctx.guard(() =>
      ctx.fail("TMC1130", list, "`var` is visible before and outside its block", "write `let` or `const`"),
    );
    return [];
  }
  return list.declarations.flatMap((d) => {
    if (!ts.isIdentifier(d.name)) {
      ctx.guard(() =>
        ctx.fail("TMC1003", d.name, "destructuring is not supported yet", "read the parts one by one"),
      );
      return [];
    }
    return declarations.initStatement(d);
  });
}

/** `export default function`, `export default class`. */
function checkDefault(ctx: Context, s: ts.Statement): void {
  const modifiers = ts.canHaveModifiers(s) ? (ts.getModifiers(s) ?? []) : [];
  const found = modifiers.find((m) => m.kind === ts.SyntaxKind.DefaultKeyword);
  if (found !== undefined)
    ctx.report("TMC1144", found, "default exports are not part of the subset", "export it by name");
}

/** A variable that a function changes may have changed since it was tested: then the value is tested again, or refused. */
function recheckNarrowing(ctx: Context): void {
  for (const { v, expr, node } of ctx.narrowed) {
    if (!v.captured || !v.mutable || expr.k !== "convert") continue;
    if (expr.mode === "unwrap") Object.assign(expr, { mode: "assertNull" });
    if (expr.mode === "downcast") {
      ctx.report(
        "TMC1207",
        node,
        `a function changes \`${v.name}\`: it may be another object than the one that was tested`,
        `keep it in a constant before the test: \`const x = ${v.name};\``,
      );
    }
  }
}

function noProgram(project: LoadedProject): Program {
  return {
    modules: [],
    classes: new Map(),
    functions: new Map(),
    entryModule: project.moduleName(project.entry),
  };
}

/** What `export *` passes on: the names, so that private ones of two modules never collide. */
function exportedValues(ctx: Context, target: ts.SourceFile): { imported: string; exported: string }[] {
  const module = ctx.checker.getSymbolAtLocation(target);
  if (module === undefined) return [];
  return ctx.checker
    .getExportsOfModule(module)
    .filter((x) => (ctx.resolveAlias(x).flags & ts.SymbolFlags.Value) !== 0)
    .map((x) => ({ imported: x.name, exported: x.name }));
}

function constantsOf(ctx: Context, sf: ts.SourceFile): Module["constants"][number][] {
  const out: Module["constants"][number][] = [];
  for (const s of sf.statements) {
    if (ts.isEnumDeclaration(s)) {
      const members: Record<string, number | string> = {};
      for (const m of s.members) {
        const value = ctx.checker.getConstantValue(m);
        if (value !== undefined && (ts.isIdentifier(m.name) || ts.isStringLiteral(m.name)))
          members[m.name.text] = value;
      }
      out.push({ name: s.name.text, exported: isExported(s), value: members });
    }
    if (!ts.isVariableStatement(s)) continue;
    for (const d of s.declarationList.declarations) {
      const symbol = ctx.checker.getSymbolAtLocation(d.name);
      const meaning = symbol === undefined ? undefined : ctx.meanings.get(symbol);
      const exported = isExported(s);
      if (meaning?.k === "const") out.push({ name: d.name.getText(), exported, value: plain(meaning.value) });
      if (meaning?.k === "constObject") {
        const members: Record<string, number | bigint | string | boolean> = {};
        for (const [name, v] of meaning.members)
          members[name] = typeof v === "string" || typeof v === "boolean" ? v : plain(v);
        out.push({ name: d.name.getText(), exported, value: members });
      }
    }
  }
  return out;
}

const plain = (c: UntypedConst | bigint): number | bigint => (typeof c === "bigint" ? c : c.value);

function checkImport(ctx: Context, s: ts.ImportDeclaration): void {
  ctx.guard(() => {
    if (ts.isStringLiteral(s.moduleSpecifier)) {
      const target = ctx.project.resolve(s.moduleSpecifier.text, s.getSourceFile());
      if (target !== undefined && !ctx.project.files.includes(target)) {
        ctx.fail(
          "TMC1146",
          s.moduleSpecifier,
          `\`${s.moduleSpecifier.text}\` is not a TypeScript module of the program`,
          "import a `.ts` file; bind C functions with `declare function` and `@binding` in one",
        );
      }
    }
    const clause = s.importClause;
    if (clause === undefined) return;
    if (clause.name !== undefined)
      ctx.fail("TMC1144", clause.name, "default imports are not part of the subset", "import it by name");
  });
}

/** A symbol that exists at run time under that name: not a type, not an untyped constant. */
function existsAtRunTime(ctx: Context, name: ts.Identifier | ts.ModuleExportName): boolean {
  const symbol = ctx.checker.getSymbolAtLocation(name);
  if (symbol === undefined) return false;
  const target = ctx.resolveAlias(symbol);
  return (target.flags & ts.SymbolFlags.Value) !== 0;
}

function importsOf(ctx: Context, sf: ts.SourceFile): ImportItem[] {
  const out: ImportItem[] = [];
  for (const s of sf.statements) {
    if (!ts.isImportDeclaration(s) || !ts.isStringLiteral(s.moduleSpecifier)) continue;
    const target = ctx.project.resolve(s.moduleSpecifier.text, sf);
    if (target === undefined || !ctx.project.files.includes(target)) continue;
    if (s.importClause?.isTypeOnly === true) continue;
    const bindings = s.importClause?.namedBindings;
    const names: { imported: string; local: string }[] = [];
    if (bindings !== undefined && ts.isNamedImports(bindings)) {
      for (const e of bindings.elements) {
        if (e.isTypeOnly || !existsAtRunTime(ctx, e.name)) continue;
        names.push({ imported: (e.propertyName ?? e.name).text, local: e.name.text });
      }
    }
    out.push({ from: ctx.project.moduleName(target), names });
  }
  return out;
}

function reexportsOf(ctx: Context, sf: ts.SourceFile): Module["reexports"][number][] {
  const out: Module["reexports"][number][] = [];
  for (const s of sf.statements) {
    if (!ts.isExportDeclaration(s) || s.isTypeOnly) continue;
    if (s.moduleSpecifier === undefined) {
      // `export { a, b as c }` of this module's own names.
      if (s.exportClause !== undefined && ts.isNamedExports(s.exportClause)) {
        const names = s.exportClause.elements
          .filter((e) => !e.isTypeOnly && existsAtRunTime(ctx, e.name))
          .map((e) => ({ imported: (e.propertyName ?? e.name).text, exported: e.name.text }));
        out.push({ from: ctx.project.moduleName(sf), names });
      }
      continue;
    }
    if (!ts.isStringLiteral(s.moduleSpecifier)) continue;
    const target = ctx.project.resolve(s.moduleSpecifier.text, sf);
    if (target === undefined || !ctx.project.files.includes(target)) continue;
    const from = ctx.project.moduleName(target);
    if (s.exportClause === undefined) out.push({ from, names: exportedValues(ctx, target) });
    else if (ts.isNamedExports(s.exportClause)) {
      const names = s.exportClause.elements
        .filter((e) => !e.isTypeOnly && existsAtRunTime(ctx, e.name))
        .map((e) => ({ imported: (e.propertyName ?? e.name).text, exported: e.name.text }));
      out.push({ from, names });
    } else
      ctx.guard(() => ctx.fail("TMC1145", s, "namespace exports are not supported yet", "export the names"));
  }
  return out;
}
