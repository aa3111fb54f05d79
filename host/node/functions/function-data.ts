/** Descriptors of functions on the host: do bytes with a descriptor fit, and what describes the output? Pure. */
import { rowBytes, type FunctionData } from "../../../compiler/function/manifest.js";
import { elementTypes } from "../../bus/protocol-keys.js";
import type { Descriptor } from "../../bus/protocol.js";
import type { DescriptorMatch } from "../data/data-descriptor.js";
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

/** @throws OperationFailure bad-request, descriptor-mismatch, too-large */
export function checkInput(
  bytes: Uint8Array | undefined,
  descriptor: Partial<Descriptor> | undefined,
  need: FunctionData,
  match: DescriptorMatch,
): Uint8Array {
  if (bytes === undefined) throw new OperationFailure("bad-request", "needs bytes", "input");
  const field = match(descriptor ?? {}, descriptorOf(need));
  if (field !== "") throw new OperationFailure("descriptor-mismatch", "", `input.${field}`);
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
