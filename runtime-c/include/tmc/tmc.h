/*
 * What every generated C file includes: value types, traps, checked arithmetic, conversions, log.
 * It knows nothing of MQTT, sensors or boards: those are the port's (port.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_TMC_H
#define TMC_TMC_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- values ---------------------------------------------------------------------------------- */

/* On 32-bit Arm, GCC keeps a struct of two words in registers only where its alignment is its size: else each
 * one that is passed is written to the stack first and read back. */
#if defined(__arm__)
#define TMC_TWO_WORDS __attribute__((aligned(8)))
#else
#define TMC_TWO_WORDS
#endif

/* A byte string: immutable, not terminated. ptr is NULL only for the null of `string | null`. */
typedef struct {
    const uint8_t *ptr;
    int32_t len;
} TMC_TWO_WORDS tmc_str;

/* Arrays are passed as constant {pointer, length}; generated code declares the ones of object types itself.
 * ptr is NULL only for null. */
#define TMC_DECLARE_ARRAY(name, type)                                                                        \
    typedef struct {                                                                                         \
        type *ptr;                                                                                           \
        int32_t len;                                                                                         \
    } name
TMC_DECLARE_ARRAY(tmc_arr_u8, uint8_t);
TMC_DECLARE_ARRAY(tmc_arr_i8, int8_t);
TMC_DECLARE_ARRAY(tmc_arr_u16, uint16_t);
TMC_DECLARE_ARRAY(tmc_arr_i16, int16_t);
TMC_DECLARE_ARRAY(tmc_arr_u32, uint32_t);
TMC_DECLARE_ARRAY(tmc_arr_i32, int32_t);
TMC_DECLARE_ARRAY(tmc_arr_u64, uint64_t);
TMC_DECLARE_ARRAY(tmc_arr_i64, int64_t);
TMC_DECLARE_ARRAY(tmc_arr_f32, float);
TMC_DECLARE_ARRAY(tmc_arr_f64, double);
TMC_DECLARE_ARRAY(tmc_arr_bool, bool);
TMC_DECLARE_ARRAY(tmc_arr_str, tmc_str);

/* A string literal of known length. */
#define TMC_STR(literal) ((tmc_str){(const uint8_t *)("" literal), (int32_t)(sizeof(literal) - 1)})

/* ---- traps ----------------------------------------------------------------------------------- */

typedef enum {
    TMC_TRAP_NONE = 0,
    TMC_TRAP_INDEX = 1,
    TMC_TRAP_NULL = 2,
    TMC_TRAP_DIVISION = 3,
    TMC_TRAP_OVERFLOW = 4,
    TMC_TRAP_CAPACITY = 5,
    TMC_TRAP_THROW = 6,
    TMC_TRAP_STACK = 7,
    TMC_TRAP_ASSERT = 8
} tmc_trap_kind;

/* What a boundary learns of the trap it caught. site is a number that the site map of the build turns into
 * file:line:col; message is the literal of `throw new Error("...")`, {NULL, 0} for every other kind. */
typedef struct {
    tmc_trap_kind kind;
    int32_t site;
    tmc_str message;
} tmc_trap_info;

/* A place that traps unwind to. Frames are a stack in the C stack: push, setjmp, pop.
 *     tmc_boundary b;
 *     tmc_boundary_push(&b);
 *     if (setjmp(b.env) == 0) { body; tmc_boundary_pop(&b); } else { popped; b.info says what happened }
 */
typedef struct tmc_boundary {
    jmp_buf env;
    struct tmc_boundary *outer;
    tmc_trap_info info;
} tmc_boundary;

void tmc_boundary_push(tmc_boundary *b);
void tmc_boundary_pop(tmc_boundary *b);

/* Unwinds to the innermost boundary; without one, calls tmc_port_fatal. */
_Noreturn void tmc_trap(tmc_trap_kind kind, int32_t site);
_Noreturn void tmc_throw(tmc_str message, int32_t site);
_Noreturn void tmc_rethrow(const tmc_trap_info *info);
/* The same from what an async function kept of it: `kinds` has the program's number of each tmc_trap_kind. */
_Noreturn void tmc_rethrow_kept(const uint16_t *kinds, int32_t kind, int32_t site, tmc_str message);
void tmc_trap_capacity(void); /* the standard library's: kind capacity, site 0; does not return */

