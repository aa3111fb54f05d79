/** A finding about a user's source: code, place, one sentence, the fix. Printing lives in `cli/`. */
import type { Loc } from "../ir/nodes.js";

export type Severity = "error" | "warning" | "note";

/** A replacement of source text, on one line, in the file of its finding. Columns from 1; `endCol` is one past the last. */
export interface SourceEdit {
  readonly line: number;
  readonly col: number;
  readonly endCol: number;
  readonly text: string;
}

/** The fix of a finding as edits, which belong together. */
export interface QuickFix {
  /** What an editor shows: "write `===`". */
  readonly title: string;
  /** `tmc check --fix` applies it: it is what the program means, whatever it was meant to do. */
  readonly automatic: boolean;
  readonly edits: readonly SourceEdit[];
}

export interface Diagnostic {
  /** Stable: `TMC1203`. */
  readonly code: string;
  readonly severity: Severity;
  readonly loc: Loc;
  /** Characters to underline, at least 1; the underlining stays on the first line. */
  readonly length: number;
  readonly message: string;
  /** How to mend it; empty when there is nothing better than the message. */
  readonly fix: string;
  /** Further places: a call path, the other half of a conflict. */
  readonly related: readonly { readonly loc: Loc; readonly message: string }[];
  readonly quickFix?: QuickFix;
}

/** Orders by file, line, column, code, and drops repetitions. */
export function sortDiagnostics(list: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return [...list]
    .sort(
      (a, b) =>
        a.loc.file.localeCompare(b.loc.file) ||
        a.loc.line - b.loc.line ||
        a.loc.col - b.loc.col ||
        a.code.localeCompare(b.code),
    )
    .filter((d) => {
      const key = `${d.loc.file}:${d.loc.line}:${d.loc.col}:${d.code}:${d.message}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}
