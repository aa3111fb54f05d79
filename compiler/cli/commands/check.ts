/** `tmc check FILE…`: all diagnostics of all files, in one of several formats, once or after every change; nothing is emitted. */
import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { checkFormats, formatCheck, hasErrors, type CheckFormat } from "../check-formats.js";
import type { Diagnostic } from "../../diagnostics/diagnostic.js";
import { plural } from "../../diagnostics/format-diagnostics.js";
import { describeCommand } from "../help.js";
import { loadTypescript } from "../typescript-cache.js";
import { projectRootOf, requireFile } from "../project-config.js";

interface CheckCommandOptions {
  readonly format: CheckFormat;
  readonly json?: true;
  readonly watch?: true;
  readonly fix?: true;
}

export function registerCheck(program: Command): void {
  const command = program
    .command("check")
    .description("report every mistake in the files and in what they import; emits nothing")
    .argument("<files...>", "TypeScript sources: programs or apps")
    .addOption(
      new Option("--format <format>", "how findings are printed").choices(checkFormats).default("text"),
    )
    .option("--json", "the same as --format json")
    .option(
      "--fix",
      "mend what has only one meaning (`==`, `a / b` on integers, …) in the files; report the rest",
    )
    .option("--watch", "check again after every change, until Ctrl-C; formats text and json")
    .action(check);
  describeCommand(command, {
    examples: [
      ["tmc check src/app.ts", "one app and everything it imports"],
      ["tmc check --watch src/app.ts", "again after every change"],
      ["tmc check --fix src/app.ts", "mend what can be mended by itself"],
      ["tmc check --format github src/*.ts", "marks lines in a pull request"],
      ["tmc check --format sarif src/*.ts > tmc.sarif", "for code scanning and editors"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

async function check(files: string[], options: CheckCommandOptions): Promise<void> {
  for (const file of files) {
    requireFile(resolve(file), file);
  }
  const entries = files.map((file) => resolve(file));
  const root = projectRootOf(entries[0] ?? resolve("."));
  const format = options.json === true ? "json" : options.format;
  if (options.watch === true) {
    if (format !== "text" && format !== "json") {
      throw new UserError(
        "TMC0005",
        `--watch prints text or json, not ${format}`,
        "leave out --watch, or take --format json",
        ExitCode.usage,
      );
    }
    if (options.fix === true) {
      throw new UserError(
        "TMC0005",
        "--fix and --watch do not go together: both would change what the other reads",
        "run `tmc check --fix` once",
        ExitCode.usage,
      );
    }
    loadTypescript();
    const { watchAndCheck } = await import("../watch-check.js");
    await watchAndCheck({ entries, root, format });
    return;
  }
  loadTypescript();
  const { checkFiles } = await import("../../pipeline/check.js");
  if (options.fix !== true) {
    await report(format, checkFiles(entries, root), root);
    return;
  }
  const { fixFindings, writeTexts } = await import("../fix-files.js");
  const { diagnostics, fixed, texts } = fixFindings({
    root,
    check: (overlay) => checkFiles(entries, root, overlay),
  });
  writeTexts(texts);
  await report(format, diagnostics, root, fixed);
  if (format !== "json" && fixed.length > 0) {
    // A document on stdout stays one.
    const out = format === "text" ? process.stdout : process.stderr;
    out.write(`fixed ${plural(fixed.length, "error")} in ${plural(texts.size, "file")}\n`);
  }
}

async function report(
  format: CheckFormat,
  diagnostics: readonly Diagnostic[],
  root: string,
  fixed?: readonly Diagnostic[],
): Promise<void> {
  process.stdout.write(await formatCheck(format, diagnostics, root, fixed));
  if (hasErrors(diagnostics)) {
    process.exitCode = ExitCode.failed;
  }
}
