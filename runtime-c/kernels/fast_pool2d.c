/*
 * Maximum and average pooling of at least four channels, four at a time. Of a number of channels that is no
 * multiple of 4 the last four are computed once more together.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"
#include "dsp.h"

/* The inputs of one output position: the first of them, and how many. */
typedef struct {
    const int8_t *input;
    int32_t rows, columns;
} area;

static area area_at(const tmc_window *w, const int8_t *input, int32_t y, int32_t x) {
    const tmc_k_span rows = tmc_k_inside(y, w->filter_height, 1, w->input_height);
    const tmc_k_span columns = tmc_k_inside(x, w->filter_width, 1, w->input_width);
    const ptrdiff_t first = (ptrdiff_t)(y + rows.start) * w->input_width + x + columns.start;
    return (area){.input = input + first * w->input_channels,
                  .rows = rows.end - rows.start,
                  .columns = columns.end - columns.start};
}

typedef void four_channels(const tmc_pool2d *layer, const area *a, const int8_t *input, int8_t *output);

static void max_four(const tmc_pool2d *layer, const area *a, const int8_t *input, int8_t *output) {
    const int32_t channels = layer->window.input_channels;
    const ptrdiff_t row = (ptrdiff_t)(layer->window.input_width - a->columns) * channels;
    uint32_t max = tmc_k_load4(input);
    for (int32_t y = a->rows; y > 0; y--) {
        for (int32_t x = a->columns; x > 0; x--) {
            max = tmc_k_max_bytes(max, tmc_k_load4(input));
            input += channels;
        }
        input += row;
    }
    tmc_k_store4(output, max);
}

/* Rounded to nearest, halves away from zero. */
static inline int8_t average(int32_t sum, int32_t count, int32_t half) {
    return (int8_t)((sum > 0 ? sum + half : sum - half) / count);
}

/* Sums of up to 255 inputs fit in 16 bits. */
static void average_four(const tmc_pool2d *layer, const area *a, const int8_t *input, int8_t *output) {
    const int32_t channels = layer->window.input_channels;
    const ptrdiff_t row = (ptrdiff_t)(layer->window.input_width - a->columns) * channels;
    int32_t s0 = 0;
    int32_t s1 = 0;
    int32_t s2 = 0;
    int32_t s3 = 0;
    for (int32_t y = a->rows; y > 0; y--) {
        for (int32_t left = a->columns; left > 0;) {
            uint32_t even = 0U;
            uint32_t odd = 0U;
            int32_t together = left < 255 ? left : 255;
            left -= together;
            for (; together > 0; together--) {
                const uint32_t bytes = tmc_k_load4(input);
                even = tmc_k_even_bytes(even, bytes);
                odd = tmc_k_odd_bytes(odd, bytes);
                input += channels;
            }
            s0 += tmc_k_low(even);
            s1 += tmc_k_low(odd);
            s2 += tmc_k_high(even);
            s3 += tmc_k_high(odd);
        }
        input += row;
    }
    const int32_t count = a->rows * a->columns;
    const int32_t half = count / 2;
    output[0] = average(s0, count, half);
    output[1] = average(s1, count, half);
    output[2] = average(s2, count, half);
    output[3] = average(s3, count, half);
}

static inline void pool(const tmc_pool2d *layer, const int8_t *input, int8_t *output, four_channels *four) {
    const tmc_window *w = &layer->window;
    const int32_t channels = w->input_channels;
    for (int32_t y = 0; y < w->output_height; y++) {
        for (int32_t x = 0; x < w->output_width; x++) {
            const area a =
                area_at(w, input, y * w->stride_height - w->pad_top, x * w->stride_width - w->pad_left);
            for (int32_t c = 0; c + 4 <= channels; c += 4) {
                four(layer, &a, a.input + c, output + c);
            }
            if (channels % 4 != 0) {
                four(layer, &a, a.input + channels - 4, output + channels - 4);
            }
            if (layer->min > INT8_MIN || layer->max < INT8_MAX) {
                for (int32_t c = 0; c < channels; c++) {
                    output[c] = (int8_t)tmc_k_clamp(output[c], layer->min, layer->max);
                }
            }
            output += channels;
        }
    }
}

void tmc_fast_max_pool2d_s8(const tmc_pool2d *layer, const int8_t *input, int8_t *output) {
    pool(layer, input, output, max_four);
}

void tmc_fast_average_pool2d_s8(const tmc_pool2d *layer, const int8_t *input, int8_t *output) {
    pool(layer, input, output, average_four);
}
