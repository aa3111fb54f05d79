/** Descriptors of functions on the host: do bytes with a descriptor fit, and what describes the output? Pure. */
import { rowBytes, type FunctionData } from "../../../compiler/function/manifest.js";
import { elementTypes } from "../../bus/protocol-keys.js";
import type { Descriptor } from "../../bus/protocol.js";
import { OperationFailure } from "../operations/operation.js";

export function descriptorOf(data: FunctionData): Partial<Descriptor> {
  const { elementType, shape, rate, unit, scale, zeroPoint } = data;
  return {
    elementType,
    shape: [...shape],
    ...(rate === undefined ? {} : { rate }),
    ...(unit === undefined ? {} : { unit }),
    ...(scale === undefined ? {} : { scale }),
    ...(zeroPoint === undefined ? {} : { zeroPoint }),
  };
}

/** "f32 [128, 3]" */
export function dataText(data: FunctionData): string {
  const names = Object.entries(elementTypes);
  const name = names.find(([, number]) => number === data.elementType)?.[0] ?? "?";
  return `${name} [${data.shape.join(", ")}]`;
}

/**
 * The rules of firmware/core/fits.ts: element type and shape must be stated and equal (-1 is any, dimensions of 1 do
 * not count); format, rate, unit and quantisation conflict only where both state them.
 * @returns the name of the first field that does not fit
 */
export function misfit(offer: Partial<Descriptor>, need: FunctionData): string | undefined {
  if (offer.elementType !== need.elementType) return "element";
  if (offer.shape === undefined || !sameShape(offer.shape, need.shape)) return "shape";
  if ((offer.format ?? 0) !== 0) return "format";
  if (
    offer.rate !== undefined &&
    need.rate !== undefined &&
    Math.abs(offer.rate - need.rate) > need.rate * 0.01
  ) {
    return "rate";
  }
  if (differ(offer.unit, need.unit)) return "unit";
  if (differ(offer.scale, need.scale)) return "scale";
  return differ(offer.zeroPoint, need.zeroPoint) ? "zeroPoint" : undefined;
}

const differ = (a: string | number | undefined, b: string | number | undefined): boolean =>
  a !== undefined && b !== undefined && a !== b;

function sameShape(offer: readonly number[], need: readonly number[]): boolean {
  const notOne = (size: number): boolean => size !== 1;
  return sameDimensions(offer, need) || sameDimensions(offer.filter(notOne), need.filter(notOne));
}

const sameDimensions = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i] || size === -1 || b[i] === -1);

/** @throws OperationFailure bad-request, descriptor-mismatch, too-large */
export function checkInput(
  bytes: Uint8Array | undefined,
  descriptor: Partial<Descriptor> | undefined,
  need: FunctionData,
): Uint8Array {
  if (bytes === undefined) throw new OperationFailure("bad-request", "needs bytes", "input");
  const field = misfit(descriptor ?? {}, need);
  if (field !== undefined) throw new OperationFailure("descriptor-mismatch", "", `input.${field}`);
  if (bytes.length > need.bytes) {
    throw new OperationFailure("too-large", `the function takes at most ${need.bytes} bytes`, "input");
  }
  const fits = need.shape[0] === -1 ? bytes.length % rowBytes(need) === 0 : bytes.length === need.bytes;
  if (!fits) throw new OperationFailure("descriptor-mismatch", "not as long as its shape", "input.bytes");
  return bytes;
}

/** Of so many bytes. @throws OperationFailure function-failed when a function gave what it did not declare */
export function outputDescriptor(data: FunctionData, bytes: number): Partial<Descriptor> {
  const [first, ...rest] = data.shape;
  const row = rowBytes(data);
  if (bytes % row !== 0 || (first !== -1 && bytes !== data.bytes)) {
    throw new OperationFailure("function-failed", "the output is not as declared");
  }
  return { ...descriptorOf(data), shape: [bytes / row, ...rest] };
}
