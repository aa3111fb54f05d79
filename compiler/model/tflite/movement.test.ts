/** Operators that move or reduce data in files: written ones come back, masks and several outputs are resolved, the rest is refused. */
import { describe, expect, it } from "vitest";
import { sideBySide } from "../../../test/models/random-graphs.js";
import { movementKinds } from "../../../test/models/random-movement.js";
import {
  buildFile,
  int32,
  int8,
  type Fields,
  type TensorDescription,
} from "../../../test/models/tflite-file.js";
import { UserError } from "../../diagnostics/user-error.js";
import type { Graph, Operator } from "../graph.js";
import { lower } from "../lower.js";
import { readTflite } from "./read.js";
import { operatorSchemas } from "./schema.js";
import { writeTflite } from "./write.js";

interface One {
  readonly name: string;
  readonly input: readonly number[];
  readonly outputs: readonly (readonly number[])[];
  /** Constants by position among the operands; the input stands where there is none. */
  readonly constants?: Readonly<Record<number, readonly number[]>>;
  readonly options?: Fields;
}

/** A file with one operator. */
function file({ name, input, outputs, constants = {}, options = {} }: One): Uint8Array {
  const [code, schema] = [...operatorSchemas].find(([, one]) => one.name === name) ?? [];
  const positions = Object.keys(constants).map(Number);
  const count = Math.max(name === "SPLIT" ? 2 : 1, ...positions.map((position) => position + 1));
  const tensors: TensorDescription[] = [{ shape: input }, ...outputs.map((shape) => ({ shape }))];
  const inputs = Array.from({ length: count }, (_, i) =>
    positions.includes(i) ? 1 + outputs.length + positions.indexOf(i) : 0,
  );
  positions.forEach((position, i) =>
    tensors.push({ shape: [constants[position]?.length ?? 0], type: 2, buffer: 1 + i }),
  );
  return buildFile({
    codes: [{ builtin: code ?? -1 }],
    buffers: positions.map((position) => new Uint8Array(Int32Array.from(constants[position] ?? []).buffer)),
    tensors,
    operators: [
      {
        code: 0,
        inputs,
        outputs: outputs.map((_, i) => 1 + i),
        optionsType: schema?.optionsType ?? 0,
        options,
      },
    ],
    inputs: [0],
    outputs: outputs.map((_, i) => 1 + i),
  });
}

function read(one: One): Graph {
  const graph = readTflite(file(one), "test");
  lower(graph); // shapes fit
  return graph;
}

function refusal(one: One): string {
  try {
    read(one);
  } catch (error) {
    if (error instanceof UserError) {
      return `${error.code} ${error.message}`;
    }
    throw error;
  }
  return "accepted";
}

const parts = (graph: Graph): unknown[] =>
  graph.operators.map((operator: Operator) =>
    operator.kind === "Slice" ? [operator.output, operator.begin, operator.sizes] : operator.kind,
  );

