/*
 * Internal to the Zephyr port: sources that are sampled through the queue of an LSM6DSL (lsm6dsl-device.c),
 * for the table of sensor-device.c. Only with CONFIG_TMC_SENSOR_QUEUE.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_LSM6DSL_DEVICE_H
#define TMC_LSM6DSL_DEVICE_H

#include "lsm6dsl.h"
#include "zport.h"

#include <zephyr/devicetree.h>

#define LSM6DSL_NODE DT_COMPAT_GET_ANY_STATUS_OKAY(st_lsm6dsl)

bool lsm6dsl_source_start(const zport_source *source, int32_t rate_mhz);
void lsm6dsl_source_stop(const zport_source *source);
void lsm6dsl_source_drain(void);
int64_t lsm6dsl_source_interval(void);

/* sensor: LSM6DSL_GYROSCOPE or LSM6DSL_ACCELEROMETER. */
#define LSM6DSL_SOURCE(name_text, sensor)                                                                    \
    {                                                                                                        \
        .name = name_text, .channels = 3, .own_thread = true, .start = lsm6dsl_source_start,                 \
        .stop = lsm6dsl_source_stop, .drain = lsm6dsl_source_drain, .interval = lsm6dsl_source_interval,     \
        .context = &(const int) {                                                                            \
            sensor                                                                                           \
        }                                                                                                    \
    }

#endif
