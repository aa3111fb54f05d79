/*
 * Model packages as generated code calls them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/package_calls.h"

#include <string.h>

#include "tmc/package.h"

static tmc_package_slot room(uint32_t flash, int32_t ram, int32_t work) {
    return (tmc_package_slot){
        .flash = flash, .ram = ram < 0 ? 0U : (uint32_t)ram, .work = work < 0 ? 0U : (uint32_t)work};
}

int32_t tmc_package_call_plan(tmc_arr_u8 header, int32_t flash, int32_t ram, int32_t work) {
    uint32_t words[TMC_PACKAGE_HEADER_BYTES / 4]; /* the array may begin anywhere */
    if (header.len < TMC_PACKAGE_HEADER_BYTES) {
        return TMC_PACKAGE_TRUNCATED;
    }
    memcpy(words, header.ptr, sizeof words);
    const tmc_package_slot slot = room(flash < 0 ? 0U : (uint32_t)flash, ram, work);
    return (int32_t)tmc_package_plan(words, &slot).reason;
}

int32_t tmc_package_call_check(tmc_arr_u8 package, int32_t ram, int32_t work) {
    const tmc_package_slot slot = room(UINT32_MAX, ram, work);
    return (int32_t)tmc_package_check(package.ptr, (uint32_t)package.len, &slot).reason;
}

static int8_t *bytes_of(tmc_arr_i32 arena) {
    return (int8_t *)(void *)arena.ptr;
}

bool tmc_package_call_self_test(tmc_arr_u8 package, tmc_arr_i32 arena) {
    return tmc_package_self_test(package.ptr, bytes_of(arena));
}

void tmc_package_call_run(tmc_arr_u8 package, tmc_arr_i32 arena) {
    tmc_package_run(package.ptr, bytes_of(arena));
}

tmc_arr_i8 tmc_package_call_tensor(tmc_arr_u8 package, tmc_arr_i32 arena, int32_t index) {
    const int32_t count = tmc_package_input_count(package.ptr) + tmc_package_output_count(package.ptr);
    if (index < 0 || index >= count) {
        return (tmc_arr_i8){bytes_of(arena), 0};
    }
    const tmc_package_tensor tensor = tmc_package_tensor_at(package.ptr, bytes_of(arena), index);
    return (tmc_arr_i8){tensor.data, tensor.size};
}
