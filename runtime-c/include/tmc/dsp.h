/*
 * The few Cortex-M DSP instructions that the fast kernels use, each as a function with a C twin of the same
 * value. TMC_K_DSP says which are compiled: the instructions where the CPU has them, unless the board file
 * asks for portable kernels (TMC_KERNELS_PORTABLE) or the compiler does not optimise (inline assembly needs
 * most registers).
 *
 * A "pair" is two int16 in one word: the first in the low half.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_DSP_H
#define TMC_DSP_H

#include <stdint.h>
#include <string.h>

#include "tmc/kernels.h"

#if defined(__ARM_FEATURE_DSP) && !defined(TMC_KERNELS_PORTABLE) && defined(__OPTIMIZE__) &&                 \
    defined(__GNUC__) && !defined(__clang__)
#define TMC_K_DSP 1
/* For functions whose assembly needs every register, that of the frame pointer too. */
#define TMC_K_ALL_REGISTERS __attribute__((noinline, optimize("omit-frame-pointer")))
#else
#define TMC_K_DSP 0
#define TMC_K_ALL_REGISTERS
#endif

/* int8 values of bytes 0 and 2 of `bytes`, each plus the same half of `offsets`, as a pair: SXTAB16. */
static inline uint32_t tmc_k_even_bytes(uint32_t offsets, uint32_t bytes) {
#if TMC_K_DSP
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2" : "=r"(result) : "r"(offsets), "r"(bytes));
    return result;
#else
    const int32_t first = (int8_t)(uint8_t)(bytes & 0xffU);
    const int32_t third = (int8_t)(uint8_t)((bytes >> 16) & 0xffU);
    const uint32_t low = offsets + (uint32_t)first;
    const uint32_t high = (offsets >> 16) + (uint32_t)third;
    return (low & 0xffffU) | (high << 16);
#endif
}

/* The same of bytes 1 and 3. */
static inline uint32_t tmc_k_odd_bytes(uint32_t offsets, uint32_t bytes) {
#if TMC_K_DSP
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(offsets), "r"(bytes));
    return result;
#else
    return tmc_k_even_bytes(offsets, bytes >> 8);
#endif
}

