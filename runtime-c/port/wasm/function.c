/*
 * The port of function bundles: the exports and imports of ABI 1 (docs/functions.md). The host writes the
 * input to `tmc_input`, calls `tmc_run`, reads the output from `tmc_output`. A trap ends the call by the
 * import `trap`, which does not return.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/port.h"

#define IMPORT(name) __attribute__((import_module("tmc"), import_name(name)))

IMPORT("trap") _Noreturn void tmc_host_trap(int32_t kind, int32_t site, const uint8_t *text, int32_t length);
IMPORT("log") void tmc_host_log(const uint8_t *bytes, size_t size);

tmc_trap_kind tmc_function_call(tmc_arr_u8 input, tmc_arr_u8 output, int32_t *result);
int32_t tmc_run(int32_t bytes);

uint64_t tmc_input[(TMC_FUNCTION_INPUT + 7) / 8];
uint64_t tmc_output[(TMC_FUNCTION_OUTPUT + 7) / 8];

void tmc_port_log_write(const uint8_t *bytes, size_t size) {
    tmc_host_log(bytes, size);
}

_Noreturn void tmc_port_fatal(const tmc_trap_info *info) {
    tmc_host_trap((int32_t)info->kind, info->site, info->message.ptr, info->message.len);
}

int32_t tmc_run(int32_t bytes) {
    const tmc_arr_u8 input = {(uint8_t *)tmc_input, bytes};
    const tmc_arr_u8 output = {(uint8_t *)tmc_output, TMC_FUNCTION_OUTPUT};
    int32_t result = 0;
    const tmc_trap_kind kind = tmc_function_call(input, output, &result);
    if (kind != TMC_TRAP_NONE) {
        tmc_host_trap((int32_t)kind, 0, NULL, 0);
    }
    return result;
}
