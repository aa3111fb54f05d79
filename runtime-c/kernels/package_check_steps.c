/*
 * What the kernels take for granted (tmc/kernels.h), checked for one step of a package: extents of tensors
 * and weights from the shapes, in 64 bits; ranges of all numbers. The same checks in the same order:
 * compiler/model/package/check-steps.ts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "package_check_steps.h"

#include "package_layout.h"

enum { MAX_DIMENSION = 65535, MAX_TRIPLES = 8, MAX_DEPTHWISE_ROWS = 16, MAX_SOFTMAX_DEPTH = 511 };
enum { MAX_SHIFT_RIGHT = 22, MAX_REDUCED = 1 << 20, MAX_TOTAL = 1 << 28, MIN_WIDE_CHANNELS = 12 };

/* Names of the words of a window. */
enum { IH, IW, IC, OH, OW, OC, FH, FW, SH, SW, DH, DW, PT, PL };

/* Memory that a step reads or writes, as positions in the arena; empty for what lies in the package. */
typedef struct {
    uint64_t start, end;
} extent;

static uint64_t size3(int32_t a, int32_t b, int32_t c) {
    return times(times((uint64_t)a, (uint64_t)b), (uint64_t)c);
}

static bool within(int32_t value, int32_t min, int32_t max) {
    return value >= min && value <= max;
}

static bool apart(extent a, extent b) {
    return a.end <= b.start || b.end <= a.start;
}

/* `bytes` from byte `first` of the input at word `at`, and `beyond` more that are read without effect. */
static bool reads(const step_check *check, int32_t at, uint64_t first, uint64_t bytes, uint32_t beyond,
                  extent *out) {
    const uint32_t word = (uint32_t)check->words[at];
    const bool in_package = word >= 0x80000000U;
    const uint64_t start = (word & 0x7fffffffU) + first;
    *out = in_package ? (extent){0U, 0U} : (extent){start, start + bytes};
    return start + bytes + beyond <= (in_package ? check->end : check->arena);
}

static bool writes(const step_check *check, int32_t at, uint64_t first, uint64_t bytes, extent *out) {
    const uint64_t start = (uint32_t)check->words[at] + first;
    *out = (extent){start, start + bytes};
    return out->end <= check->arena;
}

/* Input, output and scratch memory; the latter is aligned and apart from the others. */
static tmc_package_reason tensors(const step_check *check, uint64_t input, uint32_t beyond, uint64_t output,
                                  uint64_t scratch) {
    extent in, out, work;
    if (!reads(check, STEP_INPUT, 0U, input, beyond, &in) || !writes(check, STEP_OUTPUT, 0U, output, &out) ||
        !writes(check, STEP_SCRATCH, 0U, scratch, &work) || work.start % 4U != 0U) {
        return TMC_PACKAGE_BAD_TENSOR;
    }
    return scratch == 0U || (apart(work, in) && apart(work, out)) ? TMC_PACKAGE_OK : TMC_PACKAGE_BAD_OVERLAP;
}

static bool constant(const step_check *check, int32_t at, uint64_t bytes, uint32_t alignment) {
    return range_fits((uint32_t)check->words[at], bytes, check->end, alignment);
}

static bool multiplier_fits(int32_t multiplier) {
    return multiplier == 0 || multiplier >= 1 << 30;
}

static bool clamp_fits(int32_t min, int32_t max) {
    return min >= -128 && min <= max && max <= 127;
}

/* A tmc_right_shift in its three words; its zero point is the layer's unless the output is constant. */
static bool right_shift_fits(int32_t multiplier, int32_t rounding, int32_t shift, int32_t output_offset) {
    if (!multiplier_fits(multiplier) || !within(shift, 1, MAX_SHIFT_RIGHT)) {
        return false;
    }
    const int64_t zero = (int64_t)rounding - ((int64_t)1 << (shift - 1));
    const int64_t unit = (int64_t)1 << shift;
    const int64_t offset = zero / unit;
    return offset * unit == zero && offset >= -128 && offset <= 127 &&
           (multiplier == 0 || offset == output_offset);
}

