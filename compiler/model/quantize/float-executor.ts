/**
 * Runs a float graph on the host, one input at a time: for calibration and as the yardstick of the int8 model. Sums are
 * made in double precision and stored as float32, so results differ from a float32 framework in the last bits.
 *
 * It is not fast and not the model that is deployed: the int8 reference executor is.
 */
import type { Activation, Conv2D, DepthwiseConv2D, FullyConnected, Graph } from "../graph.js";
import { activationInputs, elementCount } from "../graph.js";
import type { Movement, Reduction } from "../graph-movement.js";
import { planMovement } from "../lower-movement.js";
import { mergedAxes } from "../lower-reduce.js";
import { copyMoves, positions, resize } from "../reference/movement.js";
import { floatBinary, floatUnary, type FloatOperand } from "./float-elementwise.js";
import type { BatchNormalization, FloatGraph, FloatOperator } from "./float-graph.js";
import { floatConstant, floatTensor, windowGeometry } from "./float-graph.js";

type Pool = Extract<FloatOperator, { kind: "MaxPool2D" | "AveragePool2D" }>;

/** [N, H, W, C] of a rank-4 tensor. */
function image(
  graph: FloatGraph | Graph,
  index: number,
): { height: number; width: number; channels: number } {
  const [, height, width, channels] = floatTensor(graph, index).shape;
  if (height === undefined || width === undefined || channels === undefined) {
    throw new Error(`tensor ${index} of model "${graph.name}" is not of rank 4`);
  }
  return { height, width, channels };
}

function activate(values: Float32Array, activation: Activation): void {
  if (activation === "none") {
    return;
  }
  const low = activation === "relu_n1_to_1" ? -1 : 0;
  const high = activation === "relu6" ? 6 : activation === "relu_n1_to_1" ? 1 : Infinity;
  for (let i = 0; i < values.length; i++) {
    values[i] = Math.min(high, Math.max(low, values[i] ?? 0));
  }
}

/** Holds one buffer for each activation tensor; `run` overwrites them. */
export class FloatExecutor {
  private readonly values: (Float32Array | undefined)[];

  constructor(private readonly graph: FloatGraph | Graph) {
    this.values = graph.tensors.map((tensor) =>
      tensor.data === undefined ? new Float32Array(elementCount(tensor.shape)) : undefined,
    );
  }

  /** Runs the graph on `input`, the elements of its only input tensor; returns its first output (valid until the next run). */
  run(input: Float32Array): Float32Array {
    const target = this.tensor(this.graph.inputs[0] ?? -1);
    if (input.length !== target.length) {
      throw new Error(`input has ${input.length} elements, the model takes ${target.length}`);
    }
    target.set(input);
    this.execute();
    return this.tensor(this.graph.outputs[0] ?? -1);
  }

  /** Runs every operator on what the input tensors hold. */
  execute(): void {
    for (const operator of this.graph.operators) {
      this.step(operator);
    }
  }

  /** The present contents of activation tensor `index`. */
  tensor(index: number): Float32Array {
    const values = this.values[index];
    if (values === undefined) {
      throw new Error(`tensor ${index} of model "${this.graph.name}" is not an activation`);
    }
    return values;
  }

  /** An activation or a constant. */
  private operand(index: number): Float32Array {
    return this.values[index] ?? floatConstant(this.graph, index);
  }

  private operandOf(index: number): FloatOperand {
    return { tensor: floatTensor(this.graph, index), data: this.operand(index) };
  }

