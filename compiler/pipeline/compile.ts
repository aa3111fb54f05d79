/**
 * From source to everything a target needs: frontend, setup, snapshot, reachability and its rules, C. Stops at the
 * first stage with errors; writes no files.
 */
import path from "node:path";
import { TmcTrap, asTrap } from "../backend-js/support.js";
import { emitC, type EmittedC } from "../backend-c/emit.js";
import { sortDiagnostics, type Diagnostic } from "../diagnostics/diagnostic.js";
import { UserError } from "../diagnostics/user-error.js";
import { runFrontend } from "../frontend/frontend.js";
import type { Overlay } from "../frontend/project.js";
import type { FrontendCache } from "../frontend/reuse.js";
import type { Loc, Program } from "../ir/nodes.js";
import { reach, type Reached, type ReachableProgram } from "../ir/reachability.js";
import type { Snapshot } from "../ir/snapshot.js";
import { checkBorrows } from "../ir/borrow.js";
import { checkStaleText } from "../ir/stale-text.js";
import { checkEscapes } from "../ir/escape.js";
import { checkRunPhase } from "../ir/run-phase.js";
import { emitModels, type EmittedModels } from "../model/emit-c/emit.js";
import { ModelRegistry } from "../setup/model-registry.js";
import { runSetup, type LoadedProgram } from "../setup/run-setup.js";
import { takeSnapshot } from "../setup/snapshot.js";

export interface CompileOptions {
  /** Absolute path of the entry module. */
  readonly entry: string;
  /** Module names are relative to it. */
  readonly root: string;
  readonly checked: boolean;
  /** program: exports main(). app: registers handlers. image: one of the two. either: whatever it has (`tmc check`). */
  readonly kind: "program" | "app" | "image" | "either";
  readonly overlay?: Overlay;
  /** What earlier runs over the same root left; absent: everything is made anew. */
  readonly cache?: FrontendCache;
  /** The C is for a debugger. */
  readonly debug?: boolean;
  /** Bytes of RAM that the weights of the models may take, of the board; none when it is not given. */
  readonly weightsInRam?: number;
  /** How long the top level of the modules may run, in milliseconds; a minute when it is not given. */
  readonly setupLimitMs?: number;
}

export interface CompiledProgram {
  readonly program: Program;
  readonly loaded: LoadedProgram;
  readonly snapshot: Snapshot;
  readonly reachable: ReachableProgram;
  readonly c: EmittedC;
  readonly models: EmittedModels;
}

export type CompileResult =
  | { readonly ok: true; readonly compiled: CompiledProgram; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly compiled: undefined; readonly diagnostics: readonly Diagnostic[] };

const failed = (diagnostics: readonly Diagnostic[]): CompileResult => ({
  ok: false,
  compiled: undefined,
  diagnostics: sortDiagnostics(diagnostics),
});
const refused = (diagnostics: readonly Diagnostic[], files: readonly string[]): AnalysisResult => ({
  analysed: undefined,
  diagnostics: sortDiagnostics(diagnostics),
  files,
});
const hasErrors = (list: readonly Diagnostic[]): boolean => list.some((d) => d.severity === "error");

/** A program that obeys every rule, before any code is emitted. */
export interface AnalysedProgram {
  readonly program: Program;
  readonly loaded: LoadedProgram;
  readonly snapshot: Snapshot;
  readonly reachable: ReachableProgram;
  readonly models: ModelRegistry;
}

export interface AnalysisResult {
  /** Undefined when there are errors. */
  readonly analysed: AnalysedProgram | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Absolute paths of the sources that were read: the entry, what it imports, the library. */
  readonly files: readonly string[];
}

/** @throws UserError for what is not a finding in a source (a missing file, an asset, a model). */
export function compileProgram(options: CompileOptions): CompileResult {
  const { analysed, diagnostics } = analyseProgram(options);
  if (analysed === undefined) return failed(diagnostics);
  const { program, loaded, snapshot, reachable } = analysed;
  try {
    const c = emitC(reachable, {
      checked: options.checked,
      appName: cFileName(options.entry),
      debug: options.debug === true,
    });
    const models = emitModels(analysed.models.models, options.weightsInRam);
    return { ok: true, compiled: { program, loaded, snapshot, reachable, c, models }, diagnostics };
  } catch (e) {
    if (!isTooDeep(e)) throw e;
    return failed([tooDeep(options)]);
  }
}

/** Frontend, setup, snapshot and the rules about what handlers reach. @throws UserError as compileProgram. */
export function analyseProgram(options: CompileOptions): AnalysisResult {
  try {
    return analyse(options);
  } catch (e) {
    if (!isTooDeep(e)) throw e;
    return refused([tooDeep(options)], []);
  }
}

/** Expressions and types nest as deep as someone, or some program, writes them; TypeScript's parser recurses too. */
const isTooDeep = (e: unknown): boolean => e instanceof RangeError && /call stack/i.test(e.message);

const tooDeep = (options: CompileOptions): Diagnostic => ({
  code: "TMC1006",
  severity: "error",
  loc: { file: path.relative(options.root, options.entry).split(path.sep).join("/"), line: 1, col: 1 },
  length: 1,
  message: "something in the program is nested too deeply",
  fix: "divide long expressions into several statements",
  related: [],
});

