/** Constants of an imported model while it is imported: typed data, a shape, and quantisation if they are integers that stand for real numbers. */
import { elementCount, type ElementType, type Quantization, type TensorData } from "../graph.js";

export interface Constant {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: TensorData;
  /** Absent: the numbers are what they are. */
  readonly quantization?: Quantization;
}

export function floatConstantOf(values: Float32Array, shape: readonly number[]): Constant {
  return { type: "float32", shape, data: values };
}

export function int64ConstantOf(
  values: readonly number[],
  shape: readonly number[] = [values.length],
): Constant {
  return { type: "int64", shape, data: BigInt64Array.from(values, (value) => BigInt(value)) };
}

/** The elements as numbers. */
export function numbersOf({ data }: Constant): number[] {
  return Array.from<number | bigint, number>(data, Number);
}

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) {
    strides[i] = (strides[i + 1] ?? 1) * (shape[i + 1] ?? 1);
  }
  return strides;
}

/**
 * For a row-major tensor of `shape` whose dimensions are reordered so that new dimension i is old dimension `axes[i]`:
 * the old flat index of each new one.
 */
export function permutation(shape: readonly number[], axes: readonly number[]): Int32Array {
  const strides = stridesOf(shape);
  const sizes = axes.map((axis) => shape[axis] ?? 1);
  const steps = axes.map((axis) => strides[axis] ?? 1);
  const from = new Int32Array(elementCount(shape));
  const at = sizes.map(() => 0);
  let old = 0;
  for (let i = 0; i < from.length; i++) {
    from[i] = old;
    for (let d = sizes.length - 1; d >= 0; d--) {
      const next = (at[d] ?? 0) + 1;
      old += steps[d] ?? 0;
      if (next < (sizes[d] ?? 1)) {
        at[d] = next;
        break;
      }
      old -= next * (steps[d] ?? 0);
      at[d] = 0;
    }
  }
  return from;
}

/** New dimension i is old dimension `axes[i]`; a quantisation axis moves along. */
export function transposeConstant(constant: Constant, axes: readonly number[]): Constant {
  const from = permutation(constant.shape, axes);
  const { quantization } = constant;
  return {
    ...constant,
    shape: axes.map((axis) => constant.shape[axis] ?? 1),
    data: gatherData(constant.data, from),
    ...(quantization === undefined || quantization.scales.length === 1
      ? {}
      : { quantization: { ...quantization, axis: axes.indexOf(quantization.axis) } }),
  };
}

/** Element i is element `from[i]` of `data`. */
export function gatherData(data: TensorData, from: Int32Array): TensorData {
  if (data instanceof BigInt64Array) {
    return BigInt64Array.from(from, (index) => data[index] ?? 0n);
  }
  const out = emptyLike(data, from.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from[i] ?? 0] ?? 0;
  }
  return out;
}

type NumberData = Exclude<TensorData, BigInt64Array>;

function emptyLike(data: NumberData, length: number): NumberData {
  if (data instanceof Float32Array) return new Float32Array(length);
  if (data instanceof Int8Array) return new Int8Array(length);
  if (data instanceof Uint8Array) return new Uint8Array(length);
  return data instanceof Int16Array ? new Int16Array(length) : new Int32Array(length);
}
