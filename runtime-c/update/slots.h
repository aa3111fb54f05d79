/*
 * Internal to the update store: what is where in a slot, and marks. A slot is a head (header, then marks,
 * each in a unit of its own) and, from the next page on, its content.
 *
 * A mark is set when its unit is not blank: it is written after all that it attests, so a torn one may count
 * either way. What somebody may act upon must not read otherwise later: it has copies.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_UPDATE_SLOTS_H
#define TMC_UPDATE_SLOTS_H

#include "tmc/update.h"

/* Local to the node, after the header: the sequence number, and a CRC of all before it. */
enum {
    AT_SEQUENCE = TMC_UPDATE_HEADER_BYTES,
    AT_CRC = AT_SEQUENCE + 4,
    RECORD_BYTES = AT_CRC + 4,
    AT_MARKS = 224 /* a multiple of every unit */
};

enum {
    MARK_BEGUN,
    MARK_COMPLETE,
    MARK_TRIAL,
    MARK_CONFIRMED, /* this and the next two have copies */
    COPIES = 3,
    MARK_FAILED = MARK_CONFIRMED + COPIES,
    MARK_REMOVED = MARK_FAILED + COPIES,
    MARK_ATTEMPT = MARK_REMOVED + COPIES,
    MARK_PAGE = MARK_ATTEMPT + TMC_UPDATE_ATTEMPTS_MAX /* one for each page of content */
};

uint32_t update_number(const uint8_t *bytes);
void update_put_number(uint8_t *bytes, uint32_t value);
uint32_t update_crc(const uint8_t *bytes, uint32_t size);

uint32_t update_head_bytes(const tmc_update_flash *flash);
bool update_is_set(const tmc_update *u, int32_t slot, uint32_t mark);
bool update_set(tmc_update *u, int32_t slot, uint32_t mark);
/* Writes a copy of a mark, in a blank unit while there is one: after it the mark is set for good. */
bool update_set_copy(tmc_update *u, int32_t slot, uint32_t first);
/* One more copy of what reads as set, until all are written: it may be a torn one that reads otherwise
 * tomorrow. */
void update_make_last(tmc_update *u, int32_t slot);

void update_load(tmc_update *u);
/* The newest slot that was confirmed; -1: none. */
int32_t update_anchor(const tmc_update *u);
/* No version with a lower counter may run or begin. */
uint32_t update_floor(const tmc_update *u);
bool update_signature_right(const tmc_update *u, const uint8_t *header);
bool update_digest_right(const tmc_update *u, int32_t slot, const uint8_t *header);

#endif
