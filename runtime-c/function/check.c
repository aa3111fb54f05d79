/*
 * Is it a function image that this node can load? Sizes and offsets come from outside: every sum is made in
 * 64 bits and compared before it is used. It calls nothing of the image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/function.h"

/* Beyond all that a slot of a microcontroller can be. */
enum { MOST_BYTES = 1 << 24, HALFWORD = 2 };

/* What images of the ABI may declare. */
#define KNOWN_IMPORTS ((1U << TMC_FUNCTION_IMPORTS) - 1U)

uint32_t tmc_function_word(const void *image, uint32_t at) {
    return *(const uint32_t *)(const void *)((const uint8_t *)image + at);
}

static bool range_fits(uint32_t at, uint64_t bytes, uint32_t end, uint32_t alignment) {
    return at % alignment == 0U && (uint64_t)at + bytes <= end;
}

/* Of parts: none begins in the header, none ends behind the image. */
static bool part_fits(const void *header, uint32_t field, uint64_t bytes, uint32_t alignment) {
    const uint32_t at = tmc_function_word(header, field);
    return at >= TMC_FUNCTION_HEADER_BYTES &&
           range_fits(at, bytes, tmc_function_word(header, TMC_FUNCTION_AT_BYTES), alignment);
}

static tmc_function_reason too_much(const void *header, const tmc_function_limits *limits) {
    const uint32_t bytes = tmc_function_word(header, TMC_FUNCTION_AT_BYTES);
    const uint32_t ram = tmc_function_word(header, TMC_FUNCTION_AT_RAM_BYTES);
    const uint32_t input = tmc_function_word(header, TMC_FUNCTION_AT_INPUT);
    const uint32_t output = tmc_function_word(header, TMC_FUNCTION_AT_OUTPUT);
    if (bytes > limits->flash || bytes > MOST_BYTES) {
        return TMC_FUNCTION_TOO_LARGE;
    }
    if (ram > limits->ram || ram > MOST_BYTES) {
        return TMC_FUNCTION_TOO_MUCH_RAM;
    }
    if (tmc_function_word(header, TMC_FUNCTION_AT_STACK) > limits->stack) {
        return TMC_FUNCTION_TOO_MUCH_STACK;
    }
    if (input > limits->input || output > limits->output || input > MOST_BYTES || output > MOST_BYTES) {
        return TMC_FUNCTION_TOO_MUCH_DATA;
    }
    return TMC_FUNCTION_OK;
}

static bool parts_fit(const void *header) {
    const uint32_t code = tmc_function_word(header, TMC_FUNCTION_AT_CODE_BYTES);
    const uint32_t entry = tmc_function_word(header, TMC_FUNCTION_AT_ENTRY);
    const uint32_t data = tmc_function_word(header, TMC_FUNCTION_AT_DATA_BYTES);
    const uint32_t ram = tmc_function_word(header, TMC_FUNCTION_AT_RAM_BYTES);
    const uint32_t input = tmc_function_word(header, TMC_FUNCTION_AT_INPUT);
    const uint32_t output = tmc_function_word(header, TMC_FUNCTION_AT_OUTPUT);
    const uint32_t golden_input = tmc_function_word(header, TMC_FUNCTION_AT_GOLDEN_INPUT);
    const uint32_t golden_output = tmc_function_word(header, TMC_FUNCTION_AT_GOLDEN_OUTPUT);
    return tmc_function_word(header, TMC_FUNCTION_AT_ZERO) == 0U &&
           part_fits(header, TMC_FUNCTION_AT_CODE, code, 8U) && range_fits(entry, HALFWORD, code, HALFWORD) &&
           part_fits(header, TMC_FUNCTION_AT_DATA, data, 8U) && data % 4U == 0U && data <= ram &&
           ram % 8U == 0U &&
           part_fits(header, TMC_FUNCTION_AT_RELOCATIONS,
                     4U * (uint64_t)tmc_function_word(header, TMC_FUNCTION_AT_RELOCATION_COUNT), 4U) &&
           part_fits(header, TMC_FUNCTION_AT_TYPES, tmc_function_word(header, TMC_FUNCTION_AT_TYPES_BYTES),
                     1U) &&
           part_fits(header, TMC_FUNCTION_AT_GOLDEN, (uint64_t)golden_input + golden_output, 1U) &&
           input >= 1U && output >= 1U && golden_input <= input && golden_output <= output;
}

