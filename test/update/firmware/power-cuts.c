/*
 * Firmware with the power failing at every single write and erase in every way that flash-sim.h knows: of the
 * download, of the test swap, of the confirmation and of the way back. Prints one line for each kind:
 *   boot loader, kind, writes, erases, faults, then how often the old version or the new one ran at the start
 * after them, and ends with 1 at the first thing that is not as it must be.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../requirement.h"
#include "boot.h"
#include "images.h"
#include "tmc/swap.h"

typedef struct {
    device d;
    tmc_swap f;
    tmc_swap_port port;
    uint32_t old; /* what ran before, what is installed */
    uint32_t new;
    bool hangs;       /* the new one, on trial */
    bool asked;       /* a test was asked for */
    bool settled_new; /* somebody was told that it stays */
    uint32_t sent;    /* bytes of content */
    uint32_t starts;  /* of the new one on trial */
    uint32_t halts;   /* of the boot loader */
    tmc_update_result result;
} world;

typedef struct {
    const char *name;
    void (*prepare)(world *w);
    uint32_t half; /* half of this one has arrived already */
    uint32_t old;
    uint32_t new;
    bool hangs;
    uint32_t final;
    tmc_update_result result; /* of the last step */
} kind;

static const tmc_update_options options = {.minimum = 2, .attempts = 1, .verify = verify_signature};

/* ---- the device
 * ---------------------------------------------------------------------------------------------------------
 */

static uint32_t base(const device *d, uint32_t region) {
    return region * d->slot_bytes; /* RUNNING, SECOND, RECORD */
}
static bool port_read(void *context, uint32_t region, uint32_t at, uint8_t *out, uint32_t size) {
    device *const d = context;
    return d->flash.read(&d->sim, base(d, region) + at, out, size);
}
static bool port_write(void *context, uint32_t region, uint32_t at, const uint8_t *bytes, uint32_t size) {
    device *const d = context;
    require(region != TMC_SWAP_RUNNING, "what runs is not written");
    return d->flash.write(&d->sim, base(d, region) + at, bytes, size);
}
static bool port_erase(void *context, uint32_t region, uint32_t at) {
    device *const d = context;
    require(region != TMC_SWAP_RUNNING, "what runs is not erased");
    return d->flash.erase(&d->sim, base(d, region) + at);
}
static bool port_confirmed(void *context) {
    return boot_confirmed(context);
}
static bool port_confirm(void *context) {
    return boot_confirm(context);
}
static bool port_test(void *context) {
    return boot_test(context);
}

/* The number of the image in the first slot; ends the test when it is not whole. */
static uint32_t running(world *w) {
    static uint8_t content[VERSION_BYTES_MAX];
    for (uint32_t i = 1; i < IMAGES; i++) {
        const version *const v = &images[i];
        if (v->size <= w->d.slot_bytes && port_read(&w->d, TMC_SWAP_RUNNING, 0, content, v->size) &&
            memcmp(content, v->content, v->size) == 0) {
            return i;
        }
    }
    require(false, "what runs is whole");
    return NONE;
}

/* A start: boot loader, then the application finds out what it is. */
static uint32_t start(world *w) {
    boot_result r = boot_run(&w->d);
    for (uint32_t i = 0; i < 3U && r == BOOT_HALTED && !w->d.sim.off; i++) {
        w->halts++;
        r = boot_run(&w->d);
    }
    if (w->d.sim.off) {
        return NONE;
    }
    require(r == BOOT_RUNS, "something boots");
    const uint32_t runs = running(w);
    require(runs == w->old || runs == w->new, "the old version runs, or the new one");
    require(runs == w->old || w->asked || w->old == w->new,
            "the new version runs only when it was asked for");
    require(runs != w->old || !w->settled_new || w->old == w->new, "what was confirmed stays");
    w->port = (tmc_swap_port){.context = &w->d,
                              .page = w->d.flash.page,
                              .unit = w->d.flash.unit,
                              .record_bytes = 2U * w->d.flash.page,
                              .slot_bytes = w->d.slot_bytes,
                              .reserved = 2U * w->d.flash.page,
                              .trailer_bytes = w->d.flash.page,
                              .read = port_read,
                              .write = port_write,
                              .erase = port_erase,
                              .confirmed = port_confirmed,
                              .confirm = port_confirm,
                              .test = port_test};
    require(tmc_swap_start(&w->f, &w->port, &options), "geometry");
    return w->d.sim.off ? NONE : runs;
}

