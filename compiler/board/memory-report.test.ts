import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBoard, type Board } from "./board.js";
import { checkBudget, memoryReport, type MemoryReport } from "./memory-report.js";
import { formatMemoryReport } from "./memory-report-text.js";
import { runCommand } from "./run.js";
import { readSymbolMap, type SymbolMap } from "./symbol-map.js";
import { buildExecutable, compileObjects, linkForMeasure, type CompileOptions } from "./toolchain.js";

/** A program with one of everything: a table in flash, a buffer in RAM, initialised data, text, an indirect call. */
const program = `#include "tmc/tmc.h"
void tmc_program_main(void);
static int32_t app_readings[250];
static const int32_t app_table[64] = {1, 2, 3};
static int32_t app_total = 7;
const int8_t app_weights[1000] = {1};
static __attribute__((noinline)) int32_t app_crc(int32_t n) {
    volatile int32_t frame[64];
    for (int32_t i = 0; i < 64; i++) { frame[i] = app_table[i] + n + app_readings[i]; }
    return frame[3] + app_total++;
}
static int32_t (*volatile app_handler)(int32_t) = app_crc;
void tmc_program_main(void) {
    app_readings[app_crc(5) & 63] = 1;
    tmc_log_i32(app_handler(3));
    tmc_log_str(TMC_STR("some text of the program"));
    tmc_log_i32(app_weights[app_total & 511]);
    tmc_log_f64((double)app_total / 7.0);
    tmc_log_end();
}
`;

const symbols: SymbolMap = {
  version: 1,
  symbols: {
    app_crc: { kind: "function", tsName: "Crc.update", file: "crc.ts", line: 3 },
    app_readings: { kind: "object", tsName: "readings", file: "app.ts", line: 1 },
    app_table: { kind: "object", tsName: "table", file: "crc.ts", line: 1 },
    app_weights: { kind: "model", tsName: "vibration", file: "vibration.tflite", line: 0 },
  },
  indirectCalls: { tmc_program_main: ["app_crc"] },
};

const qemu = findBoard("qemu_cortex_m4");
let folder = "";
let serial = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-memory-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function compileOptions(board: Board, text: string): CompileOptions {
  const outDir = join(folder, `out-${serial++}`);
  const source = `${outDir}.c`;
  writeFileSync(source, text);
  return { board, sources: [source], outDir, cacheDir: join(folder, "cache") };
}

async function report(
  board: Board,
  text = program,
  map: SymbolMap = symbols,
): Promise<MemoryReport & { elf: string }> {
  const build = await buildExecutable({ ...compileOptions(board, text), name: "program", port: "program" });
  return { ...(await memoryReport({ board, ...build, symbols: map })), elf: build.elf };
}

