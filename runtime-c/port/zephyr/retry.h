/*
 * Internal to the Zephyr port: when the next attempt to connect may begin (retry.c), as bus.c sees it. Times
 * are those of k_uptime_get.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_RETRY_H
#define TMC_RETRY_H

#include <stdint.h>

void zport_retry_init(void);
/* There is another broker to try: the next wait is left out. */
void zport_retry_at_once(void);
/* A session has ended: one that lasted makes the waits short again. */
void zport_retry_session_ended(int64_t lasted_ms);
/* An attempt or a session has ended: plans the next attempt. */
void zport_retry_plan(void);
/* The next attempt does not begin before this. */
int64_t zport_retry_ms(void);

#endif
