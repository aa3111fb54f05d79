/*
 * Six channels of a large fully connected layer, in 25 instructions per four inputs: the inputs are unpacked
 * for more channels at a time, and more loads follow each other. See dense_block.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "dense_block.h"
#include "dsp.h"

#if TMC_K_DSP

/* Two inputs of six channels: x the inputs, r11, r12, lr the weights, r3-r8 the sums. */
#define TWO(x)                                                                                               \
    "smlad r3, " x ", r11, r3\n\t"                                                                           \
    "sxtb16 r11, r11\n\t"                                                                                    \
    "smlad r5, " x ", r12, r5\n\t"                                                                           \
    "sxtb16 r12, r12\n\t"                                                                                    \
    "smlad r7, " x ", lr, r7\n\t"                                                                            \
    "sxtb16 lr, lr\n\t"                                                                                      \
    "smlad r4, " x ", r11, r4\n\t"                                                                           \
    "smlad r6, " x ", r12, r6\n\t"                                                                           \
    "smlad r8, " x ", lr, r8\n\t"

/* Four inputs: r0 the stream, r1 the inputs; 100 bytes of code. */
#define STEP                                                                                                 \
    "ldr r10, [r1], #4\n\t"                                                                                  \
    "ldr r11, [r0], #4\n\t"                                                                                  \
    "ldr r12, [r0], #4\n\t"                                                                                  \
    "ldr lr, [r0], #4\n\t"                                                                                   \
    "sxtb16 r9, r10\n\t"                                                                                     \
    "sxtb16 r10, r10, ror #8\n\t" TWO("r9") "ldmia.w r0!, {r11, r12, lr}\n\t" TWO("r10")

/* Twice the accumulator in `x` to int8 at r12; r0 the channel's requantisation, r1 the step to the next. */
#define REQUANTIZE(x)                                                                                        \
    "ldmia r0, {r9, r10, r11}\n\t"                                                                           \
    "add r0, r0, r1\n\t"                                                                                     \
    "add r10, r10, " x ", asr #31\n\t"                                                                       \
    "smmlar " x ", " x ", r9, r10\n\t"                                                                       \
    "asr " x ", " x ", r11\n\t"                                                                              \
    "ssat " x ", #8, " x "\n\t"                                                                              \
    "strb " x ", [r12], #1\n\t"

/* The assembly counts bytes: pointers and int32_t have 4. */
_Static_assert(offsetof(tmc_k_dense_block, requantization) == 16 &&
                   offsetof(tmc_k_dense_block, skipped) == 32,
               "layout");

/* clang-format off */
TMC_K_ALL_REGISTERS void tmc_k_run_dense_six(tmc_k_dense_block *block) {
    __asm__ volatile(
        "ldr r2, %[block]\n\t"
        "ldr r5, [r2, #32]\n\t" /* skipped */
        "adr.w r4, 5f\n\t"
        "mov r6, #100\n\t"
        "mla r4, r5, r6, r4\n\t"
        "orr r4, r4, #1\n\t" /* Thumb */
        "str r4, [r2, #12]\n\t"
        "ldr r0, [r2]\n\t"
        /* The next six channels. r0 the stream. */
        "1:\n\t"
        "ldr r3, %[block]\n\t"
        "add r3, r3, #4\n\t"
        "ldmia r3, {r1, r2, lr}\n\t" /* input, turns, entry */
        "ldmia r0!, {r3, r4, r5, r6, r7, r8}\n\t"
        "bx lr\n\t"
        "5:\n\t"
        STEP
        ".if . - 5b != 100\n\t"
        ".error \"a step has 100 bytes\"\n\t"
        ".endif\n\t"
        STEP STEP STEP
        "subs r2, r2, #1\n\t"
        "bne 5b\n\t"
        "ldr r2, %[block]\n\t"
        "mov lr, r0\n\t"
        "ldrd r0, r1, [r2, #16]\n\t" /* requantisation, step */
        "ldr r12, [r2, #24]\n\t"     /* output */
        "sub r3, r3, r4\n\t"         /* 256 times the second channel */
        "sub r5, r5, r6\n\t"
        "sub r7, r7, r8\n\t"
        "asr r3, r3, #7\n\t"
        "asr r5, r5, #7\n\t"
        "asr r7, r7, #7\n\t"
        "lsl r4, r4, #1\n\t"
        "lsl r6, r6, #1\n\t"
        "lsl r8, r8, #1\n\t"
        REQUANTIZE("r4") REQUANTIZE("r3") REQUANTIZE("r6") REQUANTIZE("r5") REQUANTIZE("r8") REQUANTIZE("r7")
        "ldr r8, [r2, #28]\n\t" /* groups */
        "str r0, [r2, #16]\n\t"
        "subs r8, r8, #1\n\t"
        "str r12, [r2, #24]\n\t"
        "str r8, [r2, #28]\n\t"
        "mov r0, lr\n\t"
        "bne 1b\n\t"
        "str r0, [r2]\n\t"
        :
        : [block] "m"(block)
        : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
/* clang-format on */

#else

void tmc_k_run_dense_six(tmc_k_dense_block *block) {
    tmc_k_run_dense_channels(block, 6);
}

#endif
