/* What runtime-c/port/zephyr's console needs of this header, for fuzzing it without Zephyr (session.c).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>
int base64_encode(uint8_t *out, size_t size, size_t *used, const uint8_t *in, size_t in_size);
int base64_decode(uint8_t *out, size_t size, size_t *used, const uint8_t *in, size_t in_size);
