/*
 * The inner part of fully connected layers: four channels (or six) at a time of one row of inputs.
 *
 * Stream of four channels c0..c3 in a fast layer: the start values bias(c0) + 256 * bias(c1), bias(c0),
 * bias(c2) + 256 * bias(c3), bias(c2), modulo 2^32, biases with the input's zero point multiplied in; then
 * for each four inputs k0..k3 the weights of (k0, k2) for c0 + 256 * c1, for c2 + 256 * c3, and the same of
 * (k1, k3), as in conv_block.h. In a general layer: no start values, and the same words with the two weights
 * of an input in the bytes of a half. Inputs and channels are filled up to a multiple of 4 with zero weights.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_KERNELS_DENSE_BLOCK_H
#define TMC_KERNELS_DENSE_BLOCK_H

#include "tmc/kernels.h"

/* Steps of four inputs in one turn of the inner loop. */
enum { TMC_K_DENSE_STEPS = 4 };

typedef struct {
    const uint32_t *stream; /* advanced */
    const int8_t *input;
    int32_t turns;                         /* of the inner loop, at least 1 */
    uintptr_t entry;                       /* work of the function: where the first turn starts */
    const tmc_right_shift *requantization; /* advanced */
    int32_t step;                          /* bytes from that of a channel to the next: 0 or 12 */
    int8_t *output;                        /* advanced */
    int32_t groups;                        /* of channels, at least 1; 0 afterwards */
    int32_t skipped; /* steps that the first turn leaves out: inputs / 4 = 4 * turns - skipped */
} tmc_k_dense_block;

/* Groups of four channels, and of six: c4 and c5 follow c3 in the stream in the same way. */
void tmc_k_run_dense_block(tmc_k_dense_block *block);
void tmc_k_run_dense_six(tmc_k_dense_block *block);

/* Their portable twin: four or six channels. */
void tmc_k_run_dense_channels(tmc_k_dense_block *block, int32_t channels);

/* Four channels of a general layer: adds to the sums. Uses stream, input, turns, skipped. */
void tmc_k_run_dense_sums(tmc_k_dense_block *block, uint32_t sums[4]);

/* How many sixes come first: as many as possible, one less where that leaves whole fours. */
static inline int32_t tmc_k_dense_sixes(int32_t channels) {
    const int32_t sixes = channels / 6;
    return sixes > 0 && channels % 6 == 2 ? sixes - 1 : sixes;
}

/* Turns and skipped steps for so many inputs. */
static inline void tmc_k_dense_turns(tmc_k_dense_block *block, int32_t inputs) {
    const int32_t steps = (inputs + 3) / 4;
    block->turns = (steps + TMC_K_DENSE_STEPS - 1) / TMC_K_DENSE_STEPS;
    block->skipped = TMC_K_DENSE_STEPS * block->turns - steps;
}

#endif
