/*
 * Byte strings: what strings.h does not do inline. It builds no text: that is TextBuffer's, written in the
 * subset.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/tmc.h"

#include <string.h>

int32_t tmc_str_compare(tmc_str a, tmc_str b) {
    const int32_t common = a.len < b.len ? a.len : b.len;
    for (int32_t i = 0; i < common; i++) {
        if (a.ptr[i] != b.ptr[i]) {
            return (int32_t)a.ptr[i] - (int32_t)b.ptr[i];
        }
    }
    return a.len - b.len;
}

int32_t tmc_str_index_of(tmc_str s, tmc_str needle, int32_t from) {
    int32_t i = from < 0 ? 0 : (from > s.len ? s.len : from);
    if (needle.len == 0) {
        return i;
    }
    for (const int32_t last = s.len - needle.len; i <= last; i++) {
        const uint8_t *found = memchr(s.ptr + i, needle.ptr[0], (size_t)(last - i + 1));
        if (found == NULL) {
            return -1;
        }
        i = (int32_t)(found - s.ptr);
        if (memcmp(found, needle.ptr, (size_t)needle.len) == 0) {
            return i;
        }
    }
    return -1;
}
