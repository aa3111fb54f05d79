/*
 * The port for `tmc exec` programs on the host: main() runs the program inside a boundary, log goes to
 * standard output, an uncaught trap is one line on standard error and exit code 2. No bus, no sensors:
 * port/posix has them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _XOPEN_SOURCE 700

#include "tmc/port.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXIT_TRAP 2

void tmc_port_log_write(const uint8_t *bytes, size_t size) {
    (void)fwrite(bytes, 1U, size, stdout);
}

static uint64_t monotonic_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

uint32_t tmc_port_clock_ms(void) {
    return (uint32_t)(monotonic_us() / 1000U);
}

uint32_t tmc_port_clock_us(void) {
    return (uint32_t)monotonic_us();
}

/* Not for keys: seeded by the clock. */
uint32_t tmc_port_random_u32(void) {
    static uint64_t state;
    if (state == 0U) {
        state = monotonic_us() | 1U;
    }
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

_Noreturn void tmc_port_fatal(const tmc_trap_info *info) {
    (void)fflush(stdout);
    (void)fprintf(stderr, "tmc-trap kind=%d site=%" PRId32 " message=", (int)info->kind, info->site);
    for (int32_t i = 0; i < info->message.len; i++) { /* one line, whatever the text */
        (void)fputc(info->message.ptr[i] < 0x20U ? ' ' : info->message.ptr[i], stderr);
    }
    (void)fputc('\n', stderr);
    exit(EXIT_TRAP);
}

/* ---- stack overflow -------------------------------------------------------------------------------------
 */

/* AddressSanitizer reports overflows itself. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TMC_OWN_STACK_GUARD 0
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define TMC_OWN_STACK_GUARD 0
#endif
#ifndef TMC_OWN_STACK_GUARD
#define TMC_OWN_STACK_GUARD 1
#endif

#if TMC_OWN_STACK_GUARD
static uint8_t signal_stack[64 * 1024];
static uintptr_t stack_base; /* an address near the base of main's stack; it grows downwards from here */

/* A fault at most 64 MB below the base is taken for an overflow; any other one is a bug
 * and keeps its default action. The program's state is consistent: only generated code recurses or uses much
 * stack. */
static void on_fault(int number, siginfo_t *info, void *context) {
    (void)context;
    const uintptr_t at = (uintptr_t)info->si_addr;
    if (at < stack_base && stack_base - at < (uintptr_t)64 * 1024U * 1024U) {
        tmc_trap(TMC_TRAP_STACK, 0);
    }
    (void)signal(number, SIG_DFL);
}

static void guard_stack(void) {
    int here;
    stack_base = (uintptr_t)&here;
    stack_t alternate;
    memset(&alternate, 0, sizeof alternate);
    alternate.ss_sp = signal_stack;
    alternate.ss_size = sizeof signal_stack;
    (void)sigaltstack(&alternate, NULL);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    (void)sigaction(SIGSEGV, &action, NULL);
}
#else
static void guard_stack(void) {
}
#endif

int main(void) {
    guard_stack();
    tmc_boundary boundary;
    tmc_boundary_push(&boundary);
    if (setjmp(boundary.env) != 0) {
        tmc_port_fatal(&boundary.info);
    }
    tmc_program_main();
    tmc_boundary_pop(&boundary);
    return fflush(stdout) == 0 ? 0 : 1;
}
