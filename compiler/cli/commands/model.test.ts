/** `tmc model inspect|run|bench` as a user calls them, with a small model made for the purpose. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { rewritable } from "../../../test/models/random-rewritable.js";
import { writeTflite } from "../../model/tflite/write.js";
import { buildFile, smallFile } from "../../../test/models/tflite-file.js";
import { registerModelBench } from "./model-bench.js";
import { registerModelInspect } from "./model-inspect.js";
import { registerModelRun } from "./model-run.js";

let folder: string;
let model: string;
let input: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-model-test-"));
  model = join(folder, "small.tflite");
  input = join(folder, "input.bin");
  writeFileSync(model, buildFile(smallFile()));
  writeFileSync(
    input,
    Uint8Array.from({ length: 16 }, (_, i) => i * 15),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Standard output of `tmc model …`. Throws what the command throws. */
async function tmc(...args: string[]): Promise<string> {
  const program = new Command("tmc").exitOverride();
  registerModelRun(program);
  registerModelInspect(program);
  registerModelBench(program);
  let text = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    await program.parseAsync(["model", ...args], { from: "user" });
  } finally {
    write.mockRestore();
  }
  return text;
}

async function failure(...args: string[]): Promise<UserError> {
  const error: unknown = await tmc(...args).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) {
    throw new Error(`expected a UserError, got ${String(error)}`);
  }
  return error;
}

describe("tmc model inspect", () => {
  it("prints layers, costs and the memory plan", async () => {
    const text = await tmc("inspect", model);
    expect(text).toContain("small: int8 model, 4 layers");
    expect(text).toMatch(
      /^ 0 {2}Conv2D +1x4x4x1 +1x4x4x2 +3x3\/1x1 same relu +0.05, -128 +288 +26 +\d+ +\d+$/m,
    );
    expect(text).toContain("MACs        384");
    expect(text).toMatch(/arena +128 bytes of RAM, the least possible/);
    expect(text).toContain("memory plan:");
  });
  it("prints the same for programs", async () => {
    const result: unknown = JSON.parse(await tmc("inspect", model, "--json"));
    expect(result).toMatchObject({
      model: "small",
      int8: true,
      totals: { macs: 384, weightBytes: 18 + 96, biasBytes: 8, flashBytes: expect.any(Number) },
      memory: { arenaBytes: 128 },
      layers: [
        {
          kind: "Conv2D",
          attributes: { padding: "same", activation: "relu" },
          flashBytes: expect.any(Number),
          ramBytes: expect.any(Number),
        },
        {},
        {},
        { kind: "Softmax" },
      ],
    });
  });
  it("says what each pass did, and keeps the numbers of operators", async () => {
    const passes = join(folder, "passes.tflite");
    writeFileSync(passes, writeTflite(rewritable(7)));
    const text = await tmc("inspect", passes);
    expect(text).toMatch(/^passes +copies removed: op 0 \(Reshape\)/m);
    expect(text).toMatch(/^passes +equal layers computed once: op 6 \(\w+\) → 5$/m);
    const json = JSON.parse(await tmc("inspect", passes, "--json")) as {
      layers: unknown[];
      memory: { tensors: { first: number; last: number }[] };
    };
    const { layers, memory } = json;
    expect(Math.max(...memory.tensors.map(({ last }) => last))).toBe(layers.length);
  });
  it("shows a float model without costs", async () => {
    const file = smallFile();
    const floats = join(folder, "float.tflite");
    writeFileSync(
      floats,
      buildFile({
        ...file,
        tensors: [
          { name: "x", shape: [1, 4], type: 0 },
          { name: "y", shape: [4, 1], type: 0 },
        ],
        operators: [{ code: 1, inputs: [0], outputs: [1] }],
        outputs: [1],
      }),
    );
    expect(await tmc("inspect", floats)).toContain("float model");
    expect((await failure("run", floats, "--input", input)).code).toBe("TMC3020");
  });
});

