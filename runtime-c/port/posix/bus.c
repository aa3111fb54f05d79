/*
 * The posix port: MQTT 3.1.1 through libmosquitto, on the one thread of the process. Clean sessions: every
 * connection starts from nothing, and what the old one had not delivered is counted and forgotten (the app
 * announces itself anew; a requester that misses an answer asks again and gets the cached one).
 * TLS is the library's (OpenSSL): the broker's certificate and host name are always verified.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "posix.h"

#include <errno.h>
#include <mosquitto.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define ANSWER_RESERVE 64 /* of TMC_POSIX_OUTGOING_MAX: more than the app publishes for one message */
#define CONNECT_TIMEOUT_US 5000000
#define DRAIN_US 1000000
#define CLOSE_US 1000000

posix_bus_stats posix_stats;

static struct mosquitto *client;
static bool wanted;         /* tmc_port_bus_connect was called */
static bool session;        /* CONNACK received, connection not lost yet */
static bool failed;         /* libmosquitto reported the end of the connection */
static bool news_connected; /* for the main loop */
static bool news_disconnected;
static int64_t attempt_us;  /* when this connection was begun */
static int64_t session_us;  /* when CONNACK arrived */
static int64_t retry_us;    /* not before this */
static uint32_t backoff_ms; /* the wait after the next failure, before jitter */
static bool warned;         /* about failures since the last session */
static bool stopping;
static int32_t outgoing; /* published, neither sent (QoS 0) nor acknowledged (QoS 1) */

static struct {
    bool set;
    bool retain;
    int qos;
    int32_t len;
    char topic[TMC_POSIX_TOPIC_MAX + 1];
    uint8_t payload[TMC_POSIX_MESSAGE_MAX];
} will;

/* One warning for a row of failed attempts; the rest are for --log-level debug. */
static void failure(const char *reason) {
    posix_log(warned ? LOG_DEBUG : LOG_WARN, "no connection to %s:%d: %s%s", posix_opt.host, posix_opt.port,
              reason, warned ? "" : " (still trying)");
    warned = true;
}

/* ---- libmosquitto's callbacks: they note, the main loop acts ---- */

static void on_connect(struct mosquitto *m, void *context, int code) {
    (void)m;
    (void)context;
    if (code != 0) {
        failure(mosquitto_connack_string(code));
        failed = true;
        return;
    }
    session = true;
    warned = false;
    session_us = posix_now_us();
    news_connected = true;
    posix_stats.connects++;
    posix_log(LOG_INFO, "connected to %s:%d", posix_opt.host, posix_opt.port);
}

static void on_disconnect(struct mosquitto *m, void *context, int code) {
    (void)m;
    (void)context;
    failed = true;
    if (session) {
        posix_log(LOG_DEBUG, "connection ended: %s", mosquitto_strerror(code));
    } else {
        failure(mosquitto_strerror(code));
    }
}

static void on_publish(struct mosquitto *m, void *context, int id) {
    (void)m;
    (void)context;
    (void)id;
    outgoing--;
}

static void on_subscribe(struct mosquitto *m, void *context, int id, int count, const int *granted) {
    (void)m;
    (void)context;
    (void)id;
    for (int i = 0; i < count; i++) {
        if (granted[i] > 2) {
            /* A node that hears nothing must not look alive: offline, and tried again. */
            posix_log(LOG_WARN, "the broker refused a subscription: connecting anew");
            failed = true;
        }
    }
}

static void on_message(struct mosquitto *m, void *context, const struct mosquitto_message *message) {
    (void)m;
    (void)context;
    posix_trace("< %s %d bytes qos %d%s", message->topic, message->payloadlen, message->qos,
                message->retain ? " retained" : "");
    if (!posix_queue_has_room(1)) {
        posix_deliver(); /* one read of the library may bring as many messages as it has QoS 1 ones in flight
                          */
    }
    posix_queue_push(message->topic, message->payload, message->payloadlen);
}

static void on_log(struct mosquitto *m, void *context, int level, const char *text) {
    (void)m;
    (void)context;
    (void)level;
    posix_log(LOG_DEBUG, "%s", text);
}

/* ---- a connection from its attempt to its end
 * ---------------------------------------------------------------- */

static void schedule_retry(void) {
    uint32_t half = backoff_ms / 2;
    uint32_t wait_ms = half + tmc_port_random_u32() % (backoff_ms - half + 1);
    retry_us = posix_now_us() + (int64_t)wait_ms * 1000;
    backoff_ms = backoff_ms > posix_opt.backoff_max_ms / 2 ? posix_opt.backoff_max_ms : backoff_ms * 2;
    posix_log(LOG_DEBUG, "next attempt in %lu ms", (unsigned long)wait_ms);
}

