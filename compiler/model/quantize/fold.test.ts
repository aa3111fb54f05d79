/** What folding leaves: the operators, not their values (`import-tfjs.test.ts` compares these with TensorFlow.js). */
import { describe, expect, it } from "vitest";
import type { Graph, Operator } from "../graph.js";
import { importTfjs } from "../import-tfjs.js";
import {
  loadTf,
  randomizeWeights,
  sampleNetworks,
  saveModel,
  withDirectory,
} from "./fixtures/tfjs-models.js";
import { foldGraph } from "./fold.js";

const tf = await loadTf();

async function fold(name: string): Promise<Graph> {
  return withDirectory(async (directory) => {
    const model = sampleNetworks(tf)[name]?.model();
    if (model === undefined) {
      throw new Error(`no network "${name}"`);
    }
    randomizeWeights(tf, model, 5);
    return foldGraph(importTfjs(await saveModel(model, directory)));
  });
}

const outline = (operator: Operator): string =>
  "activation" in operator ? `${operator.kind} ${operator.activation}` : operator.kind;

describe("folding", () => {
  it("puts normalisation and activation into convolutions, and keeps what it cannot as operators", async () => {
    const graph = await fold("sequential image classifier");
    expect(graph.operators.map(outline)).toEqual([
      "Conv2D relu",
      // Normalisation after an activation.
      "DepthwiseConv2D none",
      "DepthwiseConv2D relu6",
      "AveragePool2D none",
      "DepthwiseConv2D none",
      "Conv2D relu6",
      "AveragePool2D none",
      "Reshape",
      "FullyConnected relu",
      "Reshape",
      "DepthwiseConv2D none",
      "Reshape",
      "FullyConnected none",
      "Softmax",
    ]);
  });

  it("leaves alone what has a second reader", async () => {
    const graph = await fold("residual network with shared readers");
    expect(graph.operators.map(outline)).toEqual([
      "Conv2D none",
      "Relu",
      "DepthwiseConv2D none",
      "Conv2D none",
      "Add none",
      "Add relu6",
      "MaxPool2D none",
      "Reshape",
      "FullyConnected none",
      "Reshape",
    ]);
  });

  it("merges reshapes, and numbers tensors in the order of execution without gaps", async () => {
    for (const name of Object.keys(sampleNetworks(tf))) {
      const graph = await fold(name);
      const outputs = graph.operators.map((operator) => operator.output);
      expect(outputs).toEqual(outputs.toSorted((a, b) => a - b));
      const used = new Set([...graph.inputs, ...outputs]);
      graph.tensors.forEach((tensor, index) => expect(used.has(index)).toBe(tensor.data === undefined));
      graph.operators.forEach((operator, i) => {
        const next = graph.operators[i + 1];
        expect(
          next?.kind === "Reshape" && operator.kind === "Reshape" && next.input === operator.output,
        ).toBe(false);
      });
    }
  });
});
