/*
 * Convolution with 3x3 windows and stride 1 by Winograd's F(2x2, 3x3), in integers and exact: 16 products for
 * four outputs of an input channel instead of 36. The filter's transform is doubled in both directions, so
 * that it is whole; the outputs come out times 4.
 *
 * Some tiles of 4x4 inputs are transformed; then, for two output channels at a time, their filters, the
 * products of three tiles, and the outputs. Transformed values are pairs of int16; sums wrap modulo 2^32,
 * which is exact because the results fit, as the build proves.
 *
 * Stream of two output channels: for each of them the filter, of each four input channels the nine taps as
 * words of four bytes; then twice the bias, multiplier, rounding, shift of each.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "arithmetic.h"
#include "dsp.h"

enum { POINTS = 16, LANES = 3, CHANNELS = 2 };

/* Where the 2x2 outputs of a tile go, and which of them exist. */
typedef struct {
    int8_t *output;
    bool right, below;
} place;

/* Four inputs or rows of a tile to four points: one direction of B' d B. Steps in words. */
static inline void input_step(uint32_t d0, uint32_t d1, uint32_t d2, uint32_t d3, uint32_t *to,
                              ptrdiff_t step) {
    to[0] = tmc_k_subtract_pairs(d0, d2);
    to[step] = tmc_k_add_pairs(d1, d2);
    to[2 * step] = tmc_k_subtract_pairs(d2, d1);
    to[3 * step] = tmc_k_subtract_pairs(d1, d3);
}

/* Three taps to four points: one direction of 2G g (2G)'. */
static inline void filter_step(uint32_t g0, uint32_t g1, uint32_t g2, uint32_t *to, ptrdiff_t step) {
    const uint32_t ends = tmc_k_add_pairs(g0, g2);
    to[0] = tmc_k_add_pairs(g0, g0);
    to[step] = tmc_k_add_pairs(ends, g1);
    to[2 * step] = tmc_k_subtract_pairs(ends, g1);
    to[3 * step] = tmc_k_add_pairs(g2, g2);
}

/* A tile at (y, x) to its lane. `outside`: as many zero points as there are channels. */
static void gather_tile(const tmc_winograd_conv2d *layer, const int8_t *input, int32_t y, int32_t x,
                        const int8_t *outside, uint32_t *lane) {
    const tmc_window *w = &layer->window;
    const int8_t *from[POINTS];
    for (int32_t i = 0; i < POINTS; i++) {
        const int32_t in_y = y + i / 4;
        const int32_t in_x = x + i % 4;
        const bool inside =
            (uint32_t)in_y < (uint32_t)w->input_height && (uint32_t)in_x < (uint32_t)w->input_width;
        from[i] = inside ? input + (ptrdiff_t)(in_y * w->input_width + in_x) * w->input_channels : outside;
    }
    const ptrdiff_t step = (ptrdiff_t)LANES * (w->input_channels / 2);
    const uint32_t offsets = layer->offsets;
    for (int32_t c = 0; c < w->input_channels; c += 4) {
        uint32_t even[POINTS]; /* after the columns are done */
        uint32_t odd[POINTS];
        for (int32_t j = 0; j < 4; j++) {
            const uint32_t b0 = tmc_k_load4(from[j] + c);
            const uint32_t b1 = tmc_k_load4(from[4 + j] + c);
            const uint32_t b2 = tmc_k_load4(from[8 + j] + c);
            const uint32_t b3 = tmc_k_load4(from[12 + j] + c);
            input_step(tmc_k_even_bytes(offsets, b0), tmc_k_even_bytes(offsets, b1),
                       tmc_k_even_bytes(offsets, b2), tmc_k_even_bytes(offsets, b3), even + j, 4);
            input_step(tmc_k_odd_bytes(offsets, b0), tmc_k_odd_bytes(offsets, b1),
                       tmc_k_odd_bytes(offsets, b2), tmc_k_odd_bytes(offsets, b3), odd + j, 4);
        }
        uint32_t *to = lane;
        for (int32_t i = 0; i < POINTS; i += 4) {
            input_step(even[i], even[i + 1], even[i + 2], even[i + 3], to, step);
            input_step(odd[i], odd[i + 1], odd[i + 2], odd[i + 3], to + LANES, step);
            to += 4 * step;
        }
        lane += (ptrdiff_t)2 * LANES;
    }
}

/* The filters of two output channels; word 2 * pair + channel of each point. Returns the stream after them.
 */
