/*
 * The inner part of fast depthwise convolutions: one row of outputs of four neighbouring channels.
 *
 * Rows: inputs of these channels only, zero point subtracted, padding included: two words (c0, c2), (c1, c3)
 * per column.
 *
 * Stream of four channels, with everything that is added up doubled, as requantisation wants it:
 *   4 words                 start values: bias * 2
 *   2 words for each tap    weights * 2, as (c0, c2), (c1, c3), the window row by row
 *   4 + 4 + 4 words         multipliers, roundings, shifts
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_KERNELS_DEPTHWISE_BLOCK_H
#define TMC_KERNELS_DEPTHWISE_BLOCK_H

#include <stdint.h>

/* Window rows that a fast kernel accepts. */
enum { TMC_K_DEPTHWISE_ROWS = 8 };

typedef struct {
    const uint32_t *rows[TMC_K_DEPTHWISE_ROWS];
    const uint32_t *stream;
    int8_t *output;
    int32_t step;  /* bytes from one output to the next: the number of channels */
    int32_t count; /* outputs, at least 1 */
} tmc_k_depthwise_row;

/* Windows of 3x3 with horizontal stride 1 or 2. */
void tmc_k_depthwise_row_3x3(const tmc_k_depthwise_row *row);
void tmc_k_depthwise_row_3x3_stride2(const tmc_k_depthwise_row *row);

/* Any window and stride. */
void tmc_k_depthwise_row_any(const tmc_k_depthwise_row *row, int32_t height, int32_t width, int32_t stride);

#endif
