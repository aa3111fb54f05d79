/** One call of a bundle's function without a node: a pool of one worker for it alone. Whom it trusts is the caller's business. */
import type { FunctionBundle } from "../../../compiler/function/bundle.js";
import { OperationFailure } from "../operations/operation.js";
import { checkModule } from "./admission.js";
import { compileModule, logBytes, outputOf } from "./call-end.js";
import { WorkerPool } from "./worker-pool.js";

export interface BundleCallOptions {
  readonly timeoutMs: number;
  readonly onLog: (text: string) => void;
}

/** @throws OperationFailure forbidden, corrupt (the code), deadline, function-failed */
export async function callBundle(
  bundle: FunctionBundle,
  input: Uint8Array,
  options: BundleCallOptions,
): Promise<{ readonly output: Uint8Array; readonly us: number }> {
  const { manifest } = bundle;
  if (manifest.kind !== "wasm")
    throw new OperationFailure("forbidden", "only sandboxed functions are called so");
  checkModule(bundle);
  const module = await compileModule(bundle);
  const pool = new WorkerPool({
    workers: 1,
    queue: 0,
    heapMb: 64,
    onLog: (_key, text) => options.onLog(text),
  });
  try {
    const { result, us } = await pool.call({
      of: { key: 1, module, limits: { outputBytes: manifest.output.bytes, logBytes } },
      input,
      signal: new AbortController().signal,
      deadlineAt: performance.now() + options.timeoutMs,
      timeUs: manifest.bounds.timeUs,
    });
    return { output: outputOf(result, manifest), us };
  } finally {
    await pool.close();
  }
}
