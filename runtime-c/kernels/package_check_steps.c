/*
 * What the kernels take for granted (tmc/kernels.h), checked for one step of a package: extents of tensors
 * and weights from the shapes, in 64 bits; ranges of all numbers. The same checks in the same order:
 * compiler/model/package/check-steps.ts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "package_step.h"

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
