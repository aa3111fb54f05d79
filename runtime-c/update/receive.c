/*
 * Receiving a version: header first, then the content in order, page by page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "slots.h"

/* A character of names and versions. Both go into text on the bus: nothing else may stand there. */
static bool is_text(uint8_t c) {
    return (c >= (uint8_t)'0' && c <= (uint8_t)'9') || (c >= (uint8_t)'A' && c <= (uint8_t)'Z') ||
           (c >= (uint8_t)'a' && c <= (uint8_t)'z') || c == (uint8_t)'.' || c == (uint8_t)'+' ||
           c == (uint8_t)'_' || c == (uint8_t)'-';
}

/* 1 to 31 characters, then zeros to the end. */
static bool is_label(const uint8_t *label) {
    uint32_t n = 0;
    while (n < TMC_UPDATE_NAME_BYTES && is_text(label[n])) {
        n++;
    }
    if (n == 0U || n == TMC_UPDATE_NAME_BYTES) {
        return false;
    }
    while (n < TMC_UPDATE_NAME_BYTES && label[n] == 0U) {
        n++;
    }
    return n == TMC_UPDATE_NAME_BYTES;
}

static tmc_update_result check_header(const tmc_update *u, const uint8_t *header) {
    const uint32_t size = update_number(header + TMC_UPDATE_AT_SIZE);
    if (update_number(header + TMC_UPDATE_AT_MAGIC) != TMC_UPDATE_MAGIC ||
        update_number(header + TMC_UPDATE_AT_FORMAT) != TMC_UPDATE_FORMAT ||
        update_number(header + TMC_UPDATE_AT_KIND) != u->options->kind || size == 0U ||
        !is_label(header + TMC_UPDATE_AT_NAME) || !is_label(header + TMC_UPDATE_AT_VERSION)) {
        return TMC_UPDATE_BAD_HEADER;
    }
    for (uint32_t i = TMC_UPDATE_AT_ZERO; i < TMC_UPDATE_SIGNED_BYTES; i++) {
        if (header[i] != 0U) {
            return TMC_UPDATE_BAD_HEADER;
        }
    }
    if (size > tmc_update_room(u->flash)) {
        return TMC_UPDATE_NO_SPACE;
    }
    if (update_number(header + TMC_UPDATE_AT_COUNTER) < update_floor(u)) {
        return TMC_UPDATE_ROLLBACK;
    }
    return update_signature_right(u, header) ? TMC_UPDATE_OK : TMC_UPDATE_BAD_SIGNATURE;
}

static bool holds(const tmc_update *u, int32_t slot, const uint8_t *header) {
    uint8_t other[TMC_UPDATE_HEADER_BYTES];
    return slot >= 0 && tmc_update_header(u, slot, other) && memcmp(other, header, sizeof other) == 0;
}

/* Pages of the content that are there, from the first on. */
static uint32_t pages_there(const tmc_update *u, int32_t slot) {
    const uint32_t pages = (u->slots[slot].size + u->flash->page - 1U) / u->flash->page;
    uint32_t there = 0;
    while (there < pages && update_is_set(u, slot, MARK_PAGE + there)) {
        there++;
    }
    return there;
}

/* The page with the header goes first: what is left of an interrupted erase has none. */
static bool clear_head(tmc_update *u, int32_t slot) {
    u->slots[slot] = (tmc_update_slot){.known = false};
    const uint32_t start = u->flash->slot[slot];
    const uint32_t bytes = update_head_bytes(u->flash);
    for (uint32_t at = 0; at < bytes; at += u->flash->page) {
        if (!u->flash->erase(u->flash->context, start + at)) {
            return false;
        }
    }
    return true;
}

static bool write_head(tmc_update *u, int32_t slot, const uint8_t *header) {
    const tmc_update_slot *const other = &u->slots[1 - slot];
    uint8_t record[AT_MARKS];
    memset(record, 0xff, sizeof record);
    memcpy(record, header, TMC_UPDATE_HEADER_BYTES);
    const uint32_t sequence = other->known ? other->sequence + 1U : 1U;
    update_put_number(record + AT_SEQUENCE, sequence);
    update_put_number(record + AT_CRC, update_crc(record, AT_CRC));
    const uint32_t unit = u->flash->unit;
    const uint32_t bytes = (RECORD_BYTES + unit - 1U) / unit * unit;
    if (!u->flash->write(u->flash->context, u->flash->slot[slot], record, bytes) ||
        !update_set(u, slot, MARK_BEGUN)) {
        return false;
    }
    u->slots[slot] = (tmc_update_slot){.known = true,
                                       .begun = true,
                                       .sequence = sequence,
                                       .counter = update_number(header + TMC_UPDATE_AT_COUNTER),
                                       .size = update_number(header + TMC_UPDATE_AT_SIZE)};
    return true;
}

