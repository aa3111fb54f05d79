/** How a call ended, as an answer tells it; and the engine's verdict on code. Shared by the runtime and single calls. */
import type { FunctionBundle } from "../../../compiler/function/bundle.js";
import type { FunctionManifest } from "../../../compiler/function/manifest.js";
import { OperationFailure } from "../operations/operation.js";
import type { CallEnd } from "./instance.js";

/** Of log() of one call. */
export const logBytes = 4096;
const trapNames = ["engine", "index", "null", "division", "overflow", "capacity", "throw", "stack", "assert"];

/** @throws OperationFailure corrupt: the engine does not accept it */
export async function compileModule(bundle: FunctionBundle): Promise<WebAssembly.Module> {
  try {
    // A copy: the engine must not see bytes that somebody else could change.
    return await WebAssembly.compile(bundle.code.slice());
  } catch (error) {
    throw new OperationFailure(
      "corrupt",
      `the code: ${error instanceof Error ? error.message : ""}`,
      "input",
    );
  }
}

/** @throws OperationFailure function-failed with kind and site, and what the manifest knows of the site */
export function outputOf(result: CallEnd, manifest: FunctionManifest): Uint8Array {
  if (result.end === "done") return result.output;
  if (result.end === "fuel") throw new OperationFailure("internal", "a call in a worker ran out of fuel");
  const { kind, site, text } = result;
  const where = manifest.sites[site - 1];
  const said = [trapNames[kind] ?? "trap", text, where === undefined ? "" : `at ${where}`];
  throw new OperationFailure("function-failed", said.filter((s) => s !== "").join(" "), undefined, {
    ...(kind >= 1 && kind <= 8 ? { trap: kind } : {}),
    ...(site > 0 ? { site } : {}),
  });
}
