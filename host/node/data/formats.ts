/**
 * Items of a data set as other programs read them: CSV, SenML (RFC 8428, JSON) and CBOR. Numbers are in the data's unit
 * (scale and zero point are applied). It stores nothing.
 *   csv    item,label,usage,time,frame,<channel…>: a row for each frame
 *   senml  records by frame and channel; n is "<data set>:<channel>", t is seconds since 1970
 *   cbor   [{label, usage, time, shape, values}, …] with text keys, values flat
 */
import { encodeCbor } from "../../bus/protocol.js";
import { framesOf, valuesOf, type DataDescriptor } from "./data-descriptor.js";
import type { DataItem } from "./data-set-records.js";

export interface ItemContent {
  readonly item: DataItem;
  readonly bytes: Uint8Array;
}

/** Names of the channels: the features, or their numbers. */
function channelNames({ features = [] }: DataDescriptor, channels: number): string[] {
  return Array.from({ length: channels }, (_, i) => features[i] ?? String(i));
}

/** RFC 4180; what a spreadsheet would take for a formula is quoted with an apostrophe in front. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function toCsv(
  contents: readonly ItemContent[],
  descriptor: DataDescriptor,
  first: number,
): Uint8Array {
  const channels = contents.reduce((most, { item }) => Math.max(most, framesOf(item.shape).channels), 0);
  const names = channelNames(descriptor, channels).map(cell);
  const lines = [["item", "label", "usage", "time", "frame", ...names].join(",")];
  contents.forEach(({ item, bytes }, index) => {
    const values = valuesOf(bytes, descriptor);
    const { frames, channels: width } = framesOf(item.shape);
    const head = [first + index, cell(item.label ?? ""), item.usage ?? "", new Date(item.at).toISOString()];
    for (let frame = 0; frame < frames; frame++) {
      lines.push([...head, frame, ...values.subarray(frame * width, (frame + 1) * width)].join(","));
    }
  });
  return Buffer.from(`${lines.join("\r\n")}\r\n`, "utf8");
}

/** SenML names: a letter or digit first, then those and - : . / _ */
function senmlName(text: string): string {
  const clean = text.replaceAll(/[^A-Za-z0-9\-:./_]/g, "_");
  return /^[A-Za-z0-9]/.test(clean) ? clean : `x${clean}`;
}

export function toSenml(
  name: string,
  contents: readonly ItemContent[],
  descriptor: DataDescriptor,
): Uint8Array {
  const { rate, unit } = descriptor;
  const records: Record<string, string | number>[] = [];
  for (const { item, bytes } of contents) {
    const values = valuesOf(bytes, descriptor);
    const { frames, channels } = framesOf(item.shape);
    const names = channelNames(descriptor, channels);
    const base = {
      bn: `${senmlName(name)}:`,
      bt: item.at / 1000,
      ...(unit === undefined ? {} : { bu: unit }),
    };
    const own: Record<string, string | number>[] = [];
    if (item.label !== undefined) own.push({ n: "label", vs: item.label });
    for (let i = 0; i < frames * channels; i++) {
      const frame = Math.floor(i / channels);
      const value = values[i] ?? 0;
      // RFC 8428 has no numbers but finite ones.
      if (!Number.isFinite(value)) continue;
      const time = frame === 0 || rate === undefined ? {} : { t: frame / rate };
      own.push({ n: senmlName(names[i % channels] ?? ""), v: value, ...time });
    }
    const [head, ...rest] = own;
    if (head !== undefined) records.push({ ...base, ...head }, ...rest);
  }
  return Buffer.from(JSON.stringify(records), "utf8");
}

export function toCbor(contents: readonly ItemContent[], descriptor: DataDescriptor): Uint8Array {
  return encodeCbor(
    contents.map(({ item, bytes }) => ({
      shape: item.shape,
      time: new Date(item.at).toISOString(),
      values: [...valuesOf(bytes, descriptor)],
      ...(item.label === undefined ? {} : { label: item.label }),
      ...(item.usage === undefined ? {} : { usage: item.usage }),
    })),
  );
}
