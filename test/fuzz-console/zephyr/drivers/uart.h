/* What runtime-c/port/zephyr's console needs of this header, for fuzzing it without Zephyr (session.c).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <zephyr/device.h>
int uart_poll_in(const struct device *device, unsigned char *c);
