/**
 * A package back into layers that the reference kernels execute, with the tensors that they read and write. Only for
 * packages that `check.ts` accepts: others are refused here.
 */
import { UserError } from "../../diagnostics/user-error.js";
import type { AddLayer, Factor, Four, Layer, Requantization, WindowGeometry } from "../layers.js";
import type { Axis, Loop } from "../layers-movement.js";
import { readAbout, type PackageAbout } from "./about.js";
import { checkPackage, packageSteps, unboundedSlot, verdictText } from "./check.js";
import {
  Addition,
  At,
  Conv,
  Copy,
  Dense,
  Depthwise,
  Descriptor,
  ElementwiseStep,
  Lookup,
  operations,
  FastAddition,
  Fill,
  IN_PACKAGE,
  Kernel,
  kernelName,
  MoveStep,
  NAME_BYTES,
  Pool,
  Reason,
  Reduction,
  ResizeStep,
  Softmax,
  Step,
  Weights,
} from "./format.js";
import type { PackageEnd } from "./image.js";
import {
  unpackConv2D,
  unpackDense,
  unpackDepthwise,
  unpackDepthwiseTaps,
  unpackGeneralConv2D,
  unpackGeneralDense,
  type Unpacked,
  type Words,
} from "./unpack.js";

/** The memory that a step reads or writes, from its start; how much, the layer says. */
export interface StepTensor {
  readonly inPackage: boolean;
  readonly offset: number;
}

export interface PackageStep {
  /** Its operands are numbers of `tensors`. */
  readonly layer: Layer;
  readonly kernel: string;
  readonly tensors: readonly StepTensor[];
}

export interface ModelPackage {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly arenaBytes: number;
  readonly work: number;
  readonly kernels: readonly string[];
  readonly inputs: readonly PackageEnd[];
  readonly outputs: readonly PackageEnd[];
  /** Inputs and outputs of the self-test, one after the other; empty without one. */
  readonly golden: Int8Array;
  /** Undefined when the package does not say. */
  readonly about: PackageAbout | undefined;
  readonly steps: readonly PackageStep[];
}

