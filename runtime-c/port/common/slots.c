/*
 * The slots of tmc/port.h: models and functions in the update store, firmware where the port keeps it. It
 * knows neither flash nor cryptography; the port gives them (slots.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "slots.h"

static struct {
    bool open; /* tmc_port_slot_boot was called */
    tmc_update store;
} kept[2]; /* models, functions */

bool tmc_slots_signed(const uint8_t digest[TMC_UPDATE_DIGEST_BYTES],
                      const uint8_t signature[TMC_UPDATE_SIGNATURE_BYTES]) {
    uint8_t key[TMC_SLOTS_KEY_BYTES];
    return tmc_slots_key(key) && tmc_slots_verify(key, digest, signature);
}

static bool verify(void *context, const uint8_t digest[TMC_UPDATE_DIGEST_BYTES],
                   const uint8_t signature[TMC_UPDATE_SIGNATURE_BYTES]) {
    (void)context;
    return tmc_slots_signed(digest, signature);
}

static const tmc_update_options options[2] = {
    {.kind = TMC_SLOT_MODEL, .attempts = TMC_SLOTS_ATTEMPTS, .verify = verify},
    {.kind = TMC_SLOT_FUNCTION, .attempts = TMC_SLOTS_ATTEMPTS, .verify = verify},
};

/* The store of a kind after its first boot; NULL: none. */
static tmc_update *store_of(int32_t kind) {
    const bool known = kind == TMC_SLOT_MODEL || kind == TMC_SLOT_FUNCTION;
    return known && kept[kind - 1].open ? &kept[kind - 1].store : NULL;
}

static int32_t ended(tmc_update_result result, bool whole) {
    tmc_slots_changed(whole);
    return -(int32_t)result;
}

int32_t tmc_port_slot_room(int32_t kind) {
    if (kind == TMC_SLOT_FIRMWARE) {
        return tmc_image_room();
    }
    const tmc_update *const u = store_of(kind);
    return u == NULL ? -TMC_SLOT_ABSENT : (int32_t)tmc_update_room(u->flash);
}

int32_t tmc_port_slot_boot(int32_t kind) {
    if (kind == TMC_SLOT_FIRMWARE) {
        return tmc_image_boot();
    }
    if (kind != TMC_SLOT_MODEL && kind != TMC_SLOT_FUNCTION) {
        return -TMC_SLOT_ABSENT;
    }
    tmc_update *const u = &kept[kind - 1].store;
    if (!kept[kind - 1].open) {
        const tmc_update_flash *const flash = tmc_slots_flash(kind);
        if (flash == NULL || !tmc_update_init(u, flash, &options[kind - 1])) {
            return -TMC_SLOT_ABSENT;
        }
        kept[kind - 1].open = true;
    }
    const int32_t slot = tmc_update_boot(u);
    tmc_slots_changed(true);
    return slot < 0 ? TMC_SLOT_EMPTY : u->on_trial ? TMC_SLOT_ON_TRIAL : TMC_SLOT_CONFIRMED;
}

int32_t tmc_port_slot_begin(int32_t kind, tmc_arr_u8 header) {
    uint8_t key[TMC_SLOTS_KEY_BYTES];
    tmc_update *const u = store_of(kind);
    if (u == NULL && kind != TMC_SLOT_FIRMWARE) {
        return -TMC_SLOT_ABSENT;
    }
    if (header.len != TMC_UPDATE_HEADER_BYTES) {
        return -(int32_t)TMC_UPDATE_BAD_HEADER;
    }
    if (!tmc_slots_key(key)) {
        return -TMC_SLOT_NO_KEY;
    }
    if (kind == TMC_SLOT_FIRMWARE) {
        return tmc_image_begin(header.ptr);
    }
    uint32_t offset = 0;
    const tmc_update_result result = tmc_update_begin(u, header.ptr, &offset);
    tmc_slots_changed(true);
    return result == TMC_UPDATE_OK ? (int32_t)offset : -(int32_t)result;
}

int32_t tmc_port_slot_write(int32_t kind, int32_t offset, tmc_arr_u8 bytes) {
    if (offset < 0 || bytes.len < 0) {
        return -(int32_t)TMC_UPDATE_GAP;
    }
    if (kind == TMC_SLOT_FIRMWARE) {
        return tmc_image_write((uint32_t)offset, bytes.ptr, (uint32_t)bytes.len);
    }
    tmc_update *const u = store_of(kind);
    return u == NULL ? -TMC_SLOT_ABSENT
                     : ended(tmc_update_write(u, (uint32_t)offset, bytes.ptr, (uint32_t)bytes.len), false);
}

int32_t tmc_port_slot_finish(int32_t kind) {
    if (kind == TMC_SLOT_FIRMWARE) {
        return tmc_image_finish();
    }
    tmc_update *const u = store_of(kind);
    return u == NULL ? -TMC_SLOT_ABSENT : ended(tmc_update_finish(u), true);
}

int32_t tmc_port_slot_try(int32_t kind) {
    if (kind == TMC_SLOT_FIRMWARE) {
        return tmc_image_try();
    }
    tmc_update *const u = store_of(kind);
    return u == NULL ? -TMC_SLOT_ABSENT : ended(tmc_update_try(u), true);
}

int32_t tmc_port_slot_confirm(int32_t kind) {
    if (kind == TMC_SLOT_FIRMWARE) {
        return tmc_image_confirm();
    }
    tmc_update *const u = store_of(kind);
    return u == NULL ? -TMC_SLOT_ABSENT : ended(tmc_update_confirm(u), true);
}

int32_t tmc_port_slot_reject(int32_t kind) {
    if (kind == TMC_SLOT_FIRMWARE) {
        return tmc_image_reject();
    }
    tmc_update *const u = store_of(kind);
    return u == NULL ? -TMC_SLOT_ABSENT : ended(tmc_update_reject(u), true);
}

int32_t tmc_port_slot_remove(int32_t kind) {
    tmc_update *const u = store_of(kind);
    return u == NULL ? -TMC_SLOT_ABSENT : ended(tmc_update_remove(u), true);
}

int32_t tmc_port_slot_header(int32_t kind, tmc_arr_u8 out) {
    if (out.len < TMC_UPDATE_HEADER_BYTES) {
        return 0;
    }
    if (kind == TMC_SLOT_FIRMWARE) {
        return tmc_image_header(out.ptr);
    }
    const tmc_update *const u = store_of(kind);
    return u != NULL && u->active >= 0 && tmc_update_header(u, u->active, out.ptr) ? TMC_UPDATE_HEADER_BYTES
                                                                                   : 0;
}

tmc_arr_u8 tmc_port_slot_content(int32_t kind) {
    static uint8_t nothing; /* an array that is there, of no bytes */
    const tmc_update *const u = store_of(kind);
    if (u == NULL || u->active < 0) {
        return (tmc_arr_u8){&nothing, 0};
    }
    const uint32_t size = u->slots[u->active].size;
    const uint8_t *const at = tmc_slots_memory(kind, tmc_update_content(u->flash, u->active), size);
    /* The app's arrays are not const; by the port's API nobody writes this one. */
    return at == NULL ? (tmc_arr_u8){&nothing, 0} : (tmc_arr_u8){(uint8_t *)(uintptr_t)at, (int32_t)size};
}
