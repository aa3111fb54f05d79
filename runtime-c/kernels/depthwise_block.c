/*
 * One row of outputs of a depthwise convolution: for 3x3 windows, 21 instructions per output. See
 * depthwise_block.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "depthwise_block.h"

#include <stddef.h>

#include "dsp.h"

void tmc_k_depthwise_sums(const tmc_k_depthwise_row *row, int32_t at, const uint32_t *weights,
                          uint32_t sums[4]) {
    uint32_t s0 = sums[0];
    uint32_t s1 = sums[1];
    uint32_t s2 = sums[2];
    uint32_t s3 = sums[3];
    for (int32_t y = 0; y < row->height; y++) {
        const uint32_t *in = row->rows[y] + at / 4;
        for (int32_t x = row->width; x > 0; x--) {
            s0 = tmc_k_multiply_low(in[0], weights[0], s0);
            s1 = tmc_k_multiply_low(in[1], weights[1], s1);
            s2 = tmc_k_multiply_high(in[0], weights[0], s2);
            s3 = tmc_k_multiply_high(in[1], weights[1], s3);
            in += row->tap_step / 4;
            weights += 2;
        }
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

#if TMC_K_DSP

/* Four products: inputs r4, r5, weights r6, r7, twice the accumulators r8-r11. */
#define PRODUCTS                                                                                             \
    "smlabb r8, r4, r6, r8\n\t"                                                                              \
    "smlabb r9, r5, r7, r9\n\t"                                                                              \
    "smlatt r10, r4, r6, r10\n\t"                                                                            \
    "smlatt r11, r5, r7, r11\n\t"

/* One tap: the input words are loaded by `load`, the weights are next in the stream (r3). */
#define TAP(load) load "\n\tldrd r6, r7, [r3], #8\n\t" PRODUCTS

/* Three taps of one row; `next` moves the row on by one output, `second` and `third` are the offsets then. */
#define ROW(row, next, second, third)                                                                        \
    TAP("ldrd r4, r5, [" row "], #" next)                                                                    \
    TAP("ldrd r4, r5, [" row ", #" second "]")                                                               \
    TAP("ldrd r4, r5, [" row ", #" third "]")

/* r8-r11 to int8 at r12, see tmc_k_requantize_right; r3 the stream, advanced by 32 bytes. */
#define REQUANTIZE                                                                                           \
    "ldmia r3!, {r4, r5, r6, r7}\n\t"                                                                        \
    "add r6, r6, r8, asr #31\n\t"                                                                            \
    "add r7, r7, r9, asr #31\n\t"                                                                            \
    "smmlar r8, r8, r4, r6\n\t"                                                                              \
    "smmlar r9, r9, r5, r7\n\t"                                                                              \
    "ldmia r3!, {r4, r5, r6, r7}\n\t"                                                                        \
    "add r6, r6, r10, asr #31\n\t"                                                                           \
    "add r7, r7, r11, asr #31\n\t"                                                                           \
    "smmlar r10, r10, r4, r6\n\t"                                                                            \
    "smmlar r11, r11, r5, r7\n\t"                                                                            \
    "ldmia r3, {r4, r5, r6, r7}\n\t"                                                                         \
    "asr r8, r8, r4\n\t"                                                                                     \
    "asr r9, r9, r5\n\t"                                                                                     \
    "asr r10, r10, r6\n\t"                                                                                   \
    "asr r11, r11, r7\n\t"                                                                                   \
    "ssat r8, #8, r8\n\t"                                                                                    \
    "ssat r9, #8, r9\n\t"                                                                                    \
    "ssat r10, #8, r10\n\t"                                                                                  \
    "ssat r11, #8, r11\n\t"                                                                                  \
    "strb r8, [r12]\n\t"                                                                                     \
    "strb r9, [r12, #1]\n\t"                                                                                 \
    "strb r10, [r12, #2]\n\t"                                                                                \
    "strb r11, [r12, #3]\n\t"

#define CLOBBERED                                                                                            \
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory"

/* r0-r2 the rows, r3 the stream, r12 the output, lr the outputs left. */
#define OUTPUTS(next, second, third)                                                                         \
    __asm__ volatile("ldr r4, %[row]\n\t"                                                                    \
                     "ldmia r4, {r0, r1, r2}\n\t"                                                            \
                     "ldr r3, [r4, #64]\n\t"                                                                 \
                     "ldr r12, [r4, #68]\n\t"                                                                \
                     "ldr lr, [r4, #76]\n\t"                                                                 \
                     "1:\n\t"                                                                                \
                     "ldmia r3!, {r8, r9, r10, r11}\n\t" /* 120 bytes of stream to the last load */          \
                     ROW("r0", next, second, third) ROW("r1", next, second, third)                           \
                         ROW("r2", next, second, third) REQUANTIZE "ldr r4, %[step]\n\t"                     \
                                                                   "add r12, r12, r4\n\t"                    \
                                                                   "sub r3, r3, #120\n\t"                    \
                                                                   "subs lr, lr, #1\n\t"                     \
                                                                   "bne 1b\n\t"                              \
                     :                                                                                       \
                     : [row] "m"(row), [step] "m"(step)                                                      \
                     : CLOBBERED)

