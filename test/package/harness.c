/*
 * Model packages from bytes that nobody has looked at: whatever tmc_package_check accepts is run, in memory
 * of exactly the sizes that it has accepted. Without libFuzzer (TMC_VERDICTS): prints the verdicts of
 * packages in a file, each after its size in four bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tmc/package.h"

static const tmc_package_slot slot = {.flash = 1U << 20, .ram = 1U << 20, .work = 1U << 20};

static tmc_package_verdict examine(const uint8_t *data, size_t size, bool *self_test) {
    *self_test = false;
    uint8_t *const package = malloc(size == 0U ? 1U : size);
    memcpy(package, data, size);
    const tmc_package_verdict verdict = tmc_package_check(package, (uint32_t)size, &slot);
    if (verdict.reason == TMC_PACKAGE_OK) {
        const size_t bytes = tmc_package_arena_bytes(package);
        int8_t *const arena = calloc(1U, bytes == 0U ? 1U : bytes);
        const int32_t inputs = tmc_package_input_count(package);
        for (int32_t i = 0; i < inputs; i++) {
            const tmc_package_tensor input = tmc_package_tensor_at(package, arena, i);
            for (int32_t k = 0; k < input.size; k++) {
                input.data[k] = (int8_t)(k * 37);
            }
        }
        tmc_package_run(package, arena);
        *self_test = tmc_package_self_test(package, arena);
        free(arena);
    }
    free(package);
    return verdict;
}

#ifdef TMC_VERDICTS

int main(int argc, char **argv) {
    FILE *const file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        return 1;
    }
    uint8_t head[4];
    while (fread(head, 1U, 4U, file) == 4U) {
        const size_t size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        uint8_t *const data = malloc(size + 1U);
        if (fread(data, 1U, size, file) != size) {
            return 1;
        }
        bool self_test;
        const tmc_package_verdict verdict = examine(data, size, &self_test);
        printf("%d %d %d\n", (int)verdict.reason, (int)verdict.step, self_test ? 1 : 0);
        free(data);
    }
    (void)fclose(file);
    return 0;
}

#else

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bool self_test;
    (void)examine(data, size, &self_test);
    return 0;
}

static uint32_t word_at(const uint8_t *data, size_t at) {
    uint32_t word;
    memcpy(&word, data + at, 4U);
    return word;
}

/* Mostly one word of the program or of the header becomes a number near the old one or near a bound. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed) {
    static const uint32_t bounds[] = {0U,          1U,          2U,          3U,          4U,
                                      8U,          15U,         16U,         127U,        128U,
                                      255U,        65535U,      65536U,      0x3fffffffU, 0x40000000U,
                                      0x7fffffffU, 0x80000000U, 0x80000001U, 0xffffff80U, 0xffffffffU};
    uint32_t random = seed * 2654435761U + 12345U;
    const uint32_t kind = (random >> 28) & 15U;
    if (kind == 0U || size < TMC_PACKAGE_HEADER_BYTES + TMC_PACKAGE_DIGEST_BYTES) {
        return LLVMFuzzerMutate(data, size, most);
    }
    size_t from = 12U;
    size_t words = 12U;
    if (kind > 2U) {
        from = word_at(data, 28U);
        words = word_at(data, 32U);
        if (from % 4U != 0U || words == 0U || from + 4U * words > size) {
            return LLVMFuzzerMutate(data, size, most);
        }
    }
    for (uint32_t changes = 1U + (kind & 1U); changes > 0U; changes--) {
        random = random * 1664525U + 1013904223U;
        const size_t at = from + 4U * ((random >> 8) % words);
        random = random * 1664525U + 1013904223U;
        const uint32_t choice = random >> 16;
        uint32_t word = word_at(data, at);
        if (choice % 3U == 0U) {
            word = bounds[(choice >> 2) % (sizeof bounds / sizeof bounds[0])];
        } else if (choice % 3U == 1U) {
            word += (choice >> 2) % 9U - 4U;
        } else {
            word = (choice >> 2) % 2U == 0U ? word * 2U : word / 2U;
        }
        memcpy(data + at, &word, 4U);
    }
    if (kind != 15U) { /* the work is no secret of the program: let it not hide what comes after it */
        const uint32_t all = slot.work;
        memcpy(data + 56U, &all, 4U);
    }
    return size;
}

#endif