tmc_update_result tmc_update_begin(tmc_update *u, const uint8_t header[TMC_UPDATE_HEADER_BYTES],
                                   uint32_t *offset) {
    *offset = 0;
    u->target = -1;
    const tmc_update_result checked = check_header(u, header);
    if (checked != TMC_UPDATE_OK) {
        return checked;
    }
    const uint32_t size = update_number(header + TMC_UPDATE_AT_SIZE);
    if (holds(u, u->active, header)) {
        *offset = size;
        return TMC_UPDATE_THERE;
    }
    if (u->on_trial) {
        return TMC_UPDATE_WRONG_STATE;
    }
    const int32_t anchor = update_anchor(u);
    const int32_t kept = u->active >= 0 ? u->active : anchor;
    const int32_t slot = kept >= 0 ? 1 - kept : holds(u, 1, header) ? 1 : 0;
    tmc_update_slot *const s = &u->slots[slot];
    if (s->lapsed && holds(u, slot, header)) {
        s->lapsed = false;
        return TMC_UPDATE_LAPSED;
    }
    const bool newer = anchor < 0 || s->sequence > u->slots[anchor].sequence;
    if (holds(u, slot, header) && s->begun && !s->failed && !s->confirmed && newer) {
        const uint32_t there = pages_there(u, slot) * u->flash->page;
        u->received = there < size ? there : size;
    } else {
        /* From here on there is only one version: that it is confirmed must be beyond doubt. */
        if (kept >= 0 && !update_set_copy(u, kept, MARK_CONFIRMED)) {
            return TMC_UPDATE_FLASH_FAILED;
        }
        if (!clear_head(u, slot) || !write_head(u, slot, header)) {
            return TMC_UPDATE_FLASH_FAILED;
        }
        u->received = 0;
    }
    u->pending = 0;
    u->target = slot;
    *offset = u->received;
    return TMC_UPDATE_OK;
}

/* Takes up to `size` bytes, at most to the end of the page; returns how many, 0 when the flash failed. */
static uint32_t take_bytes(tmc_update *u, const uint8_t *bytes, uint32_t size) {
    const tmc_update_flash *const f = u->flash;
    const uint32_t content = tmc_update_content(f, u->target);
    const uint32_t total = u->slots[u->target].size;
    if (u->received % f->page == 0U && !f->erase(f->context, content + u->received)) {
        return 0;
    }
    const uint32_t in_page = f->page - u->received % f->page;
    uint32_t n = size < in_page ? size : in_page;
    bool written = true;
    if (u->pending == 0U && n >= f->unit) {
        n -= n % f->unit;
        written = f->write(f->context, content + u->received, bytes, n);
        u->received += n;
    } else {
        const uint32_t room = f->unit - u->pending;
        n = n < room ? n : room;
        memcpy(u->unit + u->pending, bytes, n);
        u->pending += n;
        u->received += n;
        if (u->pending == f->unit || u->received == total) {
            memset(u->unit + u->pending, 0xff, f->unit - u->pending);
            written = f->write(f->context, content + u->received - u->pending, u->unit, f->unit);
            u->pending = 0;
        }
    }
    if (written && (u->received % f->page == 0U || u->received == total)) {
        written = update_set(u, u->target, MARK_PAGE + (u->received - 1U) / f->page);
    }
    return written ? n : 0U;
}

tmc_update_result tmc_update_write(tmc_update *u, uint32_t offset, const uint8_t *bytes, uint32_t size) {
    if (u->target < 0) {
        return TMC_UPDATE_WRONG_STATE;
    }
    if (offset != u->received || size > u->slots[u->target].size - u->received) {
        return TMC_UPDATE_GAP;
    }
    while (size > 0U) {
        const uint32_t n = take_bytes(u, bytes, size);
        if (n == 0U) {
            u->target = -1;
            return TMC_UPDATE_FLASH_FAILED;
        }
        bytes += n;
        size -= n;
    }
    return TMC_UPDATE_OK;
}

tmc_update_result tmc_update_finish(tmc_update *u) {
    uint8_t header[TMC_UPDATE_HEADER_BYTES];
    if (u->target < 0 || u->received != u->slots[u->target].size) {
        return TMC_UPDATE_WRONG_STATE;
    }
    const int32_t slot = u->target;
    if (!tmc_update_header(u, slot, header)) {
        u->target = -1;
        return TMC_UPDATE_FLASH_FAILED;
    }
    if (!update_digest_right(u, slot, header)) {
        u->target = -1;
        u->slots[slot].failed = true;
        return update_set_copy(u, slot, MARK_FAILED) ? TMC_UPDATE_BAD_DIGEST : TMC_UPDATE_FLASH_FAILED;
    }
    if (!u->slots[slot].complete && !update_set(u, slot, MARK_COMPLETE)) {
        u->target = -1;
        return TMC_UPDATE_FLASH_FAILED;
    }
    u->slots[slot].complete = true;
    return TMC_UPDATE_OK;
}
