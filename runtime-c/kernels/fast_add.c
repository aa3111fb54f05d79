/*
 * Elementwise addition of two tensors with different scales: the operand with the larger scale is exactly its
 * value times 2^19, so only the other one needs a multiplication; with equal scales none.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "arithmetic.h"
#include "dsp.h"

static void clamp_all(const tmc_fast_add *layer, int8_t *output) {
    if (layer->min > INT8_MIN || layer->max < INT8_MAX) {
        for (int32_t i = 0; i < layer->count; i++) {
            output[i] = (int8_t)tmc_k_clamp(output[i], layer->min, layer->max);
        }
    }
}

#if TMC_K_DSP

/* One output: r0 scaled, r1 plain, r2 output, r3 offset, r4-r6 multiplier, rounding, shift of the scaled
 * operand, r7-r9 of the output. */
#define ONE                                                                                                  \
    "ldrsb r11, [r0], #1\n\t"                                                                                \
    "ldrsb r12, [r1], #1\n\t"                                                                                \
    "add r11, r3, r11, lsl #21\n\t"                                                                          \
    "add lr, r5, r11, asr #31\n\t"                                                                           \
    "smmlar r11, r11, r4, lr\n\t"                                                                            \
    "asr r11, r11, r6\n\t"                                                                                   \
    "add r11, r11, r12, lsl #19\n\t"                                                                         \
    "lsl r11, r11, #1\n\t"                                                                                   \
    "add lr, r8, r11, asr #31\n\t"                                                                           \
    "smmlar r11, r11, r7, lr\n\t"                                                                            \
    "asr r11, r11, r9\n\t"                                                                                   \
    "ssat r11, #8, r11\n\t"                                                                                  \
    "strb r11, [r2], #1\n\t"

typedef struct {
    const int8_t *scaled, *plain;
    int8_t *output;
    uint32_t offset;
    tmc_right_shift operand, sum;
    int32_t count; /* at least 1 */
} adds;

TMC_K_ALL_REGISTERS static void run(const adds *a) {
    __asm__ volatile("ldr r10, %[a]\n\t"
                     "ldmia r10, {r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10}\n\t"
                     "lsrs r10, r10, #1\n\t"
                     "bcc 2f\n\t" ONE "cmp r10, #0\n\t"
                     "beq 3f\n\t"
                     "2:\n\t" ONE ONE "subs r10, r10, #1\n\t"
                     "bne 2b\n\t"
                     "3:\n\t"
                     :
                     : [a] "m"(a)
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr",
                       "cc", "memory");
}

void tmc_fast_add_s8(const tmc_fast_add *layer, const int8_t *scaled, const int8_t *plain, int8_t *output) {
    const adds a = {.scaled = scaled,
                    .plain = plain,
                    .output = output,
                    .offset = (uint32_t)layer->scaled_offset << 21,
                    .operand = {layer->scaled_multiplier, layer->scaled_rounding, layer->scaled_shift},
                    .sum = layer->output,
                    .count = layer->count};
    run(&a);
    clamp_all(layer, output);
}

#else

void tmc_fast_add_s8(const tmc_fast_add *layer, const int8_t *scaled, const int8_t *plain, int8_t *output) {
    const uint32_t offset = (uint32_t)layer->scaled_offset << 21;
    for (int32_t i = 0; i < layer->count; i++) {
        const int32_t twice = (int32_t)(offset + ((uint32_t)scaled[i] << 21));
        const int32_t rounding = layer->scaled_rounding + (twice >> 31);
        const int32_t x = tmc_k_high_word(twice, layer->scaled_multiplier, rounding) >> layer->scaled_shift;
        const uint32_t sum = (uint32_t)x + ((uint32_t)plain[i] << 19);
        output[i] = (int8_t)tmc_k_requantize_right((int32_t)(sum << 1), &layer->output);
    }
    clamp_all(layer, output);
}

#endif

void tmc_fast_add_equal_s8(const tmc_fast_add *layer, const int8_t *left, const int8_t *right,
                           int8_t *output) {
    const tmc_right_shift r = layer->output;
    int8_t *to = output;
    for (const int8_t *const end = to + layer->count; to < end; to++) {
        const int32_t sum = *left++ + *right++ + layer->scaled_offset; /* of 10 bits */
        *to = (int8_t)tmc_k_requantize_right((int32_t)((uint32_t)sum << 20), &r);
    }
    clamp_all(layer, output);
}
