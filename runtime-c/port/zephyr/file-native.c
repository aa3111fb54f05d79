/*
 * The Zephyr port: reads a file of the Linux host on native_sim, whose C library is the host's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "zport.h"

#include <stdio.h>

int32_t zport_file_load(const char *path, char *out, size_t size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return -1;
    }
    size_t got = fread(out, 1, size, file);
    bool whole = fgetc(file) == EOF && ferror(file) == 0;
    (void)fclose(file);
    return whole ? (int32_t)got : -1;
}
