/**
 * `tmc model bench`: executed instructions and estimated cycles of one inference, flash, RAM and stack of the linked
 * image; by layer and in total.
 */
import { InvalidArgumentError, Option, type Command } from "commander";
import { findBoard } from "../../board/board.js";
import { byteCount } from "../../board/board-schema.js";
import type { MemoryGoal } from "../../model/compile.js";
import { measureModel, type ModelCost } from "../../model/execute/bench.js";
import { CLOCK_HZ, countCycles } from "../../model/execute/cycle-model.js";
import { loadGraph } from "../../model/importers/load-model.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { table, thousands } from "./model-inspect.js";
import { memoryOption, modelGroup } from "./model.js";

interface BenchOptions {
  readonly on: string;
  readonly cycles: boolean;
  readonly memory: MemoryGoal;
  /** Bytes. */
  readonly weightsInRam?: number;
  readonly json?: true;
}

/** Bytes as board files have them. */
function parseSize(text: string): number {
  const size = byteCount.safeParse(/^\d+$/.test(text) ? Number(text) : text);
  if (!size.success)
    throw new InvalidArgumentError("It is a size in bytes: an integer, or text like 640K or 2M.");
  return size.data;
}

export function registerModelBench(program: Command): void {
  const command = modelGroup(program)
    .command("bench")
    .description("count instructions of one inference in QEMU, estimate cycles, measure flash, RAM and stack")
    .argument("<model>", "int8 model file (.tflite, ONNX)")
    .option("--on <board>", "a bare-metal board in QEMU", "qemu_cortex_m4")
    .addOption(memoryOption())
    .addOption(
      new Option(
        "--weights-in-ram <size>",
        "RAM for the weights that are read most, e.g. 32K (default: the board's)",
      ).argParser(parseSize),
    )
    .option("--no-cycles", "do not estimate cycles")
    .option("--json", "print for programs")
    .action(async (path: string, options: BenchOptions) => {
      const graph = loadGraph(path);
      const board = findBoard(options.on);
      const { weightsInRam } = options;
      let cycles: CycleEstimate = { missing: "not asked for" };
      const cost = await measureModel(
        weightsInRam === undefined ? board : { ...board, models: { weightsInRam } },
        { graph, memory: options.memory },
        async (plain, layered) => {
          cycles = options.cycles ? await estimateCycles(options.on, plain, layered) : cycles;
        },
      );
      if (options.json === true) {
        printJson(withCycles(graph.name, cost, cycles));
      } else {
        process.stdout.write(formatCost(graph.name, cost, cycles));
      }
    });
  describeCommand(command, {
    examples: [
      ["tmc model bench model.tflite", "instructions, cycles, flash, RAM by layer; stack"],
      ["tmc model bench model.tflite --weights-in-ram 32K", "what RAM for weights would bring"],
      ["tmc model bench model.tflite --json", "the same for programs"],
    ],
    exitCodes: ["ok", "failed", "usage", "missingTool", "internal"],
  });
}

/** Cycles of an inference and of each layer, or why there are none. */
type CycleEstimate =
  { readonly total: number; readonly layers: readonly number[] } | { readonly missing: string };

/** The cycle model needs a compiler of the machine itself and a QEMU with plugins: without them the rest still counts. */
async function estimateCycles(board: string, plain: string, layered: string): Promise<CycleEstimate> {
  if (board !== "qemu_cortex_m4") {
    return { missing: `the model is of qemu_cortex_m4, not ${board}` };
  }
  try {
    const [whole] = await countCycles(plain);
    const regions = await countCycles(layered);
    return { total: whole?.cycles ?? 0, layers: regions.map(({ cycles }) => cycles) };
  } catch (error) {
    return { missing: (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "" };
  }
}

/** At the clock of the modelled board. */
function milliseconds(cycles: number): number {
  return Number(((1000 * cycles) / CLOCK_HZ).toPrecision(4));
}

function withCycles(model: string, cost: ModelCost, estimate: CycleEstimate) {
  const known = "total" in estimate;
  return {
    model,
    ...cost,
    cycles: known ? estimate.total : null,
    ms: known ? milliseconds(estimate.total) : null,
    layers: cost.layers.map((layer, i) => ({
      ...layer,
      cycles: known ? (estimate.layers[i] ?? null) : null,
    })),
  };
}

function formatCost(name: string, cost: ModelCost, estimate: CycleEstimate): string {
  const perMac = (instructions: number, macs: number): string =>
    macs === 0 ? "" : (instructions / macs).toFixed(2);
  const known = "total" in estimate;
  const cycles = (count: number | undefined): string =>
    known && count !== undefined ? thousands(count) : "";
  const rows = cost.layers.map((layer, i) => [
    String(layer.operator),
    layer.kind,
    thousands(layer.macs),
    thousands(layer.instructions),
    perMac(layer.instructions, layer.macs),
    cycles(known ? estimate.layers[i] : undefined),
    `${((100 * layer.instructions) / Math.max(1, cost.instructions)).toFixed(1)} %`,
    thousands(layer.flash),
    thousands(layer.ram),
  ]);
  const { model, kernels, libraries } = cost.flash;
  const flash = model + kernels + libraries;
  const total = [
    "",
    "inference",
    thousands(cost.macs),
    thousands(cost.instructions),
    perMac(cost.instructions, cost.macs),
    cycles(known ? estimate.total : undefined),
    "",
    thousands(flash),
    thousands(cost.ram.arena + cost.ram.weights),
  ];
  const weights =
    cost.ram.weights === 0 ? "" : ` ${thousands(cost.ram.arena)}, weights ${thousands(cost.ram.weights)}`;
  const header = ["op", "layer", "MACs", "instructions", "per MAC", "cycles", "share", "flash", "RAM"];
  return [
    `${name} on ${cost.board}`,
    "",
    ...table([header, ...rows, total], new Set([0, 2, 3, 4, 5, 6, 7, 8])),
    "",
    known
      ? `time   ${milliseconds(estimate.total)} ms at ${CLOCK_HZ / 1e6} MHz, estimated for an STM32L4+ (bench/m4cyc)`
      : `time   not estimated: ${estimate.missing}`,
    `flash  ${thousands(flash)} bytes: model ${thousands(model)}, kernels ${thousands(kernels)}, libraries ${thousands(libraries)}; of a layer: its constants`,
    `RAM    ${thousands(cost.ram.arena + cost.ram.weights)} bytes: the arena${weights}; of a layer: what is alive while it runs`,
    `stack  ${thousands(cost.stack)} bytes at worst`,
    "",
  ].join("\n");
}
