/*
 * Model packages as generated code calls them (firmware/std/package.ts): tmc/package.h with arrays of the
 * language. The arena is of words, so that it begins at a multiple of 4.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_PACKAGE_CALLS_H
#define TMC_PACKAGE_CALLS_H

#include "tmc/tmc.h"

/* A tmc_package_reason. `header`: the first bytes of a package, at least 96. */
int32_t tmc_package_call_plan(tmc_arr_u8 header, int32_t flash, int32_t ram, int32_t work);
/* The same, of all but the digest, which the slot has checked. */
int32_t tmc_package_call_check(tmc_arr_u8 package, int32_t ram, int32_t work);
/* For packages that were accepted, with an arena as large as the header says or larger. */
bool tmc_package_call_self_test(tmc_arr_u8 package, tmc_arr_i32 arena);
void tmc_package_call_run(tmc_arr_u8 package, tmc_arr_i32 arena);
/* Inputs first, then outputs; empty when there is none of that number. */
tmc_arr_i8 tmc_package_call_tensor(tmc_arr_u8 package, tmc_arr_i32 arena, int32_t index);

#endif
