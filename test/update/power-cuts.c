/*
 * Every kind of update, with the power failing at every single write and erase in every way that flash-sim.h
 * knows: what runs afterwards, and whether the update can go on. Prints one line for each kind and geometry:
 *   geometry, kind, operations, faults, then how often the old version, the new one or none ran after them
 * (when the power failed twice: how often after the node had gone on once more), and ends with 1 at the first
 * thing that is not as it must be.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "requirement.h"
#include "updated-node.h"

typedef struct {
    const char *name;
    void (*prepare)(world *w);
    uint32_t half; /* half of this one has arrived already */
    uint32_t old;
    uint32_t new;
    manner behaviour;
    uint32_t final;
    tmc_update_result result; /* of the last step */
} kind;

static void check_final(world *w, const kind *k) {
    sim_power_on(&w->sim, 0, FAULT_BEFORE);
    node_start(w);
    require(node_running(w) == k->final && !w->u.on_trial, "in the end the right version runs");
    require(w->result == k->result || (w->result == TMC_UPDATE_THERE && k->result == TMC_UPDATE_OK),
            "the last step says what it did");
    uint32_t offset;
    const uint32_t before = w->sim.operations;
    if (k->final >= SECOND) {
        require(tmc_update_begin(&w->u, versions[k->final - 1U].header, &offset) == TMC_UPDATE_ROLLBACK,
                "an older version does not come back");
        require(w->sim.operations == before, "nothing was written for it");
    }
}

/* The next update makes away with the other slot: what runs must stand on its own from then on. */
static void check_lasting(world *w, const kind *k) {
    if (k->final == NONE || k->final == THIRD) {
        return;
    }
    w->old = w->new = k->final;
    w->sent = 0;
    require(node_send(w, THIRD, 150U) == TMC_UPDATE_OK, "the next update begins");
    for (uint32_t i = 0; i < 6U; i++) {
        sim_power_on(&w->sim, 0, FAULT_BEFORE);
        node_start(w);
        require(node_running(w) == k->final && !w->u.on_trial, "the right version runs at every later start");
    }
}

/* ---- kinds of updates -----------------------------------------------------------------------------------
 */

static void blank(world *w) {
    (void)w;
}
static void garbage(world *w) {
    sim_fill_with_garbage(&w->sim);
}
static void first(world *w) {
    node_have(w, FIRST, GOOD);
}
static void first_and_second(world *w) {
    node_have(w, FIRST, GOOD);
    node_have(w, SECOND, GOOD);
}
static void removed(world *w) {
    node_have(w, FIRST, GOOD);
    w->old = FIRST;
    w->new = NONE;
    w->asked = w->settled_new = false;
    node_run(w);
}
static void failed_before(world *w) {
    node_have(w, FIRST, GOOD);
    node_have(w, SECOND, FAILS_SELF_TEST);
}

static const kind kinds[] = {
    {"first install", blank, NONE, NONE, FIRST, GOOD, FIRST, TMC_UPDATE_OK},
    {"first install on garbage", garbage, NONE, NONE, FIRST, GOOD, FIRST, TMC_UPDATE_OK},
    {"first install fails its self-test", blank, NONE, NONE, FIRST, FAILS_SELF_TEST, NONE, TMC_UPDATE_OK},
    {"replace", first, NONE, FIRST, SECOND, GOOD, SECOND, TMC_UPDATE_OK},
    {"replace in a used slot", first_and_second, NONE, SECOND, THIRD, GOOD, THIRD, TMC_UPDATE_OK},
    {"older version", first_and_second, NONE, SECOND, FIRST, GOOD, SECOND, TMC_UPDATE_ROLLBACK},
    {"signed by a stranger", first, NONE, FIRST, WRONG_KEY, GOOD, FIRST, TMC_UPDATE_BAD_SIGNATURE},
    {"content of another digest", first, NONE, FIRST, WRONG_CONTENT, GOOD, FIRST, TMC_UPDATE_BAD_DIGEST},
    {"fails its self-test", first, NONE, FIRST, SECOND, FAILS_SELF_TEST, FIRST, TMC_UPDATE_OK},
    {"hangs on trial", first, NONE, FIRST, SECOND, HANGS, FIRST, TMC_UPDATE_OK},
    {"again after it failed", failed_before, NONE, FIRST, SECOND, GOOD, SECOND, TMC_UPDATE_OK},
    {"resumed transfer", first, SECOND, FIRST, SECOND, GOOD, SECOND, TMC_UPDATE_OK},
    {"another in the middle of a transfer", first, THIRD, FIRST, SECOND, GOOD, SECOND, TMC_UPDATE_OK},
    {"remove", first, NONE, FIRST, NONE, GOOD, NONE, TMC_UPDATE_OK},
    {"install after remove", removed, NONE, NONE, SECOND, GOOD, SECOND, TMC_UPDATE_OK},
};

/* ---- faults
 * ------------------------------------------------------------------------------------------------- */

static world prepared;
static world one;
static world two;