/* Both halves added, subtracted, each modulo 2^16: SADD16, SSUB16. */
static inline uint32_t tmc_k_add_pairs(uint32_t a, uint32_t b) {
#if TMC_K_DSP
    uint32_t result;
    __asm__("sadd16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b) : "cc");
    return result;
#else
    return ((a + b) & 0xffffU) | ((a & 0xffff0000U) + (b & 0xffff0000U));
#endif
}

static inline uint32_t tmc_k_subtract_pairs(uint32_t a, uint32_t b) {
#if TMC_K_DSP
    uint32_t result;
    __asm__("ssub16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b) : "cc");
    return result;
#else
    return ((a - b) & 0xffffU) | ((a & 0xffff0000U) - (b & 0xffff0000U));
#endif
}

/* Low and high half of a pair. */
static inline int32_t tmc_k_low(uint32_t pair) {
    return (int16_t)(uint16_t)(pair & 0xffffU);
}

static inline int32_t tmc_k_high(uint32_t pair) {
    return (int16_t)(uint16_t)(pair >> 16);
}

/* acc + low(a) * low(b) + high(a) * high(b), modulo 2^32: SMLAD. */
static inline uint32_t tmc_k_dot(uint32_t a, uint32_t b, uint32_t acc) {
#if TMC_K_DSP
    uint32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
    return result;
#else
    return acc + (uint32_t)(tmc_k_low(a) * tmc_k_low(b)) + (uint32_t)(tmc_k_high(a) * tmc_k_high(b));
#endif
}

/* acc + low(a) * low(b), and the same of the high halves, modulo 2^32: SMLABB, SMLATT. */
static inline uint32_t tmc_k_multiply_low(uint32_t a, uint32_t b, uint32_t acc) {
#if TMC_K_DSP
    uint32_t result;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
    return result;
#else
    return acc + (uint32_t)(tmc_k_low(a) * tmc_k_low(b));
#endif
}

static inline uint32_t tmc_k_multiply_high(uint32_t a, uint32_t b, uint32_t acc) {
#if TMC_K_DSP
    uint32_t result;
    __asm__("smlatt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
    return result;
#else
    return acc + (uint32_t)(tmc_k_high(a) * tmc_k_high(b));
#endif
}

/* floor((a * b + 2^31) / 2^32) + c, modulo 2^32: SMMLAR. With a = 2 * x and c = 0 it is the rounding
 * doubling high multiplication of x. */
static inline int32_t tmc_k_high_word(int32_t a, int32_t b, int32_t c) {
#if TMC_K_DSP
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(c));
    return result;
#else
    return (int32_t)((uint32_t)c + (uint32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32));
#endif
}

/* x limited to -128..127: SSAT. */
static inline int32_t tmc_k_saturate(int32_t x) {
#if TMC_K_DSP
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(x));
    return result;
#else
    return x < INT8_MIN ? INT8_MIN : (x > INT8_MAX ? INT8_MAX : x);
#endif
}

/*
 * The int8 output for twice the accumulator, before any clamp narrower than int8; equals tmc_k_requantize.
 * Halves round away from zero: one less for negative products. The accumulator's sign stands for the
 * product's; they differ where a negative one rounds to 0, and there 1 less is still rounded to 0.
 */
static inline int32_t tmc_k_requantize_right(int32_t twice, const tmc_right_shift *r) {
    const int32_t x = tmc_k_high_word(twice, r->multiplier, r->rounding + (twice >> 31));
    return tmc_k_saturate(x >> r->shift);
}

/* The greater int8 of each byte: SSUB8, SEL. */
static inline uint32_t tmc_k_max_bytes(uint32_t a, uint32_t b) {
#if TMC_K_DSP
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
    return result;
#else
    uint32_t result = 0U;
    for (int32_t i = 0; i < 32; i += 8) {
        const uint32_t x = (a >> i) & 0xffU;
        const uint32_t y = (b >> i) & 0xffU;
        result |= ((x ^ 0x80U) > (y ^ 0x80U) ? x : y) << i;
    }
    return result;
#endif
}

/* To four bytes at any address. */
static inline void tmc_k_store4(int8_t *bytes, uint32_t word) {
#if TMC_K_DSP
    memcpy(bytes, &word, 4);
#else
    for (int32_t i = 0; i < 4; i++) {
        bytes[i] = (int8_t)(uint8_t)((word >> (8 * i)) & 0xffU);
    }
#endif
}

/* Four bytes at any address, the first in the lowest byte. */
static inline uint32_t tmc_k_load4(const int8_t *bytes) {
#if TMC_K_DSP
    uint32_t word;
    memcpy(&word, bytes, 4);
    return word;
#else
    return (uint32_t)(uint8_t)bytes[0] | (uint32_t)(uint8_t)bytes[1] << 8 |
           (uint32_t)(uint8_t)bytes[2] << 16 | (uint32_t)(uint8_t)bytes[3] << 24;
#endif
}

/* The first `count` (1..3) of four bytes at any address; 0 above them. May read all four. */
static inline uint32_t tmc_k_load_part(const int8_t *bytes, int32_t count) {
    if (count == 1) {
        return (uint8_t)bytes[0];
    }
    const uint32_t two = (uint32_t)(uint8_t)bytes[0] | (uint32_t)(uint8_t)bytes[1] << 8;
    return count == 2 ? two : two | (uint32_t)(uint8_t)bytes[2] << 16;
}

/* Four inputs of a column (runtime-c/kernels/conv_block.h) from their bytes. */
static inline void tmc_k_column_four(uint32_t *column, uint32_t offsets, uint32_t bytes) {
    column[0] = tmc_k_even_bytes(offsets, bytes);
    column[3] = tmc_k_odd_bytes(offsets, bytes);
}

#endif
