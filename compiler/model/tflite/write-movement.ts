/**
 * Writing operators that move or reduce data: which operator of the schema one of the graph becomes, its version, and
 * the constants that files keep beside the tensors of the graph.
 */
import type { Graph, Operator, Tensor } from "../graph.js";
import type { Movement, Reduction, Slice } from "../graph-movement.js";
import type { ReadKind } from "./schema.js";

/** An operand in a file: a tensor of the graph, or a constant that the graph has as an attribute. */
export type FileOperand = number | Tensor;

function integers(values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return { name: "", type: "int32", shape, data: Int32Array.from(values) };
}

/** The operator of the schema. */
export function fileKind(graph: Graph, operator: Operator): ReadKind {
  switch (operator.kind) {
    case "Pad":
      return operator.value === undefined ? "Pad" : "PadV2";
    case "Slice":
      return isPlain(graph, operator) ? "Slice" : "StridedSlice";
    default:
      return operator.kind;
  }
}

/** Whether SLICE says it: no strides, and all dimensions stay. */
function isPlain(graph: Graph, { output, sizes, strides }: Slice): boolean {
  const shape = graph.tensors[output]?.shape ?? [];
  return strides.every((stride) => stride === 1) && sizes.join() === shape.join();
}

/** The dimensions of size 1 that the output does not have, one bit each. */
export function shrinkMask(graph: Graph, { output, sizes }: Slice): number {
  const shape = graph.tensors[output]?.shape ?? [];
  let next = 0;
  let mask = 0;
  sizes.forEach((size, d) => {
    const left = sizes.length - d;
    if (size === 1 && (shape[next] !== 1 || shape.length - next < left)) {
      mask |= 1 << d;
    } else {
      next++;
    }
  });
  return mask;
}

/** What the file lists as inputs of the operator. */
export function movementOperands(graph: Graph, operator: Movement | Reduction): readonly FileOperand[] {
  switch (operator.kind) {
    case "Concatenation":
      return operator.inputs;
    case "Pad": {
      const paddings = operator.before.flatMap((count, d) => [count, operator.after[d] ?? 0]);
      const own = [operator.input, integers(paddings, [operator.before.length, 2])];
      return operator.value === undefined ? own : [...own, padValue(graph, operator.output, operator.value)];
    }
    case "Slice": {
      const { input, begin, sizes, strides } = operator;
      if (isPlain(graph, operator)) {
        return [input, integers(begin), integers(sizes)];
      }
      // An end before the first element cannot be written: -1 means the last one. The mask says it instead.
      const ends = begin.map((first, d) => first + (sizes[d] ?? 0) * (strides[d] ?? 1));
      return [input, integers(begin), integers(ends.map((end) => Math.max(0, end))), integers(strides)];
    }
    case "Transpose":
      return [operator.input, integers(operator.permutation)];
    case "ResizeNearestNeighbor":
      return [operator.input, integers((graph.tensors[operator.output]?.shape ?? []).slice(1, 3))];
    case "Mean":
    case "Sum":
    case "ReduceMax":
    case "ReduceMin":
      return [operator.input, integers(operator.axes)];
  }
}

/** Dimensions whose slice goes on to the first element in backward order. */
export function endMask({ begin, sizes, strides }: Slice): number {
  return begin.reduce(
    (mask, first, d) => (first + (sizes[d] ?? 0) * (strides[d] ?? 1) < 0 ? mask | (1 << d) : mask),
    0,
  );
}

function padValue(graph: Graph, output: number, value: number): Tensor {
  const { type = "int8", quantization } = graph.tensors[output] ?? {};
  return {
    name: "",
    type,
    shape: [1],
    data: type === "float32" ? Float32Array.of(value) : Int8Array.of(value),
    ...(quantization === undefined ? {} : { quantization }),
  };
}

/** The version in which an operator took int8, or the attributes that it has here. */
export function movementVersion(graph: Graph, operator: Movement | Reduction): number {
  const { type, shape = [] } = graph.tensors[operator.output] ?? {};
  const quantized = type === "int8" ? 2 : 1;
  switch (operator.kind) {
    case "ResizeNearestNeighbor":
      return operator.alignCorners || operator.halfPixelCenters ? 3 : quantized;
    case "Pad":
    case "Transpose":
      return shape.length > 4 ? 4 : quantized;
    case "Slice":
      return operator.sizes.length > 4 ? (isPlain(graph, operator) ? 5 : 4) : quantized;
    default:
      return quantized;
  }
}
