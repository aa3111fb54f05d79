/** The steps of a package for one layer, with the kernel that the compiled-in form takes. The words: format.ts. */
import { UserError } from "../../diagnostics/user-error.js";
import { copiesWeights, fastAdd, type KernelChoice } from "../kernels/choose.js";
import {
  packConv2D,
  packDense,
  packDepthwise,
  packDepthwiseTaps,
  packGeneralConv2D,
  packGeneralDense,
  packRequantization,
} from "../kernels/pack.js";
import type {
  AddLayer,
  Conv2DLayer,
  DepthwiseConv2DLayer,
  ElementwiseLayer,
  Factor,
  FullyConnectedLayer,
  Layer,
  PoolLayer,
  Requantization,
  WindowGeometry,
} from "../layers.js";
import type { Axis, Move, MoveLayer, ReduceLayer } from "../layers-movement.js";
import { Kernel, operations } from "./format.js";
import type { PackageConstant } from "./image.js";

/** What a layer needs to know to become steps. */
export interface StepContext {
  /** `operator 3 (Conv2D)`, for messages. */
  readonly where: string;
  /** The word of a tensor that is read: in the arena, or a constant. */
  readonly operand: (tensor: number) => number;
  /** Where a tensor that is written lies in the arena. */
  readonly result: (tensor: number) => number;
  /** Scratch memory of the layer in the arena. */
  readonly scratch: number;
  readonly constant: (data: PackageConstant) => number;
}

/** @throws UserError TMC3060 for a layer that packages have no kernel for. */
export function stepsOf(layer: Layer, choice: KernelChoice, context: StepContext): readonly number[][] {
  const as = choice.as ?? layer;
  switch (as.kind) {
    case "Conv2D":
      return [conv(as, choice, context)];
    case "DepthwiseConv2D":
      return [depthwise(as, choice, context)];
    case "FullyConnected":
      return [dense(as, choice, context)];
    case "Add":
      return [choice.name === "add" ? fastAddition(as, context) : addition(as, context)];
    case "Lookup":
      return [[...head(Kernel.lookup, as, as.input, context), as.count, context.constant(as.table)]];
    case "Elementwise":
      return [elementwise(as, context)];
    case "MaxPool2D":
    case "AveragePool2D":
      return [pool(as, choice, context)];
    case "Softmax":
      return [
        [
          ...head(Kernel.softmax, as, as.input, context),
          ...[as.rows, as.depth, as.multiplier, as.shift, as.minDifference],
        ],
      ];
    case "Reshape": {
      const moves = context.operand(as.input) !== context.result(as.output);
      return moves ? [[...head(Kernel.copy, as, as.input, context), as.count]] : [];
    }
    case "Move":
      return movement(as, context);
    case "Resize":
      return [
        [
          ...head(Kernel.resize, as, as.input, context),
          ...[as.rows.length, as.columns.length, as.run],
          ...[context.constant(as.rows), context.constant(as.columns)],
        ],
      ];
    case "Reduce":
      return [reduction(as, context)];
    default:
      throw unsupported(as, context);
  }
}

function unsupported(layer: { readonly kind: string }, { where }: StepContext): UserError {
  return new UserError(
    "TMC3060",
    `${where}: model packages have no kernel for ${layer.kind} layers of this form`,
    "Compile the model into the firmware, or express the layer by operators that packages support (docs/model-packages.md).",
  );
}

type Numbered = Pick<Layer, "operator" | "output">;

function head(kernel: number, layer: Numbered, input: number, context: StepContext): number[] {
  return [kernel, layer.operator, context.operand(input), context.result(layer.output), context.scratch];
}

function window(g: WindowGeometry): number[] {
  return [
    ...[g.inputHeight, g.inputWidth, g.inputChannels],
    ...[g.outputHeight, g.outputWidth, g.outputChannels],
    ...[g.filterHeight, g.filterWidth, g.strideHeight, g.strideWidth],
    ...[g.dilationHeight, g.dilationWidth, g.padTop, g.padLeft],
  ];
}

/** Offsets and clamp, after the places of the constants. */
function numbers(layer: Requantization & { readonly inputOffset: number }): number[] {
  return [layer.inputOffset, layer.outputOffset, layer.clamp.min, layer.clamp.max];
}

