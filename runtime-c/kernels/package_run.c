/*
 * Runs packages that tmc_package_check has accepted: each step becomes the struct of its kernel
 * (tmc/kernels.h), with pointers to the weights where they lie. Checks nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "package_layout.h"
#include "tmc/kernels.h"
#include "tmc/package.h"

_Static_assert(sizeof(tmc_window) == 4 * WINDOW_WORDS, "the words of a window are its struct");

typedef struct {
    const void *package;
    int8_t *arena;
    const int32_t *words; /* of the step */
} run;

#define LINKED(kernel) ((TMC_PACKAGE_KERNELS & (1U << (kernel))) != 0U)

static const int8_t *operand(const run *r, int32_t at) {
    const uint32_t offset = (uint32_t)r->words[at] & 0x7fffffffU;
    return r->words[at] < 0 ? (const int8_t *)r->package + offset : r->arena + offset;
}

static uint32_t *scratch(const run *r) {
    return (uint32_t *)(void *)(r->arena + r->words[STEP_SCRATCH]);
}

static int8_t *output(const run *r) {
    return r->arena + r->words[STEP_OUTPUT];
}

static const int32_t *constant(const run *r, int32_t at) {
    return words_at(r->package, (uint32_t)r->words[at]);
}

static const int32_t *bias(const run *r, int32_t at) {
    return r->words[at + WEIGHTS_BIAS] == 0 ? NULL : constant(r, at + WEIGHTS_BIAS);
}

static uint32_t both_halves(int32_t value) {
    return ((uint32_t)value & 0xffffU) * 0x10001U;
}

static tmc_window window(const run *r) {
    tmc_window w;
    memcpy(&w, r->words + STEP_REST, sizeof w);
    return w;
}

static tmc_requantization requantization(const run *r, int32_t at) {
    const int32_t *w = r->words + at;
    return (tmc_requantization){
        .multiplier = constant(r, at + WEIGHTS_MULTIPLIER),
        .shift = (const int8_t *)(const void *)constant(r, at + WEIGHTS_SHIFT),
        .output_offset = w[WEIGHTS_OUTPUT_OFFSET],
        .min = w[WEIGHTS_MIN],
        .max = w[WEIGHTS_MAX],
    };
}

/* Pairs as tmc_fast_conv2d counts them. */
static int32_t conv_pairs(const tmc_window *w) {
    return (w->filter_height * w->filter_width * w->input_channels + 3) / 4 * 2;
}

static void run_conv(const run *r) {
    const int32_t *w = r->words;
    const int32_t kernel = w[STEP_KERNEL];
    tmc_general_conv2d layer = {.conv = {.window = window(r),
                                         .stream = (const uint32_t *)constant(r, CONV_WEIGHTS),
                                         .triples = w[CONV_TRIPLES],
                                         .copies = w[CONV_COPIES] != 0,
                                         .input_offset = w[CONV_WEIGHTS + WEIGHTS_INPUT_OFFSET],
                                         .min = w[CONV_WEIGHTS + WEIGHTS_MIN],
                                         .max = w[CONV_WEIGHTS + WEIGHTS_MAX]}};
    layer.conv.pairs = conv_pairs(&layer.conv.window);
    layer.conv.offsets = both_halves(layer.conv.input_offset);
    const int8_t *const input = operand(r, STEP_INPUT);
    if (LINKED(TMC_PACKAGE_CONV_1X1) && kernel == TMC_PACKAGE_CONV_1X1) {
        tmc_fast_conv2d_1x1_s8(&layer.conv, input, scratch(r), output(r));
    } else if (LINKED(TMC_PACKAGE_CONV) && kernel == TMC_PACKAGE_CONV) {
        tmc_fast_conv2d_s8(&layer.conv, input, scratch(r), output(r));
    } else if (LINKED(TMC_PACKAGE_CONV_DILATED) && kernel == TMC_PACKAGE_CONV_DILATED) {
        tmc_fast_conv2d_dilated_s8(&layer.conv, input, scratch(r), output(r));
    } else if (LINKED(TMC_PACKAGE_CONV_GENERAL)) {
        layer.bias = bias(r, CONV_WEIGHTS);
        layer.requantization = requantization(r, CONV_WEIGHTS);
        tmc_general_conv2d_s8(&layer, input, scratch(r), output(r));
    }
}

static int32_t depthwise_columns(const tmc_window *w) {
    return (w->output_width - 1) * w->stride_width + (w->filter_width - 1) * w->dilation_width + 1;
}

