/*
 * The outer part of fast convolutions: goes through the output positions in order, gathers the inputs of some
 * of them as columns (conv_block.h), and calls a function for their outputs. The output may lie before the
 * input in memory as far as the memory plan proves.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_KERNELS_CONV_POSITIONS_H
#define TMC_KERNELS_CONV_POSITIONS_H

#include "tmc/kernels.h"

/* Computes all channels of 3 * `triples` positions from their columns; a position's first output is at
 * outputs[p]. The last positions may be the same. May change `outputs`. */
typedef void tmc_k_conv_run(const tmc_fast_conv2d *layer, uint32_t *columns, int32_t triples,
                            int8_t **outputs);

/* Gathers a window at (y, x) of which a part may lie outside of the image. `patch`: scratch. */
typedef void tmc_k_conv_edge(const tmc_fast_conv2d *layer, const int8_t *input, int32_t y, int32_t x,
                             int8_t *patch, uint32_t *column);

void tmc_k_conv_positions(const tmc_fast_conv2d *layer, const int8_t *input, uint32_t *columns,
                          int8_t *output, tmc_k_conv_run *run, tmc_k_conv_edge *edge);

/* The run of layers that are proved to fit conv_block.h. */
tmc_k_conv_run tmc_k_conv_run_fast;

/* Windows without and with dilation. */
tmc_k_conv_edge tmc_k_conv_edge_plain;
tmc_k_conv_edge tmc_k_conv_edge_dilated;

/* `rows` runs of 4 * `fours` int8 to pairs of a column, a run from each row. */
void tmc_k_conv_expand(const int8_t *from, int32_t fours, int32_t rows, ptrdiff_t row, uint32_t offsets,
                       uint32_t *column);

/* How many of the positions left are done next, in triples; the last one may be repeated. */
static inline int32_t tmc_k_conv_next_triples(const tmc_fast_conv2d *layer, int32_t left) {
    return left >= 3 * layer->triples ? layer->triples : (left + 2) / 3;
}

#endif
