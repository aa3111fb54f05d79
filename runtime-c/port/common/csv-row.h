/*
 * A line of a recording in CSV, as the ports' replayed sensors read it. Only lines: where they come from and
 * what is done with them is the port's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_CSV_ROW_H
#define TMC_CSV_ROW_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The line has exactly `columns` finite numbers, blanks around them; writes them to out. */
static inline bool csv_row(const char *line, int32_t columns, float *out) {
    const char *p = line;
    for (int32_t c = 0; c < columns; c++) {
        char *end = NULL;
        out[c] = strtof(p, &end);
        if (end == p || !isfinite(out[c])) {
            return false;
        }
        p = end + strspn(end, " \t\r");
        if (c + 1 < columns && *p++ != ',') {
            return false;
        }
    }
    return *p == '\0';
}

/* Columns of the first line, which names them. */
static inline int32_t csv_columns(const char *line) {
    int32_t n = 1;
    for (const char *p = line; *p != '\0'; p++) {
        n += *p == ',' ? 1 : 0;
    }
    return n;
}

#endif
