/**
 * Synthetic layers for `npm run bench:layers`: what small networks of sensors and images are made of, with random int8
 * weights, side by side in one graph. Sizes are small; what counts is instructions per multiplication or per output.
 */
import type { Graph } from "../compiler/model/graph.js";
import { LayerBuilder, type Window } from "./layer-builder.js";

const square = (size: number, more: Partial<Window> = {}): Window => {
  return { filterHeight: size, filterWidth: size, ...more };
};
const stride = (height: number, width = height): Partial<Window> => {
  return { strideHeight: height, strideWidth: width };
};
const dilation = (height: number, width = height): Partial<Window> => {
  return { dilationHeight: height, dilationWidth: width };
};

interface LayerToBench {
  readonly name: string;
  readonly add: (b: LayerBuilder) => void;
}

/** `shape` is [H, W, C]; see LayerBuilder for `multiplier`. */
function conv(name: string, shape: number[], channels: number, w: Window, multiplier?: number): LayerToBench {
  return { name, add: (b) => b.conv(shape, channels, w, multiplier) };
}

function depthwise(
  name: string,
  shape: number[],
  times: number,
  w: Window,
  multiplier?: number,
): LayerToBench {
  return { name, add: (b) => b.depthwise(shape, times, w, multiplier) };
}

function dense(
  name: string,
  rows: number,
  inputs: number,
  outputs: number,
  multiplier?: number,
): LayerToBench {
  return { name, add: (b) => b.dense(rows, inputs, outputs, multiplier) };
}

function pool(name: string, kind: "MaxPool2D" | "AveragePool2D", shape: number[], w: Window): LayerToBench {
  return { name, add: (b) => b.pool(kind, shape, w) };
}

