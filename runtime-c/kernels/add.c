/*
 * Elementwise addition of two tensors with different scales: both are brought to a common one with 20 more
 * bits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "arithmetic.h"

void tmc_add_s8(const tmc_add *layer, const int8_t *left, const int8_t *right, int8_t *output) {
    for (int32_t i = 0; i < layer->count; i++) {
        const int32_t l = tmc_k_multiply(tmc_k_shift_left(left[i] + layer->left_offset, 20),
                                         layer->left_multiplier, layer->left_shift);
        const int32_t r = tmc_k_multiply(tmc_k_shift_left(right[i] + layer->right_offset, 20),
                                         layer->right_multiplier, layer->right_shift);
        const int32_t sum = tmc_k_multiply(tmc_k_add(l, r), layer->output_multiplier, layer->output_shift);
        output[i] = (int8_t)tmc_k_clamp(tmc_k_add(sum, layer->output_offset), layer->min, layer->max);
    }
}
