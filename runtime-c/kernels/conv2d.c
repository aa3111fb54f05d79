/*
 * Convolution: for each output position, four output channels at a time share the loads of the input. Rows of
 * the window are contiguous runs in input and filter unless it is dilated in width.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"

/* What of one output position's window lies inside the input, as runs of `length` bytes. */
typedef struct {
    const int8_t *input; /* first byte of the first run */
    ptrdiff_t filter;    /* its place in the filter of a channel */
    int32_t rows, runs;  /* rows of the window, runs of a row */
    int32_t length;      /* bytes of a run */
    ptrdiff_t input_row; /* steps from row to row and from run to run */
    ptrdiff_t filter_row;
    ptrdiff_t input_run;
    ptrdiff_t filter_run;
} patch;

static patch patch_at(const tmc_window *w, const int8_t *input, int32_t y, int32_t x) {
    const int32_t origin_y = y * w->stride_height - w->pad_top;
    const int32_t origin_x = x * w->stride_width - w->pad_left;
    const tmc_k_span rows = tmc_k_inside(origin_y, w->filter_height, w->dilation_height, w->input_height);
    const tmc_k_span columns = tmc_k_inside(origin_x, w->filter_width, w->dilation_width, w->input_width);
    const int32_t first_y = origin_y + rows.start * w->dilation_height;
    const int32_t first_x = origin_x + columns.start * w->dilation_width;
    const int32_t width = columns.end > columns.start ? columns.end - columns.start : 0;
    patch p;
    p.rows = width > 0 && rows.end > rows.start ? rows.end - rows.start : 0;
    p.input =
        p.rows > 0 ? input + (ptrdiff_t)(first_y * w->input_width + first_x) * w->input_channels : input;
    p.filter = (ptrdiff_t)(rows.start * w->filter_width + columns.start) * w->input_channels;
    p.runs = w->dilation_width == 1 ? 1 : width;
    p.length = w->dilation_width == 1 ? width * w->input_channels : w->input_channels;
    p.input_row = (ptrdiff_t)w->dilation_height * w->input_width * w->input_channels;
    p.filter_row = (ptrdiff_t)w->filter_width * w->input_channels;
    p.input_run = (ptrdiff_t)w->dilation_width * w->input_channels;
    p.filter_run = w->input_channels;
    return p;
}

static uint32_t start_of(const tmc_conv2d *layer, int32_t channel) {
    return layer->bias == NULL ? 0U : (uint32_t)layer->bias[channel];
}

static void four_channels(const tmc_conv2d *layer, const patch *p, int32_t channel, ptrdiff_t size,
                          int8_t *output) {
    const int32_t offset = layer->input_offset;
    uint32_t a0 = start_of(layer, channel);
    uint32_t a1 = start_of(layer, channel + 1);
    uint32_t a2 = start_of(layer, channel + 2);
    uint32_t a3 = start_of(layer, channel + 3);
    for (int32_t row = 0; row < p->rows; row++) {
        for (int32_t run = 0; run < p->runs; run++) {
            const int8_t *in = p->input + row * p->input_row + run * p->input_run;
            const int8_t *w0 =
                layer->filter + channel * size + p->filter + row * p->filter_row + run * p->filter_run;
            const int8_t *w1 = w0 + size;
            const int8_t *w2 = w1 + size;
            const int8_t *w3 = w2 + size;
            for (int32_t i = 0; i < p->length; i++) {
                const int32_t value = in[i] + offset;
                a0 += (uint32_t)(w0[i] * value);
                a1 += (uint32_t)(w1[i] * value);
                a2 += (uint32_t)(w2[i] * value);
                a3 += (uint32_t)(w3[i] * value);
            }
        }
    }
    output[channel] = tmc_k_requantize(a0, channel, &layer->requantization);
    output[channel + 1] = tmc_k_requantize(a1, channel + 1, &layer->requantization);
    output[channel + 2] = tmc_k_requantize(a2, channel + 2, &layer->requantization);
    output[channel + 3] = tmc_k_requantize(a3, channel + 3, &layer->requantization);
}

static void one_channel(const tmc_conv2d *layer, const patch *p, int32_t channel, ptrdiff_t size,
                        int8_t *output) {
    const int32_t offset = layer->input_offset;
    uint32_t acc = start_of(layer, channel);
    for (int32_t row = 0; row < p->rows; row++) {
        for (int32_t run = 0; run < p->runs; run++) {
            const int8_t *in = p->input + row * p->input_row + run * p->input_run;
            const int8_t *w =
                layer->filter + channel * size + p->filter + row * p->filter_row + run * p->filter_run;
            for (int32_t i = 0; i < p->length; i++) {
                acc += (uint32_t)(w[i] * (in[i] + offset));
            }
        }
    }
    output[channel] = tmc_k_requantize(acc, channel, &layer->requantization);
}

void tmc_conv2d_s8(const tmc_conv2d *layer, const int8_t *input, int8_t *output) {
    const tmc_window *w = &layer->window;
    const ptrdiff_t size = (ptrdiff_t)w->filter_height * w->filter_width * w->input_channels;
    for (int32_t y = 0; y < w->output_height; y++) {
        for (int32_t x = 0; x < w->output_width; x++) {
            const patch p = patch_at(w, input, y, x);
            int32_t channel = 0;
            for (; channel + 4 <= w->output_channels; channel += 4) {
                four_channels(layer, &p, channel, size, output);
            }
            for (; channel < w->output_channels; channel++) {
                one_channel(layer, &p, channel, size, output);
            }
            output += w->output_channels;
        }
    }
}
