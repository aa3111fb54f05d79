/*
 * Internal to the Zephyr port: the bytes under MQTT. socket.c is one TCP connection, tls.c is TLS over it;
 * transport.c chooses. One thread (main) uses them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_STREAM_H
#define TMC_STREAM_H

#include "zport.h"

#include <zephyr/net/socket.h>

/* ---- socket.c ---- */

/* IPv4 address of a name or dotted quad; a failure is logged. */
bool zport_resolve(const char *host, uint16_t port, struct sockaddr_in *out);
/* Begins a connection of one's own: the descriptor, -1 when `state` says that it failed. */
int zport_connect(const char *host, uint16_t port, zport_state *state);
/* Waits up to timeout_ms for it. */
zport_state zport_connected(int descriptor, int timeout_ms);
/* Closes any of these, and of others. */
void zport_close(int descriptor);
/* Begins the connection to the broker; waits for it; waits for bytes of it. Each waits up to timeout_ms. */
zport_state zport_socket_open(const char *host, uint16_t port);
zport_state zport_socket_established(int timeout_ms);
zport_state zport_socket_readable(int timeout_ms);
/* Moves bytes that arrived, up to `size`; 0 when there are none. Never waits. */
size_t zport_socket_take(uint8_t *out, size_t size);
/* Sends all within five seconds, or gives a negative errno. */
int zport_socket_send(const uint8_t *bytes, size_t size);
void zport_socket_close(void);

/* ---- tls.c ---- */

/* Prepares a session with the broker over the socket, which is connected. False: the credentials are
 * unusable; logged. */
bool zport_tls_begin(const zport_server *server);
/* One step of the handshake, waiting up to timeout_ms for the other side. */
zport_state zport_tls_handshake(int timeout_ms);
/* Waits up to timeout_ms for bytes of the application. */
zport_state zport_tls_readable(int timeout_ms);
size_t zport_tls_take(uint8_t *out, size_t size);
int zport_tls_send(const uint8_t *bytes, size_t size);
void zport_tls_end(void);
/* False when the clock, known by now, says that a certificate of the running session is not valid (yet or any
 * more). */
bool zport_tls_dates_hold(void);

/* Bytes of the arena in use, and the most that were; 0 without CONFIG_MBEDTLS_MEMORY_DEBUG. */
size_t zport_tls_memory(size_t *most);

#endif
