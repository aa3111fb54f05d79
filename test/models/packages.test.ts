/**
 * Packages of the zoo and of the MLPerf Tiny models: what the node computes from data equals the compiled-in form's
 * reference, on Node.js, host C and Cortex-M4. MLPerf Tiny stands beside the repository; without it that part is skipped.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { runOnNode } from "../../compiler/model/execute/inference.js";
import { loadTflite } from "../../compiler/model/load.js";
import { runPackagesOnBoard } from "../../compiler/model/package/on-board.js";
import { readPackage } from "../../compiler/model/package/read.js";
import { PackageRuntime } from "../../compiler/model/package/runtime.js";
import { packageModel } from "../../compiler/model/package/write.js";
import { quantizeModel } from "../../models/zoo/check.js";
import { zoo } from "../../models/zoo/networks.js";

/** Every third model of the zoo; with TMC_ZOO_SAMPLES all. */
const chosen = zoo.filter((_, i) => i % 3 === 0 || process.env["TMC_ZOO_SAMPLES"] !== undefined);

const folder = join(process.env["TMC_SHARED"] ?? packagePath("..", "shared"), "mlperf-tiny");
const missing = !existsSync(folder);
const title = missing
  ? "packages of MLPerf Tiny (skipped: no folder shared/mlperf-tiny)"
  : "packages of MLPerf Tiny";

describe.skipIf(missing)(title, () => {
  it("give the golden outputs on Cortex-M4 and on Node.js", async () => {
    const runs = ["ad", "kws", "ic", "vww"].map((name) => {
      const input = [new Int8Array(readFileSync(join(folder, name, "input_0.bin")))];
      const bytes = packageModel(loadTflite(join(folder, name, "model.tflite")), { golden: input });
      const golden = new Int8Array(readFileSync(join(folder, name, "output_0.bin")));
      return { name, bytes, inputs: [input], golden };
    });
    const results = await runPackagesOnBoard(findBoard("qemu_cortex_m4"), runs, { warningsAreErrors: true });
    runs.forEach(({ name, bytes, golden }, i) => {
      expect(results[i]?.selfTest, name).toBe(true);
      expect(results[i]?.outputs[0]?.[0]?.join(), name).toBe(golden.join());
      if (name !== "ic" && name !== "vww") {
        expect(new PackageRuntime(readPackage(bytes, name)).selfTest(), name).toBe(true);
      }
    });
  });
});

describe("packages of the zoo", () => {
  it("compute in host C and on Node.js what the models compute", async () => {
    const runs = chosen.map((model) => {
      const { graph, inputs } = quantizeModel(model, undefined, 2);
      const [first = new Int8Array()] = inputs;
      const [expected] = runOnNode(graph, [[first]]);
      return {
        name: model.name,
        bytes: packageModel(graph, { golden: [first] }),
        inputs: [[first]],
        expected,
      };
    });
    const results = await runPackagesOnBoard(findBoard("host"), runs, { warningsAreErrors: true });
    runs.forEach(({ name, bytes, expected }, i) => {
      expect(results[i]?.selfTest, name).toBe(true);
      expect(results[i]?.outputs[0]?.[0]?.join(), name).toBe(expected?.outputs[0]?.join());
      expect(new PackageRuntime(readPackage(bytes, name)).selfTest(), name).toBe(true);
    });
  });
});