describe("operators that move or reduce data", () => {
  it.each(movementKinds)("%s is written and comes back", (kind) => {
    const graph = sideBySide(kind, 40, 7);
    const back = readTflite(writeTflite(graph), graph.name);
    expect(back.operators).toEqual(graph.operators);
    expect(back.tensors.slice(0, graph.tensors.length)).toEqual(graph.tensors);
    expect(writeTflite(back).length).toBeGreaterThan(0);
  });
  it("SPLIT and SPLIT_V are slices", () => {
    expect(
      parts(
        read({
          name: "SPLIT",
          input: [1, 6, 2],
          outputs: [
            [1, 3, 2],
            [1, 3, 2],
          ],
          constants: { 0: [-2] },
        }),
      ),
    ).toEqual([
      [1, [0, 0, 0], [1, 3, 2]],
      [2, [0, 3, 0], [1, 3, 2]],
    ]);
    const splitV = {
      name: "SPLIT_V",
      input: [1, 6],
      outputs: [
        [1, 1],
        [1, 5],
      ],
    };
    expect(parts(read({ ...splitV, constants: { 1: [1, -1], 2: [1] } }))).toEqual([
      [1, [0, 0], [1, 1]],
      [2, [0, 1], [1, 5]],
    ]);
    expect(refusal({ ...splitV, constants: { 1: [1, 4], 2: [1] } })).toContain("TMC3012");
    expect(refusal({ ...splitV, constants: { 1: [1, 5], 2: [2] } })).toContain("axis = 2");
  });
  it("UNPACK is slices, PACK reshapes and a concatenation, SQUEEZE and EXPAND_DIMS reshapes", () => {
    const unpack = { name: "UNPACK", input: [1, 2, 3], options: { 1: int32(1) } };
    expect(
      parts(
        read({
          ...unpack,
          outputs: [
            [1, 3],
            [1, 3],
          ],
        }),
      ),
    ).toEqual([
      [1, [0, 0, 0], [1, 1, 3]],
      [2, [0, 1, 0], [1, 1, 3]],
    ]);
    expect(refusal({ ...unpack, outputs: [[1, 3]] })).toContain("TMC3002");
    const pack = read({ name: "PACK", input: [1, 3], outputs: [[1, 1, 3]], options: { 1: int32(1) } });
    expect(parts(pack)).toEqual(["Reshape", "Concatenation"]);
    expect(parts(read({ name: "SQUEEZE", input: [1, 1, 3], outputs: [[1, 3]] }))).toEqual(["Reshape"]);
    expect(
      parts(read({ name: "EXPAND_DIMS", input: [1, 3], outputs: [[1, 1, 3]], constants: { 1: [1] } })),
    ).toEqual(["Reshape"]);
  });
  it("STRIDED_SLICE has its masks and negative positions resolved", () => {
    const slice = (
      begin: number[],
      end: number[],
      strides: number[],
      output: number[],
      options: Fields = {},
    ) =>
      read({
        name: "STRIDED_SLICE",
        input: [1, 7, 5],
        outputs: [output],
        constants: { 1: begin, 2: end, 3: strides },
        options,
      }).operators[0];
    expect(slice([0, 1, -2], [1, -1, 9], [1, 2, 1], [1, 3, 2])).toMatchObject({
      begin: [0, 1, 3],
      sizes: [1, 3, 2],
    });
    // begin_mask and end_mask of the last two, backwards.
    expect(slice([0, 2, 2], [1, 2, 2], [1, -1, -2], [1, 7, 3], { 0: int32(6), 1: int32(6) })).toMatchObject({
      begin: [0, 6, 4],
      sizes: [1, 7, 3],
      strides: [1, -1, -2],
    });
    // shrink_axis_mask: the end does not count.
    expect(slice([0, -1, 0], [1, 0, 5], [1, 1, 1], [1, 5], { 4: int32(2) })).toMatchObject({
      begin: [0, 6, 0],
      sizes: [1, 1, 5],
    });
  });
  it("what is not supported is refused with its name", () => {
    const strided = { name: "STRIDED_SLICE", input: [1, 4], outputs: [[1, 4]] };
    const whole = { 1: [0, 0], 2: [1, 4], 3: [1, 1] };
    expect(refusal({ ...strided, constants: whole, options: { 2: int32(1) } })).toContain(
      "ellipsis_mask = 1",
    );
    expect(refusal({ ...strided, constants: whole, options: { 3: int32(1) } })).toContain(
      "new_axis_mask = 1",
    );
    expect(refusal({ ...strided, constants: { ...whole, 3: [1, 0] } })).toContain("strides = 0");
    expect(refusal({ ...strided, constants: { ...whole, 2: [1, 0] } })).toContain("an empty range");
    expect(refusal({ ...strided, constants: { ...whole, 2: [1, 3] } })).toContain("TMC3013");
    expect(refusal({ ...strided, constants: { ...whole, 2: [1] } })).toContain("TMC3002");
    const pad = { name: "PAD", input: [1, 4], outputs: [[1, 5]] };
    expect(refusal({ ...pad, constants: { 1: [0, 0, 0, -1] } })).toContain("paddings = -1");
    expect(refusal({ ...pad, constants: { 1: [0, 0, 0, 2] } })).toContain("TMC3013");
    const join = { name: "CONCATENATION", input: [1, 4], outputs: [[1, 4]] };
    expect(refusal({ ...join, options: { 0: int32(1), 1: int8(1) } })).toContain("RELU");
    expect(refusal({ ...join, options: { 0: int32(0) } })).toBe("accepted");
    expect(refusal({ ...join, options: { 0: int32(2) } })).toContain("axis = 2");
    const transpose = { name: "TRANSPOSE", input: [1, 4], outputs: [[4, 1]] };
    expect(refusal({ ...transpose, constants: { 1: [1, 1] } })).toContain("TMC3013");
    expect(refusal({ ...transpose, constants: { 1: [1, 7] } })).toContain("axis = 7");
    const mean = { name: "MEAN", input: [1, 4], outputs: [[1]] };
    expect(refusal({ ...mean, constants: { 1: [0] } })).toContain("TMC3013");
    expect(refusal({ ...mean, constants: { 1: [-1] } })).toBe("accepted");
  });
  it("operands computed at run time are refused", () => {
    expect(refusal({ name: "SLICE", input: [1, 4], outputs: [[1, 4]], constants: { 2: [1, 4] } })).toContain(
      "begin = computed at run time is not supported; supported: constants",
    );
  });
  it("scales that differ are refused where nothing rescales", () => {
    const graph = read({ name: "SQUEEZE", input: [1, 1, 3], outputs: [[1, 3]] });
    const [input, output] = graph.tensors;
    if (input === undefined || output === undefined) {
      throw new Error("no tensors");
    }
    const other = { ...output, quantization: { scales: [0.25], zeroPoints: [0], axis: 0 } };
    const transpose: Operator = { kind: "Transpose", input: 0, output: 1, permutation: [0, 1, 2] };
    const shaped = { ...other, shape: input.shape };
    expect(() => lower({ ...graph, tensors: [input, shaped], operators: [transpose] })).toThrow("rescale");
  });
});
