/*
 * Three positions by two channels, in 17 instructions per step of two pairs of inputs (24 multiplications).
 * See conv_block.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "conv_block.h"

#include <stddef.h>

#include "dsp.h"

#if TMC_K_DSP

/* Three inputs r5-r7 times the weights `w` of two channels: r8-r10 both channels, r11-lr the low one. */
#define PAIR(w)                                                                                              \
    "ldmia r1!, {r5, r6, r7}\n\t"                                                                            \
    "smlad r8, r5, " w ", r8\n\t"                                                                            \
    "smlad r9, r6, " w ", r9\n\t"                                                                            \
    "smlad r10, r7, " w ", r10\n\t"                                                                          \
    "sxtb16 " w ", " w "\n\t"                                                                                \
    "smlad r11, r5, " w ", r11\n\t"                                                                          \
    "smlad r12, r6, " w ", r12\n\t"                                                                          \
    "smlad lr, r7, " w ", lr\n\t"

/* Two pairs of inputs: r0 the weights, r1 the columns; 64 bytes of code. */
#define STEP "ldrd r3, r4, [r0], #8\n\t" PAIR("r3") PAIR("r4")

/* Twice the accumulator in `x` to int8, see tmc_k_requantize_right; m, r, s: multiplier, rounding, shift. */
#define REQUANTIZE(x, m, r, s)                                                                               \
    "add r0, " r ", " x ", asr #31\n\t"                                                                      \
    "smmlar " x ", " x ", " m ", r0\n\t"                                                                     \
    "asr " x ", " x ", " s "\n\t"                                                                            \
    "ssat " x ", #8, " x "\n\t"

/* The assembly counts bytes: pointers and int32_t have 4. */
_Static_assert(offsetof(tmc_k_conv_block, stream) == 20 && offsetof(tmc_k_conv_block, skipped) == 48,
               "layout");

/* clang-format off */
TMC_K_ALL_REGISTERS void tmc_k_run_conv_block(tmc_k_conv_block *block) {
    __asm__ volatile(
        "ldr r3, %[block]\n\t"
        "ldr r5, [r3, #48]\n\t" /* skipped */
        "adr.w r4, 5f\n\t"
        "add r4, r4, r5, lsl #6\n\t"
        "orr r4, r4, #1\n\t" /* Thumb */
        "str r4, [r3, #8]\n\t"
        /* The next pair of channels. r0 its stream, copied where there is room for a copy. */
        "1:\n\t"
        "ldr r3, %[block]\n\t"
        "ldr r0, [r3, #20]\n\t"
        "ldrd r2, r1, [r3, #40]\n\t" /* copy, bytes */
        "add r4, r0, r1\n\t"
        "str r4, [r3, #20]\n\t"
        "cmp r2, #0\n\t"
        "beq 3f\n\t"
        "mov lr, r2\n\t"
        "2:\n\t"
        "ldmia r0!, {r4, r5, r6, r7, r8, r9, r10, r11}\n\t"
        "stmia r2!, {r4, r5, r6, r7, r8, r9, r10, r11}\n\t"
        "subs r1, r1, #32\n\t"
        "bne 2b\n\t"
        "mov r0, lr\n\t"
        "3:\n\t"
        "str r0, [r3]\n\t"
        "ldr r1, [r3, #24]\n\t" /* columns, outputs, triples */
        "ldrd r4, r5, [r3, #32]\n\t"
        "strd r4, r5, [r3, #12]\n\t"
        /* The next three positions: r1 the columns. */
        "4:\n\t"
        "ldmia r3, {r0, r2, r4}\n\t" /* current, turns, entry */
        "ldmia r0!, {r8, r11}\n\t"
        "mov r9, r8\n\t"
        "mov r10, r8\n\t"
        "mov r12, r11\n\t"
        "mov lr, r11\n\t"
        "bx r4\n\t"
        "5:\n\t"
        STEP
        ".if . - 5b != 64\n\t"
        ".error \"a step has 64 bytes\"\n\t"
        ".endif\n\t"
        STEP STEP STEP
        "subs r2, r2, #1\n\t"
        "bne 5b\n\t"
        "ldmia r0!, {r2, r3, r4, r5, r6, r7}\n\t"
        "sub r8, r8, r11\n\t" /* 256 times the second channel */
        "sub r9, r9, r12\n\t"
        "sub r10, r10, lr\n\t"
        "asr r8, r8, #7\n\t"
        "asr r9, r9, #7\n\t"
        "asr r10, r10, #7\n\t"
        "lsl r11, r11, #1\n\t"
        "lsl r12, r12, #1\n\t"
        "lsl lr, lr, #1\n\t"
        REQUANTIZE("r11", "r2", "r3", "r4")
        REQUANTIZE("r12", "r2", "r3", "r4")
        REQUANTIZE("lr", "r2", "r3", "r4")
        REQUANTIZE("r8", "r5", "r6", "r7")
        REQUANTIZE("r9", "r5", "r6", "r7")
        REQUANTIZE("r10", "r5", "r6", "r7")
        "ldr r3, %[block]\n\t"
        "ldrd r7, r2, [r3, #12]\n\t" /* outputs, triples left */
        "ldmia r7, {r4, r5, r6}\n\t"
        "strb r11, [r4], #1\n\t"
        "strb r12, [r5], #1\n\t"
        "strb lr, [r6], #1\n\t"
        "strb r8, [r4], #1\n\t"
        "strb r9, [r5], #1\n\t"
        "strb r10, [r6], #1\n\t"
        "stmia r7!, {r4, r5, r6}\n\t"
        "subs r2, r2, #1\n\t"
        "strd r7, r2, [r3, #12]\n\t"
        "bne 4b\n\t"
        "ldr r2, [r3, #28]\n\t" /* channel pairs left */
        "subs r2, r2, #1\n\t"
        "str r2, [r3, #28]\n\t"
        "bne 1b\n\t"
        :
        : [block] "m"(block)
        : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
/* clang-format on */

#else

static void one_position(const uint32_t *stream, const uint32_t *column, int32_t pairs, int8_t *output) {
    uint32_t both = stream[0];
    uint32_t low = stream[1];
    const uint32_t *weights = stream + 2;
    for (int32_t i = 0; i < pairs; i++) {
        both = tmc_k_dot(column[3 * i], weights[i], both);
        low = tmc_k_dot(column[3 * i], tmc_k_even_bytes(0U, weights[i]), low);
    }
    const uint32_t *r = weights + pairs;
    const tmc_right_shift first = {(int32_t)r[0], (int32_t)r[1], (int32_t)r[2]};
    const tmc_right_shift second = {(int32_t)r[3], (int32_t)r[4], (int32_t)r[5]};
    output[0] = (int8_t)tmc_k_requantize_right((int32_t)(low << 1), &first);
    output[1] = (int8_t)tmc_k_requantize_right((int32_t)(both - low) >> 7, &second);
}

void tmc_k_run_conv_block(tmc_k_conv_block *block) {
    const int32_t pairs = 2 * (TMC_K_CONV_STEPS * block->turns - block->skipped);
    for (; block->channel_pairs > 0; block->channel_pairs--) {
        for (int32_t p = 0; p < 3 * block->triples; p++) {
            const uint32_t *const column = block->columns + (ptrdiff_t)(p / 3) * 3 * pairs + p % 3;
            one_position(block->stream, column, pairs, block->outputs[p]);
            block->outputs[p] += 2;
        }
        block->stream += pairs + 8;
    }
}

#endif
