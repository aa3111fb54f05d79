/** `bench:models` measures any folder of models, prints what programs expect, and fails when an output differs. */
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { packagePath } from "../compiler/board/package-root.js";
import { joinTensors, runOnNode } from "../compiler/model/execute/inference.js";
import { loadTflite } from "../compiler/model/load.js";

const folder = mkdtempSync(join(tmpdir(), "tmc-bench-"));
const model = packagePath("models", "vibration", "vibration.tflite");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function bench(...args: string[]): Promise<string> {
  const command = [packagePath("bench", "run-models.ts"), ...args];
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", ...command]);
  return stdout;
}

describe("model benchmarks", () => {
  mkdirSync(join(folder, "small"));
  copyFileSync(model, join(folder, "small", "model.tflite"));

  it("print figures for programs", async () => {
    const { models } = JSON.parse(await bench("--json", "--dir", folder)) as { models: object[] };
    expect(models).toEqual([
      {
        name: "small",
        macs: expect.any(Number),
        instructions: expect.any(Number),
        ms: expect.any(Number),
        flash: expect.any(Number),
        ram: expect.any(Number),
      },
    ]);
    expect(Object.values(models[0] ?? {}).every((value) => typeof value === "string" || value > 0)).toBe(
      true,
    );
  });
  it("compare golden outputs first", async () => {
    const graph = loadTflite(model);
    const inputs = graph.inputs.map((tensor) =>
      new Int8Array((graph.tensors[tensor]?.shape ?? []).reduce((p, d) => p * d, 1)).fill(7),
    );
    const output = joinTensors(runOnNode(graph, [inputs])[0]?.outputs ?? []);
    writeFileSync(join(folder, "small", "input_0.bin"), joinTensors(inputs));
    writeFileSync(join(folder, "small", "output_0.bin"), output);
    expect(await bench("--dir", folder)).toMatch(/\| small \|.*\| 1 equal \|/);
    output[0] = (output[0] ?? 0) ^ 1;
    writeFileSync(join(folder, "small", "output_0.bin"), output);
    await expect(bench("--dir", folder)).rejects.toThrow(/differs from output_0.bin/);
  });
  it("measure the others when a model cannot be measured", async () => {
    const own = join(folder, "mixed");
    for (const name of ["broken", "good"]) {
      mkdirSync(join(own, name), { recursive: true });
    }
    copyFileSync(model, join(own, "good", "model.tflite"));
    writeFileSync(join(own, "broken", "model.tflite"), "not a model");
    const failed = (await bench("--json", "--dir", own).then(
      () => undefined,
      (error: unknown) => error,
    )) as { code: number; stdout: string; stderr: string };
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/^broken: .*not a .tflite model/);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      models: [{ name: "good" }],
      errors: [{ name: "broken", error: expect.stringContaining("not a .tflite model") }],
    });
  });
  it("say what is missing", async () => {
    await expect(bench("--dir", join(folder, "none"))).rejects.toThrow(/there is no folder/);
  });
});