static void run_depthwise(const run *r) {
    const int32_t *w = r->words;
    const tmc_window shape = window(r);
    const tmc_fast_depthwise_conv2d layer = {.window = shape,
                                             .stream = (const uint32_t *)constant(r, CONV_WEIGHTS),
                                             .columns = depthwise_columns(&shape),
                                             .copies = w[DEPTHWISE_OPTION] != 0,
                                             .offsets = both_halves(w[CONV_WEIGHTS + WEIGHTS_INPUT_OFFSET]),
                                             .min = w[CONV_WEIGHTS + WEIGHTS_MIN],
                                             .max = w[CONV_WEIGHTS + WEIGHTS_MAX]};
    const int8_t *const input = operand(r, STEP_INPUT);
    const bool threes = shape.filter_height == 3 && shape.filter_width == 3;
    if (threes && shape.stride_width == 1) {
        tmc_fast_depthwise_conv2d_3x3_s8(&layer, input, scratch(r), output(r));
    } else if (threes && shape.stride_width == 2) {
        tmc_fast_depthwise_conv2d_3x3_stride2_s8(&layer, input, scratch(r), output(r));
    } else {
        tmc_fast_depthwise_conv2d_s8(&layer, input, scratch(r), output(r));
    }
}

static void run_general_depthwise(const run *r) {
    const int32_t *w = r->words;
    const bool right = w[DEPTHWISE_OPTION] != 0;
    tmc_general_depthwise_conv2d layer = {.window = window(r),
                                          .depth_multiplier = w[DEPTHWISE_MULTIPLIER],
                                          .stream = (const uint32_t *)constant(r, CONV_WEIGHTS),
                                          .right = right,
                                          .offsets = both_halves(w[CONV_WEIGHTS + WEIGHTS_INPUT_OFFSET]),
                                          .requantization = requantization(r, CONV_WEIGHTS)};
    layer.columns = depthwise_columns(&layer.window);
    layer.bias = right ? NULL : bias(r, CONV_WEIGHTS);
    tmc_general_depthwise_conv2d_s8(&layer, operand(r, STEP_INPUT), scratch(r), output(r));
}

static void run_portable_depthwise(const run *r) {
    const int32_t *w = r->words;
    const tmc_depthwise_conv2d layer = {.window = window(r),
                                        .depth_multiplier = w[DEPTHWISE_MULTIPLIER],
                                        .filter = (const int8_t *)(const void *)constant(r, CONV_WEIGHTS),
                                        .bias = bias(r, CONV_WEIGHTS),
                                        .input_offset = w[CONV_WEIGHTS + WEIGHTS_INPUT_OFFSET],
                                        .requantization = requantization(r, CONV_WEIGHTS)};
    tmc_depthwise_conv2d_s8(&layer, operand(r, STEP_INPUT), output(r));
}

static void run_dense(const run *r) {
    const int32_t *w = r->words;
    const tmc_fast_fully_connected layer = {
        .rows = w[DENSE_ROWS],
        .input_depth = w[DENSE_INPUTS],
        .output_depth = w[DENSE_OUTPUTS],
        .stream = (const uint32_t *)constant(r, DENSE_WEIGHTS),
        .requantization = (const tmc_right_shift *)constant(r, DENSE_WEIGHTS + WEIGHTS_MULTIPLIER),
        .requantization_step = w[DENSE_STEP],
        .min = w[DENSE_WEIGHTS + WEIGHTS_MIN],
        .max = w[DENSE_WEIGHTS + WEIGHTS_MAX]};
    if (LINKED(TMC_PACKAGE_DENSE_WIDE) && w[STEP_KERNEL] == TMC_PACKAGE_DENSE_WIDE) {
        tmc_fast_fully_connected_wide_s8(&layer, operand(r, STEP_INPUT), output(r));
    } else if (LINKED(TMC_PACKAGE_DENSE)) {
        tmc_fast_fully_connected_s8(&layer, operand(r, STEP_INPUT), output(r));
    }
}

static void run_general_dense(const run *r) {
    const int32_t *w = r->words;
    const tmc_general_fully_connected layer = {.rows = w[DENSE_ROWS],
                                               .input_depth = w[DENSE_INPUTS],
                                               .output_depth = w[DENSE_OUTPUTS],
                                               .stream = (const uint32_t *)constant(r, DENSE_WEIGHTS),
                                               .bias = bias(r, DENSE_WEIGHTS),
                                               .requantization = requantization(r, DENSE_WEIGHTS)};
    tmc_general_fully_connected_s8(&layer, operand(r, STEP_INPUT), output(r));
}

