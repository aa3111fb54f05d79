/** `tmc model bench`: executed instructions of one inference, per layer, and flash, RAM and stack of the linked image. */
import type { Command } from "commander";
import { findBoard } from "../../board/board.js";
import { measureModel, type ModelCost } from "../../model/execute/bench.js";
import { loadGraph } from "../../model/importers/load-model.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { table, thousands } from "./model-inspect.js";
import { modelGroup } from "./model.js";

export function registerModelBench(program: Command): void {
  const command = modelGroup(program)
    .command("bench")
    .description("count the instructions of one inference in QEMU, and measure flash, RAM and stack")
    .argument("<model>", "int8 model file (.tflite, ONNX)")
    .option("--on <board>", "a bare-metal board in QEMU", "qemu_cortex_m4")
    .option("--json", "print for programs")
    .action(async (path: string, options: { on: string; json?: true }) => {
      const graph = loadGraph(path);
      const cost = await measureModel(findBoard(options.on), graph);
      if (options.json === true) {
        printJson({ model: graph.name, ...cost });
      } else {
        process.stdout.write(formatCost(graph.name, cost));
      }
    });
  describeCommand(command, {
    examples: [
      ["tmc model bench model.tflite", "instructions per layer, flash, RAM, stack"],
      ["tmc model bench model.tflite --json", "the same for programs"],
    ],
    exitCodes: ["ok", "failed", "usage", "missingTool", "internal"],
  });
}

function formatCost(name: string, cost: ModelCost): string {
  const perMac = (instructions: number, macs: number): string =>
    macs === 0 ? "" : (instructions / macs).toFixed(2);
  const rows = cost.layers.map((layer) => [
    String(layer.operator),
    layer.kind,
    thousands(layer.macs),
    thousands(layer.instructions),
    perMac(layer.instructions, layer.macs),
    `${((100 * layer.instructions) / Math.max(1, cost.instructions)).toFixed(1)} %`,
  ]);
  const total = [
    "",
    "inference",
    thousands(cost.macs),
    thousands(cost.instructions),
    perMac(cost.instructions, cost.macs),
    "",
  ];
  return [
    `${name} on ${cost.board}`,
    "",
    ...table(
      [["op", "layer", "MACs", "instructions", "per MAC", "share"], ...rows, total],
      new Set([0, 2, 3, 4, 5]),
    ),
    "",
    `flash  ${thousands(cost.flash.model + cost.flash.kernels + cost.flash.libraries)} bytes: model ${thousands(cost.flash.model)}, kernels ${thousands(cost.flash.kernels)}, libraries ${thousands(cost.flash.libraries)}`,
    `RAM    ${thousands(cost.ram.arena)} bytes: the arena`,
    `stack  ${thousands(cost.stack)} bytes at worst`,
    "",
  ].join("\n");
}
