/*
 * Maximum and average pooling. Positions in the padding do not count.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdbool.h>
#include <stddef.h>

#include "arithmetic.h"

/* The inputs of one output position: rows and columns of the input, not of the window. */
typedef struct {
    int32_t start_y, end_y, start_x, end_x;
} area;

static area area_at(const tmc_window *w, int32_t y, int32_t x) {
    const int32_t origin_y = y * w->stride_height - w->pad_top;
    const int32_t origin_x = x * w->stride_width - w->pad_left;
    area a;
    a.start_y = origin_y < 0 ? 0 : origin_y;
    a.start_x = origin_x < 0 ? 0 : origin_x;
    a.end_y = origin_y + w->filter_height < w->input_height ? origin_y + w->filter_height : w->input_height;
    a.end_x = origin_x + w->filter_width < w->input_width ? origin_x + w->filter_width : w->input_width;
    return a;
}

static int32_t maximum(const tmc_window *w, const area *a, const int8_t *channel) {
    int32_t max = INT8_MIN;
    for (int32_t y = a->start_y; y < a->end_y; y++) {
        for (int32_t x = a->start_x; x < a->end_x; x++) {
            const int32_t value = channel[(ptrdiff_t)(y * w->input_width + x) * w->input_channels];
            max = value > max ? value : max;
        }
    }
    return max;
}

/* Rounded to nearest, halves away from zero. */
static int32_t average(const tmc_window *w, const area *a, const int8_t *channel) {
    const int32_t count = (a->end_y - a->start_y) * (a->end_x - a->start_x);
    int32_t sum = 0;
    for (int32_t y = a->start_y; y < a->end_y; y++) {
        for (int32_t x = a->start_x; x < a->end_x; x++) {
            sum += channel[(ptrdiff_t)(y * w->input_width + x) * w->input_channels];
        }
    }
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

static inline void pool(const tmc_pool2d *layer, const int8_t *input, int8_t *output, bool averages) {
    const tmc_window *w = &layer->window;
    for (int32_t y = 0; y < w->output_height; y++) {
        for (int32_t x = 0; x < w->output_width; x++) {
            const area a = area_at(w, y, x);
            for (int32_t c = 0; c < w->input_channels; c++) {
                const int32_t value = averages ? average(w, &a, input + c) : maximum(w, &a, input + c);
                *output++ = (int8_t)tmc_k_clamp(value, layer->min, layer->max);
            }
        }
    }
}

void tmc_max_pool2d_s8(const tmc_pool2d *layer, const int8_t *input, int8_t *output) {
    pool(layer, input, output, false);
}

void tmc_average_pool2d_s8(const tmc_pool2d *layer, const int8_t *input, int8_t *output) {
    pool(layer, input, output, true);
}