static tmc_update_result send(world *w, uint32_t number, uint32_t most) {
    const version *const v = &images[number];
    const uint32_t before = w->d.sim.operations;
    uint32_t at = 0;
    tmc_update_result r = tmc_swap_begin(&w->f, v->header, &at);
    require((r != TMC_UPDATE_ROLLBACK && r != TMC_UPDATE_BAD_SIGNATURE && r != TMC_UPDATE_THERE) ||
                w->d.sim.operations == before,
            "what is refused costs nothing");
    while (r == TMC_UPDATE_OK && at < v->size && w->sent < most) {
        const uint32_t n = v->size - at < 100U ? v->size - at : 100U;
        r = tmc_swap_write(&w->f, at, v->content + at, n);
        at += n;
        w->sent += n;
    }
    return r;
}

/* One boot of the node while somebody asks for the new version. True: the next start is its own wish. */
static bool one_boot(world *w) {
    (void)start(w);
    if (w->d.sim.off) {
        return false;
    }
    if (w->f.state == TMC_SWAP_TRIAL) {
        require(running(w) == w->new, "only the new version is on trial");
        w->starts++;
        if (w->hangs) {
            return true; /* the watchdog */
        }
        if (tmc_swap_confirm(&w->f) != TMC_UPDATE_OK) {
            return !w->d.sim.off;
        }
        w->settled_new = true;
    }
    w->result = send(w, w->new, UINT32_MAX);
    if (w->result == TMC_UPDATE_OK) {
        w->result = tmc_swap_finish(&w->f);
        if (w->result == TMC_UPDATE_OK) {
            w->asked = true;
            w->result = tmc_swap_try(&w->f);
            return w->result == TMC_UPDATE_OK && !w->d.sim.off;
        }
    }
    return false;
}

/* From a start of the node to the end of the update, or of the power. Somebody asks until the answer is
 * final. */
static void run(world *w) {
    w->sent = 0;
    for (uint32_t i = 0; i < 12U && !w->d.sim.off; i++) {
        if (one_boot(w) || w->d.sim.off) {
            continue;
        }
        /* Not final: the flash failed; a page that was torn twice; a test that a failure of power has ended.
         */
        const bool again =
            w->result == TMC_UPDATE_FLASH_FAILED ||
            (w->result == TMC_UPDATE_BAD_DIGEST && !w->hangs && w->new <= THIRD && w->new >= FIRST);
        if (!again) {
            return;
        }
    }
    require(w->d.sim.off, "it comes to an end");
}

static void check_final(world *w, const kind *k) {
    sim_power_on(&w->d.sim, 0, FAULT_BEFORE);
    require(start(w) == k->final && w->f.state == TMC_SWAP_SETTLED, "in the end the right version runs");
    require(w->result == k->result || (w->result == TMC_UPDATE_THERE && k->result == TMC_UPDATE_OK),
            "the last step says what it did");
    uint32_t offset;
    const uint32_t before = w->d.sim.operations;
    require(tmc_swap_begin(&w->f, images[OLDER].header, &offset) == TMC_UPDATE_ROLLBACK,
            "an older version does not come back");
    require(w->d.sim.operations == before, "nothing was written for it");
}

/* ---- kinds of updates
 * --------------------------------------------------------------------------------------------------- */

static void have(world *w, uint32_t number, bool hangs) {
    w->old = running(w);
    w->new = number;
    w->hangs = hangs;
    w->asked = w->settled_new = false;
    run(w);
}

static void first(world *w) {
    (void)w; /* flashed by cable */
}
static void second(world *w) {
    have(w, SECOND, false);
}
static void returned(world *w) {
    have(w, SECOND, true);
}

static const kind kinds[] = {
    {"update", first, NONE, FIRST, SECOND, false, SECOND, TMC_UPDATE_THERE},
    {"update of an update", second, NONE, SECOND, THIRD, false, THIRD, TMC_UPDATE_THERE},
    {"hangs on trial", first, NONE, FIRST, SECOND, true, FIRST, TMC_UPDATE_BAD_DIGEST},
    {"again after it returned", returned, NONE, FIRST, SECOND, false, SECOND, TMC_UPDATE_THERE},
    {"older version", first, NONE, FIRST, OLDER, false, FIRST, TMC_UPDATE_ROLLBACK},
    {"signed by a stranger", first, NONE, FIRST, WRONG_KEY, false, FIRST, TMC_UPDATE_BAD_SIGNATURE},
    {"content of another digest", first, NONE, FIRST, WRONG_CONTENT, false, FIRST, TMC_UPDATE_BAD_DIGEST},
    {"resumed transfer", first, SECOND, FIRST, SECOND, false, SECOND, TMC_UPDATE_THERE},
    {"another in the middle of a transfer", first, THIRD, FIRST, SECOND, false, SECOND, TMC_UPDATE_THERE},
    /* The ideal boot loader checks nothing. */
    {"image signed by a stranger", first, NONE, FIRST, UNSIGNED, false, FIRST, TMC_UPDATE_BAD_DIGEST},
    {"no image", first, NONE, FIRST, NO_IMAGE, false, FIRST, TMC_UPDATE_BAD_DIGEST},
};

