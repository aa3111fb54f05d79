/**
 * A layer that only clamps (a pooling of single positions, a table that says so) goes into the bounds of the layer before
 * it; of two tables one after the other one remains.
 */
import { chooseKernel } from "../kernels/choose.js";
import type { Clamp, Layer } from "../layers.js";
import type { Program } from "./program.js";

export function fuseActivations(program: Program): void {
  for (const { output } of program.layers) {
    const layer = program.producer(output);
    const clamp = layer === undefined ? undefined : onlyClamps(layer);
    const producer = layer !== undefined && "input" in layer ? program.producer(layer.input) : undefined;
    if (
      layer === undefined ||
      clamp === undefined ||
      producer === undefined ||
      !("clamp" in producer) ||
      program.soleReader(producer.output) !== layer
    ) {
      continue;
    }
    const bound = (value: number): number => Math.min(Math.max(value, clamp.min), clamp.max);
    const { min, max } = producer.clamp;
    const fused: Layer = { ...producer, output, clamp: { min: bound(min), max: bound(max) } };
    // The clamp must not cost more than the layer that it saves.
    if (chooseKernel(producer).name !== "portable" && chooseKernel(fused).name === "portable") {
      continue;
    }
    program.exchange(producer, fused);
    program.remove(layer, "activations fused", producer.operator);
  }
}

/** The bounds, of a layer that does nothing else. */
function onlyClamps(layer: Layer): Clamp | undefined {
  if (layer.kind === "Lookup") {
    const [min = 0, max = 0] = [layer.table[128], layer.table[127]];
    const clamps = layer.table.every((result, i) => result === Math.min(Math.max((i << 24) >> 24, min), max));
    return clamps && min <= max ? { min, max } : undefined;
  }
  if (layer.kind !== "MaxPool2D" && layer.kind !== "AveragePool2D") {
    return undefined;
  }
  const g = layer.geometry;
  const single = g.filterHeight * g.filterWidth * g.strideHeight * g.strideWidth === 1;
  const same = g.inputHeight === g.outputHeight && g.inputWidth === g.outputWidth;
  return single && same ? layer.clamp : undefined;
}

/** A table of a table. */
export function joinTables(program: Program): void {
  for (const { output } of program.layers) {
    const second = program.producer(output);
    const first = second?.kind === "Lookup" ? program.producer(second.input) : undefined;
    if (
      second?.kind === "Lookup" &&
      first?.kind === "Lookup" &&
      program.soleReader(first.output) === second
    ) {
      const table = first.table.map((value) => second.table[value & 255] ?? 0);
      program.exchange(second, { ...second, input: first.input, table });
      program.remove(first, "tables joined", second.operator);
    }
  }
}