function analyse(options: CompileOptions): AnalysisResult {
  const front = runFrontend(options.entry, options.root, options.overlay, options.cache);
  const files = front.project.files.map((sf) => sf.fileName);
  if (hasErrors(front.diagnostics)) return refused(front.diagnostics, files);
  const { program } = front;
  const models = new ModelRegistry(path.dirname(options.entry));
  models.bind();
  let loaded: LoadedProgram;
  try {
    loaded = runSetup(program, {
      checked: options.checked,
      ...(options.setupLimitMs === undefined ? {} : { limitMs: options.setupLimitMs }),
    });
  } catch (e) {
    return refused([...front.diagnostics, failure(e, program.entryModule)], files);
  }
  const taken = takeSnapshot(loaded);
  const missing = missingEntry(options.kind, program, taken.snapshot);
  const early = [...front.diagnostics, ...taken.diagnostics, ...missing];
  if (hasErrors(early)) return refused(early, files);
  let reached: Reached;
  try {
    reached = reach(program, taken.snapshot);
  } catch (e) {
    return refused([...early, failure(e, program.entryModule)], files);
  }
  const { reachable, recursion } = reached;
  const rules: Diagnostic[] = [
    ...recursion.map((r): Diagnostic => ({
      code: r.code,
      severity: "error",
      loc: r.loc,
      length: 1,
      message: r.message,
      fix: r.fix,
      related: r.cycle.flatMap((s) => (s.loc === undefined ? [] : [{ loc: s.loc, message: "called here" }])),
    })),
    ...checkRunPhase(reachable, taken.unrepresentable),
    ...checkEscapes(reachable),
    ...checkBorrows(reachable),
    ...(recursion.length > 0 ? [] : checkStaleText(reachable)),
  ];
  const all = [...early, ...rules];
  if (hasErrors(all)) return refused(all, files);
  return {
    analysed: { program, loaded, snapshot: taken.snapshot, reachable, models },
    diagnostics: sortDiagnostics(all),
    files,
  };
}

/** What stops a stage, as a finding; everything else passes through. */
function failure(e: unknown, module: string): Diagnostic {
  const at: Loc = { file: module, line: 1, col: 1 };
  const trap = asTrap(e);
  if (trap instanceof TmcTrap) {
    return {
      code: "TMC2000",
      severity: "error",
      loc: parseWhere(trap.where) ?? at,
      length: 1,
      message: `setup ended with a trap: ${trap.text === "" ? trap.kind : trap.text}`,
      fix: "setup runs when you build: correct what reaches this place",
      related: [],
    };
  }
  if (e instanceof UserError && /^TMC[12]/.test(e.code)) {
    const found = /^(.+:\d+:\d+): /.exec(e.message);
    const loc = found === null ? undefined : parseWhere(found[1] ?? "");
    const message = loc === undefined ? e.message : e.message.slice((found?.[0] ?? "").length);
    return { code: e.code, severity: "error", loc: loc ?? at, length: 1, message, fix: e.fix, related: [] };
  }
  throw e;
}

/** `file:line:col` → a place. */
export function parseWhere(where: string): Loc | undefined {
  const m = /^(.*):(\d+):(\d+)$/.exec(where);
  return m === null ? undefined : { file: m[1] ?? "", line: Number(m[2]), col: Number(m[3]) };
}

function missingEntry(kind: CompileOptions["kind"], program: Program, snapshot: Snapshot): Diagnostic[] {
  const at: Loc = { file: program.entryModule, line: 1, col: 1 };
  const main = program.functions.get(`${program.entryModule}#main`);
  const has = snapshot.entries.some((e) => e.name === "main");
  if (has && main !== undefined && (main.params.length > 0 || main.ret.k !== "void" || !main.exported)) {
    return [
      {
        code: "TMC2007",
        severity: "error",
        loc: main.loc,
        length: 1,
        message: "`main` must be `export function main(): void`",
        fix: "take no parameters and return nothing; print results with `log`",
        related: [],
      },
    ];
  }
  if (kind === "program" && !has) {
    return [
      {
        code: "TMC2007",
        severity: "error",
        loc: at,
        length: 1,
        message: "a program exports `main`",
        fix: "write `export function main(): void { … }`",
        related: [],
      },
    ];
  }
  const entries = snapshot.entries.filter((e) => kind === "image" || e.name !== "main");
  if ((kind === "app" || kind === "image") && entries.length === 0) {
    return [
      {
        code: "TMC2008",
        severity: "error",
        loc: at,
        length: 1,
        message: "the app registers no handler",
        fix: `create a node in setup: see firmware/app.ts${kind === "image" ? "; a program exports `main`" : ""}`,
        related: [],
      },
    ];
  }
  return [];
}

/** The C file is named after the entry module; `models.c` and `model_….c` are those of the models. */
function cFileName(entry: string): string {
  const name = path.basename(entry, ".ts");
  return /^models?([_-]|$)/.test(name) ? `app_${name}` : name;
}
