/*
 * The Zephyr port: who the node is and where its broker is. Each value comes from the first of: the
 * emulator's command line, the settings (tmc/id, tmc/server-id, tmc/server), Kconfig, and for the node id the
 * chip's own id.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "zport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zephyr/drivers/hwinfo.h>
#include <zephyr/kernel.h>

static char node_id[ZPORT_ID_MAX + 1] = "node";
static char server_id[ZPORT_ID_MAX + 1];
static char host[ZPORT_HOST_MAX + 1];
static uint16_t port;

tmc_str tmc_port_node_id(void) {
    return (tmc_str){(const uint8_t *)node_id, (int32_t)strlen(node_id)};
}

tmc_str tmc_port_server_id(void) {
    return (tmc_str){(const uint8_t *)server_id, (int32_t)strlen(server_id)};
}

const char *zport_broker_host(void) {
    return host;
}

uint16_t zport_broker_port(void) {
    return port;
}

static bool take_id(const char *source, const char *text, char *out) {
    size_t n = text != NULL ? strlen(text) : 0;
    if (n == 0) {
        return false;
    }
    if (n > ZPORT_ID_MAX || strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz-") != n) {
        zport_log(ZPORT_ERROR, "%s \"%s\" is no id (1-23 characters of 0-9 a-z -)", source, text);
        return false;
    }
    memcpy(out, text, n + 1);
    return true;
}

/* mqtt://HOST[:PORT], or the same without the scheme. */
static bool take_server(const char *source, const char *url) {
    static const char scheme[] = "mqtt://";
    if (url == NULL || url[0] == '\0') {
        return false;
    }
    const char *name = strncmp(url, scheme, sizeof scheme - 1) == 0 ? url + sizeof scheme - 1 : url;
    size_t n = strcspn(name, ":/");
    long number = 1883;
    const char *rest = name + n;
    if (*rest == ':') {
        char *end = NULL;
        number = strtol(rest + 1, &end, 10);
        rest = end;
    }
    if (n < 1 || n > ZPORT_HOST_MAX || number < 1 || number > 65535 ||
        (*rest != '\0' && strcmp(rest, "/") != 0)) {
        zport_log(ZPORT_ERROR, "%s \"%s\": expected mqtt://HOST[:PORT]", source, url);
        return false;
    }
    memcpy(host, name, n);
    host[n] = '\0';
    port = (uint16_t)number;
    return true;
}

/* A text setting, NULL when absent; valid until the next call. */
static const char *setting(const char *name) {
    static char text[sizeof "mqtt://:65535" + ZPORT_HOST_MAX];
    int32_t size = zport_setting_read(name, text, sizeof text - 1);
    if (size < 1 || size >= (int32_t)sizeof text) {
        return NULL;
    }
    text[size] = '\0';
    return text;
}

/* "node-" and the last bytes of the chip's id. */
static void take_chip_id(void) {
#ifdef CONFIG_HWINFO
    uint8_t id[16];
    ssize_t n = hwinfo_get_device_id(id, sizeof id);
    if (n > 0) {
        uint32_t hash = 0x811c9dc5U; /* FNV-1a: ids of one wafer differ in few bits */
        for (ssize_t i = 0; i < n; i++) {
            hash = (hash ^ id[i]) * 0x01000193U;
        }
        (void)snprintf(node_id, sizeof node_id, "node-%08lx", (unsigned long)hash);
    }
#endif
}

bool zport_identity_init(void) {
    const zport_arguments *args = zport_args();
    if (!take_id("--id", args->id, node_id) && !take_id("setting tmc/id", setting("id"), node_id) &&
        !take_id("CONFIG_TMC_NODE_ID", CONFIG_TMC_NODE_ID, node_id)) {
        take_chip_id();
    }
    if (!take_id("--server-id", args->server_id, server_id) &&
        !take_id("setting tmc/server-id", setting("server-id"), server_id) &&
        !take_id("CONFIG_TMC_SERVER_ID", CONFIG_TMC_SERVER_ID, server_id)) {
        memcpy(server_id, "edge", sizeof "edge");
    }
    if (take_server("--server", args->server) || take_server("setting tmc/server", setting("server")) ||
        take_server("CONFIG_TMC_SERVER", CONFIG_TMC_SERVER)) {
        return true;
    }
    zport_log(ZPORT_ERROR,
              "no broker: set CONFIG_TMC_SERVER=\"mqtt://HOST[:PORT]\" or the setting tmc/server");
    return false;
}