  private step(operator: FloatOperator): void {
    const out = this.tensor(operator.output);
    switch (operator.kind) {
      case "Conv2D":
        this.conv(operator, out);
        break;
      case "DepthwiseConv2D":
        this.depthwise(operator, out);
        break;
      case "FullyConnected":
        this.dense(operator, out);
        break;
      case "Add":
      case "Maximum":
      case "Minimum":
      case "Mul":
      case "PRelu":
      case "Sub":
        floatBinary(operator.kind, this.operandOf(operator.left), this.operandOf(operator.right), {
          tensor: floatTensor(this.graph, operator.output),
          data: out,
        });
        break;
      case "HardSwish":
      case "LeakyRelu":
      case "Logistic":
      case "Quantize":
      case "Relu":
      case "Relu6":
      case "ReluN1To1":
      case "Tanh":
        floatUnary(operator, this.tensor(operator.input), out);
        break;
      case "MaxPool2D":
      case "AveragePool2D":
        this.pool(operator, out);
        break;
      case "Reshape":
      case "Activation":
        out.set(this.tensor(operator.input));
        break;
      case "Softmax":
        this.softmax(this.tensor(operator.input), operator.output, operator.beta);
        break;
      case "BatchNormalization":
        this.normalize(operator, out);
        break;
      case "Concatenation":
      case "Pad":
      case "Slice":
      case "Transpose":
      case "ResizeNearestNeighbor":
        this.move(operator, out);
        break;
      case "Mean":
      case "Sum":
      case "ReduceMax":
      case "ReduceMin":
        this.reduce(operator, out);
        break;
    }
    if ("activation" in operator) {
      activate(out, operator.activation);
    }
  }

  private move(op: Movement, out: Float32Array): void {
    const inputs = activationInputs(op).map((index) => this.operand(index));
    const plan = planMovement(this.graph, op, `layer "${floatTensor(this.graph, op.output).name}"`);
    if ("rows" in plan) {
      resize(plan, inputs[0] ?? new Float32Array(), out);
      return;
    }
    if (op.kind === "Pad") {
      out.fill(op.value ?? 0);
    }
    copyMoves(plan, inputs, out);
  }

  private reduce(op: Reduction, out: Float32Array): void {
    const input = this.operand(op.input);
    const { shape } = floatTensor(this.graph, op.input);
    const { kept, reduced } = mergedAxes(shape, (d) => op.axes.includes(d));
    const inner = positions(reduced);
    positions(kept).forEach((start, i) => {
      const values = inner.map((position) => input[start + position] ?? 0);
      const sum = values.reduce((a, b) => a + b, 0);
      out[i] =
        op.kind === "Sum"
          ? sum
          : op.kind === "Mean"
            ? sum / values.length
            : values.reduce((a, b) => (op.kind === "ReduceMax" ? Math.max(a, b) : Math.min(a, b)));
    });
  }

  private conv(op: Conv2D, out: Float32Array): void {
    const from = image(this.graph, op.input);
    const to = image(this.graph, op.output);
    const [, filterHeight = 0, filterWidth = 0] = floatTensor(this.graph, op.filter).shape;
    const filter = floatConstant(this.graph, op.filter);
    const bias = op.bias === undefined ? undefined : floatConstant(this.graph, op.bias);
    const input = this.tensor(op.input);
    const rows = windowGeometry(from.height, filterHeight, op.strideHeight, op.dilationHeight, op.padding);
    const columns = windowGeometry(from.width, filterWidth, op.strideWidth, op.dilationWidth, op.padding);
    let at = 0;
    for (let oy = 0; oy < to.height; oy++) {
      for (let ox = 0; ox < to.width; ox++) {
        for (let oc = 0; oc < to.channels; oc++) {
          let sum = bias?.[oc] ?? 0;
          for (let ky = 0; ky < filterHeight; ky++) {
            const iy = oy * op.strideHeight - rows.before + ky * op.dilationHeight;
            if (iy < 0 || iy >= from.height) {
              continue;
            }
            for (let kx = 0; kx < filterWidth; kx++) {
              const ix = ox * op.strideWidth - columns.before + kx * op.dilationWidth;
              if (ix < 0 || ix >= from.width) {
                continue;
              }
              const source = (iy * from.width + ix) * from.channels;
              const weight = ((oc * filterHeight + ky) * filterWidth + kx) * from.channels;
              for (let ic = 0; ic < from.channels; ic++) {
                sum += (input[source + ic] ?? 0) * (filter[weight + ic] ?? 0);
              }
            }
          }
          out[at++] = sum;
        }
      }
    }
  }

