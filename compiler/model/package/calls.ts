/** The host side of `tmc/package_calls.h`: packages as programs of the language call them, computed by the reference kernels. */
import { checkPackage, planPackage } from "./check.js";
import { HEADER_BYTES, Reason } from "./format.js";
import { readPackage, type ModelPackage } from "./read.js";
import { PackageRuntime } from "./runtime.js";

const known = new WeakMap<Uint8Array, ModelPackage>();

/** What is in these bytes; read once for as long as they are the same array. */
function packageIn(bytes: Uint8Array): ModelPackage {
  let model = known.get(bytes);
  if (model === undefined) {
    model = readPackage(bytes, "the package");
    known.set(bytes, model);
  }
  return model;
}

function runtime(bytes: Uint8Array, arena: Int32Array): PackageRuntime {
  const model = packageIn(bytes);
  return new PackageRuntime(model, new Int8Array(arena.buffer, arena.byteOffset, model.arenaBytes));
}

const slot = (flash: number, ram: number, work: number) => ({
  flash,
  ram: Math.max(ram, 0),
  work: Math.max(work, 0),
});

/** By C name. */
export const packageCalls = {
  tmc_package_call_plan: (header: Uint8Array, flash: number, ram: number, work: number): number =>
    header.length < HEADER_BYTES
      ? Reason.truncated
      : planPackage(header, slot(Math.max(flash, 0), ram, work)).reason,
  tmc_package_call_check: (bytes: Uint8Array, ram: number, work: number): number =>
    checkPackage(bytes, slot(2 ** 32 - 1, ram, work), false).reason,
  tmc_package_call_self_test: (bytes: Uint8Array, arena: Int32Array): boolean =>
    runtime(bytes, arena).selfTest(),
  tmc_package_call_run: (bytes: Uint8Array, arena: Int32Array): void => runtime(bytes, arena).invoke(),
  tmc_package_call_tensor: (bytes: Uint8Array, arena: Int32Array, index: number): Int8Array => {
    const { inputs, outputs } = packageIn(bytes);
    const end = [...inputs, ...outputs][index];
    return new Int8Array(arena.buffer, arena.byteOffset + (end?.offset ?? 0), end?.bytes ?? 0);
  },
};
