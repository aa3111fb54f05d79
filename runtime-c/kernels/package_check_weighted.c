/*
 * Checks of convolutions and dense layers. The same: compiler/model/package/check-weighted-steps.ts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "package_step.h"

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

tmc_package_reason check_conv(step_check *check) {
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

tmc_package_reason check_depthwise(step_check *check) {
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

tmc_package_reason check_dense(step_check *check) {
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
