// CBOR writer and reader of the library: every kind of item, the shortest encodings, and refusal of what is malformed.
import { CborKind, CborReader, CborWriter } from "tmc";

const writer = new CborWriter(128);
const reader = new CborReader(128);
const tiny = new CborWriter(3);
const digits = "0123456789abcdef";
const bad = new Uint8Array([0x82, 0x01, 0x5b, 0xff, 0xff]);

function dump(name: string): void {
  const bytes = writer.written();
  let sum: u32 = 0;
  for (const b of bytes) sum = (sum * 31 + b) >>> 0;
  log(name, bytes.length, sum);
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i];
    log(digits.slice(b >> 4, (b >> 4) + 1), digits.slice(b & 15, (b & 15) + 1));
  }
  reader.load(bytes);
  writer.clear();
}

export function main(): void {
  writer.beginArray(6);
  writer.writeUint(0);
  writer.writeUint(23);
  writer.writeUint(24);
  writer.writeUint(65536);
  writer.writeInt(-1);
  writer.writeInt(-2147483648);
  dump("integers");
  log(reader.readArray(), reader.readUint(), reader.readUint(), reader.readUint(), reader.readUint());
  log(reader.readInt(), reader.readInt(), reader.finished());
  writer.beginMap(2);
  writer.writeText("t");
  writer.writeF32(0.5);
  writer.writeText("d");
  writer.writeF64(0.1);
  dump("floats");
  log(reader.readMap(), reader.readText(), reader.readF32(), reader.readText(), reader.readF64(), reader.finished());
  writer.writeBool(true);
  writer.writeNull();
  writer.writeF32(f32(NaN));
  writer.writeF64(-Infinity);
  writer.writeF32(3.4028235e38);
  writer.writeF64(5e-324);
  writer.writeF64(100000);
  dump("simple");
  log(reader.readBool(), reader.readNull(), reader.readF64(), reader.readF32(), reader.readF64(), reader.readF64(), reader.readF32());
  log(reader.peek() === CborKind.End, reader.finished(), reader.readUint(), reader.failed);
  reader.load(bad);
  log(reader.readArray(), reader.readUint(), reader.readBytes().length, reader.failed);
  tiny.writeText("ab");
  log(tiny.overflow, tiny.length);
  tiny.writeUint(1);
  log(tiny.overflow, tiny.length);
}
