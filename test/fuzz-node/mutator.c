/*
 * Fuzzing of the compiled node: changes a session where it hurts. Mostly one item of CBOR in one request
 * becomes another one, or its head lies; records are repeated, moved, and joined by time and frames. Else
 * libFuzzer changes bytes as it likes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "session.h"

#include <string.h>

#define RECORDS_MAX 64
#define ITEMS_MAX 128

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed);

static uint32_t state;

static uint32_t below(size_t n) {
    state = state * 1664525U + 1013904223U;
    return n == 0 ? 0 : (uint32_t)((state >> 8) % n);
}

/* Whole items, that operations know or stumble over. */
#define ITEM(bytes)                                                                                          \
    { (const uint8_t *)bytes, sizeof(bytes) - 1 }
static const struct {
    const uint8_t *bytes;
    size_t size;
} items[] = {
    ITEM("\x00"),
    ITEM("\x01"),
    ITEM("\x02"),
    ITEM("\x17"),
    ITEM("\x18\x18"),
    ITEM("\x18\xff"),
    ITEM("\x19\x01\x00"),
    ITEM("\x19\x04\x00"),
    ITEM("\x19\xff\xff"),
    ITEM("\x1a\x00\x01\x86\xa0"),
    ITEM("\x1a\x7f\xff\xff\xff"),
    ITEM("\x1a\x80\x00\x00\x00"),
    ITEM("\x1a\xff\xff\xff\xff"),
    ITEM("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"),
    ITEM("\x20"),
    ITEM("\x3a\x7f\xff\xff\xff"),
    ITEM("\x3b\xff\xff\xff\xff\xff\xff\xff\xff"),
    ITEM("\x40"),
    ITEM("\x60"),
    ITEM("\x80"),
    ITEM("\xa0"),
    ITEM("\x81\x81\x81\x81\x81\x80"),
    ITEM("\xc0\xc0\xc0\x00"),
    ITEM("\xf4"),
    ITEM("\xf5"),
    ITEM("\xf6"),
    ITEM("\xf9\x00\x01"),
    ITEM("\xf9\x7c\x00"),
    ITEM("\xf9\x7e\x00"),
    ITEM("\xfa\x7f\x7f\xff\xff"),
    ITEM("\xfa\x00\x00\x00\x01"),
    ITEM("\xfb\x7f\xef\xff\xff\xff\xff\xff\xff"),
    ITEM("\x62n1"),
    ITEM("\x64"
         "edge"),
    ITEM("\x69vibration"),
    ITEM("\x6dvibration@1.0"),
    ITEM("\x6d"
         "accelerometer"),
    ITEM("\x74sensor:accelerometer"),
    ITEM("\x67"
         "chunk:x"),
    ITEM("\x6cnode.monitor"),
    ITEM("\x6dnode.describe"),
    ITEM("\x6enode.configure"),
    ITEM("\x6c"
         "data.collect"),
    ITEM("\x6bmodel.infer"),
    ITEM("\x6fmodel.infer.now"),
    ITEM("\x6cmodel.deploy"),
    ITEM("\x6emodel.undeploy"),
    ITEM("\x6c"
         "collect.rate"),
    ITEM("\x72telemetry.interval"),
};

typedef struct {
    size_t at;
    size_t size; /* head included */
} span;

static size_t records(const uint8_t *data, size_t size, span *out) {
    size_t n = 0;
    for (size_t at = 0; n < RECORDS_MAX && size - at >= RECORD_HEAD; n++) {
        const size_t left = size - at - RECORD_HEAD;
        const size_t said = data[at + 1] | (size_t)data[at + 2] << 8;
        out[n] = (span){at, RECORD_HEAD + (said < left ? said : left)};
        at += out[n].size;
    }
    return n;
}

/* Every item in the bytes, inner ones too: a head and what belongs to it. */
static size_t items_in(const uint8_t *bytes, size_t size, span *out) {
    const uint8_t *const end = bytes + size;
    const uint8_t *at = bytes;
    size_t n = 0;
    while (at != NULL && at < end && n < ITEMS_MAX) {
        int major;
        uint64_t argument;
        const uint8_t *const whole = cbor_skip(at, end);
        const uint8_t *const content = cbor_head(at, end, &major, &argument);
        if (whole == NULL || content == NULL) {
            break;
        }
        out[n++] = (span){(size_t)(at - bytes), (size_t)(whole - at)};
        at = major == 2 || major == 3 ? whole : content;
    }
    return n;
}

