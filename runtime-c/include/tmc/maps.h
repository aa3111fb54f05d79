/*
 * Look-ups in Maps and Sets that setup made: the number of an entry by its key, in static tables. The
 * compiler fills the tables (compiler/backend-c/map-index.ts hashes as this file does). Included by tmc.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_MAPS_H
#define TMC_MAPS_H

#include "tmc/tmc.h"

/* slots: open addressing, the number of an entry + 1, 0 where there is none; 2^(32 - shift) of them, one at
 * least free. A key starts at (hash * mul) >> shift. Gives -1 when there is no such key. */
#define TMC_MAP_FIND(name, type, hash, equal)                                                                \
    static inline int32_t tmc_map_find_##name(const type *keys, const uint16_t *slots, uint32_t mul,         \
                                              int32_t shift, type key) {                                     \
        const uint32_t mask = UINT32_MAX >> shift;                                                           \
        uint32_t at = (hash(key) * mul) >> shift;                                                            \
        for (uint32_t entry = slots[at]; entry != 0U; entry = slots[at]) {                                   \
            if (equal(keys[entry - 1U], key)) {                                                              \
                return (int32_t)(entry - 1U);                                                                \
            }                                                                                                \
            at = (at + 1U) & mask;                                                                           \
        }                                                                                                    \
        return -1;                                                                                           \
    }

static inline uint32_t tmc_str_hash(tmc_str s) {
    uint32_t hash = (uint32_t)s.len;
    for (int32_t i = 0; i < s.len; ++i) {
        hash = hash * 33U ^ s.ptr[i];
    }
    return hash;
}

#define TMC_MAP_SELF(key) ((uint32_t)(key))
#define TMC_MAP_FOLD(key) ((uint32_t)(key) ^ (uint32_t)((uint64_t)(key) >> 32))
#define TMC_MAP_SAME(a, b) ((a) == (b))

TMC_MAP_FIND(bool, bool, TMC_MAP_SELF, TMC_MAP_SAME)
TMC_MAP_FIND(i8, int8_t, TMC_MAP_SELF, TMC_MAP_SAME)
TMC_MAP_FIND(u8, uint8_t, TMC_MAP_SELF, TMC_MAP_SAME)
TMC_MAP_FIND(i16, int16_t, TMC_MAP_SELF, TMC_MAP_SAME)
TMC_MAP_FIND(u16, uint16_t, TMC_MAP_SELF, TMC_MAP_SAME)
TMC_MAP_FIND(i32, int32_t, TMC_MAP_SELF, TMC_MAP_SAME)
TMC_MAP_FIND(u32, uint32_t, TMC_MAP_SELF, TMC_MAP_SAME)
TMC_MAP_FIND(i64, int64_t, TMC_MAP_FOLD, TMC_MAP_SAME)
TMC_MAP_FIND(u64, uint64_t, TMC_MAP_FOLD, TMC_MAP_SAME)
TMC_MAP_FIND(str, tmc_str, tmc_str_hash, tmc_str_equal)

#undef TMC_MAP_FIND
#undef TMC_MAP_SELF
#undef TMC_MAP_FOLD
#undef TMC_MAP_SAME

#endif
