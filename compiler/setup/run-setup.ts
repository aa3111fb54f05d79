/**
 * The setup phase: emits every module as JavaScript and runs the top levels, on the host, at build time.
 * Gives the modules' exports and the handlers that were registered; `snapshot.ts` reads them.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as support from "../backend-js/support.js";
import { emitModule } from "../backend-js/module.js";
import { UserError } from "../diagnostics/user-error.js";
import type { Program } from "../ir/nodes.js";

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

export function runSetup(program: Program, options: { readonly checked: boolean }): LoadedProgram {
  bindAssets();
  support.takeEntries();
  const exports = new Map<string, ModuleExports>(program.modules.map((m) => [m.path, {}]));
  const find = (module: string): ModuleExports => {
    const found = exports.get(module);
    if (found === undefined) throw new Error(`no module ${module}`);
    return found;
  };
  for (const m of program.modules) {
    const { code } = emitModule(m, {
      format: "function",
      checked: options.checked,
      support: "",
      specifier: (to) => to,
      sourceText: "",
    });
    const own = find(m.path);
    const reexport = (from: string, names: readonly { imported: string; exported: string }[]): void => {
      const source = find(from);
      for (const n of names) {
        Object.defineProperty(own, n.exported, {
          enumerable: true,
          configurable: true,
          get: () => source[n.imported],
        });
      }
    };
    const run = compile(code, m.path);
    run(support, own, find, reexport);
  }
  return { program, exports, entries: support.takeEntries() };
}

type ModuleBody = (
  rt: typeof support,
  exports: ModuleExports,
  find: (module: string) => ModuleExports,
  reexport: (from: string, names: readonly { imported: string; exported: string }[]) => void,
) => void;

/** The emitted text as a function of what it needs; it sees no other names of ours. */
function compile(code: string, name: string): ModuleBody {
  // The text is our own output of a checked program: nothing of the user's source is pasted into it.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  return new Function(
    "$rt",
    "$exports",
    "$import",
    "$reexport",
    `${code}\n//# sourceURL=tmc:///${name}.js`,
  ) as ModuleBody;
}