/* Closes the connection, whatever its state, without a DISCONNECT packet. */
static void end_connection(void) {
    mosquitto_destroy(client);
    client = NULL;
    failed = false;
    posix_queue_clear();
    if (outgoing > 0) {
        posix_stats.unacknowledged += (uint64_t)outgoing;
    }
    outgoing = 0;
    if (session) {
        session = false;
        posix_stats.disconnects++;
        posix_log(stopping ? LOG_INFO : LOG_WARN, "connection to %s:%d %s", posix_opt.host, posix_opt.port,
                  stopping ? "ended" : "lost");
        if (news_connected) {
            news_connected = false; /* the app has not heard of it: it hears of neither */
        } else {
            news_disconnected = true;
        }
        /* Two nodes with one id throw each other out at once: only a session that lasted resets the wait. */
        if (posix_now_us() - session_us >= (int64_t)backoff_ms * 2000) {
            backoff_ms = posix_opt.backoff_min_ms;
        }
    }
}

/* Password and certificates, as the command line says. */
static bool secure_connection(void) {
    int code = MOSQ_ERR_SUCCESS;
    if (posix_opt.password[0] != '\0') {
        code = mosquitto_username_pw_set(client, posix_opt.id, posix_opt.password);
    }
    if (code == MOSQ_ERR_SUCCESS && posix_opt.tls) {
        code =
            mosquitto_tls_set(client, posix_opt.ca_file, NULL, posix_opt.cert_file, posix_opt.key_file, NULL);
    }
    if (code != MOSQ_ERR_SUCCESS) {
        failure(mosquitto_strerror(code));
    }
    return code == MOSQ_ERR_SUCCESS;
}

static bool begin_connection(void) {
    client = mosquitto_new(posix_opt.id, true, NULL);
    if (client == NULL) {
        return false;
    }
    (void)mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);
    (void)mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    (void)mosquitto_max_inflight_messages_set(client, 0); /* `outgoing` is the limit */
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_disconnect_callback_set(client, on_disconnect);
    mosquitto_publish_callback_set(client, on_publish);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_message_callback_set(client, on_message);
    mosquitto_log_callback_set(client, on_log);
    if (will.set &&
        mosquitto_will_set(client, will.topic, will.len, will.payload, will.qos, will.retain) != 0) {
        posix_log(LOG_ERROR, "the last will on %s was refused by the MQTT library", will.topic);
    }
    if (!secure_connection()) {
        return false;
    }
    attempt_us = posix_now_us();
    posix_stats.attempts++;
    /* Host names are resolved here and block; the connection itself does not. */
    int code = mosquitto_connect_async(client, posix_opt.host, posix_opt.port, posix_opt.keepalive_s);
    if (code > 0) {
        failure(code == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(code));
    }
    return code <= 0;
}

bool posix_bus_init(void) {
    backoff_ms = posix_opt.backoff_min_ms;
    if (mosquitto_lib_init() != MOSQ_ERR_SUCCESS) {
        posix_log(LOG_ERROR, "the MQTT library could not be initialised");
        return false;
    }
    return true;
}

static void wait_ms(int timeout_ms) {
    (void)poll(NULL, 0, timeout_ms);
}