static const uint32_t *unpack_filters(const uint32_t *stream, int32_t input_channels, uint32_t *filters) {
    const ptrdiff_t step = (ptrdiff_t)CHANNELS * (input_channels / 2);
    for (int32_t channel = 0; channel < CHANNELS; channel++) {
        uint32_t *to = filters + channel;
        for (int32_t c = 0; c < input_channels; c += 4) {
            uint32_t even[12]; /* after the columns are done */
            uint32_t odd[12];
            for (int32_t k = 0; k < 3; k++) {
                filter_step(tmc_k_even_bytes(0U, stream[k]), tmc_k_even_bytes(0U, stream[3 + k]),
                            tmc_k_even_bytes(0U, stream[6 + k]), even + k, 3);
                filter_step(tmc_k_odd_bytes(0U, stream[k]), tmc_k_odd_bytes(0U, stream[3 + k]),
                            tmc_k_odd_bytes(0U, stream[6 + k]), odd + k, 3);
            }
            uint32_t *point = to;
            for (int32_t i = 0; i < 12; i += 3) {
                filter_step(even[i], even[i + 1], even[i + 2], point, step);
                filter_step(odd[i], odd[i + 1], odd[i + 2], point + CHANNELS, step);
                point += 4 * step;
            }
            to += (ptrdiff_t)2 * CHANNELS;
            stream += 9;
        }
    }
    return stream;
}

typedef struct {
    const uint32_t *filters;
    const uint32_t *tiles;
    int32_t turns;  /* pairs of input channels / 4 */
    uint32_t *sums; /* of each point: lanes of the first channel, then of the second */
    uint32_t *end;  /* of the sums */
} products;

#if TMC_K_DSP

/* Two inputs of three tiles and two channels: r0 the filters, r1 the tiles. */
#define PAIR                                                                                                 \
    "ldrd r3, r4, [r0], #8\n\t"                                                                              \
    "ldmia r1!, {r5, r6, r7}\n\t"                                                                            \
    "smlad r8, r5, r3, r8\n\t"                                                                               \
    "smlad r9, r6, r3, r9\n\t"                                                                               \
    "smlad r10, r7, r3, r10\n\t"                                                                             \
    "smlad r11, r5, r4, r11\n\t"                                                                             \
    "smlad r12, r6, r4, r12\n\t"                                                                             \
    "smlad lr, r7, r4, lr\n\t"

TMC_K_ALL_REGISTERS static void multiply(products *work) {
    __asm__ volatile("ldr r3, %[work]\n\t"
                     "ldmia r3, {r0, r1}\n\t"
                     "1:\n\t"
                     "ldr r2, [r3, #8]\n\t"
                     "mov r8, #0\n\t"
                     "mov r9, #0\n\t"
                     "mov r10, #0\n\t"
                     "mov r11, #0\n\t"
                     "mov r12, #0\n\t"
                     "mov lr, #0\n\t"
                     "2:\n\t" PAIR PAIR PAIR PAIR "subs r2, r2, #1\n\t"
                     "bne 2b\n\t"
                     "ldr r3, %[work]\n\t"
                     "ldrd r4, r5, [r3, #12]\n\t"
                     "stmia r4!, {r8, r9, r10, r11, r12, lr}\n\t"
                     "cmp r4, r5\n\t"
                     "str r4, [r3, #12]\n\t"
                     "bne 1b\n\t"
                     :
                     : [work] "m"(work)
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr",
                       "cc", "memory");
}

#else

static void multiply(products *work) {
    const uint32_t *filters = work->filters;
    const uint32_t *tiles = work->tiles;
    for (; work->sums < work->end; work->sums += LANES * CHANNELS) {
        memset(work->sums, 0, LANES * CHANNELS * sizeof *work->sums);
        for (int32_t i = 0; i < 4 * work->turns; i++) {
            for (int32_t s = 0; s < LANES * CHANNELS; s++) {
                work->sums[s] = tmc_k_dot(tiles[s % LANES], filters[s / LANES], work->sums[s]);
            }
            tiles += LANES;
            filters += CHANNELS;
        }
    }
}

#endif

/* Twice the accumulator: twice the bias, and half of what comes out. */
static inline int8_t output_of(uint32_t four_times, int32_t twice_bias, const tmc_right_shift *r) {
    const uint32_t twice = (uint32_t)twice_bias + (uint32_t)((int32_t)four_times >> 1);
    return (int8_t)tmc_k_requantize_right((int32_t)twice, r);
}

