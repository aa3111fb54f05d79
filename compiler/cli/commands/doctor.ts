/** `tmc doctor`: what is installed, what is missing, and the command that mends it. */
import type { Command } from "commander";
import { ExitCode } from "../../diagnostics/user-error.js";
import { tools, type Tool } from "../doctor-tools.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";

/** One tool as it was found. `found`: version or place; `problem`: there but unusable. */
export interface Finding {
  readonly name: string;
  readonly need: Tool["need"];
  readonly purpose: string;
  readonly found: string | null;
  readonly problem: string | null;
  /** How to mend it; null when nothing is wrong. */
  readonly fix: string | null;
}

export function registerDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("check the tools on this machine; each missing one comes with the command that installs it")
    .option("--json", "print for programs")
    .action(async (options: { json?: boolean }) => {
      const findings = await Promise.all(tools.map(examine));
      const broken = findings.filter((f) => f.need === "required" && f.fix !== null);
      if (options.json === true) {
        printJson({ ok: broken.length === 0, tools: findings });
      } else {
        process.stdout.write(formatFindings(findings));
      }
      if (broken.length > 0) {
        process.exitCode = ExitCode.missingTool;
      }
    });
  describeCommand(command, {
    examples: [
      ["tmc doctor", "a table of all tools"],
      ["tmc doctor --json", "the same for programs"],
    ],
    exitCodes: ["ok", "usage", "missingTool"],
  });
}

async function examine(tool: Tool): Promise<Finding> {
  const { name, need, purpose } = tool;
  const found = await tool.find();
  if (found === undefined) {
    return { name, need, purpose, found: null, problem: null, fix: tool.install };
  }
  if (found.startsWith("! ")) {
    return { name, need, purpose, found: null, problem: found.slice(2), fix: tool.install };
  }
  return { name, need, purpose, found, problem: null, fix: null };
}

function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map((f) => f.name.length));
  const lines = findings.map((f) => {
    const mark = f.fix === null ? "ok     " : f.need === "required" ? "MISSING" : "absent ";
    return `${mark}  ${f.name.padEnd(width)}  ${f.found ?? f.problem ?? f.purpose}`;
  });
  const fixes = findings.flatMap((f) => (f.fix === null ? [] : [`  ${f.name} (${f.purpose}): ${f.fix}`]));
  const broken = findings.some((f) => f.need === "required" && f.fix !== null);
  const verdict = broken
    ? "Something that tmc needs is missing."
    : fixes.length > 0
      ? "Everything that tmc needs is there. The rest is for the purposes named:"
      : "Everything is there.";
  return [...lines, "", verdict, ...fixes, ""].join("\n");
}
