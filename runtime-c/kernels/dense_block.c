/*
 * Four channels of a fully connected layer, in 16 instructions per four inputs. See dense_block.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dense_block.h"

#include <stddef.h>
#include <string.h>

#include "dsp.h"

#if TMC_K_DSP

/* Four inputs: r0 the stream, r1 the inputs, r3-r6 the sums; 64 bytes of code. */
#define STEP                                                                                                 \
    "ldr r8, [r1], #4\n\t"                                                                                   \
    "ldmia r0!, {r9, r10, r11, r12}\n\t"                                                                     \
    "sxtb16 r7, r8\n\t"                                                                                      \
    "sxtb16 r8, r8, ror #8\n\t"                                                                              \
    "smlad r3, r7, r9, r3\n\t"                                                                               \
    "sxtb16 r9, r9\n\t"                                                                                      \
    "smlad r5, r7, r10, r5\n\t"                                                                              \
    "sxtb16 r10, r10\n\t"                                                                                    \
    "smlad r4, r7, r9, r4\n\t"                                                                               \
    "smlad r6, r7, r10, r6\n\t"                                                                              \
    "smlad r3, r8, r11, r3\n\t"                                                                              \
    "sxtb16 r11, r11\n\t"                                                                                    \
    "smlad r5, r8, r12, r5\n\t"                                                                              \
    "sxtb16 r12, r12\n\t"                                                                                    \
    "smlad r4, r8, r11, r4\n\t"                                                                              \
    "smlad r6, r8, r12, r6\n\t"

/* Twice the accumulator in `x` to int8; r0 the channel's requantisation, r1 the step to the next. */
#define REQUANTIZE(x)                                                                                        \
    "ldmia r0, {r8, r9, r10}\n\t"                                                                            \
    "add r0, r0, r1\n\t"                                                                                     \
    "add r9, r9, " x ", asr #31\n\t"                                                                         \
    "smmlar " x ", " x ", r8, r9\n\t"                                                                        \
    "asr " x ", " x ", r10\n\t"                                                                              \
    "ssat " x ", #8, " x "\n\t"

/* The assembly counts bytes: pointers and int32_t have 4. */
_Static_assert(offsetof(tmc_k_dense_block, requantization) == 16 &&
                   offsetof(tmc_k_dense_block, skipped) == 32,
               "layout");

