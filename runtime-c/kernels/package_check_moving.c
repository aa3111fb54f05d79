/*
 * Checks of what copies, moves, looks up, resizes and reduces. The same:
 * compiler/model/package/check-moving-steps.ts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "package_step.h"

tmc_package_reason check_copy(step_check *check) {
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

tmc_package_reason check_fill(step_check *check) {
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

tmc_package_reason check_move(step_check *check) {
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

tmc_package_reason check_lookup(step_check *check) {
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

tmc_package_reason check_elementwise(step_check *check) {
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

tmc_package_reason check_resize(step_check *check) {
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

tmc_package_reason check_reduce(step_check *check) {
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
