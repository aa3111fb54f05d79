/*
 * Depthwise convolution (depth multiplier 1) by rows: the last few input rows are kept as int16 with their
 * padding, four channels together, so that no window has an edge. A row of the input is read before the first
 * row of outputs that could overwrite it is written: a layer of stride 1 can work in place.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"
#include "depthwise_block.h"
#include "dsp.h"

/* Input row `y` (or the padding above and below) to its place in `row`: groups of four channels, each with
 * all columns. */
static void load_row(const tmc_fast_depthwise_conv2d *layer, const int8_t *input, int32_t y, uint32_t *row) {
    const tmc_window *w = &layer->window;
    const int32_t channels = w->input_channels;
    if (y < 0 || y >= w->input_height) {
        memset(row, 0, (size_t)layer->columns * (size_t)channels * 2U);
        return;
    }
    const int32_t wanted = layer->columns - w->pad_left;
    const int32_t inside = wanted < w->input_width ? wanted : w->input_width;
    const int32_t after = wanted - inside;
    const int8_t *const from = input + (ptrdiff_t)y * w->input_width * channels;
    for (int32_t c = 0; c < channels; c += 4) {
        const int8_t *at = from + c;
        for (int32_t i = 0; i < w->pad_left; i++) {
            row[0] = 0U;
            row[1] = 0U;
            row += 2;
        }
        for (int32_t i = 0; i < inside; i++) {
            const uint32_t bytes = tmc_k_load4(at);
            row[0] = tmc_k_even_bytes(layer->offsets, bytes);
            row[1] = tmc_k_odd_bytes(layer->offsets, bytes);
            row += 2;
            at += channels;
        }
        for (int32_t i = 0; i < after; i++) {
            row[0] = 0U;
            row[1] = 0U;
            row += 2;
        }
    }
}

static void clamp_row(const tmc_fast_depthwise_conv2d *layer, int8_t *output, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        output[i] = (int8_t)tmc_k_clamp(output[i], layer->min, layer->max);
    }
}

/* Unpacks the streams of `fours` times four channels to RAM: taps become two words. */
static const uint32_t *copy_stream(const uint32_t *from, int32_t taps, int32_t fours, uint32_t *copy) {
    uint32_t *to = copy;
    for (; fours > 0; fours--) {
        for (int32_t i = 0; i < 4; i++) {
            *to++ = *from++;
        }
        for (int32_t i = 0; i < taps; i++) {
            const uint32_t bytes = *from++;
            to[0] = tmc_k_even_bytes(tmc_k_even_bytes(0U, bytes), bytes); /* twice */
            to[1] = tmc_k_odd_bytes(tmc_k_odd_bytes(0U, bytes), bytes);
            to += 2;
        }
        for (int32_t i = 0; i < 12; i++) {
            *to++ = *from++;
        }
    }
    return copy;
}

/* Which row function: a constant, so that each kernel links only its own. */
typedef enum { ANY_WINDOW, WINDOW_3X3, WINDOW_3X3_STRIDE2 } kind;

static inline void depthwise(const tmc_fast_depthwise_conv2d *layer, const int8_t *input, uint32_t *rows,
                             int8_t *output, kind which) {
    const tmc_window *w = &layer->window;
    const int32_t height = w->filter_height;
    const int32_t channels = w->input_channels;
    const ptrdiff_t row_words = (ptrdiff_t)layer->columns * (channels / 2);
    const ptrdiff_t stream_words = 16 + (ptrdiff_t)2 * height * w->filter_width;
    const uint32_t *stream = layer->stream;
    if (layer->copies) {
        stream = copy_stream(stream, height * w->filter_width, channels / 4, rows + height * row_words);
    }
    int32_t next = -w->pad_top; /* the next input row to load */
    int32_t slot = 0;           /* where to */
    for (int32_t y = 0; y < w->output_height; y++) {
        const int32_t first = y * w->stride_height - w->pad_top;
        if (next < first) {
            next = first; /* rows between two windows */
        }
        for (; next < first + height; next++) {
            load_row(layer, input, next, rows + slot * row_words);
            slot = slot + 1 == height ? 0 : slot + 1;
        }
        tmc_k_depthwise_row row = {
            .stream = stream,
            .output = output,
            .step = channels,
            .count = w->output_width,
            .height = height,
            .width = w->filter_width,
            .tap_step = 8,
            .stride = 8 * w->stride_width,
        };
        for (int32_t i = 0; i < height; i++) {
            const int32_t at = slot + i < height ? slot + i : slot + i - height;
            row.rows[i] = rows + at * row_words;
        }
        for (int32_t c = 0; c < channels; c += 4) {
            if (which == WINDOW_3X3) {
                tmc_k_depthwise_row_3x3(&row);
            } else if (which == WINDOW_3X3_STRIDE2) {
                tmc_k_depthwise_row_3x3_stride2(&row);
            } else {
                tmc_k_depthwise_row_any(&row);
            }
            for (int32_t i = 0; i < height; i++) {
                row.rows[i] += (ptrdiff_t)2 * layer->columns;
            }
            row.stream += stream_words;
            row.output += 4;
        }
        if (layer->min > INT8_MIN || layer->max < INT8_MAX) {
            clamp_row(layer, output, w->output_width * channels);
        }
        output += (ptrdiff_t)w->output_width * channels;
    }
}

void tmc_fast_depthwise_conv2d_s8(const tmc_fast_depthwise_conv2d *layer, const int8_t *input, uint32_t *rows,
                                  int8_t *output) {
    depthwise(layer, input, rows, output, ANY_WINDOW);
}

void tmc_fast_depthwise_conv2d_3x3_s8(const tmc_fast_depthwise_conv2d *layer, const int8_t *input,
                                      uint32_t *rows, int8_t *output) {
    depthwise(layer, input, rows, output, WINDOW_3X3);
}

void tmc_fast_depthwise_conv2d_3x3_stride2_s8(const tmc_fast_depthwise_conv2d *layer, const int8_t *input,
                                              uint32_t *rows, int8_t *output) {
    depthwise(layer, input, rows, output, WINDOW_3X3_STRIDE2);
}
