/** The host side of the C functions that belong to the language itself (`strings.h`, `format-binding.c` of runtime-c). */

function put(out: Uint8Array, at: number, value: number | bigint | string): number {
  const text = String(value);
  if (at < 0 || at + text.length > out.length) return -1;
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** By C name; there without anybody binding them. */
export const standardBindings = new Map(
  ["str", "i32", "u32", "i64", "u64", "f64"].map((kind) => [`tmc_text_put_${kind}`, put]),
);
