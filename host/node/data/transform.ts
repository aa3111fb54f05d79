/**
 * Items in, items out: windows, normalisation, a deployed function; in this order. Items come one at a time, so that a
 * data set may be larger than memory. It stores nothing.
 */
import { elementTypes } from "../../bus/protocol-keys.js";
import { OperationFailure } from "../operations/operation.js";
import { bytesOfFloats, elementSize, framesOf, valuesOf, type DataDescriptor } from "./data-descriptor.js";
import type { NewItem } from "./data-sets.js";

export interface TransformedItem extends NewItem {
  readonly descriptor: DataDescriptor;
}

/** Windows of `window` frames, every `step` frames; what is shorter than a window gives none. */
export function* windowsOf(item: TransformedItem, window: number, step: number): Generator<TransformedItem> {
  const { descriptor, bytes, label, usage } = item;
  const shape = descriptor.shape ?? [];
  const { frames, channels } = framesOf(shape);
  const frameBytes = channels * elementSize(descriptor.elementType ?? elementTypes.u8);
  for (let first = 0; first + window <= frames; first += step) {
    yield {
      bytes: bytes.subarray(first * frameBytes, (first + window) * frameBytes),
      descriptor: { ...descriptor, shape: shape.length < 2 ? [window] : [window, channels] },
      label,
      usage,
    };
  }
}

export type Normalization = { readonly offset: readonly number[]; readonly scale: readonly number[] };

/** Mean and deviation, or minimum and range, by channel: gathered item by item. */
export class ChannelStatistics {
  private readonly mean: number[] = [];
  private readonly squares: number[] = [];
  private readonly low: number[] = [];
  private readonly high: number[] = [];
  private count = 0;

  /** @throws OperationFailure descriptor-mismatch when the items have different channels */
  add({ bytes, descriptor }: TransformedItem): void {
    const { frames, channels } = framesOf(descriptor.shape ?? []);
    if (this.count > 0 && channels !== this.mean.length) {
      throw new OperationFailure(
        "descriptor-mismatch",
        "items have different channels",
        "arguments.normalize",
      );
    }
    const values = valuesOf(bytes, descriptor);
    for (let frame = 0; frame < frames; frame++) {
      this.count++;
      for (let channel = 0; channel < channels; channel++) {
        const value = values[frame * channels + channel] ?? 0;
        // Welford's method: exact enough for any number of frames.
        const before = this.mean[channel] ?? 0;
        const mean = before + (value - before) / this.count;
        this.mean[channel] = mean;
        this.squares[channel] = (this.squares[channel] ?? 0) + (value - before) * (value - mean);
        this.low[channel] = Math.min(this.low[channel] ?? Infinity, value);
        this.high[channel] = Math.max(this.high[channel] ?? -Infinity, value);
      }
    }
  }

  /** A channel that never changes is divided by 1. */
  result(kind: "standard" | "minmax"): Normalization {
    const one = (value: number) => (value > 0 && Number.isFinite(value) ? value : 1);
    return kind === "standard"
      ? {
          offset: [...this.mean],
          scale: this.squares.map((sum) => one(Math.sqrt(sum / this.count))),
        }
      : {
          offset: [...this.low],
          scale: this.low.map((low, channel) => one((this.high[channel] ?? low) - low)),
        };
  }
}

/** (value - offset) / scale by channel, as f32 without unit and quantisation. */
export function normalized(item: TransformedItem, { offset, scale }: Normalization): TransformedItem {
  const values = valuesOf(item.bytes, item.descriptor);
  const result = values.map(
    (value, i) => (value - (offset[i % offset.length] ?? 0)) / (scale[i % scale.length] ?? 1),
  );
  const { unit: _unit, scale: _scale, zeroPoint: _zeroPoint, ...rest } = item.descriptor;
  return { ...item, bytes: bytesOfFloats(result), descriptor: { ...rest, elementType: elementTypes.f32 } };
}
