/**
 * Loads TypeScript with the machine code cache that was made with tmc: V8 then neither parses nor compiles most of its
 * nine megabytes again. Without a cache that fits (another Node.js, another TypeScript) it is loaded as usual.
 */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { deserialize, serialize } from "node:v8";
import { Script } from "node:vm";

interface CachedScript {
  readonly size: number;
  readonly mtimeMs: number;
  readonly code: Buffer;
}

/** By file. */
type Cache = ReadonlyMap<string, CachedScript>;

const own = fileURLToPath(import.meta.url);
/** Beside the compiled compiler; sources that run uncompiled have none. */
const cacheFile = own.endsWith(".js") ? path.resolve(path.dirname(own), "../../typescript.bin") : undefined;

/** ts-morph and what it consists of, in the order in which they load. */
function files(): string[] {
  const whole = createRequire(import.meta.url).resolve("ts-morph");
  const common = createRequire(whole).resolve("@ts-morph/common");
  return [path.join(path.dirname(common), "typescript.js"), common, whole];
}

type Body = (
  exports: unknown,
  require: NodeJS.Require,
  module: NodeJS.Module,
  file: string,
  folder: string,
) => void;

/** Runs a CommonJS module and enters it where `import` finds it. @throws whatever it throws. */
function load(file: string, cached: CachedScript | undefined): Script | undefined {
  const require = createRequire(file);
  if (require.cache[file] !== undefined) return undefined;
  const script = new Script(Module.wrap(readFileSync(file, "utf8")), {
    filename: file,
    ...(cached === undefined ? {} : { cachedData: cached.code }),
  });
  const module = new Module(file);
  module.filename = file;
  require.cache[file] = module;
  try {
    (script.runInThisContext() as Body)(module.exports, require, module, file, path.dirname(file));
  } catch (error) {
    Reflect.deleteProperty(require.cache, file);
    throw error;
  }
  module.loaded = true;
  return script;
}

let tried = false;

/** Before the first import of a module that uses TypeScript. Loads nothing when there is no cache that fits. */
export function loadTypescript(): void {
  if (tried || cacheFile === undefined) return;
  tried = true;
  try {
    const cache = deserialize(readFileSync(cacheFile)) as Cache;
    for (const file of files()) {
      const cached = cache.get(file);
      const { size, mtimeMs } = statSync(file);
      if (cached === undefined || cached.size !== size || cached.mtimeMs !== mtimeMs) return;
      load(file, cached);
    }
  } catch {
    // Importing it as usual says what is wrong, if anything is.
  }
}

/** For the build of tmc: loads TypeScript; `save` writes the cache, with all that was compiled in between. */
export function recordTypescript(): { save(): void } {
  tried = true;
  const scripts = files().map((file) => [file, load(file, undefined)] as const);
  return {
    save() {
      const cache = new Map<string, CachedScript>();
      for (const [file, script] of scripts) {
        if (script === undefined) continue;
        const { size, mtimeMs } = statSync(file);
        cache.set(file, { size, mtimeMs, code: script.createCachedData() });
      }
      if (cacheFile !== undefined) writeFileSync(cacheFile, serialize(cache));
    },
  };
}
