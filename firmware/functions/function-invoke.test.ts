/** `function.invoke` of a minimal node: small functions of several element types. */
import { beforeEach, describe, expect, it } from "vitest";
import { createSimulatedPlatform } from "../../host/runtime/simulated-platform.js";
import { usePlatform } from "../../host/runtime/current-platform.js";
import { NodeUnderTest, decodeCbor, errorAt, type RequestFields } from "../../test/support/firmware-node.js";
import { TmcTrap } from "../../compiler/backend-js/support.js";
import { F32Values, F64Values, I16Values, I32Values, NodeFunction, U8Values } from "../core/index.js";
import { FunctionInvoke } from "./function-invoke.js";
import { minimalNode } from "./minimal-node.js";

const sums = new NodeFunction({
  name: "sums",
  version: "2",
  input: new I16Values([-1], { most: 300 }),
  output: new I32Values([-1], { most: 300, unit: "V" }),
  run: (input: Int16Array, output: Int32Array) => {
    let sum = 0;
    for (let i = 0; i < input.length; i++) {
      sum += input[i] ?? 0;
      output[i] = sum;
    }
    if (sum === 666) throw new TmcTrap("throw", "sums.ts:1:1", "number");
    return input.length;
  },
});
const halves = new NodeFunction({
  name: "halves",
  version: "1.0.0",
  input: new F32Values([-1, 2], { most: 4, rate: 50 }),
  output: new F32Values([2], { unit: "g" }),
  run: (input: Float32Array, output: Float32Array) => {
    for (let i = 0; i < 2; i++) output[i] = (input[i] ?? 0) / 2;
    return 2;
  },
});
const exact = new NodeFunction({
  name: "exact",
  version: "1",
  input: new F64Values([-1], { most: 4 }),
  output: new F64Values([1]),
  run: (input: Float64Array, output: Float64Array) => {
    for (let i = 0; i < input.length; i++) output[0] = (output[0] ?? 0) + (input[i] ?? 0);
    return 1;
  },
});
const first = new NodeFunction({
  name: "first",
  version: "1",
  input: new U8Values([2, 2]),
  output: new U8Values([1]),
  run: (input: Uint8Array, output: Uint8Array) => {
    output[0] = (output[0] ?? 0) + (input[0] ?? 0);
    return 1;
  },
});

let bus: NodeUnderTest;
let birth: Map<number, unknown>;
const map = (...pairs: [number, unknown][]): Map<number, unknown> => new Map(pairs);

beforeEach(() => {
  const platform = createSimulatedPlatform();
  usePlatform(platform);
  const functions = [halves, sums, exact, first];
  const node = minimalNode({
    name: "test",
    version: "1",
    sensors: [],
    models: [],
    functions,
    settings: [],
    labels: [],
    jobs: 2,
  });
  node.offer(new FunctionInvoke(functions));
  node.serve();
  platform.start();
  birth = decodeCbor(platform.published[0]?.payload ?? new Uint8Array()) as Map<number, unknown>;
  bus = new NodeUnderTest(platform);
});

const invoke = (
  name: string,
  input: Uint8Array,
  descriptor: Map<number, unknown>,
  more: RequestFields = {},
) => bus.ask({ operation: "function.invoke", selector: map([0, name]), input, descriptor, ...more });
const i16 = (...values: number[]): Uint8Array => new Uint8Array(Int16Array.from(values).buffer);
const i16s = (count: number): Map<number, unknown> => map([0, 2], [1, [count]]);

