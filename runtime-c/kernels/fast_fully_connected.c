/*
 * Fully connected layer, four outputs at a time in one instruction per multiplication.
 *
 * Stream of four channels c0..c3: the start values bias(c0) + 256 * bias(c1), bias(c0), bias(c2) + 256 *
 * bias(c3), bias(c2), modulo 2^32, biases with the input's zero point multiplied in; then for each four
 * inputs k0..k3 the weights of (k0, k2) for c0 + 256 * c1, for c2 + 256 * c3, and the same of (k1, k3), as in
 * conv_block.h. Inputs and channels are filled up to a multiple of 4 with zero weights.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"
#include "dsp.h"

typedef struct {
    const uint32_t *stream; /* advanced */
    const int8_t *input;
    int32_t fours;    /* inputs / 4, at least 1 */
    uint32_t sums[4]; /* c0 + 256 * c1, c0, c2 + 256 * c3, c2 */
} block;

#if TMC_K_DSP

/* Four inputs: r0 the stream, r1 the inputs, r3-r6 the sums. */
#define FOUR                                                                                                 \
    "ldr r7, [r1], #4\n\t"                                                                                   \
    "ldmia r0!, {r9, r10, r11, r12}\n\t"                                                                     \
    "sxtb16 r8, r7\n\t"                                                                                      \
    "sxtb16 r7, r7, ror #8\n\t"                                                                              \
    "smlad r3, r8, r9, r3\n\t"                                                                               \
    "sxtb16 r9, r9\n\t"                                                                                      \
    "smlad r5, r8, r10, r5\n\t"                                                                              \
    "sxtb16 r10, r10\n\t"                                                                                    \
    "smlad r4, r8, r9, r4\n\t"                                                                               \
    "smlad r6, r8, r10, r6\n\t"                                                                              \
    "smlad r3, r7, r11, r3\n\t"                                                                              \
    "sxtb16 r11, r11\n\t"                                                                                    \
    "smlad r5, r7, r12, r5\n\t"                                                                              \
    "sxtb16 r12, r12\n\t"                                                                                    \
    "smlad r4, r7, r11, r4\n\t"                                                                              \
    "smlad r6, r7, r12, r6\n\t"

TMC_K_ALL_REGISTERS static void run_block(block *b) {
    __asm__ volatile("ldr r3, %[b]\n\t"
                     "ldmia r3, {r0, r1, r2}\n\t"
                     "ldmia r0!, {r3, r4, r5, r6}\n\t"
                     "lsrs r2, r2, #1\n\t"
                     "bcc 1f\n\t" FOUR "1:\n\t"
                     "cmp r2, #0\n\t"
                     "beq 3f\n\t"
                     "2:\n\t" FOUR FOUR "subs r2, r2, #1\n\t"
                     "bne 2b\n\t"
                     "3:\n\t"
                     "ldr r2, %[b]\n\t"
                     "str r0, [r2], #12\n\t"
                     "stmia r2, {r3, r4, r5, r6}\n\t"
                     :
                     : [b] "m"(b)
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "cc",
                       "memory");
}

#else

static void run_block(block *b) {
    const uint32_t *in = b->stream;
    uint32_t sums[4] = {in[0], in[1], in[2], in[3]};
    in += 4;
    for (int32_t i = 0; i < b->fours; i++) {
        const uint32_t bytes = tmc_k_load4(b->input + (ptrdiff_t)4 * i);
        const uint32_t pairs[2] = {tmc_k_even_bytes(0U, bytes), tmc_k_odd_bytes(0U, bytes)};
        for (int32_t p = 0; p < 4; p++) {
            uint32_t *const sum = sums + 2 * (p % 2);
            sum[0] = tmc_k_dot(pairs[p / 2], in[p], sum[0]);
            sum[1] = tmc_k_dot(pairs[p / 2], tmc_k_even_bytes(0U, in[p]), sum[1]);
        }
        in += 4;
    }
    memcpy(b->sums, sums, sizeof sums);
    b->stream = in;
}

#endif

static void one_row(const tmc_fast_fully_connected *layer, const int8_t *input, int8_t *output) {
    const tmc_right_shift *requantization = layer->requantization;
    block b = {.stream = layer->stream, .input = input, .fours = (layer->input_depth + 3) / 4};
    for (int32_t c = 0; c < layer->output_depth; c += 4) {
        run_block(&b);
        for (int32_t i = 0; i < 4 && c + i < layer->output_depth; i++) {
            const uint32_t low = b.sums[i | 1];
            const uint32_t both = b.sums[i & 2];
            const int32_t twice = i % 2 == 0 ? (int32_t)(low << 1) : (int32_t)(both - low) >> 7;
            const int32_t value = tmc_k_requantize_right(twice, requantization);
            output[c + i] = (int8_t)tmc_k_clamp(value, layer->min, layer->max);
            requantization += layer->requantization_step;
        }
    }
}

void tmc_fast_fully_connected_s8(const tmc_fast_fully_connected *layer, const int8_t *input, int8_t *output) {
    for (int32_t row = 0; row < layer->rows; row++) {
        one_row(layer, input, output);
        input += layer->input_depth;
        output += layer->output_depth;
    }
}
