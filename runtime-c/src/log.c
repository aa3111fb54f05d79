/*
 * log(...): one line at a time to the port, arguments joined by one space. It buffers nothing: ports do.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/port.h"

static bool inside_line;

static void write_argument(const uint8_t *bytes, int32_t size) {
    static const uint8_t space = (uint8_t)' ';
    if (inside_line) {
        tmc_port_log_write(&space, 1U);
    }
    inside_line = true;
    if (size > 0) {
        tmc_port_log_write(bytes, (size_t)size);
    }
}

void tmc_log_str(tmc_str s) {
    write_argument(s.ptr, s.len);
}

void tmc_log_i32(int32_t v) {
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    write_argument(text, tmc_format_i32(text, v));
}

void tmc_log_u32(uint32_t v) {
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    write_argument(text, tmc_format_u32(text, v));
}

void tmc_log_i64(int64_t v) {
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    write_argument(text, tmc_format_i64(text, v));
}

void tmc_log_u64(uint64_t v) {
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    write_argument(text, tmc_format_u64(text, v));
}

void tmc_log_f64(double v) {
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    write_argument(text, tmc_format_f64(text, v));
}

void tmc_log_bool(bool v) {
    tmc_log_str(v ? TMC_STR("true") : TMC_STR("false"));
}

void tmc_log_glue(void) {
    inside_line = false;
}

void tmc_log_end(void) {
    static const uint8_t newline = (uint8_t)'\n';
    tmc_port_log_write(&newline, 1U);
    inside_line = false;
}
