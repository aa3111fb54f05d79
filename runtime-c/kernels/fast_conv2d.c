/*
 * Convolution by columns (conv_positions.h), all output channels of three positions at a time (conv_block.h):
 * layers that are proved to fit.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"
#include "conv_block.h"
#include "conv_positions.h"

static void clamp_row(const tmc_fast_conv2d *layer, int8_t *output) {
    for (int32_t i = 0; i < layer->window.output_channels; i++) {
        output[i] = (int8_t)tmc_k_clamp(output[i], layer->min, layer->max);
    }
}

/* All channels of some positions from their columns. With an odd number of channels the last pair repeats the
 * channel before it. Advances `outputs` by a position. */
void tmc_k_conv_run_fast(const tmc_fast_conv2d *layer, uint32_t *columns, int32_t triples, int8_t **outputs) {
    const int32_t channels = layer->window.output_channels;
    const int32_t turns = (layer->pairs / 2 + TMC_K_CONV_STEPS - 1) / TMC_K_CONV_STEPS;
    tmc_k_conv_block block = {
        .stream = layer->stream,
        .columns = columns,
        .turns = turns,
        .skipped = TMC_K_CONV_STEPS * turns - layer->pairs / 2,
        .channel_pairs = channels / 2,
        .outputs = outputs,
        .triples = triples,
        .copy = layer->copies ? columns + 3 * layer->pairs * layer->triples : NULL,
        .bytes = 4 * (layer->pairs + 8),
    };
    tmc_k_run_conv_block(&block);
    if (channels % 2 != 0) {
        block.channel_pairs = 1;
        for (int32_t p = 0; p < 3 * triples; p++) {
            outputs[p]--;
        }
        tmc_k_run_conv_block(&block);
    }
    if (layer->min > INT8_MIN || layer->max < INT8_MAX) {
        for (int32_t p = 0; p < 3 * triples; p++) {
            clamp_row(layer, outputs[p] - channels);
        }
    }
}

void tmc_fast_conv2d_s8(const tmc_fast_conv2d *layer, const int8_t *input, uint32_t *columns,
                        int8_t *output) {
    tmc_k_conv_positions(layer, input, columns, output, tmc_k_conv_run_fast, tmc_k_conv_edge_plain);
}

void tmc_fast_conv2d_dilated_s8(const tmc_fast_conv2d *layer, const int8_t *input, uint32_t *columns,
                                int8_t *output) {
    tmc_k_conv_positions(layer, input, columns, output, tmc_k_conv_run_fast, tmc_k_conv_edge_dilated);
}

void tmc_fast_conv2d_1x1_s8(const tmc_fast_conv2d *layer, const int8_t *input, uint32_t *columns,
                            int8_t *output) {
    const int32_t channels = layer->window.input_channels;
    for (int32_t left = layer->window.output_height * layer->window.output_width; left > 0;) {
        int8_t *to[TMC_FAST_CONV2D_POSITIONS];
        const int32_t triples = tmc_k_conv_next_triples(layer, left);
        uint32_t *column = columns;
        for (int32_t p = 0; p < triples; p++) {
            for (int32_t i = 0; i < 3; i++) {
                tmc_k_conv_expand(input, channels / 4, 1, 0, layer->offsets, column);
                to[3 * p + i] = output;
                column++;
                if (left > 1) {
                    left--;
                    input += channels;
                    output += layer->window.output_channels;
                } else if (p + 1 == triples && i + 1 == 3) {
                    left = 0;
                }
            }
            column += 3 * (layer->pairs - 1);
        }
        tmc_k_conv_run_fast(layer, columns, triples, to);
    }
}