type Weighted = Conv2DLayer | DepthwiseConv2DLayer | FullyConnectedLayer;

/** The weights of a layer whose requantisation is in the stream. */
function streamed(stream: PackageConstant, layer: Weighted, { constant }: StepContext): number[] {
  return [constant(stream), 0, 0, 0, ...numbers(layer)];
}

/** The weights of a layer that requantises one by one. */
function general(
  stream: PackageConstant,
  bias: Int32Array | undefined,
  layer: Weighted,
  { constant }: StepContext,
): number[] {
  const biasAt = bias === undefined ? 0 : constant(bias);
  return [constant(stream), biasAt, constant(layer.multiplier), constant(layer.shift), ...numbers(layer)];
}

function conv(layer: Conv2DLayer, choice: KernelChoice, context: StepContext): number[] {
  const kernels: Partial<Record<KernelChoice["name"], number>> = {
    conv: Kernel.conv,
    conv1x1: Kernel.conv1x1,
    "conv-dilated": Kernel.convDilated,
    "conv-general": Kernel.convGeneral,
  };
  const kernel = kernels[choice.name];
  if (kernel === undefined) {
    throw unsupported(layer, context);
  }
  const isGeneral = kernel === Kernel.convGeneral;
  return [
    ...head(kernel, layer, layer.input, context),
    ...window(layer.geometry),
    ...(isGeneral
      ? general(packGeneralConv2D(layer), layer.bias, layer, context)
      : streamed(packConv2D(layer, choice.requantization), layer, context)),
    choice.triples,
    !isGeneral && copiesWeights(layer, choice.triples) ? 1 : 0,
  ];
}

function depthwise(layer: DepthwiseConv2DLayer, choice: KernelChoice, context: StepContext): number[] {
  const step = (kernel: number, weights: number[], option: boolean): number[] => [
    ...head(kernel, layer, layer.input, context),
    ...window(layer.geometry),
    ...weights,
    ...[layer.depthMultiplier, option ? 1 : 0],
  ];
  const right = choice.requantization.length > 0;
  switch (choice.name) {
    case "depthwise": {
      const compact = choice.triples > 1;
      const stream = packDepthwise(layer, choice.requantization, compact);
      return step(Kernel.depthwise, streamed(stream, layer, context), compact);
    }
    case "depthwise-general":
      return right
        ? step(
            Kernel.depthwiseGeneral,
            streamed(packDepthwise(layer, choice.requantization, false), layer, context),
            true,
          )
        : step(Kernel.depthwiseGeneral, general(packDepthwiseTaps(layer), layer.bias, layer, context), false);
    case "portable":
      return step(Kernel.depthwisePortable, general(layer.filter, layer.bias, layer, context), false);
    default:
      throw unsupported(layer, context);
  }
}

function dense(layer: FullyConnectedLayer, choice: KernelChoice, context: StepContext): number[] {
  const sizes = [layer.rows, layer.inputDepth, layer.outputDepth];
  if (choice.name === "dense" || choice.name === "dense-wide") {
    const wide = choice.name === "dense-wide";
    const { words, step } = packRequantization(choice.requantization);
    return [
      ...head(wide ? Kernel.denseWide : Kernel.dense, layer, layer.input, context),
      ...sizes,
      ...[context.constant(packDense(layer, wide)), 0, context.constant(words), 0],
      ...numbers(layer),
      step,
    ];
  }
  if (choice.name !== "dense-general") {
    throw unsupported(layer, context);
  }
  const { stream, bias } = packGeneralDense(layer);
  return [
    ...head(Kernel.denseGeneral, layer, layer.input, context),
    ...sizes,
    ...general(stream, bias, layer, context),
    0,
  ];
}

function addition(layer: AddLayer, context: StepContext): number[] {
  return [
    ...head(Kernel.add, layer, layer.left, context),
    ...[context.operand(layer.right), layer.count],
    ...[layer.leftOffset, layer.leftMultiplier, layer.leftShift],
    ...[layer.rightOffset, layer.rightMultiplier, layer.rightShift],
    ...[layer.outputOffset, layer.outputMultiplier, layer.outputShift],
    ...[layer.clamp.min, layer.clamp.max],
  ];
}

