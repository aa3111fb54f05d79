/** Reading .tflite files: what is understood, what is refused and with which words, and files made to harm. */
import { describe, expect, it } from "vitest";
import { UserError } from "../../diagnostics/user-error.js";
import { emitModels } from "../emit-c/emit.js";
import { elementCount, type Graph } from "../graph.js";
import { layerMacs } from "../layers.js";
import { lower } from "../lower.js";
import { planMemory } from "../plan.js";
import { ModelRuntime } from "../runtime.js";
import { readTflite } from "./read.js";
import {
  buildFile,
  convOptions,
  float32,
  int32,
  int8,
  smallFile,
  type FileDescription,
} from "../../../test/models/tflite-file.js";

/** All stages that look at a file. */
function compile(bytes: Uint8Array): Graph {
  const graph = readTflite(bytes, "test");
  lower(graph);
  return graph;
}

function errorOf(bytes: Uint8Array): UserError {
  try {
    compile(bytes);
  } catch (error) {
    if (error instanceof UserError) {
      return error;
    }
    throw error;
  }
  throw new Error("nothing was refused");
}

/** The small model with one part changed. */
function changed(change: (file: ReturnType<typeof mutable>) => void): Uint8Array {
  const file = mutable();
  change(file);
  return buildFile(file);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? Mutable<E>[] : T[K] };
function mutable(): Mutable<FileDescription> {
  return structuredClone(smallFile()) as Mutable<FileDescription>;
}

describe("a model", () => {
  const graph = readTflite(buildFile(smallFile()), "small");
  it("has its operators with attributes", () => {
    expect(graph.operators.map((operator) => operator.kind)).toEqual([
      "Conv2D",
      "Reshape",
      "FullyConnected",
      "Softmax",
    ]);
    expect(graph.operators[0]).toEqual({
      kind: "Conv2D",
      input: 0,
      filter: 1,
      bias: 2,
      output: 3,
      padding: "same",
      strideHeight: 1,
      strideWidth: 1,
      dilationHeight: 1,
      dilationWidth: 1,
      activation: "relu",
    });
    expect(graph.operators[2]).toMatchObject({ bias: undefined, keepNumDims: false });
    expect(graph.operators[3]).toMatchObject({ beta: 1 });
  });
  it("has its tensors with data and quantisation", () => {
    expect(graph.tensors[1]).toMatchObject({ name: "filter", type: "int8", shape: [2, 3, 3, 1] });
    expect(graph.tensors[1]?.data).toEqual(Int8Array.from({ length: 18 }, (_, i) => ((i * 37) << 24) >> 24));
    expect(graph.tensors[2]?.data).toEqual(Int32Array.from([100, -100]));
    expect(graph.tensors[1]?.quantization).toEqual({
      scales: [0.01, 0.02].map(Math.fround),
      zeroPoints: [0, 0],
      axis: 0,
    });
    expect(graph.tensors[3]?.data).toBeUndefined();
    expect([graph.inputs, graph.outputs]).toEqual([[0], [7]]);
  });
  it("can be executed", () => {
    const runtime = new ModelRuntime(graph);
    runtime.input(0).fill(7);
    runtime.invoke();
    expect(runtime.output(0).length).toBe(3);
    expect(() => runtime.output(1)).toThrow("there is no output 1");
  });
  it("may leave redundant attributes out", () => {
    const bytes = changed((file) => {
      file.operators[1] = { code: 1, inputs: [3, 2], outputs: [4], optionsType: 17, options: {} };
    });
    expect(readTflite(bytes, "test").operators[1]).toEqual({ kind: "Reshape", input: 3, output: 4 });
  });
});

