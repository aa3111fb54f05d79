/*
 * Semihosting calls of Arm's specification version 2 (stderr and exit codes are its extensions; QEMU has
 * both).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "semihosting.h"

#define SYS_OPEN 0x01U
#define SYS_WRITE 0x05U
#define SYS_TIME 0x11U
#define SYS_GET_CMDLINE 0x15U
#define SYS_EXIT_EXTENDED 0x20U
#define ADP_STOPPED_APPLICATION_EXIT 0x20026U

static uintptr_t call(uintptr_t operation, const volatile void *block) {
    register uintptr_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = (uintptr_t)block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

/* The console opens with ":tt": mode 4 ("w") is standard output, mode 8 ("a") standard error. */
static uintptr_t stream_handle(semihosting_stream stream) {
    static uintptr_t handles[2]; /* handle + 1; 0 = not open yet */
    if (handles[stream] == 0U) {
        static const char console[] = ":tt";
        const uintptr_t block[] = {(uintptr_t)console, stream == SEMIHOSTING_STDOUT ? 4U : 8U,
                                   sizeof console - 1U};
        handles[stream] = call(SYS_OPEN, block) + 1U;
    }
    return handles[stream] - 1U;
}

void semihosting_write(semihosting_stream stream, const uint8_t *bytes, size_t size) {
    const uintptr_t block[] = {stream_handle(stream), (uintptr_t)bytes, size};
    (void)call(SYS_WRITE, block);
}

/* The words of the line are separated by blanks. */
static bool is_word_at(const char *line, const char *word) {
    while (*word != '\0' && *line == *word) {
        line++;
        word++;
    }
    return *word == '\0' && (*line == ' ' || *line == '\0');
}

bool semihosting_has_argument(const char *word) {
    static char line[256];
    const uintptr_t block[] = {(uintptr_t)line, sizeof line};
    if (call(SYS_GET_CMDLINE, block) != 0U) {
        return false;
    }
    line[sizeof line - 1U] = '\0';
    for (const char *at = line; *at != '\0'; at++) {
        if ((at == line || at[-1] == ' ') && is_word_at(at, word)) {
            return true;
        }
    }
    return false;
}

uint32_t semihosting_time(void) {
    return (uint32_t)call(SYS_TIME, NULL);
}

void semihosting_exit(uint32_t code) {
    const uintptr_t block[] = {ADP_STOPPED_APPLICATION_EXIT, code};
    (void)call(SYS_EXIT_EXTENDED, block);
    for (;;) {
    }
}
