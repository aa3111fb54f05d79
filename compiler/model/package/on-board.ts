/** Runs and measures packages on a board: the firmware is built without the models, which are data that it checks first. */
import type { Board } from "../../board/board.js";
import { memoryReport } from "../../board/memory-report.js";
import { packagePath } from "../../board/package-root.js";
import { runExecutable } from "../../board/run.js";
import { constantArray } from "../emit-c/constants.js";
import { emitModels } from "../emit-c/emit.js";
import {
  buildModelProgram,
  inTemporaryFolder,
  successfulOutput,
  type BoardRunOptions,
} from "../execute/on-board.js";
import type { InferenceInput } from "../execute/inference.js";
import type { Verdict } from "./check.js";
import { At } from "./format.js";

const MAX_U32 = 2 ** 32 - 1;

const head = `#include <string.h>

#include "tmc/package.h"
#include "tmc/port.h"

static void write_text(const char *text) {
    tmc_port_log_write((const uint8_t *)text, strlen(text));
}

static void write_number(int32_t number) {
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    tmc_port_log_write(text, (size_t)tmc_format_i32(text, number));
    write_text(" ");
}

static void write_bytes(const int8_t *data, int32_t size) {
    static const uint8_t digits[16] = "0123456789abcdef";
    for (int32_t i = 0; i < size; i++) {
        const uint8_t byte = (uint8_t)data[i];
        const uint8_t pair[2] = {digits[byte >> 4], digits[byte & 15U]};
        tmc_port_log_write(pair, 2U);
    }
    write_text("\\n");
}
`;

/** The package as words: aligned, and readable as words and as bytes. */
function packageArray(symbol: string, bytes: Uint8Array): string {
  return constantArray(symbol, "uint32_t", new Uint32Array(bytes.slice().buffer));
}

function arenaBytes(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4 * At.arena, true);
}

/** One package and the inputs to run through it. */
export interface PackageRun {
  readonly bytes: Uint8Array;
  readonly inputs: readonly InferenceInput[];
}

export interface PackageResult {
  readonly verdict: Verdict;
  readonly selfTest: boolean;
  /** By input; empty when it was not accepted. */
  readonly outputs: readonly (readonly Int8Array[])[];
}

/** Checks each package, tests it and runs its inputs, all in one program. @throws UserError TMC40xx, TMC3035. */
export async function runPackagesOnBoard(
  board: Board,
  runs: readonly PackageRun[],
  options: BoardRunOptions = {},
): Promise<PackageResult[]> {
  const ram = Math.max(...runs.map(({ bytes }) => arenaBytes(bytes)));
  const arrays = runs.flatMap(({ bytes, inputs }, p) => [
    packageArray(`package${p}`, bytes),
    ...inputs.map((input, k) =>
      constantArray(`input${p}_${k}`, "int8_t", Int8Array.from(input.flatMap((data) => [...data]))),
    ),
  ]);
  const calls = runs.flatMap(({ inputs }, p) => [
    `    if (accept(package${p}, sizeof package${p})) {`,
    ...inputs.map((_, k) => `        run(package${p}, input${p}_${k});`),
    "    }",
  ]);
  const program = `${head}
static uint32_t arena[${Math.ceil(ram / 4)}];

static bool accept(const void *package, uint32_t size) {
    const tmc_package_slot slot = {.flash = ${MAX_U32}U, .ram = sizeof arena};
    const tmc_package_verdict verdict = tmc_package_check(package, size, &slot);
    write_text("package ");
    write_number((int32_t)verdict.reason);
    write_number(verdict.step);
    const bool accepted = verdict.reason == TMC_PACKAGE_OK;
    write_number(accepted && tmc_package_self_test(package, (int8_t *)arena) ? 1 : 0);
    write_text("\\n");
    return accepted;
}

static void run(const void *package, const int8_t *input) {
    const int32_t inputs = tmc_package_input_count(package);
    for (int32_t i = 0; i < inputs; i++) {
        const tmc_package_tensor tensor = tmc_package_tensor_at(package, (int8_t *)arena, i);
        memcpy(tensor.data, input, (size_t)tensor.size);
        input += tensor.size;
    }
    tmc_package_run(package, (int8_t *)arena);
    write_text("case\\n");
    for (int32_t i = 0; i < tmc_package_output_count(package); i++) {
        const tmc_package_tensor tensor = tmc_package_tensor_at(package, (int8_t *)arena, inputs + i);
        write_text("output ");
        write_bytes(tensor.data, tensor.size);
    }
}

${arrays.join("\n\n")}

void tmc_program_main(void) {
${calls.join("\n")}
}
`;
  return inTemporaryFolder(async (folder) => {
    const { elf } = await buildModelProgram(board, emitModels([]), program, folder, {
      ...options,
      layers: false,
    });
    const cases = runs.reduce((sum, { inputs }) => sum + inputs.length, 0);
    const result = await runExecutable({ board, elf, timeoutMs: 120_000 + 20_000 * cases });
    return parseResults(successfulOutput(result, board.name));
  });
}

