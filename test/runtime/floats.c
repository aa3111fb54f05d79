/* Prints the bits of every float function for TEST_COUNT pairs, one line a pair. SPDX-License-Identifier:
 * Apache-2.0 */
#include "tmc/port.h"

#include "test-values.h"

#ifndef TEST_COUNT
#define TEST_COUNT 1
#endif

static void put_hex(uint32_t value) {
    uint8_t text[8];
    for (uint32_t i = 0U; i < 8U; i++) {
        text[i] = (uint8_t) "0123456789abcdef"[(value >> (28U - 4U * i)) & 15U];
    }
    tmc_port_log_write(text, sizeof text);
}

static void put_f64(double v) {
    const union {
        double value;
        uint64_t bits;
    } view = {.value = v != v ? test_double_of(0x7ff80000U, 0U) : v};
    put_hex((uint32_t)(view.bits >> 32));
    put_hex((uint32_t)view.bits);
}

static void put_f32(float v) {
    put_hex(tmc_f32_bits(v));
}

static void both(double a, double b) {
    put_f64(tmc_f64_rem(a, b));
    put_f64(tmc_f64_min(a, b));
    put_f64(tmc_f64_max(a, b));
    put_f64(tmc_f64_round(a));
    put_f64(tmc_f64_floor(a));
    put_f64(tmc_f64_ceil(a));
    put_f64(tmc_f64_trunc(a));
    put_f64(tmc_f64_sqrt(tmc_f64_abs(a)));
    put_f64(tmc_f64_sqrt(a));
    put_f64(tmc_f64_sign(a));
    const float x = (float)a;
    const float y = (float)b;
    put_f32(tmc_f32_rem(x, y));
    put_f32(tmc_f32_min(x, y));
    put_f32(tmc_f32_max(x, y));
    put_f32(tmc_f32_round(x));
    put_f32(tmc_f32_floor(x));
    put_f32(tmc_f32_ceil(x));
    put_f32(tmc_f32_trunc(x));
    put_f32(tmc_f32_sqrt(tmc_f32_abs(x)));
    put_f32(tmc_f32_sqrt(x));
    put_f32(tmc_f32_sign(x));
    put_hex((uint32_t)tmc_f64_to_int(a, INT32_MIN, INT32_MAX));
    put_hex(tmc_f64_to_u32(a));
    put_hex((uint32_t)tmc_f32_to_i32(x));
    put_hex(tmc_f32_to_u32(x));
    put_hex((uint32_t)tmc_f32_to_int(x, -128, 127));
    put_hex((uint32_t)tmc_clz32((uint32_t)(int32_t)tmc_f64_to_int(a, INT32_MIN, INT32_MAX)));
    tmc_log_end();
}

void tmc_program_main(void) {
    static const uint32_t special[] = {0x00000000U, 0x80000000U, 0x3fe00000U, 0xbfe00000U, 0x3ff00000U,
                                       0xbff00000U, 0x7ff00000U, 0xfff00000U, 0x7ff80000U, 0x00100000U,
                                       0x000fffffU, 0x43300000U, 0x41dfffffU, 0x41e00000U, 0xc1e00000U,
                                       0x41efffffU, 0x41f00000U, 0x3fdfffffU, 0x7fefffffU, 0x40080000U};
    const uint32_t count = sizeof special / sizeof special[0];
    for (uint32_t i = 0U; i < count; i++) {
        for (uint32_t j = 0U; j < count; j++) {
            both(test_double_of(special[i], i % 2U == 0U ? 0U : 0xffffffffU), test_double_of(special[j], 0U));
        }
    }
    for (uint32_t i = 0U; i < TEST_COUNT; i++) {
        const double a = test_value(i);
        const double b = test_value(i / 8U);
        both(a, b);
    }
}
