/*
 * Function images as the app's code calls them (firmware/std/function-image.ts): bytes of a slot, RAM and
 * output come in as arrays of the app. The machine is the one that this file was compiled for; where images
 * do not run, none is accepted.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/function_calls.h"

#include "tmc/function.h"
#include "tmc/port.h"

#if defined(__ARM_ARCH_7EM__) && defined(__ARM_PCS_VFP)
#define MACHINE TMC_FUNCTION_CORTEX_M4F
#elif defined(__ARM_ARCH_7M__) && !defined(__ARM_PCS_VFP)
#define MACHINE TMC_FUNCTION_CORTEX_M3
#else
#define MACHINE 0
#endif

/* What an import may take of the stack beside what the image says: log, down to the console. */
enum { IMPORT_STACK = 256 };

/* Of the last call. */
static tmc_function_result last;

static uint32_t positive(int32_t value) {
    return value > 0 ? (uint32_t)value : 0U;
}

/* The app's arrays have 4 bytes for a word of the header at least where flash is mapped. */
static bool aligned(const uint8_t *bytes) {
    return (uintptr_t)bytes % 4U == 0U;
}

static tmc_function_limits limits_of(int32_t flash, int32_t ram, int32_t stack, int32_t output) {
    return (tmc_function_limits){.machine = MACHINE,
                                 .flash = positive(flash),
                                 .ram = positive(ram),
                                 .stack = positive(stack),
                                 .input = INT32_MAX,
                                 .output = positive(output)};
}

int32_t tmc_function_call_plan(tmc_arr_u8 header, int32_t flash, int32_t ram, int32_t stack, int32_t output) {
    uint32_t words[TMC_FUNCTION_HEADER_BYTES / 4]; /* what comes by message lies anywhere */
    if (header.len < TMC_FUNCTION_HEADER_BYTES) {
        return (int32_t)TMC_FUNCTION_NOT_AN_IMAGE;
    }
    for (uint32_t i = 0; i < TMC_FUNCTION_HEADER_BYTES / 4U; i++) {
        const uint8_t *const b = header.ptr + 4U * i;
        words[i] = b[0] | (uint32_t)b[1] << 8U | (uint32_t)b[2] << 16U | (uint32_t)b[3] << 24U;
    }
    const tmc_function_limits limits = limits_of(flash, ram, stack, output);
    return (int32_t)tmc_function_plan(words, &limits);
}

int32_t tmc_function_call_check(tmc_arr_u8 image, int32_t ram, int32_t stack, int32_t output) {
    const tmc_function_limits limits = limits_of(image.len, ram, stack, output);
    return aligned(image.ptr) ? (int32_t)tmc_function_check(image.ptr, positive(image.len), &limits)
                              : (int32_t)TMC_FUNCTION_BAD_HEADER;
}

static tmc_function_place place_of(tmc_arr_u8 image, tmc_arr_f64 ram, tmc_function_log log) {
    const int32_t left = tmc_port_stack_left();
    return (tmc_function_place){
        .image = image.ptr, .ram = ram.ptr, .stack = positive(left - IMPORT_STACK), .log = log};
}

/* Words that the check needs again: an app that gives other memory than it had checked is refused. */
static bool fits(tmc_arr_u8 image, tmc_arr_f64 ram) {
    return image.len >= TMC_FUNCTION_HEADER_BYTES &&
           tmc_function_word(image.ptr, TMC_FUNCTION_AT_RAM_BYTES) / sizeof(double) <= positive(ram.len);
}

static void log_bytes(const uint8_t *bytes, uint32_t size) {
    tmc_port_log_write(bytes, size);
}

int32_t tmc_function_call_run(tmc_arr_u8 image, tmc_arr_f64 ram, tmc_arr_u8 input, tmc_arr_u8 output) {
    if (!fits(image, ram)) {
        last = (tmc_function_result){.kind = TMC_TRAP_CAPACITY};
        return -(int32_t)TMC_TRAP_CAPACITY;
    }
    const tmc_function_place place = place_of(image, ram, log_bytes);
    tmc_function_run(&place, input.ptr, input.len, output.ptr, output.len, &last);
    return last.kind != 0 ? -last.kind : last.bytes;
}

bool tmc_function_call_self_test(tmc_arr_u8 image, tmc_arr_f64 ram, tmc_arr_u8 output) {
    const tmc_function_place place = place_of(image, ram, NULL);
    return fits(image, ram) &&
           tmc_function_self_test(&place, output.ptr, output.len, &last) == TMC_FUNCTION_OK;
}

int32_t tmc_function_call_site(void) {
    return last.site;
}

tmc_str tmc_function_call_text(void) {
    return last.text == NULL ? TMC_STR("") : (tmc_str){last.text, last.text_bytes};
}
