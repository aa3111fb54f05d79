/*
 * The Zephyr port: the slots of models and functions in the partitions model_partition and function_partition
 * of the devicetree, each divided into two, read in place; signatures by mbedTLS. The owner's public key is
 * the setting tmc/update-key.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "../common/slots.h"
#include "zport.h"

#include <zephyr/device.h>
#include <zephyr/drivers/flash.h>
#include <zephyr/storage/flash_map.h>
#ifdef CONFIG_FLASH_SIMULATOR
#include <zephyr/drivers/flash/flash_simulator.h>
#endif
#ifdef CONFIG_TMC_TLS
#include <mbedtls/ecdsa.h>
#endif

#define HAS_MODEL FIXED_PARTITION_EXISTS(model_partition)
#define HAS_FUNCTION FIXED_PARTITION_EXISTS(function_partition)

#if HAS_MODEL || HAS_FUNCTION
typedef struct {
    const struct flash_area *area; /* NULL: not opened yet */
    tmc_update_flash flash;
} region;

static bool read_area(void *context, uint32_t at, uint8_t *out, uint32_t size) {
    const region *const r = context;
    return flash_area_read(r->area, (off_t)at, out, size) == 0;
}

static bool write_area(void *context, uint32_t at, const uint8_t *bytes, uint32_t size) {
    const region *const r = context;
    return flash_area_write(r->area, (off_t)at, bytes, size) == 0;
}

static bool erase_area(void *context, uint32_t at) {
    const region *const r = context;
    zport_watchdog_feed(); /* a page takes up to 25 ms, an update has many */
    return flash_area_erase(r->area, (off_t)at, r->flash.page) == 0;
}

static bool open_region(region *r, uint8_t id) {
    struct flash_pages_info page;
    if (r->area != NULL) {
        return r->flash.page != 0U;
    }
    if (flash_area_open(id, &r->area) != 0) {
        return false;
    }
    const struct device *const device = flash_area_get_device(r->area);
    if (device == NULL || flash_get_page_info_by_offs(device, r->area->fa_off, &page) != 0) {
        return false;
    }
    const uint32_t half = (uint32_t)(r->area->fa_size / 2U / page.size * page.size);
    r->flash = (tmc_update_flash){.context = r,
                                  .page = (uint32_t)page.size,
                                  .unit = MAX(flash_area_align(r->area), 4U),
                                  .slot = {0, half},
                                  .slot_bytes = half,
                                  .read = read_area,
                                  .write = write_area,
                                  .erase = erase_area};
    return true;
}

static region regions[2];
#endif

const tmc_update_flash *tmc_slots_flash(int32_t kind) {
#if HAS_MODEL
    if (kind == TMC_SLOT_MODEL) {
        return open_region(&regions[0], FIXED_PARTITION_ID(model_partition)) ? &regions[0].flash : NULL;
    }
#endif
#if HAS_FUNCTION
    if (kind == TMC_SLOT_FUNCTION) {
        return open_region(&regions[1], FIXED_PARTITION_ID(function_partition)) ? &regions[1].flash : NULL;
    }
#endif
    return NULL;
}

/* Where the flash that has the partitions lies in memory. */
static const uint8_t *flash_memory(void) {
#ifdef CONFIG_FLASH_SIMULATOR
    size_t size = 0;
    return flash_simulator_get_memory(DEVICE_DT_GET(DT_CHOSEN(zephyr_flash_controller)), &size);
#else
    return (const uint8_t *)DT_REG_ADDR(DT_CHOSEN(zephyr_flash));
#endif
}

const uint8_t *tmc_slots_memory(int32_t kind, uint32_t at, uint32_t size) {
#if HAS_MODEL || HAS_FUNCTION
    const region *const r = &regions[kind == TMC_SLOT_MODEL ? 0 : 1];
    if (at <= r->area->fa_size && size <= r->area->fa_size - at) {
        return flash_memory() + r->area->fa_off + at;
    }
#endif
    return NULL;
}

bool tmc_slots_key(uint8_t key[TMC_SLOTS_KEY_BYTES]) {
    return zport_setting_read("update-key", key, TMC_SLOTS_KEY_BYTES) == TMC_SLOTS_KEY_BYTES && key[0] == 4U;
}

bool tmc_slots_verify(const uint8_t key[TMC_SLOTS_KEY_BYTES], const uint8_t digest[TMC_UPDATE_DIGEST_BYTES],
                      const uint8_t signature[TMC_UPDATE_SIGNATURE_BYTES]) {
#ifdef CONFIG_TMC_TLS
    mbedtls_ecp_group group;
    mbedtls_ecp_point owner;
    mbedtls_mpi r;
    mbedtls_mpi s;
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&owner);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    zport_watchdog_feed(); /* a signature takes a fraction of a second */
    const bool right = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1) == 0 &&
                       mbedtls_ecp_point_read_binary(&group, &owner, key, TMC_SLOTS_KEY_BYTES) == 0 &&
                       mbedtls_ecp_check_pubkey(&group, &owner) == 0 &&
                       mbedtls_mpi_read_binary(&r, signature, 32) == 0 &&
                       mbedtls_mpi_read_binary(&s, signature + 32, 32) == 0 &&
                       mbedtls_ecdsa_verify(&group, digest, TMC_UPDATE_DIGEST_BYTES, &owner, &r, &s) == 0;
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
    mbedtls_ecp_point_free(&owner);
    mbedtls_ecp_group_free(&group);
    return right;
#else
    ARG_UNUSED(key);
    ARG_UNUSED(digest);
    ARG_UNUSED(signature);
    return false; /* no cryptography in this image: nobody may update it */
#endif
}

void tmc_slots_changed(bool whole) {
    ARG_UNUSED(whole);
}
