/*
 * The Zephyr port: MQTT 3.1.1 through Zephyr's client, on the one thread of the app. Clean sessions: every
 * connection starts from nothing; the app announces itself anew. Received messages are taken from the socket
 * one at a time, when the app is ready for the next: what waits, waits in TCP. What
 * CONNECT says: greeting.c. What the app publishes: outgoing.c. How long it waits after a failure: retry.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "greeting.h"
#include "outgoing.h"
#include "retry.h"

#include <errno.h>
#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/net/mqtt.h>
#include <zephyr/net/socket.h>

#define PING_TIMEOUT_MS 5000
#define DRAIN_MS 1000
#define PAYLOAD_SILENT_MS 5000 /* in the middle of a message */
#define PAYLOAD_MS 60000       /* for a whole message */
#define HELD_BACK_MS 10

zport_bus_stats zport_stats;

static struct mqtt_client client;
static enum {
    IDLE,       /* not wanted, or waiting to try again */
    CONNECTING, /* TCP */
    GREETING,   /* CONNECT is sent */
    SESSION,    /* CONNACK arrived */
} phase;
static bool wanted;         /* tmc_port_bus_connect was called */
static bool failed;         /* the connection has ended, poll is to notice */
static bool news_connected; /* for the main loop */
static bool news_disconnected;
static bool have_message;
static int64_t attempt_ms; /* when this attempt began */
static int64_t session_ms; /* when CONNACK arrived */
static int64_t ping_ms;    /* when the last ping was sent */
static int64_t polled_ms;  /* when the last poll ended */

static uint8_t rx_buffer[CONFIG_TMC_TOPIC_MAX + 32]; /* a whole packet, or a PUBLISH up to its payload */
static uint8_t tx_buffer[CONFIG_TMC_TOPIC_MAX * 2 + CONFIG_TMC_WILL_MAX + ZPORT_PASSWORD_MAX +
                         96]; /* CONNECT is the largest */

static char topic_bytes[CONFIG_TMC_TOPIC_MAX + 1];
static uint8_t payload_bytes[CONFIG_TMC_MESSAGE_MAX];
static zport_message message;

/* A PUBLISH whose payload is still in the stream. */
static struct {
    bool any;
    bool topic_fits;
    uint8_t qos;
    uint16_t id;
    uint32_t topic_len;
    uint32_t size;
} arrived;

/* ---- the library's events: they note, poll acts
 * ------------------------------------------------------------------- */

/* Reads `size` bytes of a payload. A slow network is no reason to restart the node: the watchdog is fed while
 * bytes come, up to `end_ms`. */
static bool read_part(uint8_t *out, uint32_t size, int64_t end_ms) {
    int64_t heard_ms = k_uptime_get();
    while (size > 0) {
        int n = mqtt_read_publish_payload(&client, out, size);
        int64_t now = k_uptime_get();
        if (n > 0) {
            out += n;
            size -= (uint32_t)n;
            heard_ms = now;
            zport_watchdog_feed();
        } else if (n != -EAGAIN || zport_transport_readable(100) == ZPORT_FAILED) {
            return false;
        }
        if (now - heard_ms > PAYLOAD_SILENT_MS || now > end_ms) {
            return false;
        }
    }
    return true;
}

/* Reads the payload of a PUBLISH out of the stream, whether there is room for it or not. */
static bool read_payload(uint32_t size) {
    int64_t end_ms = k_uptime_get() + PAYLOAD_MS;
    if (size <= sizeof payload_bytes) {
        return read_part(payload_bytes, size, end_ms);
    }
    while (size > 0) {
        uint32_t part = size < sizeof payload_bytes ? size : (uint32_t)sizeof payload_bytes;
        if (!read_part(payload_bytes, part, end_ms)) {
            return false;
        }
        size -= part;
    }
    return true;
}

/* Notes what the library forgets; the payload stays where it is until take_publish. */
static void on_publish(const struct mqtt_publish_param *p) {
    arrived.any = true;
    arrived.topic_len = p->message.topic.topic.size;
    arrived.topic_fits = arrived.topic_len <= CONFIG_TMC_TOPIC_MAX;
    arrived.qos = p->message.topic.qos;
    arrived.id = p->message_id;
    arrived.size = p->message.payload.len;
    if (arrived.topic_fits && arrived.topic_len > 0) { /* an empty topic is NULL */
        memcpy(topic_bytes, p->message.topic.topic.utf8, arrived.topic_len);
    }
}

/* Not in the event: acknowledging there could call the library's event from inside its event, without a bound
 * on the stack. */
