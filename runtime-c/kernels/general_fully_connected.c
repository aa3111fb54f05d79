/*
 * Fully connected layer with any weights, biases and requantisation: fast multiplications, outputs one by
 * one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "arithmetic.h"
#include "dense_block.h"

void tmc_general_fully_connected_s8(const tmc_general_fully_connected *layer, const int8_t *input,
                                    int8_t *output) {
    for (int32_t row = 0; row < layer->rows; row++) {
        tmc_k_dense_block block = {.stream = layer->stream, .input = input};
        tmc_k_dense_turns(&block, layer->input_depth);
        for (int32_t c = 0; c < layer->output_depth; c += 4) {
            uint32_t sums[4];
            memcpy(sums, layer->bias + c, sizeof sums);
            tmc_k_run_dense_sums(&block, sums);
            for (int32_t i = 0; i < 4 && c + i < layer->output_depth; i++) {
                *output++ = tmc_k_requantize(sums[i], c + i, &layer->requantization);
            }
        }
        input += layer->input_depth;
    }
}
