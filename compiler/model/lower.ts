/**
 * Turns a graph into layers, and by that decides whether the graph is an int8 model that can be executed exactly:
 * types, shapes, quantisation parameters and the range of every multiplier are checked here, with messages that name
 * the operator. It computes constants; it neither executes nor places anything.
 */
import { UserError } from "../diagnostics/user-error.js";
import {
  activationInputs,
  describeOperator,
  elementCount,
  tensorAt,
  type AveragePool2D,
  type Graph,
  type MaxPool2D,
  type Operator,
  type Reshape,
  type Softmax,
  type Tensor,
} from "./graph.js";
import type { Layer, PoolLayer, ReshapeLayer, SoftmaxLayer } from "./layers.js";
import { lowerBinary } from "./lower-binary.js";
import { lowerMovement } from "./lower-movement.js";
import { lowerReduction } from "./lower-reduce.js";
import { lowerUnary } from "./lower-unary.js";
import { lowerWide } from "./lower-wide.js";
import { lowerConv2D, lowerDepthwiseConv2D, lowerFullyConnected } from "./lower-weighted.js";
import {
  activationClamp,
  activationTensor,
  isWide,
  perTensor,
  shapeError,
  text,
  windowGeometry,
} from "./lower-common.js";
import { MAX_SOFTMAX_DEPTH } from "./operator-support.js";
import { quantizeMultiplier } from "./reference/arithmetic.js";

/** Bytes of all filters, one used by two operators counted twice; a bound on memory and time for hostile files. */
const MAX_WEIGHT_BYTES = 64 * 1024 * 1024;
const MAX_OUTPUT_CHANNELS = 65536;

function checkLimits(graph: Graph): void {
  const filters = graph.operators.flatMap((operator) =>
    "filter" in operator ? [{ operator, shape: tensorAt(graph, operator.filter).shape }] : [],
  );
  const bytes = filters.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const channels = Math.max(
    0,
    ...filters.map(({ operator }) => tensorAt(graph, operator.output).shape.at(-1) ?? 1),
  );
  if (bytes > MAX_WEIGHT_BYTES || channels > MAX_OUTPUT_CHANNELS) {
    throw new UserError(
      "TMC3003",
      `the model exceeds a limit of the compiler: it has ${bytes} weights and up to ${channels} output channels; at most ${MAX_WEIGHT_BYTES} and ${MAX_OUTPUT_CHANNELS} are accepted`,
      "Reduce the width of the model.",
    );
  }
}

/** Layers in execution order, one per operator. Throws UserError TMC3003, TMC3004, TMC3012, TMC3013, TMC3020..TMC3022. */
export function lower(graph: Graph): readonly Layer[] {
  checkLimits(graph);
  for (const index of [...graph.inputs, ...graph.outputs]) {
    const tensor = tensorAt(graph, index);
    activationTensor(graph, index, `tensor ${index} "${tensor.name}"`);
  }
  return graph.operators.map((operator, index) => {
    const where = describeLayer(graph, index);
    for (const tensor of [...activationInputs(operator), operator.output]) {
      activationTensor(graph, tensor, `${where}, tensor ${tensor}`);
    }
    const common = (): Layer => lowerOperator(graph, operator, index, where);
    const output = tensorAt(graph, operator.output);
    return isWide(output)
      ? lowerWide(graph, operator, index, where, common)
      : narrowOnly(graph, operator, where, common);
  });
}

/** The layer of an operator whose output is int8: its inputs are int8 too. */
function narrowOnly(graph: Graph, operator: Operator, where: string, common: () => Layer): Layer {
  if (activationInputs(operator).some((tensor) => isWide(tensorAt(graph, tensor)))) {
    throw new UserError(
      "TMC3020",
      `${where} reads int16 and writes int8; supported: activations of one type`,
      "Quantise the whole model with activations of one type.",
    );
  }
  return common();
}

/** `operator 3 (Conv2D, layer "conv_1")`. */
function describeLayer(graph: Graph, index: number): string {
  const name = graph.tensors[graph.operators[index]?.output ?? -1]?.name ?? "";
  return name === ""
    ? describeOperator(graph, index)
    : describeOperator(graph, index).replace(/\)$/, `, layer "${name}")`);
}

