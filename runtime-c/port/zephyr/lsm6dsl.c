/*
 * The Zephyr port: the queue of the LSM6DSL, see lsm6dsl.h. Registers as in ST's data sheet (DocID028475).
 * The words of a sample have no tag: three of the gyroscope, then three of the accelerometer, again and again
 * from an empty queue on. So nothing is read but whole samples, and where the place could be lost the queue
 * is emptied.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lsm6dsl.h"

#define FIFO_CTRL3 0x08    /* which sensors, how many of their samples */
#define FIFO_CTRL5 0x0A    /* data rate and mode */
#define CTRL1_XL 0x10      /* data rate, range */
#define CTRL2_G 0x11       /* the same of the gyroscope */
#define FIFO_STATUS1 0x3A  /* words, 11 bits, and flags */
#define FIFO_DATA_OUT 0x3E /* a longer read goes round in its two registers */

#define EVERY_GYROSCOPE_SAMPLE (1U << 3)
#define EVERY_ACCELEROMETER_SAMPLE (1U << 0)
#define STOPPED 0U    /* and emptied */
#define CONTINUOUS 6U /* the oldest sample gives way to the newest */
#define OVERRUN 0x40U
#define WORDS_HIGH 0x07U
#define WORDS_MOST 1792 /* of 2048: more could overrun while they are read */

#define WORDS 3 /* of a sample */
#define SAMPLE_BYTES 6
/* At most at once, so that others can use the bus; whole samples of both sensors. */
#define READ_BYTES 240

/* One count at the ranges of CTRL1_XL: 2, 16, 4, 8 g. */
static const float counts_g[] = {0.000061f, 0.000488f, 0.000122f, 0.000244f};
/* One count at the ranges of CTRL2_G: 250, 500, 1000, 2000 degrees a second, in rad/s. */
static const float counts_rad[] = {0.000152716f, 0.000305433f, 0.000610865f, 0.00122173f};
#define COUNT_RAD_125 0.0000763582f

static bool empty(const lsm6dsl *d) {
    return d->host->write(FIFO_CTRL5, STOPPED) && d->host->write(FIFO_CTRL5, d->mode);
}

bool lsm6dsl_start(lsm6dsl *d, const bool queued[LSM6DSL_SENSORS]) {
    uint8_t control[2];
    d->queued[LSM6DSL_GYROSCOPE] = queued[LSM6DSL_GYROSCOPE];
    d->queued[LSM6DSL_ACCELEROMETER] = queued[LSM6DSL_ACCELEROMETER];
    d->mode = STOPPED;
    d->astray = false;
    if (!d->host->write(FIFO_CTRL5, STOPPED)) {
        return false;
    }
    if (!queued[LSM6DSL_GYROSCOPE] && !queued[LSM6DSL_ACCELEROMETER]) {
        return true;
    }
    if (!d->host->read(CTRL1_XL, control, sizeof control)) {
        return false;
    }
    uint8_t accelerometer = control[0];
    uint8_t gyroscope = control[1];
    d->scale[LSM6DSL_ACCELEROMETER] = counts_g[(accelerometer >> 2) & 3U];
    d->scale[LSM6DSL_GYROSCOPE] = (gyroscope & 2U) != 0 ? COUNT_RAD_125 : counts_rad[(gyroscope >> 2) & 3U];
    unsigned rate = (unsigned)(queued[LSM6DSL_ACCELEROMETER] ? accelerometer : gyroscope) >> 4;
    d->mode = (uint8_t)(rate << 3 | CONTINUOUS);
    uint8_t which = (uint8_t)((queued[LSM6DSL_GYROSCOPE] ? EVERY_GYROSCOPE_SAMPLE : 0U) |
                              (queued[LSM6DSL_ACCELEROMETER] ? EVERY_ACCELEROMETER_SAMPLE : 0U));
    bool started = d->host->write(FIFO_CTRL3, which) && empty(d);
    d->given = d->host->now();
    return started;
}

static void give(const lsm6dsl *d, int sensor, const uint8_t *bytes, int64_t at) {
    float values[WORDS];
    for (int i = 0; i < WORDS; i++) {
        values[i] = (float)(int16_t)(uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8) * d->scale[sensor];
    }
    d->host->sample(sensor, values, at);
}

static bool lose(lsm6dsl *d) {
    d->astray = !empty(d);
    d->given = d->host->now();
    for (int sensor = 0; sensor < LSM6DSL_SENSORS; sensor++) {
        if (d->queued[sensor]) {
            d->host->gap(sensor, d->given);
        }
    }
    return !d->astray;
}

/* How many words the queue holds; -1: the device does not answer, -2: the queue is too full to be read. */
static int words_held(const lsm6dsl *d) {
    uint8_t status[2];
    if (!d->host->read(FIFO_STATUS1, status, sizeof status)) {
        return -1;
    }
    int words = status[0] | (int)(status[1] & WORDS_HIGH) << 8;
    return (status[1] & OVERRUN) != 0 || words > WORDS_MOST ? -2 : words;
}

bool lsm6dsl_drain(lsm6dsl *d) {
    uint8_t bytes[READ_BYTES];
    if (d->mode == STOPPED) {
        return true;
    }
    if (d->astray) {
        return lose(d);
    }
    int64_t now = d->host->now();
    int words = words_held(d);
    int sensors = (d->queued[LSM6DSL_GYROSCOPE] ? 1 : 0) + (d->queued[LSM6DSL_ACCELEROMETER] ? 1 : 0);
    int each = sensors * SAMPLE_BYTES; /* of one moment */
    int count = words > 0 ? words / (sensors * WORDS) : 0;
    for (int done = 0; done < count;) {
        int n = count - done < READ_BYTES / each ? count - done : READ_BYTES / each;
        if (!d->host->read(FIFO_DATA_OUT, bytes, (size_t)(n * each))) {
            (void)lose(d);
            return false;
        }
        for (int i = 0; i < n; i++) {
            const uint8_t *next = &bytes[i * each];
            int64_t at = d->given + (now - d->given) * (done + i + 1) / count;
            for (int sensor = 0; sensor < LSM6DSL_SENSORS; sensor++) {
                if (d->queued[sensor]) {
                    give(d, sensor, next, at);
                    next += SAMPLE_BYTES;
                }
            }
        }
        done += n;
        if (done < count && (words = words_held(d)) < 0) {
            break;
        }
    }
    if (words == -2 || (words < 0 && count > 0)) {
        return lose(d);
    }
    if (count > 0) {
        d->given = now;
    }
    return words >= 0;
}