const layers: readonly LayerToBench[] = [
  conv("conv 3x3, 16 to 16", [16, 16, 16], 16, square(3)),
  conv("conv 3x3 valid, stride 2, 16 to 32", [16, 16, 16], 32, square(3, { padding: "valid", ...stride(2) })),
  conv("conv 3x3, stride 3, 12 to 12", [18, 18, 12], 12, square(3, stride(3))),
  conv("conv 3x3, 3 to 8", [24, 24, 3], 8, square(3)),
  conv("conv 3x3, 1 to 8", [28, 28, 1], 8, square(3)),
  conv("conv 5x5, 1 to 6", [28, 28, 1], 6, square(5)),
  conv("conv 5x5, 6 to 16", [14, 14, 6], 16, square(5, { padding: "valid" })),
  conv("conv 3x3, 7 to 9", [12, 12, 7], 9, square(3)),
  conv("conv 3x3, 8 to 1", [16, 16, 8], 1, square(3)),
  conv("conv 3x3, dilation 2, 16 to 16", [16, 16, 16], 16, square(3, dilation(2))),
  conv("conv 3x3, left shifts, 16 to 16", [12, 12, 16], 16, square(3), 3),
  conv("conv 3x3, shift 0, 16 to 16", [12, 12, 16], 16, square(3), 0.7),
  conv("conv 3x3, 256 to 16", [4, 4, 256], 16, square(3)),
  conv("conv 1x1, 32 to 32", [12, 12, 32], 32, square(1)),
  conv("conv 1x1, 10 to 20", [12, 12, 10], 20, square(1)),
  conv("conv 1x1, stride 2, 16 to 32", [16, 16, 16], 32, square(1, stride(2))),
  conv("conv 1-D 1x5, 3 to 16", [1, 128, 3], 16, { filterHeight: 1, filterWidth: 5 }),
  conv("conv 1-D 1x3, stride 2, 16 to 32", [1, 64, 16], 32, {
    filterHeight: 1,
    filterWidth: 3,
    ...stride(1, 2),
  }),
  conv("conv 1-D 1x3, dilation 4, 16 to 16", [1, 64, 16], 16, {
    ...{ filterHeight: 1, filterWidth: 3 },
    ...dilation(1, 4),
  }),
  conv("conv 10x4, 1 to 64", [49, 10, 1], 64, { filterHeight: 10, filterWidth: 4, ...stride(2) }),
  depthwise("depthwise 3x3, 16", [16, 16, 16], 1, square(3)),
  depthwise("depthwise 3x3, stride 2, 16", [16, 16, 16], 1, square(3, stride(2))),
  depthwise("depthwise 3x3, stride 3, 16", [18, 18, 16], 1, square(3, stride(3))),
  depthwise("depthwise 3x3, 10", [16, 16, 10], 1, square(3)),
  depthwise("depthwise 3x3, 3", [24, 24, 3], 1, square(3)),
  depthwise("depthwise 5x5, 16", [16, 16, 16], 1, square(5)),
  depthwise("depthwise 3x3, dilation 2, 16", [16, 16, 16], 1, square(3, dilation(2))),
  depthwise("depthwise 3x3, multiplier 2, 8", [16, 16, 8], 2, square(3)),
  depthwise("depthwise 3x3, multiplier 8, 3", [16, 16, 3], 8, square(3)),
  depthwise("depthwise 10x8, stride 2, multiplier 8, 1", [49, 40, 1], 8, {
    ...{ filterHeight: 10, filterWidth: 8 },
    ...stride(2),
  }),
  depthwise("depthwise 3x3, left shifts, 16", [16, 16, 16], 1, square(3), 3),
  depthwise("depthwise 1-D 1x5, 16", [1, 128, 16], 1, { filterHeight: 1, filterWidth: 5 }),
  depthwise("depthwise 1-D 9x1, 8", [128, 1, 8], 1, { filterHeight: 9, filterWidth: 1 }),
  dense("dense 256 to 32", 1, 256, 32),
  dense("dense 4000 to 8", 1, 4000, 8),
  dense("dense 250 to 10", 1, 250, 10),
  dense("dense 64 to 1", 1, 64, 1),
  dense("dense 64 to 32, 16 rows", 16, 64, 32),
  dense("dense 128 to 16, left shifts", 1, 128, 16, 3),
  pool("max pool 2x2, 16", "MaxPool2D", [16, 16, 16], square(2, { padding: "valid", ...stride(2) })),
  pool("max pool 2x2, 6", "MaxPool2D", [24, 24, 6], square(2, { padding: "valid", ...stride(2) })),
  pool("max pool 3x3, stride 2, 16", "MaxPool2D", [17, 17, 16], square(3, stride(2))),
  pool("max pool 1x2, 16", "MaxPool2D", [1, 128, 16], {
    ...{ filterHeight: 1, filterWidth: 2, padding: "valid" },
    ...stride(1, 2),
  }),
  pool("average pool 2x2, 16", "AveragePool2D", [16, 16, 16], square(2, { padding: "valid", ...stride(2) })),
  pool("average pool 2x2, 6", "AveragePool2D", [24, 24, 6], square(2, { padding: "valid", ...stride(2) })),
  pool("global average pool 8x8, 32", "AveragePool2D", [8, 8, 32], square(8, { padding: "valid" })),
  pool("global average pool 20x20, 10", "AveragePool2D", [20, 20, 10], square(20, { padding: "valid" })),
  { name: "add", add: (b) => b.add([16, 16, 16], [0.05, 0.03], "none") },
  { name: "add, relu, odd count", add: (b) => b.add([15, 15, 7], [0.05, 0.03], "relu") },
  { name: "add of equal scales", add: (b) => b.add([16, 16, 16], [0.05, 0.05], "none") },
  { name: "softmax of 10", add: (b) => b.softmax(1, 10) },
  { name: "softmax of 4, 64 rows", add: (b) => b.softmax(64, 4) },
];

/** One operator for each name, in order. Always the same graph for the same names. */
export function layerSet(chosen: (name: string) => boolean): { names: readonly string[]; graph: Graph } {
  const b = new LayerBuilder();
  const own = layers.filter((layer) => chosen(layer.name));
  own.forEach((layer) => layer.add(b));
  return { names: own.map((layer) => layer.name), graph: b.graph("layers") };
}
