/** `tmc workflow check`: everything about a workflow that can be known without a node. */
import type { Command } from "commander";
import type { Finding } from "../../../host/node/jobs/workflow/check.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";

interface CheckOptions {
  readonly input?: readonly string[];
  readonly json?: true;
}

/** The group, made by the first who asks. */
export function workflowGroup(program: Command): Command {
  const existing = program.commands.find((c) => c.name() === "workflow");
  if (existing !== undefined) return existing;
  const group = program.command("workflow").description("check and run workflows: graphs of operations");
  return describeCommand(group, {
    examples: [
      ["tmc workflow check flow.yaml", "all mistakes, with their places"],
      ["tmc workflow run flow.yaml --input epochs=20", "run it on a node, and follow it"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

/** For options that may be given more than once. */
export const collectInputs = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

export function registerWorkflowCheck(program: Command): void {
  const command = workflowGroup(program)
    .command("check")
    .description("check a workflow without a node: everything but whether somebody can do its steps")
    .argument("<file>", "workflow (.yaml, .yml, .json, .ts)")
    .option("--input <name=value>", "value of an input (repeatable)", collectInputs)
    .option("--json", "print for programs")
    .action(async (file: string, options: CheckOptions) => {
      const { findings, steps } = await checkFile(file, options.input);
      if (options.json === true) {
        printJson({ file, findings });
      } else if (findings.length === 0) {
        process.stdout.write(`${file}: ${String(steps)} steps, no mistakes\n`);
      }
      if (findings.length > 0) {
        if (options.json !== true) throw mistakes(file, findings);
        process.exitCode = ExitCode.failed;
      }
    });
  describeCommand(command, {
    examples: [
      ["tmc workflow check flow.yaml", "all mistakes, with their places"],
      ["tmc workflow check flow.ts --input data=vibration", "with the value of an input"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

/** The findings as one message. */
export function mistakes(file: string, findings: readonly Finding[]): UserError {
  const lines = findings.map(({ place, text }) => `  ${place === "" ? "" : `${place}: `}${text}`);
  const count = findings.length === 1 ? "a mistake" : `${String(findings.length)} mistakes`;
  return new UserError(
    "TMC6504",
    `${file} has ${count}\n${lines.join("\n")}`,
    "docs/workflows.md has the form, docs/operations.md every operation with its arguments and results",
  );
}

/** Reads and checks a file. @throws UserError TMC6501-TMC6503, TMC6505 */
export async function checkFile(
  file: string,
  texts: readonly string[] | undefined,
): Promise<{
  readonly description: unknown;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly findings: readonly Finding[];
  readonly steps: number;
}> {
  const [{ loadWorkflow }, { checkWorkflow }] = await Promise.all([
    import("../../../host/node/jobs/workflow/load-workflow.js"),
    import("../../../host/node/jobs/workflow/check.js"),
  ]);
  const description = await loadWorkflow(file);
  const inputs = inputValues(description, texts ?? []);
  // Inputs that are not given here may be given when it runs.
  const { checked, findings } = checkWorkflow(description, texts === undefined ? undefined : inputs);
  return { description, inputs, findings, steps: checked?.workflow.steps.length ?? 0 };
}

function inputValues(description: unknown, texts: readonly string[]): Record<string, unknown> {
  const declared = new Map<string, unknown>(
    Object.entries((description as { inputs?: object } | null)?.inputs ?? {}).map(
      ([name, input]: [string, { type?: unknown } | null]) => [name, input?.type],
    ),
  );
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      const name = text.slice(0, at);
      if (at < 1 || !declared.has(name)) {
        throw new UserError(
          "TMC6505",
          at < 1 ? `--input ${text} is not name=value` : `the workflow has no input ${name}`,
          declared.size === 0 ? "it has no inputs" : `it has ${[...declared.keys()].join(", ")}`,
          ExitCode.usage,
        );
      }
      const value = text.slice(at + 1);
      return [name, declared.get(name) === "string" ? value : fromJson(name, value)];
    }),
  );
}

function fromJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UserError(
      "TMC6505",
      `--input ${name}=${text}: the value is not JSON`,
      'numbers, true, false, ["a","b"], {"a":1}; only inputs of type string are taken as they are',
      ExitCode.usage,
    );
  }
}
