/*
 * The posix port: log output, clock, random numbers, restart and the end after a fatal trap.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "posix.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static uint8_t line[1024];
static size_t line_len;
static bool restart_wanted;
static bool wake_wanted;
static uint32_t wake_ms;
static char at_work[24];

static void write_all(int fd, const void *bytes, size_t size) {
    const uint8_t *p = bytes;
    while (size > 0) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return; /* nobody reads the output any more: the node goes on */
        }
        p += n;
        size -= (size_t)n;
    }
}

void posix_log_flush(void) {
    write_all(STDOUT_FILENO, line, line_len);
    line_len = 0;
}

void tmc_port_log_write(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        line[line_len++] = bytes[i];
        if (bytes[i] == '\n' || line_len == sizeof line) {
            posix_log_flush();
        }
    }
}

static void stderr_line(const char *level, const char *format, va_list arguments) {
    char text[512];
    const char *who = posix_opt.id[0] != '\0' ? posix_opt.id : "node";
    int n = snprintf(text, sizeof text - 1, "%s %s: ", who, level);
    n += vsnprintf(text + n, sizeof text - 1 - (size_t)n, format, arguments);
    if (n > (int)sizeof text - 2) {
        n = (int)sizeof text - 2;
    }
    text[n] = '\n';
    write_all(STDERR_FILENO, text, (size_t)n + 1);
}

void posix_log(int level, const char *format, ...) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (level > posix_opt.log_level) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    stderr_line(names[level], format, arguments);
    va_end(arguments);
}

void posix_trace(const char *format, ...) {
    if (!posix_opt.trace) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    stderr_line("trace", format, arguments);
    va_end(arguments);
}

int64_t posix_now_us(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* As on a board, the app's clocks begin at 0 when it starts. */
static int64_t since_start_us(void) {
    static int64_t start_us = -1;
    int64_t now = posix_now_us();
    if (start_us < 0) {
        start_us = now;
    }
    return now - start_us;
}

uint32_t tmc_port_clock_ms(void) {
    return (uint32_t)(since_start_us() / 1000);
}

uint32_t tmc_port_clock_us(void) {
    return (uint32_t)since_start_us();
}

uint32_t tmc_port_random_u32(void) {
    uint32_t value = 0;
    while (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) {
        if (errno != EINTR) {
            posix_log(LOG_ERROR, "getrandom: %s", strerror(errno));
            exit(EXIT_STATE);
        }
    }
    return value;
}

void tmc_port_wake_at(uint32_t at_ms) {
    wake_wanted = true;
    wake_ms = at_ms;
}

bool posix_wake_wish(uint32_t *at_ms) {
    *at_ms = wake_ms;
    return wake_wanted;
}

void posix_wake_forget(void) {
    wake_wanted = false;
}

void tmc_port_restart(void) {
    restart_wanted = true; /* the main loop does it when the app has returned and its output is sent */
}

bool posix_restart_wanted(void) {
    return restart_wanted;
}

void tmc_port_at_work(tmc_str what) {
    size_t n = (size_t)what.len < sizeof at_work - 1 ? (size_t)what.len : sizeof at_work - 1;
    memcpy(at_work, what.ptr, n);
    at_work[n] = '\0';
}

int32_t tmc_port_stack_free(void) {
    return -1; /* the stack of a process grows as it is needed */
}

int32_t tmc_port_stack_left(void) {
    return 0;
}

_Noreturn void tmc_port_fatal(const tmc_trap_info *info) {
    static const char *const kinds[] = {"none",     "index", "null",  "division", "overflow",
                                        "capacity", "throw", "stack", "assert"};
    const char *kind = (size_t)info->kind < sizeof kinds / sizeof kinds[0] ? kinds[info->kind] : "unknown";
    posix_log_flush();
    posix_log(LOG_ERROR, "trap %s at site %ld%s%.*s", kind, (long)info->site,
              info->message.len > 0 ? ": " : "", (int)info->message.len,
              info->message.len > 0 ? (const char *)info->message.ptr : "");
    posix_state_note_crash((int32_t)info->kind, (uint32_t)info->site, at_work);
    posix_state_set_reset_reason(6);
    _exit(EXIT_TRAP);
}
