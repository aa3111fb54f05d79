/*
 * The Zephyr port: one TCP socket to the broker, through the few socket calls that every stack does right,
 * the offloaded Wi-Fi module of b_l4s5i_iot01a (eswifi) included: no sendmsg, sends of at most
 * CONFIG_TMC_SEND_CHUNK bytes, poll of one descriptor for POLLIN, one recv(DONTWAIT) into a buffer of a whole
 * segment. What eswifi does differently is guarded by CONFIG_WIFI_ESWIFI. IPv4 only. It knows no TLS (tls.c)
 * and no MQTT (transport.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compat.h"
#include "stream.h"

#include <errno.h>
#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/net/socket.h>

#define SEND_TIMEOUT_MS 5000
#define SEGMENT_SIZE 1500
#define CLOSING_LOOKS 8
#define CLOSING_LOOK_MS 60 /* the module waits 30 ms for bytes */

static int descriptor = -1;
static bool established;
static uint8_t received[SEGMENT_SIZE];
static size_t received_at;
static size_t received_end;

/* ---- the connection
 * -------------------------------------------------------------------------------------------- */

bool zport_resolve(const char *host, uint16_t port, struct sockaddr_in *out) {
    memset(out, 0, sizeof *out);
    out->sin_family = AF_INET;
    out->sin_port = htons(port);
    if (zsock_inet_pton(AF_INET, host, &out->sin_addr) == 1) {
        return true;
    }
#if defined(CONFIG_DNS_RESOLVER) || defined(CONFIG_NET_SOCKETS_OFFLOAD)
    struct zsock_addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct zsock_addrinfo *found = NULL;
    if (zsock_getaddrinfo(host, NULL, &hints, &found) == 0 && found != NULL) {
        out->sin_addr = ((const struct sockaddr_in *)(const void *)found->ai_addr)->sin_addr;
        zsock_freeaddrinfo(found);
        return true;
    }
#endif
    zport_log(ZPORT_WARN, "the name %s is not known", host);
    return false;
}

/* eswifi reads each socket by a work item, every 100 ms, or at once after bytes. One that waits for the
 * driver's lock while its socket is closed is not cancelled, and the next socket's initialisation of it
 * destroys the kernel's list of time-outs: threads sleep for ever, or the clock's interrupt never ends. So a
 * socket is closed when its work item has just run: a look orders it, a sleep lets it run. */
void zport_close(int which) {
#ifdef CONFIG_WIFI_ESWIFI
    static uint8_t dropped[64];
    struct zsock_pollfd p = {.fd = which, .events = ZSOCK_POLLIN, .revents = 0};
    for (int i = 0; i < CLOSING_LOOKS && zsock_poll(&p, 1, CLOSING_LOOK_MS) > 0; i++) {
        (void)zsock_recv(which, dropped, sizeof dropped, ZSOCK_MSG_DONTWAIT);
    }
    (void)zsock_poll(&p, 1, 0);
    k_sleep(K_MSEC(2));
#endif
    (void)zsock_close(which);
}

int zport_connect(const char *host, uint16_t port, zport_state *state) {
    struct sockaddr_in address;
    *state = ZPORT_FAILED;
    if (!zport_resolve(host, port, &address)) {
        return -1;
    }
    int made = zsock_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (made < 0) {
        zport_log(ZPORT_WARN, "no socket: %d", errno);
        return -1;
    }
#ifndef CONFIG_WIFI_ESWIFI /* it has no fcntl: there connect blocks */
    int flags = zsock_fcntl(made, ZVFS_F_GETFL, 0);
    (void)zsock_fcntl(made, ZVFS_F_SETFL, flags | ZVFS_O_NONBLOCK);
#endif
    errno = 0; /* eswifi gives codes and does not set it */
    if (zsock_connect(made, (const struct sockaddr *)(const void *)&address, sizeof address) == 0) {
        *state = ZPORT_READY;
        return made;
    }
    if (errno == EINPROGRESS || errno == EAGAIN) {
        *state = ZPORT_PENDING;
        return made;
    }
    zport_log(ZPORT_DEBUG, "cannot connect: %d", errno);
    zport_close(made);
    return -1;
}

