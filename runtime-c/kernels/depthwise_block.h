/*
 * The inner part of fast depthwise convolutions: one row of outputs of four neighbouring channels.
 *
 * Rows: inputs of these channels only, zero point subtracted, padding included: two words (c0, c2), (c1, c3)
 * per column.
 *
 * Stream of four channels, with everything that is added up doubled, as requantisation wants it:
 *   4 words                 start values: bias * 2
 *   2 words for each tap    weights * 2, as (c0, c2), (c1, c3), the window row by row
 *   2 + 2, 2 + 2 words      multipliers and roundings of c0, c1, then of c2, c3
 *   4 words                 shifts
 * Where it is stored to be copied to RAM, a tap is one word: the four weights as bytes, not doubled.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_KERNELS_DEPTHWISE_BLOCK_H
#define TMC_KERNELS_DEPTHWISE_BLOCK_H

#include <stdint.h>

/* Window rows that a fast kernel accepts. */
enum { TMC_K_DEPTHWISE_ROWS = 16 };

typedef struct {
    const uint32_t *rows[TMC_K_DEPTHWISE_ROWS];
    const uint32_t *stream;
    int8_t *output;
    int32_t step;  /* bytes from one output to the next: the number of channels */
    int32_t count; /* outputs, at least 1 */
    /* Only for the function for any window: */
    int32_t height, width;
    int32_t tap_step; /* bytes from tap to tap of a row, 8 without dilation */
    int32_t stride;   /* bytes from the inputs of one output to those of the next */
} tmc_k_depthwise_row;

/* Windows of 3x3 with horizontal stride 1 or 2. */
void tmc_k_depthwise_row_3x3(const tmc_k_depthwise_row *row);
void tmc_k_depthwise_row_3x3_stride2(const tmc_k_depthwise_row *row);

/* Any window. */
void tmc_k_depthwise_row_any(const tmc_k_depthwise_row *row);

/* One output of four channels: adds to `sums` the taps at byte `at` of each row. `weights`: as above. */
void tmc_k_depthwise_sums(const tmc_k_depthwise_row *row, int32_t at, const uint32_t *weights,
                          uint32_t sums[4]);

#endif
