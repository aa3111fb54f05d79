/** The CBOR codec against an independent one (cborg), and against garbage. */
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CborReader } from "./cbor-reader.js";
import { CborWriter } from "./cbor-writer.js";

const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const ascii = fc.string({ maxLength: 40 });
const double = fc.double();

function written(fill: (writer: CborWriter) => void): Uint8Array {
  const writer = new CborWriter(1024);
  fill(writer);
  expect(writer.overflow).toBe(false);
  return Uint8Array.from(writer.written());
}

function reading(bytes: Uint8Array): CborReader {
  const reader = new CborReader(1024);
  reader.load(bytes);
  return reader;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

describe("CborWriter", () => {
  it("writes integers as cborg does", () => {
    fc.assert(fc.property(int32, (v) => hex(written((w) => w.writeInt(v))) === hex(encode(v))));
    fc.assert(fc.property(uint32, (v) => hex(written((w) => w.writeUint(v))) === hex(encode(v))));
  });

  it("writes integers of 64 bits as cborg does", () => {
    fc.assert(fc.property(int64, (v) => hex(written((w) => w.writeI64(v))) === hex(encode(v))));
    fc.assert(fc.property(uint64, (v) => hex(written((w) => w.writeU64(v))) === hex(encode(v))));
    for (const v of [
      0n,
      23n,
      24n,
      0xffffffffn,
      0x100000000n,
      -1n,
      -0x100000000n,
      -0x100000001n,
      -(1n << 63n),
    ])
      expect(hex(written((w) => w.writeI64(v)))).toBe(hex(encode(v)));
    const small = new CborWriter(8);
    small.writeU64(1n << 32n);
    expect([small.overflow, small.length]).toEqual([true, 0]);
  });

  it.each([
    0, 23, 24, 255, 256, 65535, 65536, 0x7fffffff, -1, -24, -25, -256, -257, -65536, -65537, -0x80000000,
  ])("writes %i with the shortest head", (v) => {
    expect(hex(written((w) => w.writeInt(v)))).toBe(hex(encode(v)));
  });

  // cborg turns whole numbers into integers and never writes subnormal halves, so the others compare as bytes.
  it("writes doubles in the shortest float that keeps them", () => {
    const fraction = double.filter((v) => !Number.isInteger(v) && !(Math.abs(v) < 2 ** -14));
    const check = (v: number): void => {
      expect(hex(written((w) => w.writeF64(v)))).toBe(hex(encode(v, rfc8949EncodeOptions)));
    };
    fc.assert(fc.property(fraction, check));
    fc.assert(
      fc.property(
        fraction.map(Math.fround).filter((v) => !Number.isInteger(v) && Math.abs(v) >= 2 ** -14),
        check,
      ),
    );
    [0.5, 1.5, 2 ** -14, 1e-310, 5e-324, NaN, Infinity, -Infinity, 0.1].forEach(check);
  });

  it("writes singles that read back the same", () => {
    const check = (v: number): void => {
      expect(decode(written((w) => w.writeF32(v)))).toEqual(v);
    };
    fc.assert(fc.property(fc.float({ noNaN: true }), check));
    [0, -0, 1, 65504, 65505, 2 ** -14, 2 ** -24, 2 ** -149, 1023 * 2 ** -24].forEach(check);
  });

  it("writes every half in three bytes", () => {
    for (let half = 0; half < 0x10000; half++) {
      if ((half & 0x7fff) > 0x7c00) continue;
      const bytes = Uint8Array.from([0xf9, half >> 8, half & 0xff]);
      const reader = reading(bytes);
      const value = reader.readF32();
      if (!Object.is(value, decode(bytes)) || hex(written((w) => w.writeF32(value))) !== hex(bytes)) {
        expect(hex(written((w) => w.writeF32(value)))).toBe(hex(bytes));
      }
    }
  });

  it("writes text, bytes, arrays, maps, booleans and null", () => {
    fc.assert(
      fc.property(ascii, fc.uint8Array({ maxLength: 300 }), fc.boolean(), (text, bytes, flag) => {
        const made = written((w) => {
          w.beginArray(4);
          w.writeText(latin1(text));
          w.writeBytes(bytes);
          w.beginMap(1);
          w.writeInt(1);
          w.writeBool(flag);
          w.writeNull();
        });
        expect(hex(made)).toBe(hex(encode([text, bytes, new Map([[1, flag]]), null])));
      }),
    );
  });

  it("stops at its capacity and says so", () => {
    for (let capacity = 0; capacity < 12; capacity++) {
      const writer = new CborWriter(capacity);
      writer.writeText("0123456789");
      expect(writer.overflow).toBe(capacity < 11);
      writer.writeInt(1);
      expect(writer.overflow).toBe(capacity < 12);
      writer.rewind(0);
      expect(writer.overflow).toBe(false);
    }
  });
});

describe("CborReader", () => {
  it("reads integers of any head length", () => {
    fc.assert(fc.property(int32, (v) => reading(encode(v)).readInt() === v));
    fc.assert(fc.property(uint32, (v) => reading(encode(v)).readUint() === v));
    expect(reading(Uint8Array.from([0x1a, 0, 0, 0, 5])).readInt()).toBe(5);
  });

  it("reads integers of 64 bits", () => {
    fc.assert(fc.property(int64, (v) => reading(encode(v)).readI64() === v));
    fc.assert(fc.property(uint64, (v) => reading(encode(v)).readU64() === v));
    for (const v of [1n << 63n, -(1n << 63n) - 1n, (1n << 64n) - 1n]) {
      const reader = reading(encode(v));
      expect([reader.readI64(), reader.failed]).toEqual([0n, true]);
    }
    for (const bytes of [encode("5"), encode(-1), new Uint8Array(0), Uint8Array.from([0x1b, 1, 2])]) {
      const reader = reading(bytes);
      expect([reader.readU64(), reader.failed]).toEqual([0n, true]);
    }
  });

  it.each([
    ["an integer above 32 bits", encode(2 ** 40)],
    ["a number above i32", encode(0x80000000)],
    ["a number below i32", encode(-0x80000001)],
    ["text", encode("5")],
    ["nothing", new Uint8Array(0)],
    ["a head without its argument", Uint8Array.from([0x19, 1])],
    ["a reserved head", Uint8Array.from([0x1c])],
  ])("fails on %s where an i32 is expected", (_name, bytes) => {
    const reader = reading(bytes);
    expect(reader.readInt()).toBe(0);
    expect(reader.failed).toBe(true);
  });

  it("reads any float and small integers as f32, rounded to nearest even", () => {
    const check = (v: number): void => {
      const bits = new DataView(new ArrayBuffer(9));
      bits.setUint8(0, 0xfb);
      bits.setFloat64(1, v);
      expect(reading(new Uint8Array(bits.buffer)).readF32()).toEqual(Math.fround(v));
    };
    fc.assert(fc.property(double, check), { numRuns: 2000 });
    // Halfway cases, subnormals, the edge of overflow.
    fc.assert(
      fc.property(
        fc.integer({ min: -0x7fffff, max: 0x7fffff }),
        fc.integer({ min: -180, max: 130 }),
        (m, e) => {
          check((m + 0.5) * 2 ** e);
          check((m + 0.5 + 2 ** -20) * 2 ** e);
        },
      ),
      { numRuns: 2000 },
    );
    [0, -0, NaN, Infinity, -Infinity, 3.4028235677973366e38, 2 ** -150, 2 ** -149 * 1.5].forEach(check);
    fc.assert(fc.property(int32, (v) => reading(encode(v)).readF32() === Math.fround(v)));
  });

  it("reads any float as f64", () => {
    const check = (v: number): void => {
      expect(reading(encode(v, { float64: true })).readF64()).toEqual(v);
      expect(reading(encode(v)).readF64()).toEqual(v);
    };
    fc.assert(
      fc.property(
        double.filter((v) => !Number.isInteger(v)),
        check,
      ),
    );
    [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, NaN, Infinity, -Infinity].forEach((v) => {
      expect(reading(written((w) => w.writeF64(v))).readF64()).toEqual(v);
    });
  });

  it("skips one item with everything in it", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 99 }), (value, next) => {
        const item = encode(value);
        fc.pre(item.length < 1000);
        const reader = reading(Uint8Array.from([...item, ...encode(next)]));
        reader.skip();
        expect(reader.failed).toBe(false);
        expect(reader.at).toBe(item.length);
        expect(reader.readInt()).toBe(next);
        expect(reader.finished()).toBe(true);
      }),
    );
  });

  it("skips depth that would break a recursive reader", () => {
    const reader = reading(new Uint8Array(1000).fill(0x81));
    reader.skip();
    expect(reader.failed).toBe(true);
    const closed = reading(Uint8Array.from([...new Uint8Array(999).fill(0x81), 0x00]));
    closed.skip();
    expect(closed.finished()).toBe(true);
  });

  it.each([
    ["an array longer than the message", [0x9a, 0xff, 0xff, 0xff, 0xff]],
    ["a map longer than the message", [0xba, 0x7f, 0xff, 0xff, 0xff, 1]],
    ["a 64-bit array length", [0x9b, 0, 0, 0, 1, 0, 0, 0, 0]],
    ["a 64-bit string length", [0x5b, 0, 0, 0, 1, 0, 0, 0, 0, 1]],
    ["a text longer than the message", [0x63, 0x61]],
    ["an indefinite array", [0x9f, 0x01, 0xff]],
    ["an indefinite string", [0x7f, 0x61, 0x61, 0xff]],
    ["a tag without an item", [0xc1]],
  ])("fails on %s", (_name, bytes) => {
    const reader = reading(Uint8Array.from(bytes));
    reader.skip();
    expect(reader.failed).toBe(true);
  });

  it("never traps on random bytes, whatever is read", () => {
    const reads: ((r: CborReader) => unknown)[] = [
      (r) => r.readUint(),
      (r) => r.readInt(),
      (r) => r.readF32(),
      (r) => r.readF64(),
      (r) => r.readBool(),
      (r) => r.readNull(),
      (r) => r.readText(),
      (r) => r.readBytes(),
      (r) => r.readArray(),
      (r) => r.readMap(),
      (r) => r.skip(),
      (r) => r.peek(),
    ];
    const order = fc.array(fc.integer({ min: 0, max: reads.length - 1 }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), order, (bytes, which) => {
        const reader = reading(bytes);
        for (const i of which) reads[i]?.(reader);
        expect(reader.at).toBeLessThanOrEqual(reader.end);
      }),
      { numRuns: 3000 },
    );
  });

  it("agrees with cborg on what is well-formed", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
        let accepted = true;
        try {
          decode(bytes, { useMaps: true, allowIndefinite: false, tags: allTags });
        } catch {
          accepted = false;
        }
        const reader = reading(bytes);
        reader.skip();
        // cborg also rejects what is well-formed but not valid (bad UTF-8, unknown simple values).
        if (accepted) expect(reader.finished()).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it("cuts what is above its capacity", () => {
    const reader = new CborReader(4);
    reader.load(encode("0123456789"));
    expect(reader.end).toBe(4);
    expect(reader.readText()).toBe("");
    expect(reader.failed).toBe(true);
  });
});

const allTags = new Proxy([], { get: () => (decodeItem: () => unknown) => decodeItem() });
