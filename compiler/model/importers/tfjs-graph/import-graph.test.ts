/** TensorFlow.js graph models: values against TensorFlow.js, which executes them, and every refusal. */
import type * as Tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../diagnostics/user-error.js";
import { FloatExecutor } from "../../quantize/float-executor.js";
import type { FloatGraph } from "../../quantize/float-graph.js";
import { loadTf, randomInput } from "../../quantize/fixtures/tfjs-models.js";
import { foldGraph } from "../../quantize/fold.js";
import { graphModels, type GraphModelFile, type JsonNode } from "../fixtures/graph-models.js";
import { loadModel } from "../load-model.js";
import { ModelSource } from "../model-source.js";
import { operations } from "./operations.js";

const tf = await loadTf();

function load({ json, weights, bytes }: GraphModelFile): FloatGraph {
  const whole = { ...json, weightsManifest: [{ paths: ["shard.bin"], weights }] };
  const source = new ModelSource("model.json", Buffer.from(JSON.stringify(whole)), () => bytes);
  return loadModel(source).graph as FloatGraph;
}

async function predict(file: GraphModelFile, input: Float32Array): Promise<Float32Array> {
  const { modelTopology, signature } = file.json;
  const artifacts = {
    modelTopology,
    signature,
    format: "graph-model",
    weightSpecs: file.weights,
    weightData: new Uint8Array(file.bytes).buffer,
  };
  const model = await tf.loadGraphModel({ load: () => Promise.resolve(artifacts) });
  return tf.tidy(() => {
    const output = model.predict(tf.tensor(input, [1, ...file.inputShape])) as Tf.Tensor;
    return Float32Array.from(output.dataSync());
  });
}

describe("graph models compute what TensorFlow.js computes", () => {
  it.each(Object.keys(graphModels))("%s", async (name) => {
    const file = graphModels[name]?.();
    if (file === undefined) {
      throw new Error("no model");
    }
    const input = randomInput(
      file.inputShape.reduce((a, b) => a * b, 1),
      3,
    );
    const want = await predict(file, input);
    const graph = load(file);
    for (const form of [graph, foldGraph(graph)]) {
      const got = new FloatExecutor(form).run(input);
      expect(got.length).toBe(want.length);
      got.forEach((value, i) => expect(value).toBeCloseTo(want[i] ?? NaN, 4));
    }
  });

  it("has a test for every operation but those that are another one's older name", () => {
    const used = new Set(
      Object.values(graphModels).flatMap((make) => make().json.modelTopology.node.map((n) => n.op)),
    );
    const synonyms = ["FusedBatchNorm", "FusedBatchNormV2", "BatchMatMulV2", "StopGradient"];
    expect(Object.keys(operations).filter((op) => !used.has(op) && !synonyms.includes(op))).toEqual([]);
  });
});

/** What importing "separate operations" throws after `change`. */
function errorOf(change: (node: (name: string) => JsonNode, file: GraphModelFile) => void): UserError {
  const file = graphModels["separate operations"]?.();
  if (file === undefined) {
    throw new Error("no model");
  }
  const find = (name: string): JsonNode => {
    const node = file.json.modelTopology.node.find((candidate) => candidate.name === name);
    if (node === undefined) {
      throw new Error(`no node ${name}`);
    }
    return node;
  };
  change(find, file);
  try {
    load(file);
  } catch (error) {
    if (error instanceof UserError) {
      return error;
    }
    throw error;
  }
  throw new Error("it was imported");
}

describe("graph models that cannot be imported", () => {
  it("names an operation that is not supported, and what is", () => {
    const error = errorOf((node) => (node("d").op = "Elu"));
    expect(error.code).toBe("TMC3204");
    expect(error.message).toBe('model "model", node "d" (Elu) is of an operation that is not supported');
    expect(error.fix).toContain("_FusedConv2D");
  });

  it.each([
    ["a", "data_format", { s: Buffer.from("NCHW").toString("base64") }],
    ["a", "strides", { list: { i: ["2", "2", "2", "1"] } }],
    ["a", "padding", { s: Buffer.from("EXPLICIT").toString("base64") }],
    ["c", "is_training", { b: true }],
    ["k", "transpose_a", { b: true }],
    ["k", "fused_ops", { list: { s: [Buffer.from("Elu").toString("base64")] } }],
  ])("names node and attribute: %s, %s", (name, attribute, value) => {
    const error = errorOf((node) => (node(name).attr[attribute] = value));
    expect(error.code).toBe("TMC3205");
    expect(error.message).toContain(`model "model", node "${name}"`);
    expect(error.message).toContain(`${attribute} = `);
  });

  it("refuses cycles, missing nodes, other outputs than the first, names used twice", () => {
    expect(errorOf((node) => (node("a").input[0] = "k")).message).toContain("cycle");
    expect(errorOf((node) => (node("a").input[0] = "nothing")).code).toBe("TMC3206");
    expect(errorOf((node) => (node("d").input[0] = "c:1")).message).toContain('reads "c:1"');
    expect(errorOf((node) => (node("d").name = "c")).code).toBe("TMC3206");
  });

  it("refuses inputs of unknown size, weights that are missing or do not fit, and what is no graph", () => {
    const size = (text: string): object => ({
      shape: { dim: [{ size: "-1" }, { size: text }, { size: "7" }, { size: "2" }] },
    });
    expect(errorOf((node) => (node("x").attr["shape"] = size("-1"))).message).toContain("[?, ?, 7, 2]");
    expect(errorOf((node) => (node("x").attr["shape"] = size("1000000000"))).code).toBe("TMC3210");
    expect(errorOf((node) => (node("a").input[1] = "w2")).code).toBe("TMC3207");
    expect(errorOf((_, file) => (file.json.modelTopology.node[0] = { name: "q" } as JsonNode)).code).toBe(
      "TMC3201",
    );
    const gone = errorOf((_, file) => {
      const [first] = file.weights;
      if (first !== undefined) first.name = "other";
    });
    expect(gone.message).toContain('no weight "w1"');
  });
});
