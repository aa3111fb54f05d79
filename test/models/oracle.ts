/**
 * A second implementation of the int8 arithmetic for tests, as unlike the compiler's as possible: straight from the
 * graph, one output element at a time, BigInt where integers could overflow, gemmlowp's own formulas. Slow.
 */
import {
  tensorAt,
  type Graph,
  type Operator,
  type Padding,
  type Tensor,
} from "../../compiler/model/graph.js";
import {
  clampTo,
  divideByPowerOfTwo,
  expNegative,
  fixed,
  highMul,
  INT_MAX,
  saturate,
  scale,
  scaled,
  wrap,
  zero,
} from "./oracle-arithmetic.js";
import { binary, unary } from "./oracle-elementwise.js";
import { movement } from "./oracle-movement.js";

/** Padding before the first input, from the sizes of input and output alone. */
function padBefore(
  padding: Padding,
  input: number,
  output: number,
  filter: number,
  stride: number,
  dilation: number,
): number {
  const needed = (output - 1) * stride + (filter - 1) * dilation + 1 - input;
  return padding === "valid" || needed <= 0 ? 0 : (needed - (needed % 2)) / 2;
}

type Data = ReadonlyMap<number, Int8Array>;

/** Every tensor that the operators compute, by number. */
export function runOracle(graph: Graph, inputs: readonly Int8Array[]): Map<number, Int8Array> {
  const values = new Map<number, Int8Array>();
  graph.tensors.forEach((tensor, i) => {
    if (tensor.data instanceof Int8Array) {
      values.set(i, tensor.data);
    }
  });
  graph.inputs.forEach((tensor, i) => values.set(tensor, inputs[i] ?? new Int8Array(0)));
  for (const operator of graph.operators) {
    values.set(operator.output, compute(graph, operator, values));
  }
  return values;
}

function compute(graph: Graph, operator: Operator, values: Data): Int8Array {
  const output = tensorAt(graph, operator.output);
  const get = (tensor: number): Int8Array => values.get(tensor) ?? new Int8Array(0);
  switch (operator.kind) {
    case "Conv2D":
    case "DepthwiseConv2D":
    case "FullyConnected":
      return weighted(graph, operator, get(operator.input));
    case "Add":
    case "Maximum":
    case "Minimum":
    case "Mul":
    case "PRelu":
    case "Sub":
      return binary(graph, operator, get);
    case "HardSwish":
    case "LeakyRelu":
    case "Logistic":
    case "Quantize":
    case "Relu":
    case "Relu6":
    case "ReluN1To1":
    case "Tanh":
      return unary(graph, operator, get(operator.input));
    case "MaxPool2D":
    case "AveragePool2D":
      return everyWindow(
        graph,
        operator.input,
        operator.output,
        operator,
        (values2) => {
          const sum = values2.reduce((a, b) => a + b, 0);
          const mean =
            Math.sign(sum) * Math.floor((2 * Math.abs(sum) + values2.length) / (2 * values2.length));
          const value = operator.kind === "MaxPool2D" ? Math.max(...values2) : mean;
          return clampTo(BigInt(value), operator.activation, output);
        },
        get(operator.input),
      );
    case "Reshape":
      return get(operator.input);
    case "Softmax":
      return softmax(tensorAt(graph, operator.input), operator.beta, get(operator.input));
    default:
      return movement(graph, operator, get);
  }
}

interface WindowLike {
  readonly padding: Padding;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
}

function everyWindow(
  graph: Graph,
  input: number,
  output: number,
  w: WindowLike,
  reduce: (values: number[]) => number,
  data: Int8Array,
): Int8Array {
  const [, ih = 0, iw = 0, channels = 0] = tensorAt(graph, input).shape;
  const [, oh = 0, ow = 0] = tensorAt(graph, output).shape;
  const top = padBefore(w.padding, ih, oh, w.filterHeight, w.strideHeight, 1);
  const left = padBefore(w.padding, iw, ow, w.filterWidth, w.strideWidth, 1);
  return Int8Array.from({ length: oh * ow * channels }, (_, index) => {
    const c = index % channels;
    const x = Math.floor(index / channels) % ow;
    const y = Math.floor(index / channels / ow);
    const seen: number[] = [];
    for (let iy = y * w.strideHeight - top; iy < y * w.strideHeight - top + w.filterHeight; iy++) {
      for (let ix = x * w.strideWidth - left; ix < x * w.strideWidth - left + w.filterWidth; ix++) {
        if (iy >= 0 && iy < ih && ix >= 0 && ix < iw) {
          seen.push(data[(iy * iw + ix) * channels + c] ?? 0);
        }
      }
    }
    return reduce(seen);
  });
}

