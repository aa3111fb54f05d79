/*
 * MCUboot asks these before it does something of its own; all but one answer "as usual". The one: a "swap is
 * done" of the running slot that the power has torn counts as set, since it is written after the swap. As
 * usual it would count as neither: the new firmware would run untried for ever.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>

#include "bootutil/bootutil.h"
#include "bootutil/bootutil_public.h"
#include "bootutil/fault_injection_hardening.h"
#include "bootutil/image.h"
#include "flash_map_backend/flash_map_backend.h"
#include "sysflash/sysflash.h"

/* Behind the others, whose types it uses: with Zephyr 3.7 it does not include them. */
#include "bootutil/boot_hooks.h"

/* A "swap is done" of the running slot that was torn counts as set, since it is written after the swap. As
 * usual it would count as neither: the new firmware would run untried for ever. */
int boot_read_swap_state_primary_slot_hook(int image_index, struct boot_swap_state *state) {
    const struct flash_area *area;
    (void)image_index;
    if (flash_area_open(FLASH_AREA_IMAGE_PRIMARY(0), &area) != 0) {
        return BOOT_HOOK_REGULAR;
    }
    const int result = boot_read_swap_state(area, state);
    flash_area_close(area);
    if (result == 0 && state->magic == BOOT_MAGIC_GOOD && state->copy_done == BOOT_FLAG_BAD) {
        state->copy_done = BOOT_FLAG_SET;
    }
    return result;
}

/* In place of flash_area_write (linker: --wrap). A torn unit can read as erased and yet take nothing but
 * zeros. For a flag that is enough: it counts as torn. As usual MCUboot would give up at every start. */
int __real_flash_area_write(const struct flash_area *area, off_t at, const void *bytes, size_t size);
int __wrap_flash_area_write(const struct flash_area *area, off_t at, const void *bytes, size_t size);
int __wrap_flash_area_write(const struct flash_area *area, off_t at, const void *bytes, size_t size) {
    static const uint8_t flag[8] = {BOOT_FLAG_SET, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t zeros[8] = {0};
    const int result = __real_flash_area_write(area, at, bytes, size);
    const bool torn = result != 0 && size == sizeof flag && memcmp(bytes, flag, sizeof flag) == 0;
    return torn ? __real_flash_area_write(area, at, zeros, sizeof zeros) : result;
}

int boot_read_image_header_hook(int image_index, int slot, struct image_header *header) {
    (void)image_index;
    (void)slot;
    (void)header;
    return BOOT_HOOK_REGULAR;
}

fih_ret boot_image_check_hook(int image_index, int slot) {
    (void)image_index;
    (void)slot;
    FIH_RET(FIH_BOOT_HOOK_REGULAR);
}

int boot_perform_update_hook(int image_index, struct image_header *header, const struct flash_area *area) {
    (void)image_index;
    (void)header;
    (void)area;
    return BOOT_HOOK_REGULAR;
}

int boot_copy_region_post_hook(int image_index, const struct flash_area *area, size_t size) {
    (void)image_index;
    (void)area;
    (void)size;
    return 0;
}
