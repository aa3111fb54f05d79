/**
 * The library, lowered when tmc is built: a first run takes it over as a later run takes over modules that did not change.
 * Here is its file: who may use it, reading, writing. What is in it, `reuse.ts` decides.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { deserialize, serialize } from "node:v8";
import { ts } from "ts-morph";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { ClassDecl, FuncDecl, Module } from "../ir/nodes.js";
import type { Meaning } from "./context.js";

type WithoutNode<M> = M extends { readonly node: unknown } ? Omit<M, "node"> : M;

export interface ImageModule {
  /** `file` is where the library was when tmc was built. */
  readonly module: Module;
  readonly functions: readonly FuncDecl[];
  /** By `declarationKey`. */
  readonly meanings: ReadonlyMap<string, WithoutNode<Meaning>>;
  readonly diagnostics: readonly Diagnostic[];
  /** Names of modules. */
  readonly imports: readonly string[];
}

export interface LibraryImage {
  /** Of the sources it was made from. */
  readonly digest: string;
  /** Imports before importers. */
  readonly modules: readonly ImageModule[];
  readonly made: readonly ClassDecl[];
}

/** Tells declarations of one source apart. */
export const declarationKey = (d: ts.Node): string => `${d.kind}:${d.pos}`;

/** Of texts by module name, in order. */
export function digestOf(sources: readonly (readonly [name: string, text: string])[]): string {
  const hash = createHash("sha256").update(ts.version);
  for (const [name, text] of sources) hash.update(`\0${name}\0${text.length}\0${text}`);
  return hash.digest("hex");
}

/** Beside the compiled compiler; sources that run uncompiled have none. */
const own = fileURLToPath(import.meta.url);
const imageFile = own.endsWith(".js") ? path.resolve(path.dirname(own), "../../library.bin") : undefined;

let read: LibraryImage | undefined | null = null;

/** Undefined when there is none, or when the compiler was compiled again since it was made. */
export function libraryImage(): LibraryImage | undefined {
  if (read === null) read = readImage();
  return read;
}

function readImage(): LibraryImage | undefined {
  if (imageFile === undefined) return undefined;
  try {
    const made = statSync(imageFile).mtimeMs;
    for (const folder of [".", "expr", "stmt", "../ir"]) {
      const dir = path.resolve(path.dirname(own), folder);
      for (const name of readdirSync(dir)) {
        if (name.endsWith(".js") && statSync(path.join(dir, name)).mtimeMs > made) return undefined;
      }
    }
    return deserialize(readFileSync(imageFile)) as LibraryImage;
  } catch {
    // Not made, or by another Node.js: everything works without it, only slower.
    return undefined;
  }
}

/** @throws Error when this is not the compiled compiler. */
export function writeLibraryImage(image: LibraryImage): string {
  if (imageFile === undefined) throw new Error("only the compiled compiler has an image of the library");
  writeFileSync(imageFile, serialize(image));
  return imageFile;
}
