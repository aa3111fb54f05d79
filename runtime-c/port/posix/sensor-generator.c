/*
 * The posix port: sensors that compute their frames: one table of named generators.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "posix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void vibration(posix_source *source, double period, float *frame) {
    posix_vibration_next(&source->vibration, period, frame);
}

/* 0, 1, 2, ...: shows order and losses. */
static void counter(posix_source *source, double period, float *frame) {
    (void)period;
    frame[0] = (float)(source->counter++ & 0xffffffU); /* exact in a float */
}

static const struct {
    const char *name;
    int32_t channels;
    int label;
    void (*generate)(posix_source *source, double period, float *frame);
} generators[] = {
    {"vibration-healthy", 3, 0, vibration},
    {"vibration-imbalance", 3, 1, vibration},
    {"vibration-bearing", 3, 2, vibration},
    {"counter", 1, 0, counter},
};
#define COUNT (sizeof generators / sizeof generators[0])

const char *posix_generator_names(void) {
    static char names[256];
    size_t n = 0;
    for (size_t i = 0; i < COUNT && n < sizeof names; i++) {
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i > 0 ? ", " : "", generators[i].name);
    }
    return names;
}

static bool generator_open(posix_source *source, const char *argument) {
    static const char seed_option[] = ",seed=";
    size_t n = strcspn(argument, ",");
    uint32_t seed = 1;
    if (argument[n] != '\0') {
        const char *digits = argument + n + sizeof seed_option - 1;
        char *end = NULL;
        if (strncmp(argument + n, seed_option, sizeof seed_option - 1) != 0 || *digits < '0' ||
            *digits > '9') {
            posix_log(LOG_ERROR, "generator:%s: expected NAME or NAME,seed=N", argument);
            return false;
        }
        seed = (uint32_t)strtoul(digits, &end, 10);
        if (*end != '\0') {
            posix_log(LOG_ERROR, "generator:%s: the seed must be a whole number", argument);
            return false;
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (strlen(generators[i].name) == n && strncmp(generators[i].name, argument, n) == 0) {
            source->channels = generators[i].channels;
            source->generate = generators[i].generate;
            posix_vibration_init(&source->vibration, generators[i].label, seed);
            return true;
        }
    }
    posix_log(LOG_ERROR, "generator:%s: unknown; there are %s", argument, posix_generator_names());
    return false;
}

static void generator_next(posix_source *source, double period, float *frame) {
    source->generate(source, period, frame);
}

const posix_source_kind posix_source_generator = {
    .prefix = "generator:", .open = generator_open, .next = generator_next};
