/**
 * Checks the same files again and again: for `tmc check --watch` and for editors. What did not change since the last
 * time, and imports nothing that did, is not parsed and not lowered again. It watches nothing and prints nothing.
 */
import { sortDiagnostics, type Diagnostic } from "../diagnostics/diagnostic.js";
import { UserError } from "../diagnostics/user-error.js";
import type { Overlay } from "../frontend/project.js";
import { FrontendCache } from "../frontend/reuse.js";
import { analyseProgram } from "./compile.js";

export interface CheckSessionOptions {
  /** Absolute paths of the entries. */
  readonly entries: readonly string[];
  /** Names of modules are relative to it. */
  readonly root: string;
}

/** What stopped a check before it could find anything: a missing file, an asset, a model. */
export interface CheckProblem {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

export interface CheckOutcome {
  readonly diagnostics: readonly Diagnostic[];
  readonly problems: readonly CheckProblem[];
  /** Absolute paths of the sources that were read. After a problem: those of the last time too. */
  readonly files: readonly string[];
}

export class CheckSession {
  /** By entry: what the last check of it read. */
  readonly #files = new Map<string, readonly string[]>();

  readonly #cache = new FrontendCache();

  constructor(private readonly options: CheckSessionOptions) {}

  /**
   * @param overlay texts that are newer than the files: an editor's unsaved ones, by absolute path.
   * @throws what is a bug of ours.
   */
  check(overlay?: Overlay): CheckOutcome {
    const diagnostics: Diagnostic[] = [];
    const problems: CheckProblem[] = [];
    for (const entry of this.options.entries) {
      try {
        const result = analyseProgram({
          entry,
          root: this.options.root,
          checked: true,
          kind: "either",
          cache: this.#cache,
          ...(overlay === undefined ? {} : { overlay }),
        });
        diagnostics.push(...result.diagnostics);
        this.#files.set(entry, result.files);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problems.push({ code: error.code, message: error.message, fix: error.fix });
      }
    }
    const files = new Set([...this.options.entries, ...[...this.#files.values()].flat()]);
    return { diagnostics: sortDiagnostics(diagnostics), problems, files: [...files] };
  }
}
