/**
 * For the tests of this folder: a program's text → generated C → executable → its output, with warnings as errors.
 * Needs gcc; the command line has its own toolchain driver in `board/`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { packageRoot } from "../board/package-root.js";
import { compileProgram, type CompiledProgram } from "../pipeline/compile.js";

const runtime = path.join(packageRoot(), "runtime-c");
const flags = [
  "-std=c11",
  "-Wall",
  "-Wextra",
  "-Wconversion",
  "-Wshadow",
  "-Werror",
  "-ffp-contract=off",
  "-O1",
];

/** Compiles the text of one module. @throws Error with the diagnostics when it is not accepted. */
export function compileText(text: string, checked = false): CompiledProgram {
  const root = path.join(os.tmpdir(), "tmc-overlay");
  const entry = path.join(root, "program.ts");
  const result = compileProgram({ entry, root, checked, kind: "either", overlay: new Map([[entry, text]]) });
  if (!result.ok) {
    throw new Error(
      result.diagnostics.map((d) => `${d.loc.line}:${d.loc.col} ${d.code} ${d.message}`).join("\n"),
    );
  }
  return result.compiled;
}

/** The generated C file. */
export function emittedText(text: string, checked = false): string {
  return compileText(text, checked).c.files[0]?.text ?? "";
}

export interface Run {
  /** A byte per character. */
  readonly stdout: string;
  /** `kind=… site=… message=…` of the trap that ended the program; empty without one. */
  readonly trap: string;
}

/** Runs `main` of the program as C. */
export function runText(
  text: string,
  options: { readonly checked?: boolean; readonly cc?: string } = {},
): Run {
  const dir = mkdtempSync(path.join(os.tmpdir(), "tmc-c-"));
  try {
    const compiled = compileText(text, options.checked ?? false);
    const { files, sources: names } = compiled.c;
    const sources = files
      .filter((f) => names.includes(f.path))
      .map((f) => {
        const file = path.join(dir, path.basename(f.path));
        writeFileSync(file, f.text);
        return file;
      });
    const support = readdirSync(path.join(runtime, "src")).filter((n) => n.endsWith(".c"));
    const args = [
      ...flags,
      `-I${path.join(runtime, "include")}`,
      ...sources,
      ...support.map((n) => path.join(runtime, "src", n)),
      path.join(runtime, "port", "posix-program", "program.c"),
      "-lm",
      "-o",
      path.join(dir, "program"),
    ];
    const cc = spawnSync(options.cc ?? "gcc", args, { encoding: "utf8" });
    if (cc.status !== 0) throw new Error(`the C compiler refused the generated code:\n${cc.stderr}`);
    const run = spawnSync(path.join(dir, "program"), [], { encoding: "latin1" });
    if (run.status !== 0 && run.status !== 2)
      throw new Error(`ended with ${run.status ?? run.signal}: ${run.stderr}`);
    return { stdout: run.stdout, trap: /^tmc-trap (.*)$/m.exec(run.stderr)?.[1] ?? "" };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
