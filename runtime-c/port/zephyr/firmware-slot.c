/*
 * The Zephyr port: firmware through MCUboot. What arrives goes into slot1_partition, its header and progress
 * into record_partition (tmc/swap.h); the boot loader swaps, and swaps back unless the new firmware is
 * confirmed. Without MCUboot: ../common/firmware-none.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "../common/slots.h"
#include "firmware-slot.h"
#include "tmc/swap.h"
#include "zport.h"

#include <bootutil/bootutil_public.h>
#include <string.h>
#include <zephyr/drivers/flash.h>
#include <zephyr/kernel.h>
#include <zephyr/storage/flash_map.h>

static const struct flash_area *areas[3]; /* by region */
static tmc_swap_port port;
static tmc_swap swap;
static bool started;
static bool possible;

/* ---- flash and boot loader
 * ------------------------------------------------------------------------------------------- */

static bool read_area(void *context, uint32_t region, uint32_t at, uint8_t *out, uint32_t size) {
    ARG_UNUSED(context);
    return flash_area_read(areas[region], (off_t)at, out, size) == 0;
}

static bool write_area(void *context, uint32_t region, uint32_t at, const uint8_t *bytes, uint32_t size) {
    ARG_UNUSED(context);
    return flash_area_write(areas[region], (off_t)at, bytes, size) == 0;
}

static bool erase_area(void *context, uint32_t region, uint32_t at) {
    ARG_UNUSED(context);
    zport_watchdog_feed(); /* a page takes up to 25 ms, an update has many */
    return flash_area_erase(areas[region], (off_t)at, port.page) == 0;
}

/* A "swap is done" that was torn counts as set, as in the boot loader (zephyr-app/mcuboot). */
static bool is_confirmed(void *context) {
    struct boot_swap_state state;
    ARG_UNUSED(context);
    return boot_read_swap_state(areas[TMC_SWAP_RUNNING], &state) == 0 &&
           !(state.magic == BOOT_MAGIC_GOOD && state.copy_done != BOOT_FLAG_UNSET &&
             state.image_ok == BOOT_FLAG_UNSET);
}

static bool confirm(void *context) {
    ARG_UNUSED(context);
    return boot_set_confirmed_multi(0) == 0;
}

static bool test(void *context) {
    ARG_UNUSED(context);
    return boot_set_pending_multi(0, 0) == 0;
}

static bool verify(void *context, const uint8_t digest[TMC_UPDATE_DIGEST_BYTES],
                   const uint8_t signature[TMC_UPDATE_SIGNATURE_BYTES]) {
    ARG_UNUSED(context);
    return tmc_slots_signed(digest, signature);
}

static bool open_areas(void) {
    struct flash_pages_info page;
    if (flash_area_open(FIXED_PARTITION_ID(slot0_partition), &areas[TMC_SWAP_RUNNING]) != 0 ||
        flash_area_open(FIXED_PARTITION_ID(slot1_partition), &areas[TMC_SWAP_SECOND]) != 0 ||
        flash_area_open(FIXED_PARTITION_ID(record_partition), &areas[TMC_SWAP_RECORD]) != 0 ||
        flash_get_page_info_by_offs(flash_area_get_device(areas[TMC_SWAP_SECOND]),
                                    areas[TMC_SWAP_SECOND]->fa_off, &page) != 0) {
        return false;
    }
    port = (tmc_swap_port){.page = (uint32_t)page.size,
                           .unit = MAX(flash_area_align(areas[TMC_SWAP_SECOND]), 4U),
                           .record_bytes = (uint32_t)areas[TMC_SWAP_RECORD]->fa_size,
                           .slot_bytes = (uint32_t)areas[TMC_SWAP_SECOND]->fa_size,
                           .reserved = 2U * (uint32_t)page.size, /* the trailer, and a page to move by */
                           .trailer_bytes = (uint32_t)page.size,
                           .read = read_area,
                           .write = write_area,
                           .erase = erase_area,
                           .confirmed = is_confirmed,
                           .confirm = confirm,
                           .test = test};
    return true;
}