  private depthwise(op: DepthwiseConv2D, out: Float32Array): void {
    const from = image(this.graph, op.input);
    const to = image(this.graph, op.output);
    const [, filterHeight = 0, filterWidth = 0] = floatTensor(this.graph, op.filter).shape;
    const filter = floatConstant(this.graph, op.filter);
    const bias = op.bias === undefined ? undefined : floatConstant(this.graph, op.bias);
    const input = this.tensor(op.input);
    const rows = windowGeometry(from.height, filterHeight, op.strideHeight, op.dilationHeight, op.padding);
    const columns = windowGeometry(from.width, filterWidth, op.strideWidth, op.dilationWidth, op.padding);
    let at = 0;
    for (let oy = 0; oy < to.height; oy++) {
      for (let ox = 0; ox < to.width; ox++) {
        for (let oc = 0; oc < to.channels; oc++) {
          let sum = bias?.[oc] ?? 0;
          const ic = Math.floor(oc / op.depthMultiplier);
          for (let ky = 0; ky < filterHeight; ky++) {
            const iy = oy * op.strideHeight - rows.before + ky * op.dilationHeight;
            for (let kx = 0; kx < filterWidth; kx++) {
              const ix = ox * op.strideWidth - columns.before + kx * op.dilationWidth;
              if (iy >= 0 && iy < from.height && ix >= 0 && ix < from.width) {
                const weight = filter[(ky * filterWidth + kx) * to.channels + oc] ?? 0;
                sum += (input[(iy * from.width + ix) * from.channels + ic] ?? 0) * weight;
              }
            }
          }
          out[at++] = sum;
        }
      }
    }
  }

  private dense(op: FullyConnected, out: Float32Array): void {
    const [units = 0, depth = 0] = floatTensor(this.graph, op.filter).shape;
    const filter = floatConstant(this.graph, op.filter);
    const bias = op.bias === undefined ? undefined : floatConstant(this.graph, op.bias);
    const input = this.tensor(op.input);
    for (let i = 0; i < out.length; i++) {
      const unit = i % units;
      const row = ((i - unit) / units) * depth;
      let sum = bias?.[unit] ?? 0;
      for (let k = 0; k < depth; k++) {
        sum += (input[row + k] ?? 0) * (filter[unit * depth + k] ?? 0);
      }
      out[i] = sum;
    }
  }

  private pool(op: Pool, out: Float32Array): void {
    const from = image(this.graph, op.input);
    const to = image(this.graph, op.output);
    const input = this.tensor(op.input);
    const rows = windowGeometry(from.height, op.filterHeight, op.strideHeight, 1, op.padding);
    const columns = windowGeometry(from.width, op.filterWidth, op.strideWidth, 1, op.padding);
    let at = 0;
    for (let oy = 0; oy < to.height; oy++) {
      const top = oy * op.strideHeight - rows.before;
      for (let ox = 0; ox < to.width; ox++) {
        const left = ox * op.strideWidth - columns.before;
        for (let c = 0; c < to.channels; c++) {
          let sum = 0;
          let highest = -Infinity;
          let count = 0;
          for (let y = Math.max(0, top); y < Math.min(from.height, top + op.filterHeight); y++) {
            for (let x = Math.max(0, left); x < Math.min(from.width, left + op.filterWidth); x++) {
              const value = input[(y * from.width + x) * from.channels + c] ?? 0;
              sum += value;
              highest = Math.max(highest, value);
              count++;
            }
          }
          out[at++] = op.kind === "MaxPool2D" ? highest : sum / count;
        }
      }
    }
  }

  private softmax(input: Float32Array, output: number, beta: number): void {
    const out = this.tensor(output);
    const depth = floatTensor(this.graph, output).shape.at(-1) ?? 1;
    for (let start = 0; start < input.length; start += depth) {
      const row = input.subarray(start, start + depth);
      const highest = row.reduce((a, b) => Math.max(a, b), -Infinity);
      const exponentials = Array.from(row, (value) => Math.exp(beta * (value - highest)));
      const sum = exponentials.reduce((a, b) => a + b, 0);
      exponentials.forEach((value, i) => (out[start + i] = value / sum));
    }
  }

  private normalize(op: BatchNormalization, out: Float32Array): void {
    const input = this.tensor(op.input);
    const channels = op.gamma.length;
    for (let i = 0; i < out.length; i++) {
      const c = i % channels;
      const factor = (op.gamma[c] ?? 0) / Math.sqrt((op.variance[c] ?? 0) + op.epsilon);
      out[i] = ((input[i] ?? 0) - (op.mean[c] ?? 0)) * factor + (op.beta[c] ?? 0);
    }
  }
}
