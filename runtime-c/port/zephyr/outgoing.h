/*
 * Internal to the Zephyr port: what leaves for the broker (outgoing.c), as bus.c sees it. One thread (main)
 * uses it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_OUTGOING_H
#define TMC_OUTGOING_H

#include "zport.h"

#include <zephyr/net/mqtt.h>

void zport_outgoing_init(void);
/* A session exists: packets may be sent. What is kept from before waits for zport_outgoing_flush. */
void zport_outgoing_begin(struct mqtt_client *client);
/* Sends what is kept and not sent in this session; from now on messages leave as they are published. */
void zport_outgoing_flush(void);
/* The session ended: what is not acknowledged is to be sent again. */
void zport_outgoing_end(void);
/* PUBACK. */
void zport_outgoing_acknowledged(uint16_t id);
/* SUBACK. */
void zport_outgoing_subscribed(void);
/* True when the oldest of what was sent waits for its acknowledgement: for a keep-alive period in which
 * nothing was heard, or for four: the broker is silent, or the packet did not leave (eswifi does not notice
 * that). */
bool zport_outgoing_stalled(void);
/* Bytes of the broker arrived: slow is not silent. */
void zport_outgoing_heard(void);
/* For so long nobody looked whether acknowledgements arrived. */
void zport_outgoing_excuse(int64_t ms);
/* Fits a topic or filter, and has no zero in it? */
bool zport_topic_ok(tmc_str topic);
/* CONFIG_TMC_PUBLISH_PER_S has no room for what a request makes the app publish. */
bool zport_outgoing_held_back(void);
/* Messages kept. */
uint32_t zport_outgoing_waiting(void);
/* Bytes of CONFIG_TMC_OUTBOX_SIZE in use, and the most that were. */
uint32_t zport_outgoing_used(uint32_t *most);

/* ---- bus.c ---- */

/* The session is of no use any more: the next poll ends it. */
void zport_bus_fail(void);

#endif
