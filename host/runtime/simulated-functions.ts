/**
 * Function images on the host: there is no processor that could run one, so none is accepted, as on posix; a test may give
 * a machine that stands for one.
 */
import type { HostFunction } from "./current-platform.js";

/** Of `tmc_function_reason`. */
const wrongMachine = 4;

export interface SimulatedTrap {
  /** A tmc_trap_kind. */
  readonly kind: number;
  readonly site: number;
  readonly text: string;
}

/** What stands for the processor and the checks of the loader. */
export interface SimulatedMachine {
  /** Both give a tmc_function_reason. */
  plan(header: Uint8Array): number;
  check(image: Uint8Array): number;
  selfTest(image: Uint8Array): boolean;
  run(image: Uint8Array, input: Uint8Array): Uint8Array | SimulatedTrap;
}

export function functionBindings(machine: SimulatedMachine | undefined): Record<string, HostFunction> {
  let last: SimulatedTrap = { kind: 0, site: 0, text: "" };
  return {
    tmc_function_call_plan: (header: Uint8Array) => machine?.plan(header) ?? wrongMachine,
    tmc_function_call_check: (image: Uint8Array) => machine?.check(image) ?? wrongMachine,
    tmc_function_call_self_test: (image: Uint8Array) => machine?.selfTest(image) ?? false,
    tmc_function_call_run: (image: Uint8Array, _ram: Float64Array, input: Uint8Array, output: Uint8Array) => {
      const result = machine?.run(image, input) ?? { kind: 7, site: 0, text: "" };
      if (result instanceof Uint8Array) {
        output.set(result);
        return result.length;
      }
      last = result;
      return -result.kind;
    },
    tmc_function_call_site: () => last.site,
    tmc_function_call_text: () => last.text,
  };
}