describe("memory report of a linked image", () => {
  it("has the totals of the image", async () => {
    const { elf, flash, ram } = await report(qemu);
    const [text, data, bss] = (
      execFileSync("arm-none-eabi-size", [elf], { encoding: "utf8" }).split("\n")[1] ?? ""
    )
      .trim()
      .split(/\s+/)
      .map(Number);
    expect(flash.used).toBe((text ?? 0) + (data ?? 0));
    expect(ram.used).toBe((data ?? 0) + (bss ?? 0));
  });

  it("attributes bytes to functions, objects and models of the program", async () => {
    const { items, groups } = await report(qemu);
    const item = (name: string) => items.find((one) => one.name === name);
    expect(item("readings")).toMatchObject({
      group: "generated",
      kind: "object",
      place: "app.ts:1",
      flash: 0,
      ram: 1000,
    });
    expect(item("table")).toMatchObject({ flash: 256, ram: 0 });
    expect(item("app_total")).toMatchObject({ flash: 4, ram: 4, kind: "unknown" });
    expect(item("vibration")).toMatchObject({ group: "model", flash: 1000, ram: 0 });
    expect(item("Crc.update")).toMatchObject({ kind: "function", place: "crc.ts:3" });
    expect(item("Crc.update")?.flash).toBeGreaterThan(30);
    expect(
      items.find((one) => one.name === "(string literals)" && one.group === "generated")?.flash,
    ).toBeGreaterThan(20);
    expect(groups.map((group) => group.group)).toEqual(
      expect.arrayContaining(["stack", "port", "libc", "runtime", "generated", "model"]),
    );
  });

  it("bounds the stack, and a run stays within the bound", async () => {
    const { elf, stacks } = await report(qemu);
    const whole = stacks.find((stack) => stack.entry === "tmc_start");
    expect(whole?.gaps).toEqual([]);
    const { command, args } = runCommand({ board: qemu, elf });
    const measuring = args.map((arg) => arg.replace("arg=program", "arg=program,arg=--stack"));
    const { stderr } = spawnSync(command, measuring, { encoding: "utf8" });
    const used = Number(/tmc-stack used=(\d+)/.exec(stderr)?.[1]);
    expect(used).toBeGreaterThan(500);
    expect(used).toBeLessThanOrEqual(whole?.bytes ?? 0);
  });

  it("says what it does not know instead of guessing", async () => {
    const { stacks } = await report(qemu, program, { ...symbols, indirectCalls: {} });
    expect(stacks.find((stack) => stack.entry === "tmc_program_main")?.gaps).toEqual([
      "tmc_program_main: indirect call, targets unknown",
    ]);
  });

  it("counts the deepest path, indirect calls included", async () => {
    const deep = program.replace("frame[64]", "frame[1000]");
    const { stacks } = await report(qemu, deep);
    const main = stacks.find((stack) => stack.entry === "tmc_program_main");
    expect(main?.path.map((step) => step.name)).toEqual(["tmc_program_main", "app_crc"]);
    expect(main?.bytes).toBeGreaterThan(4000);
    expect(main?.bytes).toBeLessThan(4200);
  });

  it("refuses recursion", async () => {
    const circle = `#include "tmc/tmc.h"
void tmc_program_main(void);
int32_t ping(int32_t n);
int32_t pong(int32_t n);
__attribute__((noinline)) int32_t ping(int32_t n) { volatile int32_t k = n; return k > 0 ? pong(k - 1) + k : 0; }
__attribute__((noinline)) int32_t pong(int32_t n) { volatile int32_t k = n; return k > 0 ? ping(k - 1) + k : 1; }
void tmc_program_main(void) { tmc_log_i32(ping(3)); }`;
    await expect(report(qemu, circle)).rejects.toMatchObject({
      code: "TMC4013",
      message: expect.stringMatching(/ping → pong → ping|pong → ping → pong/),
    });
  });

  it("works for the host too", async () => {
    const { items, flash } = await report(findBoard("host"));
    expect(items.find((one) => one.name === "readings")?.ram).toBe(1000);
    expect(flash.used).toBeGreaterThan(3000);
  });
});

describe("budgets", () => {
  it("are kept by a small program", async () => {
    const result = await report(qemu);
    expect(() => checkBudget(result)).not.toThrow();
    expect(result.flash.percent).toBeLessThan(2);
  });

  it.each([
    ["flash", { flash: 4000 }, /flash: \d+ bytes of 4000 .*largest: .*vibration 1000 \(vibration\.tflite\)/],
    ["ram", { ram: 1000 }, /RAM: \d+ bytes of 1000 .*largest: .*readings 1000 \(app\.ts:1\)/],
    ["stack", { stack: 400 }, /stack: \d+ bytes of 400 .*largest: shortest_digits \d+/],
  ])("exceeded: %s names the largest contributors", async (_, budget, message) => {
    const result = await report({ ...qemu, budget: { ...qemu.budget, ...budget } });
    expect(() => checkBudget(result)).toThrow(
      expect.objectContaining({ code: "TMC4010", exitCode: 1, message: expect.stringMatching(message) }),
    );
  });
});

