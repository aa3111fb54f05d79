/** All findings of the given files and of what they import. Emits nothing. */
import { sortDiagnostics, type Diagnostic } from "../diagnostics/diagnostic.js";
import type { Overlay } from "../frontend/project.js";
import { analyseProgram } from "./compile.js";

/**
 * `files`: absolute paths. A finding in a module that two files share is given once.
 * @param overlay texts that stand for files: absolute path → text.
 */
export function checkFiles(
  files: readonly string[],
  root: string,
  overlay: Overlay = new Map(),
): Diagnostic[] {
  return sortDiagnostics(
    files.flatMap(
      (entry) => analyseProgram({ entry, root, checked: true, kind: "either", overlay }).diagnostics,
    ),
  );
}
