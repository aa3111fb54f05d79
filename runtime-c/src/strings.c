/*
 * Byte strings: comparison, search and borrowed slices, as String.prototype does on Latin-1 text.
 * It builds no text: that is TextBuffer's, written in the subset.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/tmc.h"

#include <string.h>

static bool same_bytes(const uint8_t *a, const uint8_t *b, int32_t len) {
    return len == 0 || memcmp(a, b, (size_t)len) == 0;
}

bool tmc_str_equal(tmc_str a, tmc_str b) {
    if (a.ptr == NULL || b.ptr == NULL) {
        return a.ptr == b.ptr;
    }
    return a.len == b.len && same_bytes(a.ptr, b.ptr, a.len);
}

int32_t tmc_str_compare(tmc_str a, tmc_str b) {
    const int32_t common = a.len < b.len ? a.len : b.len;
    for (int32_t i = 0; i < common; i++) {
        if (a.ptr[i] != b.ptr[i]) {
            return (int32_t)a.ptr[i] - (int32_t)b.ptr[i];
        }
    }
    return a.len - b.len;
}

int32_t tmc_str_char_code_at(tmc_str s, int32_t i, int32_t site) {
    return s.ptr[tmc_index(i, s.len, site)];
}

/* An index of slice(): negative counts from the end, then clamped to 0..len. */
static int32_t slice_index(int32_t i, int32_t len) {
    if (i < 0) {
        return i + len < 0 ? 0 : i + len;
    }
    return i > len ? len : i;
}

tmc_str tmc_str_slice(tmc_str s, int32_t start, int32_t end) {
    const int32_t from = slice_index(start, s.len);
    const int32_t to = slice_index(end, s.len);
    return (tmc_str){s.ptr + from, to > from ? to - from : 0};
}

int32_t tmc_str_index_of(tmc_str s, tmc_str needle, int32_t from) {
    int32_t i = from < 0 ? 0 : (from > s.len ? s.len : from);
    for (; i <= s.len - needle.len; i++) {
        if (same_bytes(s.ptr + i, needle.ptr, needle.len)) {
            return i;
        }
    }
    return -1;
}

bool tmc_str_starts_with(tmc_str s, tmc_str prefix) {
    return s.len >= prefix.len && same_bytes(s.ptr, prefix.ptr, prefix.len);
}

bool tmc_str_ends_with(tmc_str s, tmc_str suffix) {
    return s.len >= suffix.len && same_bytes(s.ptr + (s.len - suffix.len), suffix.ptr, suffix.len);
}

tmc_str tmc_str_from_bytes(tmc_arr_u8 bytes, int32_t start, int32_t end) {
    return tmc_str_slice((tmc_str){bytes.ptr, bytes.len}, start, end);
}
