/*
 * The outbox: records one after the other from the start of the array, each a header and its topic and
 * payload. Removing one moves those behind it down: acknowledgements come in order, so that is seldom more
 * than the rest of a few kilobytes, and in exchange every byte is of use and every message is in one piece.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outbox.h"

#include <string.h>

/* Header: id, length of topic, length of payload, each 2 bytes, little-endian; flags. */
#define WAS_SENT 1U

static uint16_t number_at(const uint8_t *bytes) {
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static void put_number(uint8_t *bytes, uint32_t value) {
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static uint32_t record_size(const uint8_t *record) {
    return TMC_OUTBOX_HEADER + (uint32_t)number_at(record + 2) + number_at(record + 4);
}

/* The record sent in this session under this id; `unsent` when there is none. */
static uint32_t find(const tmc_outbox *box, uint16_t id) {
    uint32_t at = 0;
    while (at < box->unsent && number_at(box->bytes + at) != id) {
        at += record_size(box->bytes + at);
    }
    return at;
}

void tmc_outbox_init(tmc_outbox *box, uint8_t *bytes, uint32_t size) {
    *box = (tmc_outbox){.bytes = bytes, .size = size};
}

bool tmc_outbox_put(tmc_outbox *box, const uint8_t *topic, uint32_t topic_len, const uint8_t *payload,
                    uint32_t payload_len) {
    if (topic_len > UINT16_MAX || payload_len > UINT16_MAX ||
        TMC_OUTBOX_HEADER + topic_len + payload_len > box->size - box->used) {
        return false;
    }
    uint8_t *record = box->bytes + box->used;
    put_number(record, 0);
    put_number(record + 2, topic_len);
    put_number(record + 4, payload_len);
    record[6] = 0;
    if (topic_len > 0) {
        memcpy(record + TMC_OUTBOX_HEADER, topic, topic_len);
    }
    if (payload_len > 0) {
        memcpy(record + TMC_OUTBOX_HEADER + topic_len, payload, payload_len);
    }
    box->used += record_size(record);
    box->most = box->used > box->most ? box->used : box->most;
    box->count++;
    return true;
}

bool tmc_outbox_next(const tmc_outbox *box, tmc_outbox_message *out) {
    if (box->unsent >= box->used) {
        return false;
    }
    const uint8_t *record = box->bytes + box->unsent;
    out->again = (record[6] & WAS_SENT) != 0;
    out->topic_len = number_at(record + 2);
    out->payload_len = number_at(record + 4);
    out->topic = record + TMC_OUTBOX_HEADER;
    out->payload = out->topic + out->topic_len;
    return true;
}

void tmc_outbox_sent(tmc_outbox *box, uint16_t id) {
    if (box->unsent < box->used) {
        uint8_t *record = box->bytes + box->unsent;
        put_number(record, id);
        record[6] |= WAS_SENT;
        box->unsent += record_size(record);
    }
}

bool tmc_outbox_acknowledged(tmc_outbox *box, uint16_t id) {
    uint32_t at = find(box, id);
    if (at >= box->unsent) {
        return false;
    }
    uint32_t size = record_size(box->bytes + at);
    memmove(box->bytes + at, box->bytes + at + size, box->used - at - size);
    box->used -= size;
    box->unsent -= size;
    box->count--;
    return true;
}

void tmc_outbox_rewind(tmc_outbox *box) {
    box->unsent = 0;
}

bool tmc_outbox_waits_for(const tmc_outbox *box, uint16_t id) {
    return find(box, id) < box->unsent;
}

bool tmc_outbox_is_oldest(const tmc_outbox *box, uint16_t id) {
    return box->unsent > 0 && number_at(box->bytes) == id;
}