static bool window_fits(const int32_t *w) {
    for (int32_t i = 0; i < PT; i++) {
        if (!within(w[i], 1, MAX_DIMENSION)) {
            return false;
        }
    }
    const int64_t height = (int64_t)(w[FH] - 1) * w[DH] + 1;
    const int64_t width = (int64_t)(w[FW] - 1) * w[DW] + 1;
    /* The first and the last window touch the image. */
    return height <= MAX_DIMENSION && width <= MAX_DIMENSION && w[PT] >= 0 && w[PT] < height && w[PL] >= 0 &&
           w[PL] < width && (int64_t)(w[OH] - 1) * w[SH] - w[PT] < w[IH] &&
           (int64_t)(w[OW] - 1) * w[SW] - w[PL] < w[IW];
}

static uint64_t window_inputs(const int32_t *w) {
    return size3(w[IH], w[IW], w[IC]);
}

static uint64_t window_outputs(const int32_t *w) {
    return size3(w[OH], w[OW], w[OC]);
}

/* Offsets and the clamp of a weighted layer. */
static bool numbers_fit(const int32_t *weights) {
    return within(weights[WEIGHTS_INPUT_OFFSET], -127, 128) &&
           within(weights[WEIGHTS_OUTPUT_OFFSET], -128, 127) &&
           clamp_fits(weights[WEIGHTS_MIN], weights[WEIGHTS_MAX]);
}

/* Stream, biases, multipliers and shifts of a layer that requantises one by one. */
static tmc_package_reason general_weights(const step_check *check, int32_t at, uint64_t stream,
                                          uint64_t biases, int32_t channels) {
    const int32_t *const w = check->words + at;
    const uint64_t count = (uint64_t)channels;
    if (!constant(check, at + WEIGHTS_STREAM, stream, 4U) ||
        (w[WEIGHTS_BIAS] != 0 && !constant(check, at + WEIGHTS_BIAS, 4U * biases, 4U)) ||
        !constant(check, at + WEIGHTS_MULTIPLIER, 4U * count, 4U) ||
        !constant(check, at + WEIGHTS_SHIFT, count, 4U)) {
        return TMC_PACKAGE_BAD_CONSTANT;
    }
    const int32_t *const multipliers = words_at(check->package, (uint32_t)w[WEIGHTS_MULTIPLIER]);
    const int8_t *const shifts =
        (const int8_t *)(const void *)words_at(check->package, (uint32_t)w[WEIGHTS_SHIFT]);
    for (int32_t c = 0; c < channels; c++) {
        if (!multiplier_fits(multipliers[c]) || !within(shifts[c], -31, 30)) {
            return TMC_PACKAGE_BAD_NUMBER;
        }
    }
    return TMC_PACKAGE_OK;
}

