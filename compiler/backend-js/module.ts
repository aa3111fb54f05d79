/**
 * One IR module → one JavaScript module: an ES module (Vitest, bundles), or the body of a generator that gets the
 * support library and the other modules (`tmc exec`, setup): its first step declares, its second runs the top level. Every declaration is exported: other modules may need it.
 */
import path from "node:path";
import type { ClassDecl, FuncDecl, Module } from "../ir/nodes.js";
import { params, body, statements } from "./statements.js";
import { rt, type PrintContext } from "./expressions.js";
import { localNames, topLevelNames, topName } from "./names.js";
import { Writer } from "./writer.js";

export interface ModuleOptions {
  readonly format: "esm" | "function";
  readonly checked: boolean;
  /** ESM: the specifier of the support library. */
  readonly support: string;
  /** ESM: the specifier by which `from` imports `to` (module paths). */
  readonly specifier: (to: string, from: string) => string;
  readonly sourceText: string;
}

export interface EmittedModule {
  readonly code: string;
  readonly map: string;
}

export function emitModule(m: Module, options: ModuleOptions): EmittedModule {
  const used = new Map<string, Map<string, string>>();
  const order = new Map<string, number>();
  const number = (module: string): number => {
    const known = order.get(module);
    if (known !== undefined) return known;
    order.set(module, order.size);
    return order.size - 1;
  };
  const printer: PrintContext = {
    checked: options.checked,
    assetBase: path.dirname(m.file),
    holes: [],
    depth: 0,
    local: localNames(topLevelNames(m)),
    refer: (module, name) => {
      if (module === m.path) return topName(name);
      if (options.format === "function") return `$m${number(module)}.${name}`;
      const names = used.get(module) ?? new Map<string, string>();
      used.set(module, names);
      const alias = `${name}$${number(module)}`;
      names.set(name, alias);
      return alias;
    },
  };
  const w = new Writer(m.file);
  for (const c of m.constants) {
    w.write(`const ${topName(c.name)} = ${constant(c.value)};`);
    w.newline();
  }
  for (const f of m.functions) printFunction(printer, w, f);
  for (const c of sortedClasses(m.classes)) printClass(printer, w, c);
  statements(printer, w, m.init);
  const finished = w.finish(options.sourceText);
  const before = header(m, options, used, order);
  return {
    code: before.join("") + finished.code,
    map: shiftMap(finished.map, before.join("").split("\n").length - 1),
  };
}

const constant = (
  v: number | bigint | Readonly<Record<string, number | bigint | string | boolean>>,
): string =>
  typeof v === "object"
    ? `{ ${Object.entries(v)
        .map(
          ([k, x]) =>
            `${JSON.stringify(k)}: ${typeof x === "string" || typeof x === "boolean" ? JSON.stringify(x) : constant(x)}`,
        )
        .join(", ")} }`
    : typeof v === "bigint"
      ? `${v}n`
      : numberText(v);
const numberText = (v: number): string => (Object.is(v, -0) ? "-0" : String(v));

function header(
  m: Module,
  options: ModuleOptions,
  used: ReadonlyMap<string, ReadonlyMap<string, string>>,
  order: ReadonlyMap<string, number>,
): string[] {
  const names = exportedNames(m);
  const out: string[] = [];
  if (options.format === "function") {
    out.push('"use strict";\n');
    for (const i of m.imports) out.push(`$import(${JSON.stringify(i.from)});\n`);
    for (const [module, n] of order) out.push(`const $m${n} = $import(${JSON.stringify(module)});\n`);
    for (const r of m.reexports) {
      if (r.from === m.path) {
        for (const x of r.names)
          if (names.includes(x.imported)) out.push(getter(x.exported, topName(x.imported)));
      } else out.push(`$reexport(${JSON.stringify(r.from)}, ${JSON.stringify(r.names)});\n`);
    }
    for (const name of names) out.push(getter(name, topName(name)));
    // Every module is prepared before one runs: in a cycle of imports functions are there, values are not yet.
    out.push("yield;\n");
    return out;
  }
  const say = (to: string): string => JSON.stringify(options.specifier(to, m.path));
  out.push(`import * as ${rt} from ${JSON.stringify(options.support)};\n`);
  for (const i of m.imports) out.push(`import ${say(i.from)};\n`);
  for (const [module, items] of used) {
    out.push(
      `import { ${[...items].map(([name, alias]) => `${name} as ${alias}`).join(", ")} } from ${say(module)};\n`,
    );
  }
  for (const r of m.reexports) {
    if (r.from === m.path) {
      const others = r.names.filter((x) => x.imported !== x.exported && names.includes(x.imported));
      if (others.length > 0) {
        out.push(`export { ${others.map((x) => `${topName(x.imported)} as ${x.exported}`).join(", ")} };\n`);
      }
    } else if (r.names.length > 0) {
      out.push(
        `export { ${r.names.map((x) => (x.imported === x.exported ? x.imported : `${x.imported} as ${x.exported}`)).join(", ")} } from ${say(r.from)};\n`,
      );
    }
  }
  if (names.length > 0) out.push(`export { ${names.map(asExported).join(", ")} };\n`);
  return out;
}

