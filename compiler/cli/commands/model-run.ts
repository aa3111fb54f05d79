/** `tmc model run`: one inference on several targets, compared bit for bit with each other and with golden files. */
import type { Command } from "commander";
import { findBoard } from "../../board/board.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import type { MemoryGoal } from "../../model/compile.js";
import { describeDifference, firstDifference } from "../../model/execute/compare.js";
import { checkLayers, checkOutput, type GoldenResult } from "../../model/execute/golden.js";
import { runOnNode, splitTensors, type Inference } from "../../model/execute/inference.js";
import { runOnBoard } from "../../model/execute/on-board.js";
import { elementCount, tensorAt, type Graph } from "../../model/graph.js";
import { loadGraph } from "../../model/importers/load-model.js";
import { readModelFile } from "../../model/load.js";
import { lower } from "../../model/lower.js";
import { elements } from "../../model/runtime.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { memoryOption, modelGroup } from "./model.js";

interface RunCommandOptions {
  readonly input: string;
  readonly output?: string;
  readonly on: string;
  readonly memory: MemoryGoal;
  readonly layers?: string;
  readonly json?: true;
}

export function registerModelRun(program: Command): void {
  const command = modelGroup(program)
    .command("run")
    .description("run one inference on each target; all must compute the same bytes on every layer")
    .argument("<model>", "int8 model file (.tflite, ONNX)")
    .requiredOption("--input <file>", "raw input tensors, NHWC, one after the other")
    .option("--output <file>", "raw output tensors: compared when the file exists, else written")
    .option("--on <targets>", "node and boards, separated by commas", "node")
    .addOption(memoryOption())
    .option("--layers <dir>", "golden layers opNN_tensorT.bin: compared when there are any, else written")
    .option("--json", "print for programs")
    .action(run);
  describeCommand(command, {
    examples: [
      ["tmc model run model.tflite --input in.bin", "print the output"],
      ["tmc model run model.tflite --input in.bin --on node,host,qemu_cortex_m4", "compare three targets"],
      [
        "tmc model run model.tflite --input in.bin --output out.bin --layers layers",
        "compare with golden files",
      ],
    ],
    exitCodes: ["ok", "failed", "usage", "missingTool", "internal"],
  });
}

async function run(path: string, options: RunCommandOptions): Promise<void> {
  const targets = parseTargets(options.on);
  const graph = loadGraph(path);
  lower(graph); // a model that cannot be executed is refused before its input
  const input = splitTensors(graph, graph.inputs, readModelFile(options.input, "input"), options.input);
  const reference = runOnNode(graph, [input])[0];
  if (reference === undefined) {
    throw new Error("one input gave no result");
  }
  for (const target of targets) {
    if (target !== "node") {
      const [results] = await runOnBoard(findBoard(target), [
        { model: { name: graph.name, graph, memory: options.memory }, inputs: [input] },
      ]);
      checkAgreement(graph, reference, results?.[0], target);
    }
  }
  const layers = options.layers === undefined ? undefined : checkLayers(graph, reference, options.layers);
  const output = options.output === undefined ? undefined : checkOutput(graph, reference, options.output);
  report(graph, reference, targets, { layers, output }, options);
}

/** Target names, in order, each once. */
function parseTargets(list: string): string[] {
  const names = list.split(",").map((name) => name.trim());
  if (names.some((name) => name === "")) {
    throw new UserError(
      "TMC0005",
      `--on ${list}: an empty target name`,
      "Give names like --on node,host,qemu_cortex_m4.",
      ExitCode.usage,
    );
  }
  names.filter((name) => name !== "node").forEach((name) => findBoard(name));
  return [...new Set(names)];
}

function checkAgreement(graph: Graph, node: Inference, other: Inference | undefined, target: string): void {
  if (other === undefined) {
    throw new Error(`no result from ${target}`);
  }
  const difference = firstDifference(graph, node, other);
  if (difference !== undefined) {
    throw new UserError(
      "TMC3031",
      `targets computed different bytes: ${describeDifference(difference, "on node", `on ${target}`)}`,
      "This is a bug in tmc: please report it with the model and the input.",
    );
  }
}

interface GoldenResults {
  readonly layers: GoldenResult | undefined;
  readonly output: GoldenResult | undefined;
}

function report(
  graph: Graph,
  inference: Inference,
  targets: readonly string[],
  golden: GoldenResults,
  options: RunCommandOptions,
): void {
  if (options.json === true) {
    printJson({
      model: graph.name,
      targets,
      layers: inference.layers.length,
      outputs: graph.outputs.map((tensor, i) => ({
        shape: tensorAt(graph, tensor).shape,
        quantization: tensorAt(graph, tensor).quantization,
        data: [...(inference.outputs[i] ?? [])],
      })),
      golden: { output: golden.output ?? null, layers: golden.layers ?? null },
    });
    return;
  }
  const lines: string[] = [];
  if (targets.some((target) => target !== "node")) {
    const compared = targets.includes("node") ? targets : ["node", ...targets];
    lines.push(`${compared.join(", ")}: equal on all ${inference.layers.length} layers and the output`);
  }
  if (golden.layers !== undefined) {
    lines.push(describeGolden(golden.layers, "layer", options.layers ?? ""));
  }
  if (golden.output !== undefined) {
    lines.push(describeGolden(golden.output, "output", options.output ?? ""));
  } else {
    lines.push(...graph.outputs.flatMap((tensor, i) => outputLines(graph, tensor, i, inference.outputs[i])));
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

function describeGolden({ action, files }: GoldenResult, what: string, where: string): string {
  const things = `${files} ${what}${files === 1 ? "" : "s"}`;
  return action === "compared" ? `${things} equal to ${where}` : `${things} written to ${where}`;
}

const SHOWN = 64;

function outputLines(graph: Graph, tensor: number, i: number, data: Int8Array | undefined): string[] {
  const { type, shape, quantization } = tensorAt(graph, tensor);
  const scale = quantization?.scales[0] ?? 1;
  const zero = quantization?.zeroPoints[0] ?? 0;
  const bytes = data ?? new Int8Array(0);
  const values = [...(type === "int16" ? elements(bytes) : bytes)].slice(0, SHOWN);
  const rest = elementCount(shape) > SHOWN ? ` … ${elementCount(shape) - SHOWN} more` : "";
  return [
    `output ${i}, ${type} [${shape.join(", ")}], scale ${scale}, zero point ${zero}:`,
    `  ${type.padEnd(5)} ${values.join(" ")}${rest}`,
    `  real  ${values.map((value) => Number((scale * (value - zero)).toPrecision(5))).join(" ")}${rest}`,
  ];
}