static tmc_package_reason check_conv(step_check *check) {
    const int32_t *const w = check->words + STEP_REST;
    const int32_t *const weights = check->words + CONV_WEIGHTS;
    const int32_t kernel = check->words[STEP_KERNEL];
    const int32_t triples = check->words[CONV_TRIPLES];
    const int32_t copies = check->words[CONV_COPIES];
    const bool general = kernel == TMC_PACKAGE_CONV_GENERAL;
    const bool pointwise = kernel == TMC_PACKAGE_CONV_1X1;
    if (!window_fits(w) || !within(triples, 1, MAX_TRIPLES) || !within(copies, 0, general ? 0 : 1)) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    const bool dilated = w[DH] > 1 || w[DW] > 1;
    if ((!general && w[OC] < 2) || (dilated && !general && kernel != TMC_PACKAGE_CONV_DILATED) ||
        (pointwise && (w[FH] != 1 || w[FW] != 1 || w[SH] != 1 || w[SW] != 1 || w[IH] != w[OH] ||
                       w[IW] != w[OW] || w[IC] % 4 != 0))) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    const uint64_t depth = size3(w[FH], w[FW], w[IC]);
    const uint64_t pairs = (depth + 3U) / 4U * 2U;
    if (pairs > MAX_TOTAL || (copies != 0 && pairs % 8U != 0U)) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    if (!numbers_fit(weights)) {
        return TMC_PACKAGE_BAD_NUMBER;
    }
    const uint64_t scratch = 12U * pairs * (uint64_t)triples + (copies != 0 ? 4U * pairs + 32U : 0U) +
                             (pointwise ? 0U : 2U * pairs + 4U);
    const tmc_package_reason memory =
        tensors(check, window_inputs(w), w[IC] % 4 == 0 ? 0U : 3U, window_outputs(w), scratch);
    if (memory != TMC_PACKAGE_OK) {
        return memory;
    }
    check->work = times(window_outputs(w), depth);
    const uint64_t channel_pairs = ((uint64_t)w[OC] + 1U) / 2U;
    const uint64_t words = times(channel_pairs, pairs + (general ? 0U : 8U));
    if (general) {
        return general_weights(check, CONV_WEIGHTS, 4U * words, (uint64_t)w[OC], w[OC]);
    }
    if (!constant(check, CONV_WEIGHTS, 4U * words, 4U)) {
        return TMC_PACKAGE_BAD_CONSTANT;
    }
    const int32_t *r = words_at(check->package, (uint32_t)weights[WEIGHTS_STREAM]);
    for (uint64_t i = 0U; i < channel_pairs; i++) {
        r += pairs + 2U;
        if (!right_shift_fits(r[0], r[1], r[2], weights[WEIGHTS_OUTPUT_OFFSET]) ||
            !right_shift_fits(r[3], r[4], r[5], weights[WEIGHTS_OUTPUT_OFFSET])) {
            return TMC_PACKAGE_BAD_NUMBER;
        }
        r += 6;
    }
    return TMC_PACKAGE_OK;
}

/* Right shifts of four channels in depthwise streams: see depthwise_block.h. */
static bool depthwise_shifts_fit(const int32_t *r, uint64_t fours, uint64_t tap_words,
                                 int32_t output_offset) {
    for (; fours > 0U; fours--) {
        r += 4U + tap_words;
        for (int32_t c = 0; c < 4; c++) {
            const int32_t *const own = r + 4 * (c / 2) + c % 2;
            if (!right_shift_fits(own[0], own[2], r[8 + c], output_offset)) {
                return false;
            }
        }
        r += 12;
    }
    return true;
}

