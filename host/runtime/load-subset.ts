/**
 * Modules of `firmware/` as ES modules for code of the host, so that a server decides with the very code of a
 * microcontroller. Built once when tmc is built; from sources, on demand into `build/subset`, by what they are made of.
 * What the platform binds (`tmc_port_node_id` …) is the loaded copy's own: other firmware in the process is untouched.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { packagePath } from "../../compiler/board/package-root.js";
import * as support from "../../compiler/backend-js/support.js";
import type { HostFunction } from "./current-platform.js";

/** What the host uses: these and what they import. */
const entries = [
  "core/answer.ts",
  "core/data-descriptor.ts",
  "core/fits.ts",
  "core/request.ts",
  "core/selection.ts",
  "core/ticket.ts",
] as const;

const indexName = "index.mjs";
const own = fileURLToPath(import.meta.url);
/** Where the build puts them; undefined when tmc runs from its sources. */
const built = own.endsWith(".js") ? path.resolve(path.dirname(own), "../../subset") : undefined;

/** The global by which a loaded copy finds the support library: a compiled one, or that of the sources. */
const supportKey = Symbol.for("tmc.subset.support");
const bindings: Record<string, HostFunction> = {};

let loaded: Promise<unknown> | undefined;

/** The namespace of all exports of these modules. The caller knows their types. */
export function loadSubset(): Promise<unknown> {
  loaded ??= load();
  return loaded;
}

/** Gives the loaded copy its platform, by C name. */
export function bindSubset(functions: Readonly<Record<string, HostFunction>>): void {
  Object.assign(bindings, functions);
}

async function load(): Promise<unknown> {
  const extern = (name: string): unknown => bindings[name] ?? support.extern(name);
  Object.assign(globalThis, { [supportKey]: { ...support, extern } });
  const folder = built !== undefined && existsSync(path.join(built, indexName)) ? built : await onDemand();
  return import(/* @vite-ignore */ pathToFileURL(path.join(folder, indexName)).href);
}

/** Part of building tmc. */
export async function writeSubset(): Promise<void> {
  if (built === undefined) throw new Error("only a compiled tmc has a place for them");
  rmSync(built, { recursive: true, force: true });
  await compileInto(built);
}

async function onDemand(): Promise<string> {
  const key = digest();
  for (const parent of [packagePath("build", "subset"), path.join(tmpdir(), "tmc-subset")]) {
    const folder = path.join(parent, key);
    if (existsSync(path.join(folder, indexName))) return folder;
    try {
      mkdirSync(parent, { recursive: true });
      const fresh = mkdtempSync(path.join(parent, "new-"));
      try {
        await compileInto(fresh);
        renameSync(fresh, folder);
      } finally {
        rmSync(fresh, { recursive: true, force: true });
      }
      return folder;
    } catch (error) {
      // Another process was faster: its folder is as good. Or the package is read-only: the next parent.
      if (existsSync(path.join(folder, indexName))) return folder;
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
  throw new Error("no folder can be written for the compiled firmware");
}

/** Of everything the output depends on. */
function digest(): string {
  const hash = createHash("sha256");
  const add = (folder: string, deep: boolean): void => {
    for (const file of readdirSync(folder, { recursive: deep, encoding: "utf8" }).sort()) {
      if (/\.(ts|js)$/.test(file) && !/\.test\.ts$/.test(file))
        hash.update(`\0${file}\0`).update(readFileSync(path.join(folder, file)));
    }
  };
  add(packagePath("firmware"), false);
  for (const part of ["std", "core"]) add(packagePath("firmware", part), true);
  for (const part of ["frontend", "ir", "backend-js"]) {
    add(path.resolve(path.dirname(own), "../../compiler", part), true);
  }
  return hash.update(readFileSync(own)).digest("hex").slice(0, 24);
}

async function compileInto(folder: string): Promise<void> {
  // Only here: a start from compiled modules does without the compiler.
  const { runFrontend } = await import("../../compiler/frontend/frontend.js");
  const { emitModule } = await import("../../compiler/backend-js/module.js");
  const root = packagePath(".");
  const entry = path.join(root, "tmc-subset.ts");
  const text = entries.map((e) => `import "./firmware/${e.replace(/\.ts$/, ".js")}";`).join("\n");
  const { program, diagnostics } = runFrontend(entry, root, new Map([[entry, text]]));
  const wrong = diagnostics.filter((d) => d.severity === "error");
  if (wrong.length > 0) {
    throw new Error(
      `firmware does not compile: ${wrong.map((d) => `${d.loc.file} ${d.message}`).join("; ")}`,
    );
  }
  const fileOf = (module: string): string =>
    `${module.replace(/\.ts$/, "").replace(/[^A-Za-z0-9]+/g, "-")}.mjs`;
  mkdirSync(folder, { recursive: true });
  const names: string[] = [];
  for (const m of program.modules) {
    if (path.resolve(m.file) === entry) continue;
    const { code } = emitModule(m, {
      format: "esm",
      // As in an image: what may wrap, wraps.
      checked: false,
      support: "./support.mjs",
      specifier: (to) => `./${fileOf(to)}`,
      sourceText: readFileSync(m.file, "utf8"),
    });
    writeFileSync(path.join(folder, fileOf(m.path)), code);
    if (entries.some((e) => m.path.endsWith(e)) || /cbor-(reader|writer)\.ts$/.test(m.path))
      names.push(fileOf(m.path));
  }
  const exported = Object.keys(support);
  writeFileSync(
    path.join(folder, "support.mjs"),
    `export const { ${exported.join(", ")} } = globalThis[Symbol.for("tmc.subset.support")];\n`,
  );
  writeFileSync(path.join(folder, indexName), names.map((name) => `export * from "./${name}";\n`).join(""));
}
