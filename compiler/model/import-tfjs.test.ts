/** The importer against TensorFlow.js itself on networks of all supported layers, and its messages on damaged models. */
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UserError } from "../diagnostics/user-error.js";
import { importTfjs } from "./import-tfjs.js";
import { layerImporters, supportedLayers } from "./import-tfjs-layers.js";
import { FloatExecutor } from "./quantize/float-executor.js";
import {
  loadTf,
  predict,
  randomInput,
  randomizeWeights,
  sampleNetworks,
  saveModel,
  withDirectory,
} from "./quantize/fixtures/tfjs-models.js";
import { foldGraph } from "./quantize/fold.js";

const tf = await loadTf();
const networks = sampleNetworks(tf);

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] ?? NaN))), 0);
}

describe("TensorFlow.js layers models", () => {
  for (const [name, { model: build, shape }] of Object.entries(networks)) {
    it(`computes what TensorFlow.js computes, before and after folding: ${name}`, async () => {
      await withDirectory(async (directory) => {
        const model = build();
        randomizeWeights(tf, model, 5);
        const graph = importTfjs(await saveModel(model, directory));
        const folded = foldGraph(graph);
        const plain = new FloatExecutor(graph);
        const fused = new FloatExecutor(folded);
        const size = shape.reduce((a, b) => a * b, 1);
        for (let seed = 1; seed <= 5; seed++) {
          const input = randomInput(size, seed);
          const truth = predict(tf, model, input, shape);
          const scale = truth.reduce((a, v) => Math.max(a, Math.abs(v)), 0.1);
          expect(largestDifference(plain.run(input), truth) / scale).toBeLessThan(1e-5);
          expect(largestDifference(fused.run(input), truth) / scale).toBeLessThan(1e-5);
        }
      });
    });
  }

  it("has a test for every supported layer", async () => {
    const seen = new Set<string>();
    for (const { model } of Object.values(networks)) {
      for (const layer of model().layers) {
        seen.add(layer.getClassName());
      }
    }
    const onlyTraining = ["SpatialDropout1D", "GaussianNoise", "GaussianDropout"];
    const onlyKeras = ["Subtract"];
    expect(
      supportedLayers().filter((name) => !seen.has(name) && ![...onlyTraining, ...onlyKeras].includes(name)),
    ).toEqual([]);
    expect(layerImporters["Dropout"]).toBe(layerImporters["GaussianNoise"]);
  });
});

interface Json {
  [key: string]: Json & Json[] & string & number;
}

/** Saves a small model, lets `damage` change its files or its model.json, and gives the error that importing it throws. */
async function errorAfter(damage: (json: Json, directory: string) => void): Promise<UserError> {
  return withDirectory(async (directory) => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [6, 6, 1], filters: 2, kernelSize: 3, name: "first" }),
        tf.layers.flatten({ name: "flat" }),
        tf.layers.dense({ units: 2, name: "last" }),
      ],
    });
    const file = await saveModel(model, directory);
    const json = JSON.parse(readFileSync(file, "utf8")) as Json;
    damage(json, directory);
    writeFileSync(file, JSON.stringify(json));
    try {
      importTfjs(file);
    } catch (error) {
      if (error instanceof UserError) {
        return error;
      }
      throw error;
    }
    throw new Error("the damaged model was imported");
  });
}

const layerOf = (json: Json, index: number) => {
  const layer = json["modelTopology"]?.["config"]?.["layers"]?.[index];
  if (layer === undefined) {
    throw new Error(`no layer ${index}`);
  }
  return layer;
};