function lowerOperator(graph: Graph, operator: Operator, index: number, where: string): Layer {
  switch (operator.kind) {
    case "Conv2D":
      return lowerConv2D(graph, operator, index, where);
    case "DepthwiseConv2D":
      return lowerDepthwiseConv2D(graph, operator, index, where);
    case "FullyConnected":
      return lowerFullyConnected(graph, operator, index, where);
    case "Add":
    case "Maximum":
    case "Minimum":
    case "Mul":
    case "PRelu":
    case "Sub":
      return lowerBinary(graph, operator, index, where);
    case "HardSwish":
    case "LeakyRelu":
    case "Logistic":
    case "Quantize":
    case "Relu":
    case "Relu6":
    case "ReluN1To1":
    case "Tanh":
      return lowerUnary(graph, operator, index, where);
    case "MaxPool2D":
    case "AveragePool2D":
      return lowerPool(graph, operator, index, where);
    case "Reshape":
      return lowerReshape(graph, operator, index, where);
    case "Softmax":
      return lowerSoftmax(graph, operator, index, where);
    case "Concatenation":
    case "Pad":
    case "Slice":
    case "Transpose":
    case "ResizeNearestNeighbor":
      return lowerMovement(graph, operator, index, where);
    case "Mean":
    case "Sum":
    case "ReduceMax":
    case "ReduceMin":
      return lowerReduction(graph, operator, index, where);
  }
}

function lowerPool(
  graph: Graph,
  operator: MaxPool2D | AveragePool2D,
  index: number,
  where: string,
): PoolLayer {
  const input = tensorAt(graph, operator.input);
  const output = tensorAt(graph, operator.output);
  const i = perTensor(input, where);
  const o = perTensor(output, where);
  if (Math.abs(i.scale - o.scale) > 1e-6 || i.zeroPoint !== o.zeroPoint) {
    throw new UserError(
      "TMC3021",
      `${where}: pooling does not rescale, but its input has scale ${i.scale}, zero point ${i.zeroPoint} and its output ${o.scale}, ${o.zeroPoint}`,
      "Quantise the model so that pooling layers keep the parameters of their input.",
    );
  }
  const geometry = windowGeometry(
    input,
    output,
    { height: operator.filterHeight, width: operator.filterWidth },
    { ...operator, dilationHeight: 1, dilationWidth: 1 },
    where,
  );
  if (geometry.inputChannels !== geometry.outputChannels) {
    throw shapeError(where, `pools ${text(input.shape)} into ${text(output.shape)}`);
  }
  return {
    kind: operator.kind,
    operator: index,
    input: operator.input,
    output: operator.output,
    geometry,
    clamp: activationClamp(operator.activation, o, where),
  };
}

function lowerReshape(graph: Graph, operator: Reshape, index: number, where: string): ReshapeLayer {
  const input = tensorAt(graph, operator.input);
  const output = tensorAt(graph, operator.output);
  const count = elementCount(input.shape);
  if (count !== elementCount(output.shape)) {
    throw shapeError(where, `reshapes ${text(input.shape)} to ${text(output.shape)}`);
  }
  return { kind: "Reshape", operator: index, input: operator.input, output: operator.output, count };
}

function lowerSoftmax(graph: Graph, operator: Softmax, index: number, where: string): SoftmaxLayer {
  const input = tensorAt(graph, operator.input);
  const output = tensorAt(graph, operator.output);
  const depth = input.shape.at(-1) ?? 1;
  if (text(input.shape) !== text(output.shape)) {
    throw shapeError(where, `maps ${text(input.shape)} to ${text(output.shape)}`);
  }
  if (depth > MAX_SOFTMAX_DEPTH) {
    throw new UserError(
      "TMC3012",
      `${where}: a row of ${depth} elements is not supported; supported: at most ${MAX_SOFTMAX_DEPTH}`,
      "Reduce the number of classes.",
    );
  }
  const i = perTensor(input, where);
  checkSoftmaxOutput(output, where);
  // Scaled differences are Q5.26 numbers.
  const real = Math.min(operator.beta * i.scale * 2 ** 26, 2 ** 31 - 1);
  const { multiplier, shift } = quantizeMultiplier(real);
  if (!(real > 1)) {
    throw new UserError(
      "TMC3022",
      `${where}: beta ${operator.beta} times the input scale ${i.scale} is too small for the integer arithmetic`,
      "Calibrate the model with more representative data.",
    );
  }
  return {
    kind: "Softmax",
    operator: index,
    input: operator.input,
    output: operator.output,
    rows: elementCount(input.shape) / depth,
    depth,
    multiplier,
    shift,
    minDifference: 0 - Math.floor((31 * 2 ** 26) / 2 ** shift),
  };
}

function checkSoftmaxOutput(output: Tensor, where: string): void {
  const { scale, zeroPoint } = perTensor(output, where);
  if (scale !== 1 / 256 || zeroPoint !== -128) {
    throw new UserError(
      "TMC3021",
      `${where}: a softmax output has scale 1/256 and zero point -128, not ${scale} and ${zeroPoint}`,
      "Quantise the model again.",
    );
  }
}
