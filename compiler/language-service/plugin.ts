/**
 * A plugin of TypeScript's language service: shows tmc's findings in editors, beside TypeScript's own. Switched on in
 * tsconfig.json; tsserver loads it through language-service/index.cjs. It checks nothing itself: see check-client.ts.
 */
import type ts from "typescript";
import { fixableCodes } from "../diagnostics/fixable-codes.js";
import { CheckClient } from "./check-client.js";
import type { CheckRequest, EditorDiagnostic, EditorPlace } from "./messages.js";

/** How long an answer to the editor may take, in milliseconds, before the last known findings are given. */
const defaultWaitMs = 1000;

const ownWorker = new URL("./worker.js", import.meta.url);

/**
 * What tsserver calls with its own copy of TypeScript.
 * @param worker where worker.ts is, compiled; tests have another one.
 */
export function init(
  modules: { readonly typescript: typeof ts },
  worker: URL = ownWorker,
): ts.server.PluginModule {
  return { create: (info) => decorate(modules.typescript, info, worker) };
}

function decorate(typescript: typeof ts, info: ts.server.PluginCreateInfo, worker: URL): ts.LanguageService {
  const { languageService: inner, project } = info;
  const waitMs = waitOf(info.config);
  const client = new CheckClient({
    worker,
    onLate: () => {
      if (!project.isClosed()) project.refreshDiagnostics();
    },
    log: (text) => project.projectService.logger.info(text),
  });
  client.start();

  const overlay = (): CheckRequest["overlay"] =>
    project.getFileNames().flatMap((file) => {
      const script = isSource(file) ? project.getScriptInfo(file) : undefined;
      if (script?.isScriptOpen() !== true) return [];
      const snapshot = script.getSnapshot();
      return [[file, snapshot.getText(0, snapshot.getLength())] as const];
    });
  return {
    ...inner,
    getSemanticDiagnostics(file) {
      const own = inner.getSemanticDiagnostics(file);
      const source = isSource(file) ? inner.getProgram()?.getSourceFile(file) : undefined;
      if (source === undefined) return own;
      const found = client.ask(file, project.getProjectVersion(), overlay, waitMs);
      const place = (path: string): ts.SourceFile | undefined => inner.getProgram()?.getSourceFile(path);
      return [...own, ...found.map((d) => toTypescript(typescript, d, source, place))];
    },
    getCodeFixesAtPosition(file, start, end, errorCodes, format, preferences) {
      const source = isSource(file) ? inner.getProgram()?.getSourceFile(file) : undefined;
      const found =
        source === undefined ? [] : client.ask(file, project.getProjectVersion(), overlay, waitMs);
      const own = found.filter((d) => {
        const at = source === undefined ? -1 : offsetOf(source, d);
        return errorCodes.includes(numberOf(d)) && at <= end && start <= at + d.length;
      });
      // TypeScript has errors of the same numbers, with fixes that would not fit ours.
      const ours = new Set(own.map(numberOf));
      const others = errorCodes.filter((code) => !ours.has(code));
      const theirs =
        others.length === 0
          ? []
          : inner.getCodeFixesAtPosition(file, start, end, others, format, preferences);
      return [...own.flatMap((d) => (source === undefined ? [] : codeFix(d, source))), ...theirs];
    },
    getSupportedCodeFixes: (file) => [...inner.getSupportedCodeFixes(file), ...ownCodes],
    dispose() {
      client.stop();
      inner.dispose();
    },
  };
}

/** Modules of the subset: not declarations, not unit tests (which run on Node.js), nothing installed. */
const isSource = (file: string): boolean =>
  file.endsWith(".ts") && !/\.d\.ts$|\.test\.ts$|[\\/]node_modules[\\/]/.test(file);

/** `{ "name": "tmc/language-service", "wait": 1000 }` */
function waitOf(config: unknown): number {
  const wait: unknown =
    typeof config === "object" && config !== null && "wait" in config ? config.wait : undefined;
  return typeof wait === "number" && wait >= 0 ? wait : defaultWaitMs;
}

function toTypescript(
  typescript: typeof ts,
  d: EditorDiagnostic,
  file: ts.SourceFile,
  sourceOf: (path: string) => ts.SourceFile | undefined,
): ts.Diagnostic {
  const { DiagnosticCategory } = typescript;
  const categories = {
    error: DiagnosticCategory.Error,
    warning: DiagnosticCategory.Warning,
    note: DiagnosticCategory.Suggestion,
  };
  const start = offsetOf(file, d);
  const code = numberOf(d);
  return {
    file,
    start,
    length: Math.min(d.length, file.end - start),
    category: categories[d.severity],
    code,
    source: "tmc",
    messageText: `${d.code}: ${d.message}${d.fix === "" ? "" : `\nfix: ${d.fix}`}`,
    relatedInformation: d.related.flatMap((r) => {
      const other = sourceOf(r.file);
      if (other === undefined) return [];
      const place = { file: other, start: offsetOf(other, r), length: 1 };
      return [{ ...place, code, category: DiagnosticCategory.Message, messageText: r.message }];
    }),
  };
}

const ownCodes = fixableCodes.map((code) => String(Number(code.slice("TMC".length))));

const numberOf = (d: EditorDiagnostic): number => Number(d.code.slice("TMC".length));

function codeFix(d: EditorDiagnostic, file: ts.SourceFile): ts.CodeFixAction[] {
  if (d.quickFix === undefined) return [];
  const textChanges = d.quickFix.edits.map((e): ts.TextChange => {
    const start = offsetOf(file, { line: e.line, col: e.col });
    const end = offsetOf(file, { line: e.line, col: e.endCol });
    return { span: { start, length: end - start }, newText: e.text };
  });
  const changes = [{ fileName: file.fileName, textChanges }];
  return [{ fixName: d.code, description: `tmc: ${d.quickFix.title}`, changes }];
}

/** The place may be of an older text: never past the end. */
function offsetOf(file: ts.SourceFile, place: Pick<EditorPlace, "line" | "col">): number {
  const starts = file.getLineStarts();
  const start = starts[Math.min(place.line, starts.length) - 1] ?? 0;
  return Math.min(start + place.col - 1, file.end);
}
