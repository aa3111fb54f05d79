/*
 * The other end of a bare MQTT echo, on the same port as a node: what comes on x goes back on y.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/port.h"

#include <stdio.h>

static tmc_str topic_of(const char *leaf, char *text, size_t size) {
    tmc_str node = tmc_port_node_id();
    tmc_str server = tmc_port_server_id();
    int n = snprintf(text, size, "t1/%.*s/%.*s/%s", (int)server.len, (const char *)server.ptr, (int)node.len,
                     (const char *)node.ptr, leaf);
    return (tmc_str){(const uint8_t *)text, n};
}

static char answers[64];
static tmc_str answer_topic;

tmc_trap_kind tmc_app_start(void) {
    answer_topic = topic_of("y", answers, sizeof answers);
    (void)tmc_port_bus_connect();
    return TMC_TRAP_NONE;
}

tmc_trap_kind tmc_app_connected(void) {
    char text[64];
    (void)tmc_port_bus_subscribe(topic_of("x", text, sizeof text), 1);
    return TMC_TRAP_NONE;
}

tmc_trap_kind tmc_app_disconnected(void) {
    return TMC_TRAP_NONE;
}

tmc_trap_kind tmc_app_message(tmc_str topic, tmc_arr_u8 payload) {
    (void)topic;
    (void)tmc_port_bus_publish(answer_topic, payload, 1, false);
    return TMC_TRAP_NONE;
}

tmc_trap_kind tmc_app_tick(uint32_t now_ms) {
    (void)now_ms;
    return TMC_TRAP_NONE;
}
