/*
 * Convolution by columns (conv_positions.h) with any weights, biases and requantisation: fast
 * multiplications, outputs one by one.
 *
 * Stream of two channels c and d: a word for each pair of inputs (a, b), in its bytes wc(a), wd(a), wc(b),
 * wd(b). The last of an odd number of channels has a companion with zero weights.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"
#include "conv_positions.h"
#include "dsp.h"

typedef struct {
    const uint32_t *stream;
    const uint32_t *columns;
    int32_t steps;    /* of two pairs, at least 1 */
    uint32_t sums[6]; /* of three positions: channel c, then d */
} block;

#if TMC_K_DSP

/* A pair of inputs of three positions: r0 the weights, r1 the columns. */
#define PAIR                                                                                                 \
    "ldr r3, [r0], #4\n\t"                                                                                   \
    "ldmia r1!, {r5, r6, r7}\n\t"                                                                            \
    "sxtb16 r4, r3\n\t"                                                                                      \
    "sxtb16 r3, r3, ror #8\n\t"                                                                              \
    "smlad r8, r5, r4, r8\n\t"                                                                               \
    "smlad r9, r6, r4, r9\n\t"                                                                               \
    "smlad r10, r7, r4, r10\n\t"                                                                             \
    "smlad r11, r5, r3, r11\n\t"                                                                             \
    "smlad r12, r6, r3, r12\n\t"                                                                             \
    "smlad lr, r7, r3, lr\n\t"

TMC_K_ALL_REGISTERS static void run_block(block *b) {
    __asm__ volatile("ldr r3, %[b]\n\t"
                     "ldmia r3, {r0, r1, r2, r8, r9, r10, r11, r12, lr}\n\t"
                     "1:\n\t" PAIR PAIR "subs r2, r2, #1\n\t"
                     "bne 1b\n\t"
                     "ldr r3, %[b]\n\t"
                     "add r3, r3, #12\n\t"
                     "stmia r3, {r8, r9, r10, r11, r12, lr}\n\t"
                     :
                     : [b] "m"(b)
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr",
                       "cc", "memory");
}

#else

static void run_block(block *b) {
    for (int32_t i = 0; i < 2 * b->steps; i++) {
        for (int32_t p = 0; p < 3; p++) {
            const uint32_t pair = b->columns[3 * i + p];
            b->sums[p] = tmc_k_dot(pair, tmc_k_even_bytes(0U, b->stream[i]), b->sums[p]);
            b->sums[3 + p] = tmc_k_dot(pair, tmc_k_odd_bytes(0U, b->stream[i]), b->sums[3 + p]);
        }
    }
}

#endif

static uint32_t start_of(const tmc_general_conv2d *layer, int32_t channel) {
    return layer->bias == NULL ? 0U : (uint32_t)layer->bias[channel];
}

static void run_general(const tmc_fast_conv2d *conv, uint32_t *columns, int32_t triples, int8_t **outputs) {
    const tmc_general_conv2d *layer = (const tmc_general_conv2d *)conv; /* its first member */
    const int32_t channels = conv->window.output_channels;
    const uint32_t *stream = conv->stream;
    for (int32_t c = 0; c < channels; c += 2) {
        const int32_t both = c + 1 < channels ? 2 : 1;
        const uint32_t starts[2] = {start_of(layer, c), both == 2 ? start_of(layer, c + 1) : 0U};
        for (int32_t t = 0; t < triples; t++) {
            block b = {.stream = stream,
                       .columns = columns + (ptrdiff_t)3 * conv->pairs * t,
                       .steps = conv->pairs / 2,
                       .sums = {starts[0], starts[0], starts[0], starts[1], starts[1], starts[1]}};
            run_block(&b);
            for (int32_t i = 0; i < both; i++) {
                for (int32_t p = 0; p < 3; p++) {
                    outputs[3 * t + p][c + i] =
                        tmc_k_requantize(b.sums[3 * i + p], c + i, &layer->requantization);
                }
            }
        }
        stream += conv->pairs;
    }
}

void tmc_general_conv2d_s8(const tmc_general_conv2d *layer, const int8_t *input, uint32_t *columns,
                           int8_t *output) {
    const tmc_window *w = &layer->conv.window;
    const bool dilated = w->dilation_height > 1 || w->dilation_width > 1;
    tmc_k_conv_positions(&layer->conv, input, columns, output, run_general,
                         dilated ? tmc_k_conv_edge_dilated : tmc_k_conv_edge_plain);
}
