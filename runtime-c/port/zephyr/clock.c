/*
 * The Zephyr port: the time of day, by SNTP from the server of the setting tmc/sntp or CONFIG_TMC_SNTP_SERVER
 * (HOST[:PORT]). SNTP is not authenticated: what depends on it is only whether certificates are in date.
 * Asked once before the first connection and, until there is an answer, after each failure; then once a day.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "stream.h"

#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/net/sntp.h>

#define ANSWER_MS 2000
#define RETRY_MS 30000
#define AGAIN_MS (24 * 3600 * 1000LL)
/* No clock of a node can be before this program was written: such an answer is a broken server. */
#define EARLIEST 1764547200LL /* 2025-12-01 */

static bool known;
static int64_t offset_s; /* seconds since 1970 when the node started */
static int64_t next_ms;

bool zport_time(int64_t *seconds) {
    *seconds = offset_s + k_uptime_get() / 1000;
    return known;
}

#ifdef CONFIG_SNTP
static bool ask(const char *host, uint16_t port, uint64_t *seconds) {
    struct sockaddr_in address;
    struct sntp_ctx context;
    struct sntp_time answer;
    if (!zport_resolve(host, port, &address) ||
        sntp_init(&context, (struct sockaddr *)(void *)&address, sizeof address) != 0) {
        return false;
    }
    int code = sntp_query(&context, ANSWER_MS, &answer);
    sntp_close(&context);
    if (code == 0) {
        *seconds = answer.seconds;
    }
    return code == 0;
}
#endif

void zport_time_sync(void) {
#ifdef CONFIG_SNTP
    char host[ZPORT_HOST_MAX + 1];
    uint16_t port = 123;
    int64_t now_ms = k_uptime_get();
    if (now_ms < next_ms || !zport_sntp_server(host, &port)) {
        return;
    }
    uint64_t seconds = 0;
    if (!ask(host, port, &seconds) || (int64_t)seconds < EARLIEST) {
        zport_log(ZPORT_WARN, "no time from %s:%u", host, port);
        next_ms = k_uptime_get() + RETRY_MS;
        return;
    }
    if (!known) {
        zport_log(ZPORT_INFO, "the time is known: %llu s since 1970", (unsigned long long)seconds);
    }
    known = true;
    offset_s = (int64_t)seconds - k_uptime_get() / 1000;
    next_ms = k_uptime_get() + AGAIN_MS;
#endif
}
