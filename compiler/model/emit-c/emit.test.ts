/** Emitted C: names, order, determinism; that the printed memory is the linked memory; an image without models. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { network, randomInputs, sideBySide } from "../../../test/models/random-graphs.js";
import { findBoard } from "../../board/board.js";
import { readElf } from "../../board/elf.js";
import { runExecutable } from "../../board/run.js";
import { buildExecutable } from "../../board/toolchain.js";
import { runOnNode } from "../execute/inference.js";
import { inTemporaryFolder, runOnBoard } from "../execute/on-board.js";
import { emitModels, type EmittedModels } from "./emit.js";

async function link(board: string, emitted: EmittedModels, program: string) {
  return inTemporaryFolder(async (folder) => {
    mkdirSync(folder, { recursive: true });
    for (const file of [...emitted.files, { path: "program.c", text: program }]) {
      writeFileSync(join(folder, file.path), file.text);
    }
    const { elf } = await buildExecutable({
      board: findBoard(board),
      sources: [...emitted.sources, "program.c"].map((path) => join(folder, path)),
      includeDirs: [folder],
      outDir: folder,
      kernels: true,
      name: "test",
      port: "program",
      warningsAreErrors: true,
    });
    const { symbols, sections } = readElf(elf);
    return {
      symbols,
      elf: { symbols, sections },
      run: await runExecutable({ board: findBoard(board), elf }),
    };
  });
}

const invokeAll = `#include "tmc/port.h"
void tmc_program_main(void) {
    for (int32_t i = 0; i < tmc_model_count(); i++) {
        tmc_model_invoke(i);
        tmc_log_i32(tmc_model_input(i, 0).len);
        tmc_log_i32(tmc_model_output(i, 0).len);
        tmc_log_bool(tmc_model_output(i, 99).ptr == NULL && tmc_model_output(i, -1).ptr == NULL);
        tmc_log_end();
    }
    tmc_log_i32(tmc_model_count());
    tmc_log_bool(tmc_model_input(99, 0).ptr == NULL && tmc_model_input(-1, 0).ptr == NULL);
    tmc_model_invoke(99);
    tmc_log_end();
}
`;

describe("emitted models", () => {
  it("are the same text every time", () => {
    const models = [{ name: "a", graph: network(1) }];
    expect(emitModels(models)).toEqual(emitModels(models));
  });
  it("get distinct C names from any name", () => {
    const graph = network(2);
    const names = ["gesture", "Gesture.tflite", "*/ int x;", "", "модель", "9 lives", "x".repeat(200)];
    const emitted = emitModels(names.map((name) => ({ name, graph })));
    expect(emitted.models.map((model) => model.prefix)).toEqual([
      "model_gesture",
      "model_gesture_2",
      "model_int_x",
      "model_unnamed",
      "model_unnamed_2",
      "model_9_lives",
      `model_${"x".repeat(40)}`,
    ]);
    for (const { text } of emitted.files) {
      expect(text).not.toContain("*/ int x");
      expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    }
  });
  it("store equal constants once", () => {
    const [model] = emitModels([{ name: "a", graph: sideBySide("softmax", 3, 1) }]).models;
    expect(model?.constantBytes).toBe(0);
  });
  it.each(["host", "qemu_cortex_m4"])("link as printed and answer by number on %s", async (board) => {
    const emitted = emitModels([3, 4].map((seed) => ({ name: `net${seed}`, graph: network(seed) })));
    const { symbols, run } = await link(board, emitted, invokeAll);
    for (const model of emitted.models) {
      expect(symbols.find(({ name }) => name === `${model.prefix}_arena`)?.size).toBe(model.arenaBytes);
    }
    expect(emitted.arenaBytes).toBe(emitted.models.reduce((sum, model) => sum + model.arenaBytes, 0));
    const expected = [3, 4].map((seed) => {
      const graph = network(seed);
      const size = (tensor: number | undefined): number =>
        (graph.tensors[tensor ?? -1]?.shape ?? []).reduce((product, dimension) => product * dimension, 1);
      return `${size(graph.inputs[0])} ${size(graph.outputs[0])} true`;
    });
    expect(run.stdout).toBe([...expected, "2 true", ""].join("\n"));
    expect(run.exitCode).toBe(0);
  });
  it.each(["host", "qemu_cortex_m4"])(
    "have the weights in RAM for which there is room on %s",
    async (board) => {
      const models = [3, 4].map((seed) => ({ name: `net${seed}`, graph: network(seed) }));
      const room = 600;
      const [plain, emitted] = [emitModels(models), emitModels(models, room)];
      const chosen = emitted.models.flatMap((model) => model.weightsInRam.symbols);
      const total = emitted.models.reduce((sum, model) => sum + model.weightsInRam.bytes, 0);
      expect(chosen.length).toBeGreaterThan(0);
      expect(total).toBeGreaterThan(room / 2);
      expect(total).toBeLessThanOrEqual(room);
      expect(plain.models.flatMap((model) => model.weightsInRam.symbols)).toEqual([]);
      const before = await link(board, plain, invokeAll);
      const { elf, run } = await link(board, emitted, invokeAll);
      const writable = (symbol: string): boolean => {
        const address = elf.symbols.find(({ name }) => name === symbol)?.address ?? -1;
        return elf.sections.some(
          (section) =>
            section.writable && address >= section.address && address < section.address + section.size,
        );
      };
      for (const symbol of chosen) expect(writable(symbol), symbol).toBe(true);
      const constants = emitted.models.flatMap(({ symbols }) =>
        symbols.filter((name) => /_(stream|filter)$/.test(name)),
      );
      expect(constants.filter(writable).toSorted()).toEqual(
        chosen.filter((name) => /_(stream|filter)$/.test(name)).toSorted(),
      );
      expect(run.stdout).toBe(before.run.stdout);
    },
  );
  it("compute the same with all weights in RAM, on host and Cortex-M4", async () => {
    const runs = [5, 6].map((seed) => {
      const graph = network(seed);
      return { model: { name: `net${seed}`, graph }, inputs: randomInputs(graph, 3, seed) };
    });
    const expected = runs.map(({ model, inputs }) =>
      runOnNode(model.graph, inputs).map((one) => one.outputs),
    );
    for (const name of ["host", "qemu_cortex_m4"]) {
      const board = { ...findBoard(name), models: { weightsInRam: 2 ** 20 } };
      const results = await runOnBoard(board, runs, { warningsAreErrors: true });
      expect(results.map((own) => own.map((one) => one.outputs))).toEqual(expected);
    }
  });
  it("may be none", async () => {
    const { run } = await link("host", emitModels([]), invokeAll);
    expect(run.stdout).toBe("0 true\n");
  });
});