static tmc_package_reason check_depthwise(step_check *check) {
    const int32_t *const w = check->words + STEP_REST;
    const int32_t *const weights = check->words + CONV_WEIGHTS;
    const int32_t kernel = check->words[STEP_KERNEL];
    const int32_t multiplier = check->words[DEPTHWISE_MULTIPLIER];
    const int32_t option = check->words[DEPTHWISE_OPTION];
    const bool fast = kernel == TMC_PACKAGE_DEPTHWISE;
    const bool portable = kernel == TMC_PACKAGE_DEPTHWISE_PORTABLE;
    if (!window_fits(w) || !within(multiplier, 1, MAX_DIMENSION) || !within(option, 0, portable ? 0 : 1) ||
        (int64_t)w[IC] * multiplier != w[OC] || (!portable && w[FH] > MAX_DEPTHWISE_ROWS) ||
        (fast && (w[DH] != 1 || w[DW] != 1 || multiplier != 1 || w[IC] % 4 != 0))) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    const uint64_t taps = times((uint64_t)w[FH], (uint64_t)w[FW]);
    if (taps > MAX_TOTAL) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    if (!numbers_fit(weights)) {
        return TMC_PACKAGE_BAD_NUMBER;
    }
    const uint64_t fours = ((uint64_t)w[OC] + 3U) / 4U;
    const uint64_t columns = (uint64_t)((int64_t)(w[OW] - 1) * w[SW] + (int64_t)(w[FW] - 1) * w[DW] + 1);
    const uint64_t rows = (uint64_t)((int64_t)(w[FH] - 1) * w[DH] + 1);
    uint64_t scratch = 8U * times(times(columns, fours), rows);
    if (fast && option != 0) {
        scratch += times(16U + 2U * taps, (uint64_t)w[OC]);
    } else if (!fast) {
        scratch += 4U * (uint64_t)w[OW];
    }
    const tmc_package_reason memory = tensors(check, window_inputs(w), fast || portable ? 0U : 3U,
                                              window_outputs(w), portable ? 0U : scratch);
    if (memory != TMC_PACKAGE_OK) {
        return memory;
    }
    check->work = times(window_outputs(w), taps);
    if (portable) {
        return general_weights(check, CONV_WEIGHTS, times(taps, (uint64_t)w[OC]), (uint64_t)w[OC], w[OC]);
    }
    const uint64_t tap_words = fast && option != 0 ? taps : 2U * taps;
    if (!fast && option == 0) {
        return general_weights(check, CONV_WEIGHTS, 4U * times(fours, tap_words), (uint64_t)w[OC], w[OC]);
    }
    if (!constant(check, CONV_WEIGHTS, 4U * times(fours, tap_words + 16U), 4U)) {
        return TMC_PACKAGE_BAD_CONSTANT;
    }
    const int32_t *const stream = words_at(check->package, (uint32_t)weights[WEIGHTS_STREAM]);
    return depthwise_shifts_fit(stream, fours, tap_words, weights[WEIGHTS_OUTPUT_OFFSET])
               ? TMC_PACKAGE_OK
               : TMC_PACKAGE_BAD_NUMBER;
}

static tmc_package_reason check_dense(step_check *check) {
    const int32_t *const weights = check->words + DENSE_WEIGHTS;
    const int32_t rows = check->words[DENSE_ROWS];
    const int32_t inputs = check->words[DENSE_INPUTS];
    const int32_t outputs = check->words[DENSE_OUTPUTS];
    const int32_t step = check->words[DENSE_STEP];
    const bool general = check->words[STEP_KERNEL] == TMC_PACKAGE_DENSE_GENERAL;
    const bool wide = check->words[STEP_KERNEL] == TMC_PACKAGE_DENSE_WIDE;
    if (rows < 1 || inputs < 1 || outputs < (wide ? MIN_WIDE_CHANNELS : 1) ||
        !within(step, 0, general ? 0 : 1)) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    if (!numbers_fit(weights)) {
        return TMC_PACKAGE_BAD_NUMBER;
    }
    const tmc_package_reason memory =
        tensors(check, size3(rows, inputs, 1), inputs % 4 == 0 ? 0U : 3U, size3(rows, outputs, 1), 0U);
    if (memory != TMC_PACKAGE_OK) {
        return memory;
    }
    check->work = size3(rows, inputs, outputs);
    const uint64_t fours = ((uint64_t)outputs + 3U) / 4U;
    const uint64_t steps = ((uint64_t)inputs + 3U) / 4U;
    /* Channels as the stream groups them: tmc_k_dense_sixes. */
    const uint64_t sixes = wide ? (uint64_t)(outputs / 6 - (outputs % 6 == 2 ? 1 : 0)) : 0U;
    const uint64_t rest = ((uint64_t)outputs - 6U * sixes + 3U) / 4U * 4U;
    const uint64_t bytes = 4U * times(6U * sixes + rest, steps + (general ? 0U : 1U));
    if (general) {
        return weights[WEIGHTS_BIAS] == 0 ? TMC_PACKAGE_BAD_CONSTANT
                                          : general_weights(check, DENSE_WEIGHTS, bytes, 4U * fours, outputs);
    }
    const uint64_t entries = step == 0 ? 1U : (uint64_t)outputs + 3U;
    if (!constant(check, DENSE_WEIGHTS + WEIGHTS_STREAM, bytes, 4U) ||
        !constant(check, DENSE_WEIGHTS + WEIGHTS_MULTIPLIER, 12U * entries, 4U)) {
        return TMC_PACKAGE_BAD_CONSTANT;
    }
    const int32_t *const r = words_at(check->package, (uint32_t)weights[WEIGHTS_MULTIPLIER]);
    for (uint64_t i = 0U; i < entries; i++) {
        if (!right_shift_fits(r[3U * i], r[3U * i + 1U], r[3U * i + 2U], weights[WEIGHTS_OUTPUT_OFFSET])) {
            return TMC_PACKAGE_BAD_NUMBER;
        }
    }
    return TMC_PACKAGE_OK;
}