static void take_publish(void) {
    const uint32_t size = arrived.size;
    const bool fits = arrived.topic_fits && size <= sizeof payload_bytes;
    arrived.any = false;
    if (!read_payload(size)) {
        failed = true;
        return;
    }
    if (arrived.qos == MQTT_QOS_1_AT_LEAST_ONCE) {
        struct mqtt_puback_param ack = {.message_id = arrived.id};
        (void)mqtt_publish_qos1_ack(&client, &ack);
    }
    if (!fits) {
        zport_stats.too_large++;
        zport_log(ZPORT_WARN, "dropped a message of %lu bytes", (unsigned long)size);
        return;
    }
    message.topic = (tmc_str){(const uint8_t *)topic_bytes, (int32_t)arrived.topic_len};
    message.payload = (tmc_arr_u8){payload_bytes, (int32_t)size};
    have_message = true;
}

static void on_event(struct mqtt_client *c, const struct mqtt_evt *event) {
    ARG_UNUSED(c);
    switch (event->type) {
    case MQTT_EVT_CONNACK:
        if (event->result != 0) {
            zport_log(ZPORT_WARN, "the broker refused the connection: %s", zport_refusal(event->result));
            failed = true;
            return;
        }
        phase = SESSION;
        session_ms = k_uptime_get();
        news_connected = true;
        zport_outgoing_begin(&client);
        zport_preferred_forget();
        zport_stats.connects++;
        zport_log(ZPORT_INFO, "connected to %s:%u", zport_server_now()->host, zport_server_now()->port);
        return;
    case MQTT_EVT_DISCONNECT:
        failed = true;
        return;
    case MQTT_EVT_PUBLISH:
        on_publish(&event->param.publish);
        return;
    case MQTT_EVT_PUBACK:
        zport_outgoing_acknowledged(event->param.puback.message_id);
        return;
    case MQTT_EVT_SUBACK:
        zport_outgoing_subscribed();
        for (uint32_t i = 0; i < event->param.suback.return_codes.len; i++) {
            if (event->param.suback.return_codes.data[i] > MQTT_SUBACK_SUCCESS_QoS_2) {
                /* A node that hears nothing must not look alive: offline, and tried again. */
                zport_log(ZPORT_WARN, "the broker refused a subscription: connecting anew");
                failed = true;
            }
        }
        return;
    default:
        return;
    }
}

/* ---- a connection from its attempt to its end
 * ------------------------------------------------------------------------ */

/* Closes the connection, whatever its state, without a DISCONNECT packet. */
static void end_connection(void) {
    (void)mqtt_abort(&client);
    zport_transport_close();
    failed = false;
    have_message = false;
    arrived.any = false;
    zport_outgoing_end();
    if (phase == SESSION) {
        zport_stats.disconnects++;
        if (wanted) {
            zport_log(ZPORT_WARN, "connection to %s:%u lost", zport_server_now()->host,
                      zport_server_now()->port);
        }
        if (news_connected) {
            news_connected = false; /* the app has not heard of it: it hears of neither */
        } else {
            news_disconnected = true;
        }
        zport_retry_session_ended(k_uptime_get() - session_ms);
    }
    if (phase == SESSION) {
        zport_server_restart();
    } else if (!zport_server_failed()) {
        zport_retry_at_once();
    }
    phase = IDLE;
}

/* TCP stands: sends CONNECT. */
static bool greet(void) {
    mqtt_client_init(&client);
    client.evt_cb = on_event;
    client.transport.type = MQTT_TRANSPORT_CUSTOM;
    client.rx_buf = rx_buffer;
    client.rx_buf_size = sizeof rx_buffer;
    client.tx_buf = tx_buffer;
    client.tx_buf_size = sizeof tx_buffer;
    zport_greeting(&client);
    int code = mqtt_connect(&client);
    if (code != 0) {
        zport_log(ZPORT_DEBUG, "CONNECT: %d", code);
    }
    return code == 0;
}

void zport_bus_fail(void) {
    failed = true;
}

void zport_bus_init(void) {
    zport_outgoing_init();
    zport_retry_init();
}

static void connect_step(int timeout_ms) {
    zport_state state = ZPORT_PENDING;
    if (phase == IDLE) {
        zport_time_sync();
        attempt_ms = k_uptime_get();
        zport_stats.attempts++;
        phase = CONNECTING;
        state = zport_transport_open(zport_server_now());
    } else {
        state = zport_transport_established(timeout_ms);
    }
    if (state == ZPORT_FAILED) {
        failed = true;
    } else if (state == ZPORT_READY) {
        phase = GREETING;
        failed = !greet();
    }
}

