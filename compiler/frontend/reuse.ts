/**
 * What a run of the frontend takes over from the one before: modules that did not change, and of which nothing that they
 * import changed, keep their IR. What such a module declares is found by its declaration. It lowers nothing.
 */
import { ts } from "ts-morph";
import { asWritten } from "../ir/async/transform.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { ClassDecl, FuncDecl, Module } from "../ir/nodes.js";
import type { Context, Meaning, Reused } from "./context.js";
import {
  declarationKey,
  digestOf,
  libraryImage,
  type ImageModule,
  type LibraryImage,
} from "./library-image.js";
import { newSources, type LoadedProject } from "./project.js";

/** A module without errors, lowered. */
interface KeptModule {
  readonly module: Module;
  /** With methods and lambdas. */
  readonly functions: readonly FuncDecl[];
  readonly meaning: (declaration: ts.Node) => Meaning | undefined;
  /** Warnings and notes. */
  readonly diagnostics: readonly Diagnostic[];
  /** What its imports mean, those of types included; undefined: nothing. */
  readonly imports: readonly (ts.SourceFile | undefined)[];
}

interface Kept {
  readonly modules: ReadonlyMap<ts.SourceFile, KeptModule>;
  /** Undefined: it was checked, and had no errors. */
  readonly checksLibrary: boolean | undefined;
  readonly global: readonly ts.SourceFile[];
  /** All of the program, imports before importers. */
  readonly order: readonly ts.SourceFile[];
  /** Classes that no source declares: of tuples, of records. They say nothing but what their ids say. */
  readonly made: readonly ClassDecl[];
}

type KeptModules = ReadonlyMap<ts.SourceFile, KeptModule>;

/** For many runs over one root: of one entry, or of several that share modules. */
export class FrontendCache {
  readonly sources = newSources();
  readonly #image: () => LibraryImage | undefined;
  #kept: Kept | undefined;

  /** @param image the lowered library to begin with; undefined in it: the library is lowered here too. */
  constructor(image: () => LibraryImage | undefined = libraryImage) {
    this.#image = image;
  }

  /** The modules of the program that need not be lowered again. */
  reusable(project: LoadedProject): ReusedModules {
    return new ReusedModules(this.#unchanged(project), this.#kept?.made ?? []);
  }

  /** The whole library, after a run of it alone. @throws Error when it has errors. */
  image(project: LoadedProject): LibraryImage {
    const kept = this.#kept;
    const [core] = globalSources(project);
    if (kept === undefined || core === undefined || kept.modules.size < project.files.length) {
      throw new Error("the library has errors: run `tmc check firmware/index.ts`");
    }
    // The run transformed them.
    for (const m of kept.modules.values()) m.functions.forEach(asWritten);
    return {
      digest: digest(project, core, project.files),
      modules: [...kept.modules].map(([sf, m]) => ({
        module: m.module,
        functions: m.functions,
        meanings: storedMeanings(sf, m),
        diagnostics: m.diagnostics,
        imports: m.imports.map((i) => (i === undefined ? "" : project.moduleName(i))),
      })),
      made: kept.made,
    };
  }

  #unchanged(project: LoadedProject): KeptModules {
    const none: KeptModules = new Map();
    const global = globalSources(project);
    const kept = (this.#kept ??= fromImage(project, global, this.#image));
    if (kept === undefined || (kept.checksLibrary ?? project.checksLibrary) !== project.checksLibrary) {
      return none;
    }
    if (!sameItems(kept.global, global) || global.some((sf) => !sf.isDeclarationFile)) return none;
    const found = new Map<ts.SourceFile, KeptModule>();
    for (const sf of project.files) {
      const m = kept.modules.get(sf);
      if (m === undefined || m.module.path !== project.moduleName(sf)) continue;
      if (sameItems(m.imports, importsOf(project, sf))) found.set(sf, m);
    }
    // What imports a module that changed goes, in cycles too.
    const lowered = new Set(project.files);
    for (let size = -1; size !== found.size;) {
      size = found.size;
      for (const [sf, m] of found) {
        if (m.imports.some((i) => i !== undefined && lowered.has(i) && !found.has(i))) found.delete(sf);
      }
    }
    // Declarations are made on first use: modules in another order could make them in another order.
    const before = kept.order.filter((sf) => found.has(sf));
    return sameItems(before, [...found.keys()]) ? found : none;
  }

  /**
   * After a run: what the next one may take over.
   * @param modules one for each file of the project.
   * @param diagnostics ours and TypeScript's.
   */
  keep(ctx: Context, modules: readonly Module[], diagnostics: readonly Diagnostic[]): void {
    const { project } = ctx;
    const findings = grouped(diagnostics, (d) => d.loc.file);
    const functions = grouped(ctx.functions.values(), (f) => f.module);
    const meanings = new Map<ts.SourceFile, Map<ts.Node, Meaning>>();
    for (const [symbol, meaning] of ctx.meanings) {
      if (meaning.k === "local" || meaning.k === "poisoned") continue;
      for (const d of symbol.declarations ?? []) {
        const sf = d.getSourceFile();
        const list = meanings.get(sf) ?? new Map<ts.Node, Meaning>();
        meanings.set(sf, list.set(d, meaning));
      }
    }
    const circle = diagnostics.some((d) => d.code === "TMC1140");
    const lowered = new Set(project.files);
    const kept = new Map<ts.SourceFile, KeptModule>();
    project.files.forEach((sf, i) => {
      const module = modules[i];
      if (module === undefined) return;
      const own = findings.get(module.path) ?? [];
      const imports = importsOf(project, sf);
      const strange = (x: ts.SourceFile | undefined): boolean =>
        x !== undefined && !x.isDeclarationFile && !lowered.has(x);
      if (own.some((d) => d.severity === "error") || imports.some(strange)) return;
      const known = ctx.reused.has(sf) ? this.#kept?.modules.get(sf) : undefined;
      // TypeScript's findings about circles are left out of all modules where one of ours stands for them.
      if (known === undefined && circle) return;
      kept.set(
        sf,
        known ?? {
          module,
          functions: functions.get(module.path) ?? [],
          meaning: (d) => meanings.get(sf)?.get(d),
          diagnostics: own,
          imports,
        },
      );
    });
    const declared = new Set(modules.flatMap((m) => m.classes));
    this.#kept = {
      modules: kept,
      checksLibrary: project.checksLibrary,
      global: globalSources(project),
      order: project.files,
      made: [...ctx.classes.values()].filter((c) => !declared.has(c)),
    };
  }
}

