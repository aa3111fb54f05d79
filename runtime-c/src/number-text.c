/*
 * Numbers as ECMAScript's Number::toString prints them (radix 10): integers, and doubles as the shortest
 * decimal that reads back the same, the closest of those. Exact by construction (Steele and White's
 * free-format algorithm, as refined by Dybvig and Burger) on fixed-size big integers: no tables, no heap,
 * about 0.5 KB of stack. It does not parse.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/tmc.h"

/* ---- big natural numbers, least significant word first ------------------------------------------------- */

/* The largest number below is ten times the scale of 2^-1022: 772 bits. */
#define BIG_WORDS 26
#define DIGITS_MAX 17

typedef struct {
    uint32_t word[BIG_WORDS];
    int32_t size; /* words in use; the top one is not 0 */
} big;

static void big_set(big *x, uint64_t v) {
    x->word[0] = (uint32_t)v;
    x->word[1] = (uint32_t)(v >> 32);
    x->size = x->word[1] != 0U ? 2 : 1;
}

static void big_multiply(big *x, uint32_t factor) {
    uint32_t carry = 0U;
    for (int32_t i = 0; i < x->size; i++) {
        const uint64_t product = (uint64_t)x->word[i] * factor + carry;
        x->word[i] = (uint32_t)product;
        carry = (uint32_t)(product >> 32);
    }
    if (carry != 0U) {
        x->word[x->size++] = carry;
    }
}

static void big_multiply_power_of_5(big *x, int32_t n) {
    for (; n >= 13; n -= 13) {
        big_multiply(x, 1220703125U); /* 5^13, the largest in a word */
    }
    for (; n > 0; n--) {
        big_multiply(x, 5U);
    }
}

static void big_shift_left(big *x, int32_t n) {
    const int32_t words = n / 32;
    const uint32_t bits = (uint32_t)n % 32U;
    if (words > 0) {
        for (int32_t i = x->size - 1; i >= 0; i--) {
            x->word[i + words] = x->word[i];
        }
        for (int32_t i = 0; i < words; i++) {
            x->word[i] = 0U;
        }
        x->size += words;
    }
    if (bits > 0U) {
        big_multiply(x, 1U << bits);
    }
}

static int32_t big_compare(const big *a, const big *b) {
    if (a->size != b->size) {
        return a->size - b->size;
    }
    for (int32_t i = a->size - 1; i >= 0; i--) {
        if (a->word[i] != b->word[i]) {
            return a->word[i] < b->word[i] ? -1 : 1;
        }
    }
    return 0;
}

/* The sign of a + times * b - c. */
static int32_t big_compare_sum(const big *a, const big *b, int32_t times, const big *c) {
    big sum = *a;
    for (int32_t t = 0; t < times; t++) {
        uint32_t carry = 0U;
        for (int32_t i = 0; i < b->size || carry != 0U; i++) {
            if (i == sum.size) {
                sum.word[sum.size++] = 0U;
            }
            const uint64_t s = (uint64_t)sum.word[i] + (i < b->size ? b->word[i] : 0U) + carry;
            sum.word[i] = (uint32_t)s;
            carry = (uint32_t)(s >> 32);
        }
    }
    return big_compare(&sum, c);
}

/* a -= b; a >= b. */
static void big_subtract(big *a, const big *b) {
    uint32_t borrow = 0U;
    for (int32_t i = 0; i < a->size; i++) {
        const uint64_t d = (uint64_t)a->word[i] - (i < b->size ? b->word[i] : 0U) - borrow;
        a->word[i] = (uint32_t)d;
        borrow = (uint32_t)(d >> 32) & 1U;
    }
    while (a->size > 1 && a->word[a->size - 1] == 0U) {
        a->size--;
    }
}

/* ---- shortest digits ------------------------------------------------------------------------------------
 */

/* v = mantissa * 2^exponent > 0. Writes the digits d1 d2 ... dn (each 0-9) and returns n; v is about
 * 0.d1d2...dn * 10^point. narrow_below: the next smaller double is half as far as the next larger one. */
