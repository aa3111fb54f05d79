/** All findings of the given files and of what they import. Emits nothing. */
import { sortDiagnostics, type Diagnostic } from "../diagnostics/diagnostic.js";
import { analyseProgram } from "./compile.js";

/** `files`: absolute paths. A finding in a module that two files share is given once. */
export function checkFiles(files: readonly string[], root: string): Diagnostic[] {
  return sortDiagnostics(
    files.flatMap((entry) => analyseProgram({ entry, root, checked: true, kind: "either" }).diagnostics),
  );
}