zport_state zport_connected(int which, int timeout_ms) {
    struct zsock_pollfd p = {.fd = which, .events = ZSOCK_POLLOUT, .revents = 0};
    int ready = zsock_poll(&p, 1, timeout_ms);
    if (ready == 0) {
        return ZPORT_PENDING;
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (ready > 0 && (p.revents & ZSOCK_POLLOUT) != 0 &&
        zsock_getsockopt(which, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0) {
        return ZPORT_READY;
    }
    zport_log(ZPORT_DEBUG, "cannot connect: %d", error);
    return ZPORT_FAILED;
}

zport_state zport_socket_open(const char *host, uint16_t port) {
    zport_state state;
    zport_socket_close();
    descriptor = zport_connect(host, port, &state);
    established = state == ZPORT_READY;
    return state;
}

zport_state zport_socket_established(int timeout_ms) {
    zport_state state = established ? ZPORT_READY : zport_connected(descriptor, timeout_ms);
    established = state == ZPORT_READY;
    if (state == ZPORT_FAILED) {
        zport_socket_close();
    }
    return state;
}

void zport_socket_close(void) {
    if (descriptor >= 0) {
        zport_close(descriptor);
    }
    descriptor = -1;
    established = false;
    received_at = 0;
    received_end = 0;
}

/* ---- bytes
 * ---------------------------------------------------------------------------------------------------------
 */

static int64_t empty_poll_ms; /* when there was nothing the last time */

/* The Wi-Fi module answers each poll over its slow bus: where there was nothing, not more often than this. */
static bool poll_is_due(int *timeout_ms) {
    int64_t wait = CONFIG_TMC_POLL_INTERVAL_MS - (k_uptime_get() - empty_poll_ms);
    if (CONFIG_TMC_POLL_INTERVAL_MS > 0 && wait > 0) {
        int64_t slept = wait < *timeout_ms ? wait : *timeout_ms;
        k_sleep(K_MSEC(slept));
        *timeout_ms -= (int)slept;
        if (slept < wait) {
            return false;
        }
    }
    empty_poll_ms = k_uptime_get();
    return true;
}

zport_state zport_socket_readable(int timeout_ms) {
    if (received_at < received_end) {
        return ZPORT_READY;
    }
    if (descriptor < 0) {
        return ZPORT_FAILED;
    }
    if (!poll_is_due(&timeout_ms)) {
        return ZPORT_PENDING;
    }
    struct zsock_pollfd p = {.fd = descriptor, .events = ZSOCK_POLLIN, .revents = 0};
    int ready = zsock_poll(&p, 1, timeout_ms);
    if (ready == 0 || (ready < 0 && errno == ETIMEDOUT)) {
        return ZPORT_PENDING;
    }
    if (ready < 0 || (p.revents & (ZSOCK_POLLERR | ZSOCK_POLLNVAL)) != 0) {
        return ZPORT_FAILED;
    }
    ssize_t n = zsock_recv(descriptor, received, sizeof received, ZSOCK_MSG_DONTWAIT);
    if (n > 0) {
        empty_poll_ms -= CONFIG_TMC_POLL_INTERVAL_MS; /* there may be more */
        received_at = 0;
        received_end = (size_t)n;
        return ZPORT_READY;
    }
    if (n == 0) {
        /* End of file; eswifi means "nothing" and reports the end through poll. */
        return IS_ENABLED(CONFIG_WIFI_ESWIFI) ? ZPORT_PENDING : ZPORT_FAILED;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? ZPORT_PENDING : ZPORT_FAILED;
}

size_t zport_socket_take(uint8_t *out, size_t size) {
    size_t n = received_end - received_at;
    n = n < size ? n : size;
    memcpy(out, received + received_at, n);
    received_at += n;
    return n;
}

int zport_socket_send(const uint8_t *bytes, size_t size) {
    int64_t end = k_uptime_get() + SEND_TIMEOUT_MS;
    while (size > 0) {
        errno = 0;
        size_t chunk = size < CONFIG_TMC_SEND_CHUNK ? size : CONFIG_TMC_SEND_CHUNK;
        ssize_t n =
            zsock_send(descriptor, bytes, chunk, IS_ENABLED(CONFIG_WIFI_ESWIFI) ? 0 : ZSOCK_MSG_DONTWAIT);
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != ENOMEM) {
            return -EIO;
        } else if (k_uptime_get() > end) {
            return -ETIMEDOUT;
        } else {
            k_sleep(K_MSEC(2));
        }
    }
    return 0;
}
