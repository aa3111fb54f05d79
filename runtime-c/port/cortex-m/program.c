/*
 * The port for `tmc exec` programs on a bare-metal Cortex-M in QEMU: runs the program inside a boundary, log
 * goes to standard output by semihosting, an uncaught trap is one line on standard error and exit code 2.
 * Command line:
 *     --count   prints `tmc-count instructions=N`: executed instructions of the program's main (-icount
 * shift=6)
 *     --stack   prints `tmc-stack used=N`: bytes of stack that were written
 * No bus, no sensors.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "semihosting.h"
#include "startup.h"
#include "tmc/port.h"
#include "timers.h"

#include <string.h>

#define EXIT_TRAP 2U
#define PAINT 0xa5a5a5a5U

extern uint32_t __stack_limit[];

/* ---- output -----------------------------------------------------------------------------------------------
 */

static uint8_t log_buffer[1024];
static size_t log_size;

void tmc_cortex_m_flush(void) {
    if (log_size > 0U) {
        semihosting_write(SEMIHOSTING_STDOUT, log_buffer, log_size);
        log_size = 0U;
    }
}

void tmc_port_log_write(const uint8_t *bytes, size_t size) {
    while (size > 0U) {
        const size_t room = sizeof log_buffer - log_size;
        const size_t part = size < room ? size : room;
        memcpy(log_buffer + log_size, bytes, part);
        log_size += part;
        bytes += part;
        size -= part;
        if (log_size == sizeof log_buffer) {
            tmc_cortex_m_flush();
        }
    }
}

static void report_text(const char *text) {
    size_t size = 0U;
    while (text[size] != '\0') {
        size++;
    }
    semihosting_write(SEMIHOSTING_STDERR, (const uint8_t *)text, size);
}

static void report_number(const char *name, uint32_t value) {
    uint8_t text[TMC_NUMBER_TEXT_MAX];
    report_text(name);
    semihosting_write(SEMIHOSTING_STDERR, text, (size_t)tmc_format_u32(text, value));
}

void tmc_port_fatal(const tmc_trap_info *info) {
    tmc_cortex_m_flush();
    report_number("tmc-trap kind=", (uint32_t)info->kind);
    report_number(" site=", (uint32_t)info->site);
    report_text(" message=");
    for (int32_t i = 0; i < info->message.len; i++) { /* one line, whatever the text */
        const uint8_t byte = info->message.ptr[i] < 0x20U ? (uint8_t)' ' : info->message.ptr[i];
        semihosting_write(SEMIHOSTING_STDERR, &byte, 1U);
    }
    report_text("\n");
    semihosting_exit(EXIT_TRAP);
}

/* ---- clock and randomness
 * ------------------------------------------------------------------------------------ */

uint32_t tmc_port_clock_us(void) {
    return (uint32_t)(timers_elapsed_ticks() / (TIMERS_HZ / 1000000U));
}

uint32_t tmc_port_clock_ms(void) {
    return (uint32_t)(timers_elapsed_ticks() / (TIMERS_HZ / 1000U));
}

/* Not for keys: seeded by the time of day. */
uint32_t tmc_port_random_u32(void) {
    static uint32_t state;
    if (state == 0U) {
        state = semihosting_time() | 1U;
    }
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* ---- the program
 * ---------------------------------------------------------------------------------------------- */

static void empty_program(void) {
}

/* The part of the stack below the caller's frame, with a margin for this function itself. */
static void paint_stack(void) {
    const uint32_t *end = (const uint32_t *)__builtin_frame_address(0) - 64;
    for (uint32_t *at = __stack_limit; at < end; at++) {
        *(volatile uint32_t *)at = PAINT;
    }
}

static void report_stack(const void *top) {
    const uint32_t *at = __stack_limit;
    while (*at == PAINT && (const void *)at < top) {
        at++;
    }
    report_number("tmc-stack used=", (uint32_t)((uintptr_t)top - (uintptr_t)at));
    report_text("\n");
}

uint32_t tmc_cortex_m_main(void) {
    timers_start_clock();
    const bool count = semihosting_has_argument("--count");
    const bool stack = semihosting_has_argument("--stack");
    tmc_boundary boundary;
    tmc_boundary_push(&boundary);
    if (setjmp(boundary.env) != 0) {
        tmc_port_fatal(&boundary.info);
    }
    if (count) {
        const int64_t overhead = timers_count_instructions(empty_program);
        const int64_t total = timers_count_instructions(tmc_program_main);
        tmc_cortex_m_flush();
        if (total >= 0) {
            report_number("tmc-count instructions=", (uint32_t)(total - overhead));
            report_text("\n");
        }
    } else if (stack) {
        paint_stack();
        tmc_program_main();
        tmc_cortex_m_flush();
        report_stack(__builtin_frame_address(0));
    } else {
        tmc_program_main();
    }
    tmc_boundary_pop(&boundary);
    tmc_cortex_m_flush();
    return 0U;
}
