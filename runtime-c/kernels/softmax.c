/*
 * Softmax in fixed point: exponentials of the differences to the row's maximum (Q5.26 in, Q0.31 out), their
 * sum (Q12.19), its reciprocal by Newton's method.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "arithmetic.h"

/* x * 2^exponent, saturated. */
static int32_t saturating_shift_left(int32_t x, int32_t exponent) {
    const int64_t product = (int64_t)x * ((int64_t)1 << exponent);
    return product > INT32_MAX ? INT32_MAX : (product < INT32_MIN ? INT32_MIN : (int32_t)product);
}

/* exp(a) for a in [-1/4, 0), both Q0.31: Taylor expansion around -1/8. */
static int32_t exp_on_quarter_interval(int32_t a) {
    const int32_t exp_minus_eighth = 1895147668;
    const int32_t one_third = 715827883;
    const int32_t x = tmc_k_add(a, 1 << 28);
    const int32_t x2 = tmc_k_high_mul(x, x);
    const int32_t x3 = tmc_k_high_mul(x2, x);
    const int32_t x4 = tmc_k_high_mul(x2, x2);
    const int32_t x4_over_4 = tmc_k_divide_pot(x4, 2);
    const int32_t rest =
        tmc_k_divide_pot(tmc_k_add(tmc_k_high_mul(tmc_k_add(x4_over_4, x3), one_third), x2), 1);
    return tmc_k_add(exp_minus_eighth, tmc_k_high_mul(exp_minus_eighth, tmc_k_add(x, rest)));
}

/* exp(a) for a <= 0: a in Q5.26, result in Q0.31 (INT32_MAX stands for 1). */
static int32_t exp_on_negative_values(int32_t a) {
    /* exp(-2^k) for k = -2..4 */
    static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t quarter = 1 << 24;
    if (a == 0) {
        return INT32_MAX;
    }
    const int32_t in_quarter = (a & (quarter - 1)) - quarter;
    const uint32_t remainder = (uint32_t)in_quarter - (uint32_t)a;
    int32_t result = exp_on_quarter_interval(saturating_shift_left(in_quarter, 5));
    for (int32_t k = 0; k < 7; k++) {
        if ((remainder & ((uint32_t)quarter << k)) != 0U) {
            result = tmc_k_high_mul(result, factors[k]);
        }
    }
    return result;
}

/* 1 / (1 + a) for a in [0, 1), Q0.31: three Newton-Raphson steps in Q2.29. */
static int32_t one_over_one_plus(int32_t a) {
    const int64_t sum = (int64_t)a + INT32_MAX;
    const int32_t half = (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
    int32_t x = tmc_k_add(1515870810, tmc_k_high_mul(half, -1010580540)); /* 48/17 - 32/17 * half */
    for (int32_t i = 0; i < 3; i++) {
        const int32_t error = (int32_t)((1U << 29) - (uint32_t)tmc_k_high_mul(half, x));
        x = tmc_k_add(x, saturating_shift_left(tmc_k_high_mul(x, error), 2));
    }
    return saturating_shift_left(x, 1);
}

static int32_t exponential(const tmc_softmax *layer, int32_t difference) {
    return exp_on_negative_values(
        tmc_k_high_mul_positive(tmc_k_shift_left(difference, layer->shift), layer->multiplier));
}

/* x > 0 */
static int32_t leading_zeros(uint32_t x) {
    int32_t count = 0;
    while ((x & 0x80000000U) == 0U) {
        x <<= 1;
        count++;
    }
    return count;
}

static void softmax_row(const tmc_softmax *layer, const int8_t *input, int8_t *output) {
    int32_t max = INT8_MIN;
    for (int32_t c = 0; c < layer->depth; c++) {
        max = input[c] > max ? input[c] : max;
    }
    int32_t sum = 0;
    for (int32_t c = 0; c < layer->depth; c++) {
        const int32_t difference = input[c] - max;
        if (difference >= layer->min_difference) {
            sum = tmc_k_add(sum, tmc_k_divide_pot(exponential(layer, difference), 12));
        }
    }
    const int32_t headroom = leading_zeros((uint32_t)sum);
    const int32_t reciprocal = one_over_one_plus((int32_t)(((uint32_t)sum << headroom) - 0x80000000U));
    const int32_t exponent = 12 - headroom + 23;
    for (int32_t c = 0; c < layer->depth; c++) {
        const int32_t difference = input[c] - max;
        int32_t value = INT8_MIN;
        if (difference >= layer->min_difference) {
            const int32_t probability = tmc_k_high_mul(reciprocal, exponential(layer, difference));
            value = tmc_k_clamp(tmc_k_divide_pot(probability, exponent) - 128, INT8_MIN, INT8_MAX);
        }
        output[c] = (int8_t)value;
    }
}

void tmc_softmax_s8(const tmc_softmax *layer, const int8_t *input, int8_t *output) {
    for (int32_t row = 0; row < layer->rows; row++) {
        softmax_row(layer, input, output);
        input += layer->depth;
        output += layer->depth;
    }
}
