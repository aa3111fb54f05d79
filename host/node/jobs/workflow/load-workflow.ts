/** A workflow from a file: YAML, JSON, or TypeScript that exports `workflow`. It only reads; check.ts checks. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ts as TypeScript } from "ts-morph";
import { parse, YAMLParseError } from "yaml";
import { ExitCode, UserError } from "../../../../compiler/diagnostics/user-error.js";

/** Code in a TypeScript file is executed: it is the user's own. @throws UserError TMC6501, TMC6502, TMC6503 */
export async function loadWorkflow(file: string): Promise<unknown> {
  if (!existsSync(file)) {
    throw new UserError("TMC6501", `no such file: ${file}`, "check the path", ExitCode.usage);
  }
  if (/\.[cm]?[jt]s$/.test(file)) return await fromModule(file);
  if (![".yaml", ".yml", ".json"].includes(extname(file))) {
    throw new UserError(
      "TMC6501",
      `${file} is no workflow by its name`,
      "workflows are .yaml, .yml, .json or .ts files",
      ExitCode.usage,
    );
  }
  try {
    // Aliases are few in what people write, and many in what is meant to fill the memory.
    return parse(readFileSync(file, "utf8"), { maxAliasCount: 100 }) as unknown;
  } catch (error) {
    if (!(error instanceof YAMLParseError) && !(error instanceof ReferenceError)) throw error;
    const [first = ""] = error.message.split("\n");
    throw new UserError(
      "TMC6502",
      `${file} is not YAML: ${first}`,
      'mend the line; values with ${…} inside { } or [ ] are written in quotes: "${inputs.data}"',
      ExitCode.usage,
    );
  }
}

async function fromModule(file: string): Promise<unknown> {
  const { ts } = await import("ts-morph");
  const compiled = new Map<string, string>();
  let module: unknown;
  try {
    compile(ts, resolve(file), compiled);
    module = await import(pathToFileURL(compiled.get(resolve(file)) ?? "").href);
  } catch (error) {
    if (error instanceof UserError) throw error;
    // Of the compiled files people know nothing.
    const names = [...compiled].map(([from, to]) => [basename(to), basename(from)] as const);
    const reason = names.reduce(
      (text, [to, from]) => text.replaceAll(to, from),
      error instanceof Error ? error.message : String(error),
    );
    throw new UserError("TMC6503", `${file} cannot be loaded: ${reason}`, "it must run by itself on Node.js");
  } finally {
    for (const each of compiled.values()) rmSync(each, { force: true });
  }
  if (typeof module === "object" && module !== null && "workflow" in module) return module.workflow;
  throw new UserError(
    "TMC6503",
    `${file} exports no workflow`,
    "export const workflow = defineWorkflow({ … });",
  );
}

/**
 * Compiles a file and the TypeScript files that it imports by path, each beside its source, so that imports of packages
 * and other files are found as from there. `compiled`: what was written for which source, also when it throws.
 */
function compile(ts: typeof TypeScript, file: string, compiled: Map<string, string>): void {
  if (compiled.has(file)) return;
  if (compiled.size >= mostModules) {
    throw new UserError("TMC6503", `${file} imports more than ${mostModules} files`, "make it smaller");
  }
  const target = join(dirname(file), `.${basename(file)}-${String(process.pid)}.mjs`);
  compiled.set(file, target);
  let source = readFileSync(file, "utf8");
  const imports = ts.preProcessFile(source, true, true).importedFiles;
  // From the end, so that the places before stay where they are.
  for (const { fileName, pos } of [...imports].sort((a, b) => b.pos - a.pos)) {
    const found = sourceOf(dirname(file), fileName);
    if (found === undefined) continue;
    compile(ts, found, compiled);
    const path = relative(dirname(file), compiled.get(found) ?? "").replaceAll("\\", "/");
    // At `pos` is the quote.
    source = `${source.slice(0, pos)}${JSON.stringify(`./${path}`)}${source.slice(pos + fileName.length + 2)}`;
  }
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  writeFileSync(target, outputText);
}

const mostModules = 100;

/** The TypeScript file behind "./parts", "./parts.ts" or "./parts.js"; undefined for all else, which Node.js finds. */
function sourceOf(folder: string, specifier: string): string | undefined {
  if (!/^\.{1,2}\//.test(specifier)) return undefined;
  const path = resolve(folder, specifier);
  const candidates = [path, path.replace(/\.([cm]?)js$/, ".$1ts"), `${path}.ts`, join(path, "index.ts")];
  return candidates.find((one) => /\.[cm]?ts$/.test(one) && existsSync(one));
}
