/*
 * The Zephyr port: what leaves for the broker. Messages of QoS 1 that are not retained (events, answers) are
 * kept in the outbox until they are acknowledged: what is published while there is no session, and what a
 * session took with it, is sent in the next, in order, after the app has announced itself. Retained messages
 * are not kept: the app publishes them anew in every session. Requests to others are not kept either: late,
 * nobody waits for their answer. When the outbox is full, messages are refused while there is no session; in
 * one they are sent, not kept. The outbox is in RAM: a restart forgets it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outgoing.h"

#include "../common/outbox.h"

#include <string.h>
#include <zephyr/kernel.h>

static struct mqtt_client *session; /* NULL: there is none */
static bool flowing;                /* the app has announced itself */
static uint16_t next_id;            /* of packets with QoS 1 and subscriptions: 1..65535 */
static uint32_t unanswered;         /* subscriptions and messages of QoS 1 that are not kept */
static int64_t answer_ms;   /* the last answer to those, or the first of them after all were answered */
static int64_t progress_ms; /* as answer_ms, for the oldest that is kept */

static int64_t heard_ms; /* when bytes arrived last */
static bool held_back;   /* what is kept waits for its turn */

static uint8_t kept_bytes[CONFIG_TMC_OUTBOX_SIZE];
static tmc_outbox kept;

void zport_outgoing_init(void) {
    tmc_outbox_init(&kept, kept_bytes, sizeof kept_bytes);
}

void zport_outgoing_begin(struct mqtt_client *client) {
    session = client;
    flowing = false;
    unanswered = 0;
}

void zport_outgoing_end(void) {
    session = NULL;
    flowing = false;
    held_back = false;
    tmc_outbox_rewind(&kept);
}

static void ask(void) {
    if (unanswered++ == 0) {
        answer_ms = k_uptime_get();
    }
}

static void answered(void) {
    unanswered -= unanswered > 0 ? 1U : 0U;
    answer_ms = k_uptime_get();
}

void zport_outgoing_acknowledged(uint16_t id) {
    if (tmc_outbox_is_oldest(&kept, id)) {
        progress_ms = k_uptime_get();
    }
    if (!tmc_outbox_acknowledged(&kept, id)) {
        answered();
    }
}

void zport_outgoing_subscribed(void) {
    answered();
}

/* Does anything wait for its acknowledgement since before `begin`? */
static bool waits_since(int64_t begin) {
    return (kept.unsent > 0 && progress_ms < begin) || (unanswered > 0 && answer_ms < begin);
}

bool zport_outgoing_stalled(void) {
    int64_t now = k_uptime_get();
    int64_t silent = CONFIG_TMC_KEEPALIVE_S * 1000LL;
    return (heard_ms < now - silent && waits_since(now - silent)) || waits_since(now - 4 * silent);
}

void zport_outgoing_heard(void) {
    heard_ms = k_uptime_get();
}

void zport_outgoing_excuse(int64_t ms) {
    heard_ms += ms;
    progress_ms += ms;
    answer_ms += ms;
}

uint32_t zport_outgoing_waiting(void) {
    return kept.count;
}

uint32_t zport_outgoing_used(uint32_t *most) {
    *most = kept.most;
    return kept.used;
}

static uint16_t packet_id(void) {
    do {
        next_id = next_id == UINT16_MAX ? 1 : (uint16_t)(next_id + 1);
    } while (tmc_outbox_waits_for(&kept, next_id));
    return next_id;
}

#if CONFIG_TMC_PUBLISH_PER_S > 0
#define SHARE_US (1000000 / CONFIG_TMC_PUBLISH_PER_S)
#define AT_ONCE_US MAX(100000, 4 * SHARE_US)
static int64_t spent_us; /* the shares that were taken reach to here */

/* Room for so many messages now? */
static bool turns_left(int count) {
    const int64_t now = k_ticks_to_us_floor64(k_uptime_ticks());
    if (spent_us < now) {
        spent_us = now;
    }
    return spent_us - now + (int64_t)count * SHARE_US <= AT_ONCE_US;
}

/* Takes a message's share of CONFIG_TMC_PUBLISH_PER_S. False: its turn has not come; `anyway` takes it all
 * the same. */
static bool take_turn(bool anyway) {
    const bool mine = turns_left(1) || anyway;
    spent_us += mine ? SHARE_US : 0;
    return mine;
}
#else
static bool turns_left(int count) {
    ARG_UNUSED(count);
    return true;
}

static bool take_turn(bool anyway) {
    ARG_UNUSED(anyway);
    return true;
}
#endif

bool zport_outgoing_held_back(void) {
    return held_back || !turns_left(2); /* accepted and done */
}

