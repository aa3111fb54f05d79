/*
 * Internal to the Zephyr port: what the node says in CONNECT, and hears in CONNACK (greeting.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_GREETING_H
#define TMC_GREETING_H

#include <zephyr/net/mqtt.h>

/* Fills in who the node is, its last will, and the password where there is one. All of it outlives the
 * connection. */
void zport_greeting(struct mqtt_client *client);
/* What the return code of CONNACK says: MQTT 3.1.1, table 3.1. */
const char *zport_refusal(int code);

#endif
