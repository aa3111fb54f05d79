/** A layer that only clamps (a pooling of single positions) goes into the bounds of the layer before it. */
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
  if (layer.kind !== "MaxPool2D" && layer.kind !== "AveragePool2D") {
    return undefined;
  }
  const g = layer.geometry;
  const single = g.filterHeight * g.filterWidth * g.strideHeight * g.strideWidth === 1;
  const same = g.inputHeight === g.outputHeight && g.inputWidth === g.outputWidth;
  return single && same ? layer.clamp : undefined;
}
