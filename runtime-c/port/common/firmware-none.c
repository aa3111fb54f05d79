/*
 * A port that cannot replace its own image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "slots.h"

int32_t tmc_image_room(void) {
    return -TMC_SLOT_ABSENT;
}

int32_t tmc_image_boot(void) {
    return -TMC_SLOT_ABSENT;
}

int32_t tmc_image_begin(const uint8_t header[TMC_UPDATE_HEADER_BYTES]) {
    (void)header;
    return -TMC_SLOT_ABSENT;
}

int32_t tmc_image_write(uint32_t offset, const uint8_t *bytes, uint32_t size) {
    (void)offset;
    (void)bytes;
    (void)size;
    return -TMC_SLOT_ABSENT;
}

int32_t tmc_image_finish(void) {
    return -TMC_SLOT_ABSENT;
}

int32_t tmc_image_try(void) {
    return -TMC_SLOT_ABSENT;
}

int32_t tmc_image_confirm(void) {
    return -TMC_SLOT_ABSENT;
}

int32_t tmc_image_reject(void) {
    return -TMC_SLOT_ABSENT;
}

int32_t tmc_image_header(uint8_t out[TMC_UPDATE_HEADER_BYTES]) {
    (void)out;
    return 0;
}
