/*
 * The bare application (with CONFIG_BARE_MORE also more.c): what anybody would write with Zephyr alone. Joins
 * the Wi-Fi network of its settings, asks for the time, connects to its broker with mutual TLS, subscribes
 * and echoes, and takes settings as lines "NAME VALUE" from the console. It is built to be measured (npm run
 * bench:footprint), not run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>
#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/net/mqtt.h>
#include <zephyr/net/net_if.h>
#include <zephyr/net/net_mgmt.h>
#include <zephyr/net/sntp.h>
#include <zephyr/net/socket.h>
#include <zephyr/net/tls_credentials.h>
#include <zephyr/net/wifi_mgmt.h>
#include <zephyr/settings/settings.h>
#include <zephyr/sys/printk.h>
#include <zephyr/sys/reboot.h>

#ifdef CONFIG_BARE_MORE
#include "more.h"
#endif

#define TAG 1
#define MESSAGE_MAX 2048
#define CREDENTIAL_MAX 1024
#define LINE_MAX 192

static struct {
    const char *name;
    uint8_t bytes[CREDENTIAL_MAX];
    size_t size;
} credentials[] = {{.name = "ca"}, {.name = "cert"}, {.name = "key"}};
static struct {
    const char *name;
    char text[128];
} texts[] = {
    {.name = "id"}, {.name = "server"}, {.name = "wifi-ssid"}, {.name = "wifi-psk"}, {.name = "sntp"}};
enum { ID, SERVER, SSID, PSK, SNTP };

static uint8_t rx_buffer[MESSAGE_MAX];
static uint8_t tx_buffer[MESSAGE_MAX];
static uint8_t payload[MESSAGE_MAX];
static struct mqtt_client client;
static struct sockaddr_in broker;
static volatile bool joined;
static bool connected;

/* ---- settings and console ---- */