function fastAddition(layer: AddLayer, context: StepContext): number[] {
  const fast = fastAdd(layer);
  if (fast === undefined) {
    throw unsupported(layer, context);
  }
  const left = {
    tensor: layer.left,
    offset: layer.leftOffset,
    multiplier: layer.leftMultiplier,
    shift: layer.leftShift,
  };
  const right = {
    ...{ tensor: layer.right, offset: layer.rightOffset },
    ...{ multiplier: layer.rightMultiplier, shift: layer.rightShift },
  };
  const [scaled, plain] = fast.scaled === "right" ? [right, left] : [left, right];
  const equal = fast.scaled === undefined;
  const offset = equal ? left.offset + right.offset : scaled.offset;
  return [
    ...head(equal ? Kernel.addEqual : Kernel.addFast, layer, scaled.tensor, context),
    ...[context.operand(plain.tensor), layer.count],
    ...[offset, scaled.multiplier, -scaled.shift, fast.rounding],
    ...[fast.output.multiplier, fast.output.rounding, fast.output.shift],
    ...[layer.clamp.min, layer.clamp.max],
  ];
}

function elementwise(layer: ElementwiseLayer, context: StepContext): number[] {
  if (layer.wide) {
    throw unsupported(layer, context);
  }
  const factor = ({ offset, multiplier, shift }: Factor): number[] => [offset, multiplier, shift];
  const { left, right, output } = layer.factors;
  return [
    ...head(Kernel.elementwise, layer, layer.left, context),
    ...[context.operand(layer.right), operations.indexOf(layer.operation)],
    ...[...layer.shape, ...layer.leftSteps, ...layer.rightSteps],
    ...[...factor(left), ...factor(right), ...factor(output)],
    ...[layer.clamp.min, layer.clamp.max],
  ];
}

function pool(layer: PoolLayer, choice: KernelChoice, context: StepContext): number[] {
  const kernels = {
    MaxPool2D: [Kernel.maxPool, Kernel.maxPoolFast],
    AveragePool2D: [Kernel.averagePool, Kernel.averagePoolFast],
  } as const;
  const [portable, fast] = kernels[layer.kind];
  const kernel = choice.name === "pool" ? fast : portable;
  return [
    ...head(kernel, layer, layer.input, context),
    ...window(layer.geometry),
    ...[layer.clamp.min, layer.clamp.max],
  ];
}

function movement(layer: MoveLayer, context: StepContext): number[][] {
  const result = context.result(layer.output);
  const fill =
    layer.fill === undefined
      ? []
      : [[Kernel.fill, layer.operator, result, result, 0, layer.count, layer.fill]];
  return [...fill, ...layer.moves.map((move) => moveStep(layer, move, context))];
}

function moveStep(layer: MoveLayer, { input, from, to, run, loops }: Move, context: StepContext): number[] {
  const inner = loops.at(-1) ?? { count: 1, from: 0, to: 0 };
  const outer = loops.slice(0, -1);
  const words = [...outer.flatMap((loop) => [loop.count, loop.from, loop.to])];
  return [
    ...head(Kernel.move, layer, layer.inputs[input] ?? -1, context),
    ...[from, to, run, inner.count, inner.from, inner.to, outer.length],
    ...words,
    ...Array.from({ length: 12 - words.length }, () => 0),
  ];
}

function reduction(layer: ReduceLayer, context: StepContext): number[] {
  const kernels = { sum: Kernel.sum, max: Kernel.reduceMax, min: Kernel.reduceMin };
  const sum = layer.reduce === "sum";
  return [
    ...head(kernels[layer.reduce], layer, layer.input, context),
    ...axes(layer.kept),
    ...axes(layer.reduced),
    ...(sum ? [layer.total, layer.multiplier, layer.shift, layer.outputOffset] : [0, 0, 0, 0]),
  ];
}

/** Three axes, the used ones last. */
function axes(used: readonly Axis[]): number[] {
  const all = [...Array.from({ length: 3 - used.length }, () => ({ count: 1, step: 0 })), ...used];
  return all.flatMap(({ count, step }) => [count, step]);
}