static void run_add(const run *r) {
    const int32_t *w = r->words;
    const int32_t *n = w + ADD_NUMBERS;
    const tmc_add layer = {.count = w[ADD_COUNT],
                           .left_offset = n[0],
                           .left_multiplier = n[1],
                           .left_shift = n[2],
                           .right_offset = n[3],
                           .right_multiplier = n[4],
                           .right_shift = n[5],
                           .output_offset = n[6],
                           .output_multiplier = n[7],
                           .output_shift = n[8],
                           .min = w[ADD_MIN],
                           .max = w[ADD_MAX]};
    tmc_add_s8(&layer, operand(r, STEP_INPUT), operand(r, ADD_RIGHT), output(r));
}

static void run_fast_add(const run *r) {
    const int32_t *w = r->words;
    const tmc_fast_add layer = {.count = w[FAST_ADD_COUNT],
                                .scaled_offset = w[FAST_ADD_OFFSET],
                                .scaled_multiplier = w[FAST_ADD_MULTIPLIER],
                                .scaled_shift = w[FAST_ADD_SHIFT],
                                .scaled_rounding = w[FAST_ADD_ROUNDING],
                                .output = {.multiplier = w[FAST_ADD_OUTPUT],
                                           .rounding = w[FAST_ADD_OUTPUT + 1],
                                           .shift = w[FAST_ADD_OUTPUT + 2]},
                                .min = w[FAST_ADD_MIN],
                                .max = w[FAST_ADD_MAX]};
    if (LINKED(TMC_PACKAGE_ADD_EQUAL) && w[STEP_KERNEL] == TMC_PACKAGE_ADD_EQUAL) {
        tmc_fast_add_equal_s8(&layer, operand(r, STEP_INPUT), operand(r, FAST_ADD_PLAIN), output(r));
    } else if (LINKED(TMC_PACKAGE_ADD_FAST)) {
        tmc_fast_add_s8(&layer, operand(r, STEP_INPUT), operand(r, FAST_ADD_PLAIN), output(r));
    }
}

static void run_lookup(const run *r) {
    const tmc_lookup layer = {.count = r->words[LOOKUP_COUNT],
                              .table = (const int8_t *)(const void *)constant(r, LOOKUP_TABLE)};
    tmc_lookup_s8(&layer, operand(r, STEP_INPUT), output(r));
}

static tmc_factor factor_at(const int32_t *words) {
    return (tmc_factor){.offset = words[0], .multiplier = words[1], .shift = words[2]};
}

static void run_elementwise(const run *r) {
    const int32_t *w = r->words;
    tmc_elementwise layer = {.left = factor_at(w + ELEMENTWISE_FACTORS),
                             .right = factor_at(w + ELEMENTWISE_FACTORS + 3),
                             .output = factor_at(w + ELEMENTWISE_FACTORS + 6),
                             .min = w[ELEMENTWISE_MIN],
                             .max = w[ELEMENTWISE_MAX]};
    memcpy(layer.shape, w + ELEMENTWISE_SHAPE, sizeof layer.shape);
    memcpy(layer.left_steps, w + ELEMENTWISE_LEFT_STEPS, sizeof layer.left_steps);
    memcpy(layer.right_steps, w + ELEMENTWISE_RIGHT_STEPS, sizeof layer.right_steps);
    const int8_t *const left = operand(r, STEP_INPUT);
    const int8_t *const right = operand(r, ELEMENTWISE_RIGHT);
    switch (w[ELEMENTWISE_OPERATION]) {
    case OPERATION_ADD:
        tmc_elementwise_add_s8(&layer, left, right, output(r));
        break;
    case OPERATION_SUB:
        tmc_elementwise_sub_s8(&layer, left, right, output(r));
        break;
    case OPERATION_MUL:
        tmc_elementwise_mul_s8(&layer, left, right, output(r));
        break;
    case OPERATION_PRELU:
        tmc_elementwise_prelu_s8(&layer, left, right, output(r));
        break;
    case OPERATION_MINIMUM:
        tmc_elementwise_minimum_s8(&layer, left, right, output(r));
        break;
    default:
        tmc_elementwise_maximum_s8(&layer, left, right, output(r));
        break;
    }
}

