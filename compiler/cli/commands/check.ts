/** `tmc check FILE…`: all diagnostics of all files; nothing is emitted. */
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Diagnostic } from "../../diagnostics/diagnostic.js";
import { ExitCode } from "../../diagnostics/user-error.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { diagnosticToJson, formatDiagnostics } from "../../diagnostics/format-diagnostics.js";
import { projectRootOf, requireFile } from "../project-config.js";

export function registerCheck(program: Command): void {
  const command = program
    .command("check")
    .description("report every mistake in the files and in what they import; emits nothing")
    .argument("<files...>", "TypeScript sources: programs or apps")
    .option("--json", "print for programs")
    .action(async (files: string[], options: { json?: boolean }) => {
      for (const file of files) {
        requireFile(resolve(file), file);
      }
      const { checkFiles } = await import("../../pipeline/check.js");
      const root = projectRootOf(resolve(files[0] ?? "."));
      const diagnostics: Diagnostic[] = checkFiles(
        files.map((file) => resolve(file)),
        root,
      );
      const failed = diagnostics.some((d) => d.severity === "error");
      if (options.json === true) {
        printJson({ ok: !failed, diagnostics: diagnostics.map((d) => diagnosticToJson(d, { root })) });
      } else {
        process.stdout.write(formatDiagnostics(diagnostics, { root }));
      }
      if (failed) {
        process.exitCode = ExitCode.failed;
      }
    });
  describeCommand(command, {
    examples: [
      ["tmc check src/app.ts", "one app and everything it imports"],
      ["tmc check --json src/*.ts", "several, for a program that reads the result"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}
