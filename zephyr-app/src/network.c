/*
 * The application: network boards that need no joining.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "network.h"

#include <zephyr/kernel.h>

#ifndef CONFIG_TMC_WIFI
bool network_start(void) {
    return true;
}

bool network_ready(void) {
    return true;
}
#endif