/* One PUBLISH; false: the session is of no use any more. */
static bool send_message(struct mqtt_publish_param *p) {
    if (mqtt_publish(session, p) != 0) {
        zport_bus_fail();
        return false;
    }
    return true;
}

void zport_outgoing_flush(void) {
    tmc_outbox_message next;
    int64_t began_ms = k_uptime_get();
    if (!flowing && session != NULL) {
        flowing = true;
        if (kept.count > 0) {
            zport_log(ZPORT_INFO, "%lu messages were kept", (unsigned long)kept.count);
        }
    }
    held_back = false;
    while (flowing && tmc_port_bus_connected() && tmc_outbox_next(&kept, &next)) {
        held_back = !take_turn(false);
        if (held_back) {
            break;
        }
        struct mqtt_publish_param p = {0};
        p.message.topic.topic = (struct mqtt_utf8){next.topic, next.topic_len};
        p.message.topic.qos = MQTT_QOS_1_AT_LEAST_ONCE;
        p.message.payload.data = (uint8_t *)(uintptr_t)next.payload; /* the library does not write there */
        p.message.payload.len = next.payload_len;
        p.message_id = packet_id();
        p.dup_flag = next.again ? 1 : 0;
        if (kept.unsent == 0) {
            progress_ms = k_uptime_get();
        }
        /* Before it is known that it left: a session that fails sends it again. */
        tmc_outbox_sent(&kept, p.message_id);
        if (!send_message(&p)) {
            return;
        }
    }
    /* Through a Wi-Fi module that takes seconds, in which nobody looked whether acknowledgements arrived. */
    zport_outgoing_excuse(k_uptime_get() - began_ms);
}

/* ---- what the app calls
 * -------------------------------------------------------------------------------------------------- */

bool zport_topic_ok(tmc_str topic) {
    return topic.len >= 1 && topic.len <= CONFIG_TMC_TOPIC_MAX &&
           memchr(topic.ptr, 0, (size_t)topic.len) == NULL;
}

/* t1/SERVER/q/...: a request to another node. */
static bool is_request(tmc_str topic) {
    static const char prefix[] = "t1/";
    static const char middle[] = "/q/";
    tmc_str server = tmc_port_server_id();
    size_t head = sizeof prefix - 1;
    size_t tail = sizeof middle - 1;
    size_t id = (size_t)server.len;
    return (size_t)topic.len >= head + id + tail && memcmp(topic.ptr, prefix, head) == 0 &&
           memcmp(topic.ptr + head, server.ptr, id) == 0 && memcmp(topic.ptr + head + id, middle, tail) == 0;
}

static bool refuse(void) {
    zport_stats.refused++;
    return false;
}

bool tmc_port_bus_publish(tmc_str topic, tmc_arr_u8 payload, int32_t qos, bool retain) {
    if (payload.len < 0 || payload.len > CONFIG_TMC_MESSAGE_MAX || qos < 0 || qos > 1 ||
        !zport_topic_ok(topic)) {
        return refuse();
    }
    bool keep = qos == 1 && !retain && !is_request(topic);
    if (keep && tmc_outbox_put(&kept, topic.ptr, (uint32_t)topic.len, payload.ptr, (uint32_t)payload.len)) {
        zport_stats.published++;
        if (flowing) {
            zport_outgoing_flush();
        }
        return true;
    }
    /* Not before what was published earlier. */
    if (!tmc_port_bus_connected() || (keep && (!flowing || held_back)) || !take_turn(retain)) {
        return refuse();
    }
    struct mqtt_publish_param p = {0};
    p.message.topic.topic = (struct mqtt_utf8){topic.ptr, (uint32_t)topic.len};
    p.message.topic.qos = (uint8_t)qos;
    p.message.payload.data = payload.ptr;
    p.message.payload.len = (uint32_t)payload.len;
    p.message_id = packet_id();
    p.retain_flag = retain ? 1 : 0;
    if (!send_message(&p)) {
        return refuse();
    }
    if (qos == 1) {
        ask();
    }
    zport_stats.published++;
    zport_stats.unkept += keep ? 1U : 0U;
    return true;
}

bool tmc_port_bus_subscribe(tmc_str topic, int32_t qos) {
    if (!tmc_port_bus_connected() || qos < 0 || qos > 1 || !zport_topic_ok(topic)) {
        return false;
    }
    struct mqtt_topic one = {.topic = {topic.ptr, (uint32_t)topic.len}, .qos = (uint8_t)qos};
    struct mqtt_subscription_list list = {.list = &one, .list_count = 1, .message_id = packet_id()};
    if (mqtt_subscribe(session, &list) != 0) {
        zport_bus_fail();
        return false;
    }
    ask();
    return true;
}