/** @throws UserError TMC3061 for bytes that are no package or that no node would accept. */
export function readPackage(bytes: Uint8Array, name: string): ModelPackage {
  const verdict = checkPackage(bytes, unboundedSlot);
  if (verdict.reason !== Reason.ok) {
    throw new UserError(
      "TMC3061",
      `${name} is not a model package that a node would accept: ${verdictText(verdict)}`,
      "Make it again with tmc model package, or transfer it again.",
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (word: number): number => view.getUint32(4 * word, true);
  const inputs = at(At.inputs);
  const ends = Array.from({ length: inputs + at(At.outputs) }, (_, i) =>
    endAt(view, at(At.descriptors) / 4 + i * Descriptor.words),
  );
  const text = bytes.subarray(4 * At.name, 4 * At.name + NAME_BYTES);
  const stop = text.indexOf(0);
  return {
    name: new TextDecoder().decode(stop < 0 ? text : text.subarray(0, stop)),
    bytes,
    arenaBytes: at(At.arena),
    work: at(At.work),
    kernels: Object.values(Kernel)
      .filter((kernel) => (at(At.kernels) & (1 << kernel)) !== 0)
      .map(kernelName),
    inputs: ends.slice(0, inputs),
    outputs: ends.slice(inputs),
    golden: Int8Array.from(bytes.subarray(at(At.golden), at(At.golden) + at(At.goldenBytes))),
    about: readAbout(bytes),
    steps: packageSteps(bytes).map((step) => new StepReader(view, step).read()),
  };
}

function endAt(view: DataView, d: number): PackageEnd {
  const signed = (word: number): number => view.getInt32(4 * (d + word), true);
  return {
    offset: signed(Descriptor.offset),
    bytes: signed(Descriptor.bytes),
    shape: Array.from({ length: signed(Descriptor.rank) }, (_, i) => signed(Descriptor.shape + i)),
    scale: view.getFloat32(4 * (d + Descriptor.scale), true),
    zeroPoint: signed(Descriptor.zeroPoint),
  };
}

const OUTPUT = 0;
const INPUT = 1;
const SECOND = 2;

class StepReader {
  private readonly common: { readonly operator: number; readonly output: number };

  constructor(
    private readonly view: DataView,
    private readonly at: number,
  ) {
    this.common = { operator: this.word(Step.operator), output: OUTPUT };
  }

  read(): PackageStep {
    const kernel = this.word(Step.kernel);
    const second =
      kernel === Kernel.add
        ? [Addition.right]
        : kernel === Kernel.addFast || kernel === Kernel.addEqual
          ? [FastAddition.plain]
          : kernel === Kernel.elementwise
            ? [ElementwiseStep.right]
            : [];
    return {
      layer: this.layer(kernel),
      kernel: kernelName(kernel),
      tensors: [Step.output, Step.input, ...second].map((word) => this.tensor(word)),
    };
  }

  private word(i: number): number {
    return this.view.getInt32(this.at + 4 * i, true);
  }

  private tensor(i: number): StepTensor {
    const word = this.view.getUint32(this.at + 4 * i, true);
    return { inPackage: word >= IN_PACKAGE, offset: word % IN_PACKAGE };
  }

  /** Words of the constant whose offset is in word `i`. */
  private constant(i: number): Words {
    const offset = this.word(i);
    return (k) => this.view.getInt32(offset + 4 * k, true);
  }

  private ints(i: number, count: number): Int32Array {
    return Int32Array.from({ length: count }, (_, k) => this.constant(i)(k));
  }

  private bytes(i: number, count: number): Int8Array {
    const offset = this.word(i);
    return Int8Array.from({ length: count }, (_, k) => this.view.getInt8(offset + k));
  }

  private window(): WindowGeometry {
    const at = (i: number): number => this.word(Step.rest + i);
    return {
      ...{ inputHeight: at(0), inputWidth: at(1), inputChannels: at(2) },
      ...{ outputHeight: at(3), outputWidth: at(4), outputChannels: at(5) },
      ...{ filterHeight: at(6), filterWidth: at(7), strideHeight: at(8), strideWidth: at(9) },
      ...{ dilationHeight: at(10), dilationWidth: at(11), padTop: at(12), padLeft: at(13) },
    };
  }

  /** All but the multipliers of a weighted layer. */
  private numbers(
    at: number,
  ): { readonly inputOffset: number } & Pick<Requantization, "outputOffset" | "clamp"> {
    return {
      inputOffset: this.word(at + Weights.inputOffset),
      outputOffset: this.word(at + Weights.outputOffset),
      clamp: { min: this.word(at + Weights.min), max: this.word(at + Weights.max) },
    };
  }

  /** Biases and multipliers that have arrays of their own. */
  private general(
    at: number,
    channels: number,
    filter: Int8Array,
  ): Omit<Unpacked, "bias"> & {
    readonly bias: Int32Array | undefined;
  } {
    return {
      filter,
      bias: this.word(at + Weights.bias) === 0 ? undefined : this.ints(at + Weights.bias, channels),
      multiplier: this.ints(at + Weights.multiplier, channels),
      shift: this.bytes(at + Weights.shift, channels),
    };
  }

  private layer(kernel: number): Layer {
    switch (kernel) {
      case Kernel.conv:
      case Kernel.conv1x1:
      case Kernel.convDilated:
      case Kernel.convGeneral:
        return this.conv(kernel === Kernel.convGeneral);
      case Kernel.depthwise:
      case Kernel.depthwiseGeneral:
      case Kernel.depthwisePortable:
        return this.depthwise(kernel);
      case Kernel.dense:
      case Kernel.denseWide:
      case Kernel.denseGeneral:
        return this.dense(kernel);
      case Kernel.add:
        return this.addition();
      case Kernel.addFast:
        return this.fastAddition();
      case Kernel.addEqual:
        return this.equalAddition();
      case Kernel.lookup:
        return {
          ...this.common,
          kind: "Lookup",
          input: INPUT,
          count: this.word(Lookup.count),
          table: this.bytes(Lookup.table, 256),
        };
      case Kernel.elementwise:
        return this.elementwise();
      case Kernel.maxPool:
      case Kernel.averagePool:
      case Kernel.averagePoolFast:
      case Kernel.maxPoolFast:
        return {
          ...this.common,
          kind: kernel === Kernel.maxPool || kernel === Kernel.maxPoolFast ? "MaxPool2D" : "AveragePool2D",
          input: INPUT,
          geometry: this.window(),
          clamp: { min: this.word(Pool.min), max: this.word(Pool.max) },
        };
      case Kernel.softmax:
        return {
          ...this.common,
          kind: "Softmax",
          input: INPUT,
          rows: this.word(Softmax.rows),
          depth: this.word(Softmax.depth),
          multiplier: this.word(Softmax.multiplier),
          shift: this.word(Softmax.shift),
          minDifference: this.word(Softmax.minDifference),
        };
      case Kernel.copy:
        return { ...this.common, kind: "Reshape", input: INPUT, count: this.word(Copy.count) };
      case Kernel.fill:
      case Kernel.move:
        return this.movement(kernel === Kernel.fill);
      case Kernel.resize:
        return {
          ...this.common,
          kind: "Resize",
          input: INPUT,
          rows: this.ints(ResizeStep.rowTable, this.word(ResizeStep.rows)),
          columns: this.ints(ResizeStep.columnTable, this.word(ResizeStep.columns)),
          run: this.word(ResizeStep.run),
        };
      default:
        return this.reduction(kernel);
    }
  }

  private conv(general: boolean): Layer {
    const geometry = this.window();
    const { filterHeight, filterWidth, inputChannels, outputChannels } = geometry;
    const numbers = this.numbers(Conv.weights);
    const shape = {
      channels: outputChannels,
      depth: filterHeight * filterWidth * inputChannels,
      outputOffset: numbers.outputOffset,
    };
    const stream = this.constant(Conv.weights);
    const weights = general
      ? this.general(Conv.weights, outputChannels, unpackGeneralConv2D(stream, shape))
      : unpackConv2D(stream, shape);
    const { filter, bias, multiplier, shift } = weights;
    return {
      ...this.common,
      kind: "Conv2D",
      input: INPUT,
      geometry,
      ...numbers,
      ...{ filter, bias, multiplier, shift },
    };
  }

  private depthwise(kernel: number): Layer {
    const geometry = this.window();
    const channels = geometry.outputChannels;
    const numbers = this.numbers(Depthwise.weights);
    const depth = geometry.filterHeight * geometry.filterWidth;
    const shape = { channels, depth, outputOffset: numbers.outputOffset };
    const stream = this.constant(Depthwise.weights);
    const option = this.word(Depthwise.option) !== 0;
    const weights = ((): Omit<Unpacked, "bias"> & { readonly bias: Int32Array | undefined } => {
      if (kernel === Kernel.depthwisePortable) {
        return this.general(Depthwise.weights, channels, this.bytes(Depthwise.weights, channels * depth));
      }
      if (kernel === Kernel.depthwiseGeneral && !option) {
        return this.general(Depthwise.weights, channels, unpackDepthwiseTaps(stream, shape));
      }
      return unpackDepthwise(stream, kernel === Kernel.depthwise && option, shape);
    })();
    const { filter, bias, multiplier, shift } = weights;
    return {
      ...this.common,
      kind: "DepthwiseConv2D",
      input: INPUT,
      geometry,
      depthMultiplier: this.word(Depthwise.multiplier),
      ...numbers,
      ...{ filter, bias, multiplier, shift },
    };
  }

  private dense(kernel: number): Layer {
    const general = kernel === Kernel.denseGeneral;
    const outputDepth = this.word(Dense.outputs);
    const inputDepth = this.word(Dense.inputs);
    const numbers = this.numbers(Dense.weights);
    const shape = { channels: outputDepth, depth: inputDepth, outputOffset: numbers.outputOffset };
    const stream = this.constant(Dense.weights);
    const weights = general
      ? this.general(Dense.weights, outputDepth, unpackGeneralDense(stream, shape))
      : unpackDense(
          stream,
          kernel === Kernel.denseWide,
          this.constant(Dense.weights + Weights.multiplier),
          this.word(Dense.step),
          shape,
        );
    const { filter, bias, multiplier, shift } = weights;
    return {
      ...this.common,
      kind: "FullyConnected",
      input: INPUT,
      ...{ rows: this.word(Dense.rows), inputDepth, outputDepth },
      ...numbers,
      inputOffset: 0, // inside the biases
      ...{ filter, bias, multiplier, shift },
    };
  }

  private addition(): AddLayer {
    const [leftOffset = 0, leftMultiplier = 0, leftShift = 0, ...others] = this.numbersFrom(
      Addition.numbers,
      9,
    );
    const [rightOffset = 0, rightMultiplier = 0, rightShift = 0, ...last] = others;
    const [outputOffset = 0, outputMultiplier = 0, outputShift = 0] = last;
    return {
      ...this.common,
      kind: "Add",
      ...{ left: INPUT, right: SECOND, count: this.word(Addition.count) },
      ...{ leftOffset, leftMultiplier, leftShift },
      ...{ rightOffset, rightMultiplier, rightShift },
      ...{ outputOffset, outputMultiplier, outputShift },
      clamp: { min: this.word(Addition.min), max: this.word(Addition.max) },
    };
  }

  private numbersFrom(at: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.word(at + i));
  }

  /** What both fast additions share. */
  private scaledSum() {
    const [outputMultiplier = 0, rounding = 0, shift = 0] = this.numbersFrom(FastAddition.output, 3);
    return {
      ...this.common,
      kind: "Add",
      ...{ left: INPUT, right: SECOND, count: this.word(FastAddition.count) },
      outputOffset: Math.floor((rounding - 2 ** (shift - 1)) / 2 ** shift),
      outputMultiplier,
      outputShift: -shift,
      clamp: { min: this.word(FastAddition.min), max: this.word(FastAddition.max) },
    } as const;
  }

  private fastAddition(): AddLayer {
    const shift = this.word(FastAddition.shift);
    return {
      ...this.scaledSum(),
      leftOffset: this.word(FastAddition.offset),
      leftMultiplier: this.word(FastAddition.multiplier),
      leftShift: -shift,
      // Added after the plain operand is shifted left by 19.
      rightOffset: Math.floor((this.word(FastAddition.rounding) - 2 ** (shift - 1)) / 2 ** (19 + shift)),
      rightMultiplier: 2 ** 30,
      rightShift: 0,
    };
  }

  /** The left operand gets the sum of both offsets. */
  private equalAddition(): AddLayer {
    return {
      ...this.scaledSum(),
      ...{ leftOffset: this.word(FastAddition.offset), leftMultiplier: 2 ** 30, leftShift: 0 },
      ...{ rightOffset: 0, rightMultiplier: 2 ** 30, rightShift: 0 },
    };
  }

  private elementwise(): Layer {
    const four = (at: number): Four => [
      this.word(at),
      this.word(at + 1),
      this.word(at + 2),
      this.word(at + 3),
    ];
    const factor = (at: number): Factor => ({
      offset: this.word(at),
      multiplier: this.word(at + 1),
      shift: this.word(at + 2),
    });
    const { factors } = ElementwiseStep;
    return {
      ...this.common,
      kind: "Elementwise",
      operation: operations[this.word(ElementwiseStep.operation)] ?? "Add",
      ...{ left: INPUT, right: SECOND, leftShift: 20, wide: false },
      shape: four(ElementwiseStep.shape),
      leftSteps: four(ElementwiseStep.leftSteps),
      rightSteps: four(ElementwiseStep.rightSteps),
      factors: { left: factor(factors), right: factor(factors + 3), output: factor(factors + 6) },
      clamp: { min: this.word(ElementwiseStep.min), max: this.word(ElementwiseStep.max) },
    };
  }

  private movement(fill: boolean): Layer {
    const layer = { ...this.common, kind: "Move", what: "Slice", inputs: [INPUT] } as const;
    if (fill) {
      return { ...layer, moves: [], fill: this.word(Fill.value), count: this.word(Fill.count) };
    }
    const loop = (at: number): Loop => {
      const [count = 0, from = 0, to = 0] = this.numbersFrom(at, 3);
      return { count, from, to };
    };
    const loops = [
      ...Array.from({ length: this.word(MoveStep.depth) }, (_, i) => loop(MoveStep.outer + 3 * i)),
      loop(MoveStep.inner),
    ];
    const [from = 0, to = 0, run = 0] = this.numbersFrom(MoveStep.from, 3);
    return { ...layer, moves: [{ input: 0, from, to, run, loops }], fill: undefined, count: 0 };
  }

  private reduction(kernel: number): Layer {
    const axes = (at: number): Axis[] =>
      [0, 1, 2].map((i) => ({ count: this.word(at + 2 * i), step: this.word(at + 2 * i + 1) }));
    return {
      ...this.common,
      kind: "Reduce",
      reduce: kernel === Kernel.sum ? "sum" : kernel === Kernel.reduceMax ? "max" : "min",
      input: INPUT,
      kept: axes(Reduction.kept),
      reduced: axes(Reduction.reduced),
      total: this.word(Reduction.total),
      multiplier: this.word(Reduction.multiplier),
      shift: this.word(Reduction.shift),
      outputOffset: this.word(Reduction.outputOffset),
    };
  }
}
