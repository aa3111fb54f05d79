/*
 * Reading slots: headers, marks, signatures and digests; and writing marks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "slots.h"

#include <string.h>

#include "sha256.h"

uint32_t update_number(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8U | (uint32_t)bytes[2] << 16U | (uint32_t)bytes[3] << 24U;
}

void update_put_number(uint8_t *bytes, uint32_t value) {
    for (uint32_t i = 0; i < 4U; i++) {
        bytes[i] = (uint8_t)(value >> (8U * i));
    }
}

uint32_t update_crc(const uint8_t *bytes, uint32_t size) {
    uint32_t c = 0xffffffffU;
    for (uint32_t i = 0; i < size; i++) {
        c ^= bytes[i];
        for (uint32_t bit = 0; bit < 8U; bit++) {
            c = (c & 1U) != 0U ? 0xedb88320U ^ c >> 1U : c >> 1U;
        }
    }
    return ~c;
}

/* ---- geometry ---------------------------------------------------------------------------------------------
 */

uint32_t update_head_bytes(const tmc_update_flash *flash) {
    const uint32_t marks = MARK_PAGE + flash->slot_bytes / flash->page;
    const uint32_t bytes = AT_MARKS + marks * flash->unit;
    return (bytes + flash->page - 1U) / flash->page * flash->page;
}

uint32_t tmc_update_room(const tmc_update_flash *flash) {
    const uint32_t unit = flash->unit;
    const uint32_t page = flash->page;
    if (unit == 0U || unit > TMC_UPDATE_UNIT_MAX || (unit & (unit - 1U)) != 0U || page == 0U ||
        page % unit != 0U || flash->slot_bytes % page != 0U || flash->slot[0] % page != 0U ||
        flash->slot[1] % page != 0U || flash->slot_bytes > (1U << 30U)) {
        return 0;
    }
    const uint32_t head = update_head_bytes(flash);
    return head < flash->slot_bytes ? flash->slot_bytes - head : 0U;
}

uint32_t tmc_update_content(const tmc_update_flash *flash, int32_t slot) {
    return flash->slot[slot] + update_head_bytes(flash);
}

/* ---- marks
 * -------------------------------------------------------------------------------------------------- */

static uint32_t mark_at(const tmc_update *u, int32_t slot, uint32_t mark) {
    return u->flash->slot[slot] + AT_MARKS + mark * u->flash->unit;
}

bool update_is_set(const tmc_update *u, int32_t slot, uint32_t mark) {
    uint8_t bytes[TMC_UPDATE_UNIT_MAX];
    if (!u->flash->read(u->flash->context, mark_at(u, slot, mark), bytes, u->flash->unit)) {
        return true;
    }
    for (uint32_t i = 0; i < u->flash->unit; i++) {
        if (bytes[i] != 0xffU) {
            return true;
        }
    }
    return false;
}

bool update_set(tmc_update *u, int32_t slot, uint32_t mark) {
    static const uint8_t zeros[TMC_UPDATE_UNIT_MAX] = {0};
    return u->flash->write(u->flash->context, mark_at(u, slot, mark), zeros, u->flash->unit);
}

static uint32_t blank_copy(const tmc_update *u, int32_t slot, uint32_t first) {
    uint32_t i = 0;
    while (i < COPIES && update_is_set(u, slot, first + i)) {
        i++;
    }
    return i;
}

bool update_set_copy(tmc_update *u, int32_t slot, uint32_t first) {
    const uint32_t blank = blank_copy(u, slot, first);
    return update_set(u, slot, first + (blank < COPIES ? blank : COPIES - 1U));
}

static void make_last(tmc_update *u, int32_t slot, uint32_t first) {
    const uint32_t blank = blank_copy(u, slot, first);
    if (blank < COPIES) {
        (void)update_set(u, slot, first + blank);
    }
}

void update_make_last(tmc_update *u, int32_t slot) {
    const tmc_update_slot *const s = &u->slots[slot];
    if (s->known && s->confirmed) {
        make_last(u, slot, MARK_CONFIRMED);
    }
    if (s->known && s->failed) {
        make_last(u, slot, MARK_FAILED);
    }
    if (s->known && s->removed) {
        make_last(u, slot, MARK_REMOVED);
    }
}

