/*
 * The inner part of fast convolutions: all output channels of three output positions, two channels at a time.
 *
 * Columns: the inputs of the three positions, zero point subtracted, as pairs of int16; word 3 * i + p is
 * pair i of position p. Four neighbouring inputs k0..k3 become the pairs (k0, k2) and (k1, k3).
 *
 * Stream: what a pair of channels (c, d) needs, in the order it is read:
 *   2 words        start values: bias(c) + 256 * bias(d), then bias(c), modulo 2^32
 *   `pairs` words  the weights of one pair of inputs (a, b) as halves: wc(a) + 256 * wd(a), wc(b) + 256 *
 * wd(b) 6 words        multiplier, rounding, shift of c, then of d
 *
 * A product with such a half adds up both channels at once; the low bytes alone give channel c, and the
 * difference is 256 times channel d. That is exact while channel d's accumulator fits in 23 bits with sign,
 * which the build proves.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_KERNELS_CONV_BLOCK_H
#define TMC_KERNELS_CONV_BLOCK_H

#include <stdint.h>

/* Steps of four inputs (two pairs) in one turn of the inner loop. */
enum { TMC_K_CONV_STEPS = 4 };

typedef struct {
    const uint32_t *current; /* work of the function, with `entry`, `next_outputs` and `left` */
    int32_t turns;           /* of the inner loop, at least 1 */
    uintptr_t entry;         /* where the first turn starts */
    int8_t **next_outputs;   /* outputs of the next triple */
    int32_t left;            /* triples left */
    const uint32_t *stream;  /* advanced to the end of what was used */
    const uint32_t *columns;
    int32_t channel_pairs; /* at least 1; 0 afterwards */
    int8_t **outputs;      /* where each position's first channel goes; each advanced by 2 * channel_pairs */
    int32_t triples;       /* positions / 3, at least 1 */
    uint32_t *copy;  /* room for the stream of a pair of channels in RAM, if that is worth it, or NULL */
    int32_t bytes;   /* of that stream: 4 * (pairs + 8), with `copy` a multiple of 32 */
    int32_t skipped; /* steps that the first turn leaves out: pairs / 2 = 4 * turns - skipped */
} tmc_k_conv_block;

void tmc_k_run_conv_block(tmc_k_conv_block *block);

#endif
