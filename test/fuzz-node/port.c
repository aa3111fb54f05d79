/*
 * Fuzzing of the compiled node: a port that is a few variables. Time goes on only as the session says; the
 * sensor gives the frames that it brings; storage keeps a few values. What the node publishes or writes is
 * looked at.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "session.h"

#include <stdio.h>
#include <string.h>

#define CHANNELS 3

struct port port;

void port_begin(void) {
    port = (struct port){.now_us = 1, .pattern = 1};
}

void port_damage_setting(const uint8_t *bytes, size_t size) {
    if (port.stored[0].key_size > 0 && size > 0) {
        port.stored[0].size = (int32_t)(size < VALUE_MAX ? size : VALUE_MAX);
        memcpy(port.stored[0].value, bytes, (size_t)port.stored[0].size);
    }
}

void tmc_port_log_write(const uint8_t *bytes, size_t size) {
    (void)bytes;
    (void)size;
}

uint32_t tmc_port_clock_ms(void) {
    return (uint32_t)(port.now_us / 1000U);
}

uint32_t tmc_port_clock_us(void) {
    return (uint32_t)port.now_us;
}

static uint32_t random_word(void) {
    port.pattern = port.pattern * 1664525U + 1013904223U;
    return port.pattern >> 3;
}

uint32_t tmc_port_random_u32(void) {
    return random_word();
}

tmc_str tmc_port_node_id(void) {
    return TMC_STR(NODE_ID);
}

tmc_str tmc_port_server_id(void) {
    return TMC_STR("edge");
}

uint32_t tmc_port_boot_counter(void) {
    return port.boots;
}

int32_t tmc_port_reset_reason(void) {
    return 1;
}

void tmc_port_at_work(tmc_str what) {
    if (what.len < 0 || (what.len > 0 && what.ptr == NULL)) {
        finding("work without a name");
    }
}

int32_t tmc_port_stack_left(void) {
    return 0;
}

int32_t tmc_port_stack_free(void) {
    return (int32_t)(port.pattern >> 20) - 1;
}

int32_t tmc_port_crash_kind(void) {
    return port.boots > 1 ? 16 : 0;
}

uint32_t tmc_port_crash_site(void) {
    return port.pattern;
}

uint32_t tmc_port_crash_boot(void) {
    return port.boots - 1;
}

tmc_str tmc_port_crash_work(void) {
    return TMC_STR("data.collect");
}

bool tmc_port_bus_will(tmc_str topic, tmc_arr_u8 payload, int32_t qos, bool retain) {
    watch_publish(topic, payload, qos, retain, true);
    return true;
}

bool tmc_port_bus_connect(void) {
    port.wanted = true;
    return true;
}

bool tmc_port_bus_publish(tmc_str topic, tmc_arr_u8 payload, int32_t qos, bool retain) {
    const bool sent = port.connected && port.faults == 0;
    port.faults -= port.faults > 0 ? 1U : 0U;
    port.reliable = port.reliable && sent;
    watch_publish(topic, payload, qos, retain, sent);
    if (sent && topic.ptr[topic.len - 1] == 'c') {
        served_wish(payload);
    }
    return sent;
}

bool tmc_port_bus_subscribe(tmc_str topic, int32_t qos) {
    const tmc_str prefix = TMC_STR(TOPIC_PREFIX);
    if (topic.len != prefix.len + 1 || memcmp(topic.ptr, prefix.ptr, (size_t)prefix.len) != 0 ||
        memchr("xrc", topic.ptr[prefix.len], 3) == NULL || qos != 1) {
        finding("subscribed to a foreign topic");
    }
    port.subscribed = port.connected && (port.subscribed || topic.ptr[prefix.len] == 'x');
    return port.connected;
}

bool tmc_port_bus_connected(void) {
    return port.connected;
}

int32_t tmc_port_sensor_open(tmc_str name) {
    return name.len == 13 && memcmp(name.ptr, "accelerometer", 13) == 0 ? 0 : -1;
}

int32_t tmc_port_sensor_channels(int32_t sensor) {
    return sensor == 0 ? CHANNELS : 0;
}

bool tmc_port_sensor_start(int32_t sensor, int32_t rate_mhz) {
    port.sampling = sensor == 0 && rate_mhz >= 1 && rate_mhz <= 10000000;
    return port.sampling;
}

int32_t tmc_port_sensor_take(int32_t sensor, tmc_arr_f32 out) {
    if (sensor != 0 || !port.sampling || out.ptr == NULL) {
        return 0;
    }
    const uint32_t room = (uint32_t)(out.len / CHANNELS);
    const uint32_t taken = port.frames < room ? port.frames : room;
    for (uint32_t i = 0; i < taken * CHANNELS; i++) {
        const uint32_t bits = random_word() ^ random_word() << 16;
        if ((port.pattern >> 28) == 0) { /* whatever a float can be: infinite, no number, subnormal */
            memcpy(&out.ptr[i], &bits, sizeof bits);
        } else {
            out.ptr[i] = (float)(int32_t)bits / 1e9F;
        }
    }
    port.frames -= taken;
    return (int32_t)taken;
}

