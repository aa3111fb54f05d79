/*
 * A recording in CSV; see csv.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The line must have exactly so many finite numbers. */
static bool parse(const char *line, int32_t channels, float *out) {
    const char *p = line;
    for (int32_t c = 0; c < channels; c++) {
        char *end = NULL;
        out[c] = strtof(p, &end);
        if (end == p || !isfinite(out[c])) {
            return false;
        }
        p = end + strspn(end, " \t\r");
        if (c + 1 < channels && *p++ != ',') {
            return false;
        }
    }
    return *p == '\0';
}

static size_t after(const csv *source, size_t at) {
    return at + strlen(source->text + at) + 1;
}

static bool is_empty(const char *line) {
    return line[strspn(line, " \t\r")] == '\0';
}

static int32_t count_channels(const char *line) {
    int32_t n = 1;
    for (const char *p = line; *p != '\0'; p++) {
        n += *p == ',' ? 1 : 0;
    }
    return n;
}

uint32_t csv_open(csv *out, char *text, size_t size, int32_t most_channels) {
    float frame[8];
    if (memchr(text, '\0', size) != NULL) {
        return 1;
    }
    for (size_t i = 0; i < size; i++) {
        text[i] = text[i] == '\n' ? '\0' : text[i];
    }
    *out = (csv){.text = text, .size = size, .channels = count_channels(text)};
    if (is_empty(text) || out->channels > most_channels || most_channels > 8 || parse(text, 1, frame) ||
        parse(text, out->channels, frame)) {
        return 1;
    }
    uint32_t line = 2;
    for (size_t at = after(out, 0); at < size; at = after(out, at), line++) {
        if (is_empty(text + at)) {
            continue; /* mostly the last */
        }
        if (!parse(text + at, out->channels, frame)) {
            return line;
        }
        out->first = out->first == 0 ? at : out->first;
    }
    out->next = out->first;
    return out->first != 0 ? 0 : line;
}

void csv_next(csv *source, float *frame) {
    (void)parse(source->text + source->next, source->channels, frame);
    do {
        source->next = after(source, source->next);
    } while (source->next < source->size && is_empty(source->text + source->next));
    if (source->next >= source->size) {
        source->next = source->first;
    }
}
