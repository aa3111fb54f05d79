/*
 * The Zephyr port: what the node says in CONNECT: client id, keep-alive, last will and, with the setting
 * tmc/password, its id as user name with that password. Clean sessions: the app announces itself anew. And
 * what a broker's refusal means.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "greeting.h"

#include "outgoing.h"

#include <string.h>
#include <zephyr/sys/util.h>

static struct {
    bool set;
    struct mqtt_topic topic;
    struct mqtt_utf8 payload;
    bool retain;
    uint8_t topic_bytes[CONFIG_TMC_TOPIC_MAX];
    uint8_t payload_bytes[CONFIG_TMC_WILL_MAX];
} will;

bool tmc_port_bus_will(tmc_str topic, tmc_arr_u8 payload, int32_t qos, bool retain) {
    will.set = false;
    if (payload.len < 0 || payload.len > CONFIG_TMC_WILL_MAX || qos < 0 || qos > 1 ||
        !zport_topic_ok(topic)) {
        return false;
    }
    memcpy(will.topic_bytes, topic.ptr, (size_t)topic.len);
    if (payload.len > 0) {
        memcpy(will.payload_bytes, payload.ptr, (size_t)payload.len);
    }
    will.topic.topic = (struct mqtt_utf8){will.topic_bytes, (uint32_t)topic.len};
    will.topic.qos = (uint8_t)qos;
    will.payload = (struct mqtt_utf8){will.payload_bytes, (uint32_t)payload.len};
    will.retain = retain;
    will.set = true;
    return true;
}

void zport_greeting(struct mqtt_client *client) {
    static char password_text[ZPORT_PASSWORD_MAX + 1];
    static struct mqtt_utf8 user;
    static struct mqtt_utf8 password;
    tmc_str id = tmc_port_node_id();
    client->client_id = (struct mqtt_utf8){id.ptr, (uint32_t)id.len};
    client->protocol_version = MQTT_VERSION_3_1_1;
    client->clean_session = 1;
    client->keepalive = CONFIG_TMC_KEEPALIVE_S;
    if (will.set) {
        client->will_topic = &will.topic;
        client->will_message = &will.payload;
        client->will_retain = will.retain ? 1 : 0;
    }
    if (zport_setting_text("password", password_text, sizeof password_text) != NULL) {
        user = client->client_id;
        password = (struct mqtt_utf8){(const uint8_t *)password_text, (uint32_t)strlen(password_text)};
        client->user_name = &user;
        client->password = &password;
    }
}

const char *zport_refusal(int code) {
    static const char *const texts[] = {"accepted",      "protocol version", "client id",
                                        "not available", "name or password", "not authorized"};
    return code >= 0 && (size_t)code < ARRAY_SIZE(texts) ? texts[code] : "no reason given";
}