static void prepare(const kind *k, const tmc_update_flash *flash) {
    memset(&prepared, 0, sizeof prepared);
    prepared.flash = *flash;
    sim_init(&prepared.sim, &prepared.flash);
    prepared.u.active = -1;
    snprintf(where, sizeof where, "%s, preparing", k->name);
    k->prepare(&prepared);
    if (k->half != NONE) {
        const version *const v = &versions[k->half];
        prepared.sent = 0;
        require(node_send(&prepared, k->half, v->size / 2U + 50U) == TMC_UPDATE_OK, "half of a transfer");
    }
    prepared.old = k->old;
    prepared.new = k->new;
    prepared.behaviour = k->behaviour;
    prepared.trials = 0;
    prepared.asked = prepared.settled_new = prepared.settled_old = false;
}

static void count_running(world *w, const kind *k, uint32_t *counts) {
    const uint32_t runs = w->u.active < 0 ? (uint32_t)NONE : node_running(w);
    counts[runs == NONE ? 2 : runs == k->old ? 0 : 1]++;
}

/* After a fault the node starts again, and whoever asked for the update asks again. */
static void recover(world *w, uint32_t fault_at, sim_fault fault) {
    if (w->sim.off) {
        sim_power_on(&w->sim, fault_at, fault);
        node_run(w);
    }
}

static void test_kind(const kind *k, const tmc_update_flash *flash, bool twice) {
    prepare(k, flash);
    one = prepared;
    sim_power_on(&one.sim, 0, FAULT_BEFORE);
    node_run(&one);
    const uint32_t operations = one.sim.operations;
    const uint32_t erases = one.sim.erases;
    snprintf(where, sizeof where, "%s, no fault", k->name);
    check_final(&one, k);
    require(k->half != SECOND || versions[SECOND].size / 2U < flash->page || one.sent < versions[SECOND].size,
            "what is there is not sent again");
    require(k->behaviour != HANGS || one.trials == NODE_ATTEMPTS, "a trial has so many attempts");
    uint32_t faults = 0;
    uint32_t counts[3] = {0};
    for (uint32_t at = 1; at <= operations; at++) {
        for (uint32_t fault = twice ? FAULT_RANDOM : FAULT_BEFORE; fault < (twice ? FAULT_BROKEN : FAULTS);
             fault++) {
            one = prepared;
            snprintf(where, sizeof where, "%s, operation %u, fault %u", k->name, at, fault);
            sim_power_on(&one.sim, at, (sim_fault)fault);
            node_run(&one);
            if (!twice) {
                faults++;
                if (one.sim.off) { /* what runs at the start after the fault */
                    two = one;
                    sim_power_on(&two.sim, 0, FAULT_BEFORE);
                    node_start(&two);
                    count_running(&two, k, counts);
                } else {
                    count_running(&one, k, counts);
                }
                recover(&one, 0, FAULT_BEFORE);
                check_final(&one, k);
                check_lasting(&one, k);
                continue;
            }
            bool cut = true;
            for (uint32_t second = 1; cut; second++) {
                for (uint32_t other = FAULT_RANDOM; other < FAULT_BROKEN;
                     other += other == FAULT_RANDOM ? 2U : 1U) {
                    two = one;
                    snprintf(where, sizeof where, "%s, operation %u, fault %u, then %u, fault %u", k->name,
                             at, fault, second, other);
                    recover(&two, second, (sim_fault)other);
                    cut = two.sim.off;
                    if (cut) {
                        faults++;
                        sim_power_on(&two.sim, 0, FAULT_BEFORE);
                        node_run(&two);
                        count_running(&two, k, counts);
                    }
                    check_final(&two, k);
                }
            }
        }
    }
    printf("%u/%u%s\t%s\t%u\t%u\t%u\t%u\t%u\t%u\n", flash->page, flash->unit, twice ? " twice" : "", k->name,
           operations - erases, erases, faults, counts[0], counts[1], counts[2]);
}

/* A flash that loses bits of what runs: it does not run, and what is older does not come back. */
static void test_lost_bits(const tmc_update_flash *flash) {
    prepare(&kinds[4], flash);
    for (uint32_t at = 0; at < versions[SECOND].size; at += 13U) {
        one = prepared;
        snprintf(where, sizeof where, "lost bit of byte %u", at);
        node_start(&one);
        one.sim.cells[tmc_update_content(flash, one.u.active) + at] ^= (uint8_t)(1U << at % 8U);
        one.flash.context = &one.sim;
        require(tmc_update_boot(&one.u) == -1, "what has lost a bit does not run");
        uint32_t offset;
        require(tmc_update_begin(&one.u, versions[FIRST].header, &offset) == TMC_UPDATE_ROLLBACK,
                "what is older does not come back");
        one.old = NONE;
        one.new = THIRD;
        node_run(&one);
        require(node_running(&one) == THIRD, "a new one can be installed");
    }
}

static void test_geometry(uint32_t page, uint32_t unit, uint32_t bytes, bool twice) {
    const uint32_t pages = page < 4096U ? 10U : 4U;
    const tmc_update_flash flash = {
        .page = page, .unit = unit, .slot = {0, pages * page}, .slot_bytes = pages * page};
    make_versions(bytes);
    test_lost_bits(&flash);
    for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        test_kind(&kinds[i], &flash, twice);
    }
}

/* Arguments: once or twice, bytes of a page and of a unit, bytes of content. */
int main(int count, char **arguments) {
    if (count != 5) {
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    test_geometry((uint32_t)atoi(arguments[2]), (uint32_t)atoi(arguments[3]), (uint32_t)atoi(arguments[4]),
                  strcmp(arguments[1], "twice") == 0);
    free_keys();
    return 0;
}
