/* What runtime-c/port/zephyr's console needs of this header, for fuzzing it without Zephyr (session.c).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define ARG_UNUSED(x) (void)(x)
