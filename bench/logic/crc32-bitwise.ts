/** CRC-32 of a kilobyte, bit by bit. */
import { Random } from "./lib/random.js";

const message = new Uint8Array(1024);

function crc32(bytes: Uint8Array): u32 {
  let crc: u32 = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc;
}

export function main(): void {
  const random = new Random(1);
  let sum: u32 = 0;
  for (let round = 0; round < 16; round++) {
    for (let i = 0; i < message.length; i++) message[i] = random.next() & 0xff;
    sum ^= crc32(message);
  }
  log("crc32-bitwise", sum);
}
