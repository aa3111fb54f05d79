/*
 * Internal to the Zephyr port: firmware updates. Without MCUboot there are none.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_ZPORT_FIRMWARE_SLOT_H
#define TMC_ZPORT_FIRMWARE_SLOT_H

#include <stdbool.h>

#ifdef CONFIG_TMC_FIRMWARE_UPDATE
/* Learns whether this firmware is on trial; a line on the console says so. */
void zport_firmware_init(void);
/* It is on trial and was not confirmed in time: restart, to return to the other one. */
bool zport_firmware_overdue(void);
#else
static inline void zport_firmware_init(void) {
}
static inline bool zport_firmware_overdue(void) {
    return false;
}
#endif

#endif
