/**
 * The four int8 models of MLPerf Tiny against golden data of TFLite Micro's reference kernels: every golden input, output
 * and layer, on Node.js, host C and Cortex-M4. The data stands beside the repository; without it nothing runs here.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { layerFileName } from "../../compiler/model/execute/golden.js";
import { joinTensors, runOnNode, type Inference } from "../../compiler/model/execute/inference.js";
import { runOnBoard, type BoardRunOptions } from "../../compiler/model/execute/on-board.js";
import { loadTflite } from "../../compiler/model/load.js";

const folder = join(process.env["TMC_SHARED"] ?? packagePath("..", "shared"), "mlperf-tiny");
const missing = !existsSync(folder);
const models = ["ad", "kws", "ic", "vww"];

function load(name: string) {
  const graph = loadTflite(join(folder, name, "model.tflite"));
  const cases = readdirSync(join(folder, name))
    .map((file) => /^input_(\d+)\.bin$/.exec(file)?.[1])
    .filter((k) => k !== undefined);
  const inputs = cases.map((k) => [new Int8Array(readFileSync(join(folder, name, `input_${k}.bin`)))]);
  return { name, graph, cases, inputs, model: { name, graph } };
}

/** Compares with every golden file and counts them. */
function compareWithGolden(
  name: string,
  k: string,
  inference: Inference,
): { layers: number; differing: string[] } {
  const differing: string[] = [];
  const golden = join(folder, name, `output_${k}.bin`);
  if (!readFileSync(golden).equals(joinTensors(inference.outputs))) {
    differing.push(golden);
  }
  const layerFolder = join(folder, name, `layers_${k}`);
  const files = existsSync(layerFolder) ? readdirSync(layerFolder) : [];
  for (const { operator, tensor, data } of inference.layers) {
    const file = layerFileName(operator, tensor);
    if (files.includes(file) && !readFileSync(join(layerFolder, file)).equals(joinTensors([data]))) {
      differing.push(join(layerFolder, file));
    }
  }
  const computed = new Set(inference.layers.map(({ operator, tensor }) => layerFileName(operator, tensor)));
  differing.push(...files.filter((file) => !computed.has(file)).map((file) => `${file} was not computed`));
  return { layers: files.length, differing };
}

const title = missing ? "MLPerf Tiny models (skipped: no folder shared/mlperf-tiny)" : "MLPerf Tiny models";

describe.skipIf(missing)(title, () => {
  it.each(models)("%s is exact on Node.js", (name) => {
    const { graph, cases, inputs } = load(name);
    const results = runOnNode(graph, inputs);
    const checked = cases.map((k, i) => compareWithGolden(name, k, results[i]!));
    expect(checked.flatMap(({ differing }) => differing)).toEqual([]);
    expect(cases.length).toBe(10);
    expect(checked.reduce((sum, { layers }) => sum + layers, 0)).toBeGreaterThan(25);
  });
  const targets: readonly (readonly [string, string, BoardRunOptions])[] = [
    ["host C, gcc", "host", {}],
    ["host C, clang with sanitizers", "host", { cc: "clang", sanitize: true }],
    ["Cortex-M4 in QEMU", "qemu_cortex_m4", {}],
  ];
  it.each(targets)("all four are exact on %s", async (_, board, options) => {
    const runs = models.map(load);
    const results = await runOnBoard(findBoard(board), runs, { warningsAreErrors: true, ...options });
    const differing = runs.flatMap(({ name, cases }, m) =>
      cases.flatMap((k, i) => compareWithGolden(name, k, results[m]![i]!).differing),
    );
    expect(differing).toEqual([]);
  });
});
