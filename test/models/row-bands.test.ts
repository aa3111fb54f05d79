/**
 * Chains of layers in bands of rows (memory goal "least"): less memory, and the same bits as the whole graph on Node.js, on
 * host C with sanitizers and on Cortex-M4. Random chains of convolutions and pooling, odd sizes, strides, paddings.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { compileModel, type CompiledModel } from "../../compiler/model/compile.js";
import { describeDifference, firstDifference } from "../../compiler/model/execute/compare.js";
import { runOnNode, type Inference } from "../../compiler/model/execute/inference.js";
import { runOnBoard, type BoardRunOptions } from "../../compiler/model/execute/on-board.js";
import { lower } from "../../compiler/model/lower.js";
import { cutIntoBands, isChain } from "../../compiler/model/passes/row-bands.js";
import { planReport } from "../../compiler/model/plan-report.js";
import { chain, randomInputs } from "./random-graphs.js";

// TMC_CHAINS=40 runs that many; by default few that differ: chains of 2 to 6 layers, pools, odd bands, constant channels.
const more = Number(process.env["TMC_CHAINS"] ?? 0);
const seeds = more > 0 ? Array.from({ length: more }, (_, seed) => seed) : [4, 10, 17, 31, 34, 36];
const graphs = seeds.map((seed) => chain(seed));
const runs = graphs.map((graph, i) => ({
  model: { name: graph.name, graph, memory: "least" as const },
  inputs: randomInputs(graph, 2, i),
}));
let compiled: CompiledModel[];
let node: Inference[][];

beforeAll(() => {
  compiled = graphs.map((graph) => compileModel(graph, "least"));
  node = runs.map(({ model, inputs }) => runOnNode(model.graph, inputs));
});

async function expectEqual(board: string, options: BoardRunOptions): Promise<void> {
  const results = await runOnBoard(findBoard(board), runs, { warningsAreErrors: true, ...options });
  const differences = runs.flatMap(({ model, inputs }, m) =>
    inputs.flatMap((_, i) => {
      const own = results[m]![i]!;
      // The tensors inside a chain are not computed whole; all others are.
      const inside = (compiled[m]?.bands?.bands[0]?.length ?? 1) - 1;
      expect(own.layers.length).toBe(model.graph.operators.length - inside);
      const difference = firstDifference(model.graph, node[m]![i]!, own);
      return difference === undefined
        ? []
        : [`${model.name}: ${describeDifference(difference, "on node", `on ${board}`)}`];
    }),
  );
  expect(differences).toEqual([]);
}

describe("chains in bands of rows", () => {
  it("need less memory, and never more", () => {
    const banded = compiled.filter(({ bands }) => bands !== undefined);
    expect(banded.length).toBeGreaterThan(graphs.length / 2);
    for (const [i, { bands, plan }] of compiled.entries()) {
      const whole = compileModel(graphs[i]!);
      expect(plan.arenaBytes).toBeLessThanOrEqual(whole.plan.arenaBytes);
      if (bands !== undefined) {
        // The chain is one of fewer layers.
        expect(compiled[i]!.layers.length).toBe(whole.layers.length - (bands.last - bands.first));
        expect(planReport(compiled[i]!).bands?.count).toBe(bands.bands.length);
      }
    }
    const counts = new Set(banded.map(({ bands }) => bands?.bands.length));
    expect(counts.size).toBeGreaterThan(1);
    expect(banded.some(({ bands }) => bands !== undefined && bands.last - bands.first > 1)).toBe(true);
    expect(banded.some(({ bands }) => bands !== undefined && bands.extraMacs > 0)).toBe(true);
  });
  it("compute every row of the output once, and of the layers before at least once", () => {
    for (const graph of graphs) {
      const layers = lower(graph);
      for (let last = 1; last < layers.length && isChain(graph, layers, 0, last); last++) {
        const bands = cutIntoBands(layers, 0, last, 3);
        bands?.bands[0]?.forEach((_, j) => {
          const rows = bands.bands.flatMap((steps) => {
            const step = steps[j]!;
            return Array.from({ length: step.layer.geometry.outputHeight }, (__, r) => step.outputRow + r);
          });
          const layer = layers[j]!;
          const height = "geometry" in layer ? layer.geometry.outputHeight : 0;
          // Rows that no later window reaches (stride above the window) need not be computed.
          expect(Math.max(...rows)).toBeLessThan(height);
          if (j === last) {
            expect(rows).toEqual(Array.from({ length: height }, (__, r) => r));
          }
        });
      }
    }
  });
  it("equal host C, clang with address and undefined-behaviour sanitizers", () =>
    expectEqual("host", { cc: "clang", sanitize: true }));
  it("equal Cortex-M4 in QEMU", () => expectEqual("qemu_cortex_m4", {}));
});
