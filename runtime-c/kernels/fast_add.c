/*
 * Elementwise addition of two tensors with different scales: the operand with the larger scale is exactly its
 * value times 2^19, so only the other one needs a multiplication.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "arithmetic.h"
#include "dsp.h"

static inline int32_t sum_of(const tmc_fast_add *layer, int32_t scaled, int32_t plain) {
    int32_t x =
        tmc_k_high_word((int32_t)((uint32_t)(scaled + layer->scaled_offset) << 21), layer->scaled_multiplier);
    x += x >> 31;
    x = (x + layer->scaled_rounding) >> layer->scaled_shift;
    x += (int32_t)((uint32_t)plain << 19) + layer->plain_offset;
    return tmc_k_requantize_right(x * 2, &layer->output);
}

void tmc_fast_add_s8(const tmc_fast_add *layer, const int8_t *scaled, const int8_t *plain, int8_t *output) {
    const tmc_fast_add l = *layer; /* in registers: the output could overlap nothing of it */
    for (int32_t i = 0; i < l.count; i++) {
        output[i] = (int8_t)tmc_k_clamp(sum_of(&l, scaled[i], plain[i]), l.min, l.max);
    }
}
