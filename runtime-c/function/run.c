/*
 * Calls a function image that has been checked: makes its RAM, enters it, and believes nothing of what comes
 * back. It cannot stop a function that does not return (the node's watchdog does), nor keep it from writing
 * elsewhere.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>
#include <string.h>

#include "tmc/function.h"
#include "tmc/tmc.h"

static void no_log(const uint8_t *bytes, uint32_t size) {
    (void)bytes;
    (void)size;
}

/* What RAM is at the start of every call. */
static void make_ram(const uint8_t *image, uint8_t *ram) {
    const uint32_t data_bytes = tmc_function_word(image, TMC_FUNCTION_AT_DATA_BYTES);
    const uint32_t ram_bytes = tmc_function_word(image, TMC_FUNCTION_AT_RAM_BYTES);
    const uint32_t count = tmc_function_word(image, TMC_FUNCTION_AT_RELOCATION_COUNT);
    const uint32_t list = tmc_function_word(image, TMC_FUNCTION_AT_RELOCATIONS);
    const uint32_t code = tmc_function_word(image, TMC_FUNCTION_AT_CODE);
    memcpy(ram, image + tmc_function_word(image, TMC_FUNCTION_AT_DATA), data_bytes);
    memset(ram + data_bytes, 0, ram_bytes - data_bytes);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t relocation = tmc_function_word(image, list + 4U * i);
        uint32_t *const word = (uint32_t *)(void *)(ram + (relocation & ~1U));
        const uintptr_t base = (relocation & 1U) != 0U ? (uintptr_t)ram : (uintptr_t)(image + code);
        *word += (uint32_t)base; /* addresses have 32 bits where images run */
    }
}

/* Is the text where texts of this image can be? */
static bool owns(const tmc_function_place *place, const uint8_t *text, uint32_t bytes) {
    const uintptr_t at = (uintptr_t)text;
    const uintptr_t image = (uintptr_t)place->image;
    const uintptr_t ram = (uintptr_t)place->ram;
    const uint32_t image_bytes = tmc_function_word(place->image, TMC_FUNCTION_AT_BYTES);
    const uint32_t ram_bytes = tmc_function_word(place->image, TMC_FUNCTION_AT_RAM_BYTES);
    return (at >= image && at - image <= image_bytes && bytes <= image_bytes - (at - image)) ||
           (at >= ram && at - ram <= ram_bytes && bytes <= ram_bytes - (at - ram));
}

void tmc_function_run(const tmc_function_place *place, const uint8_t *input, int32_t input_bytes,
                      uint8_t *output, int32_t output_room, tmc_function_result *result) {
    const uint8_t *const image = place->image;
    const int32_t most = (int32_t)tmc_function_word(image, TMC_FUNCTION_AT_OUTPUT);
    *result = (tmc_function_result){0, 0, 0, NULL, 0};
    if (tmc_function_word(image, TMC_FUNCTION_AT_STACK) > place->stack) {
        result->kind = TMC_TRAP_STACK;
        return;
    }
    if (most > output_room) {
        result->kind = TMC_TRAP_CAPACITY;
        return;
    }
    const bool logs =
        (tmc_function_word(image, TMC_FUNCTION_AT_IMPORTS) & 1U << TMC_FUNCTION_IMPORT_LOG) != 0U;
    const tmc_function_import imports[TMC_FUNCTION_IMPORTS] = {
        (tmc_function_import)(logs && place->log != NULL ? place->log : no_log)};
    make_ram(image, place->ram);
    memset(output, 0, (size_t)most);
    tmc_function_frame frame = {.input = input,
                                .input_bytes = input_bytes,
                                .output = output,
                                .output_bytes = most,
                                .imports = imports};
    const int32_t given =
        tmc_function_enter(image + tmc_function_word(image, TMC_FUNCTION_AT_CODE),
                           tmc_function_word(image, TMC_FUNCTION_AT_ENTRY), place->ram, &frame);
    if (frame.kind != 0) {
        const bool known = frame.kind > 0 && frame.kind <= (int32_t)TMC_TRAP_ASSERT;
        result->kind = known ? frame.kind : (int32_t)TMC_TRAP_ASSERT;
        result->site = frame.site;
        if (frame.text != NULL && frame.text_bytes > 0) {
            const int32_t bytes =
                frame.text_bytes < TMC_FUNCTION_TEXT_MOST ? frame.text_bytes : TMC_FUNCTION_TEXT_MOST;
            if (owns(place, frame.text, (uint32_t)bytes)) {
                result->text = frame.text;
                result->text_bytes = bytes;
            }
        }
    } else if (given < 0 || given > most) {
        result->kind = TMC_TRAP_CAPACITY;
    } else {
        result->bytes = given;
    }
}

tmc_function_reason tmc_function_self_test(const tmc_function_place *place, uint8_t *output,
                                           int32_t output_room, tmc_function_result *result) {
    const uint8_t *const golden =
        (const uint8_t *)place->image + tmc_function_word(place->image, TMC_FUNCTION_AT_GOLDEN);
    const uint32_t input = tmc_function_word(place->image, TMC_FUNCTION_AT_GOLDEN_INPUT);
    const uint32_t expected = tmc_function_word(place->image, TMC_FUNCTION_AT_GOLDEN_OUTPUT);
    tmc_function_run(place, golden, (int32_t)input, output, output_room, result);
    const bool equal = result->kind == 0 && result->bytes == (int32_t)expected &&
                       memcmp(output, golden + input, expected) == 0;
    return equal ? TMC_FUNCTION_OK : TMC_FUNCTION_BAD_SELF_TEST;
}
