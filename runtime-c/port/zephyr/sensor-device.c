/*
 * The Zephyr port: sensors of a real board, through Zephyr's sensor API, and its button. A sensor is offered
 * when the devicetree has its alias: accelerometer (accel0) g, gyroscope (gyro0) rad/s, magnetometer (magn0)
 * gauss, temperature (ambient-temp0) degrees Celsius, humidity (humidity0) %, pressure (pressure0) kPa,
 * distance (distance0) m, button (sw0): 1 while it is pressed, and how often it was since boot, counted by
 * interrupt.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "zport.h"
#ifdef CONFIG_TMC_SENSOR_QUEUE
#include "lsm6dsl-device.h"
#endif

#include <zephyr/device.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/sensor.h>
#include <zephyr/sys/atomic.h>

#define ACCELEROMETER_RANGE_G 4 /* as in the data the vibration model learns from */
#define STANDARD_GRAVITY 9.80665f

typedef struct {
    const struct device *device;
    enum sensor_channel channel;
    float scale; /* multiplies Zephyr's SI unit */
} channel_of;

/* Output data rates, Hz, that sensors of this kind know; the first that is fast enough and accepted is taken.
 */
static const int32_t data_rates[] = {1,  7,   10,  12,  13,  20,   25,   26,   40,   50,   52,  75,
                                     80, 104, 208, 416, 833, 1660, 1666, 3330, 3332, 6660, 6664};

static __maybe_unused bool start_device(const zport_source *source, int32_t rate_mhz) {
    const channel_of *c = source->context;
    if (!device_is_ready(c->device)) {
        zport_log(ZPORT_ERROR, "%s: the sensor does not answer", source->name);
        return false;
    }
    if (c->channel == SENSOR_CHAN_ACCEL_XYZ) {
        struct sensor_value range;
        sensor_g_to_ms2(ACCELEROMETER_RANGE_G, &range);
        (void)sensor_attr_set(c->device, c->channel, SENSOR_ATTR_FULL_SCALE,
                              &range); /* some have one range only */
    }
    for (size_t i = 0; i < sizeof data_rates / sizeof data_rates[0]; i++) {
        struct sensor_value rate = {.val1 = data_rates[i], .val2 = 0};
        if (data_rates[i] * 1000 >= rate_mhz &&
            sensor_attr_set(c->device, c->channel, SENSOR_ATTR_SAMPLING_FREQUENCY, &rate) == 0) {
            return true;
        }
    }
    /* A rate set in Kconfig, or a sensor that measures when asked: read it as often as wanted. */
    return true;
}

static __maybe_unused bool read_device(const zport_source *source, float *frame) {
    const channel_of *c = source->context;
    struct sensor_value values[ZPORT_CHANNELS_MAX];
    if (sensor_sample_fetch_chan(c->device, c->channel) != 0 &&
        sensor_sample_fetch_chan(c->device, SENSOR_CHAN_ALL) != 0) {
        return false;
    }
    if (sensor_channel_get(c->device, c->channel, values) != 0) {
        return false;
    }
    for (int32_t i = 0; i < source->channels; i++) {
        frame[i] = sensor_value_to_float(&values[i]) * c->scale;
    }
    return true;
}

/* ---- the button
 * ---------------------------------------------------------------------------------------------------- */

#if DT_NODE_HAS_STATUS(DT_ALIAS(sw0), okay) && defined(CONFIG_GPIO)
#define BUTTON 1
#define BUTTON_BOUNCE_MS 30 /* edges that follow sooner are the contact's */

static const struct gpio_dt_spec button = GPIO_DT_SPEC_GET(DT_ALIAS(sw0), gpios);
static struct gpio_callback button_callback;
static atomic_t presses;