static void run_pool(const run *r) {
    const tmc_pool2d layer = {.window = window(r), .min = r->words[POOL_MIN], .max = r->words[POOL_MAX]};
    const int8_t *const input = operand(r, STEP_INPUT);
    const int32_t kernel = r->words[STEP_KERNEL];
    if (LINKED(TMC_PACKAGE_MAX_POOL) && kernel == TMC_PACKAGE_MAX_POOL) {
        tmc_max_pool2d_s8(&layer, input, output(r));
    } else if (LINKED(TMC_PACKAGE_MAX_POOL_FAST) && kernel == TMC_PACKAGE_MAX_POOL_FAST) {
        tmc_fast_max_pool2d_s8(&layer, input, output(r));
    } else if (LINKED(TMC_PACKAGE_AVERAGE_POOL) && kernel == TMC_PACKAGE_AVERAGE_POOL) {
        tmc_average_pool2d_s8(&layer, input, output(r));
    } else if (LINKED(TMC_PACKAGE_AVERAGE_POOL_FAST)) {
        tmc_fast_average_pool2d_s8(&layer, input, output(r));
    }
}

static void run_softmax(const run *r) {
    const int32_t *w = r->words;
    const tmc_softmax layer = {.rows = w[SOFTMAX_ROWS],
                               .depth = w[SOFTMAX_DEPTH],
                               .multiplier = w[SOFTMAX_MULTIPLIER],
                               .shift = w[SOFTMAX_SHIFT],
                               .min_difference = w[SOFTMAX_MIN_DIFFERENCE]};
    tmc_softmax_s8(&layer, operand(r, STEP_INPUT), output(r));
}

static void run_move(const run *r) {
    const int32_t *w = r->words;
    tmc_move move = {.from = w[MOVE_FROM],
                     .to = w[MOVE_TO],
                     .run = w[MOVE_RUN],
                     .inner = {.count = w[MOVE_INNER], .from = w[MOVE_INNER + 1], .to = w[MOVE_INNER + 2]},
                     .depth = w[MOVE_DEPTH]};
    memcpy(move.loops, w + MOVE_OUTER, sizeof move.loops);
    tmc_move_s8(&move, operand(r, STEP_INPUT), output(r));
}

static void run_resize(const run *r) {
    const int32_t *w = r->words;
    const tmc_resize layer = {.row_count = w[RESIZE_ROWS],
                              .column_count = w[RESIZE_COLUMNS],
                              .run = w[RESIZE_RUN],
                              .rows = constant(r, RESIZE_ROW_TABLE),
                              .columns = constant(r, RESIZE_COLUMN_TABLE)};
    tmc_resize_s8(&layer, operand(r, STEP_INPUT), output(r));
}

static void run_reduce(const run *r) {
    const int32_t *w = r->words;
    tmc_reduce layer = {.total = w[REDUCE_TOTAL],
                        .multiplier = w[REDUCE_MULTIPLIER],
                        .shift = w[REDUCE_SHIFT],
                        .output_offset = w[REDUCE_OUTPUT_OFFSET]};
    memcpy(layer.kept, w + REDUCE_KEPT, sizeof layer.kept);
    memcpy(layer.reduced, w + REDUCE_REDUCED, sizeof layer.reduced);
    const int8_t *const input = operand(r, STEP_INPUT);
    if (LINKED(TMC_PACKAGE_SUM) && w[STEP_KERNEL] == TMC_PACKAGE_SUM) {
        tmc_sum_s8(&layer, input, output(r));
    } else if (LINKED(TMC_PACKAGE_REDUCE_MAX) && w[STEP_KERNEL] == TMC_PACKAGE_REDUCE_MAX) {
        tmc_reduce_max_s8(&layer, input, output(r));
    } else if (LINKED(TMC_PACKAGE_REDUCE_MIN)) {
        tmc_reduce_min_s8(&layer, input, output(r));
    }
}

/* A kernel that is not linked is never called, so that its code is not linked either. */
#define CASE(kernel, function)                                                                               \
    case kernel:                                                                                             \
        if (LINKED(kernel)) {                                                                                \
            function(r);                                                                                     \
        }                                                                                                    \
        break

