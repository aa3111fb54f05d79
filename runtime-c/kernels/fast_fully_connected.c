/*
 * Fully connected layer, row by row; four or six outputs at a time in one instruction per multiplication
 * (dense_block.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"
#include "dense_block.h"

typedef void run_groups(tmc_k_dense_block *block);

/* With `run_six` sixes first, then fours; of a last group that is not full only what exists is kept. */
static void one_row(const tmc_fast_fully_connected *layer, const int8_t *input, int8_t *output,
                    run_groups *run_six) {
    const int32_t sixes = run_six == NULL ? 0 : tmc_k_dense_sixes(layer->output_depth);
    const tmc_right_shift shared = *layer->requantization; /* in RAM, if there is only one */
    const int32_t left = layer->output_depth - 6 * sixes;
    tmc_k_dense_block block = {
        .stream = layer->stream,
        .input = input,
        .requantization = layer->requantization_step == 0 ? &shared : layer->requantization,
        .step = layer->requantization_step * (int32_t)sizeof(tmc_right_shift),
        .output = output,
        .groups = sixes,
    };
    tmc_k_dense_turns(&block, layer->input_depth);
    if (run_six != NULL && sixes > 0) {
        run_six(&block);
    }
    if (left >= 4) {
        block.groups = left / 4;
        tmc_k_run_dense_block(&block);
    }
    if (left % 4 > 0) {
        int8_t last[4];
        int8_t *const to = block.output;
        block.output = last;
        block.groups = 1;
        tmc_k_run_dense_block(&block);
        for (int32_t i = 0; i < left % 4; i++) {
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
        one_row(layer, input, output, NULL);
        input += layer->input_depth;
        output += layer->output_depth;
    }
}

void tmc_fast_fully_connected_wide_s8(const tmc_fast_fully_connected *layer, const int8_t *input,
                                      int8_t *output) {
    for (int32_t row = 0; row < layer->rows; row++) {
        one_row(layer, input, output, tmc_k_run_dense_six);
        input += layer->input_depth;
        output += layer->output_depth;
    }
}
