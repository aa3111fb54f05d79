/*
 * The Zephyr port: what Zephyr's MQTT library calls for its bytes (MQTT_LIB_CUSTOM_TRANSPORT), over one TCP
 * connection, plain (socket.c) or with TLS (tls.c). The connection is opened by bus.c, without blocking.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "stream.h"

#include <errno.h>
#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/net/mqtt.h>

#define READ_TIMEOUT_MS 5000

static enum {
    CLOSED,
    OPENING,   /* TCP */
    SHAKING,   /* TLS */
    CONNECTED, /* bytes of MQTT may pass */
} phase;
static bool secure;
static const zport_server *peer; /* outlives the connection */

zport_state zport_transport_open(const zport_server *server) {
    zport_transport_close();
    secure = server->secure;
    peer = server;
    phase = OPENING;
    if (zport_socket_open(server->host, server->port) == ZPORT_FAILED) {
        zport_transport_close();
        return ZPORT_FAILED;
    }
    return zport_transport_established(0);
}

zport_state zport_transport_established(int timeout_ms) {
    zport_state state = ZPORT_READY;
    if (phase == OPENING) {
        state = zport_socket_established(timeout_ms);
        if (state == ZPORT_READY) {
            phase = secure ? SHAKING : CONNECTED;
            timeout_ms = 0;
            if (secure && !zport_tls_begin(peer)) {
                state = ZPORT_FAILED;
            }
        }
    }
    if (phase == SHAKING && state == ZPORT_READY) {
        state = zport_tls_handshake(timeout_ms);
        if (state == ZPORT_READY) {
            phase = CONNECTED;
        }
    }
    if (state == ZPORT_FAILED) {
        zport_transport_close();
    }
    return state;
}

zport_state zport_transport_readable(int timeout_ms) {
    return secure ? zport_tls_readable(timeout_ms) : zport_socket_readable(timeout_ms);
}

bool zport_transport_valid(void) {
    return !secure || zport_tls_dates_hold();
}

void zport_transport_close(void) {
    if (secure) {
        zport_tls_end();
    }
    zport_socket_close();
    phase = CLOSED;
    secure = false;
}

/* ---- what the MQTT library calls
 * --------------------------------------------------------------------------------------- */

static int send_all(const uint8_t *bytes, size_t size) {
    return secure ? zport_tls_send(bytes, size) : zport_socket_send(bytes, size);
}

int mqtt_client_custom_transport_connect(struct mqtt_client *client) {
    ARG_UNUSED(client);
    return phase == CONNECTED ? 0 : -ENOTCONN;
}

int mqtt_client_custom_transport_write(struct mqtt_client *client, const uint8_t *data, uint32_t datalen) {
    ARG_UNUSED(client);
    return send_all(data, datalen);
}

/* Header and payload of a message leave as one: on eswifi each send is a command of its own, in TLS each is a
 * record. */
int mqtt_client_custom_transport_write_msg(struct mqtt_client *client, const struct msghdr *message) {
    ARG_UNUSED(client);
    static uint8_t staged[CONFIG_TMC_SEND_CHUNK];
    size_t used = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        const uint8_t *bytes = message->msg_iov[i].iov_base;
        size_t left = message->msg_iov[i].iov_len;
        while (left > 0) {
            size_t room = sizeof staged - used;
            size_t n = left < room ? left : room;
            memcpy(staged + used, bytes, n);
            used += n;
            bytes += n;
            left -= n;
            if (used == sizeof staged) {
                int code = send_all(staged, used);
                if (code != 0) {
                    return code;
                }
                used = 0;
            }
        }
    }
    return used > 0 ? send_all(staged, used) : 0;
}

int mqtt_client_custom_transport_read(struct mqtt_client *client, uint8_t *data, uint32_t buflen,
                                      bool shall_block) {
    ARG_UNUSED(client);
    int64_t end = k_uptime_get() + READ_TIMEOUT_MS;
    zport_state state = zport_transport_readable(0);
    while (state == ZPORT_PENDING && shall_block && k_uptime_get() < end) {
        state = zport_transport_readable(100);
    }
    if (state != ZPORT_READY) {
        return state == ZPORT_FAILED ? -ENOTCONN : (shall_block ? -ETIMEDOUT : -EAGAIN);
    }
    return (int)(secure ? zport_tls_take(data, buflen) : zport_socket_take(data, buflen));
}

int mqtt_client_custom_transport_disconnect(struct mqtt_client *client) {
    ARG_UNUSED(client);
    zport_transport_close();
    return 0;
}
