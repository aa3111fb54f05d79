/** A workflow from a file: YAML, JSON, or TypeScript that exports `workflow`. It only reads; check.ts checks. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
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
  const { outputText } = ts.transpileModule(readFileSync(file, "utf8"), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  // Beside the file, so that its imports are found.
  const compiled = join(dirname(resolve(file)), `.${basename(file)}-${String(process.pid)}.mjs`);
  let module: unknown;
  try {
    writeFileSync(compiled, outputText);
    module = await import(pathToFileURL(compiled).href);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError("TMC6503", `${file} cannot be loaded: ${reason}`, "it must run by itself on Node.js");
  } finally {
    rmSync(compiled, { force: true });
  }
  if (typeof module === "object" && module !== null && "workflow" in module) return module.workflow;
  throw new UserError(
    "TMC6503",
    `${file} exports no workflow`,
    "export const workflow = defineWorkflow({ … });",
  );
}