/* Memory of an addition: the second operand is at word `second`. */
static tmc_package_reason check_sum(step_check *check, int32_t second, int32_t count) {
    extent other;
    if (count < 1) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    check->work = (uint64_t)count;
    return reads(check, second, 0U, check->work, 0U, &other)
               ? tensors(check, check->work, 0U, check->work, 0U)
               : TMC_PACKAGE_BAD_TENSOR;
}

static tmc_package_reason check_add(step_check *check) {
    const int32_t *const n = check->words + ADD_NUMBERS;
    for (int32_t i = 0; i < 9; i += 3) {
        if (!within(n[i], -128, 128) || !multiplier_fits(n[i + 1]) || !within(n[i + 2], -31, 0)) {
            return TMC_PACKAGE_BAD_NUMBER;
        }
    }
    return clamp_fits(check->words[ADD_MIN], check->words[ADD_MAX])
               ? check_sum(check, ADD_RIGHT, check->words[ADD_COUNT])
               : TMC_PACKAGE_BAD_NUMBER;
}

static tmc_package_reason check_fast_add(step_check *check) {
    const int32_t *const w = check->words;
    const int32_t *const r = w + FAST_ADD_OUTPUT;
    const bool equal = w[STEP_KERNEL] == TMC_PACKAGE_ADD_EQUAL; /* both offsets, no multiplication */
    const int32_t offset = equal ? 256 : 128;
    const bool fits =
        within(w[FAST_ADD_OFFSET], -offset, offset) && multiplier_fits(w[FAST_ADD_MULTIPLIER]) &&
        within(w[FAST_ADD_SHIFT], equal ? 0 : 1, 31) && within(w[FAST_ADD_ROUNDING], -(1 << 30), 1 << 30) &&
        right_shift_fits(0, r[1], r[2], 0) && multiplier_fits(r[0]) &&
        clamp_fits(w[FAST_ADD_MIN], w[FAST_ADD_MAX]);
    return fits ? check_sum(check, FAST_ADD_PLAIN, w[FAST_ADD_COUNT]) : TMC_PACKAGE_BAD_NUMBER;
}

static tmc_package_reason check_pool(step_check *check) {
    const int32_t *const w = check->words + STEP_REST;
    const int32_t kernel = check->words[STEP_KERNEL];
    const bool fast = kernel == TMC_PACKAGE_AVERAGE_POOL_FAST || kernel == TMC_PACKAGE_MAX_POOL_FAST;
    if (!window_fits(w) || w[DH] != 1 || w[DW] != 1 || w[IC] != w[OC] || (fast && w[IC] < 4)) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    if (!clamp_fits(check->words[POOL_MIN], check->words[POOL_MAX])) {
        return TMC_PACKAGE_BAD_NUMBER;
    }
    check->work = times(window_outputs(w), size3(w[FH], w[FW], 1));
    return tensors(check, window_inputs(w), 0U, window_outputs(w), 0U);
}

static tmc_package_reason check_softmax(step_check *check) {
    const int32_t *const w = check->words;
    const int32_t least = w[SOFTMAX_MIN_DIFFERENCE];
    if (w[SOFTMAX_ROWS] < 1 || !within(w[SOFTMAX_DEPTH], 1, MAX_SOFTMAX_DEPTH)) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    /* Differences that are not too small do not overflow when they are shifted. */
    if (!multiplier_fits(w[SOFTMAX_MULTIPLIER]) || !within(w[SOFTMAX_SHIFT], 0, 31) || least > 0 ||
        least < -(((int64_t)1 << 31) >> w[SOFTMAX_SHIFT])) {
        return TMC_PACKAGE_BAD_NUMBER;
    }
    const uint64_t count = size3(w[SOFTMAX_ROWS], w[SOFTMAX_DEPTH], 1);
    check->work = 2U * count;
    return tensors(check, count, 0U, count, 0U);
}

