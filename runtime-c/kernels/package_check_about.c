/*
 * What a package says of itself beside its numbers: rate, digest of the model file, task, unit, labels. The
 * same checks: compiler/model/package/about.ts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "package_check_steps.h"
#include "package_layout.h"

/* Whether these bytes are UTF-8: shortest forms, no surrogates, up to U+10FFFF. */
static bool is_text(const uint8_t *bytes, uint32_t size) {
    uint32_t i = 0U;
    while (i < size) {
        const uint32_t lead = bytes[i++];
        if (lead < 0x80U) {
            continue;
        }
        const uint32_t more = lead < 0xc2U   ? 0U
                              : lead < 0xe0U ? 1U
                              : lead < 0xf0U ? 2U
                              : lead < 0xf5U ? 3U
                                             : 0U;
        if (more == 0U || more > size - i) {
            return false;
        }
        /* The second byte has the limits that the first leaves open. */
        const uint32_t least = lead == 0xe0U ? 0xa0U : lead == 0xf0U ? 0x90U : 0x80U;
        const uint32_t most = lead == 0xedU ? 0x9fU : lead == 0xf4U ? 0x8fU : 0xbfU;
        if (bytes[i] < least || bytes[i] > most) {
            return false;
        }
        for (uint32_t k = 1U; k < more; k++) {
            if (bytes[i + k] < 0x80U || bytes[i + k] > 0xbfU) {
                return false;
            }
        }
        i += more;
    }
    return true;
}

tmc_package_reason check_about(const void *package, uint32_t end) {
    const uint32_t *const header = (const uint32_t *)(const void *)words_at(package, 0U);
    const uint32_t at = header[AT_ABOUT];
    if (at == 0U) {
        return TMC_PACKAGE_OK;
    }
    const uint32_t *const words = (const uint32_t *)(const void *)words_at(package, at);
    const uint8_t *const bytes = (const uint8_t *)(const void *)words;
    const uint32_t size = words[ABOUT_BYTES];
    const uint32_t labels = words[ABOUT_LABELS];
    const int32_t *const output =
        words_at(package, header[AT_DESCRIPTORS]) + header[AT_INPUTS] * (uint32_t)DESCRIPTOR_WORDS;
    const uint32_t rate = words[ABOUT_RATE]; /* bits of a float: 0 or more, finite */
    if (size < 4U * (uint32_t)ABOUT_WORDS || !range_fits(at, size, end, 4U) ||
        labels > (uint32_t)output[DESCRIPTOR_BYTES] || rate >= 0x7f800000U) {
        return TMC_PACKAGE_BAD_ABOUT;
    }
    uint32_t used = 4U * (uint32_t)ABOUT_WORDS;
    for (uint32_t i = 0U; i < labels + 2U; i++) {
        const uint32_t length = used < size ? bytes[used] : UINT32_MAX;
        const uint32_t most = i == 1U ? (uint32_t)ABOUT_UNIT_MAX : (uint32_t)ABOUT_TEXT_MAX;
        if (length > most || length >= size - used || !is_text(bytes + used + 1U, length)) {
            return TMC_PACKAGE_BAD_ABOUT;
        }
        used += 1U + length;
    }
    return used == size ? TMC_PACKAGE_OK : TMC_PACKAGE_BAD_ABOUT;
}
