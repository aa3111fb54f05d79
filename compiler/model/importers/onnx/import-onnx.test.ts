/** ONNX models: values against ONNX Runtime (see `fixtures/onnx-networks.ts`), and every refusal. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../diagnostics/user-error.js";
import { FloatExecutor } from "../../quantize/float-executor.js";
import { foldGraph } from "../../quantize/fold.js";
import { ModelRuntime } from "../../runtime.js";
import { permutation } from "../constants.js";
import { onnxFile, type OnnxFile, type OnnxTensor } from "../fixtures/onnx-file.js";
import { networkInput, onnxNetworks } from "../fixtures/onnx-networks.js";
import type { LoadedModel } from "../importer.js";
import { loadModel } from "../load-model.js";
import { ModelSource } from "../model-source.js";

const expected = JSON.parse(
  readFileSync(new URL("../fixtures/onnx-expected.json", import.meta.url), "utf8"),
) as Record<string, number[]>;

function load(bytes: Uint8Array, files: Readonly<Record<string, Uint8Array>> = {}): LoadedModel {
  return loadModel(
    new ModelSource("net.onnx", bytes, (name) => {
      const found = files[name];
      if (found === undefined) {
        throw new Error("no such file");
      }
      return found;
    }),
  );
}

function network(name: string): OnnxFile {
  const file = onnxNetworks[name];
  if (file === undefined) {
    throw new Error(`no network "${name}"`);
  }
  return file;
}

/** The input as the imported model takes it: [N, H, W, C] where the file has [N, C, H, W]. */
function heldInput(file: OnnxFile): Float32Array {
  const shape = file.input.shape.map((size) => (typeof size === "number" ? size : 1));
  const values = networkInput(file);
  if (file.nodes[0]?.type === "Transpose") {
    return values;
  }
  const from = permutation(shape, [0, ...shape.slice(2).map((_, i) => i + 2), 1]);
  return Float32Array.from(from, (index) => values[index] ?? 0);
}

describe("ONNX models compute what ONNX Runtime computes", () => {
  it.each(Object.keys(onnxNetworks))("%s", (name) => {
    const file = network(name);
    const want = expected[name] ?? [];
    const model = load(onnxFile(file));
    const input = heldInput(file);
    if (model.form === "float") {
      for (const graph of [model.graph, foldGraph(model.graph)]) {
        const got = new FloatExecutor(graph).run(input);
        expect(got.length).toBe(want.length);
        got.forEach((value, i) => expect(value).toBeCloseTo(want[i] ?? NaN, 4));
      }
      return;
    }
    const runtime = new ModelRuntime(model.graph);
    const [into, from] = [model.graph.inputs[0] ?? -1, model.graph.outputs[0] ?? -1].map((tensor) => {
      const { scales = [], zeroPoints = [] } = model.graph.tensors[tensor]?.quantization ?? {};
      return { scale: scales[0] ?? NaN, zero: zeroPoints[0] ?? NaN };
    });
    if (into === undefined || from === undefined) {
      throw new Error("no ends");
    }
    const target = runtime.input(0);
    input.forEach((value, i) => {
      target[i] = Math.max(-128, Math.min(127, Math.round(value / into.scale) + into.zero));
    });
    runtime.invoke();
    const got = Array.from(runtime.output(0), (q) => from.scale * (q - from.zero));
    expect(got.length).toBe(want.length);
    // TFLite's rounding, not ONNX': a step may differ.
    got.forEach((value, i) => expect(Math.abs(value - (want[i] ?? NaN))).toBeLessThan(1.01 * from.scale));
  });

  it("reads data from a file beside the model", () => {
    const file = network("image classifier");
    const w1 = file.constants["w1"] ?? { dims: [], data: new Float32Array(0) };
    const raw = new Uint8Array((w1.data as Float32Array).buffer);
    const bytes = new Uint8Array(raw.length + 16);
    bytes.set(raw, 16);
    const external = { location: "net.onnx.data", offset: "16", length: String(raw.length) };
    const outside = onnxFile({ ...file, constants: { ...file.constants, w1: { ...w1, external } } });
    expect(load(outside, { "net.onnx.data": bytes })).toEqual(load(onnxFile(file)));
  });
});

/** What importing `name` throws after `change`. */
function errorOf(name: string, change: (file: OnnxFile) => Partial<OnnxFile>): UserError {
  const file = network(name);
  try {
    load(onnxFile({ ...file, ...change(file) }));
  } catch (error) {
    if (error instanceof UserError) {
      return error;
    }
    throw error;
  }
  throw new Error("it was imported");
}

/** `file` with another node `index`. */
const withNode = (
  file: OnnxFile,
  index: number,
  change: Partial<OnnxFile["nodes"][number]>,
): Partial<OnnxFile> => ({
  nodes: file.nodes.map((node, i) => (i === index ? { ...node, ...change } : node)),
});

const withConstant = (file: OnnxFile, name: string, tensor: OnnxTensor): Partial<OnnxFile> => ({
  constants: { ...file.constants, [name]: tensor },
});

const cnn = "image classifier";
const qdq = "int8 by QDQ";

