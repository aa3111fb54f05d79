/** Descriptor matching: what fits, what does not, and what it is called. */
import { encode } from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CborReader } from "../std/cbor-reader.js";
import { CborWriter } from "../std/cbor-writer.js";
import { DataDescriptor } from "./data-descriptor.js";
import { fits, mismatch } from "./fits.js";

type Fields = Readonly<Record<number, unknown>>;

/** A descriptor read from CBOR: keys as in docs/protocol.cddl. */
function descriptor(fields: Fields): DataDescriptor {
  const made = new DataDescriptor();
  const reader = new CborReader(256);
  reader.load(encode(new Map(Object.entries(fields).map(([k, v]) => [Number(k), v]))));
  made.read(reader);
  expect(reader.finished()).toBe(true);
  return made;
}

const model = { 0: 0, 1: [1, 128, 1, 3], 3: 1600, 4: "g", 5: 0.0625, 6: -3 };

describe("mismatch", () => {
  it.each<[string, Fields, Fields]>([
    ["", model, model],
    ["", {}, {}],
    ["", model, {}],
    ["", { 0: 0, 1: [128, 3] }, model],
    ["", { 0: 0, 1: [-1, 3] }, model],
    ["", { 1: [128, 3] }, { 1: [-1, 3] }],
    ["", { 1: [1, 3] }, { 1: [-1, 3] }],
    ["shape", { 1: [128, 3] }, { 1: [-1, 4] }],
    ["", { 0: 0, 1: [128, 3], 3: 1590 }, model],
    ["", { 0: 0, 1: [128, 3], 7: 4, 8: ["a"], 12: 60 }, model],
    ["element", {}, model],
    ["element", { 0: 6, 1: [128, 3] }, model],
    ["element", { 1: [128, 3] }, model],
    ["shape", { 0: 0 }, model],
    ["shape", { 0: 0, 1: [3, 128] }, model],
    ["shape", { 0: 0, 1: [128, 3, 2] }, model],
    ["shape", { 0: 0, 1: [384] }, model],
    ["shape", { 0: 0, 1: [] }, model],
    ["format", { 0: 0, 1: [128, 3], 2: 1 }, model],
    ["rate", { 0: 0, 1: [128, 3], 3: 100 }, model],
    ["unit", { 0: 0, 1: [128, 3], 4: "m/s2" }, model],
    ["scale", { 0: 0, 1: [128, 3], 5: 0.05 }, model],
    ["zeroPoint", { 0: 0, 1: [128, 3], 5: 0.0625, 6: 3 }, model],
  ])("is %j", (field, offer, need) => {
    expect(mismatch(descriptor(offer), descriptor(need))).toBe(field);
    expect(fits(descriptor(offer), descriptor(need))).toBe(field === "");
  });

  it("ignores dimensions of 1 wherever they are", () => {
    const dims = fc.array(fc.integer({ min: 2, max: 9 }), { maxLength: 3 });
    const ones = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 3 });
    fc.assert(
      fc.property(dims, ones, (shape, places) => {
        const padded = [...shape];
        for (const at of places) padded.splice(Math.min(at, padded.length), 0, 1);
        expect(mismatch(descriptor({ 1: shape }), descriptor({ 1: padded }))).toBe("");
        expect(mismatch(descriptor({ 1: padded }), descriptor({ 1: shape }))).toBe("");
        expect(
          mismatch(descriptor({ 1: [...shape, 7, 7] }), descriptor({ 1: padded.concat(7, 8).slice(0, 6) })),
        ).toBe("shape");
      }),
    );
  });
});

describe("DataDescriptor", () => {
  const field = (arb: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.option(arb, { nil: undefined });
  const any = fc.record({
    0: field(fc.integer({ min: 0, max: 8 })),
    1: field(fc.array(fc.integer({ min: -1, max: 1000 }), { maxLength: 6 })),
    2: field(fc.integer({ min: 0, max: 4 })),
    3: field(fc.float({ min: Math.fround(0.1), max: 1e6, noNaN: true })),
    4: field(fc.constantFrom("g", "m/s2", "Cel")),
    5: field(fc.float({ min: Math.fround(1e-6), max: 1, noNaN: true })),
    6: field(fc.integer({ min: -128, max: 127 })),
  });

  it("writes what it read", () => {
    fc.assert(
      fc.property(any, (fields) => {
        const stated = Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined));
        const writer = new CborWriter(256);
        descriptor(stated).write(writer, []);
        const again = new DataDescriptor();
        const reader = new CborReader(256);
        reader.load(writer.written());
        again.read(reader);
        expect(reader.finished()).toBe(true);
        expect(mismatch(again, descriptor(stated))).toBe("");
        expect(again.present).toBe(descriptor(stated).present);
      }),
    );
  });

  it.each<[string, unknown]>([
    ["an unknown element type", new Map([[0, 9]])],
    ["a text where a number belongs", new Map([[3, "fast"]])],
    ["seven dimensions", new Map([[1, [1, 2, 3, 4, 5, 6, 7]]])],
    ["a dimension below -1", new Map([[1, [-2]]])],
    ["a unit of 16 characters", new Map([[4, "0123456789abcdef"]])],
    ["no map", [1]],
  ])("fails on %s", (_name, value) => {
    const reader = new CborReader(256);
    reader.load(encode(value));
    new DataDescriptor().read(reader);
    expect(reader.failed).toBe(true);
  });
});