/* While the app computes, nobody looks what the broker says: that time is not the broker's. */
static void excuse(int64_t away_ms) {
    if (away_ms > 0) {
        ping_ms += away_ms;
        zport_outgoing_excuse(away_ms);
    }
}

static void receive_step(int timeout_ms) {
    zport_state state = zport_transport_readable(timeout_ms);
    if (state == ZPORT_READY) {
        zport_outgoing_heard();
    }
    if (state == ZPORT_FAILED || (state == ZPORT_READY && mqtt_input(&client) != 0)) {
        failed = true;
        return;
    }
    if (arrived.any && !failed) {
        int64_t began_ms = k_uptime_get();
        take_publish();
        zport_outgoing_heard();
        excuse(k_uptime_get() - began_ms); /* what waits behind a message that comes slowly */
    }
    if (phase != SESSION) {
        return;
    }
    zport_time_sync();
    if (!zport_transport_valid()) {
        zport_log(ZPORT_ERROR, "the broker's certificate is refused: it is out of date");
        failed = true;
        return;
    }
    bool waiting = client.unacked_ping > 0; /* since the first ping that is not answered */
    if (mqtt_live(&client) == 0 && !waiting) {
        ping_ms = k_uptime_get();
    }
    /* Pings are sent only when nothing else is: a node that publishes notices by the acknowledgements. */
    if ((client.unacked_ping > 0 && k_uptime_get() - ping_ms > PING_TIMEOUT_MS) || zport_outgoing_stalled()) {
        zport_log(ZPORT_WARN, "the broker does not answer");
        failed = true;
    }
    if (!failed && zport_preferred_back()) {
        zport_log(ZPORT_INFO, "%s:%u is there again: going back", zport_server_first()->host,
                  zport_server_first()->port);
        failed = true;
        zport_retry_at_once();
    }
}

static void poll_once(int timeout_ms) {
    int64_t now = k_uptime_get();
    if (phase == IDLE && (!wanted || now < zport_retry_ms())) {
        int64_t left = wanted ? zport_retry_ms() - now : timeout_ms;
        k_sleep(K_MSEC(left < timeout_ms ? left : timeout_ms));
        return;
    }
    if (phase == SESSION && !news_connected) {
        zport_outgoing_flush(); /* the app has announced itself */
        if (zport_outgoing_held_back()) {
            /* More work would be more answers: what waits, waits in TCP. */
            k_sleep(K_MSEC(timeout_ms < HELD_BACK_MS ? timeout_ms : HELD_BACK_MS));
            return;
        }
    }
    if (phase == IDLE || phase == CONNECTING) {
        connect_step(timeout_ms);
    } else {
        receive_step(timeout_ms);
    }
    if (!failed && phase != SESSION && k_uptime_get() - attempt_ms > CONFIG_TMC_CONNECT_TIMEOUT_MS) {
        zport_log(ZPORT_WARN, "%s:%u does not answer as an MQTT broker", zport_server_now()->host,
                  zport_server_now()->port);
        failed = true;
    }
    if (failed) {
        end_connection();
        zport_retry_plan();
    }
}

void zport_bus_poll(int timeout_ms) {
    have_message = false;
    excuse(k_uptime_get() - polled_ms);
    poll_once(timeout_ms);
    polled_ms = k_uptime_get();
}

void zport_bus_network_lost(void) {
    if (phase != IDLE) {
        end_connection();
    }
}

bool zport_bus_take_disconnected(void) {
    bool was = news_disconnected;
    news_disconnected = false;
    return was;
}

bool zport_bus_take_connected(void) {
    bool was = news_connected;
    news_connected = false;
    return was;
}

const zport_message *zport_bus_take_message(void) {
    bool was = have_message;
    have_message = false;
    return was ? &message : NULL;
}

void zport_bus_stop(void) {
    wanted = false;
    int64_t end = k_uptime_get() + DRAIN_MS;
    while (phase == SESSION && !failed && zport_outgoing_waiting() > 0 && k_uptime_get() < end) {
        zport_outgoing_flush();
        receive_step(20);
    }
    if (phase == SESSION) {
        k_sleep(K_MSEC(100)); /* what is on its way to the broker arrives */
    }
    if (phase != IDLE) {
        end_connection();
    }
    k_sleep(K_MSEC(100)); /* the end of the connection arrives too: the broker publishes the will */
}

/* ---- what the app calls
 * -------------------------------------------------------------------------------------------------- */

bool tmc_port_bus_connect(void) {
    wanted = true;
    return true;
}

bool tmc_port_bus_connected(void) {
    return phase == SESSION && !failed;
}
