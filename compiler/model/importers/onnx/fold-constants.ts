/**
 * Nodes whose result is known when a model is imported: constants, and the small arithmetic on shapes that exporters leave
 * in a graph (Shape, Gather, Concat, … before a Reshape).
 */
import { elementCount } from "../../graph.js";
import { int64ConstantOf, numbersOf, transposeConstant, type Constant } from "../constants.js";
import type { OnnxNode } from "./context.js";

/** Longest list on which arithmetic is done: shapes and indices. */
const MAX_LENGTH = 64;

type Folder = (node: OnnxNode) => Constant | undefined;

function constantNode(node: OnnxNode): Constant | undefined {
  const ints = node.ints("value_ints");
  const floats = node.floats("value_floats");
  if (ints !== undefined) {
    return int64ConstantOf(ints);
  }
  if (floats !== undefined) {
    return { type: "float32", shape: [floats.length], data: Float32Array.from(floats) };
  }
  if (node.has("value_int")) {
    return int64ConstantOf([node.int("value_int", 0)], []);
  }
  if (node.has("value_float")) {
    return { type: "float32", shape: [], data: Float32Array.of(node.float("value_float", 0)) };
  }
  return node.constantAttribute("value");
}

/** All inputs as constants; undefined when one is not. */
function constants(node: OnnxNode): Constant[] | undefined {
  const known = node.inputs.flatMap((value) => (value?.kind === "constant" ? [value] : []));
  return known.length > 0 && known.length === node.inputs.filter((value) => value !== undefined).length
    ? known
    : undefined;
}

/** Integers of rank 0 or 1. */
function short(constant: Constant | undefined): number[] | undefined {
  return constant === undefined ||
    constant.shape.length > 1 ||
    constant.data.length > MAX_LENGTH ||
    !(constant.type === "int64" || constant.type === "int32")
    ? undefined
    : numbersOf(constant);
}

function gatherNode(node: OnnxNode): Constant | undefined {
  const [data, indices] = constants(node) ?? [];
  const [from, at] = [short(data), short(indices)];
  if (from === undefined || at === undefined || node.int("axis", 0) !== 0) {
    return undefined;
  }
  const picked = at.map((index) => from[index < 0 ? index + from.length : index]);
  const good = picked.filter((value) => value !== undefined);
  return good.length === at.length ? int64ConstantOf(good, indices?.shape) : undefined;
}

function concatNode(node: OnnxNode): Constant | undefined {
  const lists = constants(node)?.map(short) ?? [undefined];
  if (lists.some((list) => list === undefined) || node.int("axis", 0) !== 0) {
    return undefined;
  }
  const all = lists.flatMap((list) => list ?? []);
  return all.length > MAX_LENGTH ? undefined : int64ConstantOf(all);
}

function sliceNode(node: OnnxNode): Constant | undefined {
  const [data, starts, ends, axes, steps] = constants(node)?.map(short) ?? [];
  const one = (list: readonly number[] | undefined): boolean => list === undefined || list.length === 1;
  if (data === undefined || ![starts, ends, axes, steps].every(one)) {
    return undefined;
  }
  const start = starts?.[0] ?? node.ints("starts")?.[0];
  const end = ends?.[0] ?? node.ints("ends")?.[0];
  if (start === undefined || end === undefined || (steps?.[0] ?? 1) !== 1 || (axes?.[0] ?? 0) !== 0) {
    return undefined;
  }
  return int64ConstantOf(data.slice(start, Math.min(end, data.length)));
}

function arithmetic(of: (a: number, b: number) => number): Folder {
  return (node) => {
    const both = constants(node) ?? [];
    const [a, b] = both.map(short);
    if (a === undefined || b === undefined || (a.length !== b.length && a.length !== 1 && b.length !== 1)) {
      return undefined;
    }
    const length = Math.max(a.length, b.length);
    const result = Array.from({ length }, (_, i) =>
      of(a[a.length === 1 ? 0 : i] ?? 0, b[b.length === 1 ? 0 : i] ?? 0),
    );
    const shape = both[a.length === length ? 0 : 1]?.shape;
    return result.every(Number.isSafeInteger) ? int64ConstantOf(result, shape) : undefined;
  };
}

/** Same elements, other shape. */
function reshapedNode(shapeOf: (shape: readonly number[], list: readonly number[]) => number[]): Folder {
  return (node) => {
    const [data] = constants(node) ?? [];
    const list = node.ints("axes") ?? (node.inputs.length > 1 ? node.integers(1) : undefined) ?? [];
    if (data === undefined) {
      return undefined;
    }
    const shape = shapeOf(data.shape, list);
    const quantised = data.quantization !== undefined && data.quantization.scales.length > 1;
    return quantised || elementCount(shape) !== data.data.length ? undefined : { ...data, shape };
  };
}

function unsqueezed(shape: readonly number[], axes: readonly number[]): number[] {
  const rank = shape.length + axes.length;
  const at = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  const rest = [...shape];
  return Array.from({ length: Math.min(rank, MAX_LENGTH) }, (_, i) =>
    at.includes(i) ? 1 : (rest.shift() ?? 1),
  );
}

function transposeNode(node: OnnxNode): Constant | undefined {
  const [data] = constants(node) ?? [];
  if (data === undefined) {
    return undefined;
  }
  const perm = node.ints("perm") ?? data.shape.map((_, i) => data.shape.length - 1 - i);
  const good = perm.length === data.shape.length && data.shape.every((_, i) => perm.includes(i));
  return good ? transposeConstant(data, perm) : undefined;
}

function castNode(node: OnnxNode): Constant | undefined {
  const [data] = constants(node) ?? [];
  const to = node.int("to", 0);
  const list = short(data);
  return list !== undefined && (to === 6 || to === 7) ? int64ConstantOf(list, data?.shape) : undefined;
}

function shapeNode(node: OnnxNode): Constant | undefined {
  const value = node.value(0);
  const { shape } = value;
  const end = node.int("end", shape.length);
  return int64ConstantOf(shape.slice(node.int("start", 0), end));
}

const folders: Readonly<Partial<Record<string, Folder>>> = {
  Constant: constantNode,
  Shape: shapeNode,
  Gather: gatherNode,
  Concat: concatNode,
  Slice: sliceNode,
  Cast: castNode,
  Identity: (node) => constants(node)?.[0],
  Transpose: transposeNode,
  Unsqueeze: reshapedNode(unsqueezed),
  Squeeze: reshapedNode((shape, axes) =>
    shape.filter(
      (size, i) => !(axes.length === 0 ? size === 1 : axes.includes(i) || axes.includes(i - shape.length)),
    ),
  ),
  Reshape: reshapedNode((shape, target) => {
    const rest = target.reduce((product, size) => (size === -1 ? product : product * size), 1);
    return target.map((size) => (size === -1 ? elementCount(shape) / rest : size));
  }),
  Add: arithmetic((a, b) => a + b),
  Sub: arithmetic((a, b) => a - b),
  Mul: arithmetic((a, b) => a * b),
  Div: arithmetic((a, b) => Math.trunc(a / b)),
};

/** The node's only output, if it is known now. */
export function foldNode(node: OnnxNode): Constant | undefined {
  if (node.node.domain !== "" && node.node.domain !== "ai.onnx") {
    return undefined;
  }
  return folders[node.type]?.(node);
}
