/**
 * The elementwise part of the second implementation (`oracle.ts`): straight from the graph, by the indices of NumPy's
 * broadcasting, fixed-point types spelled out as BigInt. Slow.
 */
import {
  tensorAt,
  type Binary,
  type Graph,
  type LeakyRelu,
  type Tensor,
  type Unary,
} from "../../compiler/model/graph.js";
import {
  clampTo,
  divideByPowerOfTwo,
  expNegative,
  fixed,
  highMul,
  INT_MAX,
  saturate,
  scaled,
  wrap,
  zero,
  scale,
} from "./oracle-arithmetic.js";

type Read = (tensor: number) => Int8Array;

/** The element of `tensor` that takes part in the output element at `index`. */
function broadcastIndex(index: readonly number[], { shape }: Tensor): number {
  const own = index.slice(index.length - shape.length);
  return shape.reduce((at, size, i) => at * size + (size === 1 ? 0 : (own[i] ?? 0)), 0);
}

export function binary(graph: Graph, operator: Binary, get: Read): Int8Array {
  const [l, r, o] = [operator.left, operator.right, operator.output].map((i) => tensorAt(graph, i)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const [left, right] = [get(operator.left), get(operator.right)];
  const count = o.shape.reduce((p, d) => p * d, 1);
  return Int8Array.from({ length: count }, (_, flat) => {
    const index: number[] = [];
    o.shape.toReversed().reduce((rest, size) => {
      index.unshift(rest % size);
      return Math.floor(rest / size);
    }, flat);
    const a = left[broadcastIndex(index, l)] ?? 0;
    const b = right[broadcastIndex(index, r)] ?? 0;
    return combine(operator, a, b, l, r, o);
  });
}

function combine(operator: Binary, a: number, b: number, l: Tensor, r: Tensor, o: Tensor): number {
  const x = BigInt(a) - zero(l);
  const y = BigInt(b) - zero(r);
  const activation = "activation" in operator ? operator.activation : "none";
  const finish = (value: bigint): number => clampTo(wrap(value + zero(o)), activation, o);
  switch (operator.kind) {
    case "Add":
    case "Sub": {
      const f = operator.kind === "Sub" ? Math.fround : (value: number): number => value;
      const twice = 2 * Math.max(scale(l), scale(r));
      const first = scaled(x << 20n, fixed(f(scale(l) / twice)));
      const second = scaled(y << 20n, fixed(f(scale(r) / twice)));
      const sum = operator.kind === "Add" ? first + second : first - second;
      return finish(scaled(sum, fixed(f(twice / (2 ** 20 * scale(o))))));
    }
    case "Mul":
      return finish(scaled(x * y, fixed((scale(l) * scale(r)) / scale(o))));
    case "PRelu":
      return finish(
        x >= 0n
          ? scaled(x, fixed(scale(l) / scale(o)))
          : scaled(x * y, fixed((scale(l) * scale(r)) / scale(o))),
      );
    case "Minimum":
      return a < b ? a : b;
    case "Maximum":
      return a > b ? a : b;
  }
}

const INT8 = { none: "none", Relu: "relu", Relu6: "relu6", ReluN1To1: "relu_n1_to_1" } as const;

export function unary(graph: Graph, operator: LeakyRelu | Unary, data: Int8Array): Int8Array {
  const input = tensorAt(graph, operator.input);
  const output = tensorAt(graph, operator.output);
  return data.map((value) => {
    const x = BigInt(value) - zero(input);
    const ratio = Math.fround(scale(input) / scale(output));
    const plain = (factor: number): bigint => wrap(scaled(x, fixed(factor)) + zero(output));
    switch (operator.kind) {
      case "Relu":
      case "Relu6":
      case "ReluN1To1":
        return clampTo(plain(ratio), INT8[operator.kind], output);
      case "Quantize":
        return clampTo(plain(scale(input) / scale(output)), "none", output);
      case "LeakyRelu": {
        const alpha = Math.fround(Math.fround(scale(input) * operator.alpha) / scale(output));
        const below = scaled(x, fixed(Math.abs(alpha)));
        return x >= 0n
          ? clampTo(plain(ratio), "none", output)
          : clampTo(wrap(zero(output) + (alpha < 0 ? -below : below)), "none", output);
      }
      case "Logistic":
      case "Tanh":
        return sigmoid(operator.kind, x, scale(input));
      case "HardSwish":
        return hardSwish(x, scale(input), scale(output), zero(output));
    }
  });
}

/** 48/17 - 32/17 * (1 + e) / 2 and three steps of Newton: 2 / (1 + e), Q2.29. */
function twoOver(e: bigint): bigint {
  const half = (e + INT_MAX + 1n) / 2n;
  let x = 1515870810n + highMul(half, -1010580540n);
  for (let i = 0; i < 3; i++) {
    x += saturate(highMul(x, (1n << 29n) - highMul(half, x)) << 2n);
  }
  return x;
}

function sigmoid(kind: "Logistic" | "Tanh", x: bigint, inputScale: number): number {
  const factor = fixed(inputScale * 2 ** 27);
  const radius = BigInt(Math.floor((15 * 2 ** 27) / 2 ** factor.shift));
  if (x <= -radius) return -128;
  if (x >= radius) return 127;
  const q4 = scaled(x, factor);
  const negative = q4 < 0n ? q4 : -q4;
  let q0: bigint;
  if (kind === "Tanh") {
    const t = saturate((twoOver(expNegative(negative, 5)) - (1n << 29n)) << 2n);
    q0 = q4 === 0n ? 0n : q4 < 0n ? -t : t;
    q0 = divideByPowerOfTwo(q0, 24);
  } else {
    const p = saturate(twoOver(expNegative(negative, 4)) << 1n);
    q0 = q4 === 0n ? 1n << 30n : q4 > 0n ? p : INT_MAX - p;
    q0 = divideByPowerOfTwo(q0, 23) - 128n;
  }
  return Math.max(-128, Math.min(127, Number(q0)));
}

const saturate16 = (x: bigint): bigint => (x > 32767n ? 32767n : x < -32768n ? -32768n : x);

function hardSwish(x: bigint, inputScale: number, outputScale: number, zeroPoint: bigint): number {
  const fine = Math.fround(inputScale / 128);
  const toOutput = fixed(Math.fround(fine / outputScale));
  const toGate = fixed(Math.fround(fine / Math.fround(3 / 32768)));
  const short = (m: bigint): bigint => (m >= INT_MAX - 32768n ? 32767n : (m + 32768n) >> 16n);
  const high = (a: bigint, b: bigint): bigint => {
    const product = a * b;
    return (product + (product >= 0n ? 16384n : -16383n)) / 32768n;
  };
  const hires = x * 128n;
  let gate = toGate.shift > 0 ? saturate16(hires << BigInt(toGate.shift - 1)) : hires;
  gate = high(gate, short(toGate.multiplier));
  gate = toGate.shift > 0 ? saturate16(gate << 1n) : divideByPowerOfTwo(gate, -toGate.shift);
  gate = (gate + 32768n) >> 1n;
  const product = (gate * high(hires, short(toOutput.multiplier))) / 32768n;
  const result = BigInt.asIntN(16, divideByPowerOfTwo(product, -toOutput.shift) + zeroPoint);
  return Math.max(-128, Math.min(127, Number(result)));
}
