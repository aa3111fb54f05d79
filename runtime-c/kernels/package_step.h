/*
 * One step of a package while it is checked: what it reads and writes, and limits that several kernels share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_PACKAGE_STEP_H
#define TMC_PACKAGE_STEP_H

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

static inline uint64_t size3(int32_t a, int32_t b, int32_t c) {
    return times(times((uint64_t)a, (uint64_t)b), (uint64_t)c);
}

static inline bool within(int32_t value, int32_t min, int32_t max) {
    return value >= min && value <= max;
}

static inline bool apart(extent a, extent b) {
    return a.end <= b.start || b.end <= a.start;
}

/* `bytes` from byte `first` of the input at word `at`, and `beyond` more that are read without effect. */
static inline bool reads(const step_check *check, int32_t at, uint64_t first, uint64_t bytes, uint32_t beyond,
                         extent *out) {
    const uint32_t word = (uint32_t)check->words[at];
    const bool in_package = word >= 0x80000000U;
    const uint64_t start = (word & 0x7fffffffU) + first;
    *out = in_package ? (extent){0U, 0U} : (extent){start, start + bytes};
    return start + bytes + beyond <= (in_package ? check->end : check->arena);
}

static inline bool writes(const step_check *check, int32_t at, uint64_t first, uint64_t bytes, extent *out) {
    const uint64_t start = (uint32_t)check->words[at] + first;
    *out = (extent){start, start + bytes};
    return out->end <= check->arena;
}

/* Input, output and scratch memory; the latter is aligned and apart from the others. */
static inline tmc_package_reason tensors(const step_check *check, uint64_t input, uint32_t beyond,
                                         uint64_t output, uint64_t scratch) {
    extent in, out, work;
    if (!reads(check, STEP_INPUT, 0U, input, beyond, &in) || !writes(check, STEP_OUTPUT, 0U, output, &out) ||
        !writes(check, STEP_SCRATCH, 0U, scratch, &work) || work.start % 4U != 0U) {
        return TMC_PACKAGE_BAD_TENSOR;
    }
    return scratch == 0U || (apart(work, in) && apart(work, out)) ? TMC_PACKAGE_OK : TMC_PACKAGE_BAD_OVERLAP;
}

static inline bool constant(const step_check *check, int32_t at, uint64_t bytes, uint32_t alignment) {
    return range_fits((uint32_t)check->words[at], bytes, check->end, alignment);
}

static inline bool multiplier_fits(int32_t multiplier) {
    return multiplier == 0 || multiplier >= 1 << 30;
}

static inline bool clamp_fits(int32_t min, int32_t max) {
    return min >= -128 && min <= max && max <= 127;
}

/* A tmc_right_shift in its three words; its zero point is the layer's unless the output is constant. */
static inline bool right_shift_fits(int32_t multiplier, int32_t rounding, int32_t shift,
                                    int32_t output_offset) {
    if (!multiplier_fits(multiplier) || !within(shift, 1, MAX_SHIFT_RIGHT)) {
        return false;
    }
    const int64_t zero = (int64_t)rounding - ((int64_t)1 << (shift - 1));
    const int64_t unit = (int64_t)1 << shift;
    const int64_t offset = zero / unit;
    return offset * unit == zero && offset >= -128 && offset <= 127 &&
           (multiplier == 0 || offset == output_offset);
}

static inline bool window_fits(const int32_t *w) {
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

static inline uint64_t window_inputs(const int32_t *w) {
    return size3(w[IH], w[IW], w[IC]);
}

static inline uint64_t window_outputs(const int32_t *w) {
    return size3(w[OH], w[OW], w[OC]);
}

/* The checks by kind of kernel; what check_step chooses from. */
tmc_package_reason check_conv(step_check *check);
tmc_package_reason check_depthwise(step_check *check);
tmc_package_reason check_dense(step_check *check);
tmc_package_reason check_copy(step_check *check);
tmc_package_reason check_fill(step_check *check);
tmc_package_reason check_move(step_check *check);
tmc_package_reason check_lookup(step_check *check);
tmc_package_reason check_elementwise(step_check *check);
tmc_package_reason check_resize(step_check *check);
tmc_package_reason check_reduce(step_check *check);

#endif