static int on_setting(const char *key, size_t size, settings_read_cb read, void *context) {
    for (size_t i = 0; i < ARRAY_SIZE(credentials); i++) {
        if (strcmp(key, credentials[i].name) == 0 && size <= CREDENTIAL_MAX) {
            credentials[i].size = MAX(read(context, credentials[i].bytes, size), 0);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (strcmp(key, texts[i].name) == 0 && size < sizeof texts[i].text) {
            texts[i].text[MAX(read(context, texts[i].text, size), 0)] = '\0';
        }
    }
    return 0;
}

SETTINGS_STATIC_HANDLER_DEFINE(bare, "bare", NULL, on_setting, NULL, NULL);

static void poll_console(void) {
    static const struct device *const uart = DEVICE_DT_GET(DT_CHOSEN(zephyr_console));
    static char line[LINE_MAX];
    static size_t length;
    unsigned char c;
    while (uart_poll_in(uart, &c) == 0) {
        if (c != '\n') {
            line[length] = (char)c;
            length = MIN(length + 1, sizeof line - 1);
            continue;
        }
        line[length] = '\0';
        length = 0;
#ifdef CONFIG_BARE_MORE
        if (more_command(line, texts[ID].text)) {
            continue;
        }
#endif
        char name[32] = "bare/";
        char *value = strchr(line, ' ');
        if (value != NULL && value - line < 20) {
            *value++ = '\0';
            strcat(name, line);
            printk("%s: %d\n", name, settings_save_one(name, value, strlen(value)));
        } else if (strcmp(line, "restart") == 0) {
            sys_reboot(SYS_REBOOT_COLD);
        }
    }
}

/* ---- Wi-Fi ---- */

#ifdef CONFIG_WIFI
static struct net_mgmt_event_callback events;

static void on_event(struct net_mgmt_event_callback *callback, uint64_t event, struct net_if *iface) {
    ARG_UNUSED(iface);
    const struct wifi_status *status = callback->info;
    joined = event == NET_EVENT_WIFI_CONNECT_RESULT && (status == NULL || status->status == 0);
}

static void join(void) {
    struct wifi_connect_req_params request = {
        .ssid = (const uint8_t *)texts[SSID].text,
        .ssid_length = (uint8_t)strlen(texts[SSID].text),
        .psk = (const uint8_t *)texts[PSK].text,
        .psk_length = (uint8_t)strlen(texts[PSK].text),
        .channel = WIFI_CHANNEL_ANY,
        .security = texts[PSK].text[0] != '\0' ? WIFI_SECURITY_TYPE_PSK : WIFI_SECURITY_TYPE_NONE,
        .timeout = SYS_FOREVER_MS,
    };
    static bool listening;
    if (!listening) {
        net_mgmt_init_event_callback(&events, on_event,
                                     NET_EVENT_WIFI_CONNECT_RESULT | NET_EVENT_WIFI_DISCONNECT_RESULT);
        net_mgmt_add_event_callback(&events);
        listening = true;
    }
    printk("join: %d\n", net_mgmt(NET_REQUEST_WIFI_CONNECT, net_if_get_default(), &request, sizeof request));
}
#else
static void join(void) {
    joined = true;
}
#endif

/* ---- MQTT ---- */

static void echo(const struct mqtt_publish_param *message) {
    const size_t size = MIN(message->message.payload.len, sizeof payload);
    if (mqtt_readall_publish_payload(&client, payload, size) != 0) {
        return;
    }
#ifdef CONFIG_BARE_MORE
    (void)more_publish("echo", payload, size);
    more_flush(&client);
#else
    struct mqtt_publish_param answer = {
        .message = {.topic = {.topic = {.utf8 = (const uint8_t *)"echo", .size = 4}, .qos = 1},
                    .payload = {.data = payload, .len = size}},
        .message_id = message->message_id,
    };
    (void)mqtt_publish(&client, &answer);
#endif
    const struct mqtt_puback_param ack = {.message_id = message->message_id};
    (void)mqtt_publish_qos1_ack(&client, &ack);
}

static void on_mqtt(struct mqtt_client *c, const struct mqtt_evt *event) {
    if (event->type == MQTT_EVT_CONNACK && event->result == 0) {
        struct mqtt_topic topic = {.topic = {.utf8 = (const uint8_t *)"ask", .size = 3}, .qos = 1};
        const struct mqtt_subscription_list list = {.list = &topic, .list_count = 1, .message_id = 1};
        connected = true;
        (void)mqtt_subscribe(c, &list);
#ifdef CONFIG_BARE_MORE
        more_rewind();
        more_flush(c);
    } else if (event->type == MQTT_EVT_PUBACK) {
        more_acknowledged(event->param.puback.message_id);
#endif
    } else if (event->type == MQTT_EVT_DISCONNECT) {
        connected = false;
    } else if (event->type == MQTT_EVT_PUBLISH) {
        echo(&event->param.publish);
    }
}

static const char *host;

static bool resolve(void) {
#ifdef CONFIG_BARE_MORE
    host = more_broker(texts[SERVER].text);
#else
    host = texts[SERVER].text;
#endif
    const struct zsock_addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct zsock_addrinfo *found = NULL;
    if (zsock_getaddrinfo(host, "8883", &hints, &found) != 0) {
        return false;
    }
    memcpy(&broker, found->ai_addr, sizeof broker);
    zsock_freeaddrinfo(found);
    return true;
}

static int connect_to_broker(void) {
    static const sec_tag_t tags[] = {TAG};
    static struct mqtt_topic will_topic = {.topic = {.utf8 = (const uint8_t *)"will", .size = 4}, .qos = 1};
    static struct mqtt_utf8 will = {.utf8 = (const uint8_t *)"offline", .size = 7};
    mqtt_client_init(&client);
    client.broker = &broker;
    client.evt_cb = on_mqtt;
    client.client_id = (struct mqtt_utf8){(const uint8_t *)texts[ID].text, strlen(texts[ID].text)};
    client.will_topic = &will_topic;
    client.will_message = &will;
    client.will_retain = 1;
    client.rx_buf = rx_buffer;
    client.rx_buf_size = sizeof rx_buffer;
    client.tx_buf = tx_buffer;
    client.tx_buf_size = sizeof tx_buffer;
    client.transport.type = MQTT_TRANSPORT_SECURE;
    client.transport.tls.config = (struct mqtt_sec_config){
        .peer_verify = TLS_PEER_VERIFY_REQUIRED,
        .sec_tag_list = tags,
        .sec_tag_count = ARRAY_SIZE(tags),
        .hostname = host,
    };
    return mqtt_connect(&client);
}

int main(void) {
    struct sntp_time time;
    (void)settings_subsys_init();
    (void)settings_load();
    for (size_t i = 0; i < ARRAY_SIZE(credentials); i++) {
        static const enum tls_credential_type types[] = {
            TLS_CREDENTIAL_CA_CERTIFICATE, TLS_CREDENTIAL_PUBLIC_CERTIFICATE, TLS_CREDENTIAL_PRIVATE_KEY};
        (void)tls_credential_add(TAG, types[i], credentials[i].bytes, credentials[i].size);
    }
    join();
    while (!joined) {
        poll_console();
        k_sleep(K_MSEC(100));
    }
    printk("time: %d\n", sntp_simple(texts[SNTP].text, 2000, &time));
    for (int wait_ms = 1000;; wait_ms = MIN(2 * wait_ms, 60000)) {
        if (resolve() && connect_to_broker() == 0) {
            struct zsock_pollfd fd = {.fd = client.transport.tls.sock, .events = ZSOCK_POLLIN};
            while (zsock_poll(&fd, 1, 1000) >= 0 && mqtt_input(&client) == 0) {
                (void)mqtt_live(&client);
#ifdef CONFIG_BARE_MORE
                if (client.unacked_ping > 1 || !joined) {
                    break; /* a broker that falls silent is left */
                }
#endif
                poll_console();
                wait_ms = connected ? 500 : wait_ms;
            }
            (void)mqtt_abort(&client);
        }
        poll_console();
        k_sleep(K_MSEC(wait_ms));
#ifdef CONFIG_BARE_MORE
        if (!joined) {
            join();
        }
#endif
    }
}
