/**
 * Layers: what is left of an operator when every quantity that can be known before run time is known. The executor on
 * Node.js and the C emitter both work from these, so they cannot disagree about a constant.
 *
 * Made by `lower.ts`. Tensors are still numbers of the graph; where they live is the memory plan's business.
 */
import type { MoveLayer, ReduceLayer, ResizeLayer } from "./layers-movement.js";

import type { Binary } from "./graph.js";
import type { WideLayer } from "./layers-wide.js";

/** A window over [1, H, W, C]; pairs are height first. Padding on the other side follows from the sizes. */
export interface WindowGeometry {
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly inputChannels: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
  readonly outputChannels: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/** Bounds of the int8 output, -128..127. */
export interface Clamp {
  readonly min: number;
  readonly max: number;
}

/** acc → clamp(acc * multiplier[c] * 2^(shift[c] - 31) + outputOffset); one multiplier and shift per output channel. */
export interface Requantization {
  readonly multiplier: Int32Array;
  /** -31..30; positive is to the left. */
  readonly shift: Int8Array;
  readonly outputOffset: number;
  readonly clamp: Clamp;
}

export interface LayerCommon {
  /** Number of the operator in the graph. */
  readonly operator: number;
  readonly output: number;
}

interface WeightedLayer extends LayerCommon, Requantization {
  readonly input: number;
  /** Minus the input's zero point. */
  readonly inputOffset: number;
  /** As TFLite stores it: [O,KH,KW,C], [1,KH,KW,O] or [O,K]. */
  readonly filter: Int8Array;
  readonly bias: Int32Array | undefined;
}

export interface Conv2DLayer extends WeightedLayer {
  readonly kind: "Conv2D";
  readonly geometry: WindowGeometry;
}

export interface DepthwiseConv2DLayer extends WeightedLayer {
  readonly kind: "DepthwiseConv2D";
  readonly geometry: WindowGeometry;
  readonly depthMultiplier: number;
}

export interface FullyConnectedLayer extends WeightedLayer {
  readonly kind: "FullyConnected";
  readonly rows: number;
  readonly inputDepth: number;
  readonly outputDepth: number;
}

export interface AddLayer extends LayerCommon {
  readonly kind: "Add";
  readonly left: number;
  readonly right: number;
  readonly count: number;
  readonly leftOffset: number;
  readonly leftMultiplier: number;
  readonly leftShift: number;
  readonly rightOffset: number;
  readonly rightMultiplier: number;
  readonly rightShift: number;
  readonly outputOffset: number;
  readonly outputMultiplier: number;
  readonly outputShift: number;
  readonly clamp: Clamp;
}

/** Four numbers, outermost dimension first. */
export type Four = readonly [number, number, number, number];

/** x → (x + offset) * multiplier * 2^(shift - 31); for the output the offset is added last. Shift -31..30. */
export interface Factor {
  readonly offset: number;
  readonly multiplier: number;
  readonly shift: number;
}

/**
 * Two operands with broadcasting. Add and Sub bring both operands, `leftShift` bits up, to one scale; Mul uses the factor
 * of the output only; PRelu the output's for values of at least 0, the right one's for products; Minimum and Maximum
 * compute with the stored values.
 */
export interface ElementwiseLayer extends LayerCommon {
  readonly kind: "Elementwise";
  readonly operation: Binary["kind"];
  /** int16 instead of int8. */
  readonly wide: boolean;
  readonly left: number;
  readonly right: number;
  /** The output, with dimensions that behave alike joined; 1 for those that are not there. */
  readonly shape: Four;
  /** Elements from one index of a dimension to the next; 0 where the operand is broadcast. */
  readonly leftSteps: Four;
  readonly rightSteps: Four;
  readonly leftShift: number;
  readonly factors: { readonly left: Factor; readonly right: Factor; readonly output: Factor };
  readonly clamp: Clamp;
}

/** Any function of one int8 value. */
export interface LookupLayer extends LayerCommon {
  readonly kind: "Lookup";
  readonly input: number;
  readonly count: number;
  /** 256 results, by the value's lowest 8 bits: of 0..127, then of -128..-1. */
  readonly table: Int8Array;
}

export interface PoolLayer extends LayerCommon {
  readonly kind: "MaxPool2D" | "AveragePool2D";
  readonly input: number;
  readonly geometry: WindowGeometry;
  readonly clamp: Clamp;
}

export interface ReshapeLayer extends LayerCommon {
  readonly kind: "Reshape";
  readonly input: number;
  /** Bytes. */
  readonly count: number;
}

export interface SoftmaxLayer extends LayerCommon {
  readonly kind: "Softmax";
  readonly input: number;
  readonly rows: number;
  readonly depth: number;
  readonly multiplier: number;
  /** To the left, 0..31. */
  readonly shift: number;
  /** Differences to the maximum below this give probability 0; not positive. */
  readonly minDifference: number;
}

export type Layer =
  | Conv2DLayer
  | DepthwiseConv2DLayer
  | FullyConnectedLayer
  | AddLayer
  | ElementwiseLayer
  | LookupLayer
  | PoolLayer
  | ReshapeLayer
  | SoftmaxLayer
  | WideLayer
  | MoveLayer
  | ResizeLayer
  | ReduceLayer;

/** The activation tensors a layer reads; constants of an Add are among them. */
export function layerInputs(layer: Layer): readonly number[] {
  if ("inputs" in layer) {
    return layer.inputs;
  }
  return "left" in layer ? [layer.left, layer.right] : [layer.input];
}

/** The inputs whose memory the output may take when they are not needed any more. */
export function replaceableInputs(layer: Layer): readonly number[] {
  switch (layer.kind) {
    case "Add":
    case "Lookup":
    case "Reshape":
    case "WideLogistic":
    case "WideTanh":
      return layerInputs(layer);
    case "Elementwise": {
      const whole = (steps: Four): boolean => layer.shape.every((size, i) => size === 1 || steps[i] !== 0);
      return [
        ...(whole(layer.leftSteps) ? [layer.left] : []),
        ...(whole(layer.rightSteps) ? [layer.right] : []),
      ];
    }
    default:
      return [];
  }
}

/** Multiplications with accumulation; 0 for layers without weights. Positions in the padding count, as is customary. */
export function layerMacs(layer: Layer): number {
  switch (layer.kind) {
    case "WideConv2D":
    case "Conv2D": {
      const g = layer.geometry;
      return (
        g.outputHeight * g.outputWidth * g.outputChannels * g.filterHeight * g.filterWidth * g.inputChannels
      );
    }
    case "WideDepthwiseConv2D":
    case "DepthwiseConv2D": {
      const g = layer.geometry;
      return g.outputHeight * g.outputWidth * g.outputChannels * g.filterHeight * g.filterWidth;
    }
    case "WideFullyConnected":
    case "FullyConnected":
      return layer.rows * layer.inputDepth * layer.outputDepth;
    default:
      return 0;
  }
}

/** Bytes of weights, biases and requantisation constants (tables among them) as the C emitter stores them. */
export function layerConstantBytes(layer: Layer): { weights: number; bias: number; requantization: number } {
  if ("filter" in layer) {
    return {
      weights: layer.filter.byteLength,
      bias: layer.bias?.byteLength ?? 0,
      requantization: layer.multiplier.byteLength + layer.shift.byteLength,
    };
  }
  const table = layer.kind === "Lookup" ? layer.table.byteLength : 0;
  return { weights: 0, bias: 0, requantization: table };
}
