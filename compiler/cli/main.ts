/**
 * The command line `tmc`: parses arguments, runs one command, turns failures into messages and exit codes.
 * Commands live in `commands/`; each loads what it needs when it runs, so that `tmc --help` stays quick.
 */
import { Command, CommanderError } from "commander";
import { ExitCode } from "../diagnostics/user-error.js";
import { registerBuild } from "./commands/build.js";
import { registerCheck } from "./commands/check.js";
import { registerDecode } from "./commands/decode.js";
import { registerDeploy } from "./commands/deploy.js";
import { registerDoctor } from "./commands/doctor.js";
import { registerExec } from "./commands/exec.js";
import { registerExplain } from "./commands/explain.js";
import { registerFlash } from "./commands/flash.js";
import { registerFunctionBuild } from "./commands/function-build.js";
import { registerFunctionRun } from "./commands/function-run.js";
import { registerFunctionTools } from "./commands/function-tools.js";
import { registerKey } from "./commands/key.js";
import { registerModelBench } from "./commands/model-bench.js";
import { registerModelDescribe } from "./commands/model-describe.js";
import { registerModelDiff } from "./commands/model-diff.js";
import { registerModelInspect } from "./commands/model-inspect.js";
import { registerModelOps } from "./commands/model-ops.js";
import { registerModelPackage } from "./commands/model-package.js";
import { registerModelPlan } from "./commands/model-plan.js";
import { registerModelQuantize } from "./commands/model-quantize.js";
import { registerModelRun } from "./commands/model-run.js";
import { registerModelVerify } from "./commands/model-verify.js";
import { registerMonitor } from "./commands/monitor.js";
import { registerNew } from "./commands/new.js";
import { registerNodeCall } from "./commands/node-call.js";
import { registerNodeEnroll } from "./commands/node-enroll.js";
import { registerNodeIdentities } from "./commands/node-identities.js";
import { registerNodePolicy } from "./commands/node-policy.js";
import { registerNodeStart } from "./commands/node-start.js";
import { registerNodeJobs } from "./commands/node-jobs.js";
import { registerNodeStatus } from "./commands/node-status.js";
import { registerProvision } from "./commands/provision.js";
import { registerRun } from "./commands/run.js";
import { registerSetup } from "./commands/setup.js";
import { registerSign } from "./commands/sign.js";
import { registerSize } from "./commands/size.js";
import { registerWorkflowCheck } from "./commands/workflow.js";
import { registerWorkflowRun } from "./commands/workflow-run.js";
import { reportFailure } from "./failure.js";
import { describeCommand } from "./help.js";
import { packageVersion } from "../board/package-version.js";
import { usageError } from "./usage-error.js";

/** The whole tree of commands. Settings made here are inherited by each. */
export function createProgram(): Command {
  const program = new Command("tmc")
    .description("TypeScript from microcontroller to cloud, for TinyML.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .exitOverride()
    .allowExcessArguments(false)
    .showSuggestionAfterError(true)
    // Errors are printed once, by `main`, with their code and fix.
    .configureOutput({ outputError: () => undefined });
  describeCommand(program, {
    examples: [
      ["tmc new my-node", "start a project"],
      ["tmc build --board b_l4s5i_iot01a", "compile the app of this project for a board"],
      ["tmc exec program.ts --on node,host", "run a small program on several targets and compare"],
      ["tmc explain TMC1203", "what a message means"],
    ],
    exitCodes: ["ok", "failed", "trap", "usage", "missingTool", "noWorkspace", "internal"],
  });
  registerNew(program);
  registerBuild(program);
  registerRun(program);
  registerExec(program);
  registerCheck(program);
  registerSize(program);
  registerDecode(program);
  registerFlash(program);
  registerProvision(program);
  registerMonitor(program);
  registerKey(program);
  registerSign(program);
  registerDeploy(program);
  registerModelInspect(program);
  registerModelOps(program);
  registerModelPackage(program);
  registerModelPlan(program);
  registerModelRun(program);
  registerModelVerify(program);
  registerModelDiff(program);
  registerModelDescribe(program);
  registerModelBench(program);
  registerModelQuantize(program);
  registerNodeStart(program);
  registerFunctionBuild(program);
  registerFunctionTools(program);
  registerFunctionRun(program);
  registerNodeEnroll(program);
  registerNodeIdentities(program);
  registerNodePolicy(program);
  registerNodeStatus(program);
  registerNodeJobs(program);
  registerNodeCall(program);
  registerWorkflowCheck(program);
  registerWorkflowRun(program);
  registerDoctor(program);
  registerSetup(program);
  registerExplain(program);
  return program;
}

/** `tmc … | head`: the reader left, nothing more is wanted. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") {
    process.exit(ExitCode.ok);
  }
  throw error;
}

/** The caller reads stdout as one JSON document. */
const wantsJson = (args: readonly string[]): boolean =>
  args.includes("--json") || /(^| )--format[ =]json( |$)/.test(args.join(" "));

/**
 * Runs `tmc` with the arguments after the program's name.
 * @returns the exit code; commands that fail without an error of their own set `process.exitCode`.
 */
export async function main(args: readonly string[]): Promise<number> {
  process.stdout.off("error", endQuietly).on("error", endQuietly);
  const json = wantsJson(args);
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: "user" });
    return typeof process.exitCode === "number" ? process.exitCode : ExitCode.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) {
        return ExitCode.ok; // --help, --version
      }
      return reportFailure(usageError(error, program, args), json);
    }
    return reportFailure(error, json);
  }
}