/* Implemented by the port: no boundary is left (a bug, or `tmc exec`'s main): report and stop. */
_Noreturn void tmc_port_fatal(const tmc_trap_info *info);

/* ---- checks ---------------------------------------------------------------------------------- */

static inline int32_t tmc_index(int32_t i, int32_t len, int32_t site) {
    if ((uint32_t)i >= (uint32_t)len) {
        tmc_trap(TMC_TRAP_INDEX, site);
    }
    return i;
}

/* ---- integer arithmetic: wraps modulo 2^32, never undefined ------------------------------------ */

static inline int32_t tmc_add_i32(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}
static inline int32_t tmc_sub_i32(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a - (uint32_t)b);
}
static inline int32_t tmc_mul_i32(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a * (uint32_t)b);
}
static inline int32_t tmc_neg_i32(int32_t a) {
    return (int32_t)(0U - (uint32_t)a);
}
static inline int32_t tmc_div_i32(int32_t a, int32_t b, int32_t site) {
    if (b == 0) {
        tmc_trap(TMC_TRAP_DIVISION, site);
    }
    return b == -1 ? tmc_neg_i32(a) : a / b;
}
static inline int32_t tmc_rem_i32(int32_t a, int32_t b, int32_t site) {
    if (b == 0) {
        tmc_trap(TMC_TRAP_DIVISION, site);
    }
    return b == -1 ? 0 : a % b;
}
static inline uint32_t tmc_div_u32(uint32_t a, uint32_t b, int32_t site) {
    if (b == 0U) {
        tmc_trap(TMC_TRAP_DIVISION, site);
    }
    return a / b;
}
static inline uint32_t tmc_rem_u32(uint32_t a, uint32_t b, int32_t site) {
    if (b == 0U) {
        tmc_trap(TMC_TRAP_DIVISION, site);
    }
    return a % b;
}
/* Of an i8 or i16. gcc warns falsely (-Wsign-conversion) of a plain cast from these inside arithmetic. */
static inline uint32_t tmc_i32_to_u32(int32_t a) {
    return (uint32_t)a;
}
static inline int32_t tmc_shl_i32(int32_t a, int32_t n) {
    return (int32_t)((uint32_t)a << ((uint32_t)n & 31U));
}
static inline int32_t tmc_shr_i32(int32_t a, int32_t n) {
    return a >> ((uint32_t)n & 31U);
}
static inline uint32_t tmc_shl_u32(uint32_t a, int32_t n) {
    return a << ((uint32_t)n & 31U);
}
static inline uint32_t tmc_shr_u32(uint32_t a, int32_t n) {
    return a >> ((uint32_t)n & 31U);
}

/* --checked: the same, but an unintended wrap traps. */
#define TMC_CHECKED_OP(name, type, builtin)                                                                  \
    static inline type name(type a, type b, int32_t site) {                                                  \
        type r;                                                                                              \
        if (builtin(a, b, &r)) {                                                                             \
            tmc_trap(TMC_TRAP_OVERFLOW, site);                                                               \
        }                                                                                                    \
        return r;                                                                                            \
    }
TMC_CHECKED_OP(tmc_add_i32_checked, int32_t, __builtin_add_overflow)
TMC_CHECKED_OP(tmc_sub_i32_checked, int32_t, __builtin_sub_overflow)
TMC_CHECKED_OP(tmc_mul_i32_checked, int32_t, __builtin_mul_overflow)
TMC_CHECKED_OP(tmc_add_u32_checked, uint32_t, __builtin_add_overflow)
TMC_CHECKED_OP(tmc_sub_u32_checked, uint32_t, __builtin_sub_overflow)
TMC_CHECKED_OP(tmc_mul_u32_checked, uint32_t, __builtin_mul_overflow)

/* A value that a compound assignment narrows back (`u8 += ...`) must fit in [lo, hi] in checked builds. */
static inline int32_t tmc_fit_i32(int32_t v, int32_t lo, int32_t hi, int32_t site) {
    if (v < lo || v > hi) {
        tmc_trap(TMC_TRAP_OVERFLOW, site);
    }
    return v;
}

/* ---- conversions: float to integer truncates and saturates, NaN gives 0 (VCVT) ------------------- */

