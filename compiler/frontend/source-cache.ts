/**
 * Sources for TypeScript: read on every run, parsed only when the text is another one. A source that did not change is the
 * same object in the next program, with all that TypeScript attached to it. It decides nothing about modules.
 */
import { ts } from "ts-morph";
import type { Overlay } from "./project.js";

interface Parsed {
  readonly text: string;
  readonly sf: ts.SourceFile;
}

/** A host that resolves as its program does. */
export interface SourceHost extends ts.CompilerHost {
  /** The file that `specifier` means in the file `from`. */
  resolve(specifier: string, from: string): string | undefined;
}

export class SourceCache {
  readonly #parsed = new Map<string, Parsed>();
  /** Of modules below `fixed`: specifiers that were resolved, by folder. */
  readonly #resolved = new Map<string, ts.ResolvedModuleWithFailedLookupLocations>();

  /** @param fixed a folder in which no file comes that would be found instead of another: the library. */
  constructor(private readonly fixed: string) {}

  /** For one program: files that appear or vanish are seen by the next host. */
  host(options: ts.CompilerOptions, overlay: Overlay): SourceHost {
    const { sys } = ts;
    const fileExists = (name: string): boolean => overlay.has(name) || sys.fileExists(name);
    const readFile = (name: string): string | undefined => overlay.get(name) ?? sys.readFile(name);
    const resolution: ts.ModuleResolutionHost = {
      fileExists,
      readFile,
      directoryExists: (name) =>
        sys.directoryExists(name) || [...overlay.keys()].some((file) => file.startsWith(`${name}/`)),
      getCurrentDirectory: () => sys.getCurrentDirectory(),
      getDirectories: (name) => sys.getDirectories(name),
      useCaseSensitiveFileNames: sys.useCaseSensitiveFileNames,
      realpath: (name) => (overlay.has(name) ? name : (sys.realpath?.(name) ?? name)),
    };
    const canonical = (name: string): string => (sys.useCaseSensitiveFileNames ? name : name.toLowerCase());
    const cache = ts.createModuleResolutionCache(sys.getCurrentDirectory(), canonical, options);
    const resolve = (specifier: string, from: string): ts.ResolvedModuleWithFailedLookupLocations => {
      if (!from.startsWith(this.fixed)) {
        return ts.resolveModuleName(specifier, from, options, resolution, cache);
      }
      const key = `${from.slice(0, from.lastIndexOf("/"))}\0${specifier}`;
      const known = this.#resolved.get(key);
      if (known?.resolvedModule !== undefined && fileExists(known.resolvedModule.resolvedFileName))
        return known;
      const found = ts.resolveModuleName(specifier, from, options, resolution, cache);
      if (found.resolvedModule !== undefined) this.#resolved.set(key, found);
      return found;
    };
    return {
      ...resolution,
      fileExists,
      readFile,
      getCurrentDirectory: () => sys.getCurrentDirectory(),
      useCaseSensitiveFileNames: () => sys.useCaseSensitiveFileNames,
      getCanonicalFileName: canonical,
      getNewLine: () => "\n",
      getDefaultLibFileName: () => "lib.d.ts",
      writeFile: () => undefined,
      getSourceFile: (name, language) => this.#source(name, readFile(name), language),
      resolve: (specifier, from) => resolve(specifier, from).resolvedModule?.resolvedFileName,
      resolveModuleNameLiterals: (literals, from) => literals.map((l) => resolve(l.text, from)),
    };
  }

  #source(
    name: string,
    text: string | undefined,
    language: ts.ScriptTarget | ts.CreateSourceFileOptions,
  ): ts.SourceFile | undefined {
    if (text === undefined) {
      this.#parsed.delete(name);
      return undefined;
    }
    const known = this.#parsed.get(name);
    if (known?.text === text) return known.sf;
    const sf = ts.createSourceFile(name, text, language);
    this.#parsed.set(name, { text, sf });
    return sf;
  }
}
