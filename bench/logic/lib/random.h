/*
 * Repeatable inputs: xorshift32, the same numbers as random.ts. Not for keys.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdint.h>

/* 1 .. 2^32 - 1. */
static inline uint32_t random_next(uint32_t *state) {
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return x;
}

#endif
