/*
 * Depthwise convolution by rows with any number of channels, depth multiplier, dilation, weights, biases and
 * requantisation. As in fast_depthwise_conv2d.c, the last input rows are kept as int16 with their padding,
 * here for groups of four output channels; channels that do not exist have zero weights.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdbool.h>
#include <stddef.h>

#include "arithmetic.h"
#include "depthwise_block.h"
#include "dsp.h"

/* Where a row of inputs goes: zeros, `inside` inputs, zeros. */
typedef struct {
    int32_t before, inside, after;
} span;

static uint32_t *zeros(uint32_t *row, int32_t count) {
    for (; count > 0; count--) {
        row[0] = 0U;
        row[1] = 0U;
        row += 2;
    }
    return row;
}

/* Four neighbouring input channels at `from`. May read 3 bytes after the input. */
static uint32_t *load_neighbours(const tmc_general_depthwise_conv2d *layer, const int8_t *from, int32_t count,
                                 uint32_t *row) {
    for (; count > 0; count--) {
        const uint32_t bytes = tmc_k_load4(from);
        row[0] = tmc_k_even_bytes(layer->offsets, bytes);
        row[1] = tmc_k_odd_bytes(layer->offsets, bytes);
        row += 2;
        from += layer->window.input_channels;
    }
    return row;
}

/* The input channels of the output channels c..c+3. */
static uint32_t *load_multiplied(const tmc_general_depthwise_conv2d *layer, const int8_t *from, int32_t c,
                                 int32_t count, uint32_t *row) {
    const int32_t offset = tmc_k_low(layer->offsets);
    int32_t channel[4];
    for (int32_t i = 0; i < 4; i++) {
        const int32_t existing = c + i < layer->window.output_channels ? c + i : c;
        channel[i] = existing / layer->depth_multiplier;
    }
    for (; count > 0; count--) {
        int32_t values[4];
        for (int32_t i = 0; i < 4; i++) {
            values[i] = from[channel[i]] + offset;
        }
        row[0] = ((uint32_t)values[0] & 0xffffU) | (uint32_t)values[2] << 16;
        row[1] = ((uint32_t)values[1] & 0xffffU) | (uint32_t)values[3] << 16;
        row += 2;
        from += layer->window.input_channels;
    }
    return row;
}

/* Input row `y` (or the padding above and below): groups of four channels, each with all columns. */
static void load_row(const tmc_general_depthwise_conv2d *layer, const int8_t *input, int32_t y,
                     uint32_t *row) {
    const tmc_window *w = &layer->window;
    const int8_t *const from = input + (ptrdiff_t)y * w->input_width * w->input_channels;
    const int32_t wanted = layer->columns - w->pad_left;
    span s = {.before = w->pad_left, .inside = wanted < w->input_width ? wanted : w->input_width};
    s.after = wanted - s.inside;
    if (y < 0 || y >= w->input_height) {
        s = (span){.before = layer->columns};
    }
    for (int32_t c = 0; c < w->output_channels; c += 4) {
        row = zeros(row, s.before);
        row = layer->depth_multiplier == 1 ? load_neighbours(layer, from + c, s.inside, row)
                                           : load_multiplied(layer, from, c, s.inside, row);
        row = zeros(row, s.after);
    }
}

/* A row of outputs of the channels c..c+3, of which `count` exist, one by one. */
static void row_of_any(const tmc_general_depthwise_conv2d *layer, const tmc_k_depthwise_row *row, int32_t c,
                       int32_t count) {
    for (int32_t x = 0; x < row->count; x++) {
        uint32_t sums[4] = {0U, 0U, 0U, 0U};
        for (int32_t i = 0; layer->bias != NULL && i < count; i++) {
            sums[i] = (uint32_t)layer->bias[c + i];
        }
        tmc_k_depthwise_sums(row, x * row->stride, row->stream, sums);
        for (int32_t i = 0; i < count; i++) {
            row->output[x * row->step + i] = tmc_k_requantize(sums[i], c + i, &layer->requantization);
        }
    }
}

/* The same where all channels shift right. `last`: room for four bytes of each output, for a last group that
 * is not full. */
static void row_of_right(const tmc_general_depthwise_conv2d *layer, tmc_k_depthwise_row *row, int32_t count,
                         int8_t *last) {
    const tmc_window *w = &layer->window;
    int8_t *const output = row->output;
    if (count < 4) {
        row->output = last;
        row->step = 4;
    }
    if (w->filter_height == 3 && w->filter_width == 3 && w->dilation_width == 1 && w->stride_width == 1) {
        tmc_k_depthwise_row_3x3(row);
    } else {
        tmc_k_depthwise_row_any(row);
    }
    row->output = output;
    row->step = w->output_channels;
    const int32_t min = layer->requantization.min;
    const int32_t max = layer->requantization.max;
    if (count == 4 && min == INT8_MIN && max == INT8_MAX) {
        return;
    }
    for (int32_t x = 0; x < row->count; x++) {
        int8_t *const to = output + (ptrdiff_t)x * row->step;
        const int8_t *const from = count < 4 ? last + (ptrdiff_t)4 * x : to;
        for (int32_t i = 0; i < count; i++) {
            to[i] = (int8_t)tmc_k_clamp(from[i], min, max);
        }
    }
}

void tmc_general_depthwise_conv2d_s8(const tmc_general_depthwise_conv2d *layer, const int8_t *input,
                                     uint32_t *rows, int8_t *output) {
    const tmc_window *w = &layer->window;
    const int32_t kept = (w->filter_height - 1) * w->dilation_height + 1;
    const int32_t groups = (w->output_channels + 3) / 4;
    const ptrdiff_t row_words = (ptrdiff_t)2 * layer->columns * groups;
    const ptrdiff_t stream_words =
        (ptrdiff_t)2 * w->filter_height * w->filter_width + (layer->right ? 16 : 0);
    int8_t *const last = (int8_t *)(rows + kept * row_words);
    int32_t next = -w->pad_top; /* the next input row to load */
    int32_t slot = 0;           /* where to */
    for (int32_t y = 0; y < w->output_height; y++) {
        const int32_t first = y * w->stride_height - w->pad_top;
        if (next < first) {
            next = first; /* rows between two windows */
        }
        for (; next < first + kept; next++) {
            load_row(layer, input, next, rows + slot * row_words);
            slot = slot + 1 == kept ? 0 : slot + 1;
        }
        tmc_k_depthwise_row row = {
            .stream = layer->stream,
            .output = output,
            .step = w->output_channels,
            .count = w->output_width,
            .height = w->filter_height,
            .width = w->filter_width,
            .tap_step = 8 * w->dilation_width,
            .stride = 8 * w->stride_width,
        };
        for (int32_t i = 0; i < w->filter_height; i++) {
            row.rows[i] = rows + (slot + i * w->dilation_height) % kept * row_words;
        }
        for (int32_t c = 0; c < w->output_channels; c += 4) {
            const int32_t count = w->output_channels - c < 4 ? w->output_channels - c : 4;
            if (layer->right) {
                row_of_right(layer, &row, count, last);
            } else {
                row_of_any(layer, &row, c, count);
            }
            for (int32_t i = 0; i < w->filter_height; i++) {
                row.rows[i] += (ptrdiff_t)2 * layer->columns;
            }
            row.stream += stream_words;
            row.output += 4;
        }
        output += (ptrdiff_t)w->output_width * w->output_channels;
    }
}
