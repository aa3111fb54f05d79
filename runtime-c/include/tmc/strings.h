/*
 * Byte strings: comparison, search and borrowed slices, as String.prototype does on Latin-1 text. What folds
 * away where an operand is a literal is inline; the rest is in src/strings.c. It builds no text. Included by
 * tmc.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_STRINGS_H
#define TMC_STRINGS_H

#include "tmc/tmc.h"

#include <string.h>

/* Of strings that are not null; tmc_str_same is for the others. */
static inline bool tmc_str_equal(tmc_str a, tmc_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, (size_t)a.len) == 0);
}

int32_t tmc_str_compare(tmc_str a, tmc_str b); /* <0, 0, >0 by bytes */

/* Traps outside 0..len-1. */
static inline int32_t tmc_str_char_code_at(tmc_str s, int32_t i, int32_t site) {
    return s.ptr[tmc_index(i, s.len, site)];
}

/* An index as String.prototype.slice and Array.prototype.fill take it: negative counts from the end, then
 * clamped to 0..len. */
static inline int32_t tmc_relative(int32_t i, int32_t len) {
    if (i < 0) {
        return i + len < 0 ? 0 : i + len;
    }
    return i > len ? len : i;
}

/* String.prototype.slice; borrows. */
static inline tmc_str tmc_str_slice(tmc_str s, int32_t start, int32_t end) {
    const int32_t from = tmc_relative(start, s.len);
    const int32_t to = tmc_relative(end, s.len);
    return (tmc_str){s.ptr + from, to > from ? to - from : 0};
}

int32_t tmc_str_index_of(tmc_str s, tmc_str needle, int32_t from); /* -1 when absent */

/* The same for a literal of one byte. That the emitter chooses it, and not __builtin_constant_p here, is on
 * purpose: GCC 12 may take both arms of a test by it for impossible
 * (test/equality/programs/text-put-literal.ts).
 */
static inline int32_t tmc_str_index_of_byte(tmc_str s, uint8_t needle, int32_t from) {
    const int32_t start = from < 0 ? 0 : from;
    if (start >= s.len) {
        return -1;
    }
    const uint8_t *found = (const uint8_t *)memchr(s.ptr + start, needle, (size_t)(s.len - start));
    if (found == NULL) {
        return -1;
    }
    const int32_t at = (int32_t)(found - s.ptr);
    if (at < start || at >= s.len) {
        __builtin_unreachable(); /* memchr's promise, so that callers need not clamp again */
    }
    return at;
}

static inline bool tmc_str_starts_with(tmc_str s, tmc_str prefix) {
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, (size_t)prefix.len) == 0);
}
static inline bool tmc_str_ends_with(tmc_str s, tmc_str suffix) {
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + (s.len - suffix.len), suffix.ptr, (size_t)suffix.len) == 0);
}

/* A borrowed view of bytes as a string, [start, end) clamped as slice does. */
static inline tmc_str tmc_str_from_bytes(tmc_arr_u8 bytes, int32_t start, int32_t end) {
    return tmc_str_slice((tmc_str){bytes.ptr, bytes.len}, start, end);
}

/* The standard library's: copies the text to out[at]; gives its end, -1 when it does not fit. */
static inline int32_t tmc_text_put_str(tmc_arr_u8 out, int32_t at, tmc_str text) {
    const uint32_t end = (uint32_t)at + (uint32_t)text.len; /* does not wrap: both are below 2^31 */
    if ((uint32_t)at > (uint32_t)out.len || end > (uint32_t)out.len) {
        return -1;
    }
    uint8_t *to = out.ptr + at;
    const size_t len = (size_t)text.len;
    /* Addresses, since pointers into different objects have no order in C. */
    const uintptr_t from_address = (uintptr_t)text.ptr;
    const uintptr_t to_address = (uintptr_t)to;
    if (from_address + len <= to_address || from_address >= to_address + len) {
        memcpy(to, text.ptr, len);
    } else { /* a view of out */
        memmove(to, text.ptr, len);
    }
    return (int32_t)end;
}

#endif
