/*
 * The Zephyr port: the queue (FIFO) of ST's LSM6DSL, register by register, beside Zephyr's driver, which does
 * not know it. Without Zephyr: the bus is two functions, a time is a tick of any clock. The driver sets
 * ranges and data rates; nothing here does.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_LSM6DSL_H
#define TMC_LSM6DSL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of 2048 words of 16 bits seven eighths are used: so many samples of three words each. */
#define LSM6DSL_QUEUE_SAMPLES 597

enum { LSM6DSL_GYROSCOPE, LSM6DSL_ACCELEROMETER, LSM6DSL_SENSORS };

typedef struct {
    /* Reads registers from `first` on; writes one. False when the device does not answer. */
    bool (*read)(uint8_t first, uint8_t *out, size_t size);
    bool (*write)(uint8_t number, uint8_t value);
    /* The tick. */
    int64_t (*now)(void);
    /* A sample of one sensor, rad/s or g, taken at the tick `at`. */
    void (*sample)(int sensor, const float *values, int64_t at);
    /* The sensor's samples up to that tick are gone. */
    void (*gap)(int sensor, int64_t until);
} lsm6dsl_host;

typedef struct {
    const lsm6dsl_host *host;
    bool queued[LSM6DSL_SENSORS];
    float scale[LSM6DSL_SENSORS]; /* of one count */
    uint8_t mode;                 /* of FIFO_CTRL5 while it runs */
    int64_t given;                /* the tick up to which samples were given */
    bool astray;                  /* the queue is to be emptied: nobody knows where in a sample it begins */
} lsm6dsl;

/*
 * Empties the queue and lets it run for these sensors, at the data rate that the accelerometer or else the
 * gyroscope has by now: both have the same. No sensor: it stands still. False when the device does not
 * answer.
 */
bool lsm6dsl_start(lsm6dsl *d, const bool queued[LSM6DSL_SENSORS]);
/*
 * Gives all that the queue holds to `sample`, oldest first, with times spread evenly from the last drain on.
 * When the queue overran or is about to, or a read failed half-way, it is emptied, and what it held is a gap.
 * False when the device does not answer.
 */
bool lsm6dsl_drain(lsm6dsl *d);

#endif
