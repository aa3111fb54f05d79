/** Bundles and images as people and programs read them, and numbers as bytes of their data. */
import type { FunctionBundle } from "./bundle.js";
import type { ImageSummary } from "./image.js";
import { elementBytes, rowBytes, type FunctionData } from "./manifest.js";

export const elementNames = ["i8", "u8", "i16", "u16", "i32", "u32", "f32", "f64"] as const;

/** "f32 [-1, 3], g, at most 512 rows" */
export function dataText(data: FunctionData): string {
  const parts = [`${elementNames[data.elementType] ?? "?"} [${data.shape.join(", ")}]`];
  if (data.unit !== undefined) parts.push(data.unit);
  if (data.rate !== undefined) parts.push(`${data.rate} Hz`);
  if (data.scale !== undefined) parts.push(`scale ${data.scale}, zero point ${data.zeroPoint ?? 0}`);
  if (data.shape[0] === -1) parts.push(`at most ${data.bytes / rowBytes(data)} rows`);
  return parts.join(", ");
}

export function bundleText(bundle: FunctionBundle, bytes: number): string {
  const { manifest, signature } = bundle;
  const { bounds } = manifest;
  const time = bounds.timeUs === undefined ? "the caller's deadline" : `${bounds.timeUs} us`;
  const rows: readonly (readonly [string, string])[] = [
    ["function", `${manifest.name}@${manifest.version} (${manifest.kind}, ABI ${manifest.abi})`],
    ["input", dataText(manifest.input)],
    ["output", dataText(manifest.output)],
    ["bounds", `code ${bounds.flash} B, memory ${bounds.ram} B, stack ${bounds.stack} B, time: ${time}`],
    ["imports", manifest.imports.length === 0 ? "none" : manifest.imports.join(", ")],
    ["bundle", `${bytes} B`],
    ["digest", manifest.digest],
    ["signed", signature === undefined ? "no" : `by key ${signature.keyId.slice(0, 16)}`],
  ];
  return rows.map(([name, value]) => `${`${name}:`.padEnd(10)}${value}\n`).join("");
}

/** For --json. */
export function bundleJson(bundle: FunctionBundle, bytes: number): Record<string, unknown> {
  const { sites, ...manifest } = bundle.manifest;
  return { ...manifest, bytes, sites: sites.length, signedBy: bundle.signature?.keyId ?? null };
}

export function imageText(image: ImageSummary): string {
  const { golden } = image;
  const rows: readonly (readonly [string, string])[] = [
    ["function", `${image.name}@${image.version} (${image.machine}, ABI ${image.abi})`],
    ["input", dataText(image.input)],
    ["output", dataText(image.output)],
    [
      "bounds",
      `code ${image.code} B, RAM ${image.ram} B, stack ${image.stack} B${image.timeUs === undefined ? "" : `, time ${image.timeUs} us`}`,
    ],
    ["imports", image.imports.length === 0 ? "none" : image.imports.join(", ")],
    ["self-test", `${golden.input.length} B in, ${golden.output.length} B out`],
    ["image", `${image.bytes} B, ${image.relocations} relocations`],
    ["digest", image.digest],
  ];
  return rows.map(([name, value]) => `${`${name}:`.padEnd(11)}${value}\n`).join("");
}

/** For --json. */
export function imageJson(image: ImageSummary): Record<string, unknown> {
  const { golden, timeUs, ...rest } = image;
  return {
    kind: "image",
    ...rest,
    timeUs: timeUs ?? null,
    selfTest: { input: golden.input.length, output: golden.output.length },
  };
}

/** Little-endian. Numbers are converted as the element type does: wrapped, rounded. */
export function bytesOfNumbers(elementType: number, values: readonly number[]): Uint8Array {
  const width = elementBytes[elementType] ?? 1;
  const view = new DataView(new ArrayBuffer(values.length * width));
  values.forEach((value, i) => {
    const at = i * width;
    if (elementType === 6) view.setFloat32(at, value, true);
    else if (elementType === 7) view.setFloat64(at, value, true);
    else if (width === 1) view.setInt8(at, value);
    else if (width === 2) view.setInt16(at, value, true);
    else view.setInt32(at, value, true);
  });
  return new Uint8Array(view.buffer);
}

export function numbersOfBytes(elementType: number, bytes: Uint8Array): number[] {
  const width = elementBytes[elementType] ?? 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const get = [
    (at: number) => view.getInt8(at),
    (at: number) => view.getUint8(at),
    (at: number) => view.getInt16(at, true),
    (at: number) => view.getUint16(at, true),
    (at: number) => view.getInt32(at, true),
    (at: number) => view.getUint32(at, true),
    (at: number) => view.getFloat32(at, true),
    (at: number) => view.getFloat64(at, true),
  ][elementType];
  return get === undefined
    ? []
    : Array.from({ length: Math.floor(bytes.length / width) }, (_, i) => get(i * width));
}
