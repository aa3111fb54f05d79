/**
 * `tmc setup`: makes a Zephyr workspace with west from zephyr-app/west.yml: a Python environment, the pinned Zephyr, the
 * few modules it needs. What is there already is kept. It installs no system packages and builds nothing.
 */
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { packagePath } from "../../board/package-root.js";
import { imgtoolPackages } from "../../board/zephyr/bootloader.js";
import { defaultWorkspaceDir, findWorkspace, pythonPackages } from "../../board/zephyr/workspace.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { describeCommand } from "../help.js";

/** west 1.x; the packages of Zephyr's build scripts and of MCUboot's imgtool as the release accepts them. */
const packages = [
  "west>=1.2,<2",
  ...[...pythonPackages, ...imgtoolPackages].map(([, name]) => name),
  "jsonschema",
];

interface Step {
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** What to do when it fails. */
  readonly fix: string;
  /** The step is not needed when this exists. */
  readonly made?: string;
}

const networkFix =
  "Check that this machine reaches the network (through its proxy, if it has one), then run `tmc setup` again: it continues.";

/** The steps that make a workspace in `dir`, in order. */
export function setupSteps(dir: string): Step[] {
  const python = join(dir, ".venv", "bin", "python3");
  const west = join(dir, ".venv", "bin", "west");
  return [
    {
      title: "a Python environment",
      command: "python3",
      args: ["-m", "venv", join(dir, ".venv")],
      cwd: dir,
      fix: "Install Python with venv: apt-get install python3 python3-venv",
      made: python,
    },
    {
      title: "west and the packages of Zephyr's build",
      command: python,
      args: ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages],
      cwd: dir,
      fix: networkFix,
      made: west,
    },
    {
      title: "west init",
      command: west,
      args: ["init", "-l", join(dir, "zephyr-app")],
      cwd: dir,
      fix: `Is there another workspace in or above ${dir}? Choose another folder: tmc setup DIR`,
      made: join(dir, ".west", "config"),
    },
    {
      title: "west update (Zephyr and its modules: about 1 GB)",
      command: west,
      args: ["update", "--narrow", "--fetch-opt=--depth=1"],
      cwd: dir,
      fix: networkFix,
    },
  ];
}

function run(step: Step): Promise<number> {
  return new Promise((done, failed) => {
    const child = spawn(step.command, step.args, { cwd: step.cwd, stdio: "inherit" });
    child.once("error", (error: NodeJS.ErrnoException) => {
      failed(
        error.code === "ENOENT"
          ? new UserError("TMC5020", `${step.command} is not installed`, step.fix, ExitCode.missingTool)
          : error,
      );
    });
    child.once("close", (code) => done(code ?? -1));
  });
}

/**
 * Makes the workspace, or completes one that was begun.
 * @throws UserError TMC5020 that names the step and its fix (exit code 4).
 */
export async function setupWorkspace(dir: string, say: (line: string) => void): Promise<void> {
  mkdirSync(join(dir, "zephyr-app"), { recursive: true });
  copyFileSync(packagePath("zephyr-app", "west.yml"), join(dir, "zephyr-app", "west.yml"));
  const steps = setupSteps(dir);
  for (const [i, step] of steps.entries()) {
    const label = `[${i + 1}/${steps.length}] ${step.title}`;
    if (step.made !== undefined && existsSync(step.made)) {
      say(`${label}: there already`);
      continue;
    }
    say(label);
    const code = await run(step);
    if (code !== 0) {
      throw new UserError(
        "TMC5020",
        `making the Zephyr workspace failed at "${step.title}" (exit code ${code})`,
        step.fix,
        ExitCode.missingTool,
      );
    }
  }
}

export function registerSetup(program: Command): void {
  const command = program
    .command("setup")
    .description("make a Zephyr workspace with west: what images for Zephyr boards are built in")
    .argument("[dir]", `the folder of the workspace (default: ${defaultWorkspaceDir()})`)
    .action(async (folder: string | undefined) => {
      const dir = resolve(folder ?? defaultWorkspaceDir());
      const say = (line: string): void => void process.stdout.write(`${line}\n`);
      await setupWorkspace(dir, say);
      const result = await findWorkspace({ dir });
      if (result.kind === "missing") {
        throw new UserError("TMC5020", result.missing.message, result.missing.fix, ExitCode.missingTool);
      }
      say(`Zephyr ${result.workspace.version} in ${result.workspace.base}`);
      if (folder !== undefined) {
        say(`Use it with --zephyr ${dir}, or: export ZEPHYR_BASE=${result.workspace.base}`);
      }
    });
  describeCommand(command, {
    examples: [
      ["tmc setup", "a workspace that tmc finds by itself"],
      ["tmc setup ~/zephyrproject", "a workspace of your own; name it with --zephyr or ZEPHYR_BASE"],
    ],
    exitCodes: ["ok", "usage", "missingTool"],
  });
}
