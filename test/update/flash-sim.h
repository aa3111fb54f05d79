/*
 * A NOR flash in memory whose power fails, or whose cells fail, at one chosen write or erase.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TEST_FLASH_SIM_H
#define TEST_FLASH_SIM_H

#include "tmc/update.h"

enum { SIM_BYTES = 1 << 15 };

/* What becomes of the unit that is written, or of the page that is erased, when it happens. */
typedef enum {
    FAULT_BEFORE,     /* nothing */
    FAULT_HALF,       /* its first half is done */
    FAULT_RANDOM,     /* some bits are done */
    FAULT_UNREADABLE, /* some bits; reading it fails from then on (an error that ECC cannot correct) */
    FAULT_UNSTABLE,   /* each read gives what was written, noise or blank */
    FAULT_AFTER,      /* all of it */
    FAULT_BROKEN,     /* some bits; the power stays, the call says that it failed */
    FAULTS
} sim_fault;

typedef struct {
    uint8_t cells[SIM_BYTES];
    uint8_t state[SIM_BYTES]; /* of each unit: UNIT_… in flash-sim.c */
    uint32_t operations;      /* units written and pages erased since power on */
    uint32_t erases;          /* of these */
    uint32_t fault_at;        /* the operation that goes wrong, from 1; 0: none */
    sim_fault fault;
    bool off;
    uint32_t random;
    uint32_t page;
    uint32_t unit;
} flash_sim;

/* Fills in the functions of `flash`, and blanks the cells. */
void sim_init(flash_sim *sim, tmc_update_flash *flash);
/* What was never erased since it left the factory, or holds something else. */
void sim_fill_with_garbage(flash_sim *sim);
/* The next operations count from 1; 0: no fault. */
void sim_power_on(flash_sim *sim, uint32_t fault_at, sim_fault fault);
/* Whether each of these units can be written. A unit in which a torn write has changed no cell can, as
 * drivers of Zephyr see it; from then on it counts as erased. (The update store assumes no such thing.) */
bool sim_can_write(flash_sim *sim, uint32_t at, uint32_t size);
uint32_t sim_random(flash_sim *sim);

#endif