/* clang-format off */
TMC_K_ALL_REGISTERS void tmc_k_run_dense_block(tmc_k_dense_block *block) {
    __asm__ volatile(
        "ldr r2, %[block]\n\t"
        "ldr r5, [r2, #32]\n\t" /* skipped */
        "adr.w r4, 5f\n\t"
        "add r4, r4, r5, lsl #6\n\t"
        "orr r4, r4, #1\n\t" /* Thumb */
        "str r4, [r2, #12]\n\t"
        "ldr r0, [r2]\n\t"
        /* The next four channels. r0 the stream. */
        "1:\n\t"
        "ldr r3, %[block]\n\t"
        "add r3, r3, #4\n\t"
        "ldmia r3, {r1, r2, lr}\n\t" /* input, turns, entry */
        "ldmia r0!, {r3, r4, r5, r6}\n\t"
        "bx lr\n\t"
        "5:\n\t"
        STEP
        ".if . - 5b != 64\n\t"
        ".error \"a step has 64 bytes\"\n\t"
        ".endif\n\t"
        STEP STEP STEP
        "subs r2, r2, #1\n\t"
        "bne 5b\n\t"
        "ldr r2, %[block]\n\t"
        "mov lr, r0\n\t"
        "ldrd r0, r1, [r2, #16]\n\t" /* requantisation, step */
        "sub r3, r3, r4\n\t"         /* 256 times the second channel */
        "sub r5, r5, r6\n\t"
        "asr r3, r3, #7\n\t"
        "asr r5, r5, #7\n\t"
        "lsl r4, r4, #1\n\t"
        "lsl r6, r6, #1\n\t"
        REQUANTIZE("r4") REQUANTIZE("r3") REQUANTIZE("r6") REQUANTIZE("r5")
        "ldrd r7, r8, [r2, #24]\n\t" /* output, groups */
        "strb r4, [r7]\n\t"
        "strb r3, [r7, #1]\n\t"
        "strb r6, [r7, #2]\n\t"
        "strb r5, [r7, #3]\n\t"
        "add r7, r7, #4\n\t"
        "subs r8, r8, #1\n\t"
        "str r0, [r2, #16]\n\t"
        "strd r7, r8, [r2, #24]\n\t"
        "mov r0, lr\n\t"
        "bne 1b\n\t"
        "str r0, [r2]\n\t"
        :
        : [block] "m"(block)
        : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
/* clang-format on */

#else

void tmc_k_run_dense_block(tmc_k_dense_block *block) {
    tmc_k_run_dense_channels(block, 4);
}

#endif

void tmc_k_run_dense_channels(tmc_k_dense_block *block, int32_t channels) {
    for (; block->groups > 0; block->groups--) {
        const uint32_t *in = block->stream;
        uint32_t sums[6] = {0U};
        memcpy(sums, in, (size_t)channels * sizeof *sums);
        in += channels;
        for (int32_t i = 0; i < TMC_K_DENSE_STEPS * block->turns - block->skipped; i++) {
            const uint32_t bytes = tmc_k_load4(block->input + (ptrdiff_t)4 * i);
            const uint32_t pairs[2] = {tmc_k_even_bytes(0U, bytes), tmc_k_odd_bytes(0U, bytes)};
            for (int32_t p = 0; p < channels; p++) {
                uint32_t *const sum = sums + p % (channels / 2) * 2;
                const uint32_t pair = pairs[p / (channels / 2)];
                sum[0] = tmc_k_dot(pair, in[p], sum[0]);
                sum[1] = tmc_k_dot(pair, tmc_k_even_bytes(0U, in[p]), sum[1]);
            }
            in += channels;
        }
        block->stream = in;
        for (int32_t c = 0; c < channels; c++) {
            const uint32_t *const sum = sums + c / 2 * 2;
            const int32_t twice = c % 2 == 0 ? (int32_t)(sum[1] << 1) : (int32_t)(sum[0] - sum[1]) >> 7;
            *block->output++ = (int8_t)tmc_k_requantize_right(twice, block->requantization);
            block->requantization += block->step == 0 ? 0 : 1;
        }
    }
}

/* Eight instructions more than above: two weights are taken out of each half. */
void tmc_k_run_dense_sums(tmc_k_dense_block *block, uint32_t sums[4]) {
    const uint32_t *in = block->stream;
    const int8_t *input = block->input;
    uint32_t s0 = 0U;
    uint32_t s1 = 0U;
    uint32_t s2 = 0U;
    uint32_t s3 = 0U;
    for (int32_t left = TMC_K_DENSE_STEPS * block->turns - block->skipped; left > 0; left--) {
        const uint32_t bytes = tmc_k_load4(input);
        const uint32_t even = tmc_k_even_bytes(0U, bytes);
        const uint32_t odd = tmc_k_odd_bytes(0U, bytes);
        s0 = tmc_k_dot(even, tmc_k_even_bytes(0U, in[0]), s0);
        s1 = tmc_k_dot(even, tmc_k_odd_bytes(0U, in[0]), s1);
        s2 = tmc_k_dot(even, tmc_k_even_bytes(0U, in[1]), s2);
        s3 = tmc_k_dot(even, tmc_k_odd_bytes(0U, in[1]), s3);
        s0 = tmc_k_dot(odd, tmc_k_even_bytes(0U, in[2]), s0);
        s1 = tmc_k_dot(odd, tmc_k_odd_bytes(0U, in[2]), s1);
        s2 = tmc_k_dot(odd, tmc_k_even_bytes(0U, in[3]), s2);
        s3 = tmc_k_dot(odd, tmc_k_odd_bytes(0U, in[3]), s3);
        input += 4;
        in += 4;
    }
    block->stream = in;
    sums[0] += s0;
    sums[1] += s1;
    sums[2] += s2;
    sums[3] += s3;
}
