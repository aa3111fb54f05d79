/**
 * Vitest plugin: a unit test imports a subset module and gets the code that behaves as on the device (wrap, rounding,
 * traps), with source maps into the `.ts` file. Findings of the compiler fail the import, as `tmc check` prints them.
 *
 * Files of the subset are those under `roots`, without tests; everything else is ordinary TypeScript.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { emitModule } from "../../compiler/backend-js/module.js";
import { packageRoot } from "../../compiler/board/package-root.js";
import { formatDiagnostics } from "../../compiler/diagnostics/format-diagnostics.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { runFrontend } from "../../compiler/frontend/frontend.js";
import { FrontendCache } from "../../compiler/frontend/reuse.js";
import type { Module } from "../../compiler/ir/nodes.js";

export interface TmcVitestOptions {
  /** Folders of subset sources, relative to the project. Default: `src` and `firmware`, where they exist. */
  readonly roots?: readonly string[];
  /** Trap on unintended overflow, as `tmc run` does. Default true. */
  readonly checked?: boolean;
}

/** What Vite calls; declared here so that users need no Vite types. */
export interface TmcVitePlugin {
  readonly name: string;
  readonly enforce: "pre";
  configResolved(config: { readonly root: string }): void;
  resolveId(source: string, importer: string | undefined): string | undefined;
  load(id: string): { code: string; map: string } | undefined;
  watchChange(id: string): void;
}

const isSource = (file: string): boolean => /\.ts$/.test(file) && !/\.(test|d)\.ts$/.test(file);
const posix = (file: string): string => file.split(path.sep).join("/");

/** The support library beside this file: source or compiled. */
function supportFile(): string {
  const base = fileURLToPath(new URL("../../compiler/backend-js/support", import.meta.url));
  return existsSync(`${base}.ts`) ? `${base}.ts` : `${base}.js`;
}

export function tmc(options: TmcVitestOptions = {}): TmcVitePlugin {
  let root = process.cwd();
  const library = path.join(packageRoot(), "firmware");
  let compiled: Compiled | undefined;
  const cache = new FrontendCache();
  const roots = (): string[] =>
    [...(options.roots ?? ["src", "firmware"]).map((r) => path.resolve(root, r)), library].filter((r) =>
      existsSync(r),
    );
  const owns = (file: string): boolean =>
    isSource(file) && roots().some((r) => file.startsWith(r + path.sep));

  return {
    name: "tmc",
    enforce: "pre",
    configResolved(config) {
      root = config.root;
    },
    resolveId(source, importer) {
      if (source === "tmc") return path.join(library, "index.ts");
      if (source === "tmc/support") return supportFile();
      if (importer === undefined || !source.startsWith(".")) return undefined;
      const base = path.resolve(path.dirname(importer.replace(/\?.*$/, "")), source);
      const candidates = [base, base.replace(/\.js$/, ".ts"), `${base}.ts`, path.join(base, "index.ts")];
      return candidates.find((c) => owns(c) && existsSync(c) && statSync(c).isFile());
    },
    load(id) {
      const file = id.replace(/\?.*$/, "");
      if (!owns(file)) return undefined;
      compiled ??= compileAll(roots(), root, cache);
      return compiled.emit(file, options.checked ?? true);
    },
    watchChange(id) {
      if (owns(id)) compiled = undefined;
    },
  };
}

interface Compiled {
  emit(file: string, checked: boolean): { code: string; map: string };
}

/** One run of the frontend over all sources of the roots; what did not change since the last one is taken over. */
function compileAll(roots: readonly string[], root: string, cache: FrontendCache): Compiled {
  const files = roots.flatMap(sourcesBelow);
  const entry = path.join(root, "tmc-all-sources.ts");
  const text = files
    .map((f) => `import "${posix(path.relative(root, f)).replace(/^(?!\.)/, "./")}";`)
    .join("\n");
  const { program, diagnostics } = runFrontend(entry, root, new Map([[entry, text]]), cache);
  const byFile = new Map(program.modules.map((m) => [path.resolve(m.file), m]));
  const byPath = new Map(program.modules.map((m) => [m.path, m]));
  return {
    emit(file, checked) {
      const m = byFile.get(path.resolve(file));
      if (m === undefined) throw new Error(`${file} is not among the compiled sources`);
      refuse(diagnostics, m, root);
      return emitModule(m, {
        format: "esm",
        checked,
        support: "tmc/support",
        specifier: (to) => byPath.get(to)?.file ?? to,
        sourceText: readFileSync(m.file, "utf8"),
      });
    },
  };
}

const sourcesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((f) => isSource(f) && !f.split(path.sep).includes("node_modules"))
    .sort()
    .map((f) => path.join(folder, f));

function refuse(diagnostics: readonly Diagnostic[], m: Module, root: string): void {
  const errors = diagnostics.filter((d) => d.severity === "error" && d.loc.file === m.path);
  if (errors.length > 0) throw new Error(`\n${formatDiagnostics(errors, { root })}`);
}
