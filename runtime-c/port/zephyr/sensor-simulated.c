/*
 * The Zephyr port: the one sensor of an emulated board: a machine that vibrates, as the posix port simulates
 * it (port/posix/sensor-vibration.c), a counter, or a recording. Chosen by --sensor=NAME=generator:G[,seed=N]
 * or
 * --sensor=NAME=csv:FILE, a file of the host, else by CONFIG_TMC_SENSOR_SIMULATED_SOURCE.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "csv.h"
#include "zport.h"

#include "../posix/posix.h"

#include <stdlib.h>
#include <string.h>

static posix_vibration machine;
static double period; /* s */
static uint32_t count_value;
static char name[32];
static zport_source source;

static bool start(const zport_source *s, int32_t rate_mhz) {
    (void)s;
    period = 1000.0 / rate_mhz;
    return true;
}

static bool read_vibration(const zport_source *s, float *frame) {
    (void)s;
    posix_vibration_next(&machine, period, frame);
    return true;
}

/* 0, 1, 2, ...: shows order and losses. */
static bool read_counter(const zport_source *s, float *frame) {
    (void)s;
    frame[0] = (float)(count_value++ & 0xffffffU); /* exact in a float */
    return true;
}

/* A recording of the host, over and over. */
static char recording[CONFIG_TMC_SENSOR_CSV_MAX + 1];
static csv replay;

static bool read_recording(const zport_source *s, float *frame) {
    (void)s;
    csv_next(&replay, frame);
    return true;
}

/* NAME=csv:FILE; `equals` is where the name ends. What is wrong with the file is logged. */
static bool configure_recording(const char *text, const char *equals) {
    const char *path = equals + sizeof "=csv:" - 1;
    size_t n = (size_t)(equals - text);
    if (n < 1 || n >= sizeof name) {
        return false;
    }
    int32_t size = zport_file_load(path, recording, CONFIG_TMC_SENSOR_CSV_MAX);
    if (size < 0) {
        zport_log(ZPORT_ERROR, "%s cannot be read, or is larger than CONFIG_TMC_SENSOR_CSV_MAX", path);
        return false;
    }
    recording[size] = '\0';
    uint32_t bad = csv_open(&replay, recording, (size_t)size, ZPORT_CHANNELS_MAX);
    if (bad != 0) {
        zport_log(ZPORT_ERROR,
                  "%s:%lu: expected a header of 1-%d channel names, then frames of finite numbers", path,
                  (unsigned long)bad, ZPORT_CHANNELS_MAX);
        return false;
    }
    memcpy(name, text, n);
    name[n] = '\0';
    source = (zport_source){.name = name,
                            .channels = replay.channels,
                            .own_thread = false,
                            .start = start,
                            .read = read_recording,
                            .context = NULL};
    return true;
}

static const struct {
    const char *name;
    int32_t channels;
    int label;
    bool (*read)(const zport_source *s, float *frame);
} generators[] = {
    {"vibration-healthy", 3, 0, read_vibration},
    {"vibration-imbalance", 3, 1, read_vibration},
    {"vibration-bearing", 3, 2, read_vibration},
    {"counter", 1, 0, read_counter},
};

/* NAME=generator:G[,seed=N] or NAME=csv:FILE */
static bool configure(const char *text) {
    const char *csv_marker = strstr(text, "=csv:");
    if (csv_marker != NULL) {
        return configure_recording(text, csv_marker);
    }
    static const char marker[] = "=generator:";
    static const char seed_option[] = ",seed=";
    const char *equals = strstr(text, marker);
    size_t n = equals != NULL ? (size_t)(equals - text) : 0;
    if (n < 1 || n >= sizeof name) {
        return false;
    }
    const char *generator = equals + sizeof marker - 1;
    size_t length = strcspn(generator, ",");
    uint32_t seed = 1;
    if (generator[length] != '\0') {
        if (strncmp(generator + length, seed_option, sizeof seed_option - 1) != 0) {
            return false;
        }
        seed = (uint32_t)strtoul(generator + length + sizeof seed_option - 1, NULL, 10);
    }
    for (size_t i = 0; i < sizeof generators / sizeof generators[0]; i++) {
        if (strlen(generators[i].name) == length && strncmp(generators[i].name, generator, length) == 0) {
            memcpy(name, text, n);
            name[n] = '\0';
            source = (zport_source){.name = name,
                                    .channels = generators[i].channels,
                                    .own_thread = false,
                                    .start = start,
                                    .read = generators[i].read,
                                    .context = NULL};
            posix_vibration_init(&machine, generators[i].label, seed);
            return true;
        }
    }
    return false;
}

const zport_source *zport_sources(int32_t *count) {
    static bool known;
    if (!known) {
        const char *argument = zport_args()->sensor;
        known = true;
        if (argument != NULL && !configure(argument)) {
            zport_log(ZPORT_ERROR,
                      "--sensor %s: expected NAME=csv:FILE, or NAME=generator:G[,seed=N], G one of "
                      "vibration-healthy, vibration-imbalance, vibration-bearing, counter",
                      argument);
        }
        if (source.name == NULL && !configure(CONFIG_TMC_SENSOR_SIMULATED_SOURCE)) {
            zport_log(ZPORT_ERROR, "CONFIG_TMC_SENSOR_SIMULATED_SOURCE is not NAME=generator:G[,seed=N]");
        }
    }
    *count = source.name != NULL ? 1 : 0;
    return &source;
}
