/*
 * The Math functions that ECMAScript defines exactly, for f32 and f64, without libm: every target computes
 * the same bits, and C libraries without mathematics (Zephyr's minimal one) suffice. The short ones are in
 * floats.h. sin, exp and the like are not here: they are polynomials written in the subset.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/tmc.h"

typedef union {
    double value;
    uint64_t bits;
} f64_view;

typedef union {
    float value;
    uint32_t bits;
} f32_view;

#define F64_SIGN 0x8000000000000000ULL
#define F64_INFINITY 0x7ff0000000000000ULL
#define F64_HIDDEN 0x0010000000000000ULL
#define F64_FRACTION 0x000fffffffffffffULL
#define F32_SIGN 0x80000000U
#define F32_INFINITY 0x7f800000U
#define F32_HIDDEN 0x00800000U
#define F32_FRACTION 0x007fffffU

static double f64_of(uint64_t bits) {
    const f64_view view = {.bits = bits};
    return view.value;
}
static uint64_t f64_bits(double v) {
    const f64_view view = {.value = v};
    return view.bits;
}
static float f32_of(uint32_t bits) {
    const f32_view view = {.bits = bits};
    return view.value;
}
static uint32_t f32_bits(float v) {
    const f32_view view = {.value = v};
    return view.bits;
}
static double f64_nan(void) {
    return f64_of(0x7ff8000000000000ULL);
}
static float f32_nan(void) {
    return f32_of(0x7fc00000U);
}

/* ---- remainder: exact, by long division of the mantissas --------------------------------------------- */

/* Takes the positive finite number x apart: x = mantissa * 2^(exponent - 1075), the mantissa has its top bit
 * at 2^52 (subnormals too). */
static uint64_t f64_normalised(uint64_t magnitude, int32_t *exponent) {
    int32_t e = (int32_t)(magnitude >> 52);
    uint64_t m = magnitude & F64_FRACTION;
    if (e == 0) {
        const int32_t shift = (int32_t)__builtin_clzll(m) - 11;
        *exponent = 1 - shift;
        return m << shift;
    }
    *exponent = e;
    return m | F64_HIDDEN;
}

double tmc_f64_rem(double a, double b) {
    const uint64_t sign = f64_bits(a) & F64_SIGN;
    const uint64_t ua = f64_bits(a) & ~F64_SIGN;
    const uint64_t ub = f64_bits(b) & ~F64_SIGN;
    if (ub == 0U || ua >= F64_INFINITY || ub > F64_INFINITY) {
        return f64_nan();
    }
    if (ua < ub) {
        return a;
    }
    int32_t ea;
    int32_t eb;
    uint64_t ma = f64_normalised(ua, &ea);
    const uint64_t mb = f64_normalised(ub, &eb);
    ma %= mb;
    for (int32_t left = ea - eb; left > 0 && ma != 0U;) {
        const int32_t step = left < 11 ? left : 11; /* 53 bits + 11 fit in 64 */
        ma = (ma << step) % mb;
        left -= step;
    }
    if (ma == 0U) {
        return f64_of(sign);
    }
    const int32_t shift = (int32_t)__builtin_clzll(ma) - 11;
    if (eb - shift >= 1) {
        return f64_of(sign | ((uint64_t)(uint32_t)(eb - shift) << 52) | ((ma << shift) & F64_FRACTION));
    }
    return f64_of(sign |
                  (eb >= 1 ? ma << (eb - 1) : ma >> (1 - eb))); /* subnormal; the bits shifted out are 0 */
}

static uint32_t f32_normalised(uint32_t magnitude, int32_t *exponent) {
    int32_t e = (int32_t)(magnitude >> 23);
    uint32_t m = magnitude & F32_FRACTION;
    if (e == 0) {
        const int32_t shift = (int32_t)__builtin_clz(m) - 8;
        *exponent = 1 - shift;
        return m << shift;
    }
    *exponent = e;
    return m | F32_HIDDEN;
}

float tmc_f32_rem(float a, float b) {
    const uint32_t sign = f32_bits(a) & F32_SIGN;
    const uint32_t ua = f32_bits(a) & ~F32_SIGN;
    const uint32_t ub = f32_bits(b) & ~F32_SIGN;
    if (ub == 0U || ua >= F32_INFINITY || ub > F32_INFINITY) {
        return f32_nan();
    }
    if (ua < ub) {
        return a;
    }
    int32_t ea;
    int32_t eb;
    uint32_t ma = f32_normalised(ua, &ea);
    const uint32_t mb = f32_normalised(ub, &eb);
    ma %= mb;
    for (int32_t left = ea - eb; left > 0 && ma != 0U;) {
        const int32_t step = left < 8 ? left : 8; /* 24 bits + 8 fit in 32 */
        ma = (ma << step) % mb;
        left -= step;
    }
    if (ma == 0U) {
        return f32_of(sign);
    }
    const int32_t shift = (int32_t)__builtin_clz(ma) - 8;
    if (eb - shift >= 1) {
        return f32_of(sign | ((uint32_t)(eb - shift) << 23) | ((ma << shift) & F32_FRACTION));
    }
    return f32_of(sign | (eb >= 1 ? ma << (eb - 1) : ma >> (1 - eb)));
}

/* ---- minimum and maximum: NaN wins, -0 < +0 ------------------------------------------------------------ */

