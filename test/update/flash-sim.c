/*
 * The simulated flash. It ends the process when the store under test breaks the rules of flash: writing units
 * that are not erased, or off their grid.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "flash-sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT_ERASED, UNIT_WRITTEN, UNIT_UNREADABLE, UNIT_UNSTABLE };

static void require(bool holds, const char *rule) {
    if (!holds) {
        printf("rule of the flash broken: %s\n", rule);
        exit(1);
    }
}

uint32_t sim_random(flash_sim *sim) {
    sim->random = sim->random * 1664525U + 1013904223U;
    return sim->random >> 8U;
}

/* Whether this operation goes wrong. */
static bool goes_wrong(flash_sim *sim) {
    sim->operations++;
    return sim->operations == sim->fault_at;
}

static bool sim_read(void *context, uint32_t at, uint8_t *out, uint32_t size) {
    flash_sim *const sim = context;
    require(at + size <= SIM_BYTES, "read within the region");
    memcpy(out, sim->cells + at, size);
    bool readable = true;
    const uint32_t how = sim_random(sim) % 3U; /* what is not stable is read right, as noise, or as erased */
    for (uint32_t unit = at / sim->unit; unit * sim->unit < at + size; unit++) {
        const uint8_t state = sim->state[unit];
        readable = readable && state != UNIT_UNREADABLE;
        for (uint32_t i = 0; how > 0U && state == UNIT_UNSTABLE && i < sim->unit; i++) {
            const uint32_t cell = unit * sim->unit + i;
            if (cell >= at && cell < at + size) {
                out[cell - at] |= how == 1U ? (uint8_t)sim_random(sim) : 0xffU;
            }
        }
    }
    return readable && !sim->off;
}

static void spoil_unit(flash_sim *sim, uint32_t at, const uint8_t *bytes, sim_fault fault) {
    const uint32_t unit = sim->unit;
    if (fault == FAULT_BEFORE) {
        return;
    }
    sim->state[at / unit] = UNIT_WRITTEN;
    for (uint32_t i = 0; i < unit; i++) {
        uint8_t *const cell = &sim->cells[at + i];
        const bool all =
            fault == FAULT_AFTER || fault == FAULT_UNSTABLE || (fault == FAULT_HALF && 2U * i + 1U < unit);
        const bool none = fault == FAULT_HALF && 2U * i + 1U >= unit;
        *cell &= none ? 0xffU : all ? bytes[i] : (uint8_t)(bytes[i] | sim_random(sim));
    }
    if (fault == FAULT_UNREADABLE || fault == FAULT_UNSTABLE) {
        sim->state[at / unit] = fault == FAULT_UNREADABLE ? UNIT_UNREADABLE : UNIT_UNSTABLE;
    }
}

static bool is_zero(const uint8_t *bytes, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        if (bytes[i] != 0U) {
            return false;
        }
    }
    return true;
}

static bool sim_write(void *context, uint32_t at, const uint8_t *bytes, uint32_t size) {
    flash_sim *const sim = context;
    const uint32_t unit = sim->unit;
    require(at % unit == 0U && size % unit == 0U && at + size <= SIM_BYTES, "whole units are written");
    for (uint32_t i = 0; i < size; i += unit) {
        if (sim->off) {
            return false;
        }
        require(sim->state[(at + i) / unit] == UNIT_ERASED || is_zero(bytes + i, unit),
                "units are written once");
        if (goes_wrong(sim)) {
            spoil_unit(sim, at + i, bytes + i, sim->fault == FAULT_BROKEN ? FAULT_RANDOM : sim->fault);
            sim->off = sim->fault != FAULT_BROKEN;
            return false;
        }
        for (uint32_t k = 0; k < unit; k++) {
            sim->cells[at + i + k] &= bytes[i + k];
        }
        sim->state[(at + i) / unit] = UNIT_WRITTEN;
    }
    return true;
}

static void spoil_page(flash_sim *sim, uint32_t at, sim_fault fault) {
    static const uint8_t unstable[] = {UNIT_WRITTEN, UNIT_UNSTABLE};
    for (uint32_t i = 0; i < sim->page && fault != FAULT_BEFORE; i++) {
        const bool all = fault == FAULT_HALF && i < sim->page / 2U;
        sim->cells[at + i] |= all ? 0xffU : fault == FAULT_HALF ? 0U : (uint8_t)sim_random(sim);
        sim->state[(at + i) / sim->unit] =
            fault == FAULT_UNREADABLE ? UNIT_UNREADABLE : unstable[fault == FAULT_UNSTABLE];
    }
}

static bool sim_erase(void *context, uint32_t at) {
    flash_sim *const sim = context;
    require(at % sim->page == 0U && at + sim->page <= SIM_BYTES, "whole pages are erased");
    if (sim->off) {
        return false;
    }
    sim->erases++;
    const bool wrong = goes_wrong(sim);
    if (wrong && sim->fault != FAULT_AFTER) {
        spoil_page(sim, at, sim->fault == FAULT_BROKEN ? FAULT_RANDOM : sim->fault);
    } else {
        memset(sim->cells + at, 0xff, sim->page);
        memset(sim->state + at / sim->unit, UNIT_ERASED, sim->page / sim->unit);
    }
    sim->off = wrong && sim->fault != FAULT_BROKEN;
    return !wrong;
}

void sim_init(flash_sim *sim, tmc_update_flash *flash) {
    memset(sim, 0, sizeof *sim);
    memset(sim->cells, 0xff, sizeof sim->cells);
    sim->random = 1;
    sim->page = flash->page;
    sim->unit = flash->unit;
    flash->context = sim;
    flash->read = sim_read;
    flash->write = sim_write;
    flash->erase = sim_erase;
}

void sim_fill_with_garbage(flash_sim *sim) {
    for (uint32_t i = 0; i < SIM_BYTES; i++) {
        sim->cells[i] = (uint8_t)sim_random(sim);
        sim->state[i / sim->unit] = UNIT_WRITTEN;
    }
}

bool sim_can_write(flash_sim *sim, uint32_t at, uint32_t size) {
    bool can = true;
    for (uint32_t unit = at / sim->unit; unit * sim->unit < at + size; unit++) {
        bool blank = sim->state[unit] == UNIT_WRITTEN;
        for (uint32_t i = 0; i < sim->unit; i++) {
            blank = blank && sim->cells[unit * sim->unit + i] == 0xffU;
        }
        if (blank) {
            sim->state[unit] = UNIT_ERASED;
        }
        can = can && sim->state[unit] == UNIT_ERASED;
    }
    return can;
}

void sim_power_on(flash_sim *sim, uint32_t fault_at, sim_fault fault) {
    sim->off = false;
    sim->operations = 0;
    sim->erases = 0;
    sim->fault_at = fault_at;
    sim->fault = fault;
}