static void transfer(int fd, int timeout_ms, bool receive) {
    struct pollfd p = {.fd = fd, .events = 0, .revents = 0};
    p.events = (short)((receive ? POLLIN : 0) | (mosquitto_want_write(client) ? POLLOUT : 0));
    int ready = poll(&p, 1, timeout_ms);
    int code = MOSQ_ERR_SUCCESS;
    if (ready > 0 && (p.revents & POLLOUT) != 0) {
        code = mosquitto_loop_write(client, 1);
    }
    if (ready > 0 && code == MOSQ_ERR_SUCCESS && (p.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        code = mosquitto_loop_read(client, 1);
    }
    if (code == MOSQ_ERR_SUCCESS) {
        code = mosquitto_loop_misc(client); /* keep-alive */
    }
    if (code != MOSQ_ERR_SUCCESS) {
        failed = true;
    }
}

void posix_bus_poll(int timeout_ms) {
    int64_t now = posix_now_us();
    if (client == NULL) {
        if (!wanted || now < retry_us) {
            int64_t left = wanted ? (retry_us - now) / 1000 + 1 : timeout_ms;
            wait_ms(left < timeout_ms ? (int)left : timeout_ms);
            return;
        }
        if (!begin_connection()) {
            end_connection();
            schedule_retry();
            return;
        }
    }
    int fd = mosquitto_socket(client);
    if (fd < 0) {
        failed = true;
    } else {
        /* While the queue is full the rest stays in TCP: the broker waits. But when the app is held up
         * because its answers are not acknowledged, the acknowledgements are behind those messages: read on,
         * and drop what finds no room (counted) rather than an answer. */
        transfer(fd, timeout_ms, posix_queue_has_room(1) || !posix_bus_has_room());
    }
    if (!session && !failed && posix_now_us() - attempt_us > CONNECT_TIMEOUT_US) {
        failure("no answer as an MQTT broker");
        failed = true;
    }
    if (failed) {
        end_connection();
        schedule_retry();
    }
}

bool posix_bus_has_room(void) {
    return outgoing <= TMC_POSIX_OUTGOING_MAX - ANSWER_RESERVE;
}

bool posix_bus_take_disconnected(void) {
    bool was = news_disconnected;
    news_disconnected = false;
    return was;
}

bool posix_bus_take_connected(void) {
    bool was = news_connected;
    news_connected = false;
    return was;
}

void posix_bus_stop(void) {
    int64_t end = posix_now_us() + DRAIN_US;
    while (session && !failed && outgoing > 0 && posix_now_us() < end) {
        transfer(mosquitto_socket(client), 10, true);
    }
    /* End our side and wait until the broker has seen it: it then publishes the last will, which says
     * "offline". A DISCONNECT packet would make it forget the will and keep our retained "online" for ever.
     */
    end = posix_now_us() + CLOSE_US;
    if (session && !failed && shutdown(mosquitto_socket(client), SHUT_WR) == 0) {
        while (!failed && posix_now_us() < end) {
            uint8_t rest[256];
            struct pollfd p = {.fd = mosquitto_socket(client), .events = POLLIN, .revents = 0};
            if (poll(&p, 1, 10) > 0 && recv(p.fd, rest, sizeof rest, MSG_DONTWAIT) <= 0) {
                break;
            }
        }
    }
    wanted = false;
    stopping = true;
    if (client != NULL) {
        end_connection();
    }
    mosquitto_lib_cleanup();
}

/* ---- what the app calls
 * ------------------------------------------------------------------------------------------ */

static bool copy_topic(tmc_str topic, char *out) {
    if (topic.len < 1 || topic.len > TMC_POSIX_TOPIC_MAX || memchr(topic.ptr, 0, (size_t)topic.len) != NULL) {
        return false;
    }
    memcpy(out, topic.ptr, (size_t)topic.len);
    out[topic.len] = '\0';
    return true;
}

bool tmc_port_bus_will(tmc_str topic, tmc_arr_u8 payload, int32_t qos, bool retain) {
    will.set = false;
    if (payload.len < 0 || payload.len > TMC_POSIX_MESSAGE_MAX || qos < 0 || qos > 1 ||
        !copy_topic(topic, will.topic)) {
        return false;
    }
    if (payload.len > 0) {
        memcpy(will.payload, payload.ptr, (size_t)payload.len);
    }
    will.len = payload.len;
    will.qos = qos;
    will.retain = retain;
    will.set = true;
    return true;
}

bool tmc_port_bus_connect(void) {
    wanted = true;
    return true;
}

bool tmc_port_bus_connected(void) {
    return session && !failed;
}

static bool refuse(void) {
    posix_stats.refused++;
    return false;
}

bool tmc_port_bus_publish(tmc_str topic, tmc_arr_u8 payload, int32_t qos, bool retain) {
    char name[TMC_POSIX_TOPIC_MAX + 1];
    if (!tmc_port_bus_connected() || payload.len < 0 || payload.len > TMC_POSIX_MESSAGE_MAX || qos < 0 ||
        qos > 1 || outgoing >= TMC_POSIX_OUTGOING_MAX || !copy_topic(topic, name)) {
        return refuse();
    }
    outgoing++; /* before: on_publish may run inside the call */
    int code = mosquitto_publish(client, NULL, name, payload.len, payload.ptr, qos, retain);
    if (code != MOSQ_ERR_SUCCESS) {
        outgoing--;
        posix_log(LOG_DEBUG, "publish on %s: %s", name, mosquitto_strerror(code));
        return refuse();
    }
    posix_stats.published++;
    posix_trace("> %s %ld bytes qos %ld%s", name, (long)payload.len, (long)qos, retain ? " retained" : "");
    return true;
}

bool tmc_port_bus_subscribe(tmc_str topic, int32_t qos) {
    char name[TMC_POSIX_TOPIC_MAX + 1];
    if (!tmc_port_bus_connected() || qos < 0 || qos > 1 || !copy_topic(topic, name)) {
        return false;
    }
    return mosquitto_subscribe(client, NULL, name, (int)qos) == MOSQ_ERR_SUCCESS;
}
