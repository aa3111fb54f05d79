/*
 * What the bare application lacks of a node's network features (CONFIG_BARE_MORE): keys made on the device
 * and requests for certificates of them, several brokers, messages kept until they are acknowledged.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BARE_MORE_H
#define BARE_MORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zephyr/net/mqtt.h>

/* "keygen": a key pair, kept as the setting bare/key. "csr": a request for a certificate of it, in base64. */
bool more_command(const char *line, const char *id);
/* The next host of a list that is separated by commas. */
const char *more_broker(const char *list);
/* Keeps a message; sends what was not sent in this session. */
bool more_publish(const char *topic, const uint8_t *payload, size_t size);
void more_flush(struct mqtt_client *client);
/* An acknowledgement; a new session. */
void more_acknowledged(uint16_t id);
void more_rewind(void);

#endif
