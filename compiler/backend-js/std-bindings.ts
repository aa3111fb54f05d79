/** The host side of the C functions that belong to the language itself (`strings.h`, `format-binding.c` of runtime-c). */
import { bind } from "./support.js";

function put(out: Uint8Array, at: number, value: number | string): number {
  const text = String(value);
  if (at < 0 || at + text.length > out.length) return -1;
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

export function bindStandardLibrary(): void {
  bind({ tmc_text_put_str: put, tmc_text_put_i32: put, tmc_text_put_u32: put, tmc_text_put_f64: put });
}