static int32_t shortest_digits(uint64_t mantissa, int32_t exponent, bool narrow_below, uint8_t *digits,
                               int32_t *point) {
    const bool even = (mantissa & 1U) == 0U;    /* an even neighbour owns the midpoint */
    const int32_t above = narrow_below ? 2 : 1; /* half the gap above, in units of half the gap below */

    /* floor(log10(2^top)) + 1: right, or one too small. 78913 / 2^18 is log10(2) to 6 digits. */
    const int32_t top = exponent + 63 - (int32_t)__builtin_clzll(mantissa);
    int32_t k = ((top * 78913) >> 18) + 1;

    /* v / 10^k = rest / scale, half the gap below / 10^k = half_gap / scale; common factors 2 removed. */
    const int32_t negative_k = k < 0 ? -k : 0;
    const int32_t positive_k = k > 0 ? k : 0;
    int32_t gap2 = exponent + negative_k;
    int32_t rest2 = gap2 + above;
    int32_t scale2 = above + positive_k;
    const int32_t common = gap2 < scale2 ? gap2 : scale2;
    gap2 -= common;
    rest2 -= common;
    scale2 -= common;
    big rest;
    big half_gap;
    big scale;
    big_set(&rest, mantissa);
    big_multiply_power_of_5(&rest, negative_k);
    big_shift_left(&rest, rest2);
    big_set(&half_gap, 1U);
    big_multiply_power_of_5(&half_gap, negative_k);
    big_shift_left(&half_gap, gap2);
    big_set(&scale, 1U);
    big_multiply_power_of_5(&scale, positive_k);
    big_shift_left(&scale, scale2);

    const int32_t reach = big_compare_sum(&rest, &half_gap, above, &scale);
    bool more = !(even ? reach >= 0 : reach > 0);
    if (!more) {
        k++; /* the estimate was one too small: the first digit is there without the factor 10 */
    }
    *point = k;

    for (int32_t n = 0;; n++) {
        if (more) {
            big_multiply(&rest, 10U);
            big_multiply(&half_gap, 10U);
        }
        more = true;
        uint8_t digit = 0U;
        while (big_compare(&rest, &scale) >= 0) {
            big_subtract(&rest, &scale);
            digit++;
        }
        const int32_t low_order = big_compare(&rest, &half_gap);
        const int32_t high_order = big_compare_sum(&rest, &half_gap, above, &scale);
        const bool low = even ? low_order <= 0 : low_order < 0;
        const bool high = even ? high_order >= 0 : high_order > 0;
        if (low || high) {
            bool up = high;
            if (low &&
                high) { /* both neighbours read back the same: the closer one, an even digit in a tie */
                const int32_t half = big_compare_sum(&rest, &rest, 1, &scale);
                up = half > 0 || (half == 0 && (digit & 1U) != 0U);
            }
            digits[n] = (uint8_t)(digit + (up ? 1U : 0U));
            return n + 1;
        }
        digits[n] = digit;
    }
}

/* ---- text ------------------------------------------------------------------------------------------------
 */

static int32_t put_literal(uint8_t *out, const char *text) {
    int32_t n = 0;
    for (; text[n] != '\0'; n++) {
        out[n] = (uint8_t)text[n];
    }
    return n;
}

static int32_t put_zeros(uint8_t *out, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        out[i] = (uint8_t)'0';
    }
    return count;
}

/* Digits as characters, with a decimal point after the first `before` of them when some are left. */
static int32_t put_digits(uint8_t *out, const uint8_t *digits, int32_t count, int32_t before) {
    int32_t n = 0;
    for (int32_t i = 0; i < count; i++) {
        if (i == before) {
            out[n++] = (uint8_t)'.';
        }
        out[n++] = (uint8_t)('0' + digits[i]);
    }
    return n;
}

