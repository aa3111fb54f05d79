/*
 * The exact Math functions that are an instruction or two, inline; the rest is in src/floats.c. Every target
 * computes the same bits. Included by tmc.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_FLOATS_H
#define TMC_FLOATS_H

#include "tmc/tmc.h"

#include <string.h>

static inline float tmc_f32_from_bits(uint32_t bits) {
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
/* The NaN is canonical: 0x7fc00000. */
static inline uint32_t tmc_f32_bits(float v) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return v != v ? 0x7fc00000U : bits;
}
static inline double tmc_f64_from_bits(uint64_t bits) {
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
/* The NaN is canonical: 0x7ff8000000000000. */
static inline uint64_t tmc_f64_bits(double v) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return v != v ? UINT64_C(0x7ff8000000000000) : bits;
}

static inline int32_t tmc_clz32(uint32_t v) { /* 32 for 0 */
    return v == 0U ? 32 : (int32_t)__builtin_clz(v);
}

static inline double tmc_f64_abs(double v) {
    return __builtin_fabs(v);
}
static inline float tmc_f32_abs(float v) {
    return __builtin_fabsf(v);
}

/* Both NaN or equal, which may be zeros of different signs. */
float tmc_f32_min_rare(float a, float b);
float tmc_f32_max_rare(float a, float b);

/* NaN wins; -0 < +0. */
static inline float tmc_f32_min(float a, float b) {
    return a < b ? a : (b < a ? b : tmc_f32_min_rare(a, b));
}
static inline float tmc_f32_max(float a, float b) {
    return a > b ? a : (b > a ? b : tmc_f32_max_rare(a, b));
}

/* Correctly rounded, so that hardware and software agree. TMC_SOFTWARE_SQRT: without the hardware's. */
#if defined(__ARM_FP) && (__ARM_FP & 4) && !defined(__aarch64__) && !defined(TMC_SOFTWARE_SQRT)
static inline float tmc_f32_sqrt(float v) {
    float r;
    __asm__("vsqrt.f32 %0, %1" : "=t"(r) : "t"(v));
    return r;
}
#elif defined(__x86_64__) && !defined(TMC_SOFTWARE_SQRT)
static inline float tmc_f32_sqrt(float v) {
    float r;
    __asm__("sqrtss %1, %0" : "=x"(r) : "x"(v));
    return r;
}
#elif defined(__wasm__) && !defined(TMC_SOFTWARE_SQRT)
static inline float tmc_f32_sqrt(float v) {
    return __builtin_sqrtf(v);
}
#else
#define TMC_F32_SQRT_IN_SOFTWARE
float tmc_f32_sqrt(float v);
#endif

#endif