/* ---- faults
 * -------------------------------------------------------------------------------------------------------------
 */

static bool ideal(void) {
    return strcmp(boot_name, "ideal") == 0;
}

static world prepared;
static world one;
static world two;

static void prepare(const kind *k, const tmc_update_flash *flash, uint32_t slot_pages) {
    memset(&prepared, 0, sizeof prepared);
    world *const w = &prepared;
    snprintf(where, sizeof where, "%s, preparation", k->name);
    w->d.flash = *flash;
    w->d.slot_bytes = slot_pages * flash->page;
    sim_init(&w->d.sim, &w->d.flash);
    sim_power_on(&w->d.sim, 0, FAULT_BEFORE);
    const uint32_t size = (images[FIRST].size + flash->unit - 1U) / flash->unit * flash->unit;
    static uint8_t padded[VERSION_BYTES_MAX];
    memset(padded, 0xff, sizeof padded);
    memcpy(padded, images[FIRST].content, images[FIRST].size);
    require(w->d.flash.write(&w->d.sim, 0, padded, size), "flashed by cable");
    w->old = w->new = FIRST;
    (void)start(w);
    k->prepare(w);
    if (k->half != NONE) {
        (void)start(w);
        require(send(w, k->half, images[k->half].size / 2U + 50U) == TMC_UPDATE_OK, "half of a transfer");
    }
    w->old = k->old;
    w->new = k->new;
    w->hangs = k->hangs;
    w->asked = w->settled_new = false;
    w->starts = w->halts = 0;
}

/* One fault, all that follows, and the end. `counts`: what ran at the start after the fault. */
static void test_fault(const kind *k, uint32_t at, sim_fault fault, uint32_t *counts) {
    one = prepared;
    sim_power_on(&one.d.sim, at, fault);
    run(&one);
    if (one.d.sim.off) {
        two = one;
        sim_power_on(&two.d.sim, 0, FAULT_BEFORE);
        counts[start(&two) == k->old ? 0 : 1]++;
        sim_power_on(&one.d.sim, 0, FAULT_BEFORE);
        run(&one);
    } else {
        counts[running(&one) == k->old ? 0 : 1]++;
    }
    check_final(&one, k);
}

static void test_kind(const kind *k, const tmc_update_flash *flash, uint32_t slot_pages) {
    prepare(k, flash, slot_pages);
    one = prepared;
    sim_power_on(&one.d.sim, 0, FAULT_BEFORE);
    snprintf(where, sizeof where, "%s, no fault", k->name);
    run(&one);
    const uint32_t operations = one.d.sim.operations;
    const uint32_t erases = one.d.sim.erases;
    check_final(&one, k);
    require(one.halts == 0, "the boot loader does not halt");
    require(k->half != SECOND || one.sent < images[SECOND].size, "what is there is not sent again");
    require(!k->hangs || one.starts == 1, "a trial is one start");
    static jmp_buf not_held;
    uint32_t counts[2] = {0};
    volatile uint32_t broken = 0;
    for (volatile uint32_t at = 1; at <= operations; at++) {
        for (volatile uint32_t fault = FAULT_BEFORE; fault < FAULTS; fault++) {
            snprintf(where, sizeof where, "%s, operation %u of %u, fault %u", k->name, at, operations, fault);
            /* What is not as it must be is counted. */
            when_not_held = fault == FAULT_UNSTABLE && !ideal() ? &not_held : NULL;
            if (setjmp(not_held) == 0) {
                test_fault(k, at, (sim_fault)fault, counts);
            } else {
                broken++;
            }
            when_not_held = NULL;
        }
    }
    printf("%s\t%s\t%u\t%u\t%u\t%u\t%u\t%u\n", boot_name, k->name, operations - erases, erases,
           operations * FAULTS, counts[0], counts[1], broken);
}

/* Arguments: bytes of a page and of a unit, pages of a slot, bytes of an image; then, the kinds to be tried.
 */
int main(int count, char **arguments) {
    if (count < 5) {
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    const tmc_update_flash flash = {.page = (uint32_t)atoi(arguments[1]),
                                    .unit = (uint32_t)atoi(arguments[2])};
    make_images((uint32_t)atoi(arguments[4]));
    uint8_t key[128];
    boot_owner(key, owner_key(key));
    for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const bool wanted = count == 5 || strcmp(arguments[5], kinds[i].name) == 0;
        if (wanted && !(ideal() && kinds[i].new >= UNSIGNED &&kinds[i].new != OLDER)) {
            test_kind(&kinds[i], &flash, (uint32_t)atoi(arguments[3]));
        }
    }
    free_keys();
    return 0;
}
