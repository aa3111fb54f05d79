/*
 * The header of a package, its descriptors and self-test, and the loop over its steps, which check_steps.c
 * checks. The same checks in the same order: compiler/model/package/check.ts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "package_check_steps.h"
#include "package_layout.h"
#include "tmc/package.h"

/* Bounds that keep every sum of the kernels within int32. */
enum { MAX_PACKAGE_BYTES = 1 << 27, MAX_ARENA_BYTES = 1 << 26, MAX_STEPS = 4096, MAX_ENDS = 64 };

static tmc_package_verdict whole(tmc_package_reason reason) {
    return (tmc_package_verdict){.reason = reason, .step = -1};
}

tmc_package_verdict tmc_package_plan(const void *package, const tmc_package_slot *slot) {
    const uint32_t *const header = (const uint32_t *)(const void *)words_at(package, 0U);
    if (header[AT_MAGIC] != (uint32_t)TMC_PACKAGE_MAGIC) {
        return whole(TMC_PACKAGE_NOT_A_PACKAGE);
    }
    if (header[AT_FORMAT] != TMC_PACKAGE_FORMAT) {
        return whole(TMC_PACKAGE_WRONG_FORMAT);
    }
    if (header[AT_KERNEL_SET] != TMC_PACKAGE_KERNEL_SET) {
        return whole(TMC_PACKAGE_WRONG_KERNELS);
    }
    if ((header[AT_KERNELS] & ~TMC_PACKAGE_KERNELS) != 0U) {
        return whole(TMC_PACKAGE_NO_KERNEL);
    }
    const uint32_t bytes = header[AT_BYTES];
    if (bytes > slot->flash || bytes > MAX_PACKAGE_BYTES) {
        return whole(TMC_PACKAGE_TOO_LARGE);
    }
    if (header[AT_ARENA] > slot->ram || header[AT_ARENA] > MAX_ARENA_BYTES) {
        return whole(TMC_PACKAGE_TOO_MUCH_RAM);
    }
    if (slot->work != 0U && header[AT_WORK] > slot->work) {
        return whole(TMC_PACKAGE_TOO_MUCH_WORK);
    }
    if (bytes % 4U != 0U || bytes < TMC_PACKAGE_HEADER_BYTES + TMC_PACKAGE_DIGEST_BYTES) {
        return whole(TMC_PACKAGE_BAD_HEADER);
    }
    const uint32_t end = bytes - TMC_PACKAGE_DIGEST_BYTES;
    const uint32_t inputs = header[AT_INPUTS];
    const uint32_t outputs = header[AT_OUTPUTS];
    if (inputs == 0U || inputs > MAX_ENDS || outputs == 0U || outputs > MAX_ENDS ||
        header[AT_STEPS] > MAX_STEPS) {
        return whole(TMC_PACKAGE_BAD_HEADER);
    }
    const bool fits =
        range_fits(header[AT_PROGRAM], 4U * (uint64_t)header[AT_PROGRAM_WORDS], end, 4U) &&
        range_fits(header[AT_DESCRIPTORS], 4U * (uint64_t)DESCRIPTOR_WORDS * (inputs + outputs), end, 4U) &&
        range_fits(header[AT_GOLDEN], header[AT_GOLDEN_BYTES], end, 1U) &&
        (header[AT_ABOUT] == 0U || range_fits(header[AT_ABOUT], 4U * (uint64_t)ABOUT_WORDS, end, 4U));
    return whole(fits ? TMC_PACKAGE_OK : TMC_PACKAGE_BAD_HEADER);
}

/* One that the caller writes or reads: int8 in the arena, of the size that its shape says. */
static bool descriptor_fits(const int32_t *d, uint32_t arena) {
    const int32_t rank = d[DESCRIPTOR_RANK];
    if (d[DESCRIPTOR_TYPE] != 1 || rank < 0 || rank > 6) {
        return false;
    }
    uint64_t size = 1U;
    for (int32_t i = 0; i < rank; i++) {
        if (d[DESCRIPTOR_SHAPE + i] < 1) {
            return false;
        }
        size = times(size, (uint64_t)d[DESCRIPTOR_SHAPE + i]);
    }
    const uint32_t bytes = (uint32_t)d[DESCRIPTOR_BYTES];
    return size == bytes && range_fits((uint32_t)d[DESCRIPTOR_OFFSET], bytes, arena, 1U);
}