/* Puts `size` bytes in the place of `old` at `at`; gives the new size of all, or the old one for want of
 * room. */
static size_t replace(uint8_t *data, size_t all, size_t most, span old, const uint8_t *bytes, size_t size) {
    if (all - old.size + size > most) {
        return all;
    }
    memmove(data + old.at + size, data + old.at + old.size, all - old.at - old.size);
    if (size > 0) {
        memcpy(data + old.at, bytes, size);
    }
    return all - old.size + size;
}

static size_t change_item(uint8_t *data, size_t all, size_t most, const span *of, size_t count) {
    static uint8_t copy[1U << 16];
    static span found[ITEMS_MAX];
    const span record = of[below(count)];
    uint8_t *const bytes = data + record.at + RECORD_HEAD;
    const size_t n = items_in(bytes, record.size - RECORD_HEAD, found);
    if (n == 0) {
        return LLVMFuzzerMutate(data, all, most);
    }
    span item = found[below(n)];
    span target = {item.at + record.at + RECORD_HEAD, item.size};
    size_t after = all;
    switch (below(8)) {
    case 0:
    case 1:
    case 2: {
        const size_t which = below(sizeof items / sizeof items[0]);
        after = replace(data, all, most, target, items[which].bytes, items[which].size);
        break;
    }
    case 3: /* another item of the same request */
    case 4: {
        const span other = found[below(n)];
        memcpy(copy, bytes + other.at, other.size);
        if (below(2) == 0) {
            target.size = 0;
        }
        after = replace(data, all, most, target, copy, other.size);
        break;
    }
    case 5:
        after = replace(data, all, most, target, NULL, 0);
        break;
    case 6: /* a head that lies */
        data[target.at] =
            (uint8_t)(below(2) == 0 ? data[target.at] + 1U : data[target.at] ^ (1U << below(8)));
        break;
    default: { /* content; the head stays */
        int major;
        uint64_t argument;
        const uint8_t *const content =
            cbor_head(bytes + item.at, bytes + item.at + item.size, &major, &argument);
        uint8_t *const from = bytes + (content - bytes);
        const size_t length = item.size - (size_t)(content - (bytes + item.at));
        if (length > 0) {
            (void)LLVMFuzzerMutate(from, length, length);
        } else {
            data[target.at] = (uint8_t)((data[target.at] & 0xe0U) | below(24));
        }
        break;
    }
    }
    const size_t size = record.size - RECORD_HEAD + after - all;
    data[record.at + 1] = (uint8_t)size;
    data[record.at + 2] = (uint8_t)(size >> 8);
    return after;
}

static size_t change_records(uint8_t *data, size_t all, size_t most, const span *of, size_t count) {
    static const uint8_t kinds[] = {RECORD_TICK,    RECORD_CLOCK,  RECORD_LINK,   RECORD_FAULTS,
                                    RECORD_RESTART, RECORD_SENSOR, RECORD_STORAGE};
    static uint8_t copy[1U << 16];
    const span one = of[below(count)];
    const span gap = {of[below(count)].at, 0};
    switch (below(4)) {
    case 0: /* again: a repeated request */
        memcpy(copy, data + one.at, one.size);
        return replace(data, all, most, gap, copy, one.size);
    case 1:
        return count > 1 ? replace(data, all, most, one, NULL, 0) : all;
    case 2:
        data[one.at] = (uint8_t)below(16);
        return all;
    default: {
        const uint8_t made[] = {kinds[below(sizeof kinds)], 2, 0, (uint8_t)below(256),
                                (uint8_t)(below(3) == 0 ? below(256) : 0)};
        return replace(data, all, most, gap, made, sizeof made);
    }
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed) {
    static span found[RECORDS_MAX];
    state = seed * 2654435761U + 12345U;
    const size_t count = records(data, size, found);
    const uint32_t kind = below(16);
    if (count == 0 || kind < 3 || most > 1U << 15) {
        return LLVMFuzzerMutate(data, size, most);
    }
    if (kind < 7) {
        return change_records(data, size, most, found, count);
    }
    for (uint32_t changes = 1 + below(2); changes > 0; changes--) {
        const size_t n = records(data, size, found);
        size = n == 0 ? size : change_item(data, size, most, found, n);
    }
    return size;
}
