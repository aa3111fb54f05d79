/*
 * Checks of single steps, and the arithmetic that they share with the checks of the whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_PACKAGE_CHECK_STEPS_H
#define TMC_PACKAGE_CHECK_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "tmc/package.h"

typedef struct {
    const void *package;
    uint32_t end;         /* of what steps may read of the package */
    uint32_t arena;       /* bytes */
    const int32_t *words; /* of the step; all of them can be read */
    uint64_t work;        /* out: multiplications, comparisons or copies; UINT32_MAX for more */
} step_check;

/* Whether the kernel reads and writes only what the step may, and does nothing that C leaves undefined. */
tmc_package_reason check_step(step_check *check);
/* The section about the model, in a package whose descriptors are checked; `end`: where the digest begins. */
tmc_package_reason check_about(const void *package, uint32_t end);

/* a * b, UINT32_MAX if it is more; both at most UINT32_MAX. */
static inline uint64_t times(uint64_t a, uint64_t b) {
    const uint64_t product = a * b;
    return product > UINT32_MAX ? UINT32_MAX : product;
}

static inline bool range_fits(uint32_t offset, uint64_t bytes, uint32_t limit, uint32_t alignment) {
    return offset % alignment == 0U && offset + bytes <= limit;
}

#endif
