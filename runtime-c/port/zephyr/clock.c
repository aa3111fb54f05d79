/*
 * The Zephyr port: the time of day, by SNTP from the server of the setting tmc/sntp or CONFIG_TMC_SNTP_SERVER
 * (HOST[:PORT]). SNTP is not authenticated: what depends on it is only whether certificates are in date.
 * Asked once before the first connection and, until there is an answer, after each failure; then once a day.
 * Not by Zephyr's library: its recv waits for ever when the Wi-Fi module's driver reports the end of a
 * socket.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "stream.h"

#include <errno.h>
#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/net/socket.h>
#include <zephyr/sys/byteorder.h>

#define ANSWER_MS 2000
#define LOOK_MS 100
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

#ifdef CONFIG_TMC_SNTP
#define PACKET 48 /* RFC 4330: without key and digest */
#define FROM_1900 2208988800U
#define ORIGINATE 24 /* what the query said in TRANSMIT */
#define TRANSMIT 40

/* The answer to a query that said `nonce`: from a server, whose clock is set. Its seconds last until 2106. */
static bool take_answer(const uint8_t *packet, const uint8_t *nonce, uint64_t *seconds) {
    bool is_server = (packet[0] & 7U) == 4;
    bool is_set = packet[0] >> 6 != 3 && packet[1] >= 1 && packet[1] <= 15;
    *seconds = (uint32_t)(sys_get_be32(packet + TRANSMIT) - FROM_1900);
    return is_server && is_set && memcmp(packet + ORIGINATE, nonce, 8) == 0;
}

static bool query(int socket, uint64_t *seconds) {
    uint8_t packet[PACKET + 1] = {0x23}; /* version 4, client; a byte more shows what is too long */
    uint8_t nonce[8];
    sys_put_be32(tmc_port_random_u32(), nonce);
    sys_put_be32(tmc_port_random_u32(), nonce + 4);
    memcpy(packet + TRANSMIT, nonce, sizeof nonce);
    if (zsock_send(socket, packet, PACKET, 0) != PACKET) {
        return false;
    }
    for (int64_t end_ms = k_uptime_get() + ANSWER_MS; k_uptime_get() < end_ms;) {
        struct zsock_pollfd p = {.fd = socket, .events = ZSOCK_POLLIN, .revents = 0};
        int ready = zsock_poll(&p, 1, LOOK_MS);
        if (ready <= 0) {
            if (ready < 0 && errno != ETIMEDOUT) {
                return false;
            }
            continue;
        }
        ssize_t n = zsock_recv(socket, packet, sizeof packet, ZSOCK_MSG_DONTWAIT);
        if (n == PACKET && take_answer(packet, nonce, seconds)) {
            return true;
        }
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            return false;
        }
        k_sleep(K_MSEC(1));
    }
    return false;
}

static bool ask(const char *host, uint16_t port, uint64_t *seconds) {
    struct sockaddr_in address;
    if (!zport_resolve(host, port, &address)) {
        return false;
    }
    int socket = zsock_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    if (socket < 0) {
        return false;
    }
    bool answered =
        zsock_connect(socket, (const struct sockaddr *)(const void *)&address, sizeof address) == 0 &&
        query(socket, seconds);
    zport_close(socket);
    return answered;
}
#endif

void zport_time_sync(void) {
#ifdef CONFIG_TMC_SNTP
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
