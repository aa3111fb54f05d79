/*
 * Elementwise addition of two tensors with different scales: the operand with the larger scale is exactly its
 * value times 2^19, so only the other one needs a multiplication.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "arithmetic.h"
#include "dsp.h"

void tmc_fast_add_s8(const tmc_fast_add *layer, const int8_t *scaled, const int8_t *plain, int8_t *output) {
    const tmc_fast_add l = *layer; /* in registers: writing the output could change nothing of it */
    const uint32_t offset = (uint32_t)l.scaled_offset << 21;
    for (const int8_t *const end = output + l.count; output < end; output++) {
        const int32_t twice = (int32_t)(offset + ((uint32_t)*scaled++ << 21));
        const int32_t rounding = l.scaled_rounding + (twice >> 31);
        const int32_t x = tmc_k_high_word(twice, l.scaled_multiplier, rounding) >> l.scaled_shift;
        const uint32_t sum = (uint32_t)x + ((uint32_t)*plain++ << 19);
        *output = (int8_t)tmc_k_requantize_right((int32_t)(sum << 1), &l.output);
    }
}