static tmc_package_reason check_copy(step_check *check) {
    const int32_t count = check->words[COPY_COUNT];
    extent in, out;
    if (count < 1) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    check->work = (uint64_t)count;
    if (!reads(check, STEP_INPUT, 0U, check->work, 0U, &in) ||
        !writes(check, STEP_OUTPUT, 0U, check->work, &out)) {
        return TMC_PACKAGE_BAD_TENSOR;
    }
    return apart(in, out) ? TMC_PACKAGE_OK : TMC_PACKAGE_BAD_OVERLAP;
}

static tmc_package_reason check_fill(step_check *check) {
    const int32_t count = check->words[FILL_COUNT];
    extent out;
    if (count < 1) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    if (!within(check->words[FILL_VALUE], -128, 127)) {
        return TMC_PACKAGE_BAD_NUMBER;
    }
    check->work = (uint64_t)count;
    return writes(check, STEP_OUTPUT, 0U, check->work, &out) ? TMC_PACKAGE_OK : TMC_PACKAGE_BAD_TENSOR;
}

/* Positions that loops reach: the least and the greatest. */
typedef struct {
    int64_t least, greatest;
} reach;

static void extend(reach *r, int32_t count, int32_t step) {
    const int64_t most = (int64_t)1 << 40; /* far out of range; the sum of all must not overflow */
    int64_t distance = (int64_t)(count - 1) * step;
    distance = distance > most ? most : (distance < -most ? -most : distance);
    r->least += distance < 0 ? distance : 0;
    r->greatest += distance > 0 ? distance : 0;
}

static bool reach_fits(const reach *r) {
    return r->least >= 0 && r->greatest <= MAX_TOTAL;
}

static tmc_package_reason check_move(step_check *check) {
    const int32_t *const w = check->words;
    const int32_t depth = w[MOVE_DEPTH];
    if (w[MOVE_RUN] < 1 || !within(depth, 0, 4)) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    reach from = {w[MOVE_FROM], w[MOVE_FROM]};
    reach to = {w[MOVE_TO], w[MOVE_TO]};
    check->work = (uint64_t)w[MOVE_RUN];
    for (int32_t i = -1; i < depth; i++) {
        const int32_t *const loop = i < 0 ? w + MOVE_INNER : w + MOVE_OUTER + 3 * i;
        if (loop[0] < 1) {
            return TMC_PACKAGE_BAD_SHAPE;
        }
        check->work = times(check->work, (uint64_t)loop[0]);
        extend(&from, loop[0], loop[1]);
        extend(&to, loop[0], loop[2]);
    }
    extent in, out;
    const uint64_t run = (uint64_t)w[MOVE_RUN];
    if (!reach_fits(&from) || !reach_fits(&to) ||
        !reads(check, STEP_INPUT, (uint64_t)from.least, (uint64_t)(from.greatest - from.least) + run, 0U,
               &in) ||
        !writes(check, STEP_OUTPUT, (uint64_t)to.least, (uint64_t)(to.greatest - to.least) + run, &out)) {
        return TMC_PACKAGE_BAD_TENSOR;
    }
    return apart(in, out) ? TMC_PACKAGE_OK : TMC_PACKAGE_BAD_OVERLAP;
}

static tmc_package_reason check_lookup(step_check *check) {
    const int32_t count = check->words[LOOKUP_COUNT];
    if (count < 1) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    if (!constant(check, LOOKUP_TABLE, 256U, 4U)) {
        return TMC_PACKAGE_BAD_CONSTANT;
    }
    check->work = (uint64_t)count;
    return tensors(check, check->work, 0U, check->work, 0U);
}

