/**
 * `npm run bench:layers`: executed instructions and estimated cycles of single layers on the Cortex-M4 in QEMU, by
 * multiplication, or by output where a layer has none. Arguments: parts of names of the synthetic layers
 * (bench/layer-set.ts; default: all), `--model FILE.tflite` for the layers of a model instead, `--json`.
 */
import { findBoard } from "../compiler/board/board.js";
import { measureModel } from "../compiler/model/execute/bench.js";
import { compileModel } from "../compiler/model/compile.js";
import { elementCount, tensorAt, type Graph } from "../compiler/model/graph.js";
import { loadTflite } from "../compiler/model/load.js";
import { countCycles, type Cycles } from "../compiler/model/execute/cycle-model.js";
import { layerSet } from "./layer-set.js";

interface LayerFigures {
  readonly name: string;
  readonly kernel: string;
  readonly macs: number;
  readonly outputs: number;
  readonly instructions: number;
  readonly cycles: number;
}

/** `names` by operator. */
async function measure(graph: Graph, names: readonly string[]): Promise<LayerFigures[]> {
  let regions: readonly Cycles[] = [];
  const { layers } = await measureModel(findBoard("qemu_cortex_m4"), { graph }, async (_, layered) => {
    regions = await countCycles(layered);
  });
  const { kernels } = compileModel(graph);
  return layers.map(({ operator, kind, macs }, i) => ({
    name: names[operator] ?? `${operator} ${kind}`,
    kernel: kernels[i]?.name ?? "",
    macs,
    outputs: elementCount(tensorAt(graph, graph.operators[operator]?.output ?? -1).shape),
    instructions: regions[i]?.instructions ?? 0,
    cycles: regions[i]?.cycles ?? 0,
  }));
}

function table(figures: readonly LayerFigures[]): string {
  const grouped = (x: number): string => x.toLocaleString("en-US");
  return [
    "| layer | kernel | MACs | instructions | cycles | per MAC | per output |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ...figures.map((f) => {
      const perMac = f.macs === 0 ? "" : (f.instructions / f.macs).toFixed(2);
      const cells = [f.macs, f.instructions, f.cycles].map(grouped).join(" | ");
      return `| ${f.name} | ${f.kernel} | ${cells} | ${perMac} | ${(f.instructions / f.outputs).toFixed(1)} |`;
    }),
    "",
  ].join("\n");
}

async function main(args: readonly string[]): Promise<void> {
  const at = args.indexOf("--model");
  const file = at < 0 ? undefined : args[at + 1];
  const wanted = args.filter((arg, i) => !arg.startsWith("--") && (at < 0 || i !== at + 1));
  const { names, graph } =
    file === undefined
      ? layerSet((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
      : { names: [], graph: loadTflite(file) };
  if (graph.operators.length === 0) {
    throw new Error(`no synthetic layer is named ${wanted.join(" or ")}`);
  }
  const figures = await measure(graph, names);
  process.stdout.write(args.includes("--json") ? `${JSON.stringify({ layers: figures })}\n` : table(figures));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
