/** `tmc model quantize` on the vibration model: files, exit codes, JSON, and the bound on the loss. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { UserError } from "../../diagnostics/user-error.js";
import { readTflite } from "../../model/tflite/read.js";
import { writeTflite } from "../../model/tflite/write.js";
import { foldGraph } from "../../model/quantize/fold.js";
import { importTfjs } from "../../model/import-tfjs.js";
import { registerModelQuantize } from "./model-quantize.js";

const models = join(dirname(fileURLToPath(import.meta.url)), "../../../models/vibration");
const file = (name: string): string => join(models, name);
const directory = mkdtempSync(join(tmpdir(), "tmc-quantize-"));
const out = join(directory, "out.tflite");
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(() => rmSync(out, { force: true }));

/** Runs the command; gives what it printed on stdout and the error it threw, if any. */
async function run(
  ...args: string[]
): Promise<{ text: string; error: UserError | undefined; exitCode: unknown }> {
  const program = new Command("tmc").exitOverride();
  registerModelQuantize(program);
  const printed: string[] = [];
  const stdout = vi
    .spyOn(process.stdout, "write")
    .mockImplementation((text) => printed.push(String(text)) > 0);
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  let error: UserError | undefined;
  try {
    await program.parseAsync(["model", "quantize", ...args], { from: "user" });
  } catch (caught) {
    if (!(caught instanceof UserError)) {
      throw caught;
    }
    error = caught;
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
  const { exitCode } = process;
  process.exitCode = undefined;
  return { text: printed.join(""), error, exitCode };
}

const data = ["--calibration", file("calibration.samples"), "--out", out];
const tested = [...data, "--test", file("test.samples")];

describe("tmc model quantize", () => {
  it("writes the committed model and reports what was lost", async () => {
    const { text, error } = await run(file("model.json"), ...tested, "--input-range=-4,3.96875");
    expect(error).toBeUndefined();
    expect(Buffer.compare(readFileSync(out), readFileSync(file("vibration.tflite")))).toBe(0);
    expect(text).toContain("accuracy on 150 samples");
    expect(text).toContain("the layer that loses most: ");
    expect(text).toContain("input  [1, 128, 1, 3] int8, scale 0.03125, zero point 0\n");
  });

  it("prints one JSON document with --json", async () => {
    const { text } = await run(file("model.json"), ...tested, "--json");
    const json: unknown = JSON.parse(text);
    expect(json).toMatchObject({
      out,
      bytes: readFileSync(out).length,
      output: { scale: 1 / 256, zeroPoint: -128 },
    });
    expect(json).toHaveProperty("loss.accuracy.confusion.int8");
  });

  it("writes nothing when too much is lost", async () => {
    const cut = ["--method", "percentile", "--percentile", "90", "--max-loss", "0.1"];
    const { error, text } = await run(file("model.json"), ...tested, ...cut);
    expect(error).toMatchObject({ code: "TMC3226", exitCode: 1 });
    expect(text).toContain("accuracy on 150 samples");
    expect(existsSync(out)).toBe(false);
    const asJson = await run(file("model.json"), ...tested, ...cut, "--json");
    expect(asJson.exitCode).toBe(1);
    expect(JSON.parse(asJson.text)).toMatchObject({ out: null, error: { code: "TMC3226" } });
    expect(existsSync(out)).toBe(false);
  });

  it("calibrates by entropy and corrects biases", async () => {
    const { text, error } = await run(file("model.json"), ...tested, "--method=entropy", "--bias-correction");
    expect(error).toBeUndefined();
    expect(text).toContain("float confusion (rows");
    expect(text).toContain("signal to quantisation noise, worst layer first");
    const made = readFileSync(out);
    await run(file("model.json"), ...tested, "--method=entropy");
    expect(Buffer.compare(made, readFileSync(out))).not.toBe(0);
  });

  it("gives activations of int16", async () => {
    const { text, error } = await run(
      file("model.json"),
      ...tested,
      "--activations=int16",
      "--input-range=-4,3.9998779296875",
    );
    expect(error).toBeUndefined();
    expect(text).toContain("int16 confusion (rows");
    expect(text).not.toContain("int8");
    expect(text).toContain("input  [1, 128, 1, 3] int16, scale 0.0001220703125, zero point 0\n");
    const { tensors, inputs } = readTflite(readFileSync(out), "wide");
    expect(tensors[inputs[0] ?? -1]?.type).toBe("int16");
  });

  it("advises int16 where int8 loses too much, and only there", async () => {
    const cut = ["--method", "percentile", "--percentile", "90", "--max-loss", "0"];
    const narrow = await run(file("model.json"), ...tested, ...cut);
    expect(narrow.error?.fix).toContain("--activations int16");
    const wide = await run(file("model.json"), ...tested, ...cut, "--activations", "int16");
    expect(wide.error).toMatchObject({ code: "TMC3226" });
    expect(wide.error?.message).toContain("the int16 model loses");
    expect(wide.error?.fix).not.toContain("--activations");
    expect(existsSync(out)).toBe(false);
  });

  it("refuses other types of activations", async () => {
    await expect(run(file("model.json"), ...data, "--activations=int4")).rejects.toThrow(
      "Allowed choices are int8, int16",
    );
    expect(existsSync(out)).toBe(false);
  });

  it("fine-tunes and prunes before", async () => {
    // The first 24 of the test data are enough to see the way.
    const bytes = readFileSync(file("test.samples"));
    const end = bytes.indexOf(10);
    const header = JSON.parse(bytes.toString("utf8", 0, end)) as { count: number };
    const { classes, rest } = { classes: bytes.subarray(end + 1), rest: end + 1 + header.count };
    const few = join(directory, "few.samples");
    writeFileSync(
      few,
      Buffer.concat([
        Buffer.from(`${JSON.stringify({ ...header, count: 24 })}\n`),
        classes.subarray(0, 24),
        bytes.subarray(rest, rest + 24 * 128 * 3 * 2),
      ]),
    );
    const training = ["--train", few, "--epochs", "1", "--batch", "8", "--prune", "30"];
    const { error } = await run(file("model.json"), ...data, ...training);
    expect(error).toBeUndefined();
    const weights = readTflite(readFileSync(out), "tuned").tensors.filter((t) => t.data instanceof Int8Array);
    for (const { data: values } of weights) {
      const list = Array.from(values as Int8Array);
      expect(list.filter((w) => w === 0).length).toBeGreaterThanOrEqual(Math.floor(0.3 * list.length));
    }
    const wrong = await run(file("model.json"), ...data, "--train", file("golden/input_0.bin"));
    expect(wrong.error).toMatchObject({ code: "TMC3221" });
  });

  it("takes float .tflite files and refuses int8 ones", async () => {
    const float = join(directory, "float.tflite");
    writeFileSync(float, writeTflite(foldGraph(importTfjs(file("model.json")))));
    const { error, text } = await run(float, ...data, "--input-range=-4,3.96875");
    expect(error).toBeUndefined();
    expect(text).toContain("accuracy was not measured");
    const made = readFileSync(out);
    // Equal but for the model's name in the description.
    expect(made.length).toBeGreaterThan(6000);
    const int8 = await run(file("vibration.tflite"), ...data);
    expect(int8.error).toMatchObject({ code: "TMC3227" });
  });

  it.each([
    ["--max-loss", "-1", "TMC3225"],
    ["--max-loss", "much", "TMC3225"],
    ["--percentile", "20", "TMC3225"],
    ["--input-range", "4", "TMC3225"],
    ["--input-range", "1,2", "TMC3225"],
    ["--input-range", "-1,1,2", "TMC3225"],
    ["--epochs", "3", "TMC3225"],
    ["--prune", "30", "TMC3225"],
    ["--train", "nothing.samples", "TMC3220"],
    ["--train=x --epochs", "0.5", "TMC3225"],
    ["--train=x --learning-rate", "0", "TMC3225"],
    ["--train=x --prune-channels", "99", "TMC3225"],
    ["--test", "nothing.samples", "TMC3220"],
    ["--out", "no/such/directory/out.tflite", "TMC3228"],
  ])("says what is wrong with %s %s", async (option, value, code) => {
    const { error } = await run(file("model.json"), ...data, ...`${option}=${value}`.split(" "));
    expect(error).toMatchObject({ code, exitCode: 3 });
  });

  it("says what is wrong with a model that is missing or is none", async () => {
    expect((await run("missing.json", ...data)).error).toMatchObject({ code: "TMC3034", exitCode: 3 });
    expect((await run("missing.tflite", ...data)).error).toMatchObject({ code: "TMC3034", exitCode: 3 });
    const unknown = await run(file("weights.bin"), ...data);
    expect(unknown.error).toMatchObject({ code: "TMC3208" });
    expect(unknown.error?.fix).toContain("TensorFlow Lite (*.tflite), ");
  });
});
