/*
 * See flash.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "flash.h"

enum { FETCH_WAIT = 5, LOAD_WAIT = 7, INSTRUCTION_LINES = 32, DATA_LINES = 8 };

typedef struct {
    uint32_t tag;
    uint8_t filled; /* one bit for each 8 bytes */
    uint64_t used;
} line;

static line instructions[INSTRUCTION_LINES];
static line data[DATA_LINES];
static uint64_t now;
static uint32_t fetched = UINT32_MAX; /* the 8 bytes that the core has */

/* True when the 8 bytes at `address` had to be read from flash. */
static bool misses(line *lines, int count, uint32_t address) {
    const uint32_t tag = address >> 5;
    const uint8_t part = (uint8_t)(1U << ((address >> 3) & 3U));
    line *oldest = lines;
    now++;
    for (int i = 0; i < count; i++) {
        if (lines[i].filled != 0 && lines[i].tag == tag) {
            const bool missed = (lines[i].filled & part) == 0;
            lines[i].filled |= part;
            lines[i].used = now;
            return missed;
        }
        oldest = lines[i].used < oldest->used ? &lines[i] : oldest;
    }
    *oldest = (line){tag, part, now};
    return true;
}

unsigned flash_fetch(uint32_t address) {
    if (address >> 3 == fetched) {
        return 0;
    }
    fetched = address >> 3;
    return misses(instructions, INSTRUCTION_LINES, address) ? FETCH_WAIT : 0;
}

unsigned flash_load(uint32_t address, unsigned size_shift) {
    const uint32_t last = address + (1U << size_shift) - 1U;
    unsigned lost = misses(data, DATA_LINES, address) ? LOAD_WAIT : 0;
    if (last >> 3 != address >> 3) {
        lost += misses(data, DATA_LINES, last) ? LOAD_WAIT : 0;
    }
    return lost;
}

void flash_jumped(void) {
    fetched = UINT32_MAX;
}
