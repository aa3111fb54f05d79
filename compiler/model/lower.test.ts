/** Graphs that a file reader accepts and the int8 arithmetic does not; constants that follow from scales. */
import { describe, expect, it } from "vitest";
import { GraphBuilder, Random } from "../../test/models/random-graphs.js";
import { UserError } from "../diagnostics/user-error.js";
import type { Graph, Quantization } from "./graph.js";
import { lower } from "./lower.js";
import { planMemory } from "./plan.js";

const q = (scale: number, zeroPoint = 0): Quantization => ({
  scales: [scale],
  zeroPoints: [zeroPoint],
  axis: 0,
});

function build(make: (b: GraphBuilder) => void): Graph {
  const b = new GraphBuilder(new Random(1));
  make(b);
  return b.graph("test");
}

function refusal(graph: Graph): string {
  try {
    planMemory(graph, lower(graph));
  } catch (error) {
    if (error instanceof UserError) {
      return `${error.code} ${error.message}`;
    }
    throw error;
  }
  return "accepted";
}

function input(b: GraphBuilder, shape: readonly number[], quantization: Quantization): number {
  const tensor = b.tensor(shape, quantization);
  b.inputs.push(tensor);
  return tensor;
}

function addOf(leftShape: readonly number[], scales: readonly [number, number, number]): Graph {
  return build((b) => {
    const left = input(b, leftShape, q(scales[0]));
    const right = input(b, [1, 8], q(scales[1]));
    const output = b.tensor([1, 8], q(scales[2]));
    b.operators.push({ kind: "Add", left, right, output, activation: "none" });
    b.outputs.push(output);
  });
}

function denseOf(bias: Quantization, filter: Quantization = q(0.5)): Graph {
  return build((b) => {
    const operands = {
      input: input(b, [1, 8], q(0.5)),
      filter: b.tensor([2, 8], filter, new Int8Array(16)),
      bias: b.tensor([2], bias, new Int32Array(2)),
    };
    const output = b.tensor([1, 2], q(1));
    b.operators.push({ kind: "FullyConnected", ...operands, output, keepNumDims: false, activation: "none" });
    b.outputs.push(output);
  });
}

describe("an addition", () => {
  it("needs shapes that broadcast and scales that are not too far apart", () => {
    expect(refusal(addOf([1, 8], [1, 2, 1]))).toBe("accepted");
    expect(refusal(addOf([1, 1], [1, 2, 1]))).toBe("accepted");
    expect(refusal(addOf([2, 1], [1, 2, 1]))).toMatch(
      /^TMC3013 .*combines \[2, 1\] and \[1, 8\] into \[1, 8\]/,
    );
    expect(refusal(addOf([1, 8], [1, 1, 2 ** -19]))).toMatch(/^TMC3022/);
    expect(refusal(addOf([1, 8], [1e-30, 1, 1]))).toBe("accepted"); // the small input vanishes
  });
});

describe("a fully connected layer", () => {
  it("needs a bias on the scale of its products, unless each channel has its own", () => {
    expect(refusal(denseOf(q(0.25)))).toBe("accepted");
    expect(refusal(denseOf(q(0.5)))).toMatch(/^TMC3021 .*bias has scale 0.5/);
    const perChannel = { scales: [0.5, 0.25], zeroPoints: [0, 0], axis: 0 };
    expect(refusal(denseOf(q(0.5), perChannel))).toBe("accepted");
  });
  it("has one multiplier for each channel", () => {
    const [layer] = lower(denseOf(q(0.5), { scales: [0.5, 0.125], zeroPoints: [0, 0], axis: 0 }));
    expect(layer).toMatchObject({
      multiplier: Int32Array.of(1 << 30, 1 << 30),
      shift: Int8Array.of(-1, -3),
      clamp: { min: -128, max: 127 },
    });
  });
});

describe("pooling", () => {
  it("does not rescale", () => {
    const graph = build((b) => {
      const x = input(b, [1, 2, 2, 1], q(0.5));
      const output = b.tensor([1, 1, 1, 1], q(0.25));
      const size = {
        filterHeight: 2,
        filterWidth: 2,
        strideHeight: 2,
        strideWidth: 2,
        padding: "valid",
      } as const;
      b.operators.push({ kind: "MaxPool2D", input: x, output, activation: "none", ...size });
      b.outputs.push(output);
    });
    expect(refusal(graph)).toMatch(/^TMC3021 .*pooling does not rescale/);
  });
});

describe("a softmax", () => {
  it("has rows of at most 511 elements", () => {
    const rows = (depth: number): Graph =>
      build((b) => {
        const x = input(b, [1, depth], q(0.1));
        const output = b.tensor([1, depth], q(1 / 256, -128));
        b.operators.push({ kind: "Softmax", input: x, output, beta: 1 });
        b.outputs.push(output);
      });
    expect(refusal(rows(511))).toBe("accepted");
    expect(refusal(rows(512))).toMatch(/^TMC3012 .*at most 511/);
  });
});

describe("limits", () => {
  it("bound channels, weights and activations", () => {
    const convolutions = (count: number, channels: number): Graph =>
      build((b) => {
        const filter = b.tensor([channels, 1, 1, 1], q(0.5), new Int8Array(channels));
        const x = input(b, [1, 1, 1, 1], q(0.5));
        const strides = { strideHeight: 1, strideWidth: 1, dilationHeight: 1, dilationWidth: 1 } as const;
        for (let i = 0; i < count; i++) {
          const output = b.tensor([1, 1, 1, channels], q(0.5));
          b.operators.push({
            ...{
              kind: "Conv2D",
              input: x,
              filter,
              bias: undefined,
              output,
              padding: "same",
              activation: "none",
            },
            ...strides,
          });
          b.outputs.push(output);
        }
      });
    expect(refusal(convolutions(2, 65536))).toBe("accepted");
    expect(refusal(convolutions(1, 65537))).toMatch(/^TMC3003/);
    expect(refusal(convolutions(1025, 65536))).toMatch(/^TMC3003/);
    const wide = build((b) => {
      for (let i = 0; i < 5; i++) {
        b.outputs.push(input(b, [1, 64 * 1024 * 1024], q(1)));
      }
    });
    expect(refusal(wide)).toMatch(/^TMC3003 .*activations need/);
  });
});
