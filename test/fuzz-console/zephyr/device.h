/* What runtime-c/port/zephyr's console needs of this header, for fuzzing it without Zephyr (session.c).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
struct device {
    int unused;
};
extern const struct device fuzz_uart;
#define DEVICE_DT_GET(node) (&fuzz_uart)
#define DT_CHOSEN(name) 0
static inline bool device_is_ready(const struct device *device) {
    return device != NULL;
}
