/*
 * The record of a boot; see life.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "life.h"

#include <string.h>

#define BEGIN_MARK 0x746d6c66U
#define END_MARK 0x8b929399U /* ~BEGIN_MARK */

enum { RUNNING = 1, ENDED = 2, CRASHED = 3 };

/* Printable text of at most LIFE_WORK_SIZE - 1 characters; the rest becomes 0. */
static void copy_text(char *to, const char *from, size_t size) {
    size_t n = 0;
    while (n < size && n < LIFE_WORK_SIZE - 1 && from[n] >= ' ' && from[n] <= '~') {
        to[n] = from[n];
        n++;
    }
    memset(to + n, 0, LIFE_WORK_SIZE - n);
}

static int is_kind(int32_t kind) {
    return (kind >= 1 && kind <= 8) || kind == LIFE_WATCHDOG || kind == LIFE_FAULT;
}

life_outcome life_before(const life_record *record, life_crash *crash) {
    memset(crash, 0, sizeof *crash);
    if (record->begin != BEGIN_MARK || record->end != END_MARK || record->state < RUNNING ||
        record->state > CRASHED || (record->state == CRASHED && !is_kind(record->kind))) {
        return LIFE_UNKNOWN;
    }
    if (record->state == ENDED) {
        return LIFE_ENDED;
    }
    const int noted = record->state == CRASHED;
    crash->kind = noted ? record->kind : LIFE_WATCHDOG;
    crash->site = noted ? record->site : 0U;
    crash->boot = record->boot;
    const char *work = record->work[0] != '\0' ? record->work : record->entry;
    copy_text(crash->work, work[0] != '\0' ? work : "port", LIFE_WORK_SIZE);
    return noted ? LIFE_CRASHED : LIFE_CUT;
}

void life_begin(life_record *record, uint32_t boot) {
    memset(record, 0, sizeof *record);
    record->boot = boot;
    record->state = RUNNING;
    record->end = END_MARK;
    record->begin = BEGIN_MARK;
}

void life_enter(life_record *record, const char *entry) {
    copy_text(record->entry, entry, LIFE_WORK_SIZE);
}

void life_leave(life_record *record) {
    record->entry[0] = '\0';
    record->work[0] = '\0'; /* a trap may have left it */
}

void life_work(life_record *record, const uint8_t *text, size_t size) {
    copy_text(record->work, (const char *)text, size);
}

void life_end(life_record *record) {
    if (record->state == RUNNING) {
        record->state = ENDED;
    }
}

void life_crashed(life_record *record, int32_t kind, uint32_t site) {
    if (record->state != CRASHED) {
        record->kind = kind;
        record->site = site;
        record->state = CRASHED;
    }
}

int life_valid(life_crash *crash) {
    char text[LIFE_WORK_SIZE];
    memcpy(text, crash->work, sizeof text);
    copy_text(crash->work, text, sizeof text);
    return is_kind(crash->kind);
}
