/*
 * Firmware through a swapping boot loader; see tmc/swap.h. For the store below, record and second slot
 * are one slot of two: the record is its head, the second slot its content. The store's other slot is always
 * blank, and none is ever active: what runs is the boot loader's to decide.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/swap.h"

#include <string.h>

#include "sha256.h"
#include "slots.h"

/* ---- record and second slot as one region
 * -------------------------------------------------------------------------------- */

static bool read_region(void *context, uint32_t at, uint8_t *out, uint32_t size) {
    const tmc_swap *const f = context;
    const tmc_swap_port *const p = f->port;
    const uint32_t head = update_head_bytes(&f->flash);
    if (at >= f->flash.slot_bytes) { /* the slot that there is not */
        memset(out, 0xff, size);
        return true;
    }
    return at < head ? p->read(p->context, TMC_SWAP_RECORD, at, out, size)
                     : p->read(p->context, TMC_SWAP_SECOND, at - head, out, size);
}

static bool write_region(void *context, uint32_t at, const uint8_t *bytes, uint32_t size) {
    const tmc_swap *const f = context;
    const tmc_swap_port *const p = f->port;
    const uint32_t head = update_head_bytes(&f->flash);
    return at < head ? p->write(p->context, TMC_SWAP_RECORD, at, bytes, size)
                     : p->write(p->context, TMC_SWAP_SECOND, at - head, bytes, size);
}

static bool erase_region(void *context, uint32_t at) {
    const tmc_swap *const f = context;
    const tmc_swap_port *const p = f->port;
    const uint32_t head = update_head_bytes(&f->flash);
    return at < head ? p->erase(p->context, TMC_SWAP_RECORD, at)
                     : p->erase(p->context, TMC_SWAP_SECOND, at - head);
}

/* The head grows with the slot that it is part of: a few steps find the size that holds its own marks. */
static tmc_update_flash geometry(uint32_t page, uint32_t unit, uint32_t content) {
    tmc_update_flash flash = {.page = page, .unit = unit, .slot_bytes = content};
    uint32_t head = 0;
    while (head != update_head_bytes(&flash)) {
        head = update_head_bytes(&flash);
        flash.slot_bytes = head + content;
    }
    flash.slot[1] = flash.slot_bytes;
    return flash;
}

uint32_t tmc_swap_record_bytes(uint32_t page, uint32_t unit, uint32_t slot_bytes) {
    const tmc_update_flash flash = geometry(page, unit, slot_bytes);
    return update_head_bytes(&flash);
}

/* ---- what runs
 * ------------------------------------------------------------------------------------------------------------
 */

static bool read_running(void *context, uint32_t at, uint8_t *out, uint32_t size) {
    const tmc_swap_port *const p = context;
    return p->read(p->context, TMC_SWAP_RUNNING, at, out, size);
}

static bool digest_runs(const tmc_swap *f, const uint8_t *header) {
    tmc_sha256 hash;
    uint8_t bytes[256];
    const uint32_t size = update_number(header + TMC_UPDATE_AT_SIZE);
    if (size > f->port->slot_bytes) {
        return false;
    }
    tmc_sha256_begin(&hash);
    for (uint32_t at = 0; at < size; at += (uint32_t)sizeof bytes) {
        const uint32_t n = size - at < sizeof bytes ? size - at : (uint32_t)sizeof bytes;
        if (!f->port->read(f->port->context, TMC_SWAP_RUNNING, at, bytes, n)) {
            return false;
        }
        tmc_sha256_add(&hash, bytes, n);
    }
    tmc_sha256_end(&hash, bytes);
    return memcmp(bytes, header + TMC_UPDATE_AT_DIGEST, TMC_UPDATE_DIGEST_BYTES) == 0;
}

bool tmc_swap_start(tmc_swap *f, const tmc_swap_port *port, const tmc_update_options *options) {
    uint8_t header[TMC_UPDATE_HEADER_BYTES];
    memset(f, 0, sizeof *f);
    if (port->page == 0U || port->unit == 0U || port->page % port->unit != 0U ||
        port->slot_bytes % port->page != 0U || port->reserved % port->page != 0U ||
        port->trailer_bytes % port->page != 0U || port->trailer_bytes > port->reserved ||
        port->reserved >= port->slot_bytes || port->slot_bytes > (1U << 29U)) {
        return false;
    }
    f->port = port;
    f->options = *options;
    f->options.kind = TMC_UPDATE_FIRMWARE;
    f->options.attempts = 1;
    const uint32_t counter = tmc_swap_counter(read_running, (void *)(uintptr_t)port, port->slot_bytes);
    f->options.minimum = counter > options->minimum ? counter : options->minimum;
    f->flash = geometry(port->page, port->unit, port->slot_bytes - port->reserved);
    f->flash.context = f;
    f->flash.read = read_region;
    f->flash.write = write_region;
    f->flash.erase = erase_region;
    if (update_head_bytes(&f->flash) > port->record_bytes ||
        !tmc_update_init(&f->u, &f->flash, &f->options)) {
        return false;
    }
    update_load(&f->u);
    update_make_last(&f->u, 0);
    f->state = port->confirmed(port->context) ? TMC_SWAP_SETTLED : TMC_SWAP_TRIAL;
    const tmc_update_slot *const s = &f->u.slots[0];
    if (s->known && s->complete && tmc_update_header(&f->u, 0, header)) {
        f->runs = digest_runs(f, header);
        if (!f->runs && s->trial && !s->failed) {
            f->u.slots[0].failed = true;
            (void)update_set_copy(&f->u, 0, MARK_FAILED);
        }
        f->returned = !f->runs && f->u.slots[0].failed && !s->removed;
    }
    return true;
}

