/*
 * The Zephyr port: a node that is connected to another broker than the first of its list looks from time to
 * time (CONFIG_TMC_PREFERRED_INTERVAL_S) whether the first takes a TCP connection again. It says so once and
 * leaves everything else to bus.c; whether that broker accepts the node, only an attempt shows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "stream.h"

#include <zephyr/kernel.h>
#include <zephyr/net/socket.h>

#define PATIENCE_MS 5000
#define LOOK_MS 10 /* native_sim notices nothing in no time */

static int probe = -1;
static int64_t began_ms;
static int64_t next_ms;

/* Between half the interval and one and a half: nodes that moved together do not look together. */
static void plan(void) {
    uint32_t interval = CONFIG_TMC_PREFERRED_INTERVAL_S * 1000U;
    next_ms = k_uptime_get() + interval / 2 + tmc_port_random_u32() % (interval + 1);
}

static void end_probe(void) {
    if (probe >= 0) {
        zport_close(probe);
    }
    probe = -1;
    plan();
}

void zport_preferred_forget(void) {
    end_probe();
}

bool zport_preferred_back(void) {
    int64_t now = k_uptime_get();
    zport_state state = ZPORT_PENDING;
    if (CONFIG_TMC_PREFERRED_INTERVAL_S == 0 || zport_server_now() == zport_server_first()) {
        return false;
    }
    if (probe < 0) {
        if (now < next_ms) {
            return false;
        }
        began_ms = now;
        probe = zport_connect(zport_server_first()->host, zport_server_first()->port, &state);
    } else {
        state = zport_connected(probe, LOOK_MS);
    }
    if (state == ZPORT_FAILED || (state == ZPORT_PENDING && now - began_ms > PATIENCE_MS)) {
        end_probe();
    } else if (state == ZPORT_READY) {
        end_probe();
        return true;
    }
    return false;
}