describe("ONNX models that cannot be imported", () => {
  it("names an operator that is not supported, and what is", () => {
    const error = errorOf(cnn, (file) => withNode(file, 1, { type: "Einsum" }));
    expect(error.code).toBe("TMC3204");
    expect(error.message).toBe(
      'model "net", node "einsum1" (Einsum) is of an operator that is not supported',
    );
    expect(error.fix).toContain("BatchNormalization");
    expect(errorOf(cnn, (file) => withNode(file, 1, { domain: "my.domain" })).code).toBe("TMC3204");
  });

  it.each([
    ["pads", [-1, 2, 2, 2], "at least 0"],
    ["group", 3, "1, and 3"],
    ["auto_pad", "SAME_LOWER", "SAME_UPPER"],
    ["strides", [0, 1], "at least 1"],
    ["kernel_shape", [5, 5], "[3,3]"],
    ["new_attribute", 1, "absent"],
  ])("names node and attribute: %s", (attribute, value, supported) => {
    const error = errorOf(cnn, (file) =>
      withNode(file, 0, { attributes: { ...file.nodes[0]?.attributes, [attribute]: value } }),
    );
    expect(["TMC3205", "TMC3207"]).toContain(error.code);
    expect(error.message).toContain('model "net", node "conv0" (Conv)');
    if (error.code === "TMC3205") {
      expect(error.message).toContain(attribute);
      expect(error.fix.replaceAll(" ", "")).toContain(supported.replaceAll(" ", ""));
    }
  });

  it("refuses weights that do not fit, and what is computed where a constant is needed", () => {
    const small = { dims: [4, 2, 3, 3], data: new Float32Array(72) };
    expect(errorOf(cnn, (file) => withConstant(file, "w1", small)).code).toBe("TMC3207");
    expect(errorOf(cnn, (file) => withNode(file, 3, { inputs: ["c", "b"] })).code).toBe("TMC3206");
  });

  it("refuses cycles, tensors computed twice, inputs of unknown size", () => {
    expect(errorOf(cnn, (file) => withNode(file, 0, { inputs: ["f", "w1", "b1"] })).message).toContain(
      '"f", which is not computed before it',
    );
    expect(errorOf(cnn, (file) => withNode(file, 1, { outputs: ["a"] })).code).toBe("TMC3206");
    const unknown = errorOf(cnn, () => ({ input: { name: "x", shape: [1, 3, "h", 10] } }));
    expect(unknown).toMatchObject({ code: "TMC3206" });
    expect(unknown.message).toContain("[1, 3, ?, 10]");
    expect(errorOf(cnn, () => ({ outputs: ["nothing"] })).code).toBe("TMC3206");
  });

  it("refuses weights that are not numbers or not there", () => {
    const data = Float32Array.of(NaN, 0, 0, 0);
    expect(errorOf(cnn, (file) => withConstant(file, "b1", { dims: [4], data })).code).toBe("TMC3202");
    expect(errorOf(cnn, (file) => withConstant(file, "b1", { dims: [5], data })).code).toBe("TMC3202");
    const external = (location: string): Partial<OnnxFile> =>
      withConstant(network(cnn), "b1", { dims: [4], data, external: { location } });
    expect(errorOf(cnn, () => external("../b1.bin")).code).toBe("TMC3211");
    expect(errorOf(cnn, () => external("b1.bin")).code).toBe("TMC3200");
  });

  it("refuses absurd sizes before anything is allocated", () => {
    expect(errorOf(cnn, () => ({ input: { name: "x", shape: [1, 3, 100000, 100000] } })).code).toBe(
      "TMC3210",
    );
    const external = { location: "w" };
    const huge = { dims: [60000, 60000], data: new Float32Array(0), external };
    expect(errorOf(cnn, (file) => withConstant(file, "b1", huge)).code).toBe("TMC3200");
    const nodes = Array.from({ length: 4097 }, (_, i) => ({
      type: "Relu",
      inputs: [i === 0 ? "x" : `t${i}`],
      outputs: [`t${i + 1}`],
    }));
    expect(errorOf(cnn, () => ({ nodes })).code).toBe("TMC3210");
  });

  it("refuses what is no ONNX model", () => {
    expect(() => load(Uint8Array.of(1, 2, 3))).toThrow(expect.objectContaining({ code: "TMC3209" }));
    expect(() => load(new Uint8Array(0))).toThrow(expect.objectContaining({ code: "TMC3209" }));
    const whole = onnxFile(network(cnn));
    expect(() => load(whole.subarray(0, whole.length - 30))).toThrow(
      expect.objectContaining({ code: "TMC3209" }),
    );
  });

  it("refuses quantisation that int8 layers cannot do exactly", () => {
    const asymmetric = errorOf(qdq, (file) =>
      withConstant(file, "zw1", { dims: [4], data: Int8Array.of(0, 1, 0, 0) }),
    );
    expect(asymmetric).toMatchObject({ code: "TMC3212" });
    expect(asymmetric.message).toContain("zero point other than 0");
    const wrongBias = { dims: [4], data: Float32Array.of(1, 1, 1, 1) };
    expect(errorOf(qdq, (file) => withConstant(file, "sb1", wrongBias)).message).toContain(
      "scale of its bias",
    );
    // The second dense layer without QuantizeLinear behind it.
    const open = errorOf(qdq, (file) => ({ nodes: file.nodes.slice(0, -2), outputs: ["e"] }));
    expect(open).toMatchObject({ code: "TMC3212" });
    expect(open.message).toContain("computed in float");
    const mixed = errorOf(qdq, (file) => withNode(file, 8, { inputs: ["b"] }));
    expect(mixed.message).toContain('reads "b" in float');
    const perChannel = { dims: [36], data: new Float32Array(36).fill(1) };
    expect(
      errorOf(qdq, (file) => ({
        constants: { ...file.constants, sa: perChannel, za: { dims: [36], data: new Int8Array(36) } },
      })).code,
    ).toBe("TMC3212");
  });
});
