/*
 * A recording in CSV; see csv.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "csv.h"

#include "../common/csv-row.h"

#include <string.h>

static size_t after(const csv *source, size_t at) {
    return at + strlen(source->text + at) + 1;
}

static bool is_empty(const char *line) {
    return line[strspn(line, " \t\r")] == '\0';
}

uint32_t csv_open(csv *out, char *text, size_t size, int32_t most_channels) {
    float frame[8];
    if (memchr(text, '\0', size) != NULL) {
        return 1;
    }
    for (size_t i = 0; i < size; i++) {
        text[i] = text[i] == '\n' ? '\0' : text[i];
    }
    *out = (csv){.text = text, .size = size, .channels = csv_columns(text)};
    if (is_empty(text) || out->channels > most_channels || most_channels > 8 || csv_row(text, 1, frame) ||
        csv_row(text, out->channels, frame)) {
        return 1;
    }
    uint32_t line = 2;
    for (size_t at = after(out, 0); at < size; at = after(out, at), line++) {
        if (is_empty(text + at)) {
            continue; /* mostly the last */
        }
        if (!csv_row(text + at, out->channels, frame)) {
            return line;
        }
        out->first = out->first == 0 ? at : out->first;
    }
    out->next = out->first;
    return out->first != 0 ? 0 : line;
}

void csv_next(csv *source, float *frame) {
    (void)csv_row(source->text + source->next, source->channels, frame);
    do {
        source->next = after(source, source->next);
    } while (source->next < source->size && is_empty(source->text + source->next));
    if (source->next >= source->size) {
        source->next = source->first;
    }
}
