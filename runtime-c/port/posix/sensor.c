/*
 * The posix port: simulated sensors. A running sensor has produced elapsed time x rate frames; whenever the
 * port or the app looks, the frames due are taken from the source into a ring, and those that find it full
 * are counted as lost, as on a board whose driver fills it from an interrupt.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "posix.h"

#include <string.h>

#define PERIOD_US 1000000000 /* in this time exactly rate_mhz frames are due */

typedef struct {
    posix_source source;
    bool running;
    int32_t rate_mhz;
    int64_t origin_us; /* `made` counts from here */
    int64_t made;
    uint32_t lost;
    int32_t oldest; /* index of a frame in the ring */
    int32_t used;
    int32_t most; /* frames that waited at once */
    float ring[TMC_POSIX_RING_MAX * TMC_POSIX_CHANNELS_MAX];
} sensor_state;

static sensor_state sensors[TMC_POSIX_SENSORS_MAX];
static uint64_t frames_total;
static uint64_t lost_total;

static const posix_source_kind *const kinds[] = {&posix_source_csv, &posix_source_generator};

bool posix_sensors_init(void) {
    for (int i = 0; i < posix_opt.sensor_count; i++) {
        const posix_sensor_option *option = &posix_opt.sensors[i];
        posix_source *source = &sensors[i].source;
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            size_t n = strlen(kinds[k]->prefix);
            if (strncmp(option->source, kinds[k]->prefix, n) == 0) {
                source->kind = kinds[k];
                if (!kinds[k]->open(source, option->source + n)) {
                    return false;
                }
            }
        }
        if (source->kind == NULL) {
            posix_log(LOG_ERROR, "--sensor %s=%s: expected csv:FILE or generator:NAME", option->name,
                      option->source);
            return false;
        }
    }
    return true;
}

static sensor_state *at(int32_t sensor) {
    return sensor >= 0 && sensor < posix_opt.sensor_count ? &sensors[sensor] : NULL;
}

static void advance(sensor_state *s) {
    if (!s->running) {
        return;
    }
    int64_t now = posix_now_us();
    while (now - s->origin_us >= PERIOD_US) { /* keeps the product below small */
        s->origin_us += PERIOD_US;
        s->made -= s->rate_mhz;
    }
    int64_t due = (now - s->origin_us) * s->rate_mhz / PERIOD_US;
    double period = 1000.0 / s->rate_mhz;
    for (; s->made < due; s->made++) {
        float frame[TMC_POSIX_CHANNELS_MAX];
        s->source.kind->next(&s->source, period, frame); /* the world goes on when nobody looks */
        frames_total++;
        if (s->used == posix_opt.sensor_ring) {
            s->lost++;
            lost_total++;
            continue;
        }
        int32_t slot = (s->oldest + s->used) % posix_opt.sensor_ring;
        memcpy(&s->ring[slot * s->source.channels], frame, sizeof(float) * (size_t)s->source.channels);
        s->used++;
        s->most = s->used > s->most ? s->used : s->most;
    }
}

bool posix_sensors_running(void) {
    for (int i = 0; i < posix_opt.sensor_count; i++) {
        if (sensors[i].running) {
            return true;
        }
    }
    return false;
}

void posix_sensors_advance(void) {
    for (int i = 0; i < posix_opt.sensor_count; i++) {
        advance(&sensors[i]);
    }
}

uint64_t posix_sensors_frames(void) {
    return frames_total;
}

uint64_t posix_sensors_lost(void) {
    return lost_total;
}

/* ---- what the app calls ------------------------------------------------------------------------------ */

int32_t tmc_port_sensor_open(tmc_str name) {
    for (int i = 0; i < posix_opt.sensor_count; i++) {
        const char *own = posix_opt.sensors[i].name;
        if (name.len == (int32_t)strlen(own) && memcmp(name.ptr, own, (size_t)name.len) == 0) {
            return i;
        }
    }
    return -1;
}

int32_t tmc_port_sensor_channels(int32_t sensor) {
    const sensor_state *s = at(sensor);
    return s != NULL ? s->source.channels : 0;
}

bool tmc_port_sensor_start(int32_t sensor, int32_t rate_mhz) {
    sensor_state *s = at(sensor);
    if (s == NULL || rate_mhz < 1 || rate_mhz > POSIX_RATE_MHZ_MAX) {
        return false;
    }
    s->running = true;
    s->rate_mhz = rate_mhz;
    s->origin_us = posix_now_us();
    s->made = 0;
    s->lost = 0;
    s->oldest = 0; /* frames of another rate do not mix with the new ones */
    s->used = 0;
    return true;
}

int32_t tmc_port_sensor_take(int32_t sensor, tmc_arr_f32 out) {
    sensor_state *s = at(sensor);
    if (s == NULL || out.ptr == NULL) {
        return 0;
    }
    advance(s);
    int32_t channels = s->source.channels;
    int32_t wanted = out.len / channels;
    int32_t taken = s->used < wanted ? s->used : wanted;
    for (int32_t i = 0; i < taken; i++) {
        memcpy(&out.ptr[i * channels], &s->ring[s->oldest * channels], sizeof(float) * (size_t)channels);
        s->oldest = (s->oldest + 1) % posix_opt.sensor_ring;
    }
    s->used -= taken;
    return taken;
}

uint32_t tmc_port_sensor_lost(int32_t sensor) {
    sensor_state *s = at(sensor);
    if (s == NULL) {
        return 0;
    }
    advance(s);
    return s->lost;
}

/* A process has no actuators. */
int32_t tmc_port_actuator_open(tmc_str name) {
    (void)name;
    return -1;
}

int32_t tmc_port_actuator_channels(int32_t actuator) {
    (void)actuator;
    return 0;
}

bool tmc_port_actuator_write(int32_t actuator, tmc_arr_f32 values) {
    (void)actuator;
    (void)values;
    return false;
}

int32_t tmc_port_sensor_most(int32_t sensor) {
    const sensor_state *s = at(sensor);
    return s != NULL ? s->most : 0;
}

void tmc_port_sensor_stop(int32_t sensor) {
    sensor_state *s = at(sensor);
    if (s != NULL) {
        advance(s);
        s->running = false; /* what the ring holds can still be taken */
    }
}
