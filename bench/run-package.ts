/**
 * `npm run bench:package`: what a model costs as a package against the compiled-in form, on the Cortex-M4 in QEMU:
 * instructions of an inference, flash, RAM, instructions of the check. Arguments as for `npm run bench:models`: names
 * (default: all), `--dir FOLDER` with NAME/model.tflite in it, `--json`.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findBoard } from "../compiler/board/board.js";
import { packagePath } from "../compiler/board/package-root.js";
import { measureModel } from "../compiler/model/execute/bench.js";
import { loadGraph } from "../compiler/model/importers/load-model.js";
import { measurePackage } from "../compiler/model/package/on-board.js";
import { packageModel } from "../compiler/model/package/write.js";

const board = findBoard("qemu_cortex_m4");

async function measure(name: string, folder: string) {
  const graph = loadGraph(join(folder, "model.tflite"));
  const compiled = await measureModel(board, { graph });
  const cost = await measurePackage(board, packageModel(graph));
  const { model, kernels, libraries } = compiled.flash;
  return {
    name,
    compiled: {
      instructions: compiled.instructions,
      flash: model + kernels + libraries,
      ram: compiled.ram.arena,
    },
    package: {
      instructions: cost.instructions,
      admission: cost.admission,
      flash: cost.package + cost.ownKernels,
      bytes: cost.package,
      firmware: cost.ownKernels,
      firmwareAllKernels: cost.allKernels,
      ram: cost.ram,
    },
  };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { dir: { type: "string" }, json: { type: "boolean", default: false } },
});
const dir = values.dir ?? packagePath("..", "shared", "mlperf-tiny");
if (!existsSync(dir)) {
  process.stderr.write(`there is no folder ${dir}: pass --dir FOLDER with NAME/model.tflite in it\n`);
  process.exit(1);
}
const found = readdirSync(dir).filter((name) => existsSync(join(dir, name, "model.tflite")));
const figures = [];
for (const name of positionals.length > 0 ? positionals : found.sort()) {
  figures.push(await measure(name, join(dir, name)));
}
if (values.json) {
  process.stdout.write(`${JSON.stringify({ models: figures })}\n`);
} else {
  const grouped = (x: number): string => x.toLocaleString("en-US");
  const change = (before: number, after: number): string =>
    `${((100 * (after - before)) / before).toFixed(1)} %`;
  const lines = figures.map(
    ({ name, compiled: c, package: p }) =>
      `| ${name} | ${grouped(c.instructions)} | ${grouped(p.instructions)} | ${change(c.instructions, p.instructions)} | ${grouped(c.flash)} | ${grouped(p.flash)} | ${change(c.flash, p.flash)} | ${grouped(p.bytes)} | ${grouped(p.firmwareAllKernels)} | ${grouped(p.ram)} | ${grouped(p.admission)} |`,
  );
  const head =
    "| model | instructions | as a package | change | flash | package + its kernels | change | package | all kernels | RAM | check |";
  process.stdout.write([head, "| --- |" + " ---: |".repeat(10), ...lines, ""].join("\n"));
}