function parseResults(text: string): PackageResult[] {
  const results: { verdict: Verdict; selfTest: boolean; outputs: Int8Array[][] }[] = [];
  for (const line of text.split("\n")) {
    const [record = "", ...fields] = line.trimEnd().split(" ");
    const outputs = results.at(-1)?.outputs;
    if (record === "package") {
      const [reason = 0, step = 0, selfTest = 0] = fields.map(Number);
      results.push({ verdict: { reason, step }, selfTest: selfTest === 1, outputs: [] });
    } else if (record === "case") {
      outputs?.push([]);
    } else if (record === "output") {
      outputs?.at(-1)?.push(Int8Array.from(Buffer.from(fields[0] ?? "", "hex")));
    } else if (record !== "") {
      throw new Error(`unexpected line of a package program: ${line.slice(0, 80)}`);
    }
  }
  return results;
}

export interface PackageCost {
  readonly instructions: number;
  /** Instructions of the check, without the digest. */
  readonly admission: number;
  /** Bytes of the package. */
  readonly package: number;
  /** Bytes of firmware: kernels and dispatcher, with every kernel linked / with those that this package needs. */
  readonly allKernels: number;
  readonly ownKernels: number;
  readonly ram: number;
}

const TICKS_TO_INSTRUCTIONS = 5 / 8;

/** Counts one inference of the package and its check on the Cortex-M4 in QEMU. @throws UserError TMC40xx, TMC3035. */
export async function measurePackage(board: Board, bytes: Uint8Array): Promise<PackageCost> {
  const kernels = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4 * At.kernels, true);
  const program = `${head}#include "timers.h"

static uint32_t arena[${Math.ceil(arenaBytes(bytes) / 4)}];

${packageArray("package", bytes)}

void tmc_program_main(void) {
    const tmc_package_slot slot = {.flash = ${MAX_U32}U, .ram = sizeof arena};
    const uint64_t start = timers_elapsed_ticks();
    const tmc_package_verdict verdict = tmc_package_check(package, sizeof package, &slot);
    const uint64_t checked = timers_elapsed_ticks();
    tmc_package_run(package, (int8_t *)arena);
    const uint64_t end = timers_elapsed_ticks();
    write_text("ticks ");
    write_number(verdict.reason == TMC_PACKAGE_OK ? (int32_t)(end - checked) : 0);
    write_number((int32_t)(checked - start));
    write_text("\\n");
}
`;
  return inTemporaryFolder(async (folder) => {
    const build = async (name: string, libraryDefines: readonly string[]) => {
      const built = await buildModelProgram(board, emitModels([]), program, `${folder}/${name}`, {
        layers: false,
        includeDirs: [packagePath("runtime-c", "port", "cortex-m")],
        libraryDefines,
      });
      const report = await memoryReport({
        board,
        objects: built.objects,
        elf: built.elf,
        map: built.map,
        symbols: { version: 1, symbols: {}, indirectCalls: {} },
        entries: ["tmc_package_run"],
      });
      const libraries = report.items.filter(({ name: symbol }) => /^(memcpy|memset|memcmp)$/.test(symbol));
      const flash =
        (report.groups.find(({ group }) => group === "kernel")?.flash ?? 0) +
        libraries.reduce((sum, item) => sum + item.flash, 0);
      return { elf: built.elf, flash };
    };
    const all = await build("all", []);
    const own = await build("own", [`TMC_PACKAGE_KERNELS=${kernels}U`]);
    const result = await runExecutable({ board, elf: own.elf, count: true, timeoutMs: 600_000 });
    const [, run = "0", check = "0"] = /^ticks (\d+) (\d+)/m.exec(successfulOutput(result, board.name)) ?? [];
    return {
      instructions: Math.ceil(Number(run) * TICKS_TO_INSTRUCTIONS),
      admission: Math.ceil(Number(check) * TICKS_TO_INSTRUCTIONS),
      package: bytes.length,
      allKernels: all.flash,
      ownKernels: own.flash,
      ram: arenaBytes(bytes),
    };
  });
}
