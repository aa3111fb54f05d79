/* What runtime-c/port/zephyr's console needs of this header, for fuzzing it without Zephyr (session.c).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>
uint32_t crc32_ieee(const uint8_t *data, size_t size);
