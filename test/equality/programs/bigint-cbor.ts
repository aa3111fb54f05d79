// 64-bit integers in CBOR.
import { CborReader, CborWriter } from "tmc";

const writer = new CborWriter(128);
const reader = new CborReader(128);
const values: RomArray<i64> = [0n, 24n, 4294967296n, 9223372036854775807n, -1n, -4294967297n, -9223372036854775808n];

export function main(): void {
  writer.beginArray(values.length + 1);
  for (const v of values) writer.writeI64(v);
  writer.writeU64(18446744073709551615n);
  reader.load(writer.written());
  log(reader.readArray(), writer.length);
  for (const v of values) {
    const back = reader.readI64();
    log(back, back === v);
  }
  log(reader.readU64(), reader.finished());
}