bool tmc_swap_header(const tmc_swap *f, uint8_t out[TMC_UPDATE_HEADER_BYTES]) {
    return f->port != NULL && tmc_update_header(&f->u, 0, out);
}

/* ---- receiving
 * ------------------------------------------------------------------------------------------------------------
 */

static bool is_blank(tmc_swap *f, uint32_t at, uint32_t size) {
    uint8_t bytes[32];
    for (uint32_t i = 0; i < size; i += (uint32_t)sizeof bytes) {
        const uint32_t n = size - i < sizeof bytes ? size - i : (uint32_t)sizeof bytes;
        if (!f->port->read(f->port->context, TMC_SWAP_SECOND, at + i, bytes, n)) {
            return false;
        }
        for (uint32_t k = 0; k < n; k++) {
            if (bytes[k] != 0xffU) {
                return false;
            }
        }
    }
    return true;
}

/* What earlier swaps left for the boot loader must not speak of the new image. */
static bool clear_trailer(tmc_swap *f) {
    const tmc_swap_port *const p = f->port;
    for (uint32_t at = p->slot_bytes - p->trailer_bytes; at < p->slot_bytes; at += p->page) {
        if (!is_blank(f, at, p->page) && !p->erase(p->context, TMC_SWAP_SECOND, at)) {
            return false;
        }
    }
    return true;
}

tmc_update_result tmc_swap_begin(tmc_swap *f, const uint8_t header[TMC_UPDATE_HEADER_BYTES],
                                 uint32_t *offset) {
    uint8_t known[TMC_UPDATE_HEADER_BYTES];
    *offset = 0;
    f->u.target = -1;
    const bool same = tmc_swap_header(f, known) && memcmp(known, header, sizeof known) == 0;
    if (f->state == TMC_SWAP_TRIAL) {
        return TMC_UPDATE_WRONG_STATE;
    }
    if (same && f->runs) {
        *offset = update_number(header + TMC_UPDATE_AT_SIZE);
        return TMC_UPDATE_THERE;
    }
    if (same && f->returned) {
        f->returned = false;
        f->u.slots[0].removed = true; /* told */
        (void)update_set_copy(&f->u, 0, MARK_REMOVED);
        return TMC_UPDATE_BAD_DIGEST;
    }
    const tmc_update_result r = tmc_update_begin(&f->u, header, offset);
    if (r != TMC_UPDATE_OK) {
        return r;
    }
    f->runs = false;
    f->returned = false;
    if (!clear_trailer(f)) {
        f->u.target = -1;
        return TMC_UPDATE_FLASH_FAILED;
    }
    return TMC_UPDATE_OK;
}

tmc_update_result tmc_swap_write(tmc_swap *f, uint32_t offset, const uint8_t *bytes, uint32_t size) {
    return tmc_update_write(&f->u, offset, bytes, size);
}

tmc_update_result tmc_swap_finish(tmc_swap *f) {
    return tmc_update_finish(&f->u);
}

tmc_update_result tmc_swap_try(tmc_swap *f) {
    if (f->u.target < 0 || !f->u.slots[f->u.target].complete) {
        return TMC_UPDATE_WRONG_STATE;
    }
    /* The mark comes after it: what was marked and does not run at the next start was refused or has
     * returned. */
    return f->port->test(f->port->context) ? tmc_update_try(&f->u) : TMC_UPDATE_FLASH_FAILED;
}

tmc_update_result tmc_swap_confirm(tmc_swap *f) {
    if (f->state != TMC_SWAP_TRIAL) {
        return TMC_UPDATE_WRONG_STATE;
    }
    if (!f->port->confirm(f->port->context)) {
        return TMC_UPDATE_FLASH_FAILED;
    }
    f->state = TMC_SWAP_SETTLED;
    return TMC_UPDATE_OK;
}

/* ---- the counter of an image
 * ----------------------------------------------------------------------------------------------- */

enum {
    IMAGE_MAGIC = 0x96f3b83d,
    IMAGE_HEADER_BYTES = 32,
    IMAGE_AT_HEADER_SIZE = 8, /* 2 bytes; then 2 bytes of protected fields, then 4 of the image's size */
    IMAGE_AT_PROTECTED = 10,
    IMAGE_AT_SIZE = 12,
    FIELDS_MAGIC = 0x6908, /* protected ones */
    FIELD_COUNTER = 0x50
};

static uint32_t half(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8U;
}

uint32_t tmc_swap_counter(bool (*read)(void *context, uint32_t at, uint8_t *out, uint32_t size),
                          void *context, uint32_t most) {
    uint8_t bytes[IMAGE_HEADER_BYTES];
    if (most < sizeof bytes || !read(context, 0, bytes, sizeof bytes) ||
        update_number(bytes) != (uint32_t)IMAGE_MAGIC) {
        return 0;
    }
    const uint32_t header = half(bytes + IMAGE_AT_HEADER_SIZE);
    const uint32_t fields = half(bytes + IMAGE_AT_PROTECTED);
    const uint32_t size = update_number(bytes + IMAGE_AT_SIZE);
    if (size > most || header > most - size || fields > most - size - header || fields < 4U) {
        return 0;
    }
    uint32_t at = header + size;
    const uint32_t end = at + fields;
    if (!read(context, at, bytes, 4) || half(bytes) != FIELDS_MAGIC || half(bytes + 2) != fields) {
        return 0;
    }
    for (at += 4U; end - at >= 4U;) {
        if (!read(context, at, bytes, 4)) {
            return 0;
        }
        const uint32_t kind = half(bytes);
        const uint32_t length = half(bytes + 2);
        at += 4U;
        if (length > end - at) {
            return 0;
        }
        if (kind == FIELD_COUNTER) {
            return length == 4U && read(context, at, bytes, 4) ? update_number(bytes) : 0U;
        }
        at += length;
    }
    return 0;
}