describe("models that cannot be imported", () => {
  it("names a missing shard", async () => {
    const error = await errorAfter((_, directory) => rmSync(join(directory, "shard2.bin")));
    expect(error.code).toBe("TMC3200");
    expect(error.message).toContain("shard2.bin");
  });

  it("names the weight in which a shard ends", async () => {
    const error = await errorAfter((_, directory) => truncateSync(join(directory, "shard2.bin"), 8));
    expect(error.code).toBe("TMC3202");
    expect(error.message).toMatch(/the weights end inside "last\/kernel"/);
  });

  it("refuses bytes that no weight claims", async () => {
    const error = await errorAfter((_, directory) =>
      writeFileSync(join(directory, "shard2.bin"), Buffer.alloc(4096)),
    );
    expect(error.code).toBe("TMC3202");
  });

  it("refuses weights that are not finite", async () => {
    const error = await errorAfter((_, directory) => {
      const bytes = readFileSync(join(directory, "shard1.bin"));
      bytes.writeFloatLE(NaN, 0);
      writeFileSync(join(directory, "shard1.bin"), bytes);
    });
    expect(error).toMatchObject({ code: "TMC3202" });
    expect(error.message).toContain("first/kernel");
  });

  it("names an unknown layer, its class and what is supported", async () => {
    const error = await errorAfter((json) => Object.assign(layerOf(json, 1), { class_name: "LSTM" }));
    expect(error.code).toBe("TMC3204");
    expect(error.message).toBe('layer "flat" is of class LSTM, which is not supported');
    expect(error.fix).toContain("DepthwiseConv2D");
  });

  it.each([
    [0, "data_format", "channels_first", '"channels_last"'],
    [0, "activation", "elu", '"linear", "relu", "relu6", "sigmoid", "softmax", "tanh"'],
    [0, "padding", "causal", '"same", "valid"'],
    [0, "strides", [1, 0], "2 positive integers"],
    [0, "kernel_size", "3", "2 positive integers"],
    [0, "filters", -2, "a positive integer"],
    [2, "units", 1.5, "a positive integer"],
  ])("names attribute of layer %i: %s = %j", async (index, attribute, value, supported) => {
    const error = await errorAfter((json) =>
      Object.assign(layerOf(json, index)["config"] ?? {}, { [attribute]: value }),
    );
    expect(error.code).toBe("TMC3205");
    expect(error.message).toContain(`${attribute} = ${JSON.stringify(value)}`);
    expect(error.message).toContain(index === 0 ? '"first" (Conv2D)' : '"last" (Dense)');
    expect(error.fix).toContain(supported);
  });

  it.each([
    ["Concatenate", { axis: 5 }, "TMC3207"],
    [
      "ZeroPadding2D",
      {
        padding: [
          [1, -1],
          [0, 0],
        ],
      },
      "TMC3205",
    ],
    ["ZeroPadding2D", { padding: [1, 2, 3] }, "TMC3205"],
    [
      "Cropping2D",
      {
        cropping: [
          [2, 2],
          [0, 0],
        ],
      },
      "TMC3207",
    ],
    ["UpSampling2D", { interpolation: "bilinear" }, "TMC3205"],
    ["UpSampling2D", { size: 0 }, "TMC3205"],
    ["Permute", { dims: [1, 1, 2] }, "TMC3205"],
    ["Permute", {}, "TMC3205"],
    ["Multiply", {}, "TMC3207"],
    ["Add", {}, "TMC3207"],
    ["LeakyReLU", { alpha: "steep" }, "TMC3205"],
    ["ReLU", { negative_slope: 0.1, max_value: 6 }, "TMC3205"],
    ["PReLU", {}, "TMC3207"],
  ])("refuses %s with %j", async (className, config, code) => {
    const error = await errorAfter((json) => {
      Object.assign(layerOf(json, 1), { class_name: className });
      Object.assign(layerOf(json, 1)["config"] ?? {}, config);
    });
    expect(error.code).toBe(code);
    expect(error.message).toContain('layer "flat"');
  });

  it("tells when weights do not fit the topology", async () => {
    const error = await errorAfter((json) => Object.assign(layerOf(json, 2)["config"] ?? {}, { units: 3 }));
    expect(error.code).toBe("TMC3207");
    expect(error.message).toContain('weight "last/kernel" has shape [32, 2], the topology asks for [32, 3]');
  });

  it("tells when a window is larger than its input", async () => {
    const error = await errorAfter((json) =>
      Object.assign(layerOf(json, 0)["config"] ?? {}, { kernel_size: [7, 7] }),
    );
    expect(error).toMatchObject({ code: "TMC3207" });
    expect(error.message).toContain("7 x 7 does not fit");
  });

  it("refuses inputs of unknown size, and what is not a model", async () => {
    const unknown = await errorAfter((json) =>
      Object.assign(layerOf(json, 0)["config"] ?? {}, { batch_input_shape: [null, null, 6, 1] }),
    );
    expect(unknown.code).toBe("TMC3206");
    expect((await errorAfter((json) => Object.assign(json, { format: "graph-model" }))).code).toBe("TMC3201");
    expect((await errorAfter((json) => Object.assign(json, { modelTopology: {} }))).code).toBe("TMC3201");
    expect((await errorAfter((json) => Object.assign(json, { modelTopology: 3 }))).code).toBe("TMC3201");
    await withDirectory((directory) => {
      const file = join(directory, "model.json");
      expect(() => importTfjs(file)).toThrow(expect.objectContaining({ code: "TMC3034" }));
      writeFileSync(file, "{");
      expect(() => importTfjs(file)).toThrow(expect.objectContaining({ code: "TMC3201" }));
    });
  });

  it("refuses shared layers and several inputs", async () => {
    await withDirectory(async (directory) => {
      const a = tf.input({ shape: [4], name: "a" });
      const b = tf.input({ shape: [4], name: "b" });
      const sum = tf.layers.add().apply([a, b]) as typeof a;
      const two = await saveModel(tf.model({ inputs: [a, b], outputs: sum }), directory);
      expect(() => importTfjs(two)).toThrow(expect.objectContaining({ code: "TMC3206" }));
      const dense = tf.layers.dense({ units: 4, name: "twice" });
      const once = dense.apply(a) as typeof a;
      const shared = await saveModel(
        tf.model({ inputs: a, outputs: dense.apply(once) as typeof a }),
        directory,
      );
      expect(() => importTfjs(shared)).toThrow(/layer "twice" is used 2 times/);
    });
  });

  it("reads weights that the converter quantised to uint8, uint16 and float16", async () => {
    await withDirectory(async (directory) => {
      const values = Buffer.alloc(8);
      values.writeUInt8(200, 0); // uint8: 200 * 0.5 - 10 = 90
      values.writeUInt8(0, 1);
      values.writeUInt16LE(0x3c00, 2); // float16: 1
      values.writeUInt16LE(0xc100, 4); // float16: -2.5
      writeFileSync(join(directory, "w.bin"), values.subarray(0, 6));
      const weights = [
        {
          name: "d/kernel",
          shape: [1, 2],
          dtype: "float32",
          quantization: { dtype: "uint8", scale: 0.5, min: -10 },
        },
        { name: "d/bias", shape: [2], dtype: "float32", quantization: { dtype: "float16" } },
      ];
      const layer = { class_name: "Dense", config: { name: "d", units: 2, batch_input_shape: [null, 1] } };
      writeFileSync(
        join(directory, "model.json"),
        JSON.stringify({
          modelTopology: { class_name: "Sequential", config: [layer] },
          weightsManifest: [{ paths: ["w.bin"], weights }],
        }),
      );
      const graph = importTfjs(join(directory, "model.json"));
      expect(Array.from(new FloatExecutor(graph).run(Float32Array.of(1)))).toEqual([91, -12.5]);
    });
  });
});
