/*
 * Internal to the ports: the slots of tmc/port.h over the update store (models, functions) and over what the
 * port has for firmware. A port gives flash, memory, key and signatures; slots.c has the rest.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_SLOTS_H
#define TMC_SLOTS_H

#include "tmc/port.h"
#include "tmc/update.h"

enum { TMC_SLOTS_KEY_BYTES = 65, TMC_SLOTS_ATTEMPTS = 3 };

/* ---- the port gives ----------------------------------------------------------------------------------- */

/* The two slots of models or functions; NULL: none. It stays where it is. */
const tmc_update_flash *tmc_slots_flash(int32_t kind);
/* `size` bytes of that region in place, at a multiple of 4; NULL: not possible. */
const uint8_t *tmc_slots_memory(int32_t kind, uint32_t at, uint32_t size);
/* The public key of the owner: 4, x, y. False: there is none. */
bool tmc_slots_key(uint8_t key[TMC_SLOTS_KEY_BYTES]);
/* Whether it is the key's signature (r, s; big-endian) under this SHA-256. */
bool tmc_slots_verify(const uint8_t key[TMC_SLOTS_KEY_BYTES], const uint8_t digest[TMC_UPDATE_DIGEST_BYTES],
                      const uint8_t signature[TMC_UPDATE_SIGNATURE_BYTES]);
/* A call that may have changed a slot ended: for ports that write flash back. `whole`: for good, else one of
 * many writes. */
void tmc_slots_changed(bool whole);

/* The image itself (firmware), as tmc_port_slot_* of port.h: the boot loader's slots, or firmware-none.c. */
int32_t tmc_image_room(void);
int32_t tmc_image_boot(void);
int32_t tmc_image_begin(const uint8_t header[TMC_UPDATE_HEADER_BYTES]);
int32_t tmc_image_write(uint32_t offset, const uint8_t *bytes, uint32_t size);
int32_t tmc_image_finish(void);
int32_t tmc_image_try(void);
int32_t tmc_image_confirm(void);
int32_t tmc_image_reject(void);
int32_t tmc_image_header(uint8_t out[TMC_UPDATE_HEADER_BYTES]);

/* ---- for the port -------------------------------------------------------------------------------------- */

/* A signature by the key that the port gives; false without one. */
bool tmc_slots_signed(const uint8_t digest[TMC_UPDATE_DIGEST_BYTES],
                      const uint8_t signature[TMC_UPDATE_SIGNATURE_BYTES]);

#endif
