/*
 * What MCUboot asks of a flash, over the simulator (boot-mcuboot.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TEST_FLASH_MAP_BACKEND_H
#define TEST_FLASH_MAP_BACKEND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct flash_area {
    uint8_t fa_id;
    uint32_t fa_off;
    uint32_t fa_size;
};

struct flash_sector {
    uint32_t fs_off;
    uint32_t fs_size;
};

static inline uint32_t flash_area_get_off(const struct flash_area *area) {
    return area->fa_off;
}
static inline uint32_t flash_area_get_size(const struct flash_area *area) {
    return area->fa_size;
}
static inline uint8_t flash_area_get_id(const struct flash_area *area) {
    return area->fa_id;
}
static inline uint8_t flash_area_get_device_id(const struct flash_area *area) {
    (void)area;
    return 0;
}
static inline uint32_t flash_sector_get_off(const struct flash_sector *sector) {
    return sector->fs_off;
}
static inline uint32_t flash_sector_get_size(const struct flash_sector *sector) {
    return sector->fs_size;
}

int flash_area_open(uint8_t id, const struct flash_area **area);
void flash_area_close(const struct flash_area *area);
int flash_area_read(const struct flash_area *area, uint32_t at, void *out, uint32_t size);
int flash_area_write(const struct flash_area *area, off_t at, const void *bytes, size_t size);
int flash_area_erase(const struct flash_area *area, uint32_t at, uint32_t size);
uint32_t flash_area_align(const struct flash_area *area);
uint8_t flash_area_erased_val(const struct flash_area *area);
int flash_area_get_sectors(int id, uint32_t *count, struct flash_sector *sectors);
int flash_area_get_sector(const struct flash_area *area, uint32_t at, struct flash_sector *sector);
int flash_area_id_from_image_slot(int slot);
int flash_area_id_from_multi_image_slot(int image, int slot);
int flash_area_id_to_multi_image_slot(int image, int id);

#endif
