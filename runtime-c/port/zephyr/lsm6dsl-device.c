/*
 * The Zephyr port: accelerometer and gyroscope of an LSM6DSL on I2C through its queue. Zephyr's driver has
 * the device and sets ranges and data rates through the sensor API; the queue's registers, which it leaves
 * alone, are read beside it (lsm6dsl.c). One device: the first of the devicetree.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lsm6dsl-device.h"

#include <zephyr/device.h>
#include <zephyr/drivers/i2c.h>
#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>

#define ACCELEROMETER_RANGE_G 4 /* as in the data the vibration model learns from */
#define GYROSCOPE_RANGE_DPS 250
#define THOUSANDTHS 1000 /* of a hertz */

static const struct i2c_dt_spec bus = I2C_DT_SPEC_GET(LSM6DSL_NODE);
static const struct device *const device = DEVICE_DT_GET(LSM6DSL_NODE);

/* Data rates as the driver calls them, Hz. */
static const int32_t data_rates[] = {12, 26, 52, 104, 208, 416, 833, 1666, 3332, 6664};
#define SLOWEST_MHZ 12500 /* the first of them */

static const enum sensor_channel channels[LSM6DSL_SENSORS] = {SENSOR_CHAN_GYRO_XYZ, SENSOR_CHAN_ACCEL_XYZ};

static K_MUTEX_DEFINE(lock); /* over all below: the app starts and stops, the sampling thread drains */
static const zport_source *sources[LSM6DSL_SENSORS]; /* NULL: not in the queue */
static int32_t rates_mhz[LSM6DSL_SENSORS];
static int64_t quarter_ticks; /* in which a quarter of the queue fills */
static bool silent;

static bool read_registers(uint8_t first, uint8_t *out, size_t size) {
    return i2c_burst_read_dt(&bus, first, out, size) == 0;
}

static bool write_register(uint8_t number, uint8_t value) {
    return i2c_reg_write_byte_dt(&bus, number, value) == 0;
}

static void on_sample(int sensor, const float *values, int64_t at) {
    zport_sensor_sample(sources[sensor], values, at);
}

static void on_gap(int sensor, int64_t until) {
    zport_sensor_gap(sources[sensor], until);
}

static const lsm6dsl_host host = {.read = read_registers,
                                  .write = write_register,
                                  .now = k_uptime_ticks,
                                  .sample = on_sample,
                                  .gap = on_gap};
static lsm6dsl queue = {.host = &host};

static void set_rate(int sensor, int32_t hz) {
    struct sensor_value value = {.val1 = hz, .val2 = 0};
    if (sensor_attr_set(device, channels[sensor], SENSOR_ATTR_SAMPLING_FREQUENCY, &value) != 0) {
        zport_log(ZPORT_DEBUG, "lsm6dsl: a fixed data rate"); /* of Kconfig */
    }
}

/* Lets the queue run for the sensors that are wanted now, at the data rate that is enough for each of them.
 */
static bool restart(void) {
    bool queued[LSM6DSL_SENSORS];
    int32_t rate_mhz = 0;
    size_t next = 0;
    for (int i = 0; i < LSM6DSL_SENSORS; i++) {
        queued[i] = sources[i] != NULL;
        rate_mhz = queued[i] ? MAX(rate_mhz, rates_mhz[i]) : rate_mhz;
    }
    while (next + 1 < ARRAY_SIZE(data_rates) &&
           (next == 0 ? SLOWEST_MHZ : data_rates[next] * THOUSANDTHS) < rate_mhz) {
        next++;
    }
    for (int i = 0; i < LSM6DSL_SENSORS; i++) {
        set_rate(i, queued[i] ? data_rates[next] : 0);
    }
    int samples = LSM6DSL_QUEUE_SAMPLES / (queued[0] && queued[1] ? 2 : 1);
    quarter_ticks = (int64_t)CONFIG_SYS_CLOCK_TICKS_PER_SEC * samples / 4 / data_rates[next];
    return lsm6dsl_start(&queue, queued);
}

static int sensor_of(const zport_source *source) {
    return *(const int *)source->context;
}

bool lsm6dsl_source_start(const zport_source *source, int32_t rate_mhz) {
    int sensor = sensor_of(source);
    if (!device_is_ready(device)) {
        zport_log(ZPORT_ERROR, "%s: the sensor does not answer", source->name);
        return false;
    }
    (void)k_mutex_lock(&lock, K_FOREVER);
    (void)lsm6dsl_drain(&queue); /* what the other one has */
    struct sensor_value range;
    if (sensor == LSM6DSL_ACCELEROMETER) {
        sensor_g_to_ms2(ACCELEROMETER_RANGE_G, &range);
    } else {
        sensor_degrees_to_rad(GYROSCOPE_RANGE_DPS, &range);
    }
    /* Where Kconfig sets the range, that stays. */
    (void)sensor_attr_set(device, channels[sensor], SENSOR_ATTR_FULL_SCALE, &range);
    sources[sensor] = source;
    rates_mhz[sensor] = rate_mhz;
    bool started = restart();
    if (!started) {
        zport_log(ZPORT_ERROR, "%s: the sensor does not answer", source->name);
        sources[sensor] = NULL;
    }
    (void)k_mutex_unlock(&lock);
    return started;
}

void lsm6dsl_source_stop(const zport_source *source) {
    (void)k_mutex_lock(&lock, K_FOREVER);
    if (sources[sensor_of(source)] != NULL) {
        (void)lsm6dsl_drain(&queue);
        sources[sensor_of(source)] = NULL;
        (void)restart();
    }
    (void)k_mutex_unlock(&lock);
}

void lsm6dsl_source_drain(void) {
    (void)k_mutex_lock(&lock, K_FOREVER);
    bool answered = lsm6dsl_drain(&queue);
    (void)k_mutex_unlock(&lock);
    if (!answered && !silent) {
        zport_log(ZPORT_WARN, "lsm6dsl: the sensor does not answer");
    }
    silent = !answered;
}

int64_t lsm6dsl_source_interval(void) {
    return MIN(quarter_ticks,
               (int64_t)CONFIG_TMC_SENSOR_QUEUE_MS * CONFIG_SYS_CLOCK_TICKS_PER_SEC / MSEC_PER_SEC);
}
