/*
 * The posix port: a sensor that replays a CSV file. The first line names the channels, every other line is
 * one frame of numbers separated by commas; after the last frame comes the first. Times are not read: frames
 * come at the rate the app asks for. The file is read once, at the start, and checked whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "posix.h"

#include "../common/csv-row.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Shared by all files; pages that no file needs are never touched. */
static float pool[TMC_POSIX_CSV_VALUES_MAX];
static int32_t pool_used;

static bool read_rows(posix_source *source, const char *path, FILE *file) {
    char text[1024];
    long line = 0;
    while (fgets(text, sizeof text, file) != NULL) {
        size_t n = strlen(text);
        line++;
        if (n == sizeof text - 1 && text[n - 1] != '\n') {
            posix_log(LOG_ERROR, "%s:%ld: the line is longer than %zu bytes", path, line, sizeof text - 2);
            return false;
        }
        text[strcspn(text, "\r\n")] = '\0';
        if (line == 1) {
            source->channels = csv_columns(text);
            float value[TMC_POSIX_CHANNELS_MAX];
            if (source->channels > TMC_POSIX_CHANNELS_MAX || text[0] == '\0' || csv_row(text, 1, value) ||
                csv_row(text, source->channels, value)) {
                posix_log(LOG_ERROR, "%s:1: expected a header of 1-%d channel names", path,
                          TMC_POSIX_CHANNELS_MAX);
                return false;
            }
            continue;
        }
        if (text[0] == '\0') {
            continue; /* an empty line, mostly the last */
        }
        if (pool_used + source->channels > TMC_POSIX_CSV_VALUES_MAX) {
            posix_log(LOG_ERROR, "%s:%ld: more than %d numbers in all CSV files", path, line,
                      TMC_POSIX_CSV_VALUES_MAX);
            return false;
        }
        if (!csv_row(text, source->channels, &pool[pool_used])) {
            posix_log(LOG_ERROR, "%s:%ld: expected %ld finite numbers separated by commas", path, line,
                      (long)source->channels);
            return false;
        }
        pool_used += source->channels;
        source->csv.frames++;
    }
    if (source->csv.frames == 0) {
        posix_log(LOG_ERROR, "%s: no frames", path);
        return false;
    }
    return true;
}

static bool csv_open(posix_source *source, const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        posix_log(LOG_ERROR, "%s: %s", path, strerror(errno));
        return false;
    }
    source->csv.values = &pool[pool_used];
    bool good = read_rows(source, path, file);
    (void)fclose(file);
    return good;
}

static void csv_next(posix_source *source, double period, float *frame) {
    (void)period;
    posix_csv *csv = &source->csv;
    memcpy(frame, &csv->values[csv->cursor * source->channels], sizeof(float) * (size_t)source->channels);
    csv->cursor = (csv->cursor + 1) % csv->frames;
}

const posix_source_kind posix_source_csv = {.prefix = "csv:", .open = csv_open, .next = csv_next};