describe("refused, with operator, attribute and what is supported", () => {
  const cases: readonly (readonly [string, string, RegExp, (file: Mutable<FileDescription>) => void])[] = [
    ["another schema version", "TMC3001", /schema version 4/, (f) => (f.schemaVersion = 4)],
    ["two subgraphs", "TMC3004", /2 subgraphs/, (f) => (f.subgraphs = 2)],
    ["no output", "TMC3004", /no outputs/, (f) => (f.outputs = [])],
    [
      "a batch",
      "TMC3004",
      /batch of 2/,
      (f) => {
        f.tensors[0]!.shape = [2, 4, 4, 1];
        delete f.tensors[0]!.signature;
      },
    ],
    [
      "an unknown dimension",
      "TMC3004",
      /dimension 1 .*unknown/,
      (f) => (f.tensors[0]!.signature = [1, -1, 4, 1]),
    ],
    ["an empty tensor", "TMC3004", /at least 1/, (f) => (f.tensors[3]!.shape = [1, 0, 4, 2])],
    ["a variable", "TMC3004", /variable/, (f) => (f.tensors[3]!.variable = true)],
    ["data in another file", "TMC3004", /another file/, (f) => (f.tensors[1]!.externalBuffer = 1)],
    [
      "an unsupported operator",
      "TMC3010",
      /operator 1 \(SPACE_TO_DEPTH, layer "flat"\).*CONV_2D/,
      (f) => (f.codes[1]!.builtin = 26),
    ],
    [
      "a float output",
      "TMC3010",
      /operator 1 \(DEQUANTIZE, layer "flat"\)/,
      (f) => (f.codes[1]!.builtin = 6),
    ],
    [
      "an operator of the far future",
      "TMC3010",
      /builtin operator 4000/,
      (f) => (f.codes[1]!.builtin = 4000),
    ],
    [
      "a custom operator",
      "TMC3010",
      /custom operator "Fancy"/,
      (f) => (f.codes[1] = { builtin: 32, custom: "Fancy" }),
    ],
    [
      "a newer version",
      "TMC3011",
      /operator 0 \(CONV_2D.*version 99.*1 to 8/,
      (f) => (f.codes[0]!.version = 99),
    ],
    [
      "a fused TANH",
      "TMC3012",
      /fused_activation_function = TANH.*RELU6/,
      (f) => (f.operators[0]!.options = { ...convOptions(), 3: int8(4) }),
    ],
    [
      "stride 0",
      "TMC3012",
      /stride_w = 0/,
      (f) => (f.operators[0]!.options = { ...convOptions(), 1: int32(0) }),
    ],
    [
      "an absurd dilation",
      "TMC3012",
      /dilation_h_factor = 2000000000/,
      (f) => (f.operators[0]!.options = { ...convOptions(), 5: int32(2e9) }),
    ],
    ["shuffled weights", "TMC3012", /weights_format = 1/, (f) => (f.operators[2]!.options = { 1: int8(1) })],
    ["beta 0", "TMC3012", /beta = 0/, (f) => (f.operators[3]!.options = { 0: float32(0) })],
    ["beta NaN", "TMC3012", /beta = NaN/, (f) => (f.operators[3]!.options = { 0: float32(NaN) })],
    [
      "groups",
      "TMC3012",
      /2 groups/,
      (f) => {
        f.tensors[0]!.shape = [1, 4, 4, 2];
        delete f.tensors[0]!.signature;
      },
    ],
    [
      "a filter that is no constant",
      "TMC3012",
      /constant filters/,
      (f) => {
        f.tensors[5]!.buffer = 0;
        f.inputs = [0, 5];
      },
    ],
    ["a wrong output size", "TMC3013", /gives 4x4/, (f) => (f.tensors[3]!.shape = [1, 4, 5, 2])],
    [
      "a reshape that loses elements",
      "TMC3013",
      /reshapes \[1, 4, 4, 2\] to \[1, 31\]/,
      (f) => (f.tensors[4]!.shape = [1, 31]),
    ],
    [
      "reading before writing",
      "TMC3014",
      /operator 1 .*reads tensor 6/,
      (f) => (f.operators[1]!.inputs = [6]),
    ],
    ["writing twice", "TMC3014", /writes tensor 3/, (f) => (f.operators[1]!.outputs = [3])],
    ["an output that nobody writes", "TMC3014", /output tensor 7/, (f) => f.operators.splice(3, 1)],
    ["a float tensor", "TMC3020", /tensor 3.*float32; supported: int8/, (f) => (f.tensors[3]!.type = 0)],
    ["an int4 tensor", "TMC3020", /INT4/, (f) => (f.tensors[3]!.type = 17)],
    ["a float16 tensor", "TMC3020", /FLOAT16/, (f) => (f.tensors[3]!.type = 1)],
    ["no scale", "TMC3021", /no quantisation/, (f) => (f.tensors[3]!.scales = [])],
    ["a negative scale", "TMC3021", /-1 is not a positive/, (f) => (f.tensors[3]!.scales = [-1])],
    [
      "an infinite scale",
      "TMC3021",
      /Infinity is not a positive/,
      (f) => (f.tensors[3]!.scales = [Infinity]),
    ],
    ["a zero point outside int8", "TMC3021", /zero point 300/, (f) => (f.tensors[3]!.zeroPoints = [300n])],
    ["an absurd zero point", "TMC3021", /out of range/, (f) => (f.tensors[3]!.zeroPoints = [1n << 60n])],
    [
      "a zero point of weights",
      "TMC3021",
      /zero point 3; int8 weights have 0/,
      (f) => (f.tensors[5]!.zeroPoints = [3n]),
    ],
    [
      "scales along the wrong dimension",
      "TMC3021",
      /2 scales along dimension 1/,
      (f) => (f.tensors[1]!.axis = 1),
    ],
    ["another softmax scale", "TMC3021", /1\/256/, (f) => (f.tensors[7]!.scales = [0.01])],
    [
      "a ratio of scales that is too large",
      "TMC3022",
      /at most 2\^30/,
      (f) => (f.tensors[6]!.scales = [1e-30]),
    ],
    ["a tensor index outside", "TMC3002", /names tensor 99 of 8/, (f) => (f.operators[1]!.inputs = [99])],
    ["an operator code outside", "TMC3002", /operator code 9 of 4/, (f) => (f.operators[1]!.code = 9)],
    ["a buffer outside", "TMC3002", /buffer 77 of 4/, (f) => (f.tensors[1]!.buffer = 77)],
    ["a buffer of the wrong size", "TMC3002", /needs 18 bytes.*has 8/, (f) => (f.tensors[1]!.buffer = 2)],
    [
      "options of another operator",
      "TMC3002",
      /options of another operator/,
      (f) => (f.operators[0]!.optionsType = 5),
    ],
    [
      "missing options",
      "TMC3002",
      /no Conv2DOptions/,
      (f) => {
        f.operators[0] = { code: 0, inputs: [0, 1, 2], outputs: [3] };
      },
    ],
    ["too few inputs", "TMC3002", /1 inputs instead of 2 to 3/, (f) => (f.operators[0]!.inputs = [0])],
    [
      "a huge tensor",
      "TMC3003",
      /67108864 bytes/,
      (f) => (f.tensors[3]!.shape = [1, 100000, 100000, 100000]),
    ],
    [
      "seven dimensions",
      "TMC3003",
      /7 elements, at most 6/,
      (f) => (f.tensors[3]!.shape = [1, 1, 1, 1, 1, 1, 1]),
    ],
  ];
  it.each(cases)("%s", (_, code, message, change) => {
    const error = errorOf(changed(change));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.fix).not.toBe("");
  });
  it.each([
    ["nothing", new Uint8Array(0)],
    ["text", new TextEncoder().encode('{"format": "layers-model"}')],
    ["a flatbuffer of another kind", Uint8Array.from([8, 0, 0, 0, 0x41, 0x42, 0x43, 0x44, 0, 0, 0, 0])],
  ])("%s instead of a model", (_, bytes) => {
    expect(errorOf(bytes).code).toBe("TMC3001");
  });
});