static void on_press(const struct device *port, struct gpio_callback *callback, gpio_port_pins_t pins) {
    static uint32_t last_ms;
    ARG_UNUSED(port);
    ARG_UNUSED(callback);
    ARG_UNUSED(pins);
    uint32_t now_ms = k_uptime_get_32();
    if (now_ms - last_ms > BUTTON_BOUNCE_MS) {
        (void)atomic_inc(&presses);
    }
    last_ms = now_ms;
}

/* Presses count from the first start on, also while nobody samples. */
static bool start_button(const zport_source *source, int32_t rate_mhz) {
    static bool ready;
    ARG_UNUSED(rate_mhz);
    if (!ready) {
        gpio_init_callback(&button_callback, on_press, BIT(button.pin));
        ready = gpio_is_ready_dt(&button) && gpio_pin_configure_dt(&button, GPIO_INPUT) == 0 &&
                gpio_pin_interrupt_configure_dt(&button, GPIO_INT_EDGE_TO_ACTIVE) == 0 &&
                gpio_add_callback_dt(&button, &button_callback) == 0;
        if (!ready) {
            zport_log(ZPORT_ERROR, "%s: the pin cannot be read", source->name);
        }
    }
    return ready;
}

static bool read_button(const zport_source *source, float *frame) {
    ARG_UNUSED(source);
    int value = gpio_pin_get_dt(&button);
    frame[0] = value > 0 ? 1.0f : 0.0f;
    frame[1] = (float)((uint32_t)atomic_get(&presses) & 0xffffffU); /* exact in a float */
    return value >= 0;
}
#endif

#if defined(CONFIG_TMC_SENSOR_QUEUE) && DT_SAME_NODE(DT_ALIAS(accel0), LSM6DSL_NODE)
#define ACCELEROMETER LSM6DSL_SOURCE("accelerometer", LSM6DSL_ACCELEROMETER),
#else
#define ACCELEROMETER SOURCE(accel0, "accelerometer", 3, SENSOR_CHAN_ACCEL_XYZ, 1.0f / STANDARD_GRAVITY)
#endif
#if defined(CONFIG_TMC_SENSOR_QUEUE) && DT_SAME_NODE(DT_ALIAS(gyro0), LSM6DSL_NODE)
#define GYROSCOPE LSM6DSL_SOURCE("gyroscope", LSM6DSL_GYROSCOPE),
#else
#define GYROSCOPE SOURCE(gyro0, "gyroscope", 3, SENSOR_CHAN_GYRO_XYZ, 1.0f)
#endif

#define SOURCE(alias, name_text, channel_count, channel_id, scale_value)                                     \
    IF_ENABLED(                                                                                              \
        DT_NODE_HAS_STATUS(DT_ALIAS(alias), okay),                                                           \
        ({.name = name_text,                                                                                 \
          .channels = channel_count,                                                                         \
          .own_thread = true,                                                                                \
          .start = start_device,                                                                             \
          .read = read_device,                                                                               \
          .context = &(const channel_of){DEVICE_DT_GET(DT_ALIAS(alias)), channel_id, scale_value}}, ))

/* Entries end in a comma of their own. */
/* clang-format off */
static const zport_source sources[] = {
    ACCELEROMETER
    GYROSCOPE
    SOURCE(magn0, "magnetometer", 3, SENSOR_CHAN_MAGN_XYZ, 1.0f)
    SOURCE(ambient_temp0, "temperature", 1, SENSOR_CHAN_AMBIENT_TEMP, 1.0f)
    SOURCE(humidity0, "humidity", 1, SENSOR_CHAN_HUMIDITY, 1.0f)
    SOURCE(pressure0, "pressure", 1, SENSOR_CHAN_PRESS, 1.0f)
    SOURCE(distance0, "distance", 1, SENSOR_CHAN_DISTANCE, 1.0f)
#ifdef BUTTON
    {.name = "button", .channels = 2, .own_thread = true, .start = start_button, .read = read_button},
#endif
};
/* clang-format on */

const zport_source *zport_sources(int32_t *count) {
    *count = (int32_t)(sizeof sources / sizeof sources[0]);
    return sources;
}
