/**
 * `npm run bench:models`: executed instructions, estimated milliseconds, flash and RAM of int8 models on the
 * Cortex-M4 in QEMU. Models are
 * FOLDER/NAME/model.tflite; where input and output files lie beside them (input_K.bin, output_K.bin) the compiled model
 * is first compared with them on the same target. Arguments: names of models (default: all), `--dir FOLDER` (default:
 * the MLPerf Tiny models beside the repository), `--json`.
 *
 * A model that cannot be measured is named on stderr (and under "errors" with --json) and makes the exit code 1; the
 * others are measured all the same.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findBoard } from "../compiler/board/board.js";
import { packagePath } from "../compiler/board/package-root.js";
import { measureModel } from "../compiler/model/execute/bench.js";
import { joinTensors, splitTensors } from "../compiler/model/execute/inference.js";
import { runOnBoard } from "../compiler/model/execute/on-board.js";
import type { Graph } from "../compiler/model/graph.js";
import { loadGraph } from "../compiler/model/importers/load-model.js";
import { CLOCK_HZ, countCycles } from "../compiler/model/execute/cycle-model.js";

const board = findBoard("qemu_cortex_m4");

interface Figures {
  readonly name: string;
  /** Of the model as it is, constant channels included. */
  readonly macs: number;
  readonly instructions: number;
  /** Of the cycle model at 120 MHz (bench/m4cyc): an estimate. */
  readonly ms: number;
  /** Code, constants and weights as linked: the model, its kernels, what they use of C libraries. */
  readonly flash: number;
  /** Activations and scratch memory; there is no other static data. */
  readonly ram: number;
  /** Golden files that were compared. */
  readonly compared: number;
}

/** Runs all golden inputs of the folder in one program. Throws at the first output that differs. */
async function compareGolden(graph: Graph, folder: string): Promise<number> {
  const cases = readdirSync(folder)
    .map((file) => /^input_(\d+)\.bin$/.exec(file)?.[1])
    .filter((k) => k !== undefined && existsSync(join(folder, `output_${k}.bin`)));
  if (cases.length === 0) {
    return 0;
  }
  const inputs = cases.map((k) => {
    const file = join(folder, `input_${k}.bin`);
    return splitTensors(graph, graph.inputs, readFileSync(file), file);
  });
  const [results = []] = await runOnBoard(board, [{ model: { name: graph.name, graph }, inputs }]);
  cases.forEach((k, i) => {
    const expected = readFileSync(join(folder, `output_${k}.bin`));
    if (!expected.equals(joinTensors(results[i]?.outputs ?? []))) {
      throw new Error(`${folder}: the output for input_${k}.bin differs from output_${k}.bin`);
    }
  });
  return cases.length;
}

async function measure(name: string, folder: string): Promise<Figures> {
  const graph = loadGraph(join(folder, "model.tflite"));
  const compared = await compareGolden(graph, folder);
  let ms = 0;
  const cost = await measureModel(board, { graph }, async (elf) => {
    const [{ cycles } = { cycles: 0 }] = await countCycles(elf);
    ms = Math.round((cycles / CLOCK_HZ) * 10000) / 10;
  });
  return {
    name,
    macs: cost.macs,
    instructions: cost.instructions,
    ms,
    flash: cost.flash.model + cost.flash.kernels + cost.flash.libraries,
    ram: cost.ram.arena + cost.ram.weights,
    compared,
  };
}

function table(figures: readonly Figures[]): string {
  const grouped = (x: number): string => x.toLocaleString("en-US");
  return [
    "| model | MACs | instructions | per MAC | ms | flash | RAM | golden outputs |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...figures.map((f) => {
      const perMac = f.macs === 0 ? "" : (f.instructions / f.macs).toFixed(2);
      const cells = [f.macs, f.instructions].map(grouped);
      return `| ${f.name} | ${cells.join(" | ")} | ${perMac} | ${f.ms} | ${grouped(f.flash)} | ${grouped(f.ram)} | ${f.compared} equal |`;
    }),
    "",
  ].join("\n");
}

/** Names of the folders in `dir` that hold a model. */
function modelNames(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => existsSync(join(dir, name, "model.tflite")))
    .sort();
}

async function main(args: readonly string[]): Promise<void> {
  const at = args.indexOf("--dir");
  const dir = at < 0 ? packagePath("..", "shared", "mlperf-tiny") : args[at + 1];
  if (dir === undefined || !existsSync(dir)) {
    throw new Error(`there is no folder ${dir ?? ""}: pass --dir FOLDER with NAME/model.tflite in it`);
  }
  const chosen = args.filter((arg, i) => !arg.startsWith("--") && (at < 0 || i !== at + 1));
  const names = chosen.length > 0 ? chosen : modelNames(dir);
  if (names.length === 0) {
    throw new Error(`${dir} has no folder with a model.tflite`);
  }
  const figures: Figures[] = [];
  const errors: { name: string; error: string }[] = [];
  for (const name of names) {
    try {
      figures.push(await measure(name, join(dir, name)));
    } catch (problem) {
      const error = messageOf(problem);
      errors.push({ name, error });
      process.stderr.write(`${name}: ${error}\n`);
      process.exitCode = 1;
    }
  }
  if (args.includes("--json")) {
    const models = figures.map(({ name, macs, instructions, ms, flash, ram }) => {
      return { name, macs, instructions, ms, flash, ram };
    });
    process.stdout.write(`${JSON.stringify({ models, ...(errors.length > 0 ? { errors } : {}) })}\n`);
  } else if (figures.length > 0) {
    process.stdout.write(table(figures));
  }
}

function messageOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