double tmc_f64_min(double a, double b) {
    if (a != a || b != b) {
        return f64_nan();
    }
    if (a == b) {
        return f64_of(f64_bits(a) | f64_bits(b)); /* only zeros differ in their bits */
    }
    return a < b ? a : b;
}
double tmc_f64_max(double a, double b) {
    if (a != a || b != b) {
        return f64_nan();
    }
    if (a == b) {
        return f64_of(f64_bits(a) & f64_bits(b));
    }
    return a > b ? a : b;
}
float tmc_f32_min_rare(float a, float b) {
    return a == b ? f32_of(f32_bits(a) | f32_bits(b)) : f32_nan();
}
float tmc_f32_max_rare(float a, float b) {
    return a == b ? f32_of(f32_bits(a) & f32_bits(b)) : f32_nan();
}

/* ---- rounding to integers: the sign of a zero result is the argument's ----------------------------------
 */

double tmc_f64_trunc(double v) {
    const uint64_t bits = f64_bits(v);
    const int32_t exponent = (int32_t)((bits >> 52) & 0x7ffU) - 1023;
    if (exponent < 0) {
        return f64_of(bits & F64_SIGN);
    }
    return exponent >= 52 ? v : f64_of(bits & ~(F64_FRACTION >> exponent));
}
double tmc_f64_floor(double v) {
    const double t = tmc_f64_trunc(v);
    return v < t ? t - 1.0 : t;
}
double tmc_f64_ceil(double v) {
    const double t = tmc_f64_trunc(v);
    return v > t ? t + 1.0 : t;
}
double tmc_f64_round(double v) {
    const double f = tmc_f64_floor(v);
    const double r = v - f >= 0.5 ? f + 1.0 : f;
    return r == 0.0 ? f64_of(f64_bits(v) & F64_SIGN) : r;
}
float tmc_f32_trunc(float v) {
    const uint32_t bits = f32_bits(v);
    const int32_t exponent = (int32_t)((bits >> 23) & 0xffU) - 127;
    if (exponent < 0) {
        return f32_of(bits & F32_SIGN);
    }
    return exponent >= 23 ? v : f32_of(bits & ~(F32_FRACTION >> exponent));
}
float tmc_f32_floor(float v) {
    const float t = tmc_f32_trunc(v);
    return v < t ? t - 1.0f : t;
}
float tmc_f32_ceil(float v) {
    const float t = tmc_f32_trunc(v);
    return v > t ? t + 1.0f : t;
}
float tmc_f32_round(float v) {
    const float f = tmc_f32_floor(v);
    const float r = v - f >= 0.5f ? f + 1.0f : f;
    return r == 0.0f ? f32_of(f32_bits(v) & F32_SIGN) : r;
}

/* ---- sign and magnitude ----------------------------------------------------------------------------------
 */

double tmc_f64_sign(double v) {
    return v > 0.0 ? 1.0 : (v < 0.0 ? -1.0 : v);
}
float tmc_f32_sign(float v) {
    return v > 0.0f ? 1.0f : (v < 0.0f ? -1.0f : v);
}

/* ---- square root: correctly rounded, so hardware and software agree ---------------------------------------
 */

/* Digit by digit on the mantissa, 54 result bits: the last one rounds (a tie cannot happen). */
double tmc_f64_sqrt(double v) {
#if defined(__x86_64__) && !defined(TMC_SOFTWARE_SQRT)
    double r;
    __asm__("sqrtsd %1, %0" : "=x"(r) : "x"(v));
    return r;
#elif defined(__aarch64__) && !defined(TMC_SOFTWARE_SQRT)
    double r;
    __asm__("fsqrt %d0, %d1" : "=w"(r) : "w"(v));
    return r;
#elif defined(__wasm__) && !defined(TMC_SOFTWARE_SQRT)
    return __builtin_sqrt(v); /* an instruction */
#else
    const uint64_t bits = f64_bits(v);
    if ((bits & ~F64_SIGN) == 0U || bits == F64_INFINITY || v != v) {
        return v;
    }
    if ((bits & F64_SIGN) != 0U) {
        return f64_nan();
    }
    int32_t e;
    uint64_t m = f64_normalised(bits, &e);
    e -= 1075;
    if (((uint32_t)e & 1U) != 0U) {
        m <<= 1;
        e -= 1;
    }
    uint64_t root = 0U;
    uint64_t rest = 0U;
    for (int32_t step = 0; step < 54; step++) {
        rest = (rest << 2) | ((m >> 52) & 3U); /* the two top bits of m's 54; zeros follow */
        m = (m << 2) & 0x003fffffffffffffULL;
        root <<= 1;
        const uint64_t trial = (root << 1) | 1U;
        if (rest >= trial) {
            rest -= trial;
            root |= 1U;
        }
    }
    const uint64_t rounded =
        (root >> 1) + (root & 1U); /* 2^53 carries into the exponent by the addition below */
    return f64_of(((uint64_t)(uint32_t)((e - 54) / 2 + 1 + 1074) << 52) + rounded);
#endif
}

#ifdef TMC_F32_SQRT_IN_SOFTWARE
float tmc_f32_sqrt(float v) {
    return (float)tmc_f64_sqrt((double)v); /* 53 >= 2 * 24 + 2: rounding twice is rounding once */
}
#endif
