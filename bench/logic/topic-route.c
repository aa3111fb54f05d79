/* Requests by topic: split it, route by verb and channel, answer in JSON. SPDX-License-Identifier: Apache-2.0 */
#include "tmc/port.h"

#include <string.h>

struct text {
    const char *ptr;
    size_t len;
};

#define TEXT(literal) {(literal), sizeof(literal) - 1U}

struct channel {
    struct text name;
    struct text unit;
    int32_t value; /* the last reading, in tenths of a unit */
    int32_t limit;
};

static const struct text topics[] = {
    TEXT("plant/3/get/temperature"),
    TEXT("plant/12/get/pressure"),
    TEXT("plant/3/limit/vibration/75"),
    TEXT("plant/7/get/vibration"),
    TEXT("plant/128/reset/pressure"),
    TEXT("plant/3/get/humidity"),
    TEXT("office/3/get/temperature"),
    TEXT("plant/41/limit/temperature/310"),
};
static struct channel channels[] = {
    {TEXT("temperature"), TEXT("C"), 0, 300},
    {TEXT("pressure"), TEXT("kPa"), 0, 1100},
    {TEXT("vibration"), TEXT("mm/s"), 0, 45},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the answer -------------------------------------------------------------------------------------------- */

static char reply[128];
static size_t reply_len;

static void put(const char *ptr, size_t len) {
    if (len <= sizeof reply - reply_len) {
        memcpy(reply + reply_len, ptr, len);
        reply_len += len;
    }
}

#define PUT(literal) put((literal), sizeof(literal) - 1U)

static void put_number(int32_t value) {
    char digits[11];
    size_t at = sizeof digits;
    uint32_t rest = value < 0 ? 0U - (uint32_t)value : (uint32_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10U);
        rest /= 10U;
    } while (rest != 0U);
    if (value < 0) {
        digits[--at] = '-';
    }
    put(digits + at, sizeof digits - at);
}

/* ---- the request ------------------------------------------------------------------------------------------- */

/* The part of the topic between two slashes, counted from 0; empty when there are fewer. */
static struct text part(struct text topic, int index) {
    const char *start = topic.ptr;
    const char *end = topic.ptr + topic.len;
    for (int i = 0; i < index; i++) {
        const char *slash = memchr(start, '/', (size_t)(end - start));
        if (slash == NULL) {
            return (struct text){end, 0};
        }
        start = slash + 1;
    }
    const char *slash = memchr(start, '/', (size_t)(end - start));
    return (struct text){start, (size_t)((slash == NULL ? end : slash) - start)};
}

static bool equal(struct text a, const char *ptr, size_t len) {
    return a.len == len && memcmp(a.ptr, ptr, len) == 0;
}

#define IS(text, literal) equal((text), (literal), sizeof(literal) - 1U)

/* The number that a text of digits means; -1 for any other. */
static int32_t parse_number(struct text text) {
    if (text.len == 0U || text.len > 9U) {
        return -1;
    }
    int32_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        const int digit = text.ptr[i] - '0';
        if (digit < 0 || digit > 9) {
            return -1;
        }
        value = value * 10 + digit;
    }
    return value;
}

static struct channel *find_channel(struct text name) {
    for (size_t i = 0; i < COUNT(channels); i++) {
        if (equal(name, channels[i].name.ptr, channels[i].name.len)) {
            return &channels[i];
        }
    }
    return NULL;
}

static void refuse(struct text topic) {
    PUT("{\"ok\":false,\"topic\":\"");
    put(topic.ptr, topic.len);
    PUT("\"}");
}

static void begin_answer(int32_t node) {
    PUT("{\"ok\":true,\"node\":");
    put_number(node);
}

static void handle(struct text topic) {
    reply_len = 0U;
    const int32_t node = parse_number(part(topic, 1));
    struct channel *channel = find_channel(part(topic, 3));
    if (!IS(part(topic, 0), "plant") || node < 0 || channel == NULL) {
        refuse(topic);
        return;
    }
    const struct text verb = part(topic, 2);
    if (IS(verb, "get")) {
        channel->value = (channel->value * 7 + node * 13 + 11) % 1500;
        begin_answer(node);
        PUT(",\"channel\":\"");
        put(channel->name.ptr, channel->name.len);
        PUT("\",\"value\":");
        put_number(channel->value);
        PUT(",\"unit\":\"");
        put(channel->unit.ptr, channel->unit.len);
        PUT("\",\"alarm\":");
        if (channel->value > channel->limit) {
            PUT("true");
        } else {
            PUT("false");
        }
        PUT("}");
    } else if (IS(verb, "limit")) {
        channel->limit = parse_number(part(topic, 4));
        begin_answer(node);
        PUT(",\"channel\":\"");
        put(channel->name.ptr, channel->name.len);
        PUT("\",\"limit\":");
        put_number(channel->limit);
        PUT("}");
    } else if (IS(verb, "reset")) {
        channel->value = 0;
        begin_answer(node);
        PUT("}");
    } else {
        refuse(topic);
    }
}

void tmc_program_main(void) {
    uint32_t checksum = 0U;
    for (int round = 0; round < 100; round++) {
        for (size_t t = 0; t < COUNT(topics); t++) {
            handle(topics[t]);
            for (size_t i = 0; i < reply_len; i++) {
                checksum = (checksum << 5) ^ (checksum >> 27) ^ (uint8_t)reply[i];
            }
        }
    }
    tmc_log_str(TMC_STR("topic-route"));
    tmc_log_u32(checksum);
    tmc_log_str((tmc_str){(const uint8_t *)reply, (int32_t)reply_len});
    tmc_log_end();
}
