/**
 * Calls function images on the bare-metal Cortex-M4 in QEMU: the firmware is the loader of nodes and nothing else, images
 * are data that it checks first. Each call runs from another place in memory than the one before.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBoard } from "../board/board.js";
import { packagePath } from "../board/package-root.js";
import { runExecutable } from "../board/run.js";
import { buildExecutable } from "../board/toolchain.js";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import { constantArray } from "../model/emit-c/constants.js";

export interface ImageRun {
  /** A `.tmci` file. */
  readonly image: Uint8Array;
  readonly inputs: readonly Uint8Array[];
}

export interface ImageCall {
  /** 0, or the tmc_trap_kind that ended it. */
  readonly kind: number;
  readonly site: number;
  readonly text: string;
  readonly output: Uint8Array;
  /** Executed instructions, where they are counted. */
  readonly instructions: number | undefined;
}

export interface ImageResult {
  /** tmc_function_reason: 0 = accepted. */
  readonly reason: number;
  readonly selfTest: boolean;
  /** Executed instructions of the check, where they are counted. */
  readonly instructions: number | undefined;
  /** By input; empty when it was not accepted. */
  readonly calls: readonly ImageCall[];
  /** What it logged, all calls together. */
  readonly log: string;
}

export interface OnBoardOptions {
  /** Count instructions; slower. */
  readonly count?: boolean;
  readonly cacheDir?: string;
  readonly warningsAreErrors?: boolean;
  /** Default 60,000. */
  readonly timeoutMs?: number;
}

const head = `#include <string.h>

#include "timers.h"
#include "tmc/function.h"
#include "tmc/port.h"

enum { ROOM = 65536, RAM = 65536, DATA = 65536 };

static uint64_t slots[2][ROOM / 8];
static uint64_t ram[RAM / 8];
static uint8_t output[DATA];
static const void *image;
static uint32_t size;
static const uint8_t *input;
static int32_t input_bytes;
static tmc_function_reason reason;
static tmc_function_result result;
static uint32_t turn;

static const tmc_function_limits limits = {
    .machine = TMC_FUNCTION_CORTEX_M4F, .flash = ROOM, .ram = RAM, .stack = 8192, .input = DATA, .output = DATA};

static void write_text(const char *text) {
    tmc_port_log_write((const uint8_t *)text, strlen(text));
}

static void write_number(int32_t number) {
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    write_text(" ");
    tmc_port_log_write(text, (size_t)tmc_format_i32(text, number));
}

static void write_bytes(const uint8_t *data, int32_t count) {
    static const uint8_t digits[16] = "0123456789abcdef";
    write_text(" .");
    for (int32_t i = 0; i < count; i++) {
        const uint8_t pair[2] = {digits[data[i] >> 4], digits[data[i] & 15U]};
        tmc_port_log_write(pair, 2U);
    }
}

static void log_bytes(const uint8_t *bytes, uint32_t count) {
    write_text("\\nlog");
    write_bytes(bytes, (int32_t)count);
    write_text("\\n");
}

static tmc_function_place place(void) {
    return (tmc_function_place){.image = image, .ram = ram, .stack = 8192, .log = log_bytes};
}

static void nothing(void) {
}

static void check(void) {
    reason = tmc_function_check(image, size, &limits);
}

static void call(void) {
    const tmc_function_place here = place();
    tmc_function_run(&here, input, input_bytes, output, DATA, &result);
}

int32_t tmc_port_stack_left(void) {
    return 8192;
}

static int32_t counted(void (*body)(void)) {
    if (!COUNT) {
        body();
        return -1;
    }
    const int64_t none = timers_count_instructions(nothing);
    return (int32_t)(timers_count_instructions(body) - none);
}

/* The next place in memory. */
static void move_to(const uint32_t *bytes) {
    turn++;
    image = (const uint8_t *)slots[turn % 2U] + (turn / 2U % 4U) * 8U;
    memcpy((void *)(uintptr_t)image, bytes, size);
}

static bool accept(const uint32_t *bytes, uint32_t count) {
    size = count;
    move_to(bytes);
    const int32_t instructions = counted(check);
    tmc_function_place here = place();
    here.log = NULL;
    const bool tested = reason == TMC_FUNCTION_OK &&
                        tmc_function_self_test(&here, output, DATA, &result) == TMC_FUNCTION_OK;
    write_text("\\nimage");
    write_number((int32_t)reason);
    write_number(tested ? 1 : 0);
    write_number(instructions);
    write_text("\\n");
    return reason == TMC_FUNCTION_OK;
}

static void invoke(const uint32_t *bytes, const uint8_t *from, int32_t count) {
    move_to(bytes);
    input = from;
    input_bytes = count;
    const int32_t instructions = counted(call);
    write_text("\\ncall");
    write_number(result.kind);
    write_number(result.site);
    write_number(instructions);
    write_bytes(result.text, result.text_bytes);
    write_bytes(output, result.bytes);
    write_text("\\n");
}
`;