/* The least significant `width` digits of v, with leading zeros; width 0 = as many as it has. */
static int32_t put_u32(uint8_t *out, uint32_t v, int32_t width) {
    uint8_t reversed[10];
    int32_t n = 0;
    do {
        reversed[n++] = (uint8_t)('0' + v % 10U);
        v /= 10U;
    } while (v != 0U || n < width);
    for (int32_t i = 0; i < n; i++) {
        out[i] = reversed[n - 1 - i];
    }
    return n;
}

int32_t tmc_format_u32(uint8_t *out, uint32_t v) {
    return put_u32(out, v, 0);
}

int32_t tmc_format_i32(uint8_t *out, int32_t v) {
    if (v >= 0) {
        return put_u32(out, (uint32_t)v, 0);
    }
    out[0] = (uint8_t)'-';
    return 1 + put_u32(out + 1, 0U - (uint32_t)v, 0);
}

/* Nine digits at a time: two divisions of 64 bits for each. */
static int32_t put_integer(uint8_t *out, uint64_t v) {
    uint32_t low[2];
    int32_t parts = 0;
    while (v >= 1000000000U) {
        low[parts++] = (uint32_t)(v % 1000000000U);
        v /= 1000000000U;
    }
    int32_t n = put_u32(out, (uint32_t)v, 0);
    while (parts > 0) {
        n += put_u32(out + n, low[--parts], 9);
    }
    return n;
}

int32_t tmc_format_u64(uint8_t *out, uint64_t v) {
    return put_integer(out, v);
}

int32_t tmc_format_i64(uint8_t *out, int64_t v) {
    if (v >= 0) {
        return put_integer(out, (uint64_t)v);
    }
    out[0] = (uint8_t)'-';
    return 1 + put_integer(out + 1, 0U - (uint64_t)v);
}

static int32_t put_decimal(uint8_t *out, const uint8_t *digits, int32_t count, int32_t point) {
    if (point > 0 && point <= 21) {
        const int32_t n = put_digits(out, digits, count, point);
        return count < point ? n + put_zeros(out + n, point - count) : n;
    }
    if (point > -6 && point <= 0) {
        int32_t n = put_literal(out, "0.");
        n += put_zeros(out + n, -point);
        return n + put_digits(out + n, digits, count, count);
    }
    int32_t n = put_digits(out, digits, count, 1);
    out[n++] = (uint8_t)'e';
    out[n++] = (uint8_t)(point > 0 ? '+' : '-');
    return n + put_u32(out + n, (uint32_t)(point > 0 ? point - 1 : 1 - point), 0);
}

int32_t tmc_format_f64(uint8_t *out, double v) {
    const union {
        double value;
        uint64_t bits;
    } view = {.value = v};
    const uint64_t fraction = view.bits & 0x000fffffffffffffULL;
    const int32_t biased = (int32_t)((view.bits >> 52) & 0x7ffU);
    if (biased == 0x7ff && fraction != 0U) {
        return put_literal(out, "NaN");
    }
    int32_t n = 0;
    if ((view.bits >> 63) != 0U && (view.bits << 1) != 0U) { /* -0 prints as 0 */
        out[n++] = (uint8_t)'-';
    }
    if (biased == 0x7ff) {
        return n + put_literal(out + n, "Infinity");
    }
    const uint64_t mantissa = biased == 0 ? fraction : fraction | 0x0010000000000000ULL;
    const int32_t exponent = (biased == 0 ? 1 : biased) - 1075;
    if (mantissa == 0U) {
        return put_u32(out, 0U, 0);
    }
    if (exponent <= 0 && exponent > -53 && (mantissa & ((1ULL << -exponent) - 1U)) == 0U) {
        return n + put_integer(out + n, mantissa >> -exponent);
    }
    uint8_t digits[DIGITS_MAX];
    int32_t point;
    const int32_t count = shortest_digits(mantissa, exponent, fraction == 0U && biased > 1, digits, &point);
    return n + put_decimal(out + n, digits, count, point);
}
