/*
 * Doubles for tests, the same sequence as test-values.ts makes: raw bits, small fractions, halves, neighbours
 * of powers of two, single-precision values.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_TEST_VALUES_H
#define TMC_TEST_VALUES_H

#include <stdint.h>

static uint32_t test_random_state = 2463534242U;

static uint32_t test_random(void) {
    uint32_t x = test_random_state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    test_random_state = x;
    return x;
}

static double test_double_of(uint32_t high, uint32_t low) {
    const union {
        uint64_t bits;
        double value;
    } view = {.bits = ((uint64_t)high << 32) | low};
    return view.value;
}

static float test_float_of(uint32_t bits) {
    const union {
        uint32_t bits;
        float value;
    } view = {.bits = bits};
    return view.value;
}

static double test_value(uint32_t kind) {
    const uint32_t a = test_random();
    const uint32_t b = test_random();
    switch (kind % 8U) {
    case 0U:
    case 1U:
        return test_double_of(a, b);
    case 2U:
        return (double)(int32_t)a / (double)(1U << (b % 31U));
    case 3U:
        return (double)test_float_of(a & 0xff7fffffU); /* no infinity, no NaN */
    case 4U:
        return (double)((int32_t)a >> (b % 32U)) + 0.5;
    case 5U:
        return test_double_of((a & 0x800fffffU) | ((963U + b % 120U) << 20), b);
    case 6U:
        return test_double_of((a % 4095U) << 20, b % 3U) * (b % 2U == 0U ? 1.0 : -1.0);
    default:
        return (double)a / (double)(b % 100000U + 1U);
    }
}

#endif
