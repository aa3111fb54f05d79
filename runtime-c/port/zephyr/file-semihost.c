/*
 * The Zephyr port: reads a file of the host in QEMU, through semihosting.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "zport.h"

#include <zephyr/arch/common/semihost.h>

int32_t zport_file_load(const char *path, char *out, size_t size) {
    long file = semihost_open(path, SEMIHOST_OPEN_RB);
    if (file < 0) {
        return -1;
    }
    long length = semihost_flen(file);
    bool whole = length >= 0 && length <= (long)size && semihost_read(file, out, length) >= 0;
    (void)semihost_close(file);
    return whole ? (int32_t)length : -1;
}
