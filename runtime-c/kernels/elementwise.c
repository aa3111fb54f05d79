/*
 * Elementwise functions of two tensors with broadcasting, and of one by a table. The same arithmetic as
 * compiler/model/reference/elementwise.ts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "arithmetic.h"

static inline int32_t finish(int32_t scaled, const tmc_elementwise *layer) {
    return tmc_k_clamp(tmc_k_add(scaled, layer->output.offset), layer->min, layer->max);
}

static inline int32_t scale(int32_t x, const tmc_factor *factor) {
    return tmc_k_multiply(x, factor->multiplier, factor->shift);
}

/* The operand on the scale that both get, with `shift` bits more. */
static inline int32_t term(int32_t value, const tmc_factor *factor, int32_t shift) {
    return scale(tmc_k_shift_left(value + factor->offset, shift), factor);
}

static inline int32_t add(const tmc_elementwise *layer, int32_t left, int32_t right, int32_t shift) {
    return finish(
        scale(tmc_k_add(term(left, &layer->left, shift), term(right, &layer->right, shift)), &layer->output),
        layer);
}

static inline int32_t sub(const tmc_elementwise *layer, int32_t left, int32_t right, int32_t shift) {
    return finish(
        scale(tmc_k_add(term(left, &layer->left, shift), -term(right, &layer->right, shift)), &layer->output),
        layer);
}

static inline int32_t mul(const tmc_elementwise *layer, int32_t left, int32_t right, int32_t shift) {
    (void)shift;
    return finish(scale((left + layer->left.offset) * (right + layer->right.offset), &layer->output), layer);
}

static inline int32_t prelu(const tmc_elementwise *layer, int32_t left, int32_t right, int32_t shift) {
    (void)shift;
    const int32_t input = left + layer->left.offset;
    return finish(input >= 0 ? scale(input, &layer->output)
                             : scale(input * (right + layer->right.offset), &layer->right),
                  layer);
}

static inline int32_t minimum(const tmc_elementwise *layer, int32_t left, int32_t right, int32_t shift) {
    (void)layer;
    (void)shift;
    return left < right ? left : right;
}

static inline int32_t maximum(const tmc_elementwise *layer, int32_t left, int32_t right, int32_t shift) {
    (void)layer;
    (void)shift;
    return left > right ? left : right;
}

/* Elements of int8 and, byte by byte as tensors are stored, of int16. */
static inline int32_t load_s8(const int8_t *data) {
    return *data;
}

static inline void store_s8(int8_t *data, int32_t value) {
    *data = (int8_t)value;
}

static inline int32_t load_s16(const int8_t *data) {
    return tmc_k_load_s16(data);
}

static inline void store_s16(int8_t *data, int32_t value) {
    tmc_k_store_s16(data, value);
}

/* Defines the kernel that applies `operation` to every pair of elements of `bytes` bytes. */
#define DEFINE_KERNEL(name, operation, type, bytes, shift)                                                   \
    void name(const tmc_elementwise *layer, const int8_t *left, const int8_t *right, int8_t *output) {       \
        const tmc_elementwise e = *layer; /* writing the output could change nothing of it */                \
        for (int32_t i0 = 0; i0 < e.shape[0]; i0++) {                                                        \
            for (int32_t i1 = 0; i1 < e.shape[1]; i1++) {                                                    \
                for (int32_t i2 = 0; i2 < e.shape[2]; i2++) {                                                \
                    const int8_t *l =                                                                        \
                        left + (bytes) * (ptrdiff_t)(i0 * e.left_steps[0] + i1 * e.left_steps[1] +           \
                                                     i2 * e.left_steps[2]);                                  \
                    const int8_t *r =                                                                        \
                        right + (bytes) * (ptrdiff_t)(i0 * e.right_steps[0] + i1 * e.right_steps[1] +        \
                                                      i2 * e.right_steps[2]);                                \
                    for (int32_t i3 = 0; i3 < e.shape[3]; i3++) {                                            \
                        store_##type(output, operation(&e, load_##type(l), load_##type(r), shift));          \
                        output += bytes;                                                                     \
                        l += (bytes)*e.left_steps[3];                                                        \
                        r += (bytes)*e.right_steps[3];                                                       \
                    }                                                                                        \
                }                                                                                            \
            }                                                                                                \
        }                                                                                                    \
    }

DEFINE_KERNEL(tmc_elementwise_add_s8, add, s8, 1, 20)
DEFINE_KERNEL(tmc_elementwise_sub_s8, sub, s8, 1, 20)
DEFINE_KERNEL(tmc_elementwise_mul_s8, mul, s8, 1, 0)
DEFINE_KERNEL(tmc_elementwise_prelu_s8, prelu, s8, 1, 0)
DEFINE_KERNEL(tmc_elementwise_minimum_s8, minimum, s8, 1, 0)
DEFINE_KERNEL(tmc_elementwise_maximum_s8, maximum, s8, 1, 0)
DEFINE_KERNEL(tmc_elementwise_add_s16, add, s16, 2, 15)
DEFINE_KERNEL(tmc_elementwise_sub_s16, sub, s16, 2, 15)
DEFINE_KERNEL(tmc_elementwise_mul_s16, mul, s16, 2, 0)
DEFINE_KERNEL(tmc_elementwise_minimum_s16, minimum, s16, 2, 0)
DEFINE_KERNEL(tmc_elementwise_maximum_s16, maximum, s16, 2, 0)

void tmc_lookup_s8(const tmc_lookup *layer, const int8_t *input, int8_t *output) {
    const int8_t *const table = layer->table;
    for (const int8_t *const end = output + layer->count; output < end; output++) {
        *output = table[(uint8_t)*input++];
    }
}
