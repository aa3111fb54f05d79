/*
 * The boot loader of the power-cut tests: MCUboot's own code on the simulated flash (boot-mcuboot.c), or one
 * that swaps in no time and never fails (boot-ideal.c), for machines without MCUboot.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TEST_BOOT_H
#define TEST_BOOT_H

#include "../flash-sim.h"

/* The simulated flash: both slots, then header and progress of what arrives. */
typedef struct {
    flash_sim sim;
    tmc_update_flash flash; /* of the simulator */
    uint32_t slot_bytes;
    bool wanted; /* of the ideal boot loader: a test at the next start */
    bool trial;
} device;

typedef enum { BOOT_RUNS, BOOT_NOTHING, BOOT_HALTED } boot_result;

/* Name for the table. */
extern const char *const boot_name;
void boot_owner(const uint8_t *key, uint32_t size); /* its public key, DER */
/* A start of the boot loader; the power may fail in it. What runs then is in the first slot. */
boot_result boot_run(device *d);
/* For tmc_swap_port. */
bool boot_confirmed(device *d);
bool boot_confirm(device *d);
bool boot_test(device *d);

#endif
