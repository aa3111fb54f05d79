/*
 * Sum (and mean, which is a sum with another multiplier), maximum and minimum along axes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"

typedef enum { SUM, MAXIMUM, MINIMUM } reduction;

/* All inputs of one output. */
static inline int32_t reduced(const tmc_axis *axes, const int8_t *input, reduction what) {
    int32_t result = what == SUM ? 0 : (what == MAXIMUM ? INT8_MIN : INT8_MAX);
    for (int32_t i = 0; i < axes[0].count; i++) {
        for (int32_t j = 0; j < axes[1].count; j++) {
            const int8_t *from = input + (ptrdiff_t)i * axes[0].step + (ptrdiff_t)j * axes[1].step;
            for (int32_t k = 0; k < axes[2].count; k++) {
                const int32_t value = from[(ptrdiff_t)k * axes[2].step];
                if (what == SUM) {
                    result += value;
                } else if (what == MAXIMUM) {
                    result = value > result ? value : result;
                } else {
                    result = value < result ? value : result;
                }
            }
        }
    }
    return result;
}

static inline void reduce(const tmc_reduce *layer, const int8_t *input, int8_t *output, reduction what) {
    const tmc_axis *kept = layer->kept;
    for (int32_t i = 0; i < kept[0].count; i++) {
        for (int32_t j = 0; j < kept[1].count; j++) {
            const int8_t *from = input + (ptrdiff_t)i * kept[0].step + (ptrdiff_t)j * kept[1].step;
            for (int32_t k = 0; k < kept[2].count; k++) {
                int32_t value = reduced(layer->reduced, from + (ptrdiff_t)k * kept[2].step, what);
                if (what == SUM) {
                    value = tmc_k_multiply(value + layer->total, layer->multiplier, layer->shift);
                    value = tmc_k_clamp(tmc_k_add(value, layer->output_offset), INT8_MIN, INT8_MAX);
                }
                *output++ = (int8_t)value;
            }
        }
    }
}

void tmc_sum_s8(const tmc_reduce *layer, const int8_t *input, int8_t *output) {
    reduce(layer, input, output, SUM);
}

void tmc_reduce_max_s8(const tmc_reduce *layer, const int8_t *input, int8_t *output) {
    reduce(layer, input, output, MAXIMUM);
}

void tmc_reduce_min_s8(const tmc_reduce *layer, const int8_t *input, int8_t *output) {
    reduce(layer, input, output, MINIMUM);
}
