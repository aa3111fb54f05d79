/*
 * A node that keeps one thing in the update store, on a simulated flash, and somebody who wants it replaced
 * or removed. At every step it requires what must hold whenever the power fails.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TEST_UPDATED_NODE_H
#define TEST_UPDATED_NODE_H

#include "flash-sim.h"
#include "versions.h"

enum { NODE_ATTEMPTS = 3 }; /* of a trial */

typedef enum { GOOD, FAILS_SELF_TEST, HANGS } manner;

typedef struct {
    flash_sim sim;
    tmc_update_flash flash;
    tmc_update u;
    uint32_t old; /* what ran before, what is installed (NONE: what ran is removed) */
    uint32_t new;
    manner behaviour; /* of the new one, on trial */
    bool asked;       /* it may run */
    bool settled_new; /* somebody was told that it stays */
    bool settled_old; /* … that it does not */
    uint32_t sent;    /* bytes of content */
    uint32_t trials;  /* starts of a version that is not confirmed */
    tmc_update_result result;
} world;

/* A start: what runs is decided. */
void node_start(world *w);
/* The number of the version that runs; ends the test when it is not whole. */
uint32_t node_running(world *w);
/* Begins a transfer, or goes on with it, until `most` bytes are sent. */
tmc_update_result node_send(world *w, uint32_t number, uint32_t most);
/* From a start of the node to the end of the update, or of the power. A flash that fails is tried again. */
void node_run(world *w);
/* `number` is installed in a node that is what it is; `behaviour`: of that version, on trial. */
void node_have(world *w, uint32_t number, manner behaviour);

#endif
