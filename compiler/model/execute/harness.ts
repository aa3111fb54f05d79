/**
 * The C program that runs models on a target: inputs are constant arrays, results go out through the port's log.
 * It uses only the port API, so that it runs wherever `tmc exec` programs run. `parseHarness` reads what it prints.
 */
import { constantArray } from "../emit-c/constants.js";
import type { Inference, InferenceInput, LayerOutput } from "./inference.js";

/** One inference of the program: which model, with what. */
export interface HarnessCase {
  /** Number of the model in the list that was emitted. */
  readonly model: number;
  readonly inputs: InferenceInput;
  /** How many outputs the model has. */
  readonly outputCount: number;
}

const common = `
static void write_text(const char *text) {
    size_t size = 0U;
    while (text[size] != '\\0') {
        size++;
    }
    tmc_port_log_write((const uint8_t *)text, size);
}

static void write_number(int32_t number) {
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    tmc_port_log_write(text, (size_t)tmc_format_i32(text, number));
    write_text(" ");
}
`;

const dump = `
static void write_bytes(const int8_t *data, int32_t size) {
    static const uint8_t digits[16] = "0123456789abcdef";
    for (int32_t i = 0; i < size; i++) {
        const uint8_t byte = (uint8_t)data[i];
        const uint8_t pair[2] = {digits[byte >> 4], digits[byte & 15U]};
        tmc_port_log_write(pair, 2U);
    }
    write_text("\\n");
}

void tmc_model_layer(int32_t model, int32_t operator_index, int32_t tensor, const int8_t *data, int32_t size) {
    (void)model;
    write_text("layer ");
    write_number(operator_index);
    write_number(tensor);
    write_bytes(data, size);
}

static void run(int32_t model, const int8_t *const *inputs, int32_t input_count, int32_t output_count) {
    write_text("case\\n");
    for (int32_t i = 0; i < input_count; i++) {
        const tmc_arr_i8 input = tmc_model_input(model, i);
        memcpy(input.ptr, inputs[i], (size_t)input.len);
    }
    tmc_model_invoke(model);
    for (int32_t i = 0; i < output_count; i++) {
        const tmc_arr_i8 output = tmc_model_output(model, i);
        write_text("output ");
        write_bytes(output.ptr, output.len);
    }
}
`;

const head = `#include <string.h>

#include "tmc/kernels.h"
#include "tmc/port.h"
`;

/** A program that runs the cases in order and prints every layer and output. Compile with TMC_MODEL_LAYERS. */
export function harnessProgram(cases: readonly HarnessCase[]): string {
  const calls = cases.map(
    ({ model, inputs, outputCount }, c) =>
      `    run(${model}, (const int8_t *const[]){${inputs.map((_, i) => `case${c}_input${i}`).join(", ")}}, ${inputs.length}, ${outputCount});`,
  );
  return [
    head,
    common,
    dump,
    ...cases.flatMap(({ inputs }, c) =>
      inputs.map((data, i) => constantArray(`case${c}_input${i}`, "int8_t", data)),
    ),
    `void tmc_program_main(void) {\n${calls.join("\n")}\n}\n`,
  ].join("\n");
}

/** The results of `harnessProgram`, one per case. Throws when the text is not what it prints. */
export function parseHarness(text: string): Inference[] {
  const results: { outputs: Int8Array[]; layers: LayerOutput[] }[] = [];
  for (const line of text.split("\n")) {
    const [record = "", ...fields] = line.split(" ");
    const current = results.at(-1);
    if (record === "case") {
      results.push({ outputs: [], layers: [] });
    } else if (record === "layer" && current !== undefined) {
      const [operator = "", tensor = "", hex = ""] = fields;
      current.layers.push({ operator: Number(operator), tensor: Number(tensor), data: bytesOf(hex) });
    } else if (record === "output" && current !== undefined) {
      current.outputs.push(bytesOf(fields[0] ?? ""));
    } else if (line !== "") {
      throw new Error(`unexpected line of a model program: ${line.slice(0, 80)}`);
    }
  }
  return results;
}

function bytesOf(hex: string): Int8Array {
  const bytes = Buffer.from(hex, "hex");
  return new Int8Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/**
 * A program for bare-metal Cortex-M boards that times one inference of model 0 with zero input, by the port's timer
 * (25 MHz; under `-icount shift=6` an instruction is 1.6 ticks). Run it with --count. Prints `ticks N` for the whole; with
 * TMC_MODEL_LAYERS instead `layer OP TICKS` each. What is counted lies between hints, layer by layer in that build.
 */
export function benchProgram(inputCount: number): string {
  return `${head}#include "timers.h"
${common}
/* Hints that do nothing: a QEMU plugin counts between them (bench/m4cyc). */
#define START_COUNTING __asm__ volatile(".inst.w 0xf3af8051" ::: "memory")
#define STOP_COUNTING __asm__ volatile(".inst.w 0xf3af8052" ::: "memory")

#ifdef TMC_MODEL_LAYERS
static uint64_t last;
static uint32_t ticks[4096];
static int32_t operators[4096];
static int32_t count;

void tmc_model_layer(int32_t model, int32_t operator_index, int32_t tensor, const int8_t *data, int32_t size) {
    STOP_COUNTING;
    const uint64_t now = timers_elapsed_ticks();
    (void)model;
    (void)tensor;
    (void)data;
    (void)size;
    ticks[count] = (uint32_t)(now - last);
    operators[count] = operator_index;
    count++;
    last = timers_elapsed_ticks();
    START_COUNTING;
}
#endif

static uint32_t elapsed(void (*body)(void)) {
    const uint64_t start = timers_elapsed_ticks();
    body();
    return (uint32_t)(timers_elapsed_ticks() - start);
}

static void nothing(void) {
}

static void invoke(void) {
    START_COUNTING;
    tmc_model_invoke(0);
    STOP_COUNTING;
}

void tmc_program_main(void) {
    for (int32_t i = 0; i < ${inputCount}; i++) {
        const tmc_arr_i8 input = tmc_model_input(0, i);
        memset(input.ptr, 0, (size_t)input.len);
    }
#ifdef TMC_MODEL_LAYERS
    (void)elapsed(nothing);
    last = timers_elapsed_ticks();
    invoke();
    for (int32_t i = 0; i < count; i++) {
        write_text("layer ");
        write_number(operators[i]);
        write_number((int32_t)ticks[i]);
        write_text("\\n");
    }
#else
    const uint32_t overhead = elapsed(nothing);
    write_text("ticks ");
    write_number((int32_t)(elapsed(invoke) - overhead));
    write_text("\\n");
#endif
}
`;
}
