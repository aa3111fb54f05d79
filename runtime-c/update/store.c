/*
 * What runs: the decision at a start, and trial, confirmation, rejection, removal. Receiving is in receive.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "slots.h"

bool tmc_update_init(tmc_update *u, const tmc_update_flash *flash, const tmc_update_options *options) {
    memset(u, 0, sizeof *u);
    u->flash = flash;
    u->options = options;
    u->active = -1;
    u->target = -1;
    return tmc_update_room(flash) > 0U && options->attempts >= 1U &&
           options->attempts <= TMC_UPDATE_ATTEMPTS_MAX;
}

/* Whether all of the version is there, signed, and may still run. */
static bool is_whole(const tmc_update *u, int32_t slot) {
    uint8_t header[TMC_UPDATE_HEADER_BYTES];
    return u->slots[slot].counter >= update_floor(u) && tmc_update_header(u, slot, header) &&
           update_number(header + TMC_UPDATE_AT_KIND) == u->options->kind &&
           update_signature_right(u, header) && update_digest_right(u, slot, header);
}

/* Takes an attempt of a version on trial; false when it has none left, and then it has failed. */
static bool take_attempt(tmc_update *u, int32_t slot) {
    tmc_update_slot *const s = &u->slots[slot];
    for (uint32_t i = 0; s->attempts < u->options->attempts && i < TMC_UPDATE_ATTEMPTS_MAX; i++) {
        if (!update_is_set(u, slot, MARK_ATTEMPT + i)) {
            s->attempts++;
            return update_set(u, slot, MARK_ATTEMPT + i);
        }
    }
    s->failed = true;
    s->lapsed = true;
    (void)update_set_copy(u, slot, MARK_FAILED);
    return false;
}

int32_t tmc_update_boot(tmc_update *u) {
    u->target = -1;
    u->active = -1;
    u->on_trial = false;
    update_load(u);
    update_make_last(u, 0);
    update_make_last(u, 1);
    const int32_t anchor = update_anchor(u);
    for (int32_t i = 0; i < 2; i++) {
        const tmc_update_slot *const s = &u->slots[i];
        const bool newer = anchor < 0 || s->sequence > u->slots[anchor].sequence;
        if (s->known && s->trial && !s->confirmed && !s->failed && newer && take_attempt(u, i) &&
            is_whole(u, i)) {
            u->active = i;
            u->on_trial = true;
            return i;
        }
    }
    if (anchor < 0 || u->slots[anchor].removed) {
        return -1;
    }
    if (is_whole(u, anchor)) {
        u->active = anchor;
    } else if (u->slots[1 - anchor].known && u->slots[1 - anchor].confirmed && is_whole(u, 1 - anchor)) {
        u->active = 1 - anchor; /* the flash has lost bits of the newer one */
    }
    return u->active;
}

tmc_update_result tmc_update_try(tmc_update *u) {
    if (u->target < 0 || !u->slots[u->target].complete) {
        return TMC_UPDATE_WRONG_STATE;
    }
    if (!u->slots[u->target].trial && !update_set(u, u->target, MARK_TRIAL)) {
        return TMC_UPDATE_FLASH_FAILED;
    }
    u->slots[u->target].trial = true;
    u->target = -1;
    return TMC_UPDATE_OK;
}

tmc_update_result tmc_update_confirm(tmc_update *u) {
    if (u->active < 0 || !u->on_trial) {
        return TMC_UPDATE_WRONG_STATE;
    }
    if (!update_set_copy(u, u->active, MARK_CONFIRMED)) {
        return TMC_UPDATE_FLASH_FAILED;
    }
    u->slots[u->active].confirmed = true;
    u->on_trial = false;
    return TMC_UPDATE_OK;
}

tmc_update_result tmc_update_reject(tmc_update *u) {
    if (u->active < 0 || !u->on_trial) {
        return TMC_UPDATE_WRONG_STATE;
    }
    const int32_t slot = u->active;
    u->slots[slot].failed = true;
    u->active = -1;
    u->on_trial = false;
    return update_set_copy(u, slot, MARK_FAILED) ? TMC_UPDATE_OK : TMC_UPDATE_FLASH_FAILED;
}

tmc_update_result tmc_update_remove(tmc_update *u) {
    if (u->active < 0 || u->on_trial) {
        return TMC_UPDATE_WRONG_STATE;
    }
    /* The newest confirmed one is what the next start looks at; the running one is another only after bits
     * were lost. */
    const int32_t slot = update_anchor(u);
    if (!update_set_copy(u, slot, MARK_REMOVED)) {
        return TMC_UPDATE_FLASH_FAILED;
    }
    u->slots[slot].removed = true;
    u->active = -1;
    return TMC_UPDATE_OK;
}
