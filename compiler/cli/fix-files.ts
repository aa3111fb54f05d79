/**
 * `tmc check --fix`: applies the automatic fixes of findings until none is left, in memory, and then writes every changed file at
 * once. It decides nothing about what a fix is: see frontend/quick-fixes.ts.
 */
import {
  closeSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Diagnostic, SourceEdit } from "../diagnostics/diagnostic.js";
import { fileOf } from "../diagnostics/source-lines.js";
import { ExitCode, UserError } from "../diagnostics/user-error.js";

export interface FixOptions {
  /** What `Loc.file` is relative to. */
  readonly root: string;
  /** All findings, with these texts (absolute path → text) instead of the files' own. */
  readonly check: (overlay: ReadonlyMap<string, string>) => readonly Diagnostic[];
}

export interface FixOutcome {
  /** What is left. */
  readonly diagnostics: readonly Diagnostic[];
  /** What was mended, in the order it was. */
  readonly fixed: readonly Diagnostic[];
  /** New texts by absolute path. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Fixes nest (`a / b / c`), and one may uncover the next; no program needs as many rounds. */
const maxRounds = 100;

export function fixFindings(options: FixOptions): FixOutcome {
  const texts = new Map<string, string>();
  const fixed: Diagnostic[] = [];
  const refused = new Set<string>();
  let found = options.check(texts);
  for (let round = 0; round < maxRounds; round++) {
    const chosen = withoutOverlaps(found.filter((d) => isFixable(d, options.root) && !refused.has(keyOf(d))));
    if (chosen.length === 0) break;
    const next = applied(texts, chosen, options.root);
    const after = options.check(next);
    const spoilt = chosen.filter((d) => typescriptErrorsAt(after, d) > typescriptErrorsAt(found, d));
    if (spoilt.length > 0) {
      // All of a round are undone and the others are made again: they stand in the same lines.
      for (const d of spoilt) refused.add(keyOf(d));
      continue;
    }
    for (const [file, text] of next) texts.set(file, text);
    fixed.push(...chosen);
    found = after;
  }
  return { diagnostics: found, fixed, texts };
}

const keyOf = (d: Diagnostic): string => `${d.loc.file}:${d.loc.line}:${d.loc.col}:${d.code}`;

/** What lies in the library or in packages is not the user's. */
const isFixable = (d: Diagnostic, root: string): boolean =>
  d.quickFix?.automatic === true &&
  !d.loc.file.startsWith("tmc/") &&
  !/[\\/]node_modules[\\/]/.test(fileOf(d.loc, root));

const typescriptErrorsAt = (list: readonly Diagnostic[], at: Diagnostic): number =>
  list.filter((d) => d.code === "TMC1000" && d.loc.file === at.loc.file && d.loc.line === at.loc.line).length;

function withoutOverlaps(list: readonly Diagnostic[]): Diagnostic[] {
  const taken: { readonly file: string; readonly edit: SourceEdit }[] = [];
  return list.filter((d) => {
    const edits = d.quickFix?.edits ?? [];
    const overlaps = edits.some((e) =>
      taken.some(
        (t) =>
          t.file === d.loc.file && t.edit.line === e.line && t.edit.col < e.endCol && e.col < t.edit.endCol,
      ),
    );
    if (!overlaps) taken.push(...edits.map((edit) => ({ file: d.loc.file, edit })));
    return !overlaps;
  });
}

/** The texts after these fixes: of every file that one of them is in. */
function applied(
  texts: ReadonlyMap<string, string>,
  list: readonly Diagnostic[],
  root: string,
): Map<string, string> {
  const edits = new Map<string, SourceEdit[]>();
  for (const d of list) {
    const file = fileOf(d.loc, root);
    edits.set(file, [...(edits.get(file) ?? []), ...(d.quickFix?.edits ?? [])]);
  }
  const result = new Map(texts);
  for (const [file, own] of edits) result.set(file, edited(texts.get(file) ?? readText(file), own));
  return result;
}

/** TypeScript counts columns without a byte order mark. */
function readText(file: string): string {
  return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
}

/** @param edits none overlaps another. */
export function edited(text: string, edits: readonly SourceEdit[]): string {
  // Line ends as TypeScript sees them; the pieces keep theirs.
  const lines = text.split(/(?<=\r\n|\n|\r(?!\n)|[\u2028\u2029])/);
  for (const e of [...edits].sort((a, b) => b.line - a.line || b.col - a.col)) {
    const line = lines[e.line - 1] ?? "";
    lines[e.line - 1] = line.slice(0, e.col - 1) + e.text + line.slice(e.endCol - 1);
  }
  return lines.join("");
}

/**
 * Replaces files by these texts: all are written beside them first, so that a full disk leaves every file as it was.
 * @throws UserError TMC0014.
 */
export function writeTexts(texts: ReadonlyMap<string, string>): void {
  const written: { readonly temporary: string; readonly file: string }[] = [];
  try {
    for (const [path, text] of texts) {
      const file = realpathSync(path);
      const mark = readFileSync(file, "utf8").startsWith("\uFEFF") ? "\uFEFF" : "";
      const temporary = join(dirname(file), `.${basename(file)}.${process.pid}`);
      // Made here, not written before: what has that name already is not ours to remove.
      closeSync(openSync(temporary, "wx", statSync(file).mode));
      written.push({ temporary, file });
      writeFileSync(temporary, mark + text);
    }
    for (const { temporary, file } of written) renameSync(temporary, file);
  } catch (error) {
    for (const { temporary } of written) rmSync(temporary, { force: true });
    throw new UserError(
      "TMC0014",
      `cannot write the fixes: ${error instanceof Error ? error.message : String(error)}`,
      "make the sources writable; those that were not written are unchanged",
      ExitCode.usage,
    );
  }
}