static void run_step(const run *r) {
    switch (r->words[STEP_KERNEL]) {
        CASE(TMC_PACKAGE_CONV, run_conv);
        CASE(TMC_PACKAGE_CONV_1X1, run_conv);
        CASE(TMC_PACKAGE_CONV_DILATED, run_conv);
        CASE(TMC_PACKAGE_CONV_GENERAL, run_conv);
        CASE(TMC_PACKAGE_DEPTHWISE, run_depthwise);
        CASE(TMC_PACKAGE_DEPTHWISE_GENERAL, run_general_depthwise);
        CASE(TMC_PACKAGE_DEPTHWISE_PORTABLE, run_portable_depthwise);
        CASE(TMC_PACKAGE_DENSE, run_dense);
        CASE(TMC_PACKAGE_DENSE_GENERAL, run_general_dense);
        CASE(TMC_PACKAGE_ADD, run_add);
        CASE(TMC_PACKAGE_ADD_FAST, run_fast_add);
        CASE(TMC_PACKAGE_MAX_POOL, run_pool);
        CASE(TMC_PACKAGE_AVERAGE_POOL, run_pool);
        CASE(TMC_PACKAGE_AVERAGE_POOL_FAST, run_pool);
        CASE(TMC_PACKAGE_SOFTMAX, run_softmax);
        CASE(TMC_PACKAGE_MOVE, run_move);
        CASE(TMC_PACKAGE_RESIZE, run_resize);
        CASE(TMC_PACKAGE_SUM, run_reduce);
        CASE(TMC_PACKAGE_REDUCE_MAX, run_reduce);
        CASE(TMC_PACKAGE_REDUCE_MIN, run_reduce);
        CASE(TMC_PACKAGE_MAX_POOL_FAST, run_pool);
        CASE(TMC_PACKAGE_DENSE_WIDE, run_dense);
        CASE(TMC_PACKAGE_ADD_EQUAL, run_fast_add);
        CASE(TMC_PACKAGE_LOOKUP, run_lookup);
        CASE(TMC_PACKAGE_ELEMENTWISE, run_elementwise);
    case TMC_PACKAGE_COPY:
        memcpy(output(r), operand(r, STEP_INPUT), (size_t)r->words[COPY_COUNT]);
        break;
    case TMC_PACKAGE_FILL:
        memset(output(r), r->words[FILL_VALUE], (size_t)r->words[FILL_COUNT]);
        break;
    default:
        break;
    }
}

void tmc_package_run(const void *package, int8_t *arena) {
    const int32_t *const header = words_at(package, 0U);
    run r = {.package = package, .arena = arena, .words = words_at(package, (uint32_t)header[AT_PROGRAM])};
    for (int32_t i = 0; i < header[AT_STEPS]; i++) {
        run_step(&r);
        r.words += step_words((uint32_t)r.words[STEP_KERNEL]);
    }
}

int32_t tmc_package_input_count(const void *package) {
    return words_at(package, 0U)[AT_INPUTS];
}

int32_t tmc_package_output_count(const void *package) {
    return words_at(package, 0U)[AT_OUTPUTS];
}

uint32_t tmc_package_arena_bytes(const void *package) {
    return (uint32_t)words_at(package, 0U)[AT_ARENA];
}

const char *tmc_package_name(const void *package) {
    return (const char *)(const void *)(words_at(package, 0U) + AT_NAME);
}

tmc_package_tensor tmc_package_tensor_at(const void *package, int8_t *arena, int32_t index) {
    const int32_t *const header = words_at(package, 0U);
    const int32_t *const d =
        words_at(package, (uint32_t)header[AT_DESCRIPTORS]) + (ptrdiff_t)DESCRIPTOR_WORDS * index;
    tmc_package_tensor tensor = {.data = arena + d[DESCRIPTOR_OFFSET],
                                 .size = d[DESCRIPTOR_BYTES],
                                 .rank = d[DESCRIPTOR_RANK],
                                 .zero_point = d[DESCRIPTOR_ZERO_POINT]};
    memcpy(tensor.shape, d + DESCRIPTOR_SHAPE, sizeof tensor.shape);
    memcpy(&tensor.scale, d + DESCRIPTOR_SCALE, sizeof tensor.scale);
    return tensor;
}

bool tmc_package_self_test(const void *package, int8_t *arena) {
    const int32_t *const header = words_at(package, 0U);
    if (header[AT_GOLDEN] == 0) {
        return true;
    }
    const int8_t *golden = (const int8_t *)package + header[AT_GOLDEN];
    const int32_t inputs = header[AT_INPUTS];
    for (int32_t i = 0; i < inputs; i++) {
        const tmc_package_tensor input = tmc_package_tensor_at(package, arena, i);
        memcpy(input.data, golden, (size_t)input.size);
        golden += input.size;
    }
    tmc_package_run(package, arena);
    bool equal = true;
    for (int32_t i = inputs; i < inputs + header[AT_OUTPUTS]; i++) {
        const tmc_package_tensor computed = tmc_package_tensor_at(package, arena, i);
        for (int32_t k = 0; k < computed.size; k++) {
            equal = equal && computed.data[k] == golden[k];
        }
        golden += computed.size;
    }
    return equal;
}