static tmc_package_reason check_elementwise(step_check *check) {
    const int32_t *const w = check->words;
    const int32_t operation = w[ELEMENTWISE_OPERATION];
    uint64_t count = 1U;
    reach left = {0, 0};
    reach right = {0, 0};
    if (!within(operation, OPERATION_ADD, OPERATION_MAXIMUM)) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    for (int32_t i = 0; i < 4; i++) {
        const int32_t size = w[ELEMENTWISE_SHAPE + i];
        if (size < 1 || w[ELEMENTWISE_LEFT_STEPS + i] < 0 || w[ELEMENTWISE_RIGHT_STEPS + i] < 0) {
            return TMC_PACKAGE_BAD_SHAPE;
        }
        count = times(count, (uint64_t)size);
        extend(&left, size, w[ELEMENTWISE_LEFT_STEPS + i]);
        extend(&right, size, w[ELEMENTWISE_RIGHT_STEPS + i]);
    }
    /* Operands of sums are scaled down, so that no term is the least int32. */
    const int32_t most = operation <= OPERATION_SUB ? 0 : 30;
    for (int32_t i = 0; i < 9; i += 3) {
        const int32_t *const factor = w + ELEMENTWISE_FACTORS + i;
        if (!within(factor[0], -128, 128) || factor[1] < 0 || !within(factor[2], -31, i < 6 ? most : 30)) {
            return TMC_PACKAGE_BAD_NUMBER;
        }
    }
    if (!clamp_fits(w[ELEMENTWISE_MIN], w[ELEMENTWISE_MAX])) {
        return TMC_PACKAGE_BAD_NUMBER;
    }
    check->work = count;
    extent in, out;
    const bool fits = reach_fits(&left) && reach_fits(&right) &&
                      reads(check, STEP_INPUT, 0U, (uint64_t)left.greatest + 1U, 0U, &in) &&
                      reads(check, ELEMENTWISE_RIGHT, 0U, (uint64_t)right.greatest + 1U, 0U, &in) &&
                      writes(check, STEP_OUTPUT, 0U, count, &out);
    return fits ? TMC_PACKAGE_OK : TMC_PACKAGE_BAD_TENSOR;
}

/* The greatest of the offsets in a table; -1 when one is negative or too large. */
static int32_t greatest_of(const int32_t *table, int32_t count) {
    int32_t greatest = 0;
    for (int32_t i = 0; i < count; i++) {
        if (!within(table[i], 0, MAX_TOTAL)) {
            return -1;
        }
        greatest = table[i] > greatest ? table[i] : greatest;
    }
    return greatest;
}

static tmc_package_reason check_resize(step_check *check) {
    const int32_t *const w = check->words;
    if (w[RESIZE_ROWS] < 1 || w[RESIZE_COLUMNS] < 1 || w[RESIZE_RUN] < 1) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    if (!constant(check, RESIZE_ROW_TABLE, 4U * (uint64_t)w[RESIZE_ROWS], 4U) ||
        !constant(check, RESIZE_COLUMN_TABLE, 4U * (uint64_t)w[RESIZE_COLUMNS], 4U)) {
        return TMC_PACKAGE_BAD_CONSTANT;
    }
    const int32_t row = greatest_of(words_at(check->package, (uint32_t)w[RESIZE_ROW_TABLE]), w[RESIZE_ROWS]);
    const int32_t column =
        greatest_of(words_at(check->package, (uint32_t)w[RESIZE_COLUMN_TABLE]), w[RESIZE_COLUMNS]);
    if (row < 0 || column < 0) {
        return TMC_PACKAGE_BAD_NUMBER;
    }
    check->work = size3(w[RESIZE_ROWS], w[RESIZE_COLUMNS], w[RESIZE_RUN]);
    extent in, out;
    const uint64_t input = (uint64_t)row + (uint64_t)column + (uint64_t)w[RESIZE_RUN];
    if (!reads(check, STEP_INPUT, 0U, input, 0U, &in) || !writes(check, STEP_OUTPUT, 0U, check->work, &out)) {
        return TMC_PACKAGE_BAD_TENSOR;
    }
    return apart(in, out) ? TMC_PACKAGE_OK : TMC_PACKAGE_BAD_OVERLAP;
}

