/*
 * Small operations that only generated code needs beside tmc.h: integer Math functions, checks of checked
 * builds, class ids, comparisons of nullable values. Everything is inline; nothing here knows a platform.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_OPS_H
#define TMC_OPS_H

#include "tmc/tmc.h"

#include <string.h>

/* Kept out of callers that have a setjmp. */
#define TMC_NOINLINE __attribute__((noinline))

/* Of the machinery of a node: as -Os, whatever the rest of the program is compiled with. clang has nothing
 * like it that leaves callers alone (`cold` spreads to them). The other options, -ffp-contract=off too, stay
 * those of the command line. */
#if defined(__OPTIMIZE__) && !defined(__clang__)
#define TMC_SMALL __attribute__((optimize("Os")))
#else
#define TMC_SMALL
#endif

/* Keeps what is stored in *p in memory across calls, so that it is current after a longjmp. */
static inline void tmc_keep(void *p) {
    __asm__ volatile("" : : "r"(p) : "memory");
}

/* The class id of an object whose class is known only at run time: the first member of its struct. */
static inline uint16_t tmc_class_of(const void *object) {
    return *(const uint16_t *)object;
}

static inline int32_t tmc_min_i32(int32_t a, int32_t b) {
    return a < b ? a : b;
}
static inline int32_t tmc_max_i32(int32_t a, int32_t b) {
    return a > b ? a : b;
}
static inline uint32_t tmc_min_u32(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}
static inline uint32_t tmc_max_u32(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}
static inline int32_t tmc_abs_i32(int32_t a) {
    return a < 0 ? tmc_neg_i32(a) : a; /* INT32_MIN stays */
}
static inline int32_t tmc_sign_i32(int32_t a) {
    return a > 0 ? 1 : (a < 0 ? -1 : 0);
}
static inline uint32_t tmc_sign_u32(uint32_t a) {
    return a > 0U ? 1U : 0U;
}

/* Saturating conversions. GCC finds SSAT in a clamp only while both bounds are constants at its place. The
 * builtins are those of __ssat and __usat in arm_acle.h, which themselves do not pass -Wconversion. */
#ifdef __ARM_FEATURE_SAT
static inline int8_t tmc_sat_i8(int32_t v) {
    return (int8_t)(int32_t)__builtin_arm_ssat(v, 8);
}
static inline int16_t tmc_sat_i16(int32_t v) {
    return (int16_t)(int32_t)__builtin_arm_ssat(v, 16);
}
static inline uint8_t tmc_sat_u8(int32_t v) {
    return (uint8_t)(uint32_t)__builtin_arm_usat(v, 8);
}
static inline uint16_t tmc_sat_u16(int32_t v) {
    return (uint16_t)(uint32_t)__builtin_arm_usat(v, 16);
}
#else
static inline int8_t tmc_sat_i8(int32_t v) {
    return (int8_t)tmc_clamp_i32(v, INT8_MIN, INT8_MAX);
}
static inline int16_t tmc_sat_i16(int32_t v) {
    return (int16_t)tmc_clamp_i32(v, INT16_MIN, INT16_MAX);
}
static inline uint8_t tmc_sat_u8(int32_t v) {
    return (uint8_t)tmc_clamp_i32(v, 0, UINT8_MAX);
}
static inline uint16_t tmc_sat_u16(int32_t v) {
    return (uint16_t)tmc_clamp_i32(v, 0, UINT16_MAX);
}
#endif

/* ECMAScript's ToInt32/ToUint32: modulo 2^32; NaN and infinities give 0. */
static inline uint32_t tmc_f64_to_uint32_wrap(double v) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    const int32_t exponent = (int32_t)((bits >> 52) & 0x7ffU) - 1075; /* v = mantissa * 2^exponent */
    if (exponent <= -53 || exponent >= 32) { /* below 1, or a multiple of 2^32, or not finite */
        return 0U;
    }
    const uint64_t mantissa = (bits & 0xfffffffffffffULL) | 0x10000000000000ULL;
    const uint32_t whole = exponent < 0 ? (uint32_t)(mantissa >> (uint32_t)-exponent)
                                        : (uint32_t)(mantissa << (uint32_t)exponent);
    return (bits >> 63) != 0U ? 0U - whole : whole;
}
static inline int32_t tmc_f64_to_int32_wrap(double v) {
    return (int32_t)tmc_f64_to_uint32_wrap(v);
}

/* A value of a compound assignment on u32 that must fit in [0, hi] in checked builds. */
static inline uint32_t tmc_fit_u32(uint32_t v, uint32_t hi, int32_t site) {
    if (v > hi) {
        tmc_trap(TMC_TRAP_OVERFLOW, site);
    }
    return v;
}

/* `array.set(source, offset)`: where to copy to; traps when the source does not fit. */
static inline int32_t tmc_set_offset(int32_t offset, int32_t source_len, int32_t len, int32_t site) {
    if (offset < 0 || offset > len || source_len > len - offset) {
        tmc_trap(TMC_TRAP_INDEX, site);
    }
    return offset;
}

/* Strings that may be null. */
static inline bool tmc_str_same(tmc_str a, tmc_str b) {
    return (a.ptr == NULL) == (b.ptr == NULL) && tmc_str_equal(a, b);
}

#endif
