/**
 * Loads a program: the entry file, what it imports, the library ("tmc") and `core.d.ts`, type-checked without
 * TypeScript's own library. Gives TypeScript's program; nothing is lowered here.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { ts } from "ts-morph";
import { UserError, ExitCode } from "../diagnostics/user-error.js";
import { frameModule } from "../ir/async/promise.js";
import { packageRoot } from "../board/package-root.js";
import { SourceCache } from "./source-cache.js";

export interface LoadedProject {
  readonly program: ts.Program;
  readonly checker: ts.TypeChecker;
  /** Source files to lower, imports before importers. */
  readonly files: readonly ts.SourceFile[];
  readonly entry: ts.SourceFile;
  /** The program is the library itself, or tmc's own sources: TypeScript checks the library too. */
  readonly checksLibrary: boolean;
  /** A module's stable name: relative to the user's root, or `tmc/…` for the library. */
  readonly moduleName: (sf: ts.SourceFile) => string;
  /** The module a specifier in `sf` means, or undefined when it does not resolve. */
  readonly resolve: (specifier: string, sf: ts.SourceFile) => ts.SourceFile | undefined;
}

export const firmwareRoot = (): string => path.join(packageRoot(), "firmware");

const toPosix = (p: string): string => p.split(path.sep).join("/");

/** Sources that are not on disk (tests, the Vitest plugin): absolute file name → text. */
export type Overlay = ReadonlyMap<string, string>;

/** Sources for `loadProject`: kept by who loads the same program again. */
export const newSources = (): SourceCache => new SourceCache(`${toPosix(firmwareRoot())}/`);

export function loadProject(
  entryFile: string,
  root: string,
  overlay: Overlay = new Map(),
  sources: SourceCache = newSources(),
): LoadedProject {
  const entryPath = path.resolve(entryFile);
  if (!overlay.has(entryPath) && !existsSync(entryPath)) {
    throw new UserError("TMC0010", `there is no file ${entryFile}`, "check the path", ExitCode.usage);
  }
  if (!/\.ts$/.test(entryPath) || /\.d\.ts$/.test(entryPath)) {
    throw new UserError(
      "TMC0011",
      `${entryFile} is not a TypeScript source`,
      "give a file that ends in .ts",
      ExitCode.usage,
    );
  }
  const lib = firmwareRoot();
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    noLib: true,
    types: [],
    strict: true,
    useUnknownInCatchVariables: false,
    noImplicitOverride: true,
    noFallthroughCasesInSwitch: true,
    useDefineForClassFields: true,
    noEmit: true,
    paths: { tmc: [toPosix(path.join(lib, "index.ts"))] },
  };
  const host = sources.host(options, new Map([...overlay].map(([file, text]) => [toPosix(file), text])));
  const always = ["core.d.ts", frameModule].map((name) => toPosix(path.join(lib, name)));
  const program = ts.createProgram([...always, toPosix(entryPath)], options, host);
  const entry = program.getSourceFile(toPosix(entryPath));
  if (entry === undefined) throw new Error(`TypeScript did not load ${entryPath}`);

  const resolve = (specifier: string, sf: ts.SourceFile): ts.SourceFile | undefined => {
    const found = host.resolve(specifier, sf.fileName);
    return found === undefined ? undefined : program.getSourceFile(found);
  };
  const names = new Map<ts.SourceFile, string>();
  const moduleName = (sf: ts.SourceFile): string => {
    let name = names.get(sf);
    if (name === undefined) {
      const inLib = path.relative(lib, sf.fileName);
      const isLibrary = !inLib.startsWith("..") && !path.isAbsolute(inLib);
      name = isLibrary ? `tmc/${toPosix(inLib)}` : toPosix(path.relative(root, sf.fileName));
      names.set(sf, name);
    }
    return name;
  };
  const files: ts.SourceFile[] = [];
  const seen = new Set<ts.SourceFile>();
  const visit = (sf: ts.SourceFile): void => {
    if (seen.has(sf) || sf.isDeclarationFile) return;
    seen.add(sf);
    for (const specifier of importSpecifiers(sf)) {
      const target = resolve(specifier.text, sf);
      if (target !== undefined) visit(target);
    }
    files.push(sf);
  };
  visit(entry);
  // What async functions are made of belongs to a program that has one, imported or not.
  const frames = program.getSourceFile(toPosix(path.join(lib, frameModule)));
  if (frames !== undefined && !seen.has(frames) && files.some((f) => /\basync\b|\bPromise\b/.test(f.text)))
    files.unshift(frames);
  const checksLibrary = path.resolve(root) === packageRoot() || moduleName(entry).startsWith("tmc/");
  return { program, checker: program.getTypeChecker(), files, entry, checksLibrary, moduleName, resolve };
}

/** The module specifiers of a file's imports and re-exports that exist at run time, in order. */
function importSpecifiers(sf: ts.SourceFile): ts.StringLiteral[] {
  const found: ts.StringLiteral[] = [];
  for (const s of sf.statements) {
    if (ts.isImportDeclaration(s) && ts.isStringLiteral(s.moduleSpecifier)) found.push(s.moduleSpecifier);
    if (
      ts.isExportDeclaration(s) &&
      s.moduleSpecifier !== undefined &&
      ts.isStringLiteral(s.moduleSpecifier)
    ) {
      found.push(s.moduleSpecifier);
    }
  }
  return found;
}
