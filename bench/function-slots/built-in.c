/*
 * The entry of runtime-c/port/function in a program that has a port of its own: only what calls the function.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/function.h"
#include "tmc/port.h"

tmc_trap_kind tmc_function_call(tmc_arr_u8 input, tmc_arr_u8 output, int32_t *result);
int32_t tmc_image_entry(tmc_function_frame *frame);

int32_t tmc_image_entry(tmc_function_frame *frame) {
    const tmc_arr_u8 input = {(uint8_t *)(uintptr_t)frame->input, frame->input_bytes};
    const tmc_arr_u8 output = {frame->output, frame->output_bytes};
    int32_t bytes = 0;
    frame->kind = (int32_t)tmc_function_call(input, output, &bytes);
    return bytes;
}