static inline int32_t tmc_f64_to_int(double v, int32_t lo, int32_t hi) {
    if (v != v) {
        return 0;
    }
    if (v <= (double)lo) {
        return lo;
    }
    if (v >= (double)hi) {
        return hi;
    }
    return (int32_t)v;
}
static inline uint32_t tmc_f64_to_u32(double v) {
    if (!(v > 0.0)) { /* NaN too */
        return 0U;
    }
    return v >= 4294967295.0 ? 4294967295U : (uint32_t)v;
}
/* f32 has its own pair so that Cortex-M4F needs no double arithmetic. For a bound that f32 cannot hold
 * (INT32_MAX) the comparison is against the next float above, and the result is the bound. */
static inline int32_t tmc_f32_to_i32(float v) {
    if (v != v) {
        return 0;
    }
    if (v <= -2147483648.0f) {
        return INT32_MIN;
    }
    return v >= 2147483648.0f ? INT32_MAX : (int32_t)v;
}
static inline int32_t tmc_f32_to_int(float v, int32_t lo, int32_t hi) { /* |lo|, |hi| <= 65535 */
    if (v != v) {
        return 0;
    }
    if (v <= (float)lo) {
        return lo;
    }
    return v >= (float)hi ? hi : (int32_t)v;
}
static inline uint32_t tmc_f32_to_u32(float v) {
    if (!(v > 0.0f)) {
        return 0U;
    }
    return v >= 4294967296.0f ? 4294967295U : (uint32_t)v;
}
static inline int32_t tmc_clamp_i32(int32_t v, int32_t lo, int32_t hi) {
    return v < lo ? lo : (v > hi ? hi : v);
}

/* ---- floats: ECMAScript's meaning of the Math functions that are exact --------------------------- */

double tmc_f64_rem(double a, double b); /* the % of ECMAScript (C's fmod) */
float tmc_f32_rem(float a, float b);
double tmc_f64_min(double a, double b); /* NaN wins; -0 < +0 */
double tmc_f64_max(double a, double b);
double tmc_f64_round(double v); /* Math.round: ties toward +infinity */
float tmc_f32_round(float v);
double tmc_f64_floor(double v);
double tmc_f64_ceil(double v);
double tmc_f64_trunc(double v);
double tmc_f64_sqrt(double v);
float tmc_f32_floor(float v);
float tmc_f32_ceil(float v);
float tmc_f32_trunc(float v);
double tmc_f64_sign(double v);
float tmc_f32_sign(float v);

#include "tmc/floats.h"
#include "tmc/integers64.h"
#include "tmc/strings.h"

#include "tmc/maps.h"

/* ---- text: decimal digits as ECMAScript's Number::toString prints them ----------------------------- */

#define TMC_NUMBER_TEXT_MAX 32
/* Each writes at most TMC_NUMBER_TEXT_MAX bytes, no terminator, and returns how many. */
int32_t tmc_format_i32(uint8_t *out, int32_t v);
int32_t tmc_format_u32(uint8_t *out, uint32_t v);
int32_t tmc_format_i64(uint8_t *out, int64_t v);
int32_t tmc_format_u64(uint8_t *out, uint64_t v);
/* The shortest that reads back the same; f32 is printed as its f64. */
int32_t tmc_format_f64(uint8_t *out, double v);
/* The standard library's: the text of v at out[at]; gives its end, -1 when it does not fit. */
int32_t tmc_text_put_i32(tmc_arr_u8 out, int32_t at, int32_t v);
int32_t tmc_text_put_u32(tmc_arr_u8 out, int32_t at, uint32_t v);
int32_t tmc_text_put_i64(tmc_arr_u8 out, int32_t at, int64_t v);
int32_t tmc_text_put_u64(tmc_arr_u8 out, int32_t at, uint64_t v);
int32_t tmc_text_put_f64(tmc_arr_u8 out, int32_t at, double v);

/* ---- log: one line at a time; arguments are joined by one space ------------------------------------- */

void tmc_log_str(tmc_str s);
void tmc_log_i32(int32_t v);
void tmc_log_u32(uint32_t v);
void tmc_log_i64(int64_t v);
void tmc_log_u64(uint64_t v);
void tmc_log_f64(double v);
void tmc_log_bool(bool v);
void tmc_log_glue(void); /* the next argument follows without a space (parts of a template literal) */
void tmc_log_end(void);  /* ends the line */

#endif
