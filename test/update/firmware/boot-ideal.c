/*
 * A boot loader that swaps in no time, checks nothing and never fails.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "boot.h"

const char *const boot_name = "ideal";

void boot_owner(const uint8_t *key, uint32_t size) {
    (void)key;
    (void)size;
}

static void swap(device *d) {
    static uint8_t kept[SIM_BYTES];
    const uint32_t units = d->slot_bytes / d->sim.unit;
    memcpy(kept, d->sim.cells, d->slot_bytes);
    memcpy(d->sim.cells, d->sim.cells + d->slot_bytes, d->slot_bytes);
    memcpy(d->sim.cells + d->slot_bytes, kept, d->slot_bytes);
    memcpy(kept, d->sim.state, units);
    memcpy(d->sim.state, d->sim.state + units, units);
    memcpy(d->sim.state + units, kept, units);
}

boot_result boot_run(device *d) {
    if (d->wanted || d->trial) {
        swap(d);
        d->trial = d->wanted;
        d->wanted = false;
    }
    return BOOT_RUNS;
}

bool boot_confirmed(device *d) {
    return !d->trial;
}

bool boot_confirm(device *d) {
    d->trial = false;
    return true;
}

bool boot_test(device *d) {
    d->wanted = true;
    return true;
}
