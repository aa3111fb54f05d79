/*
 * The Zephyr port: which brokers there are, in order of preference, and which one is next. The list is of the
 * first of: the emulator's command line, the setting tmc/server, Kconfig; its parts are separated by commas.
 * A connection that ends is tried again from the first; an attempt that fails goes on to the next.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "zport.h"

#include <stdlib.h>
#include <string.h>
#include <zephyr/kernel.h>

#define MQTT_PORT 1883
#define MQTTS_PORT 8883

static zport_server servers[CONFIG_TMC_SERVERS_MAX];
static int32_t count;
static int32_t current;

/* HOST[:PORT] up to `end` (exclusive). */
static bool take_address(const char *text, const char *end, char *host, uint16_t *port) {
    const char *colon = memchr(text, ':', (size_t)(end - text));
    size_t n = (size_t)((colon != NULL ? colon : end) - text);
    if (n < 1 || n > ZPORT_HOST_MAX || memchr(text, '/', n) != NULL || memchr(text, ' ', n) != NULL) {
        return false;
    }
    if (colon != NULL) {
        char *rest = NULL;
        long number = strtol(colon + 1, &rest, 10);
        if (rest != end || number < 1 || number > 65535) {
            return false;
        }
        *port = (uint16_t)number;
    }
    memcpy(host, text, n);
    host[n] = '\0';
    return true;
}

/* mqtt://HOST[:PORT] or mqtts://HOST[:PORT], a final slash, or the same without a scheme (plain). */
static bool take_server(const char *text, const char *end, zport_server *out) {
    static const char plain[] = "mqtt://";
    static const char tls[] = "mqtts://";
    size_t n = (size_t)(end - text);
    out->secure = n >= sizeof tls - 1 && memcmp(text, tls, sizeof tls - 1) == 0;
    if (out->secure) {
        text += sizeof tls - 1;
    } else if (n >= sizeof plain - 1 && memcmp(text, plain, sizeof plain - 1) == 0) {
        text += sizeof plain - 1;
    }
    if (end > text && end[-1] == '/') {
        end--;
    }
    out->port = out->secure ? MQTTS_PORT : MQTT_PORT;
    return take_address(text, end, out->host, &out->port);
}

/* All or none of the list. */
static bool take_list(const char *source, const char *text) {
    if (text == NULL || text[0] == '\0') {
        return false;
    }
    count = 0;
    const char *part = text;
    for (;;) {
        const char *end = strchr(part, ',');
        const char *stop = end != NULL ? end : part + strlen(part);
        if (count == CONFIG_TMC_SERVERS_MAX || !take_server(part, stop, &servers[count])) {
            zport_log(ZPORT_ERROR,
                      "%s \"%s\": expected up to %d of mqtt[s]://HOST[:PORT], separated by commas", source,
                      text, CONFIG_TMC_SERVERS_MAX);
            count = 0;
            return false;
        }
        if (servers[count].secure && !IS_ENABLED(CONFIG_TMC_TLS)) {
            zport_log(ZPORT_ERROR, "%s \"%s\": this image has no TLS (CONFIG_TMC_TLS)", source, text);
            count = 0;
            return false;
        }
        count++;
        if (end == NULL) {
            return true;
        }
        part = end + 1;
    }
}

bool zport_servers_init(void) {
    char text[CONFIG_TMC_SERVERS_MAX * (sizeof "mqtts://:65535," + ZPORT_HOST_MAX)];
    current = 0;
    if (take_list("--server", zport_args()->server) ||
        take_list("setting tmc/server", zport_setting_text("server", text, sizeof text)) ||
        take_list("CONFIG_TMC_SERVER", CONFIG_TMC_SERVER)) {
        return true;
    }
    zport_log(ZPORT_ERROR, "no broker: provision one (tmc provision), or set CONFIG_TMC_SERVER");
    return false;
}

const zport_server *zport_server_now(void) {
    return &servers[current];
}

const zport_server *zport_server_first(void) {
    return &servers[0];
}

bool zport_server_failed(void) {
    current = current + 1 < count ? current + 1 : 0;
    return current == 0;
}

void zport_server_restart(void) {
    current = 0;
}

bool zport_sntp_server(char *host, uint16_t *port) {
    char text[ZPORT_HOST_MAX + sizeof ":65535"];
    const char *chosen = zport_setting_text("sntp", text, sizeof text);
    if (chosen == NULL) {
        chosen = CONFIG_TMC_SNTP_SERVER;
    }
    return chosen[0] != '\0' && take_address(chosen, chosen + strlen(chosen), host, port);
}