describe("function.invoke", () => {
  it("is told in the birth record, with what goes in and out", () => {
    expect(birth.get(11)).toEqual([
      map(
        [0, "halves"],
        [1, "1.0.0"],
        [2, map([0, 6], [1, [-1, 2]], [3, 50])],
        [3, map([0, 6], [1, [2]], [4, "g"])],
        [4, 0],
      ),
      map([0, "sums"], [1, "2"], [2, map([0, 2], [1, [-1]])], [3, map([0, 4], [1, [-1]], [4, "V"])], [4, 0]),
      map([0, "exact"], [1, "1"], [2, map([0, 7], [1, [-1]])], [3, map([0, 7], [1, [1]])], [4, 0]),
      map([0, "first"], [1, "1"], [2, map([0, 1], [1, [2, 2]])], [3, map([0, 1], [1, [1]])], [4, 0]),
    ]);
  });
  it("answers with output and descriptor", () => {
    const answer = invoke("sums@2", i16(5, -7, 300), i16s(3));
    expect(answer.result).toEqual(map([0, "sums@2"]));
    expect([...new Int32Array(Uint8Array.from(answer.output ?? []).buffer)]).toEqual([5, -2, 298]);
    expect(answer.descriptor).toEqual(map([0, 4], [1, [3]], [4, "V"]));
    const window = new Uint8Array(Float32Array.from([1, -3, 5, 7]).buffer);
    const floats = invoke("halves", window, map([0, 6], [1, [2, 2]]));
    expect([...new Float32Array(Uint8Array.from(floats.output ?? []).buffer)]).toEqual([0.5, -1.5]);
    const times = new Uint8Array(Float64Array.from([1.7e9, 1e-7, -1.7e9]).buffer);
    const doubles = invoke("exact", times, map([0, 7], [1, [3]]));
    expect([...new Float64Array(Uint8Array.from(doubles.output ?? []).buffer)]).toEqual([
      1.7e9 + 1e-7 - 1.7e9,
    ]);
    expect(doubles.descriptor).toEqual(map([0, 7], [1, [1]]));
  });
  it("gives outputs of more than one piece whole", () => {
    const values = Array.from({ length: 100 }, (_, i) => i);
    const answer = invoke("sums", i16(...values), i16s(100));
    let sum = 0;
    expect([...new Int32Array(Uint8Array.from(answer.output ?? []).buffer)]).toEqual(
      values.map((v) => (sum += v)),
    );
  });
  it("starts with an empty output every time", () => {
    for (let i = 0; i < 2; i++) {
      const answer = invoke("first", Uint8Array.of(3, 0, 0, 0), map([0, 1], [1, [2, 2]]));
      expect([...(answer.output ?? [])]).toEqual([3]);
    }
  });
  it.each<[string, string, Uint8Array, Map<number, unknown>, RequestFields]>([
    ["not-found selector", "other", i16(1), i16s(1), {}],
    ["not-found selector", "sums@1", i16(1), i16s(1), {}],
    ["descriptor-mismatch input.element", "sums", i16(1), map([0, 1], [1, [1]]), {}],
    ["descriptor-mismatch input.shape", "sums", i16(1), map([0, 2], [1, [2, 2]]), {}],
    ["descriptor-mismatch input.bytes", "sums", Uint8Array.of(1, 2, 3), i16s(1), {}],
    ["descriptor-mismatch input.bytes", "exact", new Uint8Array(12), map([0, 7], [1, [1]]), {}],
    ["descriptor-mismatch input.bytes", "first", Uint8Array.of(1, 2, 3), map([0, 1], [1, [2, 2]]), {}],
    ["descriptor-mismatch accept.element", "sums", i16(1), i16s(1), { accept: map([0, 6]) }],
    ["too-large answer", "sums", i16(...new Array<number>(280).fill(1)), i16s(280), {}],
    ["function-failed", "sums", i16(666), i16s(1), {}],
  ])("answers %s", (expected, name, input, descriptor, more) => {
    expect(errorAt(invoke(name, input, descriptor, more))).toBe(expected);
  });
  it("needs bytes and a name", () => {
    expect(errorAt(bus.ask({ operation: "function.invoke", selector: map([0, "sums"]) }))).toBe(
      "bad-request input",
    );
    expect(errorAt(bus.ask({ operation: "function.invoke", input: i16(1) }))).toBe("not-found selector");
  });
});