tmc_function_reason tmc_function_plan(const void *header, const tmc_function_limits *limits) {
    if (tmc_function_word(header, TMC_FUNCTION_AT_MAGIC) != TMC_FUNCTION_MAGIC) {
        return TMC_FUNCTION_NOT_AN_IMAGE;
    }
    if (tmc_function_word(header, TMC_FUNCTION_AT_FORMAT) != TMC_FUNCTION_FORMAT) {
        return TMC_FUNCTION_WRONG_FORMAT;
    }
    if (tmc_function_word(header, TMC_FUNCTION_AT_ABI) != TMC_FUNCTION_ABI) {
        return TMC_FUNCTION_WRONG_ABI;
    }
    if (limits->machine == 0U || tmc_function_word(header, TMC_FUNCTION_AT_MACHINE) != limits->machine) {
        return TMC_FUNCTION_WRONG_MACHINE;
    }
    if ((tmc_function_word(header, TMC_FUNCTION_AT_IMPORTS) & ~KNOWN_IMPORTS) != 0U) {
        return TMC_FUNCTION_NO_IMPORT;
    }
    const tmc_function_reason reason = too_much(header, limits);
    if (reason != TMC_FUNCTION_OK) {
        return reason;
    }
    return parts_fit(header) ? TMC_FUNCTION_OK : TMC_FUNCTION_BAD_HEADER;
}

static bool in_name(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

static bool in_version(uint8_t c) {
    return in_name(c) || (c >= 'A' && c <= 'Z') || c == '+';
}

/* At least one character, all allowed; zeros after them. */
static bool text_fits(const uint8_t *text, bool (*allowed)(uint8_t c)) {
    uint32_t length = 0;
    while (length < TMC_FUNCTION_NAME_BYTES && text[length] != 0U) {
        if (!allowed(text[length])) {
            return false;
        }
        length++;
    }
    for (uint32_t i = length; i < TMC_FUNCTION_NAME_BYTES; i++) {
        if (text[i] != 0U) {
            return false;
        }
    }
    return length > 0U;
}

/* Each is a word of the data, in ascending order, whose value is an offset into the code or into RAM. */
static bool relocations_fit(const void *image) {
    const uint32_t count = tmc_function_word(image, TMC_FUNCTION_AT_RELOCATION_COUNT);
    const uint32_t list = tmc_function_word(image, TMC_FUNCTION_AT_RELOCATIONS);
    const uint32_t data = tmc_function_word(image, TMC_FUNCTION_AT_DATA);
    const uint32_t data_bytes = tmc_function_word(image, TMC_FUNCTION_AT_DATA_BYTES);
    uint32_t least = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t relocation = tmc_function_word(image, list + 4U * i);
        const uint32_t at = relocation & ~1U;
        if (at < least || !range_fits(at, 4U, data_bytes, 4U)) {
            return false;
        }
        const uint32_t within =
            (relocation & 1U) != 0U ? TMC_FUNCTION_AT_RAM_BYTES : TMC_FUNCTION_AT_CODE_BYTES;
        if (tmc_function_word(image, data + at) > tmc_function_word(image, within)) {
            return false;
        }
        least = at + 4U;
    }
    return true;
}

tmc_function_reason tmc_function_check(const void *image, uint32_t size, const tmc_function_limits *limits) {
    if (size < TMC_FUNCTION_HEADER_BYTES) {
        return TMC_FUNCTION_NOT_AN_IMAGE;
    }
    const tmc_function_reason reason = tmc_function_plan(image, limits);
    if (reason != TMC_FUNCTION_OK) {
        return reason;
    }
    if (tmc_function_word(image, TMC_FUNCTION_AT_BYTES) != size) {
        return TMC_FUNCTION_BAD_HEADER;
    }
    const uint8_t *const bytes = image;
    if (!text_fits(bytes + TMC_FUNCTION_AT_NAME, in_name) ||
        !text_fits(bytes + TMC_FUNCTION_AT_VERSION, in_version)) {
        return TMC_FUNCTION_BAD_NAME;
    }
    return relocations_fit(image) ? TMC_FUNCTION_OK : TMC_FUNCTION_BAD_RELOCATION;
}
