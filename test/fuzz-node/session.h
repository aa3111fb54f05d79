/*
 * Fuzzing of the compiled node: what its files share. An input is a session: records of one byte (what), two
 * bytes (size, little-endian) and that many bytes. What a record does: session.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_FUZZ_SESSION_H
#define TMC_FUZZ_SESSION_H

#include "tmc/port.h"

#define NODE_ID "n1"
#define TOPIC_PREFIX "t1/edge/" NODE_ID "/"
#define MESSAGE_MAX 1024 /* bytes; maxMsg of the node */
#define JOBS 4           /* of firmware/app.ts */
#define RECORD_HEAD 3U
#define KEYS_MAX 4
#define VALUE_MAX 512

/* What a record is; others are requests too. */
enum {
    RECORD_REQUEST = 0,
    RECORD_ARTIFACT = 7, /* the signed file that is served becomes another one */
    RECORD_TOPIC = 8,    /* a message on the topic that it names */
    RECORD_TICK = 9,
    RECORD_CLOCK = 10,
    RECORD_LINK = 11, /* the session with the broker ends, or begins */
    RECORD_FAULTS = 12,
    RECORD_SENSOR = 13,
    RECORD_RESTART = 14,
    RECORD_STORAGE = 15,
};

/* ---- port.c: the port of the node ---- */

extern struct port {
    uint64_t now_us;
    uint32_t boots;
    bool connected;
    bool wanted; /* to be connected */
    bool subscribed;
    bool reliable;   /* nothing was lost in this session */
    uint32_t faults; /* so many publish calls fail */
    uint32_t frames; /* of the sensor, not yet taken */
    uint32_t pattern;
    bool sampling;
    bool storage_fails;
    uint32_t wake_ms;
    bool wake_asked;
    struct {
        uint8_t key[32];
        int32_t key_size;
        uint8_t value[VALUE_MAX];
        int32_t size;
    } stored[KEYS_MAX];
} port;

/* As a session begins. */
void port_begin(void);
/* The first of what is stored becomes these bytes, if there are any. */
void port_damage_setting(const uint8_t *bytes, size_t size);

/* ---- watch.c: what the node may say ---- */

/* Forgets every request. */
void watch_begin(void);
/* A message goes to the node. False: no more can be watched, end the session. */
bool watch_arrival(const uint8_t *bytes, size_t size);
/* The node publishes; `sent`: the port took it. Ends the process when a rule of the bus is broken. */
void watch_publish(tmc_str topic, tmc_arr_u8 payload, int32_t qos, bool retain, bool sent);
/* Between two calls into the node, while nothing was lost: an end that is kept for later is not seen. */
void watch_queue(void);
/* All time has passed; `reliable`: nothing that was published was lost. */
void watch_end(bool reliable);
/* Prints what is wrong and ends the process, for libFuzzer to keep the input. */
_Noreturn void finding(const char *what);

/* ---- slots-port.c: the flash of what comes over the bus ---- */

/* Erased, as a session begins; `with_owner`: there is a key, else nothing is taken. */
void slots_begin(bool with_owner);
/* The write or erase `after` so many fails; 0: none. */
void slots_fail(uint32_t after);

/* ---- served.c: the server that an update comes from ---- */

/* The file as it was made. */
void served_begin(void);
/* Bit 0 of the first byte: the digest is made right again. Then where (two bytes) and which bits (one). */
void served_change(const uint8_t *at, size_t size);
/* What the node published on topic c. */
void served_wish(tmc_arr_u8 payload);
/* The next message of what it wished; gives its size, 0: there is none. */
size_t served_next(uint8_t out[MESSAGE_MAX]);

/* ---- cbor.c: deterministic CBOR ---- */

/* One item, in the core deterministic encoding; gives where it ends, NULL when it is no such item. */
const uint8_t *cbor_item(const uint8_t *at, const uint8_t *end, int depth);
/* One item, well-formed and definite, however it is encoded. Never more than `end`. */
const uint8_t *cbor_skip(const uint8_t *at, const uint8_t *end);
/* A head: major type and argument; gives where its content begins, NULL when there is no head. */
const uint8_t *cbor_head(const uint8_t *at, const uint8_t *end, int *major, uint64_t *argument);

#endif
