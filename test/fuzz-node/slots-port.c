/*
 * Fuzzing of the compiled node: what runtime-c/port/common/slots.c asks of a port. The flash of models and
 * functions is an array; it outlives restarts of the node and begins erased in every session. Who signs is
 * not what is looked for: a signature that begins with an S is good.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "session.h"

#include "../../runtime-c/port/common/slots.h"

#include <string.h>

enum { PAGE = 4096, SLOT = 8 * PAGE, UNIT = 8, REGION = 2 * SLOT, KINDS = 2 };

static union {
    uint64_t aligned;
    uint8_t bytes[REGION];
} regions[KINDS];
static bool used[KINDS]; /* written in this session */
static bool owned;
static uint32_t failing; /* so many writes and erases until one fails; 0: none does */

static bool fails(void) {
    return failing > 0 && --failing == 0;
}

static bool read_flash(void *context, uint32_t at, uint8_t *out, uint32_t size) {
    memcpy(out, (const uint8_t *)context + at, size);
    return true;
}

static bool write_flash(void *context, uint32_t at, const uint8_t *bytes, uint32_t size) {
    uint8_t *const region = context;
    used[region != regions[0].bytes] = true;
    if (at % UNIT != 0 || size % UNIT != 0 || at > REGION || size > REGION - at) {
        finding("a write that flash cannot do");
    }
    for (uint32_t i = 0; i < size; i++) {
        region[at + i] &= bytes[i];
    }
    return !fails();
}

static bool erase_flash(void *context, uint32_t at) {
    uint8_t *const region = context;
    used[region != regions[0].bytes] = true;
    if (at % PAGE != 0 || at >= REGION) {
        finding("an erase that flash cannot do");
    }
    memset(region + at, 0xff, PAGE);
    return !fails();
}

#define FLASH(i)                                                                                             \
    {                                                                                                        \
        .context = regions[i].bytes, .page = PAGE, .unit = UNIT, .slot = {0, SLOT}, .slot_bytes = SLOT,      \
        .read = read_flash, .write = write_flash, .erase = erase_flash,                                      \
    }
static const tmc_update_flash flashes[KINDS] = {FLASH(0), FLASH(1)};

void slots_begin(bool with_owner) {
    static bool erased;
    for (int i = 0; i < KINDS; i++) {
        if (used[i] || !erased) {
            memset(regions[i].bytes, 0xff, REGION);
        }
        used[i] = false;
    }
    erased = true;
    owned = with_owner;
    failing = 0;
}

void slots_fail(uint32_t after) {
    failing = after;
}

const tmc_update_flash *tmc_slots_flash(int32_t kind) {
    return &flashes[kind - 1];
}

const uint8_t *tmc_slots_memory(int32_t kind, uint32_t at, uint32_t size) {
    if (at % 4 != 0 || at > REGION || size > REGION - at) {
        finding("content beyond its slot");
    }
    return regions[kind - 1].bytes + at;
}

bool tmc_slots_key(uint8_t key[TMC_SLOTS_KEY_BYTES]) {
    memset(key, 4, TMC_SLOTS_KEY_BYTES);
    return owned;
}

bool tmc_slots_verify(const uint8_t key[TMC_SLOTS_KEY_BYTES], const uint8_t digest[TMC_UPDATE_DIGEST_BYTES],
                      const uint8_t signature[TMC_UPDATE_SIGNATURE_BYTES]) {
    (void)key;
    (void)digest;
    return signature[0] == 'S';
}

void tmc_slots_changed(bool whole) {
    (void)whole;
}