static bool has_copy(const tmc_update *u, int32_t slot, uint32_t first) {
    bool set = false;
    for (uint32_t i = 0; i < COPIES; i++) {
        set = update_is_set(u, slot, first + i) || set;
    }
    return set;
}

/* ---- slots
 * -------------------------------------------------------------------------------------------------- */

static tmc_update_slot load_slot(const tmc_update *u, int32_t slot) {
    uint8_t record[RECORD_BYTES];
    tmc_update_slot s = {.known = false};
    if (!u->flash->read(u->flash->context, u->flash->slot[slot], record, sizeof record) ||
        update_number(record + TMC_UPDATE_AT_MAGIC) != TMC_UPDATE_MAGIC ||
        update_number(record + AT_CRC) != update_crc(record, AT_CRC) ||
        update_number(record + TMC_UPDATE_AT_SIZE) > tmc_update_room(u->flash)) {
        return s;
    }
    s.known = true;
    s.size = update_number(record + TMC_UPDATE_AT_SIZE);
    s.counter = update_number(record + TMC_UPDATE_AT_COUNTER);
    s.sequence = update_number(record + AT_SEQUENCE);
    s.begun = update_is_set(u, slot, MARK_BEGUN);
    s.complete = update_is_set(u, slot, MARK_COMPLETE);
    s.trial = update_is_set(u, slot, MARK_TRIAL);
    s.confirmed = has_copy(u, slot, MARK_CONFIRMED);
    s.failed = has_copy(u, slot, MARK_FAILED);
    s.removed = has_copy(u, slot, MARK_REMOVED);
    /* A failed version was never confirmed: of a torn confirmation nobody was told. */
    s.confirmed = s.confirmed && !s.failed;
    for (uint32_t i = 0; i < TMC_UPDATE_ATTEMPTS_MAX; i++) {
        s.attempts += update_is_set(u, slot, MARK_ATTEMPT + i) ? 1U : 0U;
    }
    return s;
}

void update_load(tmc_update *u) {
    u->slots[0] = load_slot(u, 0);
    u->slots[1] = load_slot(u, 1);
}

int32_t update_anchor(const tmc_update *u) {
    int32_t best = -1;
    for (int32_t i = 0; i < 2; i++) {
        const tmc_update_slot *const s = &u->slots[i];
        if (s->known && s->confirmed && (best < 0 || s->sequence > u->slots[best].sequence)) {
            best = i;
        }
    }
    return best;
}

uint32_t update_floor(const tmc_update *u) {
    uint32_t floor = u->options->minimum;
    for (int32_t i = 0; i < 2; i++) {
        const tmc_update_slot *const s = &u->slots[i];
        if (s->known && s->confirmed && s->counter > floor) {
            floor = s->counter;
        }
    }
    return floor;
}

bool tmc_update_header(const tmc_update *u, int32_t slot, uint8_t out[TMC_UPDATE_HEADER_BYTES]) {
    return u->slots[slot].known &&
           u->flash->read(u->flash->context, u->flash->slot[slot], out, TMC_UPDATE_HEADER_BYTES);
}

bool update_signature_right(const tmc_update *u, const uint8_t *header) {
    tmc_sha256 hash;
    uint8_t digest[TMC_UPDATE_DIGEST_BYTES];
    tmc_sha256_begin(&hash);
    tmc_sha256_add(&hash, header, TMC_UPDATE_SIGNED_BYTES);
    tmc_sha256_end(&hash, digest);
    return u->options->verify(u->options->context, digest, header + TMC_UPDATE_AT_SIGNATURE);
}

bool update_digest_right(const tmc_update *u, int32_t slot, const uint8_t *header) {
    tmc_sha256 hash;
    uint8_t bytes[256];
    uint32_t at = tmc_update_content(u->flash, slot);
    uint32_t left = update_number(header + TMC_UPDATE_AT_SIZE);
    tmc_sha256_begin(&hash);
    while (left > 0U) {
        const uint32_t n = left < sizeof bytes ? left : (uint32_t)sizeof bytes;
        if (!u->flash->read(u->flash->context, at, bytes, n)) {
            return false;
        }
        tmc_sha256_add(&hash, bytes, n);
        at += n;
        left -= n;
    }
    uint8_t digest[TMC_UPDATE_DIGEST_BYTES];
    tmc_sha256_end(&hash, digest);
    return memcmp(digest, header + TMC_UPDATE_AT_DIGEST, sizeof digest) == 0;
}
