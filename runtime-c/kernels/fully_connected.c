/*
 * Fully connected layer: a matrix of weights times each row of the input, four outputs at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"

static uint32_t start_of(const tmc_fully_connected *layer, int32_t channel) {
    return layer->bias == NULL ? 0U : (uint32_t)layer->bias[channel];
}

static void four_channels(const tmc_fully_connected *layer, const int8_t *input, int32_t channel,
                          int8_t *output) {
    const ptrdiff_t depth = layer->input_depth;
    const int32_t offset = layer->input_offset;
    const int8_t *w0 = layer->filter + channel * depth;
    const int8_t *w1 = w0 + depth;
    const int8_t *w2 = w1 + depth;
    const int8_t *w3 = w2 + depth;
    uint32_t a0 = start_of(layer, channel);
    uint32_t a1 = start_of(layer, channel + 1);
    uint32_t a2 = start_of(layer, channel + 2);
    uint32_t a3 = start_of(layer, channel + 3);
    for (int32_t i = 0; i < layer->input_depth; i++) {
        const int32_t value = input[i] + offset;
        a0 += (uint32_t)(w0[i] * value);
        a1 += (uint32_t)(w1[i] * value);
        a2 += (uint32_t)(w2[i] * value);
        a3 += (uint32_t)(w3[i] * value);
    }
    output[channel] = tmc_k_requantize(a0, channel, &layer->requantization);
    output[channel + 1] = tmc_k_requantize(a1, channel + 1, &layer->requantization);
    output[channel + 2] = tmc_k_requantize(a2, channel + 2, &layer->requantization);
    output[channel + 3] = tmc_k_requantize(a3, channel + 3, &layer->requantization);
}

static void one_channel(const tmc_fully_connected *layer, const int8_t *input, int32_t channel,
                        int8_t *output) {
    const int8_t *w = layer->filter + (ptrdiff_t)channel * layer->input_depth;
    uint32_t acc = start_of(layer, channel);
    for (int32_t i = 0; i < layer->input_depth; i++) {
        acc += (uint32_t)(w[i] * (input[i] + layer->input_offset));
    }
    output[channel] = tmc_k_requantize(acc, channel, &layer->requantization);
}

void tmc_fully_connected_s8(const tmc_fully_connected *layer, const int8_t *input, int8_t *output) {
    for (int32_t row = 0; row < layer->rows; row++) {
        int32_t channel = 0;
        for (; channel + 4 <= layer->output_depth; channel += 4) {
            four_channels(layer, input, channel, output);
        }
        for (; channel < layer->output_depth; channel++) {
            one_channel(layer, input, channel, output);
        }
        input += layer->input_depth;
        output += layer->output_depth;
    }
}
