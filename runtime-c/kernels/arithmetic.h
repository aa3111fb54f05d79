/*
 * The integer arithmetic of the kernels, the same as `compiler/model/reference/arithmetic.ts`, function by
 * function. Where the reference would overflow, the result wraps modulo 2^32; nothing here is undefined.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_KERNELS_ARITHMETIC_H
#define TMC_KERNELS_ARITHMETIC_H

#include <stdint.h>
#include <string.h>

#include "tmc/kernels.h"

static inline int32_t tmc_k_add(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t tmc_k_shift_left(int32_t x, int32_t exponent) {
    return (int32_t)((uint32_t)x << exponent);
}

static inline int32_t tmc_k_clamp(int32_t x, int32_t min, int32_t max) {
    return x < min ? min : (x > max ? max : x);
}

/* floor((a * b + 2^30) / 2^31), saturated in the one case that overflows. */
static inline int32_t tmc_k_high_mul(int32_t a, int32_t b) {
    if (a == INT32_MIN && b == INT32_MIN) {
        return INT32_MAX;
    }
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* The same for b >= 0: multipliers. */
static inline int32_t tmc_k_high_mul_positive(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* x / 2^exponent rounded to nearest, halves away from zero; exponent 0..31. */
static inline int32_t tmc_k_divide_pot(int32_t x, int32_t exponent) {
    const int32_t mask = (int32_t)(((uint32_t)1 << exponent) - 1U);
    const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> exponent) + ((x & mask) > threshold ? 1 : 0);
}

/* x * multiplier * 2^(shift - 31), multiplier >= 0. */
static inline int32_t tmc_k_multiply(int32_t x, int32_t multiplier, int32_t shift) {
    if (shift > 0) {
        return tmc_k_high_mul_positive(tmc_k_shift_left(x, shift), multiplier);
    }
    return tmc_k_divide_pot(tmc_k_high_mul_positive(x, multiplier), -shift);
}

/* The accumulator of output channel c as int8. */
static inline int8_t tmc_k_requantize(uint32_t acc, int32_t c, const tmc_requantization *r) {
    const int32_t scaled = tmc_k_multiply((int32_t)acc, r->multiplier[c], r->shift[c]);
    return (int8_t)tmc_k_clamp(tmc_k_add(scaled, r->output_offset), r->min, r->max);
}

/* An element of an int16 tensor; tensors are bytes, the low one first. */
static inline int32_t tmc_k_load_s16(const int8_t *data) {
    int16_t value;
    memcpy(&value, data, sizeof value);
    return value;
}

static inline void tmc_k_store_s16(int8_t *data, int32_t value) {
    const int16_t element = (int16_t)value;
    memcpy(data, &element, sizeof element);
}

/* The part [start, end) of a dilated window at `origin` that lies inside [0, limit). */
typedef struct {
    int32_t start, end;
} tmc_k_span;

static inline tmc_k_span tmc_k_inside(int32_t origin, int32_t size, int32_t dilation, int32_t limit) {
    tmc_k_span span;
    span.start = origin >= 0 ? 0 : (dilation - 1 - origin) / dilation;
    span.end = origin >= limit ? 0 : (limit - origin + dilation - 1) / dilation;
    if (span.end > size) {
        span.end = size;
    }
    return span;
}

#endif
