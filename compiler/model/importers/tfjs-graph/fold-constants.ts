/** Nodes whose result is known when a model is imported: the arithmetic on shapes that converters leave before a Reshape. */
import { int64ConstantOf, numbersOf, type Constant } from "../constants.js";
import type { TfNode } from "./context.js";

/** Longest list on which arithmetic is done. */
const MAX_LENGTH = 64;

/** Integers of input `index`, if it is a constant of rank 0 or 1. */
function list(node: TfNode, index: number): number[] | undefined {
  const value = node.inputs[index];
  return value?.kind !== "constant" ||
    value.shape.length > 1 ||
    value.data.length > MAX_LENGTH ||
    value.type === "float32"
    ? undefined
    : numbersOf(value);
}

function lists(node: TfNode, count: number): number[][] | undefined {
  const all = Array.from({ length: count }, (_, index) => list(node, index));
  const known = all.filter((entry) => entry !== undefined);
  return known.length === count && known.flat().length <= MAX_LENGTH ? known : undefined;
}

function stridedSlice(node: TfNode): Constant | undefined {
  const [data, [begin = 0] = [], [end = 0] = [], [stride = 1] = []] = lists(node, 4) ?? [];
  if (data === undefined || stride !== 1) {
    return undefined;
  }
  const masked = (name: string): boolean => node.int(name, 0) === 1;
  if (masked("shrink_axis_mask")) {
    const value = data.at(begin);
    return value === undefined ? undefined : int64ConstantOf([value], []);
  }
  return int64ConstantOf(data.slice(masked("begin_mask") ? 0 : begin, masked("end_mask") ? undefined : end));
}

/** The node's result, if it is known now. */
export function foldNode(node: TfNode): Constant | undefined {
  const [first] = node.inputs;
  switch (node.type) {
    case "Shape":
      return first === undefined ? undefined : int64ConstantOf(first.shape);
    case "Identity":
      return first?.kind === "constant" ? first : undefined;
    case "ExpandDims": {
      const [value] = lists(node, 1) ?? [];
      return value === undefined || first?.shape.length !== 0 ? undefined : int64ConstantOf(value);
    }
    case "StridedSlice":
      return stridedSlice(node);
    case "Pack": {
      const parts = lists(node, node.inputs.length);
      return parts === undefined ? undefined : int64ConstantOf(parts.flat());
    }
    case "ConcatV2": {
      const parts = lists(node, node.inputs.length);
      return parts === undefined ? undefined : int64ConstantOf(parts.slice(0, -1).flat());
    }
    case "GatherV2": {
      const [data, indices] = lists(node, 2) ?? [];
      const picked = indices?.map((index) => data?.at(index)).filter((value) => value !== undefined);
      const at = node.inputs[1];
      return picked === undefined || picked.length !== indices?.length
        ? undefined
        : int64ConstantOf(picked, at?.shape);
    }
    case "Prod": {
      const [data] = lists(node, 1) ?? [];
      const product = data?.reduce((a, b) => a * b, 1);
      return product === undefined || !Number.isSafeInteger(product)
        ? undefined
        : int64ConstantOf([product], []);
    }
    case "Mul": {
      const [a, b] = lists(node, 2) ?? [];
      const product = a?.map((value, i) => value * (b?.[b.length === 1 ? 0 : i] ?? NaN));
      return product?.every(Number.isSafeInteger) === true
        ? int64ConstantOf(product, first?.shape)
        : undefined;
    }
    default:
      return undefined;
  }
}
