/*
 * Layers of int16 activations with int8 weights. The same arithmetic as compiler/model/reference/wide.ts;
 * portable, without a fast variant.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdbool.h>
#include <stddef.h>

#include "arithmetic.h"

static inline int32_t load(const int8_t *data, int32_t index) {
    return tmc_k_load_s16(data + 2 * (ptrdiff_t)index);
}

/* The accumulator of an output channel as int16. */
static int32_t requantize(int64_t acc, int32_t multiplier, int32_t shift, int32_t min, int32_t max) {
    const int32_t reduced = multiplier < 0x7fff0000 ? (multiplier + 32768) >> 16 : 0x7fff;
    const int32_t right = 15 - shift;
    const int64_t scaled = (acc * reduced + ((int64_t)1 << (right - 1))) >> right;
    return tmc_k_clamp((int32_t)(uint32_t)(uint64_t)scaled, min, max);
}

void tmc_wide_conv2d_s16(const tmc_wide_conv2d *layer, const int8_t *input, int8_t *output) {
    const tmc_window *w = &layer->window;
    const int32_t depth = w->input_channels;
    for (int32_t y = 0; y < w->output_height; y++) {
        const int32_t origin_y = y * w->stride_height - w->pad_top;
        const tmc_k_span rows = tmc_k_inside(origin_y, w->filter_height, w->dilation_height, w->input_height);
        for (int32_t x = 0; x < w->output_width; x++) {
            const int32_t origin_x = x * w->stride_width - w->pad_left;
            const tmc_k_span columns =
                tmc_k_inside(origin_x, w->filter_width, w->dilation_width, w->input_width);
            for (int32_t c = 0; c < w->output_channels; c++) {
                int64_t acc = layer->bias == NULL ? 0 : layer->bias[c];
                for (int32_t fy = rows.start; fy < rows.end; fy++) {
                    const int32_t row = (origin_y + fy * w->dilation_height) * w->input_width + origin_x;
                    const int32_t weights = (c * w->filter_height + fy) * w->filter_width;
                    for (int32_t fx = columns.start; fx < columns.end; fx++) {
                        const int32_t from = (row + fx * w->dilation_width) * depth;
                        const int8_t *filter = layer->filter + (ptrdiff_t)(weights + fx) * depth;
                        for (int32_t k = 0; k < depth; k++) {
                            acc += filter[k] * load(input, from + k);
                        }
                    }
                }
                tmc_k_store_s16(
                    output, requantize(acc, layer->multiplier[c], layer->shift[c], layer->min, layer->max));
                output += 2;
            }
        }
    }
}

void tmc_wide_depthwise_conv2d_s16(const tmc_wide_conv2d *layer, const int8_t *input, int8_t *output) {
    const tmc_window *w = &layer->window;
    const int32_t channels = w->output_channels;
    for (int32_t y = 0; y < w->output_height; y++) {
        const int32_t origin_y = y * w->stride_height - w->pad_top;
        const tmc_k_span rows = tmc_k_inside(origin_y, w->filter_height, w->dilation_height, w->input_height);
        for (int32_t x = 0; x < w->output_width; x++) {
            const int32_t origin_x = x * w->stride_width - w->pad_left;
            const tmc_k_span columns =
                tmc_k_inside(origin_x, w->filter_width, w->dilation_width, w->input_width);
            for (int32_t c = 0; c < channels; c++) {
                const int32_t channel = c / layer->depth_multiplier;
                int64_t acc = layer->bias == NULL ? 0 : layer->bias[c];
                for (int32_t fy = rows.start; fy < rows.end; fy++) {
                    const int32_t row = (origin_y + fy * w->dilation_height) * w->input_width + origin_x;
                    for (int32_t fx = columns.start; fx < columns.end; fx++) {
                        const int32_t from = (row + fx * w->dilation_width) * w->input_channels + channel;
                        const int32_t weight = (fy * w->filter_width + fx) * channels + c;
                        acc += layer->filter[weight] * load(input, from);
                    }
                }
                tmc_k_store_s16(
                    output, requantize(acc, layer->multiplier[c], layer->shift[c], layer->min, layer->max));
                output += 2;
            }
        }
    }
}

void tmc_wide_fully_connected_s16(const tmc_wide_fully_connected *layer, const int8_t *input,
                                  int8_t *output) {
    for (int32_t row = 0; row < layer->rows; row++) {
        for (int32_t c = 0; c < layer->output_depth; c++) {
            const int8_t *filter = layer->filter + (ptrdiff_t)c * layer->input_depth;
            int64_t acc = layer->bias == NULL ? 0 : layer->bias[c];
            for (int32_t k = 0; k < layer->input_depth; k++) {
                acc += filter[k] * load(input, row * layer->input_depth + k);
            }
            tmc_k_store_s16(output,
                            requantize(acc, layer->multiplier[c], layer->shift[c], layer->min, layer->max));
            output += 2;
        }
    }
}

static inline int32_t at_least(int32_t value, int32_t least) {
    return value < least ? least : value;
}

static inline int32_t at_most(int32_t value, int32_t most) {
    return value > most ? most : value;
}

