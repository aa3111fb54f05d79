/*
 * Internal to the application: bringing the network up. Nothing to do on Ethernet with a fixed address and on
 * native_sim.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_APP_NETWORK_H
#define TMC_APP_NETWORK_H

#include <stdbool.h>

/* Begins. False when a setting is missing: the reason is logged. */
bool network_start(void);
/* True when TCP can be tried; on Wi-Fi, joins again when the network was lost. Call it often; never waits
 * long. */
bool network_ready(void);

#endif
