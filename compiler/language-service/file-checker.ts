/**
 * The findings in one file of a project, as `tmc check` gives them: checked as a part of the project's app where the app
 * imports it, else as an entry of its own. It keeps what it can between calls; it knows no editor.
 */
import { dirname } from "node:path";
import { locateApp, projectRootOf } from "../cli/project-config.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { fileOf } from "../diagnostics/source-lines.js";
import { UserError } from "../diagnostics/user-error.js";
import type { Loc } from "../ir/nodes.js";
import { CheckSession, type CheckOutcome } from "../pipeline/check-session.js";
import type { EditorDiagnostic, EditorPlace } from "./messages.js";

/** TypeScript's own findings, which the editor shows already. */
const typescriptCode = "TMC1000";

interface Checked {
  readonly outcome: CheckOutcome;
  readonly entry: string;
  readonly root: string;
}

export class FileChecker {
  /** By entry. */
  readonly #sessions = new Map<string, CheckSession>();
  /** By app: what its last check read. */
  readonly #files = new Map<string, ReadonlySet<string>>();

  /**
   * @param file absolute path.
   * @param overlay unsaved texts by absolute path.
   * @throws what is a bug of ours.
   */
  check(file: string, overlay: ReadonlyMap<string, string>): EditorDiagnostic[] {
    const root = projectRootOf(file, dirname(file));
    const app = appOf(root);
    const known = app === undefined ? undefined : this.#files.get(app);
    if (app !== undefined && (known === undefined || known.has(file))) {
      const checked = this.#run(app, root, overlay);
      if (checked.outcome.files.includes(file)) return findingsIn(file, checked);
    }
    return findingsIn(file, this.#run(file, root, overlay));
  }

  #run(entry: string, root: string, overlay: ReadonlyMap<string, string>): Checked {
    let session = this.#sessions.get(entry);
    if (session === undefined) {
      session = new CheckSession({ entries: [entry], root });
      this.#sessions.set(entry, session);
    }
    const outcome = session.check(overlay);
    this.#files.set(entry, new Set(outcome.files));
    return { outcome, entry, root };
  }
}

/** The app that tmc.json names; undefined when there is none, or when it is not valid: `tmc build` says why. */
function appOf(root: string): string | undefined {
  try {
    return locateApp(undefined, root).entry;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function findingsIn(file: string, { outcome, entry, root }: Checked): EditorDiagnostic[] {
  const place = (loc: Loc): EditorPlace => ({ file: fileOf(loc, root), line: loc.line, col: loc.col });
  const found = outcome.diagnostics
    .filter((d) => d.code !== typescriptCode && fileOf(d.loc, root) === file)
    .map((d: Diagnostic): EditorDiagnostic => ({
      ...place(d.loc),
      code: d.code,
      severity: d.severity,
      length: d.length,
      message: d.message,
      fix: d.fix,
      related: d.related.map((r) => ({ ...place(r.loc), message: r.message })),
      ...(d.quickFix === undefined ? {} : { quickFix: d.quickFix }),
    }));
  const problems = (file === entry ? outcome.problems : []).map((p): EditorDiagnostic => ({
    ...{ file, line: 1, col: 1, length: 1, severity: "error", related: [] },
    ...{ code: p.code, message: p.message, fix: p.fix },
  }));
  return [...found, ...problems];
}
