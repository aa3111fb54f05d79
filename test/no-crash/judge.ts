/**
 * What the compiler makes of one file: C that a C compiler takes without a warning, or coded diagnostics. Everything else
 * is a crash. It runs no program; setup runs as in every build.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { findBoard } from "../../compiler/board/board.js";
import { compileFlags } from "../../compiler/board/compile-flags.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { UserError } from "../../compiler/diagnostics/user-error.js";
import { compileProgram, type CompileResult } from "../../compiler/pipeline/compile.js";

export const outcomes = ["C", "diagnostics", "internal error", "uncoded", "C rejected", "hang"] as const;
export type Outcome = (typeof outcomes)[number];

/** The two that are no crash. */
export const isCrash = (o: Outcome): boolean => o !== "C" && o !== "diagnostics";

export interface Verdict {
  readonly outcome: Outcome;
  /** The error or the C compiler's words; "" for no crash. */
  readonly detail: string;
}

const fine = (outcome: Outcome): Verdict => ({ outcome, detail: "" });
const coded = /^TMC\d{4}$/;

/** `file`: absolute. */
export function judge(file: string, tamper: (c: string) => string = (c) => c): Verdict {
  let result: CompileResult;
  try {
    result = compileProgram({ entry: file, root: dirname(file), checked: true, kind: "either" });
  } catch (error) {
    if (error instanceof UserError && coded.test(error.code)) return fine("diagnostics");
    return {
      outcome: "internal error",
      detail: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
  if (result.ok) return judgeC(result, tamper);
  const strange = result.diagnostics.find((d) => !coded.test(d.code) || d.message === "" || d.loc.line < 1);
  if (result.diagnostics.length === 0) return { outcome: "uncoded", detail: "refused without a diagnostic" };
  return strange === undefined
    ? fine("diagnostics")
    : { outcome: "uncoded", detail: JSON.stringify(strange) };
}

const flags = compileFlags({
  board: findBoard("host"),
  cc: "gcc",
  opt: "-O1",
  sanitize: false,
  warningsAreErrors: true,
  debug: false,
});

function judgeC({ compiled }: Extract<CompileResult, { ok: true }>, tamper: (c: string) => string): Verdict {
  const folder = mkdtempSync(join(tmpdir(), "tmc-no-crash-"));
  try {
    for (const f of compiled.c.files) writeFileSync(join(folder, basename(f.path)), tamper(f.text));
    const sources = compiled.c.sources.map((path) => join(folder, basename(path)));
    for (const source of sources) {
      const include = packagePath("runtime-c", "include");
      const gcc = spawnSync("gcc", [...flags, `-I${include}`, "-c", source, "-o", join(folder, "out.o")], {
        encoding: "utf8",
      });
      if (gcc.error !== undefined) throw gcc.error;
      if (gcc.status !== 0) return { outcome: "C rejected", detail: gcc.stderr };
    }
    return fine("C");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