uint32_t tmc_port_sensor_lost(int32_t sensor) {
    return sensor == 0 ? port.pattern >> 30 : 0;
}

int32_t tmc_port_sensor_most(int32_t sensor) {
    return sensor == 0 ? (int32_t)(port.pattern >> 22) : 0;
}

void tmc_port_sensor_stop(int32_t sensor) {
    port.sampling = port.sampling && sensor != 0;
}

int32_t tmc_port_storage_read(tmc_str key, tmc_arr_u8 out) {
    for (int i = 0; i < KEYS_MAX; i++) {
        if (port.stored[i].key_size == key.len && memcmp(port.stored[i].key, key.ptr, (size_t)key.len) == 0) {
            const int32_t n = port.stored[i].size < out.len ? port.stored[i].size : out.len;
            memcpy(out.ptr, port.stored[i].value, (size_t)n);
            return port.stored[i].size;
        }
    }
    return -1;
}

bool tmc_port_storage_write(tmc_str key, tmc_arr_u8 value) {
    if (key.len < 1 || key.len > 32 || value.len < 0) {
        finding("a setting that no port would store");
    }
    if (port.storage_fails || value.len > VALUE_MAX) {
        return false;
    }
    for (int i = 0; i < KEYS_MAX; i++) {
        const bool same =
            port.stored[i].key_size == key.len && memcmp(port.stored[i].key, key.ptr, (size_t)key.len) == 0;
        if (same || port.stored[i].key_size == 0) {
            memcpy(port.stored[i].key, key.ptr, (size_t)key.len);
            port.stored[i].key_size = key.len;
            memcpy(port.stored[i].value, value.ptr, (size_t)value.len);
            port.stored[i].size = value.len;
            return true;
        }
    }
    return false;
}

int32_t tmc_port_actuator_open(tmc_str name) {
    return name.len == 5 && memcmp(name.ptr, "led-1", 5) == 0 ? 0 : -1;
}

int32_t tmc_port_actuator_channels(int32_t actuator) {
    return actuator == 0 ? 1 : 0;
}

bool tmc_port_actuator_write(int32_t actuator, tmc_arr_f32 values) {
    if (actuator != 0 || values.len != 1 || values.ptr[0] != values.ptr[0]) {
        finding("a value that no actuator would take");
    }
    return (port.pattern >> 31) == 0;
}

void tmc_port_wake_at(uint32_t at_ms) {
    port.wake_asked = true;
    port.wake_ms = at_ms;
}

void tmc_port_restart(void) {
}

void tmc_port_fatal(const tmc_trap_info *info) {
    fprintf(stderr, "trap %d at site %ld\n", (int)info->kind, (long)info->site);
    finding("a trap that nothing caught");
}
