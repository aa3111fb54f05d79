/*
 * The node of updated-node.h, with the store of runtime-c/update.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "updated-node.h"

#include <string.h>

#include "requirement.h"

static const tmc_update_options options = {
    .kind = TMC_UPDATE_MODEL, .minimum = 5, .attempts = NODE_ATTEMPTS, .verify = verify_signature};

uint32_t node_running(world *w) {
    static uint8_t content[VERSION_BYTES_MAX];
    uint8_t header[TMC_UPDATE_HEADER_BYTES];
    if (w->u.active < 0) {
        return NONE;
    }
    require(tmc_update_header(&w->u, w->u.active, header), "the header of what runs can be read");
    for (uint32_t i = FIRST; i <= THIRD; i++) {
        const version *const v = &versions[i];
        if (memcmp(v->header, header, sizeof header) == 0) {
            require(w->flash.read(&w->sim, tmc_update_content(&w->flash, w->u.active), content, v->size) &&
                        memcmp(content, v->content, v->size) == 0,
                    "what runs is whole");
            return i;
        }
    }
    require(false, "what runs is a version that was installed");
    return NONE;
}

static void decide(world *w) {
    (void)tmc_update_boot(&w->u);
    if (w->sim.off) {
        return;
    }
    const uint32_t runs = node_running(w);
    w->trials += w->u.on_trial ? 1U : 0U;
    require(runs == w->old || runs == w->new, "the old version runs, or the new one");
    require(runs == w->old || w->asked, "the new version runs only when it was asked for");
    require(runs != w->old || !w->settled_new || w->old == w->new, "what was confirmed stays");
    require(runs != w->new || !w->settled_old || w->old == w->new, "what was rejected stays away");
}

void node_start(world *w) {
    w->flash.context = &w->sim;
    require(tmc_update_init(&w->u, &w->flash, &options), "geometry");
    decide(w);
}

/* The start that took the last attempt away says so to whoever asks, once and without a write. */
static void require_told(world *w) {
    tmc_update copy = w->u;
    const uint32_t before = w->sim.operations;
    uint32_t at = 0;
    require(tmc_update_begin(&copy, versions[w->new].header, &at) == TMC_UPDATE_LAPSED &&
                w->sim.operations == before,
            "a trial that ended is told");
    require(!copy.slots[0].lapsed && !copy.slots[1].lapsed, "it is told once");
}

static void settle_trial(world *w) {
    while (w->u.on_trial && !w->sim.off) {
        if (w->behaviour == GOOD) {
            w->settled_new = tmc_update_confirm(&w->u) == TMC_UPDATE_OK || w->settled_new;
            return;
        }
        if (w->behaviour == FAILS_SELF_TEST) {
            w->settled_old = tmc_update_reject(&w->u) == TMC_UPDATE_OK || w->settled_old;
            decide(w);
        } else {
            node_start(w); /* the watchdog */
            const bool failed = w->u.slots[0].failed || w->u.slots[1].failed;
            w->settled_old = (failed && !w->sim.off) || w->settled_old;
            if (failed && !w->sim.off) {
                require_told(w);
            }
        }
    }
}

tmc_update_result node_send(world *w, uint32_t number, uint32_t most) {
    const version *const v = &versions[number];
    const uint32_t before = w->sim.operations;
    uint32_t at = 0;
    tmc_update_result r = tmc_update_begin(&w->u, v->header, &at);
    require((r != TMC_UPDATE_ROLLBACK && r != TMC_UPDATE_BAD_SIGNATURE) || w->sim.operations == before,
            "what is refused costs nothing");
    while (r == TMC_UPDATE_OK && at < v->size && w->sent < most) {
        const uint32_t n = v->size - at < 100U ? v->size - at : 100U;
        r = tmc_update_write(&w->u, at, v->content + at, n);
        at += n;
        w->sent += n;
    }
    return r;
}

static tmc_update_result install(world *w) {
    settle_trial(w);
    if (w->settled_old || w->sim.off) {
        return TMC_UPDATE_OK;
    }
    tmc_update_result r = node_send(w, w->new, UINT32_MAX);
    if (r != TMC_UPDATE_OK) {
        return r;
    }
    r = tmc_update_finish(&w->u);
    if (r == TMC_UPDATE_OK) {
        w->asked = true;
        r = tmc_update_try(&w->u);
    }
    if (r == TMC_UPDATE_OK) {
        decide(w);
        settle_trial(w);
    }
    return r;
}

static tmc_update_result take_off(world *w) {
    w->asked = true;
    if (w->u.active < 0) {
        w->settled_new = true;
        return TMC_UPDATE_OK;
    }
    const tmc_update_result r = tmc_update_remove(&w->u);
    w->settled_new = r == TMC_UPDATE_OK || w->settled_new;
    return r;
}

void node_run(world *w) {
    w->sent = 0;
    node_start(w);
    for (uint32_t i = 0; i < 5U && !w->sim.off; i++) {
        w->result = w->new == NONE ? take_off(w) : install(w);
        /* A page that was torn twice may count as there, until the digest says otherwise. */
        const bool again = w->result == TMC_UPDATE_FLASH_FAILED || w->result == TMC_UPDATE_LAPSED ||
                           (w->result == TMC_UPDATE_BAD_DIGEST && w->new != WRONG_CONTENT) ||
                           (w->asked && !w->settled_new && !w->settled_old);
        if (!again || w->result == TMC_UPDATE_THERE) {
            return;
        }
    }
}

void node_have(world *w, uint32_t number, manner behaviour) {
    w->old = w->u.active < 0 ? NONE : node_running(w);
    w->new = number;
    w->behaviour = behaviour;
    w->asked = w->settled_new = w->settled_old = false;
    node_run(w);
}
