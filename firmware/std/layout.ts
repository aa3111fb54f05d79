/** Numbers and texts of binary layouts (headers of updates, packages, images): little-endian, texts padded with zeros. */

/** The unsigned 32-bit number at `at`. */
export function word(bytes: Uint8Array, at: i32): u32 {
  let value: u32 = 0;
  for (let i = 3; i >= 0; i--) value = (value << 8) | u32(bytes[at + i]);
  return value;
}

/** The text in `size` bytes from `from` on, up to its first zero. Borrowed. */
export function paddedText(bytes: Uint8Array, from: i32, size: i32): string {
  let end = from;
  while (end < from + size && bytes[end] !== 0) end++;
  return textView(bytes, from, end);
}
