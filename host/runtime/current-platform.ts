/**
 * The platform that subset code runs on when it runs on the host. Bindings are looked up by their C name when they are
 * called, so a test may change the platform between cases. It implements nothing.
 */

/** A C function of the port API on the host: i32/u32/f32 are numbers, strings are byte strings. */
export type HostFunction = (...args: never[]) => unknown;

export interface HostPlatform {
  /** By C name: `tmc_port_clock_ms` and so on; setup-only ones as `setup:name`. */
  readonly bindings: Readonly<Record<string, HostFunction>>;
  /** What the global `entry(name, handler)` of setup calls. */
  registerEntry(name: string, handler: HostFunction): void;
}

let current: HostPlatform | undefined;

/** Makes this the platform of all subset code in this process. */
export function usePlatform(platform: HostPlatform): void {
  current = platform;
}

/** Throws when there is none. */
export function currentPlatform(): HostPlatform {
  if (current === undefined)
    throw new Error("no platform: call usePlatform(...) before importing firmware code");
  return current;
}

/** Calls a binding of the current platform. Throws when it has none of that name. */
export function callBinding(name: string, args: readonly unknown[]): unknown {
  const f = currentPlatform().bindings[name];
  if (f === undefined) throw new Error(`this platform has no ${name}`);
  return (f as (...values: readonly unknown[]) => unknown)(...args);
}
