/*
 * The Zephyr port: who the node is and which server it belongs to. Each value comes from the first of: the
 * emulator's command line, the settings (tmc/id, tmc/server-id), Kconfig, and for the node id the chip's own
 * id. Where the broker is: servers.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "zport.h"

#include <stdio.h>
#include <string.h>
#include <zephyr/drivers/hwinfo.h>
#include <zephyr/kernel.h>

static char node_id[ZPORT_ID_MAX + 1] = "node";
static char server_id[ZPORT_ID_MAX + 1];

tmc_str tmc_port_node_id(void) {
    return (tmc_str){(const uint8_t *)node_id, (int32_t)strlen(node_id)};
}

tmc_str tmc_port_server_id(void) {
    return (tmc_str){(const uint8_t *)server_id, (int32_t)strlen(server_id)};
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

void zport_identity_init(void) {
    const zport_arguments *args = zport_args();
    char text[ZPORT_ID_MAX + 2]; /* one too long is told as such */
    if (!take_id("--id", args->id, node_id) &&
        !take_id("setting tmc/id", zport_setting_text("id", text, sizeof text), node_id) &&
        !take_id("CONFIG_TMC_NODE_ID", CONFIG_TMC_NODE_ID, node_id)) {
        take_chip_id();
    }
    if (!take_id("--server-id", args->server_id, server_id) &&
        !take_id("setting tmc/server-id", zport_setting_text("server-id", text, sizeof text), server_id) &&
        !take_id("CONFIG_TMC_SERVER_ID", CONFIG_TMC_SERVER_ID, server_id)) {
        memcpy(server_id, "edge", sizeof "edge");
    }
}
