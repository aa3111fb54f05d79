/*
 * Where things are in a package: words of the header, of descriptors and of steps. The same numbers are in
 * compiler/model/package/format.ts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_PACKAGE_LAYOUT_H
#define TMC_PACKAGE_LAYOUT_H

#include <stdint.h>

enum {
    AT_MAGIC,
    AT_FORMAT,
    AT_KERNEL_SET,
    AT_KERNELS,
    AT_BYTES,
    AT_ARENA,
    AT_STEPS,
    AT_PROGRAM, /* offset */
    AT_PROGRAM_WORDS,
    AT_INPUTS, /* how many */
    AT_OUTPUTS,
    AT_DESCRIPTORS, /* offset */
    AT_GOLDEN,      /* offset, or 0 */
    AT_GOLDEN_BYTES,
    AT_WORK,
    AT_ABOUT, /* offset, or 0 */
    AT_NAME
};

enum {
    DESCRIPTOR_OFFSET,
    DESCRIPTOR_BYTES,
    DESCRIPTOR_TYPE, /* 1: int8 */
    DESCRIPTOR_RANK,
    DESCRIPTOR_SHAPE,
    DESCRIPTOR_SCALE = 10, /* a float */
    DESCRIPTOR_ZERO_POINT,
    DESCRIPTOR_WORDS
};

/* What is said of the model; texts follow: task, unit, labels, each after its length in one byte. */
enum {
    ABOUT_BYTES, /* of all, without what fills up to a multiple of 4 */
    ABOUT_RATE,  /* of the input's rows, a float: Hz; 0: not said */
    ABOUT_LABELS,
    ABOUT_DIGEST, /* SHA-256 of the model file; zeros: not said */
    ABOUT_WORDS = ABOUT_DIGEST + 8,
    ABOUT_TEXT_MAX = 64,
    ABOUT_UNIT_MAX = 15
};

/* Every step starts with these. Inputs with the highest bit are offsets in the package, others in the arena.
 */
enum { STEP_KERNEL, STEP_OPERATOR, STEP_INPUT, STEP_OUTPUT, STEP_SCRATCH, STEP_REST };

enum { WINDOW_WORDS = 14 };

/* Weighted layers: after the window, or after rows and depths. */
enum {
    WEIGHTS_STREAM,
    WEIGHTS_BIAS, /* 0: none */
    WEIGHTS_MULTIPLIER,
    WEIGHTS_SHIFT,
    WEIGHTS_INPUT_OFFSET,
    WEIGHTS_OUTPUT_OFFSET,
    WEIGHTS_MIN,
    WEIGHTS_MAX,
    WEIGHTS_WORDS
};

enum {
    CONV_WEIGHTS = STEP_REST + WINDOW_WORDS,
    CONV_TRIPLES = CONV_WEIGHTS + WEIGHTS_WORDS,
    CONV_COPIES,
    CONV_WORDS
};

/* The option: `copies` of fast kernels, `right` of general ones. */
enum { DEPTHWISE_MULTIPLIER = CONV_TRIPLES, DEPTHWISE_OPTION, DEPTHWISE_WORDS };

enum {
    DENSE_ROWS = STEP_REST,
    DENSE_INPUTS,
    DENSE_OUTPUTS,
    DENSE_WEIGHTS,
    DENSE_STEP = DENSE_WEIGHTS + WEIGHTS_WORDS,
    DENSE_WORDS
};

/* The input is the left operand. */
enum {
    ADD_RIGHT = STEP_REST,
    ADD_COUNT,
    ADD_NUMBERS, /* left, right, output: offset, multiplier, shift */
    ADD_MIN = ADD_NUMBERS + 9,
    ADD_MAX,
    ADD_WORDS
};

/* The input is the scaled operand. */
enum {
    FAST_ADD_PLAIN = STEP_REST,
    FAST_ADD_COUNT,
    FAST_ADD_OFFSET,
    FAST_ADD_MULTIPLIER,
    FAST_ADD_SHIFT,
    FAST_ADD_ROUNDING,
    FAST_ADD_OUTPUT, /* multiplier, rounding, shift */
    FAST_ADD_MIN = FAST_ADD_OUTPUT + 3,
    FAST_ADD_MAX,
    FAST_ADD_WORDS
};

