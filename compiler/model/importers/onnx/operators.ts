/** Every ONNX operator that can be imported, by name. Operators that are not in here are refused by name, never skipped. */
import type { OnnxNode, Value } from "./context.js";
import { gemm, matMul } from "./operators-dense.js";
import {
  affineOr,
  binary,
  clampBy,
  clip,
  leakyRelu,
  passed,
  softmax,
  unary,
} from "./operators-elementwise.js";
import { concat, pad, resize, slice } from "./operators-movement.js";
import {
  dequantizeLinear,
  qGemm,
  qLinearBinary,
  qLinearConv,
  qLinearMatMul,
  qLinearUnary,
  quantizeLinear,
} from "./operators-quantised.js";
import { flatten, reshape, squeeze, transpose, unsqueeze } from "./operators-shape.js";
import { batchNormalization, conv, globalPool, pool, reduce } from "./operators-window.js";

type NodeImporter = (node: OnnxNode) => Value;

export const nodeImporters: Readonly<Partial<Record<string, NodeImporter>>> = {
  Add: affineOr("Add", (c) => ({ factor: 1, offset: c })),
  AveragePool: pool("AveragePool2D"),
  BatchNormalization: batchNormalization,
  Clip: clip,
  Concat: concat,
  Conv: conv,
  DequantizeLinear: dequantizeLinear,
  Div: (node) =>
    affineOr(undefined, (c, left) => {
      if (left || c === 0) {
        throw node.shapeError("divides a constant, or by 0");
      }
      return { factor: 1 / c, offset: 0 };
    })(node),
  Dropout: passed,
  Flatten: flatten,
  Gemm: gemm,
  GlobalAveragePool: globalPool("AveragePool2D"),
  GlobalMaxPool: globalPool("MaxPool2D"),
  HardSwish: unary("HardSwish"),
  Identity: passed,
  LeakyRelu: leakyRelu,
  MatMul: matMul,
  Max: binary("Maximum"),
  MaxPool: pool("MaxPool2D"),
  Min: binary("Minimum"),
  Mul: affineOr("Mul", (c) => ({ factor: c, offset: 0 })),
  Pad: pad,
  PRelu: binary("PRelu"),
  QGemm: qGemm,
  QLinearAdd: qLinearBinary("Add"),
  QLinearAveragePool: qLinearUnary(pool("AveragePool2D")),
  QLinearConv: qLinearConv,
  QLinearGlobalAveragePool: qLinearUnary(globalPool("AveragePool2D")),
  QLinearLeakyRelu: qLinearUnary(leakyRelu),
  QLinearMatMul: qLinearMatMul,
  QLinearMul: qLinearBinary("Mul"),
  QLinearSigmoid: qLinearUnary(unary("Logistic")),
  QLinearSoftmax: qLinearUnary(softmax),
  QuantizeLinear: quantizeLinear,
  ReduceMax: reduce("ReduceMax"),
  ReduceMean: reduce("Mean"),
  ReduceMin: reduce("ReduceMin"),
  ReduceSum: reduce("Sum"),
  Relu: clampBy("relu"),
  Reshape: reshape,
  Resize: resize,
  Sigmoid: unary("Logistic"),
  Slice: slice,
  Softmax: softmax,
  Squeeze: squeeze,
  Sub: affineOr("Sub", (c, left) => (left ? { factor: -1, offset: c } : { factor: 1, offset: -c })),
  Tanh: unary("Tanh"),
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Upsample: resize,
};

/** What else a graph may contain: constants and arithmetic on shapes. */
const folded = ["Cast", "Constant", "Gather", "Shape"];

/** For messages. */
export function supportedNodes(): string {
  return `${Object.keys(nodeImporters).sort().join(", ")}; of constants and shapes also ${folded.join(", ")}`;
}
