/*
 * Gathers windows as columns: see conv_positions.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdbool.h>
#include <stddef.h>

#include "arithmetic.h"
#include "conv_positions.h"
#include "dsp.h"

/* Words between a pair and the next one of the same position. */
enum { STEP = 3 };

void tmc_k_conv_expand(const int8_t *from, int32_t fours, int32_t rows, ptrdiff_t row, uint32_t offsets,
                       uint32_t *column) {
    for (; rows > 0; rows--) {
        const int8_t *at = from;
        int32_t left = fours;
        for (; left >= 4; left -= 4) {
            for (int32_t i = 0; i < 4; i++) {
                tmc_k_column_four(column + 2 * STEP * i, offsets, tmc_k_load4(at + 4 * i));
            }
            at += 16;
            column += 8 * STEP;
        }
        for (; left > 0; left--) {
            tmc_k_column_four(column, offsets, tmc_k_load4(at));
            at += 4;
            column += 2 * STEP;
        }
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

/* A window that lies inside the image. Where its rows are no words, first its bytes in `patch`; what is
 * copied too much is overwritten by the next row, or has no weight. */
static void column_inside(const tmc_fast_conv2d *layer, const int8_t *from, int8_t *patch, uint32_t *column) {
    const tmc_window *w = &layer->window;
    const int32_t run = w->filter_width * w->input_channels;
    const ptrdiff_t row = (ptrdiff_t)w->input_width * w->input_channels;
    if (run % 4 == 0) {
        tmc_k_conv_expand(from, run / 4, w->filter_height, row, layer->offsets, column);
        return;
    }
    int8_t *to = patch;
    for (int32_t y = 0; y < w->filter_height; y++) {
        copy_words(to, from, run);
        to += run;
        from += row;
    }
    tmc_k_conv_expand(patch, layer->pairs / 2, 1, 0, layer->offsets, column);
}

/* First its bytes, with the zero point in the padding, in `patch`. */
void tmc_k_conv_edge_plain(const tmc_fast_conv2d *layer, const int8_t *input, int32_t y, int32_t x,
                           int8_t *patch, uint32_t *column) {
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
    tmc_k_conv_expand(patch, (size + 3) / 4, 1, 0, layer->offsets, column);
}

/* The same, tap by tap. */
void tmc_k_conv_edge_dilated(const tmc_fast_conv2d *layer, const int8_t *input, int32_t y, int32_t x,
                             int8_t *patch, uint32_t *column) {
    const tmc_window *w = &layer->window;
    const int32_t channels = w->input_channels;
    const int32_t size = w->filter_height * w->filter_width * channels;
    int8_t *to = patch;
    memset(patch, -layer->input_offset, (size_t)size);
    for (int32_t i = 0; i < w->filter_height; i++) {
        const int32_t in_y = y + i * w->dilation_height;
        const bool in_rows = in_y >= 0 && in_y < w->input_height;
        for (int32_t j = 0; j < w->filter_width; j++) {
            const int32_t in_x = x + j * w->dilation_width;
            if (in_rows && in_x >= 0 && in_x < w->input_width) {
                const int8_t *from = input + (ptrdiff_t)(in_y * w->input_width + in_x) * channels;
                if (channels % 4 == 0) {
                    copy_words(to, from, channels);
                } else {
                    copy_bytes(to, from, channels);
                }
            }
            to += channels;
        }
    }
    tmc_k_conv_expand(patch, (size + 3) / 4, 1, 0, layer->offsets, column);
}

/* The input positions of an axis at which a window lies inside the image: the first so many. None where the
 * edge function has to gather dilated windows inside too. */
static uint32_t inside_count(const tmc_fast_conv2d *layer, int32_t input, int32_t filter, int32_t dilation) {
    const int32_t extent = (filter - 1) * dilation + 1;
    return input < extent || (dilation > 1 && layer->gather == NULL) ? 0U : (uint32_t)(input - extent + 1);
}

void tmc_k_conv_positions(const tmc_fast_conv2d *layer, const int8_t *input, uint32_t *columns,
                          int8_t *output, tmc_k_conv_run *run, tmc_k_conv_edge *edge) {
    const tmc_window *w = &layer->window;
    const int32_t positions = w->output_height * w->output_width;
    const int32_t all_words = STEP * layer->pairs * layer->triples;
    int8_t *const patch = (int8_t *)(columns + all_words + (layer->copies ? layer->pairs + 8 : 0));
    const uint32_t inside_x = inside_count(layer, w->input_width, w->filter_width, w->dilation_width);
    const uint32_t inside_y = inside_count(layer, w->input_height, w->filter_height, w->dilation_height);
    int32_t left = positions;
    int32_t x = 0;
    int32_t in_x = -w->pad_left;
    int32_t in_y = -w->pad_top;
    while (left > 0) {
        int8_t *to[TMC_FAST_CONV2D_POSITIONS];
        const int32_t triples = tmc_k_conv_next_triples(layer, left);
        uint32_t *column = columns;
        for (int32_t p = 0; p < triples; p++) {
            for (int32_t i = 0; i < STEP; i++) {
                if ((uint32_t)in_x >= inside_x || (uint32_t)in_y >= inside_y) {
                    edge(layer, input, in_y, in_x, patch, column);
                } else {
                    const int8_t *from =
                        input + (ptrdiff_t)(in_y * w->input_width + in_x) * w->input_channels;
                    if (layer->gather != NULL) {
                        layer->gather(from, column);
                    } else {
                        column_inside(layer, from, patch, column);
                    }
                }
                to[STEP * p + i] = output;
                column++;
                if (left > 1) { /* else the last position is repeated */
                    left--;
                    output += w->output_channels;
                    in_x += w->stride_width;
                    x++;
                    if (x == w->output_width) {
                        x = 0;
                        in_x = -w->pad_left;
                        in_y += w->stride_height;
                    }
                } else if (p + 1 == triples && i + 1 == STEP) {
                    left = 0;
                }
            }
            column += STEP * (layer->pairs - 1);
        }
        run(layer, columns, triples, to);
    }
}