static tmc_package_reason check_ends(const void *package, const int32_t *header) {
    uint64_t bytes = 0U;
    const int32_t *d = words_at(package, (uint32_t)header[AT_DESCRIPTORS]);
    for (int32_t i = header[AT_INPUTS] + header[AT_OUTPUTS]; i > 0; i--) {
        if (!descriptor_fits(d, (uint32_t)header[AT_ARENA])) {
            return TMC_PACKAGE_BAD_DESCRIPTOR;
        }
        bytes += (uint32_t)d[DESCRIPTOR_BYTES];
        d += DESCRIPTOR_WORDS;
    }
    const bool fits =
        header[AT_GOLDEN] == 0 ? header[AT_GOLDEN_BYTES] == 0 : (uint32_t)header[AT_GOLDEN_BYTES] == bytes;
    return fits ? TMC_PACKAGE_OK : TMC_PACKAGE_BAD_GOLDEN;
}

static tmc_package_verdict check_program(const void *package, const int32_t *header) {
    step_check check = {.package = package,
                        .end = (uint32_t)header[AT_BYTES] - TMC_PACKAGE_DIGEST_BYTES,
                        .arena = (uint32_t)header[AT_ARENA],
                        .words = words_at(package, (uint32_t)header[AT_PROGRAM])};
    uint32_t left = (uint32_t)header[AT_PROGRAM_WORDS];
    uint64_t work = 0U;
    for (int32_t i = 0; i < header[AT_STEPS]; i++) {
        const uint32_t kernel = left > 0U ? (uint32_t)check.words[STEP_KERNEL] : 0U;
        const uint32_t size = step_words(kernel);
        tmc_package_reason reason = TMC_PACKAGE_BAD_PROGRAM;
        if (size != 0U && size <= left && ((uint32_t)header[AT_KERNELS] & (1U << kernel)) != 0U) {
            reason = check_step(&check);
            work += check.work;
        }
        if (reason == TMC_PACKAGE_OK && work > (uint32_t)header[AT_WORK]) {
            reason = TMC_PACKAGE_TOO_MUCH_WORK;
        }
        if (reason != TMC_PACKAGE_OK) {
            return (tmc_package_verdict){.reason = reason, .step = i};
        }
        check.words += size;
        left -= size;
    }
    return whole(left == 0U ? TMC_PACKAGE_OK : TMC_PACKAGE_BAD_PROGRAM);
}

tmc_package_verdict tmc_package_check(const void *package, uint32_t size, const tmc_package_slot *slot) {
    if ((uintptr_t)package % 4U != 0U) {
        return whole(TMC_PACKAGE_ALIGNMENT);
    }
    if (size < TMC_PACKAGE_HEADER_BYTES) {
        return whole(TMC_PACKAGE_TRUNCATED);
    }
    const tmc_package_verdict planned = tmc_package_plan(package, slot);
    if (planned.reason != TMC_PACKAGE_OK) {
        return planned;
    }
    const int32_t *const header = words_at(package, 0U);
    if ((uint32_t)header[AT_BYTES] != size) {
        return whole(TMC_PACKAGE_TRUNCATED);
    }
    if (slot->sha256 != NULL) {
        uint8_t digest[TMC_PACKAGE_DIGEST_BYTES];
        slot->sha256(package, size - TMC_PACKAGE_DIGEST_BYTES, digest);
        if (memcmp(digest, (const uint8_t *)package + size - TMC_PACKAGE_DIGEST_BYTES, sizeof digest) != 0) {
            return whole(TMC_PACKAGE_WRONG_DIGEST);
        }
    }
    const tmc_package_reason ends = check_ends(package, header);
    if (ends != TMC_PACKAGE_OK) {
        return whole(ends);
    }
    const tmc_package_reason about = check_about(package, size - TMC_PACKAGE_DIGEST_BYTES);
    return about == TMC_PACKAGE_OK ? check_program(package, header) : whole(about);
}