describe("tmc model run", () => {
  it("prints the output", async () => {
    const text = await tmc("run", model, "--input", input);
    expect(text).toMatch(
      /^output 0, int8 \[1, 3\], scale 0.00390625, zero point -128:\n {2}int8 ( -?\d+){3}\n/,
    );
  });
  it("writes golden files once and compares afterwards, on all targets", async () => {
    const layers = join(folder, "layers");
    const golden = ["--output", join(folder, "output.bin"), "--layers", layers];
    const written = await tmc("run", model, "--input", input, ...golden);
    expect(written).toContain(`4 layers written to ${layers}`);
    expect(readdirSync(layers)).toEqual([
      "op00_tensor3.bin",
      "op01_tensor4.bin",
      "op02_tensor6.bin",
      "op03_tensor7.bin",
    ]);
    const compared = await tmc("run", model, "--input", input, "--on", "node,host,qemu_cortex_m4", ...golden);
    expect(compared).toBe(
      [
        "node, host, qemu_cortex_m4: equal on all 4 layers and the output",
        `4 layers equal to ${layers}`,
        `1 output equal to ${join(folder, "output.bin")}`,
        "",
      ].join("\n"),
    );
    const json: unknown = JSON.parse(await tmc("run", model, "--input", input, ...golden, "--json"));
    expect(json).toMatchObject({
      targets: ["node"],
      outputs: [{ shape: [1, 3], data: [...new Int8Array(readFileSync(join(folder, "output.bin")))] }],
      golden: { output: { action: "compared", files: 1 }, layers: { action: "compared", files: 4 } },
    });
  });
  it("names the first layer and element that differ from golden files", async () => {
    const layers = join(folder, "changed");
    await tmc("run", model, "--input", input, "--layers", layers);
    for (const [file, at] of [
      ["op02_tensor6.bin", 0],
      ["op00_tensor3.bin", 5],
    ] as const) {
      const bytes = readFileSync(join(layers, file));
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(join(layers, file), bytes);
    }
    const error = await failure("run", model, "--input", input, "--layers", layers);
    expect([error.code, error.exitCode]).toEqual(["TMC3033", ExitCode.failed]);
    expect(error.message).toMatch(/operator 0 \(Conv2D\), tensor 3 "conv", element 5 at \[0, 0, 2, 1\]/);
  });
  it("tells a golden output that differs, has another size, or belongs to no layer", async () => {
    const output = join(folder, "wrong.bin");
    writeFileSync(output, Uint8Array.of(1, 2, 3));
    const error = await failure("run", model, "--input", input, "--output", output);
    expect([error.code, error.exitCode]).toEqual(["TMC3032", ExitCode.failed]);
    expect([...readFileSync(output)]).toEqual([1, 2, 3]);
    writeFileSync(output, Uint8Array.of(1));
    expect((await failure("run", model, "--input", input, "--output", output)).code).toBe("TMC3030");
    const layers = join(folder, "stray");
    mkdirSync(layers);
    writeFileSync(join(layers, "op77_tensor1.bin"), "x");
    expect((await failure("run", model, "--input", input, "--layers", layers)).message).toMatch(
      /belongs to no layer/,
    );
  });
  it.each([
    ["a missing model", ["run", "absent.tflite", "--input", "x"], "TMC3034", ExitCode.usage],
    ["a folder as model", ["inspect", "."], "TMC3034", ExitCode.usage],
    [
      "an unknown board",
      ["run", "MODEL", "--input", "INPUT", "--on", "node,nowhere"],
      "TMC4001",
      ExitCode.usage,
    ],
    [
      "an empty target",
      ["run", "MODEL", "--input", "INPUT", "--on", "node,,host"],
      "TMC0005",
      ExitCode.usage,
    ],
    ["an input of another size", ["run", "MODEL", "--input", "MODEL"], "TMC3030", ExitCode.usage],
    ["a board without counter", ["bench", "MODEL", "--on", "host"], "TMC0005", ExitCode.usage],
  ])("refuses %s", async (_, args, code, exitCode) => {
    const error = await failure(...args.map((arg) => ({ MODEL: model, INPUT: input })[arg] ?? arg));
    expect([error.code, error.exitCode]).toEqual([code, exitCode]);
  });
  it("writes nothing when the model is refused", async () => {
    const layers = join(folder, "none");
    await failure("run", model, "--input", model, "--layers", layers);
    expect(existsSync(layers)).toBe(false);
  });
});

describe("tmc model bench", () => {
  it("counts the instructions of each layer, and measures the linked image", async () => {
    const cost: unknown = JSON.parse(await tmc("bench", model, "--json"));
    expect(cost).toMatchObject({
      model: "small",
      board: "qemu_cortex_m4",
      macs: 384,
      instructions: expect.any(Number),
      ram: { arena: 128, weights: 0 },
      cycles: expect.any(Number),
      ms: expect.any(Number),
      layers: [
        { kind: "Conv2D", cycles: expect.any(Number) },
        { kind: "FullyConnected" },
        { kind: "Softmax" },
      ],
    });
    const { instructions, layers, flash } = cost as {
      instructions: number;
      layers: { instructions: number; cycles: number; flash: number; ram: number }[];
      flash: { model: number; kernels: number };
    };
    const sum = layers.reduce((total, layer) => total + layer.instructions, 0);
    expect(instructions).toBeGreaterThan(1000);
    expect(Math.abs(sum - instructions)).toBeLessThan(200);
    expect(layers[0]?.cycles).toBeGreaterThan(layers[0]?.instructions ?? Infinity);
    expect(layers[0]?.flash).toBeGreaterThan(18 + 8);
    expect(layers[1]?.flash).toBeGreaterThan(96);
    expect(Math.max(...layers.map(({ ram }) => ram))).toBeLessThanOrEqual(128);
    expect(flash.model).toBeGreaterThan(18 + 96 + 8);
    expect(flash.kernels).toBeGreaterThan(500);
    const text = await tmc("bench", model, "--no-cycles");
    expect(text).toMatch(/^RAM +128 bytes: the arena;/m);
    expect(text).toContain("time   not estimated: not asked for");
    const roomy = JSON.parse(await tmc("bench", model, "--json", "--weights-in-ram", "1K")) as {
      instructions: number;
      cycles: number;
      ram: { arena: number; weights: number };
    };
    expect(roomy.ram.arena).toBe(128);
    expect(roomy.ram.weights).toBeGreaterThan(18 + 96);
    expect(roomy.instructions).toBe(instructions);
    expect(roomy.cycles).toBeLessThan((cost as { cycles: number }).cycles);
  });
});
