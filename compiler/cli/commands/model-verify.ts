/** `tmc model verify`: layer by layer against what another interpreter computed. */
import type { Command } from "commander";
import { findBoard } from "../../board/board.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import type { MemoryGoal } from "../../model/compile.js";
import { runOnNode, splitTensors, type Inference } from "../../model/execute/inference.js";
import { runOnBoard } from "../../model/execute/on-board.js";
import { requireEqual, verifyDumps, type Verification } from "../../model/execute/verify.js";
import type { Graph } from "../../model/graph.js";
import { loadGraph } from "../../model/importers/load-model.js";
import { readModelFile } from "../../model/load.js";
import { lower } from "../../model/lower.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { memoryOption, modelGroup } from "./model.js";

interface VerifyCommandOptions {
  readonly input: string;
  readonly dumps: string;
  readonly on: string;
  readonly memory: MemoryGoal;
  readonly tolerance: string;
  readonly partial?: true;
  readonly json?: true;
}

export function registerModelVerify(program: Command): void {
  const command = modelGroup(program)
    .command("verify")
    .description(
      "compare every layer with the dumps of another interpreter; name the first element that differs",
    )
    .argument("<model>", "int8 .tflite file, the one that was dumped")
    .requiredOption("--input <file>", "the raw int8 input tensors that the dumps are of")
    .requiredOption(
      "--dumps <dir>",
      "opNN_tensorT.bin for each operator NN: the raw elements of its output tensor T",
    )
    .option("--on <target>", "node or a board", "node")
    .addOption(memoryOption())
    .option("--tolerance <steps>", "accept differences up to so many quantisation steps", "0")
    .option("--partial", "compare the layers that have a dump, leave out the others")
    .option("--json", "print for programs")
    .action(verify);
  describeCommand(command, {
    examples: [
      ["tmc model verify model.tflite --input in.bin --dumps layers", "on Node.js"],
      [
        "tmc model verify model.tflite --input in.bin --dumps layers --on qemu_cortex_m4",
        "the compiled model",
      ],
    ],
    exitCodes: ["ok", "failed", "usage", "missingTool", "internal"],
  });
}

async function verify(path: string, options: VerifyCommandOptions): Promise<void> {
  const tolerance = parseTolerance(options.tolerance);
  const board = options.on === "node" ? undefined : findBoard(options.on);
  const graph = loadGraph(path);
  lower(graph); // a model that cannot be executed is refused before its input
  const input = splitTensors(graph, graph.inputs, readModelFile(options.input, "input"), options.input);
  const inference: Inference | undefined =
    board === undefined
      ? runOnNode(graph, [input])[0]
      : (
          await runOnBoard(board, [
            { model: { name: graph.name, graph, memory: options.memory }, inputs: [input] },
          ])
        )[0]?.[0];
  if (inference === undefined) {
    throw new Error("one input gave no result");
  }
  const partial = options.partial === true;
  const verification = verifyDumps(graph, inference, options.dumps, { tolerance, partial });
  if (options.json === true) {
    const { folder, layers, first, notComputed, missing } = verification;
    printJson({
      model: graph.name,
      on: options.on,
      folder,
      tolerance,
      first: first ?? null,
      layers,
      notComputed,
      missing,
    });
    if (first !== undefined) {
      process.exitCode = ExitCode.failed; // the document has said it
    }
    return;
  }
  process.stdout.write(formatVerification(graph, verification, tolerance));
  requireEqual(verification);
}

function parseTolerance(text: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) > 255) {
    throw new UserError(
      "TMC0005",
      `--tolerance ${text}: not a whole number from 0 to 255`,
      "Give the steps of the quantisation that may differ, such as --tolerance 1.",
      ExitCode.usage,
    );
  }
  return Number(text);
}

function formatVerification(graph: Graph, verification: Verification, tolerance: number): string {
  const { layers, notComputed, missing } = verification;
  const equal = layers.filter(({ differing }) => differing === 0).length;
  const within = tolerance === 0 ? "equal" : `within ${tolerance} step${tolerance === 1 ? "" : "s"}`;
  const lines = [`${graph.name}: ${equal} of ${layers.length} layers ${within}`];
  for (const { operator, tensor, differing, elements, largest } of layers) {
    if (differing > 0) {
      const kind = graph.operators[operator]?.kind ?? "";
      lines.push(
        `  operator ${operator} (${kind}), tensor ${tensor}: ${differing} of ${elements} differ, by ${largest} at most`,
      );
    }
  }
  if (notComputed.length > 0) {
    lines.push(`not computed, removed by a pass: ${notComputed.join(", ")}`);
  }
  if (missing.length > 0) {
    lines.push(`without a dump: ${missing.join(", ")}`);
  }
  return `${lines.join("\n")}\n`;
}
