/*
 * MCUboot's own code (bootutil) on the simulated flash. The power failing is a jump out of it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "bootutil/bootutil.h"
#include "bootutil/bootutil_public.h"
#include "bootutil/fault_injection_hardening.h"
#include "bootutil/sign_key.h"
#include "flash_map_backend/flash_map_backend.h"

const char *const boot_name = "MCUboot";

static device *now;
static jmp_buf out_of_boot;
static bool inside;

/* ---- the owner's key
 * ------------------------------------------------------------------------------------------------------ */

static uint8_t key_bytes[128];
static unsigned int key_size;
const struct bootutil_key bootutil_keys[] = {{.key = key_bytes, .len = &key_size}};
const int bootutil_key_cnt = 1;

void boot_owner(const uint8_t *key, uint32_t size) {
    memcpy(key_bytes, key, size);
    key_size = size;
}

/* Signatures are verified once each: that is all the time of these tests otherwise. */
fih_ret verify_signature_of_mcuboot(uint8_t *hash, uint32_t hash_size, uint8_t *sig, size_t sig_size,
                                    uint8_t key);
fih_ret bootutil_verify_sig(uint8_t *hash, uint32_t hash_size, uint8_t *sig, size_t sig_size, uint8_t key) {
    static struct {
        uint8_t hash[32];
        uint8_t sig[80];
        size_t sig_size;
        fih_ret result;
    } known[16];
    static uint32_t count;
    for (uint32_t i = 0; i < count && sig_size <= sizeof known[0].sig; i++) {
        if (memcmp(known[i].hash, hash, 32) == 0 && known[i].sig_size == sig_size &&
            memcmp(known[i].sig, sig, sig_size) == 0) {
            return known[i].result;
        }
    }
    const fih_ret result = verify_signature_of_mcuboot(hash, hash_size, sig, sig_size, key);
    if (count < 16U && sig_size <= sizeof known[0].sig) {
        memcpy(known[count].hash, hash, 32);
        memcpy(known[count].sig, sig, sig_size);
        known[count].sig_size = sig_size;
        known[count++].result = result;
    }
    return result;
}

/* ---- flash
 * -------------------------------------------------------------------------------------------------------------
 */

static void leave_when_off(void) {
    if (now->sim.off && inside) {
        longjmp(out_of_boot, 1);
    }
}

_Noreturn void boot_halted(const char *why);
_Noreturn void boot_halted(const char *why) {
    if (inside) {
        longjmp(out_of_boot, 2);
    }
    printf("WRONG: MCUboot halted in the application: %s\n", why);
    exit(1);
}

int flash_area_open(uint8_t id, const struct flash_area **area) {
    static struct flash_area areas[2];
    if (id != 1 && id != 2) {
        return -1;
    }
    areas[id - 1] =
        (struct flash_area){.fa_id = id, .fa_off = (id - 1U) * now->slot_bytes, .fa_size = now->slot_bytes};
    *area = &areas[id - 1];
    return 0;
}

void flash_area_close(const struct flash_area *area) {
    (void)area;
}

static bool fits(const struct flash_area *area, uint32_t at, uint32_t size) {
    return at <= area->fa_size && size <= area->fa_size - at;
}

/* What ECC cannot correct is read as it is: zephyr-app/mcuboot/flash-ecc.c sees to that.
 */
int flash_area_read(const struct flash_area *area, uint32_t at, void *out, uint32_t size) {
    if (!fits(area, at, size)) {
        return -1;
    }
    (void)now->flash.read(&now->sim, area->fa_off + at, out, size);
    return 0;
}

int flash_area_write(const struct flash_area *area, off_t at, const void *bytes, size_t size) {
    static const uint8_t zeros[8] = {0};
    const uint32_t from = area->fa_off + (uint32_t)at;
    const bool zero = size == sizeof zeros && memcmp(bytes, zeros, sizeof zeros) == 0;
    const bool done = fits(area, (uint32_t)at, (uint32_t)size) &&
                      (sim_can_write(&now->sim, from, (uint32_t)size) || zero) &&
                      now->flash.write(&now->sim, from, bytes, (uint32_t)size);
    leave_when_off();
    return done ? 0 : -1;
}

int flash_area_erase(const struct flash_area *area, uint32_t at, uint32_t size) {
    bool done = fits(area, at, size) && at % now->flash.page == 0U && size % now->flash.page == 0U;
    for (uint32_t i = 0; done && i < size; i += now->flash.page) {
        done = now->flash.erase(&now->sim, area->fa_off + at + i);
    }
    leave_when_off();
    return done ? 0 : -1;
}

uint32_t flash_area_align(const struct flash_area *area) {
    (void)area;
    return now->flash.unit;
}

uint8_t flash_area_erased_val(const struct flash_area *area) {
    (void)area;
    return 0xff;
}

int flash_area_get_sector(const struct flash_area *area, uint32_t at, struct flash_sector *sector) {
    if (at >= area->fa_size) {
        return -1;
    }
    *sector =
        (struct flash_sector){.fs_off = at / now->flash.page * now->flash.page, .fs_size = now->flash.page};
    return 0;
}

int flash_area_get_sectors(int id, uint32_t *count, struct flash_sector *sectors) {
    const uint32_t pages = now->slot_bytes / now->flash.page;
    (void)id;
    if (pages > *count) {
        return -1;
    }
    *count = pages;
    for (uint32_t i = 0; i < pages; i++) {
        sectors[i] = (struct flash_sector){.fs_off = i * now->flash.page, .fs_size = now->flash.page};
    }
    return 0;
}

int flash_area_id_from_image_slot(int slot) {
    return slot + 1;
}

int flash_area_id_from_multi_image_slot(int image, int slot) {
    (void)image;
    return slot + 1;
}

int flash_area_id_to_multi_image_slot(int image, int id) {
    (void)image;
    return id - 1;
}

/* ---- a start
 * ------------------------------------------------------------------------------------------------------------
 */

boot_result boot_run(device *d) {
    struct boot_rsp response;
    now = d;
    const int left = setjmp(out_of_boot);
    if (left != 0) {
        inside = false;
        return left == 1 ? BOOT_NOTHING : BOOT_HALTED;
    }
    inside = true;
    FIH_DECLARE(result, FIH_FAILURE);
    FIH_CALL(boot_go, result, &response);
    inside = false;
    return FIH_EQ(result, FIH_SUCCESS) ? BOOT_RUNS : BOOT_NOTHING;
}

bool boot_confirmed(device *d) {
    now = d;
    struct boot_swap_state state;
    return boot_read_swap_state_by_id(1, &state) == 0 &&
           !(state.magic == BOOT_MAGIC_GOOD && state.copy_done != BOOT_FLAG_UNSET &&
             state.image_ok == BOOT_FLAG_UNSET);
}

bool boot_confirm(device *d) {
    now = d;
    return boot_set_confirmed_multi(0) == 0;
}

bool boot_test(device *d) {
    now = d;
    return boot_set_pending_multi(0, 0) == 0;
}
