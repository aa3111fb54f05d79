/*
 * What the standard library's TextBuffer and containers call: numbers written into a byte array at a
 * position, and the capacity trap. No state.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/tmc.h"

#include <string.h>

/* Is there room for any number at out[at]? */
static bool has_room(tmc_arr_u8 out, int32_t at) {
    return at >= 0 && at <= out.len - TMC_NUMBER_TEXT_MAX;
}

static int32_t put(tmc_arr_u8 out, int32_t at, const uint8_t *text, int32_t size) {
    if (at < 0 || at > out.len || size > out.len - at) {
        return -1;
    }
    memcpy(out.ptr + at, text, (size_t)size);
    return at + size;
}

int32_t tmc_text_put_i32(tmc_arr_u8 out, int32_t at, int32_t v) {
    if (has_room(out, at)) {
        return at + tmc_format_i32(out.ptr + at, v);
    }
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    return put(out, at, text, tmc_format_i32(text, v));
}

int32_t tmc_text_put_u32(tmc_arr_u8 out, int32_t at, uint32_t v) {
    if (has_room(out, at)) {
        return at + tmc_format_u32(out.ptr + at, v);
    }
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    return put(out, at, text, tmc_format_u32(text, v));
}

int32_t tmc_text_put_i64(tmc_arr_u8 out, int32_t at, int64_t v) {
    if (has_room(out, at)) {
        return at + tmc_format_i64(out.ptr + at, v);
    }
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    return put(out, at, text, tmc_format_i64(text, v));
}

int32_t tmc_text_put_u64(tmc_arr_u8 out, int32_t at, uint64_t v) {
    if (has_room(out, at)) {
        return at + tmc_format_u64(out.ptr + at, v);
    }
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    return put(out, at, text, tmc_format_u64(text, v));
}

int32_t tmc_text_put_f64(tmc_arr_u8 out, int32_t at, double v) {
    if (has_room(out, at)) {
        return at + tmc_format_f64(out.ptr + at, v);
    }
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    return put(out, at, text, tmc_format_f64(text, v));
}

void tmc_trap_capacity(void) {
    tmc_trap(TMC_TRAP_CAPACITY, 0);
}
