/* What runtime-c/port/zephyr's console needs of this header, for fuzzing it without Zephyr (session.c).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once
struct mqtt_client;
