/*
 * The Linux side of native_sim's software watchdog (watchdog-native.h), built with the host's C library. A
 * restart is an exec of the same program, as native_sim's own reboot is; the retained record travels in the
 * environment.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include "watchdog-native.h"

#include <nsi_cmdline.h>
#include <nsi_tasks.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define NAME "TMC_RETAINED"
#define MOST 256

static const uint8_t *kept;
static size_t kept_size;
static char variable[sizeof NAME + 1 + 2 * MOST]; /* NAME=hexadecimal, a part of the environment */

/* Writes the record into the environment, in place: also from a signal handler. */
static void retain(void) {
    static const char digits[] = "0123456789abcdef";
    char *to = variable + sizeof NAME;
    for (size_t i = 0; i < kept_size; i++) {
        *to++ = digits[kept[i] >> 4];
        *to++ = digits[kept[i] & 15];
    }
    *to = '\0';
}

static int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void tmc_native_retained(void *record, size_t size) {
    uint8_t *bytes = record;
    const char *text = getenv(NAME);
    memset(bytes, 0, size);
    if (size > MOST) {
        return;
    }
    if (text != NULL && strlen(text) == 2 * size) {
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (uint8_t)((digit(text[2 * i]) << 4) | digit(text[2 * i + 1]));
        }
    }
    kept = record;
    kept_size = size;
    memcpy(variable, NAME "=", sizeof NAME);
    retain();
    (void)putenv(variable);
}

/* Before native_sim's own reboot (ON_EXIT_POST, 999). */
NSI_TASK(retain, ON_EXIT_POST, 100);

/* The same program with the same arguments, in the same process; descriptors above 2 are closed. */
static void restart(void) {
    char **arguments;
    int count;
    sigset_t none;
    nsi_get_cmd_line_args(&count, &arguments);
    (void)close_range(3, ~0U, 0);
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    (void)execv("/proc/self/exe", arguments);
    _exit(1);
}

void tmc_native_bite(void) {
    static const char line[] = "software watchdog: restarting the process\n";
    retain();
    (void)!write(STDERR_FILENO, line, sizeof line - 1);
    restart();
}

static int restarting;

void tmc_native_restart_at_exit(void) {
    restarting = 1;
}

/* Only on releases whose native_sim has no reboot of its own. */
static void restart_if_wanted(void) {
    if (restarting) {
        restart();
    }
}

/* As native_sim's own: after all other hooks. */
NSI_TASK(restart_if_wanted, ON_EXIT_POST, 999);

static void on_signal(int number) {
    (void)number;
    tmc_native_bite();
}

void tmc_native_watchdog(int limit_ms) {
    static int installed;
    if (!installed) {
        struct sigaction action = {.sa_handler = on_signal};
        installed = sigaction(SIGPROF, &action, NULL) == 0;
    }
    const struct itimerval timer = {
        .it_value = {.tv_sec = limit_ms / 1000, .tv_usec = (limit_ms % 1000) * 1000}};
    (void)setitimer(ITIMER_PROF, &timer, NULL);
}
