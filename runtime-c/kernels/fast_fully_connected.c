/*
 * Fully connected layer, row by row; four outputs at a time in one instruction per multiplication
 * (dense_block.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"
#include "dense_block.h"

static void one_row(const tmc_fast_fully_connected *layer, const int8_t *input, int8_t *output) {
    const int32_t rest = layer->output_depth % 4;
    tmc_k_dense_block block = {
        .stream = layer->stream,
        .input = input,
        .requantization = layer->requantization,
        .step = layer->requantization_step * (int32_t)sizeof(tmc_right_shift),
        .output = output,
        .fours = layer->output_depth / 4,
    };
    tmc_k_dense_turns(&block, layer->input_depth);
    if (block.fours > 0) {
        tmc_k_run_dense_block(&block);
    }
    if (rest > 0) {
        int8_t last[4];
        int8_t *const to = block.output;
        block.output = last;
        block.fours = 1;
        tmc_k_run_dense_block(&block);
        for (int32_t i = 0; i < rest; i++) {
            to[i] = last[i];
        }
    }
    if (layer->min > INT8_MIN || layer->max < INT8_MAX) {
        for (int32_t c = 0; c < layer->output_depth; c++) {
            output[c] = (int8_t)tmc_k_clamp(output[c], layer->min, layer->max);
        }
    }
}

void tmc_fast_fully_connected_s8(const tmc_fast_fully_connected *layer, const int8_t *input, int8_t *output) {
    for (int32_t row = 0; row < layer->rows; row++) {
        one_row(layer, input, output);
        input += layer->input_depth;
        output += layer->output_depth;
    }
}