enum { LOOKUP_COUNT = STEP_REST, LOOKUP_TABLE, LOOKUP_WORDS };

/* The input is the left operand. */
enum {
    ELEMENTWISE_RIGHT = STEP_REST,
    ELEMENTWISE_OPERATION,
    ELEMENTWISE_SHAPE,
    ELEMENTWISE_LEFT_STEPS = ELEMENTWISE_SHAPE + 4,
    ELEMENTWISE_RIGHT_STEPS = ELEMENTWISE_LEFT_STEPS + 4,
    ELEMENTWISE_FACTORS = ELEMENTWISE_RIGHT_STEPS + 4, /* left, right, output: offset, multiplier, shift */
    ELEMENTWISE_MIN = ELEMENTWISE_FACTORS + 9,
    ELEMENTWISE_MAX,
    ELEMENTWISE_WORDS
};

enum { OPERATION_ADD, OPERATION_SUB, OPERATION_MUL, OPERATION_PRELU, OPERATION_MINIMUM, OPERATION_MAXIMUM };

enum { POOL_MIN = STEP_REST + WINDOW_WORDS, POOL_MAX, POOL_WORDS };

enum {
    SOFTMAX_ROWS = STEP_REST,
    SOFTMAX_DEPTH,
    SOFTMAX_MULTIPLIER,
    SOFTMAX_SHIFT,
    SOFTMAX_MIN_DIFFERENCE,
    SOFTMAX_WORDS
};

enum { COPY_COUNT = STEP_REST, COPY_WORDS };
enum { FILL_COUNT = STEP_REST, FILL_VALUE, FILL_WORDS };

enum {
    MOVE_FROM = STEP_REST,
    MOVE_TO,
    MOVE_RUN,
    MOVE_INNER, /* count, from, to */
    MOVE_DEPTH = MOVE_INNER + 3,
    MOVE_OUTER,
    MOVE_WORDS = MOVE_OUTER + 12
};

enum {
    RESIZE_ROWS = STEP_REST,
    RESIZE_COLUMNS,
    RESIZE_RUN,
    RESIZE_ROW_TABLE,
    RESIZE_COLUMN_TABLE,
    RESIZE_WORDS
};

enum {
    REDUCE_KEPT = STEP_REST, /* count, step */
    REDUCE_REDUCED = REDUCE_KEPT + 6,
    REDUCE_TOTAL = REDUCE_REDUCED + 6,
    REDUCE_MULTIPLIER,
    REDUCE_SHIFT,
    REDUCE_OUTPUT_OFFSET,
    REDUCE_WORDS
};

static inline const int32_t *words_at(const void *package, uint32_t offset) {
    return (const int32_t *)(const void *)((const uint8_t *)package + offset);
}

/* Words of a step; 0 for kernels that do not exist. */
static inline uint32_t step_words(uint32_t kernel) {
    static const uint8_t words[] = {0,
                                    CONV_WORDS,
                                    CONV_WORDS,
                                    CONV_WORDS,
                                    CONV_WORDS,
                                    DEPTHWISE_WORDS,
                                    DEPTHWISE_WORDS,
                                    DEPTHWISE_WORDS,
                                    DENSE_WORDS,
                                    DENSE_WORDS,
                                    ADD_WORDS,
                                    FAST_ADD_WORDS,
                                    POOL_WORDS,
                                    POOL_WORDS,
                                    POOL_WORDS,
                                    SOFTMAX_WORDS,
                                    COPY_WORDS,
                                    FILL_WORDS,
                                    MOVE_WORDS,
                                    RESIZE_WORDS,
                                    REDUCE_WORDS,
                                    REDUCE_WORDS,
                                    REDUCE_WORDS,
                                    POOL_WORDS,
                                    DENSE_WORDS,
                                    FAST_ADD_WORDS,
                                    LOOKUP_WORDS,
                                    ELEMENTWISE_WORDS};
    return kernel < sizeof words ? words[kernel] : 0U;
}

#endif
