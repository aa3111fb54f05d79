/** CRC-32 of four kilobytes by a table that setup computes. */
import { Random } from "./lib/random.js";

const message = new Uint8Array(4096);
const table = makeTable();

function makeTable(): RomArray<u32> {
  const entries: u32[] = filled(256, 0);
  for (let i = 0; i < 256; i++) {
    let entry = u32(i);
    for (let bit = 0; bit < 8; bit++) entry = (entry & 1) !== 0 ? (entry >>> 1) ^ 0xedb88320 : entry >>> 1;
    entries[i] = entry;
  }
  return entries;
}

function crc32(bytes: Uint8Array): u32 {
  let crc: u32 = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc;
}

export function main(): void {
  const random = new Random(2);
  let sum: u32 = 0;
  for (let round = 0; round < 16; round++) {
    for (let i = 0; i < message.length; i++) message[i] = random.next() & 0xff;
    sum ^= crc32(message);
  }
  log("crc32-table", sum);
}
