/** `tmc workflow run`: checks a workflow here and on a node, runs it there, and follows it. */
import type { Command } from "commander";
import type { Finding } from "../../../host/node/jobs/workflow/check.js";
import { ExitCode } from "../../diagnostics/user-error.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { clientOptions, NodeClient, type ClientOptions } from "../node-client.js";
import { safe } from "../node-table.js";
import { followJob, jobText } from "./node-jobs.js";
import { checkFile, collectInputs, mistakes, workflowGroup } from "./workflow.js";

interface RunOptions extends ClientOptions {
  readonly input?: readonly string[];
  readonly detach?: true;
  readonly json?: true;
}

interface Answer {
  readonly result: { readonly job?: string; readonly findings?: readonly Finding[] };
}

export function registerWorkflowRun(program: Command): void {
  const command = clientOptions(
    workflowGroup(program)
      .command("run")
      .description("run a workflow on a node, and follow it until it has ended; Ctrl-C leaves it running")
      .argument("<file>", "workflow (.yaml, .yml, .json, .ts)")
      .option("--input <name=value>", "value of an input (repeatable)", collectInputs),
  )
    .option("--detach", "print the job's id and leave")
    .option("--json", "print the job as the API has it")
    .action(run);
  describeCommand(command, {
    examples: [
      ["tmc workflow run flow.yaml --input epochs=20", "until it has ended"],
      ["tmc workflow run flow.yaml --detach", "prints its job; tmc node job ID --follow goes on"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

async function run(file: string, options: RunOptions): Promise<void> {
  const { description, inputs, findings } = await checkFile(file, options.input ?? []);
  if (findings.length > 0) throw mistakes(file, findings);
  const client = await NodeClient.open(options);
  const ask = async (more: object): Promise<Answer["result"]> => {
    const args = { workflow: description, inputs, ...more };
    return (await client.post<Answer>("/operations/task.workflow", { arguments: args })).result;
  };
  // The node knows what is there; it tells everything that is missing, where an order would tell the first.
  const there = (await ask({ check: true })).findings ?? [];
  if (there.length > 0) throw mistakes(file, there);
  const { job = "" } = await ask({ detach: true });
  if (options.detach === true) {
    if (options.json === true) printJson({ job });
    else process.stdout.write(`${safe(job)}\n`);
    return;
  }
  const ended = await followJob(client, job);
  if (options.json === true) printJson(ended);
  else process.stdout.write(jobText(ended));
  if (ended.state !== "done") process.exitCode = ExitCode.failed;
}
