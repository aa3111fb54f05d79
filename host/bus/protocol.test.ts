import { describe, expect, it } from "vitest";
import {
  decodeAnswer,
  decodeBirth,
  decodeCbor,
  decodeState,
  encodeCbor,
  encodeRequest,
  errorName,
  ProtocolError,
  resultOf,
} from "./protocol.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const answer = (...entries: [number, unknown][]): Uint8Array =>
  encodeCbor(
    new Map<number, unknown>([[0, 1], [1, 7], [2, 3], [3, "edge-1"], [4, 2], [5, "n1"], ...entries]),
  );

describe("requests", () => {
  it("are deterministic CBOR with the keys of the schema", () => {
    const bytes = encodeRequest({
      id: 7,
      boot: 3,
      sender: "e",
      operation: "data.collect",
      deadlineMs: 2000,
      arguments: { frames: 16, sensor: "a", rate: 0.5 },
      selector: { node: "n" },
      acceptedOutput: { elementType: 6 },
    });
    expect(hex(bytes)).toBe(
      // {0: 1, 1: 7, 2: 3, 3: "e", 4: "data.collect", 5: {2: "n"}, 6: {0: "a", 1: 16, 2: 0.5_1}, 9: {0: 6}, 10: 2000}
      "a900010107020303616504" +
        "6c646174612e636f6c6c656374" +
        "05a102616e" +
        "06a3006161011002f93800" +
        "09a100060a1907d0",
    );
  });

  it("leave out what is not stated", () => {
    const bytes = encodeRequest({ id: 1, boot: 1, sender: "e", operation: "node.monitor" });
    expect([...(decodeCbor(bytes) as Map<number, unknown>).keys()]).toEqual([0, 1, 2, 3, 4]);
  });

  it("refuse an argument that the operation does not have", () => {
    const order = { id: 1, boot: 1, sender: "e", operation: "data.collect", arguments: { sensors: "a" } };
    expect(() => encodeRequest(order)).toThrow("no field sensors: known are sensor, frames, rate, mode");
  });
});

describe("answers", () => {
  it("of the documentation are read", () => {
    const read = decodeAnswer(
      answer(
        [
          7,
          new Map<number, unknown>([
            [0, "bearing"],
            [1, 0.98828125],
            [2, 2],
            [3, "vibration@1.0.0"],
            [4, 0],
          ]),
        ],
        [8, new Uint8Array([0x80, 0x83, 0x7d])],
        [
          9,
          new Map<number, unknown>([
            [0, 0],
            [1, [1, 3]],
          ]),
        ],
        [10, 41],
        [11, 5120],
        [99, "not of this version"],
      ),
    );
    expect(read).toMatchObject({ id: 7, boot: 3, sender: "edge-1", stage: 2, node: "n1", executionUs: 5120 });
    expect(read.outputDescriptor).toEqual({ elementType: 0, shape: [1, 3] });
    expect(resultOf("model.infer", read)).toEqual({
      label: "bearing",
      score: 0.98828125,
      index: 2,
      model: "vibration@1.0.0",
      lost: 0,
    });
    expect(() => resultOf("data.collect", read)).toThrow(ProtocolError);
  });

  it("with an error name it", () => {
    const read = decodeAnswer(
      answer([
        6,
        new Map<number, unknown>([
          [0, 7],
          [3, 50],
        ]),
      ]),
    );
    expect(read.error).toEqual({ code: 7, retryAfterMs: 50 });
    expect(errorName(7)).toBe("busy");
    expect(errorName(99)).toBeUndefined();
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["a truncated map", answer().subarray(0, 8)],
    ["something after the item", new Uint8Array([...answer(), 0])],
    ["an indefinite map", Uint8Array.from([0xbf, 0, 1, 0xff])],
    ["a key twice", Uint8Array.from([0xa2, 0, 1, 0, 1])],
    ["a long head", Uint8Array.from([0xa1, 0x18, 0, 1])],
    ["an array", encodeCbor([1, 2])],
    ["another version", encodeCbor(new Map([[0, 2]]))],
    ["stage 3", answer([4, 3])],
    ["a node that is no id", answer([5, "N 1"])],
    ["error 17", answer([6, new Map([[0, 17]])])],
    ["an output that is a number", answer([8, 5])],
    ["a time that is negative", answer([10, -1])],
    ["a shape of 7 dimensions", answer([9, new Map([[1, [1, 1, 1, 1, 1, 1, 1]]])])],
  ])("are refused: %s", (_, bytes) => {
    expect(() => decodeAnswer(bytes)).toThrow(ProtocolError);
  });
});

describe("records", () => {
  it("a last will has four keys", () => {
    const will = encodeCbor(
      new Map<number, unknown>([
        [0, 1],
        [1, "n1"],
        [2, 5],
        [3, false],
      ]),
    );
    expect(decodeState(will)).toEqual({ version: 1, node: "n1", boot: 5, online: false });
    expect(() => decodeBirth(will)).toThrow("not a birth record");
  });

  it("a birth record's lists are named through and through", () => {
    const record = decodeBirth(
      encodeCbor(
        new Map<number, unknown>([
          [0, 1],
          [1, "n1"],
          [2, 1],
          [3, 0],
          [4, "tmc-minimal"],
          [5, "0.1.0"],
          [6, 1024],
          [7, 4],
          [8, ["node.describe"]],
          [
            9,
            [
              new Map<number, unknown>([
                [0, "accelerometer"],
                [1, 3],
                [2, "g"],
                [5, ["x", "y", "z"]],
              ]),
            ],
          ],
          [
            10,
            [
              new Map<number, unknown>([
                [0, "vibration"],
                [1, "1.0.0"],
                [4, [new Map<number, unknown>([[1, [1, 128, 1, 3]]])]],
                [5, [new Map<number, unknown>([[8, ["healthy", "imbalance", "bearing"]]])]],
                [9, new Map([[3, 90000]])],
              ]),
            ],
          ],
        ]),
      ),
    );
    expect(record.sensors).toEqual([
      { name: "accelerometer", channels: 3, unit: "g", channelNames: ["x", "y", "z"] },
    ]);
    expect(record.models?.[0]).toMatchObject({ inputs: [{ shape: [1, 128, 1, 3] }], cost: { macs: 90000 } });
    expect(record.models?.[0]?.outputs[0]?.labels).toEqual(["healthy", "imbalance", "bearing"]);
  });
});
