// CRC-32 of the library, with its check value, in one piece and in parts.
import { crc32 } from "tmc";

const check = new Uint8Array(9);
for (let i = 0; i < 9; i++) check[i] = u8(49 + i);
const empty = new Uint8Array(0);

export function main(): void {
  log(crc32(check), crc32(check) === 0xcbf43926, crc32(empty), crc32(empty, 5));
  log(crc32(check.subarray(4), crc32(check.subarray(0, 4))));
  check.fill(255);
  log(crc32(check));
}