void zport_firmware_init(void) {
    static const tmc_update_options options = {.attempts = 1, .verify = verify};
    if (started) {
        return;
    }
    started = true;
    possible = open_areas() && tmc_swap_start(&swap, &port, &options);
    if (!possible) {
        zport_log(ZPORT_ERROR, "no firmware updates: slots or record do not fit each other");
    } else if (swap.state == TMC_SWAP_TRIAL) {
        zport_log(ZPORT_WARN,
                  "this firmware is on trial: unless it is confirmed, the next start returns to the other");
    } else if (swap.returned) {
        zport_log(ZPORT_WARN, "the firmware that was tried did not stay");
    }
}

bool zport_firmware_overdue(void) {
    return possible && swap.state == TMC_SWAP_TRIAL &&
           k_uptime_get() > (int64_t)CONFIG_TMC_FIRMWARE_TRIAL_S * MSEC_PER_SEC;
}

/* ---- slots.h
 * ------------------------------------------------------------------------------------------------------------
 */

int32_t tmc_image_room(void) {
    return possible ? (int32_t)(port.slot_bytes - port.reserved) : -TMC_SLOT_ABSENT;
}

int32_t tmc_image_boot(void) {
    zport_firmware_init();
    return !possible                      ? -TMC_SLOT_ABSENT
           : swap.state == TMC_SWAP_TRIAL ? TMC_SLOT_ON_TRIAL
                                          : TMC_SLOT_CONFIRMED;
}

/* The name in the header is the board's. */
static bool is_for_this_board(const uint8_t *header) {
    return CONFIG_TMC_BOARD[0] == '\0' ||
           strncmp((const char *)header + TMC_UPDATE_AT_NAME, CONFIG_TMC_BOARD, TMC_UPDATE_NAME_BYTES) == 0;
}

int32_t tmc_image_begin(const uint8_t header[TMC_UPDATE_HEADER_BYTES]) {
    uint32_t offset = 0;
    if (!possible) {
        return -TMC_SLOT_ABSENT;
    }
    if (!is_for_this_board(header)) {
        return -(int32_t)TMC_UPDATE_BAD_HEADER;
    }
    const tmc_update_result result = tmc_swap_begin(&swap, header, &offset);
    return result == TMC_UPDATE_OK ? (int32_t)offset : -(int32_t)result;
}

int32_t tmc_image_write(uint32_t offset, const uint8_t *bytes, uint32_t size) {
    return possible ? -(int32_t)tmc_swap_write(&swap, offset, bytes, size) : -TMC_SLOT_ABSENT;
}

int32_t tmc_image_finish(void) {
    zport_watchdog_feed(); /* half a megabyte is read */
    return possible ? -(int32_t)tmc_swap_finish(&swap) : -TMC_SLOT_ABSENT;
}

int32_t tmc_image_try(void) {
    return possible ? -(int32_t)tmc_swap_try(&swap) : -TMC_SLOT_ABSENT;
}

int32_t tmc_image_confirm(void) {
    if (!possible) {
        return -TMC_SLOT_ABSENT;
    }
    const tmc_update_result result = tmc_swap_confirm(&swap);
    if (result == TMC_UPDATE_OK) {
        zport_log(ZPORT_INFO, "this firmware stays");
    }
    return -(int32_t)result;
}

/* Nothing is written: the next start returns to the old one. */
int32_t tmc_image_reject(void) {
    return !possible ? -TMC_SLOT_ABSENT : swap.state == TMC_SWAP_TRIAL ? 0 : -(int32_t)TMC_UPDATE_WRONG_STATE;
}

int32_t tmc_image_header(uint8_t out[TMC_UPDATE_HEADER_BYTES]) {
    return possible && swap.runs && tmc_swap_header(&swap, out) ? TMC_UPDATE_HEADER_BYTES : 0;
}