describe("hostile files end in a UserError", () => {
  const original = buildFile(smallFile());
  /** Everything a command does with a file short of running it. */
  const survive = (bytes: Uint8Array): boolean => {
    try {
      const graph = compile(bytes);
      planMemory(graph, lower(graph));
      const work = lower(graph).reduce((sum, layer) => sum + layerMacs(layer), 0);
      const bytesOfActivations = graph.tensors.reduce((sum, tensor) => sum + elementCount(tensor.shape), 0);
      if (work < 1e6 && bytesOfActivations < 1e6) {
        emitModels([{ name: "test", graph }]);
        new ModelRuntime(graph).invoke();
      }
      return true;
    } catch (error) {
      if (!(error instanceof UserError)) {
        throw error;
      }
      return false;
    }
  };
  it("cut at every length", () => {
    for (let length = 0; length < original.length; length++) {
      expect(survive(original.slice(0, length)), `cut to ${length} bytes`).toBe(false);
    }
    expect(survive(original)).toBe(true);
  });
  it("with any one byte replaced by 0, 1, 127, 128 or 255", () => {
    let refused = 0;
    for (let at = 0; at < original.length; at++) {
      for (const value of [0, 1, 127, 128, 255]) {
        const bytes = original.slice();
        bytes[at] = value;
        refused += survive(bytes) ? 0 : 1;
      }
    }
    expect(refused).toBeGreaterThan(original.length / 2);
  });
  it("with random bytes in many places", () => {
    let state = 1;
    const next = (): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    };
    for (let run = 0; run < 5000; run++) {
      const bytes = original.slice();
      for (let i = next() % 20; i >= 0; i--) {
        bytes[8 + (next() % (bytes.length - 8))] = next() & 0xff;
      }
      survive(bytes);
    }
  });
  it("that ask for far more work than their size", () => {
    // Every tensor shares one vector of 60,000 scales: 4096 tensors would decode 240 million numbers.
    const file = mutable();
    const shared = { name: "", shape: [1, 60000], scales: Array.from({ length: 60000 }, () => 1) };
    file.tensors.push(...Array.from({ length: 8 }, () => shared));
    const bytes = buildFile(file);
    survive(bytes);
    expect(survive(amplify())).toBe(false);
    // Decoding all of them takes minutes; refusing takes a moment.
  }, 30_000);
});

/** 4096 references to one tensor table whose shape is fine and whose scale vector is as long as the file allows. */
function amplify(): Uint8Array {
  const file = mutable();
  file.tensors = [{ name: "", shape: [1, 200000], scales: Array.from({ length: 200000 }, () => 1), axis: 1 }];
  const bytes = buildFile({
    ...file,
    tensors: Array.from({ length: 4096 }, (_, i) => (i === 0 ? file.tensors[0]! : {})),
  });
  // Point every entry of the tensor vector at the first table. The vector is the longest one of 4096 references.
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 4 + 4096 * 4 < bytes.length; at += 4) {
    if (view.getUint32(at, true) === 4096) {
      const first = at + 4 + view.getUint32(at + 4, true);
      for (let i = 0; i < 4096; i++) {
        const entry = at + 4 + 4 * i;
        view.setUint32(entry, first - entry, true);
      }
      return bytes;
    }
  }
  throw new Error("the tensor vector was not found");
}
