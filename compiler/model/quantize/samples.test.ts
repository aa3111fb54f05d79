/** Data files: what is written is read back, and nothing else is accepted. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../diagnostics/user-error.js";
import { decodeSamples, encodeSamples, readSamples, type StoredSamples } from "./samples.js";

const stored: StoredSamples = {
  shape: [2, 1],
  type: "int16",
  scale: 0.5,
  unit: "g",
  labels: ["a", "b"],
  classes: Uint8Array.of(0, 1, 1),
  values: [1, -2, 3, 32767, -32768, 0],
};

function errorOf(bytes: Uint8Array): UserError {
  try {
    decodeSamples(bytes, "test.samples");
  } catch (error) {
    if (error instanceof UserError) {
      return error;
    }
    throw error;
  }
  throw new Error("the damaged file was accepted");
}

const file = (header: unknown, body: readonly number[] = []): Uint8Array =>
  Uint8Array.of(...new TextEncoder().encode(`${JSON.stringify(header)}\n`), ...body);

describe("data files", () => {
  it("come back as they were written, in units", () => {
    const samples = decodeSamples(encodeSamples(stored), "test.samples");
    expect(samples.inputs.map((input) => Array.from(input))).toEqual([
      [0.5, -1],
      [1.5, 16383.5],
      [-16384, 0],
    ]);
    expect(samples).toMatchObject({ shape: [2, 1], unit: "g", labels: ["a", "b"] });
    expect(Array.from(samples.classes)).toEqual([0, 1, 1]);
  });

  it.each(["float32", "int16", "int8", "uint8"] as const)("hold %s, with and without classes", (type) => {
    const values = [0, 1, 100];
    for (const labels of [[], ["x", "y"]]) {
      const classes = labels.length > 0 ? Uint8Array.of(1, 0, 1) : new Uint8Array();
      const bytes = encodeSamples({ ...stored, shape: [1], type, scale: 1, labels, classes, values });
      const samples = decodeSamples(bytes, "test.samples");
      expect(samples.inputs.map((input) => input[0])).toEqual(values);
      expect(Array.from(samples.classes)).toEqual(Array.from(classes));
    }
  });

  it("hold targets, or name the inputs as such", () => {
    const header = { format: "tmc-samples", version: 1, count: 2, shape: [2], type: "int8" };
    const targets = { shape: [1], type: "int16", scale: 0.5 };
    const samples = decodeSamples(file({ ...header, targets }, [1, 2, 3, 4, 5, 0, 255, 255]), "f");
    expect(samples.inputs.map((input) => Array.from(input))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(samples.targets.map((target) => Array.from(target))).toEqual([[2.5], [-0.5]]);
    const auto = decodeSamples(file({ ...header, targets: "inputs" }, [1, 2, 3, 4]), "f");
    expect(auto.targets).toEqual(auto.inputs);
    expect(errorOf(file({ ...header, targets }, [1, 2, 3, 4])).message).toContain("promises 8 bytes");
    expect(errorOf(file({ ...header, targets: "outputs" }, [1, 2, 3, 4])).message).toContain("targets");
    const labels = ["a", "b"];
    expect(errorOf(file({ ...header, labels, targets: "inputs" }, [0, 1, 1, 2, 3, 4])).message).toContain(
      'its header has "labels" and "targets"',
    );
  });

  it("name what is wrong", () => {
    const header = { format: "tmc-samples", version: 1, count: 1, shape: [2], type: "int8" };
    expect(decodeSamples(file(header, [1, 2]), "f").inputs).toHaveLength(1);
    expect(errorOf(new Uint8Array()).message).toContain("first line is not JSON");
    expect(errorOf(file(header, [1])).message).toContain("promises 2 bytes of data, there are 1");
    expect(errorOf(file({ ...header, shape: [] })).code).toBe("TMC3221");
    expect(errorOf(file({ ...header, count: -1 })).message).toContain("count");
    expect(errorOf(file({ ...header, type: "int4" })).message).toContain("type");
    expect(errorOf(file({ ...header, scale: 0 }, [1, 2])).message).toContain("scale");
    expect(errorOf(file({ ...header, sclae: 2 }, [1, 2])).message).toContain("sclae");
    expect(errorOf(file({ ...header, labels: ["a", "b"] }, [2, 1, 2])).message).toContain(
      "sample 0 is of class 2",
    );
    const nan = file({ ...header, type: "float32", shape: [1] }, [0, 0, 192, 127]);
    expect(errorOf(nan).message).toContain("sample 0 has values that are not finite");
    expect(() => readSamples("does/not/exist")).toThrow(
      expect.objectContaining({ code: "TMC3220", exitCode: 3 }),
    );
  });

  it("end in a coded error whatever the bytes are", () => {
    const good = encodeSamples(stored);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, length) => {
        const bytes = good.slice(0, length);
        bytes[Math.min(at, length)] = value;
        try {
          decodeSamples(bytes, "test.samples");
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});
