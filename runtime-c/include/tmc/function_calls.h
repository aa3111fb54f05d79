/*
 * Function images as generated code calls them (firmware/std/function-image.ts): tmc/function.h with arrays
 * of the language. RAM is of doubles, so that it begins at a multiple of 8.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_FUNCTION_CALLS_H
#define TMC_FUNCTION_CALLS_H

#include "tmc/tmc.h"

/* A tmc_function_reason. `header`: the first bytes of an image, at least 160. The rest: bytes that there are.
 */
int32_t tmc_function_call_plan(tmc_arr_u8 header, int32_t flash, int32_t ram, int32_t stack, int32_t output);
/* The same, of all of it; the slot has checked digest and signature. */
int32_t tmc_function_call_check(tmc_arr_u8 image, int32_t ram, int32_t stack, int32_t output);
/* For images that were accepted, with RAM and output as large as was said then. Gives the bytes of the
 * output, or minus a tmc_trap_kind. */
int32_t tmc_function_call_run(tmc_arr_u8 image, tmc_arr_f64 ram, tmc_arr_u8 input, tmc_arr_u8 output);
bool tmc_function_call_self_test(tmc_arr_u8 image, tmc_arr_f64 ram, tmc_arr_u8 output);
/* Of the trap that ended the last call. The text is valid until the next. */
int32_t tmc_function_call_site(void);
tmc_str tmc_function_call_text(void);

#endif
