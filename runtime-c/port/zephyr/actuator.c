/*
 * The Zephyr port: actuators. The LEDs of the devicetree's aliases led0 and led1 are "led-1" and "led-2": off
 * below 0.5, else on. Those of an emulated board only say on the console what they are set to.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "zport.h"

#include <string.h>
#include <zephyr/kernel.h>

static bool is_named(tmc_str name, const char *known) {
    return name.len == (int32_t)strlen(known) && memcmp(name.ptr, known, (size_t)name.len) == 0;
}

#ifdef CONFIG_TMC_EMULATED

#define LED_COUNT 2
static bool prepare(int32_t led) {
    ARG_UNUSED(led);
    return true;
}

static bool set(int32_t led, bool on) {
    zport_log(ZPORT_INFO, "led-%d is %s", (int)led + 1, on ? "on" : "off");
    return true;
}

#else

#include <zephyr/drivers/gpio.h>

#define LED(alias)                                                                                           \
    IF_ENABLED(DT_NODE_HAS_STATUS(DT_ALIAS(alias), okay), (GPIO_DT_SPEC_GET(DT_ALIAS(alias), gpios), ))

/* Entries end in a comma of their own; the last is a board without LEDs'. */
/* clang-format off */
static const struct gpio_dt_spec leds[] = { LED(led0) LED(led1) {.port = NULL} };
/* clang-format on */
#define LED_COUNT ((int32_t)(sizeof leds / sizeof leds[0]) - 1)

static bool prepare(int32_t led) {
    return gpio_is_ready_dt(&leds[led]) && gpio_pin_configure_dt(&leds[led], GPIO_OUTPUT_INACTIVE) == 0;
}

static bool set(int32_t led, bool on) {
    return gpio_pin_set_dt(&leds[led], on ? 1 : 0) == 0;
}

#endif

int32_t tmc_port_actuator_open(tmc_str name) {
    static const char *const names[] = {"led-1", "led-2"};
    for (int32_t i = 0; i < LED_COUNT && i < (int32_t)(sizeof names / sizeof names[0]); i++) {
        if (is_named(name, names[i])) {
            return prepare(i) ? i : -1;
        }
    }
    return -1;
}

int32_t tmc_port_actuator_channels(int32_t actuator) {
    return actuator >= 0 && actuator < LED_COUNT ? 1 : 0;
}

bool tmc_port_actuator_write(int32_t actuator, tmc_arr_f32 values) {
    return actuator >= 0 && actuator < LED_COUNT && values.len == 1 && set(actuator, values.ptr[0] >= 0.5f);
}
