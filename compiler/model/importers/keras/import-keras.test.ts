/** Keras files: values against TensorFlow.js, whose models they are made of, and every refusal. */
import { zipSync } from "fflate";
import type * as Tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { FloatExecutor } from "../../quantize/float-executor.js";
import { loadTf, predict, randomInput, randomizeWeights } from "../../quantize/fixtures/tfjs-models.js";
import { h5File, h5OfModel, kerasOfModel } from "../fixtures/keras-files.js";
import type { LoadedModel } from "../importer.js";
import { loadModel } from "../load-model.js";
import { ModelSource } from "../model-source.js";

const tf = await loadTf();

function network(): Tf.LayersModel {
  const input = tf.input({ shape: [8, 9, 3], name: "image" });
  const conv = (filters: number, name: string): Tf.layers.Layer =>
    tf.layers.conv2d({ filters, kernelSize: 3, padding: "same", activation: "relu", name });
  let x = conv(4, "first").apply(input) as Tf.SymbolicTensor;
  const skip = x;
  x = tf.layers
    .depthwiseConv2d({ kernelSize: 3, padding: "same", useBias: false, name: "deep" })
    .apply(x) as Tf.SymbolicTensor;
  x = tf.layers.batchNormalization({ scale: false, name: "norm" }).apply(x) as Tf.SymbolicTensor;
  x = tf.layers
    .separableConv2d({ filters: 4, kernelSize: 3, padding: "same", depthMultiplier: 1, name: "sep" })
    .apply(x) as Tf.SymbolicTensor;
  x = tf.layers.add({ name: "sum" }).apply([skip, x]) as Tf.SymbolicTensor;
  x = conv(2, "second").apply(x) as Tf.SymbolicTensor;
  x = tf.layers.flatten({ name: "flat" }).apply(x) as Tf.SymbolicTensor;
  x = tf.layers.dense({ units: 3, activation: "softmax", name: "classes" }).apply(x) as Tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: x });
  randomizeWeights(tf, model, 4);
  return model;
}

const groups = ["conv2d", "depthwise_conv2d", "batch_normalization", "separable_conv2d", "conv2d_1", "dense"];

const load = (bytes: Uint8Array, name: string): LoadedModel =>
  loadModel(new ModelSource(name, bytes, () => new Uint8Array(0)));

const codeOf = (bytes: Uint8Array, name: string): unknown => {
  try {
    load(bytes, name);
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return "imported";
};

describe("Keras files compute what TensorFlow.js computes", () => {
  it.each(["h5", "keras"])(".%s", async (kind) => {
    const model = network();
    const bytes = kind === "h5" ? await h5OfModel(model) : await kerasOfModel(model, groups);
    const loaded = load(bytes, `net.${kind}`);
    const input = randomInput(8 * 9 * 3, 8);
    const want = predict(tf, model, input, [8, 9, 3]);
    if (loaded.form !== "float") {
      throw new Error("not float");
    }
    const got = new FloatExecutor(loaded.graph).run(input);
    expect(got.length).toBe(3);
    got.forEach((value, i) => expect(value).toBeCloseTo(want[i] ?? NaN, 5));
  });
});

describe("Keras files that cannot be imported", () => {
  it("refuses cut and foreign files", async () => {
    const h5 = await h5OfModel(network());
    const keras = await kerasOfModel(network(), groups);
    expect(codeOf(h5.subarray(0, h5.length >> 1), "a.h5")).toBe("TMC3209");
    expect(codeOf(h5.subarray(0, 20), "a.h5")).toBe("TMC3209");
    expect(codeOf(Uint8Array.of(1, 2, 3), "a.h5")).toBe("TMC3209");
    expect(codeOf(Uint8Array.of(1, 2, 3), "a.keras")).toBe("TMC3209");
    expect(codeOf(keras.subarray(0, keras.length - 40), "a.keras")).toBe("TMC3209");
    expect(codeOf(zipSync({ "config.json": Buffer.from("{}") }), "a.keras")).toBe("TMC3209");
    // Afterwards whole files are still read.
    expect(codeOf(h5, "a.h5")).toBe("imported");
  });

  it("refuses weights without a model, and a topology that is none", async () => {
    const tensors = { "model_weights/d/d/kernel": { shape: [1, 1], data: Float32Array.of(1) } };
    expect(codeOf(await h5File({ tensors }), "a.h5")).toBe("TMC3201");
    expect(codeOf(await h5File({ config: "{", tensors }), "a.h5")).toBe("TMC3209");
    expect(codeOf(await h5File({ config: "[]", tensors }), "a.h5")).toBe("TMC3201");
  });

  it("refuses missing weights, and weights that are not numbers", async () => {
    const model = network();
    expect(codeOf(await kerasOfModel(model, ["conv2d", "x", "y", "z", "v", "w"]), "a.keras")).toBe("TMC3207");
    const layer = {
      class_name: "Dense",
      config: { name: "d", units: 1, use_bias: false, batch_input_shape: [null, 1] },
    };
    const config = JSON.stringify({ class_name: "Sequential", config: [layer] });
    const kernel = (value: number): Promise<Uint8Array> =>
      h5File({
        config,
        tensors: { "model_weights/d/d/kernel:0": { shape: [1, 1], data: Float32Array.of(value) } },
      });
    expect(codeOf(await kernel(2), "a.h5")).toBe("imported");
    expect(codeOf(await kernel(NaN), "a.h5")).toBe("TMC3202");
  });

  it("refuses a zip that claims to be larger than any model", () => {
    const zip = zipSync({ "config.json": Buffer.from("{}"), "model.weights.h5": Buffer.from("x") });
    const view = new DataView(zip.buffer);
    // The central directory's uncompressed size of the second file.
    for (let at = 0, seen = 0; at + 4 < zip.length; at++) {
      if (view.getUint32(at, true) === 0x02014b50 && ++seen === 2) {
        view.setUint32(at + 24, 0x7fffffff, true);
      }
    }
    expect(codeOf(zip, "a.keras")).toBe("TMC3210");
  });
});
