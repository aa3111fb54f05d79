/*
 * One row of outputs of a depthwise convolution: for 3x3 windows, 22 instructions per output. See
 * depthwise_block.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "depthwise_block.h"

#include <stddef.h>

#include "dsp.h"

void tmc_k_depthwise_row_any(const tmc_k_depthwise_row *row, int32_t height, int32_t width, int32_t stride) {
    const uint32_t *const requantization = row->stream + 4 + (ptrdiff_t)2 * height * width;
    for (int32_t i = 0; i < row->count; i++) {
        const uint32_t *weights = row->stream;
        uint32_t acc[4] = {weights[0], weights[1], weights[2], weights[3]};
        weights += 4;
        for (int32_t y = 0; y < height; y++) {
            const uint32_t *in = row->rows[y] + (ptrdiff_t)2 * i * stride;
            for (int32_t x = 0; x < width; x++) {
                acc[0] += (uint32_t)(tmc_k_low(in[0]) * tmc_k_low(weights[0]));
                acc[1] += (uint32_t)(tmc_k_low(in[1]) * tmc_k_low(weights[1]));
                acc[2] += (uint32_t)(tmc_k_high(in[0]) * tmc_k_high(weights[0]));
                acc[3] += (uint32_t)(tmc_k_high(in[1]) * tmc_k_high(weights[1]));
                in += 2;
                weights += 2;
            }
        }
        for (int32_t c = 0; c < 4; c++) {
            const tmc_right_shift r = {(int32_t)requantization[c], (int32_t)requantization[4 + c],
                                       (int32_t)requantization[8 + c]};
            row->output[(ptrdiff_t)i * row->step + c] = (int8_t)tmc_k_requantize_right((int32_t)acc[c], &r);
        }
    }
}

#if TMC_K_DSP

/* One tap: the input words are loaded by `load`, the weights are next in the stream (r3). */
#define TAP(load)                                                                                            \
    load "\n\tldrd r6, r7, [r3], #8\n\t"                                                                     \
         "smlabb r8, r4, r6, r8\n\t"                                                                         \
         "smlabb r9, r5, r7, r9\n\t"                                                                         \
         "smlatt r10, r4, r6, r10\n\t"                                                                       \
         "smlatt r11, r5, r7, r11\n\t"

/* Three taps of one row; `next` moves the row on by one output, `second` and `third` are the offsets then. */
#define ROW(row, next, second, third)                                                                        \
    TAP("ldrd r4, r5, [" row "], #" next)                                                                    \
    TAP("ldrd r4, r5, [" row ", #" second "]") TAP("ldrd r4, r5, [" row ", #" third "]")

/* r0-r2 the rows, r3 the stream, r12 the output, lr the outputs left; 136 bytes of stream after the
 * roundings. */
#define OUTPUTS(next, second, third)                                                                         \
    __asm__ volatile("ldr r4, %[row]\n\t"                                                                    \
                     "ldmia r4, {r0, r1, r2}\n\t"                                                            \
                     "ldr r3, [r4, #32]\n\t"                                                                 \
                     "ldr r12, [r4, #36]\n\t"                                                                \
                     "ldr lr, [r4, #44]\n\t"                                                                 \
                     "1:\n\t"                                                                                \
                     "ldmia r3!, {r8, r9, r10, r11}\n\t" ROW("r0", next, second, third)                      \
                         ROW("r1", next, second, third)                                                      \
                             ROW("r2", next, second, third) "ldmia r3!, {r4, r5, r6, r7}\n\t"                \
                                                            "smmulr r8, r8, r4\n\t"                          \
                                                            "smmulr r9, r9, r5\n\t"                          \
                                                            "smmulr r10, r10, r6\n\t"                        \
                                                            "smmulr r11, r11, r7\n\t"                        \
                                                            "ldmia r3!, {r4, r5, r6, r7}\n\t"                \
                                                            "add r8, r8, r8, asr #31\n\t"                    \
                                                            "add r9, r9, r9, asr #31\n\t"                    \
                                                            "add r10, r10, r10, asr #31\n\t"                 \
                                                            "add r11, r11, r11, asr #31\n\t"                 \
                                                            "add r8, r8, r4\n\t"                             \
                                                            "add r9, r9, r5\n\t"                             \
                                                            "add r10, r10, r6\n\t"                           \
                                                            "add r11, r11, r7\n\t"                           \
                                                            "ldmia r3, {r4, r5, r6, r7}\n\t"                 \
                                                            "asr r8, r8, r4\n\t"                             \
                                                            "asr r9, r9, r5\n\t"                             \
                                                            "asr r10, r10, r6\n\t"                           \
                                                            "asr r11, r11, r7\n\t"                           \
                                                            "ssat r8, #8, r8\n\t"                            \
                                                            "ssat r9, #8, r9\n\t"                            \
                                                            "ssat r10, #8, r10\n\t"                          \
                                                            "ssat r11, #8, r11\n\t"                          \
                                                            "ldr r4, %[step]\n\t"                            \
                                                            "strb r8, [r12]\n\t"                             \
                                                            "strb r9, [r12, #1]\n\t"                         \
                                                            "strb r10, [r12, #2]\n\t"                        \
                                                            "strb r11, [r12, #3]\n\t"                        \
                                                            "add r12, r12, r4\n\t"                           \
                                                            "sub r3, r3, #120\n\t"                           \
                                                            "subs lr, lr, #1\n\t"                            \
                                                            "bne 1b\n\t"                                     \
                     :                                                                                       \
                     : [row] "m"(row), [step] "m"(step)                                                      \
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12",      \
                       "lr", "cc", "memory")

/* The assembly counts bytes: pointers and int32_t of tmc_k_depthwise_row have 4. */
_Static_assert(offsetof(tmc_k_depthwise_row, stream) == 32 && offsetof(tmc_k_depthwise_row, count) == 44,
               "layout");

TMC_K_ALL_REGISTERS void tmc_k_depthwise_row_3x3(const tmc_k_depthwise_row *row) {
    const int32_t step = row->step; /* on the stack, within reach of the assembly */
    OUTPUTS("8", "0", "8");
}

TMC_K_ALL_REGISTERS void tmc_k_depthwise_row_3x3_stride2(const tmc_k_depthwise_row *row) {
    const int32_t step = row->step;
    OUTPUTS("16", "-8", "0");
}

#else

void tmc_k_depthwise_row_3x3(const tmc_k_depthwise_row *row) {
    tmc_k_depthwise_row_any(row, 3, 3, 1);
}

void tmc_k_depthwise_row_3x3_stride2(const tmc_k_depthwise_row *row) {
    tmc_k_depthwise_row_any(row, 3, 3, 2);
}

#endif
