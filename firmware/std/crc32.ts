/** CRC-32 of IEEE 802.3 (zlib, PNG, Ethernet): polynomial 0xedb88320, reflected. A check, not a signature. */

const table = makeTable();

function makeTable(): Uint32Array {
  const made = new Uint32Array(256);
  for (let i: u32 = 0; i < 256; i++) {
    let c: u32 = i;
    for (let bit = 0; bit < 8; bit++) c = (c & 1) !== 0 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    made[i32(i)] = c;
  }
  return made;
}

/** The CRC of `bytes`; `seed` is the CRC of what came before. */
export function crc32(bytes: Uint8Array, seed: u32 = 0): u32 {
  let c: u32 = ~seed;
  for (let i = 0; i < bytes.length; i++) c = table[i32((c ^ u32(bytes[i])) & 0xff)] ^ (c >>> 8);
  return ~c;
}
