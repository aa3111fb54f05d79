/** Removing constant channels keeps every bit of every layer, on random networks with filters of zeros. */
import { describe, expect, it } from "vitest";
import { GraphBuilder, network, Random, randomInputs } from "../../../test/models/random-graphs.js";
import { runOnNode } from "../execute/inference.js";
import { elementCount, tensorAt, type Graph } from "../graph.js";
import { layerMacs, type Layer } from "../layers.js";
import { lower } from "../lower.js";
import { executeLayer } from "../runtime.js";
import { constantChannels } from "./constant-outputs.js";
import { removeConstantChannels, type NarrowedModel } from "./remove-constant-channels.js";

/** Every tensor that the narrowed layers compute, made whole again. */
function runNarrowed({ graph, layers, narrow }: NarrowedModel, inputs: readonly Int8Array[]) {
  const values = new Map<number, Int8Array>();
  graph.tensors.forEach((tensor, i) => {
    values.set(i, tensor.data instanceof Int8Array ? tensor.data : new Int8Array(elementCount(tensor.shape)));
  });
  graph.inputs.forEach((tensor, i) => values.set(tensor, inputs[i] ?? new Int8Array()));
  const view = (tensor: number): Int8Array => values.get(tensor) ?? new Int8Array();
  layers.forEach((layer) => executeLayer(layer, view));
  return layers.map(({ output }) => {
    const own = narrow.get(output);
    const data = view(output);
    return own === undefined
      ? [...data]
      : Array.from({ length: (data.length / own.kept.length) * own.channels }, (_, i) => {
          const at = own.kept.indexOf(i % own.channels);
          return at < 0
            ? (own.constants[i % own.channels] ?? 0)
            : (data[Math.floor(i / own.channels) * own.kept.length + at] ?? 0);
        });
  });
}

function macs(layers: readonly Layer[]): number {
  return layers.reduce((sum, layer) => sum + layerMacs(layer), 0);
}

/** Pointwise, depthwise, pointwise, as MobileNets repeat them; every other filter of the first is zero. */
function mobile(padding: "same" | "valid", zeroPoint: number): Graph {
  const b = new GraphBuilder(new Random(5), true);
  const pointwise = { ...{ filterHeight: 1, filterWidth: 1, strideHeight: 1, strideWidth: 1 }, padding };
  let x = b.conv2D(b.input([1, 6, 6, 8]), { ...pointwise, channels: 16 });
  const filter = b.tensors[(b.operators[0] as { filter: number }).filter]?.data as Int8Array;
  for (let c = 0; c < 16; c += 2) {
    filter.fill(0, c * 8, c * 8 + 8);
  }
  x = b.depthwiseConv2D(x, { ...pointwise, filterHeight: 3, filterWidth: 3, multiplier: 1 });
  b.outputs.push(b.conv2D(x, { ...pointwise, channels: 8 }));
  b.tensors.forEach((tensor, i) => {
    if (tensor.data === undefined) {
      const scales = tensor.quantization?.scales ?? [1];
      b.tensors[i] = { ...tensor, quantization: { scales, zeroPoints: [zeroPoint], axis: 0 } };
    }
  });
  return b.graph("mobile");
}

describe("removing constant channels", () => {
  it("keeps every bit of every layer, also where windows pad", () => {
    let removed = 0;
    const graphs = [
      ...Array.from({ length: 150 }, (_, seed) => network(seed, true)),
      ...Array.from({ length: 50 }, (_, seed) => network(seed)),
      ...(["same", "valid"] as const).flatMap((padding) =>
        [-128, 0, 100].map((zero) => mobile(padding, zero)),
      ),
    ];
    graphs.forEach((graph, seed) => {
      const inputs = randomInputs(graph, 2, seed);
      const narrowed = removeConstantChannels(graph, lower(graph));
      removed += macs(lower(graph)) - macs(narrowed.layers) > 0 ? 1 : 0;
      const whole = runOnNode(graph, inputs);
      inputs.forEach((input, i) => {
        const layers = runNarrowed(narrowed, input);
        whole[i]?.layers.forEach(({ operator, data }, at) => {
          expect({ seed, operator, data: layers[at] }).toEqual({ seed, operator, data: [...data] });
        });
      });
    });
    expect(removed).toBeGreaterThan(20);
  });
  it("removes half of the channels where half of the filters are zero", () => {
    const graph = mobile("valid", -128);
    const { graph: after, narrow } = removeConstantChannels(graph, lower(graph));
    const [first, second] = graph.operators;
    const kept = narrow.get(first?.output ?? -1)?.kept ?? [];
    expect(kept.length).toBeLessThanOrEqual(8);
    expect(narrow.get(second?.output ?? -1)?.kept).toEqual(kept);
    expect(tensorAt(after, second?.output ?? -1).shape.at(-1)).toBe(kept.length);
    expect(narrow.has(graph.outputs[0] ?? -1)).toBe(false);
  });
  it("finds only channels that are constant", () => {
    for (let seed = 0; seed < 40; seed++) {
      const graph = network(seed, true);
      const constants = constantChannels(graph, lower(graph));
      for (const { layers } of runOnNode(graph, randomInputs(graph, 3, seed))) {
        for (const { tensor, data } of layers) {
          const values = constants.get(tensor) ?? [];
          data.forEach((value, i) => {
            expect(values[i % values.length] ?? value).toBe(value);
          });
        }
      }
    }
  });
});
