/*
 * The Zephyr port: how long the node waits before it connects again. Each failure doubles the wait, from
 * CONFIG_TMC_BACKOFF_MIN_MS to CONFIG_TMC_BACKOFF_MAX_MS; a random part of it keeps nodes apart that a broker
 * lost together. Which broker is tried: servers.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "retry.h"

#include "zport.h"

#include <zephyr/kernel.h>

static int64_t retry_ms;    /* not before this */
static bool retry_now;      /* there is another broker to try before waiting */
static uint32_t backoff_ms; /* the wait after the next failure, before jitter */

void zport_retry_init(void) {
    backoff_ms = CONFIG_TMC_BACKOFF_MIN_MS;
}

void zport_retry_at_once(void) {
    retry_now = true;
}

/* Two nodes with one id throw each other out at once: only a session that lasted resets the wait. */
void zport_retry_session_ended(int64_t lasted_ms) {
    if (lasted_ms >= (int64_t)backoff_ms * 2) {
        backoff_ms = CONFIG_TMC_BACKOFF_MIN_MS;
    }
}

void zport_retry_plan(void) {
    if (retry_now) {
        retry_now = false;
        retry_ms = 0;
        return;
    }
    uint32_t half = backoff_ms / 2;
    uint32_t wait = half + tmc_port_random_u32() % (backoff_ms - half + 1);
    retry_ms = k_uptime_get() + wait;
    backoff_ms = backoff_ms > CONFIG_TMC_BACKOFF_MAX_MS / 2 ? CONFIG_TMC_BACKOFF_MAX_MS : backoff_ms * 2;
    zport_log(ZPORT_DEBUG, "next attempt in %lu ms", (unsigned long)wait);
}

int64_t zport_retry_ms(void) {
    return retry_ms;
}
