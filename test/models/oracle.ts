/**
 * A second implementation of the int8 arithmetic for tests, as unlike the compiler's as possible: straight from the
 * graph, one output element at a time, BigInt where integers could overflow, gemmlowp's own formulas. Slow.
 */
import {
  tensorAt,
  type Activation,
  type Graph,
  type Operator,
  type Padding,
  type Tensor,
} from "../../compiler/model/graph.js";
import { movement } from "./oracle-movement.js";

export const wrap = (x: bigint): bigint => BigInt.asIntN(32, x);
const INT_MIN = -(1n << 31n);
const INT_MAX = (1n << 31n) - 1n;

function highMul(a: bigint, b: bigint): bigint {
  if (a === INT_MIN && b === INT_MIN) {
    return INT_MAX;
  }
  const product = a * b;
  return (product + (product >= 0n ? 1n << 30n : 1n - (1n << 30n))) / (1n << 31n);
}

function divideByPowerOfTwo(x: bigint, exponent: number): bigint {
  const mask = (1n << BigInt(exponent)) - 1n;
  const threshold = (mask >> 1n) + (x < 0n ? 1n : 0n);
  return (x >> BigInt(exponent)) + ((x & mask) > threshold ? 1n : 0n);
}

/** Multiplier and exponent by division instead of bits. */
export function fixed(real: number): { multiplier: bigint; shift: number } {
  if (real === 0) {
    return { multiplier: 0n, shift: 0 };
  }
  let shift = Math.floor(Math.log2(real)) + 1;
  while (real / 2 ** shift >= 1) shift++;
  while (real / 2 ** shift < 0.5) shift--;
  let multiplier = BigInt(Math.floor((real / 2 ** shift) * 2 ** 31 + 0.5));
  if (multiplier === 1n << 31n) {
    multiplier >>= 1n;
    shift++;
  }
  return shift < -31 ? { multiplier: 0n, shift: 0 } : { multiplier, shift };
}

export function scaled(x: bigint, { multiplier, shift }: { multiplier: bigint; shift: number }): bigint {
  const left = wrap(x << BigInt(Math.max(0, shift)));
  return divideByPowerOfTwo(highMul(left, multiplier), Math.max(0, -shift));
}

export const scale = (tensor: Tensor): number => tensor.quantization?.scales[0] ?? 0;
export const zero = (tensor: Tensor): bigint => BigInt(tensor.quantization?.zeroPoints[0] ?? 0);

function clampTo(x: bigint, activation: Activation, output: Tensor): number {
  const quantized = (real: number): number => {
    const steps = Math.fround(real / Math.fround(scale(output)));
    return Number(zero(output)) + Math.sign(steps) * Math.floor(Math.abs(steps) + 0.5);
  };
  const low = { none: -128, relu: quantized(0), relu6: quantized(0), relu_n1_to_1: quantized(-1) }[
    activation
  ];
  const high = { none: 127, relu: 127, relu6: quantized(6), relu_n1_to_1: quantized(1) }[activation];
  return Math.min(Math.max(Number(x), low, -128), high, 127);
}

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
    case "Add": {
      const l = tensorAt(graph, operator.left);
      const r = tensorAt(graph, operator.right);
      const twice = 2 * Math.max(scale(l), scale(r));
      const right = get(operator.right);
      return get(operator.left).map((a, i) => {
        const left = scaled((BigInt(a) - zero(l)) << 20n, fixed(scale(l) / twice));
        const sum = left + scaled((BigInt(right[i] ?? 0) - zero(r)) << 20n, fixed(scale(r) / twice));
        return clampTo(
          scaled(sum, fixed(twice / (2 ** 20 * scale(output)))) + zero(output),
          operator.activation,
          output,
        );
      });
    }
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

const saturate = (x: bigint): bigint => (x > INT_MAX ? INT_MAX : x < INT_MIN ? INT_MIN : x);

function expNegative(a: bigint): bigint {
  if (a === 0n) return INT_MAX;
  const quarter = 1n << 24n;
  const part = (a & (quarter - 1n)) - quarter;
  const x = saturate(part << 5n) + (1n << 28n);
  const x2 = highMul(x, x);
  const x3 = highMul(x2, x);
  const x4 = highMul(x2, x2);
  const rest = divideByPowerOfTwo(highMul(divideByPowerOfTwo(x4, 2) + x3, 715827883n) + x2, 1);
  let result = 1895147668n + highMul(1895147668n, x + rest);
  const remainder = part - a;
  [1672461947n, 1302514674n, 790015084n, 290630308n, 39332535n, 720401n, 242n].forEach((factor, k) => {
    if ((remainder >> BigInt(24 + k)) & 1n) result = highMul(result, factor);
  });
  return result;
}

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