/* A' m A of a channel and lane (`m` its first point); `own`: twice the bias, multiplier, rounding, shift. */
static void write_tile(const uint32_t *m, const uint32_t *own, int32_t channels, ptrdiff_t row, bool right,
                       bool below, int8_t *to) {
    enum { X = LANES * CHANNELS, Y = 4 * X };
    const int32_t bias = (int32_t)own[0];
    const tmc_right_shift r = {(int32_t)own[1], (int32_t)own[2], (int32_t)own[3]};
    const uint32_t p0 = m[Y] + m[2 * Y];
    const uint32_t p1 = m[Y + X] + m[2 * Y + X];
    const uint32_t p2 = m[Y + 2 * X] + m[2 * Y + 2 * X];
    const uint32_t p3 = m[Y + 3 * X] + m[2 * Y + 3 * X];
    const uint32_t upper = m[X] + p1;
    const uint32_t upper_other = m[2 * X] + p2;
    to[0] = output_of(m[0] + p0 + upper + upper_other, bias, &r);
    if (right) {
        to[channels] = output_of(upper - upper_other - (m[3 * X] + p3), bias, &r);
    }
    if (below) {
        const uint32_t n0 = m[Y] - m[2 * Y] - m[3 * Y];
        const uint32_t n1 = m[Y + X] - m[2 * Y + X] - m[3 * Y + X];
        const uint32_t n2 = m[Y + 2 * X] - m[2 * Y + 2 * X] - m[3 * Y + 2 * X];
        const uint32_t n3 = m[Y + 3 * X] - m[2 * Y + 3 * X] - m[3 * Y + 3 * X];
        to[row] = output_of(n0 + n1 + n2, bias, &r);
        if (right) {
            to[row + channels] = output_of(n1 - n2 - n3, bias, &r);
        }
    }
}

static void clamp_tile(const tmc_winograd_conv2d *layer, const place *at, ptrdiff_t row) {
    const int32_t channels = layer->window.output_channels;
    for (int32_t y = 0; y <= (at->below ? 1 : 0); y++) {
        int8_t *const to = at->output + y * row;
        for (int32_t i = 0; i < channels * (at->right ? 2 : 1); i++) {
            to[i] = (int8_t)tmc_k_clamp(to[i], layer->min, layer->max);
        }
    }
}

void tmc_winograd_conv2d_s8(const tmc_winograd_conv2d *layer, const int8_t *input, uint32_t *scratch,
                            int8_t *output) {
    const tmc_window *w = &layer->window;
    const int32_t channels = w->input_channels;
    const int32_t across = (w->output_width + 1) / 2;
    const int32_t tiles = (w->output_height + 1) / 2 * across;
    const ptrdiff_t triple_words = (ptrdiff_t)POINTS * LANES * channels / 2;
    uint32_t *const filters = scratch + triple_words * layer->triples;
    uint32_t *const sums = filters + (ptrdiff_t)POINTS * CHANNELS * channels / 2;
    int8_t *const outside = (int8_t *)(sums + (ptrdiff_t)POINTS * LANES * CHANNELS);
    memset(outside, -layer->input_offset, (size_t)channels);
    const int32_t together = LANES * layer->triples;
    const ptrdiff_t row = (ptrdiff_t)w->output_width * w->output_channels;
    int32_t x = 0;
    int32_t y = 0;
    for (int32_t first = 0; first < tiles; first += together) {
        place places[TMC_WINOGRAD_TILES];
        const int32_t left = tiles - first < together ? tiles - first : together;
        for (int32_t i = 0; i < left; i++) {
            gather_tile(layer, input, y - w->pad_top, x - w->pad_left, outside,
                        scratch + i / LANES * triple_words + i % LANES);
            places[i] = (place){.output = output + y * row + (ptrdiff_t)x * w->output_channels,
                                .right = x + 1 < w->output_width,
                                .below = y + 1 < w->output_height};
            x += 2;
            if (x >= w->output_width) {
                x = 0;
                y += 2;
            }
        }
        const uint32_t *stream = layer->stream;
        for (int32_t c = 0; c < w->output_channels; c += CHANNELS) {
            const uint32_t *const own = unpack_filters(stream, channels, filters);
            for (int32_t t = 0; t < left; t += LANES) {
                products work = {.filters = filters,
                                 .tiles = scratch + t / LANES * triple_words,
                                 .turns = channels / 8,
                                 .sums = sums,
                                 .end = sums + (ptrdiff_t)POINTS * LANES * CHANNELS};
                multiply(&work);
                for (int32_t i = 0; i < LANES && t + i < left; i++) {
                    const place *const at = &places[t + i];
                    int8_t *const to = at->output + c;
                    write_tile(sums + i, own, w->output_channels, row, at->right, at->below, to);
                    write_tile(sums + LANES + i, own + 4, w->output_channels, row, at->right, at->below,
                               to + 1);
                }
            }
            stream = own + 4 * CHANNELS;
        }
        if (layer->min > INT8_MIN || layer->max < INT8_MAX) {
            for (int32_t i = 0; i < left; i++) {
                clamp_tile(layer, &places[i], row);
            }
        }
    }
}
