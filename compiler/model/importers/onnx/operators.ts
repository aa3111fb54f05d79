/** Every ONNX operator that can be imported, by name. Operators that are not in here are refused by name, never skipped. */
import type { OnnxNode, Value } from "./context.js";
import { gemm, matMul } from "./operators-dense.js";
import { add, affine, clampBy, clip, passed, softmax } from "./operators-elementwise.js";
import { dequantizeLinear, qLinearConv, qLinearMatMul, quantizeLinear } from "./operators-quantised.js";
import { flatten, reshape, squeeze, transpose, unsqueeze } from "./operators-shape.js";
import { batchNormalization, conv, globalPool, pool, reduceMean } from "./operators-window.js";

type NodeImporter = (node: OnnxNode) => Value;

export const nodeImporters: Readonly<Partial<Record<string, NodeImporter>>> = {
  Add: add,
  AveragePool: pool("AveragePool2D"),
  BatchNormalization: batchNormalization,
  Clip: clip,
  Conv: conv,
  DequantizeLinear: dequantizeLinear,
  Div: (node) =>
    affine(node, (c, left) => {
      if (left || c === 0) {
        throw node.shapeError("divides a constant, or by 0");
      }
      return { factor: 1 / c, offset: 0 };
    }),
  Dropout: passed,
  Flatten: flatten,
  Gemm: gemm,
  GlobalAveragePool: globalPool("AveragePool2D"),
  GlobalMaxPool: globalPool("MaxPool2D"),
  Identity: passed,
  MatMul: matMul,
  MaxPool: pool("MaxPool2D"),
  Mul: (node) => affine(node, (c) => ({ factor: c, offset: 0 })),
  QLinearConv: qLinearConv,
  QLinearMatMul: qLinearMatMul,
  QuantizeLinear: quantizeLinear,
  ReduceMean: reduceMean,
  Relu: clampBy("relu"),
  Reshape: reshape,
  Softmax: softmax,
  Squeeze: squeeze,
  Sub: (node) => affine(node, (c, left) => (left ? { factor: -1, offset: c } : { factor: 1, offset: -c })),
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};

/** What else a graph may contain: constants and arithmetic on shapes. */
const folded = ["Cast", "Concat", "Constant", "Gather", "Shape", "Slice"];

/** For messages. */
export function supportedNodes(): string {
  return `${Object.keys(nodeImporters).sort().join(", ")}; of constants and shapes also ${folded.join(", ")}`;
}
