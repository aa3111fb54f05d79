/** Measures a model on the bare-metal Cortex-M4 in QEMU: executed instructions, flash and RAM of the linked image. */
import { join } from "node:path";
import type { Board } from "../../board/board.js";
import { memoryReport, type MemoryGroup } from "../../board/memory-report.js";
import { packagePath } from "../../board/package-root.js";
import { runExecutable } from "../../board/run.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { emitModels, type ModelToEmit } from "../emit-c/emit.js";
import { layerMacs } from "../layers.js";
import { lower } from "../lower.js";
import { planReport, type PlanStep } from "../plan-report.js";
import { benchProgram } from "./harness.js";
import { buildModelProgram, inTemporaryFolder, successfulOutput } from "./on-board.js";

export interface LayerCost {
  readonly operator: number;
  readonly kind: string;
  /** Of the model as it is; those of constant channels are not executed. */
  readonly macs: number;
  /** Executed instructions, with a few of the measurement. */
  readonly instructions: number;
  /** Constants and structs of this layer as linked; code that the compiler put into the model's function is not in here. */
  readonly flash: number;
  /** Bytes of the arena that hold something while it runs, scratch memory included. */
  readonly ram: number;
}

export interface ModelCost {
  readonly board: string;
  readonly instructions: number;
  readonly macs: number;
  readonly layers: readonly LayerCost[];
  /** Bytes of the model in the linked image. */
  readonly flash: {
    /** Constants, layer structs and functions of the model. */
    readonly model: number;
    /** Kernels that it links. */
    readonly kernels: number;
    /** memcpy and memset of the C library, which kernels use, and the functions of the models' port API. */
    readonly libraries: number;
  };
  readonly ram: {
    readonly arena: number;
    /** Weights that the board takes in RAM (`models.weightsInRam`); they are in flash too. */
    readonly weights: number;
  };
  /** Worst-case bytes of stack of one inference. */
  readonly stack: number;
}

const TICKS_TO_INSTRUCTIONS = 5 / 8;

/**
 * `withImages` is called with the linked image and that of the build which counts layer by layer; both are removed
 * afterwards.
 * @throws UserError TMC30xx (model), TMC40xx (tools), TMC0005 (a board whose instructions cannot be counted).
 */
export async function measureModel(
  board: Board,
  { graph, memory }: Pick<ModelToEmit, "graph" | "memory">,
  withImages?: (plain: string, layered: string) => Promise<void>,
): Promise<ModelCost> {
  if (board.kind !== "bare-metal" || board.run.how !== "qemu") {
    throw new UserError(
      "TMC0005",
      `board ${board.name} cannot count instructions`,
      "Use --on qemu_cortex_m4.",
      ExitCode.usage,
    );
  }
  const emitted = emitModels([{ name: graph.name, graph, memory }], board.models?.weightsInRam);
  const model = emitted.models[0];
  if (model === undefined) {
    throw new Error("one model gave no code");
  }
  const program = benchProgram(graph.inputs.length);
  const build = (folder: string, layers: boolean) =>
    buildModelProgram(board, emitted, program, join(folder, layers ? "layers" : "plain"), {
      layers,
      includeDirs: [packagePath("runtime-c", "port", "cortex-m")],
    });
  const execute = async (elf: string): Promise<string> =>
    successfulOutput(await runExecutable({ board, elf, count: true, timeoutMs: 600_000 }), board.name);

  return inTemporaryFolder(async (folder) => {
    const plain = await build(folder, false);
    const [, ticks = ""] = /^ticks (\d+)/m.exec(await execute(plain.elf)) ?? [];
    const layered = await build(folder, true);
    await withImages?.(plain.elf, layered.elf);
    const perLayer = new Map(
      [...(await execute(layered.elf)).matchAll(/^layer (\d+) (\d+)/gm)].map(([, operator, count]) => [
        Number(operator),
        Math.round(Number(count) * TICKS_TO_INSTRUCTIONS),
      ]),
    );
    const symbols = Object.fromEntries(
      model.symbols.map((name) => [name, { kind: "model", tsName: name, file: "", line: 0 } as const]),
    );
    const report = await memoryReport({
      board,
      objects: plain.objects,
      elf: plain.elf,
      map: plain.map,
      symbols: { version: 1, symbols, indirectCalls: {} },
      entries: ["tmc_model_invoke"],
    });
    const group = (name: MemoryGroup) =>
      report.groups.find((one) => one.group === name) ?? { flash: 0, ram: 0 };
    // Kernels call memset, layers that copy memcpy; others of the C library are the harness's.
    const copies = model.symbols.some((name) =>
      /_(reshape|concatenation|pad|slice|transpose|resize\w*)$/.test(name),
    );
    const used = copies ? /^(memcpy|memset|tmc_model_\w+)$/ : /^(memset|tmc_model_\w+)$/;
    const libraries = report.items.filter(({ name }) => used.test(name));
    const inRam = new Set(model.weightsInRam.symbols);
    const weights = report.items.filter(({ name }) => inRam.has(name)).reduce((sum, { ram }) => sum + ram, 0);
    const macs = lower(graph).map(layerMacs);
    // By operator; of a chain in bands the one that stands for all.
    const { steps } = planReport({ graph, ...model });
    const macsOf = ({ operators }: PlanStep): number =>
      operators.reduce((sum, operator) => sum + (macs[operator] ?? 0), 0);
    const ownFlash = (operators: readonly number[]): number => {
      const numbers = operators.map((operator) => String(operator).padStart(2, "0")).join("|");
      const own = new RegExp(`^${model.prefix}_(band\\d+_)?op(${numbers})_`);
      return report.items.filter(({ name }) => own.test(name)).reduce((sum, item) => sum + item.flash, 0);
    };
    return {
      board: board.name,
      instructions: Math.ceil(Number(ticks) * TICKS_TO_INSTRUCTIONS),
      macs: macs.reduce((sum, one) => sum + one, 0),
      layers: model.layers.map((layer, i) => {
        // With a fused activation the tensor that the layer shows is written by another operator.
        const shown = graph.operators.findIndex(({ output }) => output === layer.output);
        return {
          operator: layer.operator,
          kind: steps[i]?.kind ?? layer.kind,
          macs: steps[i] === undefined ? 0 : macsOf(steps[i]),
          instructions: perLayer.get(shown) ?? 0,
          flash: ownFlash(steps[i]?.operators ?? []),
          ram: steps[i]?.aliveBytes ?? 0,
        };
      }),
      flash: {
        model: group("model").flash,
        kernels: group("kernel").flash,
        libraries: libraries.reduce((sum, item) => sum + item.flash, 0),
      },
      ram: { arena: group("model").ram - weights, weights },
      stack: report.stack.used,
    };
  });
}
