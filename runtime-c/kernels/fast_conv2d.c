/*
 * Convolution by columns: the inputs of three output positions are gathered as pairs of int16, then every
 * output channel is computed from them (conv_block.h). Positions go in order, so an output may lie before its
 * input in memory as far as the memory plan proves.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdbool.h>
#include <stddef.h>

#include "arithmetic.h"
#include "conv_block.h"
#include "dsp.h"

/* Words between a pair and the next one of the same position. */
enum { STEP = 3 };

/* 4 * `fours` int8 to pairs. Not inlined: it is used in several places. */
__attribute__((noinline)) static uint32_t *expand(const int8_t *from, int32_t fours, uint32_t offsets,
                                                  uint32_t *to) {
    for (; fours >= 4; fours -= 4) {
        for (int32_t i = 0; i < 4; i++) {
            const uint32_t bytes = tmc_k_load4(from + 4 * i);
            to[2 * STEP * i] = tmc_k_even_bytes(offsets, bytes);
            to[2 * STEP * i + STEP] = tmc_k_odd_bytes(offsets, bytes);
        }
        from += 16;
        to += 8 * STEP;
    }
    for (; fours > 0; fours--) {
        const uint32_t bytes = tmc_k_load4(from);
        to[0] = tmc_k_even_bytes(offsets, bytes);
        to[STEP] = tmc_k_odd_bytes(offsets, bytes);
        from += 4;
        to += 2 * STEP;
    }
    return to;
}

/* The inputs of a window that lies inside the image, each row a multiple of 4 bytes. */
static void column_inside(const tmc_window *w, const int8_t *from, uint32_t offsets, uint32_t *column) {
    const int32_t fours = w->filter_width * w->input_channels / 4;
    const ptrdiff_t row = (ptrdiff_t)w->input_width * w->input_channels;
    for (int32_t y = 0; y < w->filter_height; y++) {
        column = expand(from, fours, offsets, column);
        from += row;
    }
}

/* Copies in words, up to 3 bytes more than `count`: the plan leaves room behind both sides. */
static inline void copy_words(int8_t *to, const int8_t *from, int32_t count) {
    for (; count > 0; count -= 4) {
        memcpy(to, from, 4);
        to += 4;
        from += 4;
    }
}

/* Copies a few bytes. The barrier keeps compilers from calling memcpy, which is larger than the rest. */
static inline void copy_bytes(int8_t *to, const int8_t *from, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        to[i] = from[i];
#ifdef __GNUC__
        __asm__ volatile("" : : : "memory");
#endif
    }
}

/* A window that lies inside the image, of any number of channels: first its bytes in `patch`. What is copied
 * too much is overwritten by the next row, or has no weight. */
static void column_of_bytes(const tmc_fast_conv2d *layer, const int8_t *from, int8_t *patch,
                            uint32_t *column) {
    const tmc_window *w = &layer->window;
    const int32_t row = w->filter_width * w->input_channels;
    int8_t *to = patch;
    for (int32_t y = 0; y < w->filter_height; y++) {
        copy_words(to, from, row);
        to += row;
        from += (ptrdiff_t)w->input_width * w->input_channels;
    }
    expand(patch, layer->pairs / 2, layer->offsets, column);
}

/* Any window: first its bytes, with the zero point in the padding, in `patch`. */
static void column_at(const tmc_fast_conv2d *layer, const int8_t *input, int32_t y, int32_t x, int8_t *patch,
                      uint32_t *column) {
    const tmc_window *w = &layer->window;
    const int32_t channels = w->input_channels;
    const tmc_k_span rows = tmc_k_inside(y, w->filter_height, 1, w->input_height);
    const tmc_k_span columns = tmc_k_inside(x, w->filter_width, 1, w->input_width);
    const int32_t row = w->filter_width * channels;
    const int32_t run = (columns.end - columns.start) * channels;
    const int32_t size = w->filter_height * row;
    if (run < row || rows.end - rows.start < w->filter_height) {
        memset(patch, -layer->input_offset, (size_t)size);
    }
    const int8_t *from =
        input + (ptrdiff_t)((y + rows.start) * w->input_width + x + columns.start) * channels;
    int8_t *to = patch + rows.start * row + columns.start * channels;
    for (int32_t i = rows.start; i < rows.end; i++) {
        if (run == row || run % 4 == 0) {
            copy_words(to, from, run); /* what is too much is overwritten by the next row */
        } else {
            copy_bytes(to, from, run);
        }
        to += row;
        from += (ptrdiff_t)w->input_width * channels;
    }
    if (run == row && rows.end < w->filter_height) {
        memset(patch + rows.end * row, -layer->input_offset, 4U);
    }
    expand(patch, (size + 3) / 4, layer->offsets, column);
}

