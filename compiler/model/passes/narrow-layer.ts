/** One layer with fewer channels: filters, biases and geometry of what is kept, constant inputs added to the bias. */
import { weightIndex, type WeightedLayer } from "../kernels/ranges.js";
import { layerInputs, type Layer } from "../layers.js";
import { inputChannel } from "./constant-outputs.js";
import type { NarrowTensor } from "./remove-constant-channels.js";

/** The same layer when neither its inputs nor its output are narrow. */
export function narrowLayer(layer: Layer, narrow: ReadonlyMap<number, NarrowTensor>): Layer {
  const input = narrow.get(layerInputs(layer)[0] ?? -1);
  const output = narrow.get(layer.output);
  if (input === undefined && output === undefined) {
    return layer;
  }
  switch (layer.kind) {
    case "Conv2D": {
      const geometry = {
        ...layer.geometry,
        inputChannels: input?.kept.length ?? layer.geometry.inputChannels,
        outputChannels: output?.kept.length ?? layer.geometry.outputChannels,
      };
      return { ...layer, geometry, ...narrowWeights(layer, input, output) };
    }
    case "FullyConnected":
      return {
        ...layer,
        inputDepth: input?.kept.length ?? layer.inputDepth,
        outputDepth: output?.kept.length ?? layer.outputDepth,
        ...narrowWeights(layer, input, output),
      };
    case "DepthwiseConv2D": {
      const channels = output?.kept.length ?? layer.geometry.outputChannels;
      const geometry = { ...layer.geometry, inputChannels: channels, outputChannels: channels };
      return { ...layer, geometry, ...narrowWeights(layer, undefined, output) };
    }
    case "MaxPool2D":
    case "AveragePool2D": {
      const channels = output?.kept.length ?? layer.geometry.outputChannels;
      return { ...layer, geometry: { ...layer.geometry, inputChannels: channels, outputChannels: channels } };
    }
    case "Add":
    case "Lookup":
    case "Reshape":
      return output === undefined
        ? layer
        : { ...layer, count: (layer.count / output.channels) * output.kept.length };
    default:
      return layer; // of the other kinds all channels stay
  }
}

/** `input` undefined: all inputs stay (or, of a depthwise convolution, those of the kept outputs). */
function narrowWeights(
  layer: WeightedLayer,
  input: NarrowTensor | undefined,
  output: NarrowTensor | undefined,
) {
  const channels = layer.multiplier.length;
  const weights = layer.filter.length / channels;
  const outputs = output?.kept ?? Array.from({ length: channels }, (_, c) => c);
  const stays = new Set(input?.kept);
  const isKept = (c: number, k: number): boolean =>
    input === undefined || stays.has(inputChannel(layer, c, k));
  const positions = Array.from({ length: weights }, (_, k) => k).filter((k) => isKept(0, k));
  const filter = new Int8Array(positions.length * outputs.length);
  const added = new Int32Array(outputs.length);
  outputs.forEach((c, o) => {
    positions.forEach((k, p) => {
      const at = layer.kind === "DepthwiseConv2D" ? p * outputs.length + o : o * positions.length + p;
      filter[at] = layer.filter[weightIndex(layer, c, k)] ?? 0;
    });
    for (let k = 0; k < weights; k++) {
      if (input !== undefined && !isKept(c, k)) {
        const value = (input.constants[inputChannel(layer, c, k)] ?? 0) + layer.inputOffset;
        added[o] = (added[o] ?? 0) + (layer.filter[weightIndex(layer, c, k)] ?? 0) * value;
      }
    }
  });
  const bias =
    layer.bias === undefined && added.every((value) => value === 0)
      ? undefined
      : added.map((value, o) => value + (layer.bias?.[outputs[o] ?? 0] ?? 0));
  return {
    filter,
    bias,
    multiplier: Int32Array.from(outputs, (c) => layer.multiplier[c] ?? 0),
    shift: Int8Array.from(outputs, (c) => layer.shift[c] ?? 0),
  };
}