static tmc_package_reason check_reduce(step_check *check) {
    const int32_t *const w = check->words;
    uint64_t counts[2] = {1U, 1U};
    reach from = {0, 0};
    for (int32_t i = 0; i < 6; i++) {
        const int32_t *const axis = w + REDUCE_KEPT + 2 * i;
        if (axis[0] < 1) {
            return TMC_PACKAGE_BAD_SHAPE;
        }
        counts[i / 3] = times(counts[i / 3], (uint64_t)axis[0]);
        extend(&from, axis[0], axis[1]);
    }
    if (counts[1] > MAX_REDUCED) {
        return TMC_PACKAGE_BAD_SHAPE;
    }
    if (!within(w[REDUCE_TOTAL], -MAX_TOTAL, MAX_TOTAL) || w[REDUCE_MULTIPLIER] < 0 ||
        !within(w[REDUCE_SHIFT], -31, 30) || !within(w[REDUCE_OUTPUT_OFFSET], -128, 127)) {
        return TMC_PACKAGE_BAD_NUMBER;
    }
    check->work = times(counts[0], counts[1]);
    extent in, out;
    return reach_fits(&from) &&
                   reads(check, STEP_INPUT, (uint64_t)from.least, (uint64_t)(from.greatest - from.least) + 1U,
                         0U, &in) &&
                   writes(check, STEP_OUTPUT, 0U, counts[0], &out)
               ? TMC_PACKAGE_OK
               : TMC_PACKAGE_BAD_TENSOR;
}

tmc_package_reason check_step(step_check *check) {
    check->work = 0U;
    switch (check->words[STEP_KERNEL]) {
    case TMC_PACKAGE_CONV:
    case TMC_PACKAGE_CONV_1X1:
    case TMC_PACKAGE_CONV_DILATED:
    case TMC_PACKAGE_CONV_GENERAL:
        return check_conv(check);
    case TMC_PACKAGE_DEPTHWISE:
    case TMC_PACKAGE_DEPTHWISE_GENERAL:
    case TMC_PACKAGE_DEPTHWISE_PORTABLE:
        return check_depthwise(check);
    case TMC_PACKAGE_DENSE:
    case TMC_PACKAGE_DENSE_WIDE:
    case TMC_PACKAGE_DENSE_GENERAL:
        return check_dense(check);
    case TMC_PACKAGE_ADD:
        return check_add(check);
    case TMC_PACKAGE_ADD_FAST:
    case TMC_PACKAGE_ADD_EQUAL:
        return check_fast_add(check);
    case TMC_PACKAGE_MAX_POOL:
    case TMC_PACKAGE_AVERAGE_POOL:
    case TMC_PACKAGE_AVERAGE_POOL_FAST:
    case TMC_PACKAGE_MAX_POOL_FAST:
        return check_pool(check);
    case TMC_PACKAGE_SOFTMAX:
        return check_softmax(check);
    case TMC_PACKAGE_COPY:
        return check_copy(check);
    case TMC_PACKAGE_FILL:
        return check_fill(check);
    case TMC_PACKAGE_MOVE:
        return check_move(check);
    case TMC_PACKAGE_LOOKUP:
        return check_lookup(check);
    case TMC_PACKAGE_ELEMENTWISE:
        return check_elementwise(check);
    case TMC_PACKAGE_RESIZE:
        return check_resize(check);
    case TMC_PACKAGE_SUM:
    case TMC_PACKAGE_REDUCE_MAX:
    case TMC_PACKAGE_REDUCE_MIN:
        return check_reduce(check);
    default:
        return TMC_PACKAGE_BAD_PROGRAM;
    }
}
