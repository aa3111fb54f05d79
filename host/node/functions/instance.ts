/**
 * One instance of a wasm function: ABI 1 from the host's side. Every call starts from the memory as it was after
 * instantiation, so that a result depends on the input alone and nothing of one caller reaches the next.
 *
 * `createInstance` runs in the node and, as text, in workers (worker-source.ts): it refers to nothing outside of itself.
 */

/** How a call ended. */
export type CallEnd =
  | { readonly end: "done"; readonly output: Uint8Array }
  /** kind and site as in tmc_trap_kind and the manifest's sites; kind 0: the engine trapped, see text. */
  | { readonly end: "trap"; readonly kind: number; readonly site: number; readonly text: string }
  /** The instructions that it was given were not enough; it may be called elsewhere. */
  | { readonly end: "fuel" };

export interface InstanceLimits {
  /** Bytes of the largest output. */
  readonly outputBytes: number;
  /** Bytes of log() of one call that are kept. */
  readonly logBytes: number;
}

export interface FunctionInstance {
  /** `fuel`: instructions, for a metered module; the input is copied. */
  call(input: Uint8Array, fuel?: number): CallEnd;
}

/** Throws what the engine throws when the module cannot be instantiated. */
export function createInstance(
  module: WebAssembly.Module,
  limits: InstanceLimits,
  onLog: (text: string) => void,
): FunctionInstance {
  let logged = "";
  let trapped: { kind: number; site: number; text: string } | undefined;
  let memory: WebAssembly.Memory | undefined;
  const textAt = (at: number, length: number): string => {
    if (memory === undefined || length <= 0) return "";
    const bytes = new Uint8Array(memory.buffer);
    const start = at >>> 0;
    let text = "";
    for (let i = start; i < start + length && i < bytes.length && text.length < limits.logBytes; i++) {
      text += String.fromCharCode(bytes[i] ?? 0);
    }
    return text;
  };
  const imports = {
    tmc: {
      trap: (kind: number, site: number, at: number, length: number): never => {
        trapped = { kind, site, text: textAt(at, Math.min(length, 200)) };
        throw new Error("trap");
      },
      log: (at: number, length: number): void => {
        const room = limits.logBytes - logged.length;
        if (room > 0) logged += textAt(at, Math.min(length, room));
      },
    },
  };
  interface Exports {
    readonly run: (bytes: number) => number;
    readonly fuel: WebAssembly.Global | undefined;
    readonly input: number;
    readonly output: number;
    readonly view: Uint8Array;
    /** What is restored before each call, from `imageAt` on. */
    readonly image: Uint8Array;
    readonly imageAt: number;
  }
  const numberOf = (value: unknown): number => {
    const n: unknown = value instanceof WebAssembly.Global ? value.value : undefined;
    return typeof n === "number" ? n >>> 0 : NaN;
  };
  const make = (): Exports => {
    const made = new WebAssembly.Instance(module, imports).exports;
    if (!(made["memory"] instanceof WebAssembly.Memory) || typeof made["tmc_run"] !== "function") {
      throw new Error("memory or tmc_run is not exported");
    }
    memory = made["memory"];
    const view = new Uint8Array(memory.buffer);
    const end = numberOf(made["__data_end"]);
    const fuel = made["tmc_fuel"];
    // The stack lies below the data; what is above the data is never written.
    return {
      run: made["tmc_run"] as (bytes: number) => number,
      fuel: fuel instanceof WebAssembly.Global ? fuel : undefined,
      input: numberOf(made["tmc_input"]),
      output: numberOf(made["tmc_output"]),
      view,
      imageAt: 0,
      image: view.slice(0, end > 0 && end <= view.length ? end : view.length),
    };
  };
  let instance: Exports | undefined = make();
  return {
    call(input, fuel): CallEnd {
      const i = (instance ??= make());
      // Unless the call ends well, the next one gets a new instance.
      instance = undefined;
      trapped = undefined;
      logged = "";
      try {
        i.view.set(i.image, i.imageAt);
        i.view.set(input, i.input);
        if (i.fuel !== undefined) i.fuel.value = fuel ?? 0x7fffffff;
        const bytes = i.run(input.length);
        if (
          bytes < 0 ||
          bytes > limits.outputBytes ||
          i.output + bytes > i.view.length ||
          i.view.length === 0
        ) {
          return { end: "trap", kind: 0, site: 0, text: "the output is larger than declared" };
        }
        const output = i.view.slice(i.output, i.output + bytes);
        instance = i;
        return { end: "done", output };
      } catch (error) {
        // Assigned in an import, which the compiler does not see.
        const trap = trapped as { kind: number; site: number; text: string } | undefined;
        if (trap !== undefined) return { end: "trap", ...trap };
        if (i.fuel !== undefined && Number(i.fuel.value) < 0) return { end: "fuel" };
        const text = error instanceof Error ? error.message : String(error);
        return { end: "trap", kind: error instanceof RangeError ? 7 : 0, site: 0, text: text.slice(0, 200) };
      } finally {
        if (logged !== "") onLog(logged);
      }
    },
  };
}
