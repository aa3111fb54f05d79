/*
 * Checks function images and calls those that pass, on the host: the entry is a stand-in that gives back what
 * hostile code could. The file is a list of images, each after its size (4 bytes, little-endian); one line
 * each: the reason, then for those that pass kind, bytes and length of the text of every way to return.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tmc/function.h"

enum { RAM = 8192, OUTPUT = 2048, WAYS = 8 };

static int32_t way;
static const void *entered;

/* Uses all that the image has been promised, then returns in the chosen way. */
int32_t tmc_function_enter(const void *code, uint32_t entry, void *ram, tmc_function_frame *frame) {
    const uint32_t ram_bytes = tmc_function_word(entered, TMC_FUNCTION_AT_RAM_BYTES);
    volatile uint8_t first = ((const uint8_t *)code)[entry];
    (void)first;
    memset(ram, 0xa5, ram_bytes);
    memset(frame->output, 0x5a, (size_t)frame->output_bytes);
    for (int32_t i = 0; i < TMC_FUNCTION_IMPORTS; i++) {
        ((tmc_function_log)frame->imports[i])((const uint8_t *)"log", 3U);
    }
    static const struct {
        int32_t given, kind, length;
        uintptr_t text; /* 1: the image, 2: its last byte, else an address */
    } ways[WAYS] = {{0, 0, 0, 0},           {INT32_MAX, 0, 0, 0},   {-1, 0, 0, 0},
                    {0, 6, 4, 1},           {0, 6, INT32_MAX, 1},   {0, 6, 4, 2},
                    {0, INT32_MIN, 4, 16U}, {0, 99, 4, UINTPTR_MAX}};
    const uint8_t *const image = entered;
    frame->kind = ways[way].kind;
    frame->site = INT32_MIN;
    frame->text = ways[way].text == 1U   ? image
                  : ways[way].text == 2U ? image + tmc_function_word(image, TMC_FUNCTION_AT_BYTES) - 1U
                                         : (const uint8_t *)ways[way].text;
    frame->text_bytes = ways[way].length;
    return ways[way].given;
}

static void log_nothing(const uint8_t *bytes, uint32_t size) {
    (void)bytes;
    (void)size;
}

static void run(const void *image) {
    static uint64_t ram[RAM / 8];
    uint8_t *const output = malloc(OUTPUT);
    const tmc_function_place place = {.image = image, .ram = ram, .stack = 2048, .log = log_nothing};
    static const uint8_t input[4] = {1, 2, 3, 4};
    uint32_t sum = 0;
    entered = image;
    for (way = 0; way < WAYS; way++) {
        tmc_function_result result;
        tmc_function_run(&place, input, 4, output, OUTPUT, &result);
        for (int32_t i = 0; i < result.text_bytes; i++) {
            sum += result.text[i];
        }
        printf(" %d/%d/%d", (int)result.kind, (int)result.bytes, (int)result.text_bytes);
    }
    way = 0;
    tmc_function_result result;
    const tmc_function_reason tested = tmc_function_self_test(&place, output, OUTPUT, &result);
    printf(" %d%s", (int)tested, sum == 1U ? "!" : "");
    free(output);
}

int main(int argc, char **argv) {
    const tmc_function_limits limits = {.machine = TMC_FUNCTION_CORTEX_M4F,
                                        .flash = 16384,
                                        .ram = RAM,
                                        .stack = 2048,
                                        .input = 8192,
                                        .output = OUTPUT};
    FILE *const file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        return 1;
    }
    uint8_t head[4];
    while (fread(head, 1, sizeof head, file) == sizeof head) {
        const uint32_t size = head[0] | (uint32_t)head[1] << 8U | (uint32_t)head[2] << 16U;
        uint8_t *const image =
            malloc(size == 0U ? 1U : size); /* of its size: sanitizers see what is beyond */
        if (image == NULL || fread(image, 1, size, file) != size) {
            return 1;
        }
        const tmc_function_reason reason = tmc_function_check(image, size, &limits);
        printf("%d", (int)reason);
        if (reason == TMC_FUNCTION_OK) {
            run(image);
        }
        printf("\n");
        free(image);
    }
    fclose(file);
    return 0;
}
