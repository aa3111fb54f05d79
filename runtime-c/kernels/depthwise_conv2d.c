/*
 * Depthwise convolution: each output channel reads one input channel. With depth multiplier 1, four
 * neighbouring channels are computed together.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"

/* What of one output position's window lies inside the input. */
typedef struct {
    tmc_k_span rows, columns;
    int32_t origin_y, origin_x;
} patch;

static uint32_t start_of(const tmc_depthwise_conv2d *layer, int32_t channel) {
    return layer->bias == NULL ? 0U : (uint32_t)layer->bias[channel];
}

static const int8_t *input_at(const tmc_window *w, const patch *p, const int8_t *input, int32_t row,
                              int32_t column) {
    const int32_t y = p->origin_y + row * w->dilation_height;
    const int32_t x = p->origin_x + column * w->dilation_width;
    return input + (ptrdiff_t)(y * w->input_width + x) * w->input_channels;
}

static void four_channels(const tmc_depthwise_conv2d *layer, const patch *p, const int8_t *input,
                          int32_t channel, int8_t *output) {
    const tmc_window *w = &layer->window;
    const int32_t offset = layer->input_offset;
    uint32_t a0 = start_of(layer, channel);
    uint32_t a1 = start_of(layer, channel + 1);
    uint32_t a2 = start_of(layer, channel + 2);
    uint32_t a3 = start_of(layer, channel + 3);
    for (int32_t row = p->rows.start; row < p->rows.end; row++) {
        for (int32_t column = p->columns.start; column < p->columns.end; column++) {
            const int8_t *in = input_at(w, p, input, row, column) + channel;
            const int8_t *f =
                layer->filter + (ptrdiff_t)(row * w->filter_width + column) * w->output_channels + channel;
            a0 += (uint32_t)(f[0] * (in[0] + offset));
            a1 += (uint32_t)(f[1] * (in[1] + offset));
            a2 += (uint32_t)(f[2] * (in[2] + offset));
            a3 += (uint32_t)(f[3] * (in[3] + offset));
        }
    }
    output[channel] = tmc_k_requantize(a0, channel, &layer->requantization);
    output[channel + 1] = tmc_k_requantize(a1, channel + 1, &layer->requantization);
    output[channel + 2] = tmc_k_requantize(a2, channel + 2, &layer->requantization);
    output[channel + 3] = tmc_k_requantize(a3, channel + 3, &layer->requantization);
}

static void one_channel(const tmc_depthwise_conv2d *layer, const patch *p, const int8_t *input, int32_t from,
                        int32_t channel, int8_t *output) {
    const tmc_window *w = &layer->window;
    uint32_t acc = start_of(layer, channel);
    for (int32_t row = p->rows.start; row < p->rows.end; row++) {
        for (int32_t column = p->columns.start; column < p->columns.end; column++) {
            const int32_t value = input_at(w, p, input, row, column)[from] + layer->input_offset;
            const ptrdiff_t tap = (ptrdiff_t)(row * w->filter_width + column) * w->output_channels + channel;
            acc += (uint32_t)(layer->filter[tap] * value);
        }
    }
    output[channel] = tmc_k_requantize(acc, channel, &layer->requantization);
}

void tmc_depthwise_conv2d_s8(const tmc_depthwise_conv2d *layer, const int8_t *input, int8_t *output) {
    const tmc_window *w = &layer->window;
    patch p;
    for (int32_t y = 0; y < w->output_height; y++) {
        p.origin_y = y * w->stride_height - w->pad_top;
        p.rows = tmc_k_inside(p.origin_y, w->filter_height, w->dilation_height, w->input_height);
        for (int32_t x = 0; x < w->output_width; x++) {
            p.origin_x = x * w->stride_width - w->pad_left;
            p.columns = tmc_k_inside(p.origin_x, w->filter_width, w->dilation_width, w->input_width);
            int32_t channel = 0;
            if (layer->depth_multiplier == 1) {
                for (; channel + 4 <= w->output_channels; channel += 4) {
                    four_channels(layer, &p, input, channel, output);
                }
            }
            for (; channel < w->output_channels; channel++) {
                one_channel(layer, &p, input, channel / layer->depth_multiplier, channel, output);
            }
            output += w->output_channels;
        }
    }
}