static void clamp_row(const tmc_fast_conv2d *layer, int8_t *output) {
    for (int32_t i = 0; i < layer->window.output_channels; i++) {
        output[i] = (int8_t)tmc_k_clamp(output[i], layer->min, layer->max);
    }
}

/* All channels of some positions from their columns. With an odd number of channels the last pair repeats the
 * channel before it. Advances `outputs` by a position. */
static void run_block(const tmc_fast_conv2d *layer, uint32_t *columns, int32_t triples, int8_t **outputs) {
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
        .copy = layer->copies ? columns + STEP * layer->pairs * layer->triples : NULL,
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

/* The column of position `p` of those in scratch. */
static inline uint32_t *column_of(const tmc_fast_conv2d *layer, uint32_t *columns, int32_t p) {
    return columns + p / STEP * STEP * layer->pairs + p % STEP;
}

/* How many of the positions left are done next, in triples; the last one may be repeated. */
static inline int32_t next_triples(const tmc_fast_conv2d *layer, int32_t left) {
    return left >= 3 * layer->triples ? layer->triples : (left + 2) / 3;
}

void tmc_fast_conv2d_s8(const tmc_fast_conv2d *layer, const int8_t *input, uint32_t *columns,
                        int8_t *output) {
    const tmc_window *w = &layer->window;
    const int32_t positions = w->output_height * w->output_width;
    const bool whole_words = w->input_channels % 4 == 0;
    int8_t *const patch =
        (int8_t *)(column_of(layer, columns, 3 * layer->triples) + (layer->copies ? layer->pairs + 8 : 0));
    int32_t x = 0;
    int32_t in_x = -w->pad_left;
    int32_t in_y = -w->pad_top;
    for (int32_t done = 0; done < positions;) {
        int8_t *to[TMC_FAST_CONV2D_POSITIONS];
        const int32_t triples = next_triples(layer, positions - done);
        for (int32_t p = 0; p < 3 * triples; p++) {
            uint32_t *const column = column_of(layer, columns, p);
            if (in_x >= 0 && in_y >= 0 && in_x + w->filter_width <= w->input_width &&
                in_y + w->filter_height <= w->input_height) {
                const int8_t *from = input + (ptrdiff_t)(in_y * w->input_width + in_x) * w->input_channels;
                if (whole_words) {
                    column_inside(w, from, layer->offsets, column);
                } else {
                    column_of_bytes(layer, from, patch, column);
                }
            } else {
                column_at(layer, input, in_y, in_x, patch, column);
            }
            to[p] = output + (ptrdiff_t)done * w->output_channels;
            if (done + 1 < positions) {
                done++;
                x++;
                in_x += w->stride_width;
                if (x == w->output_width) {
                    x = 0;
                    in_x = -w->pad_left;
                    in_y += w->stride_height;
                }
            } else if (p + 1 == 3 * triples) {
                done++;
            }
        }
        run_block(layer, columns, triples, to);
    }
}

void tmc_fast_conv2d_1x1_s8(const tmc_fast_conv2d *layer, const int8_t *input, uint32_t *columns,
                            int8_t *output) {
    const int32_t channels = layer->window.input_channels;
    const int32_t positions = layer->window.output_height * layer->window.output_width;
    for (int32_t done = 0; done < positions; done += 3 * layer->triples) {
        int8_t *to[TMC_FAST_CONV2D_POSITIONS];
        const int32_t triples = next_triples(layer, positions - done);
        for (int32_t p = 0; p < 3 * triples; p++) {
            const int32_t at = done + p < positions ? done + p : positions - 1;
            expand(input + (ptrdiff_t)at * channels, channels / 4, layer->offsets,
                   column_of(layer, columns, p));
            to[p] = output + (ptrdiff_t)at * layer->window.output_channels;
        }
        run_block(layer, columns, triples, to);
    }
}
