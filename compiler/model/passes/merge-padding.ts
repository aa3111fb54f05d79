/**
 * Padding before a convolution or a maximum becomes padding of that layer, where both give the same bits: a convolution
 * counts what lies outside as the input's zero point, a maximum does not count it.
 */
import { tensorAt } from "../graph.js";
import type { Conv2DLayer, DepthwiseConv2DLayer, Layer, PoolLayer, WindowGeometry } from "../layers.js";
import type { MoveLayer } from "../layers-movement.js";
import type { Program } from "./program.js";

type Windowed = Conv2DLayer | DepthwiseConv2DLayer | PoolLayer;

export function mergePadding(program: Program): void {
  for (const { output } of program.layers) {
    const pad = program.producer(output);
    if (pad?.kind !== "Move" || pad.what !== "Pad" || pad.fill === undefined || program.isOutput(output)) {
      continue;
    }
    const readers = program.readers(output);
    const merged = readers.map((reader) => withPadding(program, pad, pad.fill ?? 0, reader));
    if (readers.length === 0 || merged.some((layer) => layer === undefined)) {
      continue;
    }
    readers.forEach((reader, i) => program.exchange(reader, merged[i] ?? reader));
    program.remove(pad, "padding merged", readers[0]?.operator);
  }
}

/** `reader` on the input of `pad`; undefined when that would give other bits. */
function withPadding(program: Program, pad: MoveLayer, fill: number, reader: Layer): Windowed | undefined {
  if (reader.kind !== "Conv2D" && reader.kind !== "DepthwiseConv2D" && reader.kind !== "MaxPool2D") {
    return undefined;
  }
  const [input = -1] = pad.inputs;
  const exact =
    "inputOffset" in reader
      ? fill + reader.inputOffset === 0
      : fill <= Math.max(reader.clamp.min, least(program.producer(input)));
  const amounts = spatialPadding(program, pad, reader.geometry);
  if (!exact || amounts === undefined) {
    return undefined;
  }
  const g = reader.geometry;
  const geometry: WindowGeometry = {
    ...g,
    inputHeight: g.inputHeight - amounts.top - amounts.bottom,
    inputWidth: g.inputWidth - amounts.left - amounts.right,
    padTop: g.padTop + amounts.top,
    padLeft: g.padLeft + amounts.left,
  };
  const rows = meets(g.outputHeight, g.strideHeight, g.filterHeight, g.dilationHeight, geometry.padTop);
  const columns = meets(g.outputWidth, g.strideWidth, g.filterWidth, g.dilationWidth, geometry.padLeft);
  return rows(geometry.inputHeight) && columns(geometry.inputWidth)
    ? { ...reader, input, geometry }
    : undefined;
}

/** The least value that a layer writes. */
function least(layer: Layer | undefined): number {
  return layer !== undefined && "clamp" in layer ? layer.clamp.min : -128;
}

/** Whether every window has at least one position inside [0, size): the kernels count on it. */
function meets(
  count: number,
  stride: number,
  filter: number,
  dilation: number,
  pad: number,
): (size: number) => boolean {
  return (size) => {
    for (let i = 0; i < count; i++) {
      const origin = i * stride - pad;
      const first = origin >= 0 ? 0 : Math.ceil(-origin / dilation);
      if (first >= Math.min(filter, Math.ceil((size - origin) / dilation))) {
        return false;
      }
    }
    return true;
  };
}

/** A dimension and what is put before and behind it. */
interface Padded {
  readonly size: number;
  readonly before: number;
  readonly after: number;
}

/** Without dimensions that do not matter, neighbours without padding as one: equal for equal bytes. */
function canonical(dimensions: readonly Padded[]): Padded[] {
  const result: Padded[] = [];
  for (const dimension of dimensions) {
    const { size, before, after } = dimension;
    const last = result.at(-1);
    if (before + after > 0) {
      result.push(dimension);
    } else if (size > 1 && last !== undefined && last.before + last.after === 0) {
      result[result.length - 1] = { ...last, size: last.size * size };
    } else if (size > 1) {
      result.push(dimension);
    }
  }
  return result;
}

/** Rows and columns that the padding adds to an image of padded size; undefined when it is not that. */
function spatialPadding(
  program: Program,
  { operator }: MoveLayer,
  g: WindowGeometry,
): { top: number; bottom: number; left: number; right: number } | undefined {
  const pad = program.graph.operators[operator];
  if (pad?.kind !== "Pad") {
    return undefined;
  }
  const { shape } = tensorAt(program.graph, pad.input);
  const own = canonical(
    shape.map((size, d) => ({ size, before: pad.before[d] ?? 0, after: pad.after[d] ?? 0 })),
  );
  const padded = own.filter(({ before, after }) => before + after > 0);
  const none = { before: 0, after: 0 };
  const candidates =
    padded.length === 2
      ? [padded]
      : [
          [padded[0] ?? none, none],
          [none, padded[0] ?? none],
        ];
  for (const [rows = none, columns = none] of candidates) {
    const image: Padded[] = [
      { ...rows, size: g.inputHeight - rows.before - rows.after },
      { ...columns, size: g.inputWidth - columns.before - columns.after },
      { ...none, size: g.inputChannels },
    ].map(({ size, before, after }) => ({ size, before, after }));
    const positive = image.every(({ size }) => size > 0);
    if (positive && padded.length <= 2 && JSON.stringify(canonical(image)) === JSON.stringify(own)) {
      return { top: rows.before, bottom: rows.after, left: columns.before, right: columns.after };
    }
  }
  return undefined;
}
