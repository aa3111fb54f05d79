/*
 * 64-bit integers: arithmetic modulo 2^64 without undefined behaviour, checked arithmetic, shifts,
 * conversions. Included by tmc.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_INTEGERS64_H
#define TMC_INTEGERS64_H

#include "tmc/tmc.h"

static inline int64_t tmc_add_i64(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}
static inline int64_t tmc_sub_i64(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a - (uint64_t)b);
}
static inline int64_t tmc_mul_i64(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a * (uint64_t)b);
}
static inline int64_t tmc_neg_i64(int64_t a) {
    return (int64_t)(0U - (uint64_t)a);
}
static inline int64_t tmc_div_i64(int64_t a, int64_t b, int32_t site) {
    if (b == 0) {
        tmc_trap(TMC_TRAP_DIVISION, site);
    }
    return b == -1 ? tmc_neg_i64(a) : a / b;
}
static inline int64_t tmc_rem_i64(int64_t a, int64_t b, int32_t site) {
    if (b == 0) {
        tmc_trap(TMC_TRAP_DIVISION, site);
    }
    return b == -1 ? 0 : a % b;
}
static inline uint64_t tmc_div_u64(uint64_t a, uint64_t b, int32_t site) {
    if (b == 0U) {
        tmc_trap(TMC_TRAP_DIVISION, site);
    }
    return a / b;
}
static inline uint64_t tmc_rem_u64(uint64_t a, uint64_t b, int32_t site) {
    if (b == 0U) {
        tmc_trap(TMC_TRAP_DIVISION, site);
    }
    return a % b;
}

TMC_CHECKED_OP(tmc_add_i64_checked, int64_t, __builtin_add_overflow)
TMC_CHECKED_OP(tmc_sub_i64_checked, int64_t, __builtin_sub_overflow)
TMC_CHECKED_OP(tmc_mul_i64_checked, int64_t, __builtin_mul_overflow)
TMC_CHECKED_OP(tmc_add_u64_checked, uint64_t, __builtin_add_overflow)
TMC_CHECKED_OP(tmc_sub_u64_checked, uint64_t, __builtin_sub_overflow)
TMC_CHECKED_OP(tmc_mul_u64_checked, uint64_t, __builtin_mul_overflow)

/* Shifts of BigInt, modulo 2^64: the count is not masked. From 64 on no bit is left (`>>` of a negative value
 * gives -1), and a negative count shifts the other way. */
static inline uint64_t tmc_shl_low(uint64_t a, uint64_t n) {
    return n < 64U ? a << n : 0U;
}
static inline int64_t tmc_shr_low(int64_t a, uint64_t n) {
    return a >> (n < 64U ? n : 63U);
}
static inline int64_t tmc_shl_i64(int64_t a, int64_t n) {
    return n >= 0 ? (int64_t)tmc_shl_low((uint64_t)a, (uint64_t)n) : tmc_shr_low(a, 0U - (uint64_t)n);
}
static inline int64_t tmc_shr_i64(int64_t a, int64_t n) {
    return n >= 0 ? tmc_shr_low(a, (uint64_t)n) : (int64_t)tmc_shl_low((uint64_t)a, 0U - (uint64_t)n);
}
static inline uint64_t tmc_shr_u64(uint64_t a, int64_t n) {
    const uint64_t by = n >= 0 ? (uint64_t)n : 0U - (uint64_t)n;
    return by >= 64U ? 0U : (n >= 0 ? a >> by : a << by);
}
static inline uint64_t tmc_shl_u64(uint64_t a, int64_t n) {
    const uint64_t by = n >= 0 ? (uint64_t)n : 0U - (uint64_t)n;
    return by >= 64U ? 0U : (n >= 0 ? a << by : a >> by);
}
/* A u64 as a count: all from 64 on do the same. */
static inline int64_t tmc_shift_count(uint64_t n) {
    return n < 64U ? (int64_t)n : 64;
}

/* Float to integer truncates and saturates, NaN gives 0. */
static inline int64_t tmc_f64_to_i64(double v) {
    if (v != v) {
        return 0;
    }
    if (v <= -9223372036854775808.0) {
        return INT64_MIN;
    }
    return v >= 9223372036854775808.0 ? INT64_MAX : (int64_t)v;
}
static inline uint64_t tmc_f64_to_u64(double v) {
    if (!(v > 0.0)) { /* NaN too */
        return 0U;
    }
    return v >= 18446744073709551616.0 ? UINT64_MAX : (uint64_t)v;
}
static inline int64_t tmc_f32_to_i64(float v) {
    if (v != v) {
        return 0;
    }
    if (v <= -9223372036854775808.0f) {
        return INT64_MIN;
    }
    return v >= 9223372036854775808.0f ? INT64_MAX : (int64_t)v;
}
static inline uint64_t tmc_f32_to_u64(float v) {
    if (!(v > 0.0f)) {
        return 0U;
    }
    return v >= 18446744073709551616.0f ? UINT64_MAX : (uint64_t)v;
}

static inline int64_t tmc_clamp_i64(int64_t v, int64_t lo, int64_t hi) {
    return v < lo ? lo : (v > hi ? hi : v);
}
static inline uint64_t tmc_min_u64(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

#endif