/** The library as tmc was built with it, when it is the same that the program imports. */
function fromImage(
  project: LoadedProject,
  global: readonly ts.SourceFile[],
  read: () => LibraryImage | undefined,
): Kept | undefined {
  const [core] = global;
  if (core === undefined || global.length > 1) return undefined;
  const sources = new Map(project.files.map((sf) => [project.moduleName(sf), sf]));
  if (!sources.has("tmc/index.ts")) return undefined;
  const image = read();
  if (image === undefined) return undefined;
  const files = image.modules.flatMap((m) => sources.get(m.module.path) ?? []);
  if (files.length < image.modules.length || digest(project, core, files) !== image.digest) return undefined;
  return {
    modules: new Map(
      image.modules.map((m, i): readonly [ts.SourceFile, KeptModule] => [
        files[i] as ts.SourceFile,
        {
          module: Object.assign(m.module, { file: files[i]?.fileName }),
          functions: m.functions,
          meaning: (d) => {
            const found = m.meanings.get(declarationKey(d));
            return found === undefined ? undefined : ({ ...found, node: d } as Meaning);
          },
          diagnostics: m.diagnostics,
          imports: m.imports.map((name) => sources.get(name)),
        },
      ]),
    ),
    checksLibrary: undefined,
    global,
    order: files,
    made: image.made,
  };
}

const digest = (project: LoadedProject, core: ts.SourceFile, files: readonly ts.SourceFile[]): string =>
  digestOf([core, ...files].map((sf) => [project.moduleName(sf), sf.text]));

class ReusedModules implements Reused {
  constructor(
    private readonly modules: KeptModules,
    private readonly made: readonly ClassDecl[],
  ) {}

  has(sf: ts.SourceFile): boolean {
    return this.modules.has(sf);
  }

  module(sf: ts.SourceFile): Module | undefined {
    return this.modules.get(sf)?.module;
  }

  get diagnostics(): Diagnostic[] {
    return [...this.modules.values()].flatMap((m) => m.diagnostics);
  }

  get classes(): ClassDecl[] {
    return [...this.modules.values()].flatMap((m) => m.module.classes);
  }

  meaning(symbol: ts.Symbol): Meaning | undefined {
    for (const d of symbol.declarations ?? []) {
      const found = this.modules.get(d.getSourceFile())?.meaning(d);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  restore(ctx: Context): void {
    for (const c of this.made) if (!ctx.classes.has(c.id)) ctx.classes.set(c.id, c);
    for (const m of this.modules.values()) {
      for (const c of m.module.classes) ctx.classes.set(c.id, c);
      for (const f of m.functions) ctx.functions.set(f.id, f);
    }
  }
}

/** What the declarations of a source mean, without TypeScript's nodes. */
function storedMeanings(sf: ts.SourceFile, m: KeptModule): ImageModule["meanings"] {
  const out = new Map<string, ImageModule["meanings"] extends ReadonlyMap<string, infer V> ? V : never>();
  const visit = (d: ts.Node): void => {
    const meaning = m.meaning(d);
    if (meaning !== undefined) {
      const { node: _, ...rest } = { node: undefined, ...meaning };
      out.set(declarationKey(d), rest as typeof out extends Map<string, infer V> ? V : never);
    }
    ts.forEachChild(d, visit);
  };
  visit(sf);
  return out;
}

/** Sources whose declarations other modules see without an import. */
const globalSources = (project: LoadedProject): ts.SourceFile[] =>
  project.program
    .getSourceFiles()
    .filter(
      (sf) => sf.isDeclarationFile || !ts.isExternalModule(sf) || sf.statements.some(ts.isModuleDeclaration),
    );

/** Imports, re-exports and types that are written `import("…").T`. */
function importsOf(project: LoadedProject, sf: ts.SourceFile): (ts.SourceFile | undefined)[] {
  // Collected by TypeScript's program for itself.
  const { imports = [] } = sf as { readonly imports?: readonly ts.StringLiteralLike[] };
  return imports.map((s) => project.resolve(s.text, sf));
}

const sameItems = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

function grouped<T>(list: Iterable<T>, key: (x: T) => string): Map<string, T[]> {
  const out = new Map<string, T[]>();
  for (const x of list) {
    const k = key(x);
    const known = out.get(k);
    if (known === undefined) out.set(k, [x]);
    else known.push(x);
  }
  return out;
}