describe("over the stack's budget", () => {
  it("names the deepest path with the places of its functions", async () => {
    const deep = program.replace("frame[64]", "frame[1000]");
    const result = await report({ ...qemu, budget: { ...qemu.budget, stack: 4096 } }, deep);
    expect(() => checkBudget(result)).toThrow(
      expect.objectContaining({
        code: "TMC4010",
        message: expect.stringMatching(
          /largest: Crc\.update 4\d\d\d \(crc\.ts:3\), .*; deepest path: .*tmc_program_main \d+ → Crc\.update 4\d\d\d \(crc\.ts:3\)$/m,
        ),
      }),
    );
  });

  it("counts what an interrupt puts on the stack of a thread", async () => {
    const plain = await report(qemu);
    const result = await report({ ...qemu, cpu: { ...qemu.cpu, interruptFrame: 108 } });
    expect(result.stack.used).toBe(plain.stack.used + 108);
    expect(result.stacks[0]?.path.at(-1)).toEqual({ name: "(interrupt)", frame: 108 });
  });
});

describe("files that are no image of ours", () => {
  it("are refused, not guessed at", async () => {
    const { objects, map } = await buildExecutable({
      ...compileOptions(qemu, program),
      name: "program",
      port: "program",
    });
    const text = join(folder, "text.elf");
    writeFileSync(text, "not an ELF file, but long enough to have a header of an ELF file in it");
    await expect(memoryReport({ board: qemu, objects, elf: text, map })).rejects.toThrow(
      "is not a little-endian ELF file",
    );
    const gone = { elf: join(folder, "gone.elf"), map };
    await expect(memoryReport({ board: qemu, objects, ...gone })).rejects.toThrow("ENOENT");
  });

  it("of another machine have no stack of ours", async () => {
    const host = await buildExecutable({
      ...compileOptions(findBoard("host"), program),
      name: "program",
      port: "program",
    });
    const result = await memoryReport({ board: qemu, objects: [], elf: host.elf, map: host.map });
    expect(result.stacks.every((stack) => stack.gaps.length > 0)).toBe(true);
  });
});

describe("memory report without an image", () => {
  it("measures the objects and adds what the platform takes", async () => {
    const board = findBoard("b_l4s5i_iot01a");
    const options = compileOptions(board, program);
    const { objects } = await compileObjects(options);
    const linked = await linkForMeasure(options, objects, ["tmc_program_main"]);
    const result = await memoryReport({ board, objects, ...linked, basis: "objects", symbols });
    expect(result.basis).toBe("objects");
    expect(result.groups.find((group) => group.group === "platform")).toMatchObject(board.platform ?? {});
    expect(result.items.find((item) => item.name === "vibration")?.flash).toBe(1000);
    expect(result.items.some((item) => item.name === "tmc_f64_rem")).toBe(false); // not reached: not counted
    expect(result.stacks.find((stack) => stack.entry === "tmc_program_main")?.gaps).toEqual([
      "tmc_port_log_write: not measured",
    ]);
  });

  it("does with bare objects", async () => {
    const board = findBoard("native_sim");
    const { objects } = await compileObjects(compileOptions(board, program));
    const result = await memoryReport({ board, objects, symbols });
    expect(result.items.find((item) => item.name === "readings")?.ram).toBe(1000);
  });
});

describe("the printed report", () => {
  it("shows budgets, groups, the largest and the stack in the user's names", async () => {
    const text = formatMemoryReport(await report(qemu), { symbols });
    expect(text).toMatch(
      /^Memory of qemu_cortex_m4, from the linked image\nflash +[\d,]+ of +2,097,152 bytes +0\.\d %/,
    );
    expect(text).toMatch(/1,000 +0 {2}vibration \(vibration\.tflite\)/);
    expect(text).toMatch(/0 +1,000 {2}readings \(app\.ts:1\)/);
    expect(text).toMatch(/tmc_program_main: [\d,]+ bytes: /);
  });
});

describe("symbols.json", () => {
  it("is checked", () => {
    const file = join(folder, "symbols.json");
    writeFileSync(file, JSON.stringify({ version: 1, symbols: { f: { kind: "thing" } } }));
    expect(() => readSymbolMap(file)).toThrow(expect.objectContaining({ code: "TMC4091", exitCode: 70 }));
    writeFileSync(file, JSON.stringify(symbols));
    expect(readSymbolMap(file)).toEqual(symbols);
  });
});