function programOf(runs: readonly ImageRun[], count: boolean): string {
  const arrays: string[] = [];
  const calls: string[] = [];
  runs.forEach(({ image, inputs }, r) => {
    const padded = new Uint8Array(Math.ceil(image.length / 4) * 4);
    padded.set(image);
    arrays.push(constantArray(`image${r}`, "uint32_t", new Uint32Array(padded.buffer)));
    calls.push(`    if (accept(image${r}, ${image.length}U)) {`);
    inputs.forEach((bytes, i) => {
      arrays.push(
        constantArray(`input${r}_${i}`, "int8_t", Int8Array.from(bytes.length === 0 ? [0] : bytes)),
      );
      calls.push(`        invoke(image${r}, (const uint8_t *)input${r}_${i}, ${bytes.length});`);
    });
    calls.push("    }");
  });
  return `${head.replace("if (!COUNT)", count ? "if (false)" : "if (true)")}\n${arrays.join("\n\n")}\n\nvoid tmc_program_main(void) {\n${calls.join("\n")}\n}\n`;
}

/** @throws UserError TMC40xx (tools, memory), TMC6308 (the program crashed, or did not end). */
export async function callImages(
  runs: readonly ImageRun[],
  options: OnBoardOptions = {},
): Promise<ImageResult[]> {
  const board = findBoard("qemu_cortex_m4");
  const folder = mkdtempSync(join(tmpdir(), "tmc-images-"));
  try {
    const sources = join(folder, "src");
    mkdirSync(sources);
    writeFileSync(join(sources, "program.c"), programOf(runs, options.count === true));
    const { elf } = await buildExecutable({
      board,
      sources: [join(sources, "program.c")],
      functions: true,
      includeDirs: [packagePath("runtime-c", "port", "cortex-m")],
      outDir: folder,
      name: "images",
      port: "program",
      warningsAreErrors: options.warningsAreErrors ?? false,
      ...(options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }),
    });
    const run = await runExecutable({
      board,
      elf,
      count: options.count === true,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    });
    if (run.exitCode !== 0 || run.fault !== undefined) {
      throw new UserError(
        "TMC6308",
        `the image crashed the emulated processor: ${run.fault ?? `exit code ${run.exitCode}`}`,
        "was it made by this version of tmc?",
        ExitCode.trap,
      );
    }
    return parse(run.stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const bytesOf = (hex = "."): Buffer => Buffer.from(hex.slice(1), "hex");
const countOf = (text = "-1"): number | undefined => (Number(text) < 0 ? undefined : Number(text));

interface Mutable extends Omit<ImageResult, "calls"> {
  readonly calls: ImageCall[];
  log: string;
}

function parse(stdout: string): ImageResult[] {
  const results: Mutable[] = [];
  for (const line of stdout.split("\n")) {
    const [what, ...words] = line.split(" ");
    const current = results.at(-1);
    if (what === "image") {
      results.push({
        reason: Number(words[0]),
        selfTest: words[1] === "1",
        instructions: countOf(words[2]),
        calls: [],
        log: "",
      });
    } else if (what === "call") {
      current?.calls.push({
        kind: Number(words[0]),
        site: Number(words[1]),
        instructions: countOf(words[2]),
        text: bytesOf(words[3]).toString("latin1"),
        output: new Uint8Array(bytesOf(words[4])),
      });
    } else if (what === "log" && current !== undefined) {
      current.log += bytesOf(words[0]).toString("latin1");
    }
  }
  return results;
}