/* The assembly counts bytes: pointers and int32_t of tmc_k_depthwise_row have 4. */
_Static_assert(offsetof(tmc_k_depthwise_row, stream) == 64 && offsetof(tmc_k_depthwise_row, stride) == 92,
               "layout");

TMC_K_ALL_REGISTERS void tmc_k_depthwise_row_3x3(const tmc_k_depthwise_row *row) {
    const int32_t step = row->step; /* on the stack, within reach of the assembly */
    OUTPUTS("8", "0", "8");
}

TMC_K_ALL_REGISTERS void tmc_k_depthwise_row_3x3_stride2(const tmc_k_depthwise_row *row) {
    const int32_t step = row->step;
    OUTPUTS("16", "-8", "0");
}

typedef struct {
    const tmc_k_depthwise_row *row;
    int32_t at; /* byte in the rows */
    int8_t *output;
    int32_t left;
} any_state;

/* r0 the inputs, r1 from tap to tap, r2 the taps left of a row, r3 the stream, r12 the rows, lr the rows
 * left.
 */
TMC_K_ALL_REGISTERS void tmc_k_depthwise_row_any(const tmc_k_depthwise_row *row) {
    any_state own = {.row = row, .output = row->output, .left = row->count};
    any_state *const state = &own;
    __asm__ volatile("1:\n\t"
                     "ldr r12, %[state]\n\t"
                     "ldr r12, [r12]\n\t"
                     "ldr r3, [r12, #64]\n\t"
                     "ldr lr, [r12, #80]\n\t"
                     "ldr r1, [r12, #88]\n\t"
                     "ldmia r3!, {r8, r9, r10, r11}\n\t"
                     "2:\n\t"
                     "ldr r6, %[state]\n\t"
                     "ldrd r4, r5, [r6]\n\t"
                     "ldr r0, [r12], #4\n\t"
                     "ldr r2, [r4, #84]\n\t"
                     "add r0, r0, r5\n\t"
                     "3:\n\t"
                     "ldrd r4, r5, [r0]\n\t"
                     "ldrd r6, r7, [r3], #8\n\t"
                     "add r0, r0, r1\n\t" PRODUCTS "subs r2, r2, #1\n\t"
                     "bne 3b\n\t"
                     "subs lr, lr, #1\n\t"
                     "bne 2b\n\t"
                     "ldr r0, %[state]\n\t"
                     "ldr r12, [r0, #8]\n\t" REQUANTIZE "ldrd r1, r2, [r0]\n\t" /* row, at */
                     "ldr r3, [r1, #72]\n\t"
                     "ldr r4, [r1, #92]\n\t"
                     "ldr r5, [r0, #12]\n\t"
                     "add r12, r12, r3\n\t"
                     "add r2, r2, r4\n\t"
                     "subs r5, r5, #1\n\t"
                     "str r2, [r0, #4]\n\t"
                     "str r12, [r0, #8]\n\t"
                     "str r5, [r0, #12]\n\t"
                     "bne 1b\n\t"
                     :
                     : [state] "m"(state)
                     : CLOBBERED);
}

#else

void tmc_k_depthwise_row_any(const tmc_k_depthwise_row *row) {
    const uint32_t *const weights = row->stream + 4;
    const uint32_t *const requantization = weights + (ptrdiff_t)2 * row->height * row->width;
    int8_t *output = row->output;
    for (int32_t i = 0; i < row->count; i++) {
        uint32_t sums[4] = {row->stream[0], row->stream[1], row->stream[2], row->stream[3]};
        tmc_k_depthwise_sums(row, i * row->stride, weights, sums);
        for (int32_t c = 0; c < 4; c++) {
            const uint32_t *const own = requantization + 4 * (c / 2) + c % 2;
            const tmc_right_shift r = {(int32_t)own[0], (int32_t)own[2], (int32_t)requantization[8 + c]};
            output[c] = (int8_t)tmc_k_requantize_right((int32_t)sums[c], &r);
        }
        output += row->step;
    }
}

static void row_3x3(const tmc_k_depthwise_row *row, int32_t stride) {
    tmc_k_depthwise_row any = *row;
    any.height = 3;
    any.width = 3;
    any.tap_step = 8;
    any.stride = stride;
    tmc_k_depthwise_row_any(&any);
}

void tmc_k_depthwise_row_3x3(const tmc_k_depthwise_row *row) {
    row_3x3(row, 8);
}

void tmc_k_depthwise_row_3x3_stride2(const tmc_k_depthwise_row *row) {
    row_3x3(row, 16);
}

#endif
