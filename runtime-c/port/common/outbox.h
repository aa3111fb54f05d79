/*
 * Messages that are kept until the broker has acknowledged them: a bounded queue in one array. It holds
 * copies, in the order they were put in; knows which were sent in the present session, and which in an
 * earlier one too. It sends nothing: a port's bus.c does. What is full refuses the newest; nothing is dropped
 * for it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_OUTBOX_H
#define TMC_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#define TMC_OUTBOX_HEADER 7 /* bytes a message takes beside topic and payload */

typedef struct {
    uint8_t *bytes;
    uint32_t size;
    uint32_t used;
    uint32_t unsent; /* offset of the first message not sent in this session; `used` when there is none */
    uint32_t count;
    uint32_t most; /* the most that `used` was */
} tmc_outbox;

/* Points into the outbox: valid until the next call that changes it. */
typedef struct {
    bool again; /* sent before, in an earlier session */
    const uint8_t *topic;
    uint16_t topic_len;
    const uint8_t *payload;
    uint16_t payload_len;
} tmc_outbox_message;

void tmc_outbox_init(tmc_outbox *box, uint8_t *bytes, uint32_t size);
/* Copies a message to the end. False: no room, or a length above 65535; nothing changes. */
bool tmc_outbox_put(tmc_outbox *box, const uint8_t *topic, uint32_t topic_len, const uint8_t *payload,
                    uint32_t payload_len);
/* The oldest message not sent in this session. */
bool tmc_outbox_next(const tmc_outbox *box, tmc_outbox_message *out);
/* That one is sent, as the packet `id`, which no other sent one has. */
void tmc_outbox_sent(tmc_outbox *box, uint16_t id);
/* Removes the message of this id, if it was sent in this session. False: there is none, or it was not. */
bool tmc_outbox_acknowledged(tmc_outbox *box, uint16_t id);
/* A session ended: what is left is to be sent again in the next. */
void tmc_outbox_rewind(tmc_outbox *box);
/* Waits a message that was sent in this session for the acknowledgement of this id? */
bool tmc_outbox_waits_for(const tmc_outbox *box, uint16_t id);
/* Is that the oldest one? */
bool tmc_outbox_is_oldest(const tmc_outbox *box, uint16_t id);

#endif