static inline void pool(const tmc_pool2d *layer, const int8_t *input, int8_t *output, bool averages) {
    const tmc_window *w = &layer->window;
    for (int32_t y = 0; y < w->output_height; y++) {
        const int32_t origin_y = y * w->stride_height - w->pad_top;
        const int32_t start_y = at_least(origin_y, 0);
        const int32_t end_y = at_most(origin_y + w->filter_height, w->input_height);
        for (int32_t x = 0; x < w->output_width; x++) {
            const int32_t origin_x = x * w->stride_width - w->pad_left;
            const int32_t start_x = at_least(origin_x, 0);
            const int32_t end_x = at_most(origin_x + w->filter_width, w->input_width);
            const int32_t count = (end_y - start_y) * (end_x - start_x);
            for (int32_t c = 0; c < w->input_channels; c++) {
                int32_t sum = 0;
                int32_t max = INT16_MIN;
                for (int32_t iy = start_y; iy < end_y; iy++) {
                    for (int32_t ix = start_x; ix < end_x; ix++) {
                        const int32_t value = load(input, (iy * w->input_width + ix) * w->input_channels + c);
                        sum += value;
                        max = value > max ? value : max;
                    }
                }
                const int32_t mean = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
                tmc_k_store_s16(output, tmc_k_clamp(averages ? mean : max, layer->min, layer->max));
                output += 2;
            }
        }
    }
}

void tmc_wide_max_pool2d_s16(const tmc_pool2d *layer, const int8_t *input, int8_t *output) {
    pool(layer, input, output, false);
}

void tmc_wide_average_pool2d_s16(const tmc_pool2d *layer, const int8_t *input, int8_t *output) {
    pool(layer, input, output, true);
}

/* An input in steps of 1/12288. */
static inline int32_t sigmoid_input(const tmc_wide_sigmoid *layer, int32_t value) {
    const int32_t rounding = layer->shift > 0 ? (int32_t)1 << (layer->shift - 1) : 0;
    return (value * layer->multiplier + rounding) >> layer->shift;
}

/* The table at magnitude / 2^bits, in 2^-bits of its unit; `saturated` beyond its end. */
static inline int32_t interpolate(const uint16_t *table, int32_t magnitude, int32_t bits, int32_t saturated) {
    const int32_t index = magnitude >> bits;
    if (index >= 255) {
        return saturated;
    }
    const int32_t low = table[index];
    const int32_t fraction = magnitude & (((int32_t)1 << bits) - 1);
    return low * ((int32_t)1 << bits) + fraction * (table[index + 1] - low);
}

void tmc_wide_logistic_s16(const tmc_wide_sigmoid *layer, const int8_t *input, int8_t *output) {
    for (int32_t i = 0; i < layer->count; i++) {
        const int32_t x = sigmoid_input(layer, load(input, i));
        const int32_t value = interpolate(layer->table, x < 0 ? -x : x, 9, 0x7fff * 1024);
        const int32_t rounded = x >= 0 ? value + 512 : ((int32_t)1 << 25) - value + 511;
        tmc_k_store_s16(output + 2 * (ptrdiff_t)i, rounded >> 10);
    }
}

void tmc_wide_tanh_s16(const tmc_wide_sigmoid *layer, const int8_t *input, int8_t *output) {
    for (int32_t i = 0; i < layer->count; i++) {
        const int32_t x = sigmoid_input(layer, load(input, i));
        const int32_t value = interpolate(layer->table, x < 0 ? -x : x, 8, 0xffff * 256);
        const int32_t half = (int32_t)1 << 23;
        const int32_t rounded = x >= 0 ? value - half + 128 : half - value + 127;
        tmc_k_store_s16(output + 2 * (ptrdiff_t)i, rounded >> 8);
    }
}

/* A table of 513 values at the upper 9 bits of `value`, the lower 7 interpolate. */
static int32_t lookup(int32_t value, const int16_t *table) {
    const int32_t index = 256 + (value >> 7);
    const int32_t base = table[index];
    return base + (((table[index + 1] - base) * (value & 127) + 64) >> 7);
}

static void softmax_row(const tmc_wide_softmax *layer, const int8_t *input, int8_t *output) {
    int32_t max = INT16_MIN;
    for (int32_t c = 0; c < layer->depth; c++) {
        max = load(input, c) > max ? load(input, c) : max;
    }
    int32_t sum = 0; /* Q16.15 */
    for (int32_t c = 0; c < layer->depth; c++) {
        const int32_t difference = tmc_k_multiply(load(input, c) - max, layer->multiplier, layer->shift);
        const int32_t exponential =
            lookup(tmc_k_clamp(difference + 32767, INT16_MIN, INT16_MAX), layer->exponentials);
        tmc_k_store_s16(output + 2 * (ptrdiff_t)c, exponential);
        sum += exponential;
    }
    int32_t headroom = 0; /* leading zeros of the sum, which is at least 32767 */
    while ((((uint32_t)sum << headroom) & 0x80000000U) == 0U) {
        headroom++;
    }
    const int32_t shifted = (int32_t)((((int64_t)sum << (headroom - 1)) + 8192) >> 14);
    const int32_t reciprocal = lookup(tmc_k_clamp(shifted - 98304, INT16_MIN, INT16_MAX), layer->reciprocals);
    const int32_t right = 31 - headroom;
    for (int32_t c = 0; c < layer->depth; c++) {
        const int64_t product = (int64_t)load(output, c) * reciprocal + ((int64_t)1 << (right - 1));
        const int32_t value = (int32_t)(product >> right);
        tmc_k_store_s16(output + 2 * (ptrdiff_t)c, tmc_k_clamp(value, 0, INT16_MAX));
    }
}

void tmc_wide_softmax_s16(const tmc_wide_softmax *layer, const int8_t *input, int8_t *output) {
    for (int32_t row = 0; row < layer->rows; row++) {
        softmax_row(layer, input, output);
        input += 2 * (ptrdiff_t)layer->depth;
        output += 2 * (ptrdiff_t)layer->depth;
    }
}