type Weighted = Extract<Operator, { filter: number }>;

function weighted(graph: Graph, operator: Weighted, data: Int8Array): Int8Array {
  const input = tensorAt(graph, operator.input);
  const output = tensorAt(graph, operator.output);
  const filter = tensorAt(graph, operator.filter);
  const bias = operator.bias === undefined ? undefined : tensorAt(graph, operator.bias).data;
  const w = filter.data ?? [];
  const channels = output.shape.at(-1) ?? 1;
  const terms = termsOf(operator, input, filter, output);
  return Int8Array.from({ length: output.shape.reduce((p, d) => p * d, 1) }, (_, index) => {
    const c = index % channels;
    let acc = BigInt(bias?.[c] ?? 0);
    for (const [at, weight] of terms(Math.floor(index / channels), c)) {
      acc += BigInt(w[weight] ?? 0) * (BigInt(data[at] ?? 0) - zero(input));
    }
    const scales = filter.quantization?.scales ?? [];
    const filterScale = scales[scales.length === 1 ? 0 : c] ?? 0;
    const product = scale(input) * filterScale;
    const single = operator.kind === "FullyConnected" && scales.length === 1;
    const real = (single ? Math.fround(product) : product) / scale(output);
    return clampTo(wrap(scaled(wrap(acc), fixed(real)) + zero(output)), operator.activation, output);
  });
}

/** Pairs (index into the input, index into the filter) that one output element sums over. */
function termsOf(operator: Weighted, input: Tensor, filter: Tensor, output: Tensor) {
  if (operator.kind === "FullyConnected") {
    const depth = filter.shape[1] ?? 1;
    return function* (row: number, c: number): Generator<[number, number]> {
      for (let k = 0; k < depth; k++) yield [row * depth + k, c * depth + k];
    };
  }
  const [, ih = 0, iw = 0, depth = 0] = input.shape;
  const [, oh = 0, ow = 0] = output.shape;
  const [, fh = 0, fw = 0, last = 0] = filter.shape;
  const top = padBefore(operator.padding, ih, oh, fh, operator.strideHeight, operator.dilationHeight);
  const left = padBefore(operator.padding, iw, ow, fw, operator.strideWidth, operator.dilationWidth);
  return function* (position: number, c: number): Generator<[number, number]> {
    for (let fy = 0; fy < fh; fy++) {
      for (let fx = 0; fx < fw; fx++) {
        const iy = Math.floor(position / ow) * operator.strideHeight - top + fy * operator.dilationHeight;
        const ix = (position % ow) * operator.strideWidth - left + fx * operator.dilationWidth;
        if (iy < 0 || iy >= ih || ix < 0 || ix >= iw) continue;
        const at = (iy * iw + ix) * depth;
        if (operator.kind === "DepthwiseConv2D") {
          yield [at + Math.floor(c / operator.depthMultiplier), (fy * fw + fx) * last + c];
        } else {
          for (let k = 0; k < depth; k++) yield [at + k, ((c * fh + fy) * fw + fx) * depth + k];
        }
      }
    }
  };
}

/* ---- softmax, with gemmlowp's fixed-point types spelled out as BigInt ------------------------------------- */

function softmax(input: Tensor, beta: number, data: Int8Array): Int8Array {
  const depth = input.shape.at(-1) ?? 1;
  const { multiplier, shift } = fixed(Math.min(beta * scale(input) * 2 ** 26, 2 ** 31 - 1));
  const radius = Math.floor((31 * 2 ** 26) / 2 ** shift);
  const output = new Int8Array(data.length);
  for (let from = 0; from < data.length; from += depth) {
    const row = [...data.subarray(from, from + depth)];
    const max = Math.max(...row);
    const exps = row.map((v) =>
      v - max < -radius
        ? undefined
        : expNegative(highMul(wrap(BigInt(v - max) << BigInt(shift)), multiplier)),
    );
    const sum = exps.reduce<bigint>((s, e) => s + (e === undefined ? 0n : divideByPowerOfTwo(e, 12)), 0n);
    const bits = sum.toString(2).length;
    const half = ((sum << BigInt(32 - bits)) - (1n << 31n) + INT_MAX + 1n) / 2n;
    let x = 1515870810n + highMul(half, -1010580540n);
    for (let i = 0; i < 3; i++) {
      x += saturate(highMul(x, (1n << 29n) - highMul(half, x)) << 2n);
    }
    exps.forEach((e, i) => {
      const value = e === undefined ? 0n : divideByPowerOfTwo(highMul(saturate(x << 1n), e), bits - 20 + 23);
      output[from + i] = Math.min(127, Number(value) - 128);
    });
  }
  return output;
}
