/**
 * The platform that subset code runs on when it runs on the host. Bindings are looked up by their C name when they are
 * called, so a test may change the platform between cases. It implements nothing.
 */
import { bind, setEntryListener, type Binding } from "../../compiler/backend-js/support.js";

/** A C function of the port API on the host: i32/u32/f32 are numbers, strings are byte strings. */
export type HostFunction = Binding;

export interface HostPlatform {
  /** By C name: `tmc_port_clock_ms` and so on; setup-only ones as `setup:name`. */
  readonly bindings: Readonly<Record<string, HostFunction>>;
  /** What the global `entry(name, handler)` of setup calls. */
  registerEntry(name: string, handler: HostFunction): void;
}

/** Makes this the platform of all subset code in this process. Call it before firmware code is imported. */
export function usePlatform(platform: HostPlatform): void {
  bind(platform.bindings);
  setEntryListener((name, handler) => platform.registerEntry(name, handler as HostFunction));
}
