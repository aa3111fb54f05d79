/** `tmc size`: flash, RAM and stack of an app as a tree down to functions and objects, and against an earlier build. */
import { join, resolve } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { findBoard } from "../../board/board.js";
import { diffTrees, readMemoryTree } from "../../board/memory-diff.js";
import { checkBudget } from "../../board/memory-report.js";
import { formatMemoryTree, formatTreeChange } from "../../board/memory-tree-text.js";
import { memoryTree } from "../../board/memory-tree.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { buildApp } from "../build-app.js";
import { compileOrReport } from "../compile-or-report.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { locateApp } from "../project-config.js";

interface SizeOptions {
  readonly board: string;
  readonly diff?: string;
  readonly depth: number;
  readonly out?: string;
  readonly checked?: true;
  readonly zephyr?: string;
  readonly json?: true;
}

export function registerSize(program: Command): void {
  const command = program
    .command("size")
    .description(
      "flash, RAM and stack of an app by TypeScript function, object and model; what changed since",
    )
    .argument("[app]", "source of the app (default: the one in tmc.json, else firmware/app.ts)")
    .requiredOption("--board <board>", "name of a board, or path of a board file")
    .option("--diff <file>", "only what changed against an earlier output of --json")
    .option("--depth <levels>", "levels of the tree that are printed", parseDepth, 4)
    .option("--out <dir>", "folder for everything that is made (default: build/BOARD)")
    .option("--checked", "measure the build with overflow checks")
    .option("--zephyr <dir>", "the Zephyr workspace (default: ZEPHYR_BASE, west's, tmc setup's)")
    .option("--json", "print the whole tree (or the whole difference) for programs")
    .action(size);
  describeCommand(command, {
    examples: [
      ["tmc size --board b_l4s5i_iot01a", "the tree"],
      ["tmc size --board b_l4s5i_iot01a --depth 1", "the kinds only"],
      ["tmc size --board b_l4s5i_iot01a --json > before.json", "keep it"],
      ["tmc size --board b_l4s5i_iot01a --diff before.json", "what a change costs"],
    ],
    exitCodes: ["ok", "failed", "usage", "missingTool", "internal"],
  });
}

function parseDepth(text: string): number {
  const depth = Number(text);
  if (!Number.isInteger(depth) || depth < 1) {
    throw new InvalidArgumentError("It is a whole number from 1.");
  }
  return depth;
}

async function size(app: string | undefined, options: SizeOptions): Promise<void> {
  const board = findBoard(options.board);
  // Before minutes are spent on building.
  const before = options.diff === undefined ? undefined : readMemoryTree(options.diff);
  if (before !== undefined && before.board !== board.name) {
    throw new UserError(
      "TMC4014",
      `${options.diff ?? ""} was measured for board ${before.board}, not ${board.name}`,
      `compare with one that was made with --board ${board.name}`,
      ExitCode.usage,
    );
  }
  const { entry, root } = locateApp(app);
  const json = options.json === true;
  const compiled = await compileOrReport({
    entry,
    root,
    checked: options.checked === true,
    kind: board.kind === "zephyr" ? "app" : "image",
    ...(board.models === undefined ? {} : { weightsInRam: board.models.weightsInRam }),
    json,
  });
  if (compiled === undefined) return;
  const { report, symbols } = await buildApp({
    board,
    compiled,
    outDir: resolve(options.out ?? join("build", board.name)),
    zephyrDir: options.zephyr,
    emit: "image",
    onProgress: () => undefined,
  });
  if (report === undefined) throw new Error("an image without a report");
  const tree = memoryTree(report, (cName) => symbols.symbols[cName]?.tsName ?? cName);
  if (before === undefined) {
    if (json) printJson(tree);
    else process.stdout.write(formatMemoryTree(tree, options.depth));
  } else {
    if (before.basis !== tree.basis) {
      process.stderr.write(
        `warning: ${options.diff ?? ""} measured ${basisName(before.basis)}, this is ${basisName(tree.basis)}: not all differences are the program's\n`,
      );
    }
    const change = diffTrees(before, tree);
    if (json) printJson(change);
    else process.stdout.write(formatTreeChange(change, options.depth));
  }
  checkBudget(report);
}

const basisName = (basis: "image" | "objects"): string =>
  basis === "image" ? "a linked image" : "compiled objects";