const getter = (name: string, local: string): string =>
  `Object.defineProperty($exports, ${JSON.stringify(name)}, { enumerable: true, configurable: true, get: () => ${local} });\n`;

const asExported = (name: string): string => (topName(name) === name ? name : `${topName(name)} as ${name}`);

/** Every declaration, but what another export calls by its name. */
function exportedNames(m: Module): string[] {
  const renamed = new Set(
    m.reexports.flatMap((r) =>
      r.from === m.path ? r.names.filter((x) => x.imported !== x.exported).map((x) => x.exported) : [],
    ),
  );
  return [...topLevelNames(m)].filter((name) => !renamed.has(name));
}

function printFunction(p: PrintContext, w: Writer, f: FuncDecl): void {
  w.mark(f.loc);
  if (f.kind === "extern") {
    // Called through its name: a test may bind another function later.
    const names = f.params.map((v) => p.local(v)).join(", ");
    w.write(
      `function ${topName(f.name)}(${names}) { return ${rt}.extern(${JSON.stringify(f.cName ?? "")})(${names}); }`,
    );
  } else {
    w.write(`function ${topName(f.name)}(${params(f, p)}) `);
    body(p, w, f);
  }
  w.newline();
}

/** Superclasses before subclasses: a class declaration runs where it stands. */
function sortedClasses(list: readonly ClassDecl[]): ClassDecl[] {
  const out: ClassDecl[] = [];
  const visit = (c: ClassDecl): void => {
    if (out.includes(c)) return;
    const base = c.superclass;
    const above = base?.k === "object" ? list.find((x) => x.id === base.decl) : undefined;
    if (above !== undefined) visit(above);
    out.push(c);
  };
  list.filter((c) => !c.isInterface).forEach(visit);
  return out;
}

function printClass(p: PrintContext, w: Writer, c: ClassDecl): void {
  w.mark(c.loc);
  const base = c.superclass;
  const extendsText =
    base?.k === "object"
      ? ` extends ${p.refer(base.decl.slice(0, base.decl.lastIndexOf("#")), base.decl.slice(base.decl.lastIndexOf("#") + 1))}`
      : "";
  w.write(`class ${topName(c.name)}${extendsText} {`);
  w.newline();
  w.indent(1);
  if (c.ctor !== undefined) {
    w.mark(c.ctor.loc);
    w.write(`constructor(${params(c.ctor, p)}) `);
    body(p, w, c.ctor);
    w.newline();
  }
  for (const m of c.methods) {
    w.mark(m.loc);
    w.write(`${m.isStatic ? "static " : ""}${m.isGetter ? "get " : ""}${m.name}(${params(m, p)}) `);
    body(p, w, m);
    w.newline();
  }
  if (c.iterable) {
    w.write("*[Symbol.iterator]() { for (let i = 0; i < this.length; i++) yield this.get(i); }");
    w.newline();
  }
  w.indent(-1);
  w.write("}");
  w.newline();
}

/** Moves all generated lines down by what the header added. */
function shiftMap(map: string, lines: number): string {
  const parsed = JSON.parse(map) as { mappings: string };
  parsed.mappings = ";".repeat(lines) + parsed.mappings;
  return JSON.stringify(parsed);
}
