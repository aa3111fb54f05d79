/**
 * Short calls on the node's own thread: a metered instance that gets some fuel. One that needs more is abandoned,
 * without a trace (every call starts from the same memory), and goes to a worker; then the function is not tried here for
 * a while. Why: docs/decisions/function-runtime.md.
 */
import type { FunctionBundle } from "../../../compiler/function/bundle.js";
import { createInstance, type CallEnd, type FunctionInstance } from "./instance.js";
import { metered } from "./meter.js";

/** Instructions of one call: about 0.1 ms, at worst some milliseconds. */
export const inlineFuel = 400_000;
/** Larger functions and data are for workers: restoring and copying takes time too. Bytes. */
const most = { memory: 256 * 1024, data: 64 * 1024 } as const;
/** Calls that are not tried here after one that ran out of fuel, at most. */
const longestPause = 1024;

export class InlineCalls {
  private pause = 0;
  private nextPause = 1;

  private constructor(
    private readonly instance: FunctionInstance,
    private readonly fuel: number,
  ) {}

  /** Undefined when the function is not for this. */
  static async create(
    bundle: FunctionBundle,
    limits: { readonly outputBytes: number; readonly logBytes: number },
    fuel: number,
    onLog: (text: string) => void,
  ): Promise<InlineCalls | undefined> {
    const { bounds, input, output } = bundle.manifest;
    if (fuel <= 0 || bounds.ram > most.memory || Math.max(input.bytes, output.bytes) > most.data)
      return undefined;
    try {
      const code = metered(bundle.code);
      if (code === undefined) return undefined;
      return new InlineCalls(createInstance(await WebAssembly.compile(code), limits, onLog), fuel);
    } catch {
      // A start function that needs fuel, a module that exports tmc_fuel itself: it runs in workers.
      return undefined;
    }
  }

  /** Undefined: call it in a worker. */
  call(input: Uint8Array): CallEnd | undefined {
    if (this.pause > 0) {
      this.pause--;
      return undefined;
    }
    const result = this.instance.call(input, this.fuel);
    if (result.end !== "fuel") {
      this.nextPause = 1;
      return result;
    }
    this.pause = this.nextPause;
    this.nextPause = Math.min(this.nextPause * 2, longestPause);
    return undefined;
  }
}
