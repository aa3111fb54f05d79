/*
 * Fully connected layer: a matrix of weights times each row of the input.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"

void tmc_fully_connected_s8(const tmc_fully_connected *layer, const int8_t *input, int8_t *output) {
    const int32_t depth = layer->input_depth;
    const int32_t offset = layer->input_offset;
    for (int32_t row = 0; row < layer->rows; row++) {
        const int8_t *w = layer->filter;
        for (int32_t channel = 0; channel < layer->output_depth; channel++) {
            uint32_t acc = layer->bias == NULL ? 0U : (uint32_t)layer->bias[channel];
            for (int32_t i = 0; i < depth; i++) {
                acc += (uint32_t)(w[i] * (input[i] + offset));
            }
            w += depth;
            *output++ = tmc_k_requantize(acc, channel, &layer->requantization);
        }
        input += depth;
    }
}
