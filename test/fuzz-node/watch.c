/*
 * Fuzzing of the compiled node: the rules of the bus that hold whatever it is sent. An answer has the
 * identity of a request that arrived; there are at most as many terminal answers as arrivals; nothing is
 * larger than maxMsg or on a foreign topic; everything decodes, deterministically encoded; at most JOBS
 * requests are accepted and open; no operation of the image traps; and, when nothing was lost, every sound
 * request is answered.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS_MAX 256

typedef struct {
    uint32_t id;
    uint32_t boot;
    uint8_t sender_size;
    uint8_t sender[23];
    uint32_t arrivals;
    uint32_t terminals; /* sent */
    bool sound;         /* one of them was a whole message */
    bool open;          /* accepted, not ended */
} request;

static request requests[REQUESTS_MAX];
static size_t count;

void finding(const char *what) {
    fprintf(stderr, "FINDING: %s\n", what);
    abort();
}

void watch_begin(void) {
    count = 0;
}

static request *known(const request *wanted) {
    for (size_t i = 0; i < count; i++) {
        request *const r = &requests[i];
        if (r->id == wanted->id && r->boot == wanted->boot && r->sender_size == wanted->sender_size &&
            memcmp(r->sender, wanted->sender, r->sender_size) == 0) {
            return r;
        }
    }
    return NULL;
}

static bool is_id(const uint8_t *at, uint64_t size) {
    for (uint64_t i = 0; i < size; i++) {
        const bool letter = at[i] >= 'a' && at[i] <= 'z';
        if (!letter && !(at[i] >= '0' && at[i] <= '9') && at[i] != '-') {
            return false;
        }
    }
    return size >= 1 && size <= 23;
}

/* Keys 0 to 3 of a map, in whatever order. False when not all are there. */
static bool identity(const uint8_t *at, const uint8_t *end, request *out) {
    int major;
    uint64_t pairs;
    unsigned int seen = 0;
    memset(out, 0, sizeof *out);
    at = cbor_head(at, end, &major, &pairs);
    if (at == NULL || major != 5) {
        return false;
    }
    for (uint64_t i = 0; i < pairs && seen != 15; i++) {
        int type;
        uint64_t key;
        uint64_t argument;
        at = cbor_head(at, end, &major, &key);
        const uint8_t *const value = cbor_head(at, end, &type, &argument);
        if (value == NULL || major > 1) {
            return false;
        }
        if (major == 0 && key < 3 && type == 0 && argument <= UINT32_MAX) {
            seen |= 1U << key;
            if (key > 0) {
                *(key == 1 ? &out->id : &out->boot) = (uint32_t)argument;
            }
        } else if (major == 0 && key == 3 && type == 3 && argument <= (uint64_t)(end - value) &&
                   is_id(value, argument)) {
            seen |= 8U;
            out->sender_size = (uint8_t)argument;
            memcpy(out->sender, value, (size_t)argument);
        }
        at = cbor_skip(at, end);
        if (at == NULL) {
            return seen == 15;
        }
    }
    return seen == 15;
}

bool watch_arrival(const uint8_t *bytes, size_t size) {
    request arrived;
    if (!identity(bytes, bytes + size, &arrived)) {
        return true;
    }
    request *r = known(&arrived);
    if (r == NULL) {
        if (count == REQUESTS_MAX) {
            return false;
        }
        r = &requests[count++];
        *r = arrived;
    }
    r->arrivals++;
    r->sound = r->sound || (size <= MESSAGE_MAX && cbor_item(bytes, bytes + size, 0) == bytes + size);
    return true;
}

/* ---- answers ---- */

static void check_error(const uint8_t *at, const uint8_t *end) {
    int major;
    uint64_t pairs;
    uint64_t key;
    uint64_t code;
    at = cbor_head(at, end, &major, &pairs);
    if (at == NULL || major != 5 || pairs == 0) {
        finding("an error is no map");
    }
    at = cbor_head(at, end, &major, &key);
    at = cbor_head(at, end, &major, &code);
    if (at == NULL || key != 0 || major != 0 || code < 1 || code > 16) {
        finding("an error without a code of the protocol");
    }
    if (code == 14 || code == 16) {
        finding("an operation of the image trapped or did not finish");
    }
}

static void check_answer(const uint8_t *at, const uint8_t *end, bool sent) {
    request answered;
    if (!identity(at, end, &answered)) {
        finding("an answer without identity");
    }
    request *const r = known(&answered);
    if (r == NULL) {
        finding("an answer to a request that was never sent");
    }
    int major;
    uint64_t pairs;
    uint64_t stage = 0;
    unsigned int seen = 0;
    at = cbor_head(at, end, &major, &pairs);
    for (uint64_t i = 0; i < pairs; i++) {
        uint64_t key;
        at = cbor_head(at, end, &major, &key);
        if (at == NULL || major != 0 || key > 11) {
            finding("an answer with a key that answers do not have");
        }
        seen |= 1U << key;
        if (key == 4) {
            (void)cbor_head(at, end, &major, &stage);
        } else if (key == 6) {
            check_error(at, end);
        }
        at = cbor_skip(at, end);
    }
    const bool accepted = stage == 1 && seen == 0x3fU;
    const bool done = stage == 2 && (seen & 0xc3fU) == 0xc3fU && ((seen & 64U) == 0 || (seen & 0x380U) == 0);
    if (!accepted && !done) {
        finding("an answer whose keys do not belong together");
    }
    r->open = accepted;
    if (done && sent && ++r->terminals > r->arrivals) {
        finding("more terminal answers than requests");
    }
}

void watch_publish(tmc_str topic, tmc_arr_u8 payload, int32_t qos, bool retain, bool sent) {
    const int32_t prefix = (int32_t)sizeof TOPIC_PREFIX - 1;
    if (topic.len != prefix + 1 || memcmp(topic.ptr, TOPIC_PREFIX, (size_t)prefix) != 0) {
        finding("published on a foreign topic");
    }
    const char kind = (char)topic.ptr[prefix];
    if (strchr("bsyec", kind) == NULL || qos != 1 || retain != (kind == 'b' || kind == 's')) {
        finding("published on a topic of others, or with wrong flags");
    }
    if (payload.len < 1 || payload.len > MESSAGE_MAX) {
        finding("a payload that is empty or above maxMsg");
    }
    const uint8_t *const end = payload.ptr + payload.len;
    if (*payload.ptr >> 5 != 5 || cbor_item(payload.ptr, end, 0) != end) {
        for (int32_t i = 0; i < payload.len; i++) {
            fprintf(stderr, "%02x", payload.ptr[i]);
        }
        fprintf(stderr, "\n");
        finding("a payload that is no map in deterministic CBOR");
    }
    if (kind == 'y') {
        check_answer(payload.ptr, end, sent);
    }
}

void watch_queue(void) {
    int open = 0;
    for (size_t i = 0; i < count; i++) {
        open += requests[i].open ? 1 : 0;
    }
    if (open > JOBS) {
        finding("more requests accepted and open than the node says it keeps");
    }
}

void watch_end(bool reliable) {
    for (size_t i = 0; i < count; i++) {
        if (reliable && requests[i].open) {
            finding("a request was accepted and never ended");
        }
        if (reliable && requests[i].sound && requests[i].terminals == 0) {
            finding("a sound request was never answered");
        }
    }
}
