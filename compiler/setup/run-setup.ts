/**
 * The setup phase: emits every module as JavaScript and runs the top levels, on the host, at build time.
 * Gives the modules' exports and the handlers that were registered; `snapshot.ts` reads them.
 */
import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import path from "node:path";
import { Script } from "node:vm";
import * as support from "../backend-js/support.js";
import { emitModule } from "../backend-js/module.js";
import { UserError } from "../diagnostics/user-error.js";
import type { Module, Program } from "../ir/nodes.js";

export type ModuleExports = Record<string, unknown>;

export interface LoadedProgram {
  readonly program: Program;
  readonly exports: ReadonlyMap<string, ModuleExports>;
  readonly entries: readonly { readonly name: string; readonly handler: object }[];
}

/** Reads files of `assetText` and `assetBytes`; never outside the module's folder tree. */
function readAsset(file: string, base: string): Buffer {
  const full = path.resolve(base, file);
  try {
    return readFileSync(full);
  } catch {
    throw new UserError(
      "TMC2004",
      `the asset ${file} cannot be read (looked in ${base})`,
      "check the path: it is relative to the module",
    );
  }
}

export function bindAssets(): void {
  support.bind({
    "setup:assetText": (file: string, base: string) => readAsset(file, base).toString("latin1"),
    "setup:assetBytes": (file: string, base: string) => new Uint8Array(readAsset(file, base)),
  });
}

export function runSetup(
  program: Program,
  options: { readonly checked: boolean; readonly limitMs?: number },
): LoadedProgram {
  bindAssets();
  support.takeEntries();
  const exports = new Map<string, ModuleExports>(program.modules.map((m) => [m.path, {}]));
  const find = (module: string): ModuleExports => {
    const found = exports.get(module);
    if (found === undefined) throw new Error(`no module ${module}`);
    return found;
  };
  const prepared = program.modules.map((m) => prepare(m, options.checked, find));
  for (const step of prepared) step.next();
  withinTime(() => {
    for (const step of prepared) step.next();
  }, options.limitMs ?? setupLimitMs);
  return { program, exports, entries: support.takeEntries() };
}

type Reexport = (from: string, names: readonly { imported: string; exported: string }[]) => void;
type ModuleBody = (
  rt: typeof support,
  exports: ModuleExports,
  find: (module: string) => ModuleExports,
  reexport: Reexport,
) => Iterator<void>;

interface Emitted {
  readonly script: Script;
  readonly map: string;
}

/** A module that the frontend kept from an earlier run is emitted once: unchecked, checked. */
const emitted = new WeakMap<Module, [Emitted?, Emitted?]>();

function emit(m: Module, checked: boolean): Emitted {
  const known = emitted.get(m) ?? [];
  emitted.set(m, known);
  const i = checked ? 1 : 0;
  const found = known[i];
  if (found !== undefined) return found;
  const { code, map } = emitModule(m, {
    format: "function",
    checked,
    support: "",
    specifier: (to) => to,
    sourceText: "",
  });
  const text = `(function* ($rt, $exports, $import, $reexport) {\n${code}\n})`;
  // The text is our own output of a checked program: nothing of the user's source is pasted into it.
  const script = new Script(text, { filename: emittedName(m.path), lineOffset: -1 });
  return (known[i] = { script, map });
}

/** The module as a generator, not started. */
function prepare(m: Module, checked: boolean, find: (module: string) => ModuleExports): Iterator<void> {
  const { script, map } = emit(m, checked);
  const own = find(m.path);
  const reexport: Reexport = (from, names) => {
    const source = find(from);
    for (const n of names) {
      Object.defineProperty(own, n.exported, {
        enumerable: true,
        configurable: true,
        get: () => source[n.imported],
      });
    }
  };
  maps.set(m.path, map);
  return (script.runInThisContext() as ModuleBody)(support, own, find, reexport);
}

/** Source maps of the modules of this process, for errors that JavaScript itself throws in setup. */
const maps = new Map<string, string>();
const emittedName = (module: string): string => `tmc:///${module}.js`;

/** Longer than any table takes; a loop without end is found. */
const setupLimitMs = 60_000;
const limited = new Script("globalThis.run()");

function withinTime(run: () => void, limitMs: number): void {
  try {
    limited.runInNewContext({ run }, { timeout: limitMs });
  } catch (e) {
    throw explained(e, limitMs);
  }
}

/** What JavaScript throws at a program that TypeScript accepted, in the user's terms and with the place. */
function explained(e: unknown, limitMs: number): unknown {
  if (support.asTrap(e) !== undefined || e instanceof UserError) return e;
  // In a worker it is an Error of another realm.
  if (typeof e === "object" && e !== null && "code" in e && e.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") {
    return new UserError(
      "TMC2011",
      `setup did not end within ${limitMs / 1000} s`,
      "look for a loop at the top level that never ends",
    );
  }
  if (!(e instanceof Error)) return e;
  const where = placeOf(e);
  const at = where === undefined ? "" : `${where}: `;
  const early = /^Cannot access '(.+)' before initialization/.exec(e.message);
  if (early !== null) {
    return new UserError(
      "TMC2003",
      `${at}\`${early[1] ?? ""}\` is used before setup gave it a value`,
      "move its declaration up; between modules, remove the cycle of imports",
    );
  }
  return where === undefined
    ? e
    : new UserError(
        "TMC2009",
        `${at}setup ended with an error: ${e.message}`,
        "check the values that reach this place",
      );
}

/** `file:line:col` of the innermost place of the program in a stack trace. */
function placeOf(e: Error): string | undefined {
  for (const [, module, line, column] of (e.stack ?? "").matchAll(/tmc:\/\/\/(.+?)\.js:(\d+):(\d+)/g)) {
    const map = maps.get(module ?? "");
    if (module === undefined || map === undefined) continue;
    const entry = new SourceMap(JSON.parse(map) as SourceMapPayload).findEntry(
      Number(line) - 1,
      Number(column) - 1,
    );
    if ("originalLine" in entry) return `${module}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  }
  return undefined;
}
